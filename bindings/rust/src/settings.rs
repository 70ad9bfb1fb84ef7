//! What a network computes with, except for its parameters.
use crate::c;
use crate::call::{call, check_rows, number, rows, text, text_of, texts_of, Result};
use crate::matrix::Matrix;
use crate::network::Network;
use std::ptr::null;

impl Network {
    pub fn set_activation(&mut self, layer: usize, name: &str) -> Result<()> {
        let name = text(name)?;
        call(|| unsafe { c::bp_network_set_activation(self.handle, layer, name.as_ptr()) }).map(drop)
    }

    pub fn activation(&self, layer: usize) -> Result<String> {
        text_of(|buffer, capacity, needed| unsafe {
            c::bp_network_get_activation(self.handle, layer, buffer, capacity, needed)
        })
    }

    pub fn set_batchnorm(&mut self, layer: usize, enabled: bool) -> Result<()> {
        call(|| unsafe { c::bp_network_set_batchnorm(self.handle, layer, enabled.into()) }).map(drop)
    }

    pub fn batchnorm(&self, layer: usize) -> Result<bool> {
        Ok(number(|enabled| unsafe { c::bp_network_get_batchnorm(self.handle, layer, enabled) })? != 0)
    }

    pub fn set_dropout(&mut self, layer: usize, rate: f64) -> Result<()> {
        call(|| unsafe { c::bp_network_set_dropout(self.handle, layer, rate) }).map(drop)
    }

    pub fn dropout(&self, layer: usize) -> Result<f64> {
        number(|rate| unsafe { c::bp_network_get_dropout(self.handle, layer, rate) })
    }

    /// Freezes a layer for training, or makes it trainable.
    pub fn set_trainable(&mut self, layer: usize, trainable: bool) -> Result<()> {
        call(|| unsafe { c::bp_network_set_trainable(self.handle, layer, trainable.into()) }).map(drop)
    }

    pub fn trainable(&self, layer: usize) -> Result<bool> {
        Ok(number(|trainable| unsafe { c::bp_network_get_trainable(self.handle, layer, trainable) })? != 0)
    }

    pub fn set_loss(&mut self, name: &str) -> Result<()> {
        let name = text(name)?;
        call(|| unsafe { c::bp_network_set_loss(self.handle, name.as_ptr()) }).map(drop)
    }

    pub fn loss(&self) -> Result<String> {
        text_of(|buffer, capacity, needed| unsafe { c::bp_network_get_loss(self.handle, buffer, capacity, needed) })
    }

    pub fn set_optimizer(&mut self, name: &str) -> Result<()> {
        let name = text(name)?;
        call(|| unsafe { c::bp_network_set_optimizer(self.handle, name.as_ptr()) }).map(drop)
    }

    pub fn optimizer(&self) -> Result<String> {
        text_of(|buffer, capacity, needed| unsafe { c::bp_network_get_optimizer(self.handle, buffer, capacity, needed) })
    }

    /// With optimizer "bayesian_regularization", the number of parameters that the data determine.
    pub fn effective_parameters(&self) -> Result<f64> {
        number(|count| unsafe { c::bp_network_effective_parameters(self.handle, count) })
    }

    /// Sets an option. [`choice`](crate::choice) has the values of options that are choices.
    pub fn set_option(&mut self, name: &str, value: f64) -> Result<()> {
        let name = text(name)?;
        call(|| unsafe { c::bp_network_set_option(self.handle, name.as_ptr(), value) }).map(drop)
    }

    pub fn option(&self, name: &str) -> Result<f64> {
        let name = text(name)?;
        number(|value| unsafe { c::bp_network_get_option(self.handle, name.as_ptr(), value) })
    }

    /// Checks that the settings go together, and with `targets`, which may be empty.
    pub fn check_settings(&self, targets: &[f32]) -> Result<()> {
        let rows = rows(targets, self.target_columns()?)?;
        let targets = if rows == 0 { null() } else { targets.as_ptr() };
        call(|| unsafe { c::bp_network_check_settings(self.handle, targets, rows) }).map(drop)
    }

