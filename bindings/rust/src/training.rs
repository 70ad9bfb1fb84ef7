//! Single steps and gradients.
use crate::c;
use crate::call::{call, check_rows, number, numbers, rows, Result};
use crate::matrix::Matrix;
use crate::network::Network;
use std::ptr::null_mut;

/// The gradients of a function of the outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    pub parameters: Vec<f32>,
    /// Row by row.
    pub inputs: Vec<f32>,
}

impl Network {
    /// One step on the rows, a minibatch. Returns the loss before the step.
    pub fn train(&mut self, inputs: &[f32], targets: &[f32], learning_rate: f32) -> Result<f32> {
        let rows = self.rows_with(inputs, targets)?;
        let (x, y) = (inputs.as_ptr(), targets.as_ptr());
        number(|loss| unsafe { c::bp_network_train_minibatch(self.handle, x, y, rows, learning_rate, loss) })
    }

    /// As [`train`](Self::train), for rows of any type and layout.
    pub fn train_rows(&mut self, inputs: &Matrix, targets: &Matrix, learning_rate: f32) -> Result<f32> {
        number(|loss| unsafe { c::bp_network_train_rows(self.handle, &inputs.rows, &targets.rows, learning_rate, loss) })
    }

    /// The gradient of the loss of a minibatch with respect to the parameters, and the loss.
    pub fn gradient(&mut self, inputs: &[f32], targets: &[f32]) -> Result<(Vec<f32>, f32)> {
        let (rows, count) = (self.rows_with(inputs, targets)?, self.parameter_count()?);
        let (x, y, mut loss) = (inputs.as_ptr(), targets.as_ptr(), 0.0);
        let gradient =
            numbers(count, |gradient| unsafe { c::bp_network_gradient(self.handle, x, y, rows, gradient, count, &mut loss) })?;
        Ok((gradient, loss))
    }

    /// Makes the optimizer's step along a gradient.
    pub fn apply_gradient(&mut self, gradient: &[f32], learning_rate: f32) -> Result<()> {
        let (address, count) = (gradient.as_ptr(), gradient.len());
        call(|| unsafe { c::bp_network_apply_gradient(self.handle, address, count, learning_rate) }).map(drop)
    }

    /// The gradients of any function of the outputs, from its gradient with respect to the outputs: the pass of a training step.
    pub fn backpropagate(&mut self, inputs: &[f32], output_gradients: &[f32]) -> Result<Gradients> {
        let count = self.parameter_count()?;
        let mut parameters = vec![0.0; count];
        let inputs = self.backward(inputs, output_gradients, parameters.as_mut_ptr(), count)?;
        Ok(Gradients { parameters, inputs })
    }

    /// The gradient with respect to the inputs only, of any function of the outputs of [`predict`](Self::predict).
    pub fn input_gradients(&mut self, inputs: &[f32], output_gradients: &[f32]) -> Result<Vec<f32>> {
        self.backward(inputs, output_gradients, null_mut(), 0)
    }

    fn backward(&mut self, inputs: &[f32], output_gradients: &[f32], gradient: *mut f32, count: usize) -> Result<Vec<f32>> {
        let rows = rows(inputs, self.inputs()?)?;
        check_rows(output_gradients, rows, self.outputs()?)?;
        let (x, dy) = (inputs.as_ptr(), output_gradients.as_ptr());
        numbers(inputs.len(), |dx| unsafe { c::bp_network_backpropagate(self.handle, x, dy, rows, gradient, count, dx) })
    }

    /// The derivative of each output with respect to each input: `[rows][outputs][inputs]`.
    pub fn input_jacobian(&mut self, inputs: &[f32]) -> Result<Vec<f32>> {
        let rows = rows(inputs, self.inputs()?)?;
        let count = inputs.len() * self.outputs()?;
        numbers(count, |jacobian| unsafe { c::bp_network_input_jacobian(self.handle, inputs.as_ptr(), rows, jacobian) })
    }

    /// Compares the gradient with central differences of the loss. Returns the largest relative error; below 1e-2 is good.
    pub fn check_gradient(&mut self, inputs: &[f32], targets: &[f32]) -> Result<f64> {
        let rows = self.rows_with(inputs, targets)?;
        let (x, y) = (inputs.as_ptr(), targets.as_ptr());
        number(|worst| unsafe { c::bp_network_check_gradient(self.handle, x, y, rows, worst) })
    }

    /// The number of rows, which is that of both slices.
    pub(crate) fn rows_with(&self, inputs: &[f32], targets: &[f32]) -> Result<usize> {
        let rows = rows(inputs, self.inputs()?)?;
        check_rows(targets, rows, self.target_columns()?)?;
        Ok(rows)
    }
}
