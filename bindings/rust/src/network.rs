use crate::c;
use crate::call::{buffered, call, number, path, text, Result};
use crate::workers::AllReduce;
use std::path::Path;
use std::ptr::{null, null_mut};

/// A network with its parameters and its training state. Slices of inputs, outputs and targets are row by row.
#[derive(Debug)]
pub struct Network {
    pub(crate) handle: *mut c::bp_network,
    pub(crate) all_reduce: Option<AllReduce>, // dropped after the network
}

// Each call takes the network's lock: see Threads in backprop.h. The all-reduce function is Send, and runs in calls of `&mut self`
// only.
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
        Ok(Network { handle, all_reduce: None })
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

    /// Replaces the parameters and the running statistics by those of the bytes of a safetensors file.
    pub fn load_weights_from_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        call(|| unsafe { c::bp_network_load_weights_memory(self.handle, bytes.as_ptr(), bytes.len()) }).map(drop)
    }

    /// Replaces the weights and the biases of a layer by two tensors of any safetensors file. Without a bias, the biases become 0.
    pub fn load_layer(&mut self, layer: usize, file: impl AsRef<Path>, weight: &str, bias: Option<&str>) -> Result<()> {
        let (file, weight, bias) = (path(file)?, text(weight)?, bias.map(text).transpose()?);
        let bias = bias.as_ref().map_or(null(), |bias| bias.as_ptr());
        call(|| unsafe { c::bp_network_load_layer(self.handle, layer, file.as_ptr(), weight.as_ptr(), bias) }).map(drop)
    }

    /// As [`load_layer`](Self::load_layer), from the bytes of a safetensors file.
    pub fn load_layer_from_bytes(&mut self, layer: usize, bytes: &[u8], weight: &str, bias: Option<&str>) -> Result<()> {
        let (address, count, weight, bias) = (bytes.as_ptr(), bytes.len(), text(weight)?, bias.map(text).transpose()?);
        let bias = bias.as_ref().map_or(null(), |bias| bias.as_ptr());
        call(|| unsafe { c::bp_network_load_layer_memory(self.handle, layer, address, count, weight.as_ptr(), bias) }).map(drop)
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

    /// The number of layers. The inputs are layer 0.
    pub fn layers(&self) -> Result<usize> {
        number(|count| unsafe { c::bp_network_layer_count(self.handle, count) })
    }

    /// The number of units of a layer.
    pub fn layer_size(&self, layer: usize) -> Result<usize> {
        number(|size| unsafe { c::bp_network_layer_size(self.handle, layer, size) })
    }

    pub fn inputs(&self) -> Result<usize> {
        self.layer_size(0)
    }

    pub fn outputs(&self) -> Result<usize> {
        self.layer_size(self.layers()? - 1)
    }

    /// The size of a row of targets: the number of outputs, unless a registered loss has another one.
    pub fn target_columns(&self) -> Result<usize> {
        number(|columns| unsafe { c::bp_network_target_columns(self.handle, columns) })
    }

    /// The number of training steps since the weights were drawn.
    pub fn steps(&self) -> Result<u64> {
        number(|steps| unsafe { c::bp_network_step_count(self.handle, steps) })
    }

    /// Draws new random weights.
    pub fn initialize(&mut self, seed: u64) -> Result<()> {
        call(|| unsafe { c::bp_network_initialize(self.handle, seed) }).map(drop)
    }

    /// Replaces the last layer by one of `size` units with new random weights.
    pub fn replace_output(&mut self, size: usize, seed: u64) -> Result<()> {
        call(|| unsafe { c::bp_network_replace_output(self.handle, size, seed) }).map(drop)
    }

    /// Folds batch normalization into the weights and removes it, for inference.
    pub fn fold_batchnorm(&mut self) -> Result<()> {
        call(|| unsafe { c::bp_network_fold_batchnorm(self.handle) }).map(drop)
    }
}
