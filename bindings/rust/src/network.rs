use crate::call::{call, error, path, text, Result};
use crate::{c, status};
use std::path::Path;
use std::ptr::{null, null_mut};

/// A network with its parameters and its training state. Slices of inputs, outputs and targets are row by row.
#[derive(Debug)]
pub struct Network {
    pub(crate) handle: *mut c::bp_network,
}

// Each call takes the network's lock: see Threads in backprop.h.
unsafe impl Send for Network {}
unsafe impl Sync for Network {}

impl Drop for Network {
    fn drop(&mut self) {
        unsafe { c::bp_network_free(self.handle) }
    }
}

impl Network {
    /// A network with random weights. `sizes`: of the layers, from the inputs to the outputs.
    pub fn new(sizes: &[usize], seed: u64) -> Result<Self> {
        Self::made(|handle| unsafe { c::bp_network_create(sizes.as_ptr(), sizes.len(), seed, handle) })
    }

    pub fn load(file: impl AsRef<Path>) -> Result<Self> {
        let file = path(file)?;
        Self::made(|handle| unsafe { c::bp_network_load(file.as_ptr(), handle) })
    }

    /// A network from the bytes of a model file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::made(|handle| unsafe { c::bp_network_load_memory(bytes.as_ptr(), bytes.len(), handle) })
    }

    /// An independent copy, which may have no memory: so this is not `Clone`.
    pub fn try_clone(&self) -> Result<Self> {
        Self::made(|handle| unsafe { c::bp_network_clone(self.handle, handle) })
    }

    fn made(make: impl FnOnce(*mut *mut c::bp_network) -> i32) -> Result<Self> {
        let mut handle = null_mut();
        call(|| make(&mut handle))?;
        Ok(Network { handle })
    }

    pub fn save(&self, file: impl AsRef<Path>) -> Result<()> {
        let file = path(file)?;
        call(|| unsafe { c::bp_network_save(self.handle, file.as_ptr()) }).map(drop)
    }

    /// Replaces the parameters and the running statistics by those of a safetensors file.
    pub fn load_weights(&mut self, file: impl AsRef<Path>) -> Result<()> {
        let file = path(file)?;
        call(|| unsafe { c::bp_network_load_weights(self.handle, file.as_ptr()) }).map(drop)
    }

    /// Writes the prediction as C source, with a function `PREFIX_predict`. `weight_bits`: 32 or 8. `folded`: whether the weights
    /// contain batch normalization and scaling, which is faster but has other bits.
    pub fn export_c(&self, file: impl AsRef<Path>, prefix: &str, weight_bits: i32, folded: bool) -> Result<()> {
        let (file, prefix) = (path(file)?, text(prefix)?);
        call(|| unsafe { c::bp_network_export_c(self.handle, file.as_ptr(), prefix.as_ptr(), weight_bits, folded.into()) }).map(drop)
    }

    /// Writes the prediction as Swift source, with an enum `NAME`. The arguments are those of `export_c`.
    pub fn export_swift(&self, file: impl AsRef<Path>, name: &str, weight_bits: i32, folded: bool) -> Result<()> {
        let (file, name) = (path(file)?, text(name)?);
        call(|| unsafe { c::bp_network_export_swift(self.handle, file.as_ptr(), name.as_ptr(), weight_bits, folded.into()) }).map(drop)
    }

    /// The bytes of a model file.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        buffered(|buffer, capacity, needed| unsafe { c::bp_network_save_memory(self.handle, buffer, capacity, needed) })
    }

    fn count(&self, getter: impl FnOnce(*mut usize) -> i32) -> Result<usize> {
        let mut count = 0;
        call(|| getter(&mut count))?;
        Ok(count)
    }

    pub fn inputs(&self) -> Result<usize> {
        self.count(|size| unsafe { c::bp_network_layer_size(self.handle, 0, size) })
    }

    pub fn outputs(&self) -> Result<usize> {
        let layers = self.count(|count| unsafe { c::bp_network_layer_count(self.handle, count) })?;
        self.count(|size| unsafe { c::bp_network_layer_size(self.handle, layers - 1, size) })
    }

    pub(crate) fn target_columns(&self) -> Result<usize> {
        self.count(|columns| unsafe { c::bp_network_target_columns(self.handle, columns) })
    }

    pub fn set_activation(&mut self, layer: usize, name: &str) -> Result<()> {
        let name = text(name)?;
        call(|| unsafe { c::bp_network_set_activation(self.handle, layer, name.as_ptr()) }).map(drop)
    }

    pub fn set_batchnorm(&mut self, layer: usize, enabled: bool) -> Result<()> {
        call(|| unsafe { c::bp_network_set_batchnorm(self.handle, layer, enabled.into()) }).map(drop)
    }

    pub fn set_dropout(&mut self, layer: usize, rate: f64) -> Result<()> {
        call(|| unsafe { c::bp_network_set_dropout(self.handle, layer, rate) }).map(drop)
    }

    pub fn set_loss(&mut self, name: &str) -> Result<()> {
        let name = text(name)?;
        call(|| unsafe { c::bp_network_set_loss(self.handle, name.as_ptr()) }).map(drop)
    }

    pub fn set_optimizer(&mut self, name: &str) -> Result<()> {
        let name = text(name)?;
        call(|| unsafe { c::bp_network_set_optimizer(self.handle, name.as_ptr()) }).map(drop)
    }

    pub fn set_option(&mut self, name: &str, value: f64) -> Result<()> {
        let name = text(name)?;
        call(|| unsafe { c::bp_network_set_option(self.handle, name.as_ptr(), value) }).map(drop)
    }

    pub fn option(&self, name: &str) -> Result<f64> {
        let (name, mut value) = (text(name)?, 0.0);
        call(|| unsafe { c::bp_network_get_option(self.handle, name.as_ptr(), &mut value) })?;
        Ok(value)
    }

    /// Computes the scaling of inputs and targets from rows. `targets` may be empty if they are not scaled.
    pub fn fit_scaling(&mut self, input_scaling: &str, target_scaling: &str, inputs: &[f32], targets: &[f32]) -> Result<()> {
        let (input_scaling, target_scaling) = (text(input_scaling)?, text(target_scaling)?);
        let (rows, y) = match targets {
            [] => (rows(inputs, self.inputs()?)?, null()),
            _ => (self.rows_with(inputs, targets)?, targets.as_ptr()),
        };
        let (for_inputs, for_targets) = (input_scaling.as_ptr(), target_scaling.as_ptr());
        call(|| unsafe { c::bp_network_fit_scaling(self.handle, for_inputs, for_targets, inputs.as_ptr(), y, rows) }).map(drop)
    }

    pub fn set_metadata(&mut self, key: &str, value: &str) -> Result<()> {
        let (key, value) = (text(key)?, text(value)?);
        call(|| unsafe { c::bp_network_set_metadata(self.handle, key.as_ptr(), value.as_ptr()) }).map(drop)
    }

    pub fn metadata(&self, key: &str) -> Result<String> {
        let key = text(key)?;
        let mut bytes = buffered(|buffer, capacity, needed| unsafe {
            c::bp_network_get_metadata(self.handle, key.as_ptr(), buffer.cast(), capacity, needed)
        })?;
        bytes.pop(); // the NUL
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The gradient of the loss of a minibatch with respect to the parameters, and the loss.
    pub fn gradient(&mut self, inputs: &[f32], targets: &[f32]) -> Result<(Vec<f32>, f32)> {
        let rows = self.rows_with(inputs, targets)?;
        let count = self.count(|count| unsafe { c::bp_network_parameter_count(self.handle, count) })?;
        let (x, y, mut gradient, mut loss) = (inputs.as_ptr(), targets.as_ptr(), vec![0.0; count], 0.0);
        call(|| unsafe { c::bp_network_gradient(self.handle, x, y, rows, gradient.as_mut_ptr(), count, &mut loss) })?;
        Ok((gradient, loss))
    }

    /// Makes the optimizer's step along a gradient.
    pub fn apply_gradient(&mut self, gradient: &[f32], learning_rate: f32) -> Result<()> {
        let (address, count) = (gradient.as_ptr(), gradient.len());
        call(|| unsafe { c::bp_network_apply_gradient(self.handle, address, count, learning_rate) }).map(drop)
    }

    /// One step on the rows, a minibatch. Returns the loss before the step.
    pub fn train(&mut self, inputs: &[f32], targets: &[f32], learning_rate: f32) -> Result<f32> {
        let rows = self.rows_with(inputs, targets)?;
        let (x, y, mut loss) = (inputs.as_ptr(), targets.as_ptr(), 0.0);
        call(|| unsafe { c::bp_network_train_minibatch(self.handle, x, y, rows, learning_rate, &mut loss) })?;
        Ok(loss)
    }

    pub fn predict(&self, inputs: &[f32]) -> Result<Vec<f32>> {
        let rows = rows(inputs, self.inputs()?)?;
        let mut outputs = vec![0.0; rows * self.outputs()?];
        call(|| unsafe { c::bp_network_predict(self.handle, inputs.as_ptr(), rows, outputs.as_mut_ptr()) })?;
        Ok(outputs)
    }

    pub fn evaluate(&self, inputs: &[f32], targets: &[f32]) -> Result<f32> {
        let rows = self.rows_with(inputs, targets)?;
        let mut loss = 0.0;
        call(|| unsafe { c::bp_network_evaluate(self.handle, inputs.as_ptr(), targets.as_ptr(), rows, &mut loss) })?;
        Ok(loss)
    }

    /// `measure`: "accuracy", "r2" or "mean_absolute_error".
    pub fn score(&self, measure: &str, inputs: &[f32], targets: &[f32]) -> Result<f64> {
        let (rows, measure, mut score) = (self.rows_with(inputs, targets)?, text(measure)?, 0.0);
        let (x, y) = (inputs.as_ptr(), targets.as_ptr());
        call(|| unsafe { c::bp_network_score(self.handle, measure.as_ptr(), x, y, rows, &mut score) })?;
        Ok(score)
    }

    pub fn parameters(&self) -> Result<Vec<f32>> {
        let count = self.count(|count| unsafe { c::bp_network_parameter_count(self.handle, count) })?;
        let mut parameters = vec![0.0; count];
        call(|| unsafe { c::bp_network_get_parameters(self.handle, parameters.as_mut_ptr(), count) })?;
        Ok(parameters)
    }

    pub fn set_parameters(&mut self, parameters: &[f32]) -> Result<()> {
        call(|| unsafe { c::bp_network_set_parameters(self.handle, parameters.as_ptr(), parameters.len()) }).map(drop)
    }

    /// The number of rows, which is that of both slices.
    pub(crate) fn rows_with(&self, inputs: &[f32], targets: &[f32]) -> Result<usize> {
        let (count, columns) = (rows(inputs, self.inputs()?)?, self.target_columns()?);
        if targets.len() != count * columns {
            return error(status::MISMATCH, format!("{} numbers are not {} rows of {}", targets.len(), count, columns));
        }
        Ok(count)
    }
}

/// The bytes that a function writes to a buffer of the size that it needs.
fn buffered(function: impl Fn(*mut u8, usize, *mut usize) -> i32) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut needed = 0;
        let (address, capacity) = (bytes.as_mut_ptr(), bytes.len());
        let written = call(|| function(address, capacity, &mut needed));
        match written {
            Err(error) if error.status == status::BUFFER_TOO_SMALL => bytes.resize(needed, 0),
            _ => {
                bytes.truncate(needed);
                return written.map(|_| bytes);
            }
        }
    }
}

pub(crate) fn rows(numbers: &[f32], columns: usize) -> Result<usize> {
    if numbers.len() % columns != 0 {
        return error(status::MISMATCH, format!("{} numbers are not rows of {}", numbers.len(), columns));
    }
    Ok(numbers.len() / columns)
}
