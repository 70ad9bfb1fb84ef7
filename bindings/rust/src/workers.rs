//! One training by several processes.
use crate::c;
use crate::call::{call, guarded, number_of, CallbackResult, Result};
use crate::network::Network;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::slice::from_raw_parts_mut;

/// Numbers of this worker, to be replaced by the sums or the maxima of all workers.
#[derive(Debug, PartialEq)]
pub enum Values<'a> {
    Float(&'a mut [f32]),
    Double(&'a mut [f64]),
}

/// How the numbers of all workers are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduce {
    Sum,
    Maximum,
}

type Function = Box<dyn FnMut(Values, Reduce) -> CallbackResult + Send>;

/// A network's function.
#[derive(Debug)]
pub(crate) struct AllReduce(*mut Function);

impl Drop for AllReduce {
    fn drop(&mut self) {
        drop(unsafe { Box::from_raw(self.0) });
    }
}

impl Network {
    /// Makes this network that of one of several workers. `function` combines numbers of all workers, as an all-reduce of MPI does.
    ///
    /// It runs on the thread that makes a call, and only in calls of `&mut self`: so it is `FnMut`, and `Send` as the network is.
    /// Copies of the network do not have it.
    pub fn set_all_reduce<F>(&mut self, worker: usize, workers: usize, function: F) -> Result<()>
    where
        F: FnMut(Values, Reduce) -> CallbackResult + Send + 'static,
    {
        let function = AllReduce(Box::into_raw(Box::new(Box::new(function) as Function)));
        let data = function.0 as *mut c_void;
        call(|| unsafe { c::bp_network_set_all_reduce(self.handle, Some(combine), worker, workers, data) })?;
        self.all_reduce = Some(function);
        Ok(())
    }

    /// Makes this network train alone again.
    pub fn remove_all_reduce(&mut self) -> Result<()> {
        call(|| unsafe { c::bp_network_set_all_reduce(self.handle, None, 0, 1, null_mut()) })?;
        self.all_reduce = None;
        Ok(())
    }
}

unsafe extern "C" fn combine(values: *mut c_void, count: usize, kind: i32, operation: i32, function: *mut c_void) -> i32 {
    let function = &mut *(function as *mut Function);
    let values = match kind {
        c::BP_FLOAT => Values::Float(from_raw_parts_mut(values.cast(), count)),
        _ => Values::Double(from_raw_parts_mut(values.cast(), count)),
    };
    let operation = if operation == c::BP_REDUCE_MAXIMUM { Reduce::Maximum } else { Reduce::Sum };
    guarded(|| number_of(function(values, operation)))
}
