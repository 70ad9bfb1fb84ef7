//! Outputs, losses and scores.
use crate::c;
use crate::call::{number, numbers, rows, text, Result};
use crate::matrix::{Layout, Matrix, Output};
use crate::network::Network;
use std::mem::size_of;

impl Network {
    pub fn predict(&self, inputs: &[f32]) -> Result<Vec<f32>> {
        let rows = rows(inputs, self.inputs()?)?;
        let count = rows * self.outputs()?;
        numbers(count, |outputs| unsafe { c::bp_network_predict(self.handle, inputs.as_ptr(), rows, outputs) })
    }

    /// As [`predict`](Self::predict), for rows of any type and layout, with outputs of `f32` or `f64`.
    pub fn predict_rows<N: Output>(&self, inputs: &Matrix, layout: Layout) -> Result<Vec<N>> {
        let (rows, columns, size) = (inputs.rows(), self.outputs()?, size_of::<N>());
        let (down, across) = match layout {
            Layout::RowMajor => (columns * size, size),
            Layout::ColumnMajor => (size, rows * size),
        };
        numbers(rows * columns, |outputs: *mut N| unsafe {
            let (x, down, across) = (&inputs.rows, down as isize, across as isize);
            c::bp_network_predict_rows(self.handle, x, outputs.cast(), N::TYPE, down, across)
        })
    }

    /// The outputs of a layer.
    pub fn predict_layer(&self, layer: usize, inputs: &[f32]) -> Result<Vec<f32>> {
        let rows = rows(inputs, self.inputs()?)?;
        let count = rows * self.layer_size(layer)?;
        numbers(count, |outputs| unsafe { c::bp_network_predict_layer(self.handle, layer, inputs.as_ptr(), rows, outputs) })
    }

    /// The loss of the predictions.
    pub fn evaluate(&self, inputs: &[f32], targets: &[f32]) -> Result<f32> {
        let rows = self.rows_with(inputs, targets)?;
        number(|loss| unsafe { c::bp_network_evaluate(self.handle, inputs.as_ptr(), targets.as_ptr(), rows, loss) })
    }

    /// As [`evaluate`](Self::evaluate), for rows of any type and layout.
    pub fn evaluate_rows(&self, inputs: &Matrix, targets: &Matrix) -> Result<f32> {
        number(|loss| unsafe { c::bp_network_evaluate_rows(self.handle, &inputs.rows, &targets.rows, loss) })
    }

    /// The loss of each row's prediction.
    pub fn row_losses(&self, inputs: &[f32], targets: &[f32]) -> Result<Vec<f32>> {
        let rows = self.rows_with(inputs, targets)?;
        let (x, y) = (inputs.as_ptr(), targets.as_ptr());
        numbers(rows, |losses| unsafe { c::bp_network_row_losses(self.handle, x, y, rows, losses) })
    }

    /// `measure`: "accuracy", "r2" or "mean_absolute_error".
    pub fn score(&self, measure: &str, inputs: &[f32], targets: &[f32]) -> Result<f64> {
        let (rows, measure) = (self.rows_with(inputs, targets)?, text(measure)?);
        let (x, y) = (inputs.as_ptr(), targets.as_ptr());
        number(|score| unsafe { c::bp_network_score(self.handle, measure.as_ptr(), x, y, rows, score) })
    }

    /// As [`score`](Self::score), for rows of any type and layout.
    pub fn score_rows(&self, measure: &str, inputs: &Matrix, targets: &Matrix) -> Result<f64> {
        let measure = text(measure)?;
        number(|score| unsafe { c::bp_network_score_rows(self.handle, measure.as_ptr(), &inputs.rows, &targets.rows, score) })
    }
}
