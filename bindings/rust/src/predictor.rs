use crate::call::{call, error, rows, Result};
use crate::network::Network;
use crate::{c, status};
use std::ptr::null_mut;

/// An immutable copy of a network. A run takes no lock, no memory and no system call.
#[derive(Debug)]
pub struct Predictor {
    handle: *mut c::bp_predictor,
    inputs: usize,
    outputs: usize,
}

// Runs may be made on any number of threads, also during an update: see Predictors in backprop.h.
unsafe impl Send for Predictor {}
unsafe impl Sync for Predictor {}

impl Drop for Predictor {
    fn drop(&mut self) {
        unsafe { c::bp_predictor_free(self.handle) }
    }
}

impl Predictor {
    pub fn new(network: &Network) -> Result<Self> {
        let mut predictor = Predictor { handle: null_mut(), inputs: 0, outputs: 0 };
        call(|| unsafe { c::bp_predictor_create(network.handle, &mut predictor.handle) })?;
        call(|| unsafe { c::bp_predictor_sizes(predictor.handle, &mut predictor.inputs, &mut predictor.outputs) })?;
        Ok(predictor)
    }

    /// Takes the network's newest weights. Runs on other threads continue meanwhile: so this takes `&self`.
    pub fn update(&self, network: &Network) -> Result<()> {
        call(|| unsafe { c::bp_predictor_update(self.handle, network.handle) }).map(drop)
    }

    /// The number of inputs and outputs of a row.
    pub fn sizes(&self) -> (usize, usize) {
        (self.inputs, self.outputs)
    }

    pub fn run(&self, inputs: &[f32], outputs: &mut [f32]) -> Result<()> {
        let rows = rows(inputs, self.inputs)?;
        if outputs.len() != rows * self.outputs {
            return error(status::MISMATCH, "the outputs have another number of rows than the inputs");
        }
        call(|| unsafe { c::bp_predictor_run(self.handle, inputs.as_ptr(), rows, outputs.as_mut_ptr()) }).map(drop)
    }
}