    /// Computes the scaling of inputs and targets from rows. `targets` may be empty if they are not scaled.
    pub fn fit_scaling(&mut self, input_scaling: &str, target_scaling: &str, inputs: &[f32], targets: &[f32]) -> Result<()> {
        let (input_scaling, target_scaling) = (text(input_scaling)?, text(target_scaling)?);
        let rows = rows(inputs, self.inputs()?)?;
        let (x, mut y) = (inputs.as_ptr(), null());
        if !targets.is_empty() {
            check_rows(targets, rows, self.target_columns()?)?;
            y = targets.as_ptr();
        }
        let (for_inputs, for_targets) = (input_scaling.as_ptr(), target_scaling.as_ptr());
        call(|| unsafe { c::bp_network_fit_scaling(self.handle, for_inputs, for_targets, x, y, rows) }).map(drop)
    }

    /// As [`fit_scaling`](Self::fit_scaling), for rows of any type and layout.
    pub fn fit_scaling_rows(
        &mut self,
        input_scaling: &str,
        target_scaling: &str,
        inputs: Option<&Matrix>,
        targets: Option<&Matrix>,
    ) -> Result<()> {
        let (input_scaling, target_scaling) = (text(input_scaling)?, text(target_scaling)?);
        let (for_inputs, for_targets) = (input_scaling.as_ptr(), target_scaling.as_ptr());
        let (x, y) = (address(inputs), address(targets));
        call(|| unsafe { c::bp_network_fit_scaling_rows(self.handle, for_inputs, for_targets, x, y) }).map(drop)
    }

    /// Adds rows to the statistics from which [`finish_scaling`](Self::finish_scaling) computes the scaling. Without any rows,
    /// discards those that were added.
    pub fn add_scaling_rows(&mut self, inputs: Option<&Matrix>, targets: Option<&Matrix>) -> Result<()> {
        let (x, y) = (address(inputs), address(targets));
        call(|| unsafe { c::bp_network_add_scaling_rows(self.handle, x, y) }).map(drop)
    }

    pub fn finish_scaling(&mut self, input_scaling: &str, target_scaling: &str) -> Result<()> {
        let (input_scaling, target_scaling) = (text(input_scaling)?, text(target_scaling)?);
        call(|| unsafe { c::bp_network_finish_scaling(self.handle, input_scaling.as_ptr(), target_scaling.as_ptr()) }).map(drop)
    }

    /// The name of the scaling method of the inputs.
    pub fn input_scaling(&self) -> Result<String> {
        self.scaling(0)
    }

    /// The name of the scaling method of the targets.
    pub fn target_scaling(&self) -> Result<String> {
        self.scaling(1)
    }

    fn scaling(&self, of_targets: i32) -> Result<String> {
        text_of(|buffer, capacity, needed| unsafe {
            c::bp_network_get_scaling(self.handle, of_targets, buffer, capacity, needed)
        })
    }

    pub fn set_metadata(&mut self, key: &str, value: &str) -> Result<()> {
        let (key, value) = (text(key)?, text(value)?);
        call(|| unsafe { c::bp_network_set_metadata(self.handle, key.as_ptr(), value.as_ptr()) }).map(drop)
    }

    pub fn metadata(&self, key: &str) -> Result<String> {
        let key = text(key)?;
        text_of(|buffer, capacity, needed| unsafe {
            c::bp_network_get_metadata(self.handle, key.as_ptr(), buffer, capacity, needed)
        })
    }

    pub fn metadata_keys(&self) -> Result<Vec<String>> {
        texts_of(|index, buffer, capacity, needed| unsafe {
            c::bp_network_metadata_key(self.handle, index, buffer, capacity, needed)
        })
    }

    pub fn remove_metadata(&mut self, key: &str) -> Result<()> {
        let key = text(key)?;
        call(|| unsafe { c::bp_network_remove_metadata(self.handle, key.as_ptr()) }).map(drop)
    }
}

pub(crate) fn address(matrix: Option<&Matrix>) -> *const c::bp_rows {
    matrix.map_or(null(), |matrix| &matrix.rows)
}
