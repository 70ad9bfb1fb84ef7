//! What a network has learned: one vector, or tensors by their names.
use crate::c;
use crate::call::{call, number, numbers, text, texts_of, Result};
use crate::network::Network;

impl Network {
    pub fn parameter_count(&self) -> Result<usize> {
        number(|count| unsafe { c::bp_network_parameter_count(self.handle, count) })
    }

    pub fn parameters(&self) -> Result<Vec<f32>> {
        let count = self.parameter_count()?;
        numbers(count, |parameters| unsafe { c::bp_network_get_parameters(self.handle, parameters, count) })
    }

    pub fn set_parameters(&mut self, parameters: &[f32]) -> Result<()> {
        call(|| unsafe { c::bp_network_set_parameters(self.handle, parameters.as_ptr(), parameters.len()) }).map(drop)
    }

    /// The names of all tensors, such as "layers.1.weight".
    pub fn tensor_names(&self) -> Result<Vec<String>> {
        texts_of(|index, buffer, capacity, needed| unsafe {
            c::bp_network_tensor_name(self.handle, index, buffer, capacity, needed)
        })
    }

    /// The rows and columns of a tensor. A vector has one row.
    pub fn tensor_shape(&self, name: &str) -> Result<(usize, usize)> {
        let (name, mut rows) = (text(name)?, 0);
        let columns = number(|columns| unsafe { c::bp_network_tensor_shape(self.handle, name.as_ptr(), &mut rows, columns) })?;
        Ok((rows, columns))
    }

    /// The numbers of a tensor, row by row.
    pub fn tensor(&self, name: &str) -> Result<Vec<f32>> {
        let ((rows, columns), name) = (self.tensor_shape(name)?, text(name)?);
        let count = rows * columns;
        numbers(count, |values| unsafe { c::bp_network_get_tensor(self.handle, name.as_ptr(), values, count) })
    }

    pub fn set_tensor(&mut self, name: &str, values: &[f32]) -> Result<()> {
        let name = text(name)?;
        call(|| unsafe { c::bp_network_set_tensor(self.handle, name.as_ptr(), values.as_ptr(), values.len()) }).map(drop)
    }
}
