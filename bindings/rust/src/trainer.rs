use crate::call::{call, guarded, text, Result};
use crate::network::Network;
use crate::{c, status};
use std::ffi::c_void;
use std::ptr::{null, null_mut};

/// Runs whole trainings.
#[derive(Debug)]
pub struct Trainer {
    handle: *mut c::bp_trainer,
}

// Each call takes the trainer's lock: see Threads in backprop.h.
unsafe impl Send for Trainer {}
unsafe impl Sync for Trainer {}

impl Drop for Trainer {
    fn drop(&mut self) {
        unsafe { c::bp_trainer_free(self.handle) }
    }
}

/// A report to a progress function.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Epochs finished.
    pub epoch: u64,
    /// Steps made.
    pub step: u64,
    /// Mean loss of a training row.
    pub loss: f64,
    /// NaN within an epoch, and without validation rows.
    pub validation_loss: f64,
}

/// Inputs and targets, row by row.
pub type Rows<'a> = (&'a [f32], &'a [f32]);

impl Trainer {
    pub fn new() -> Result<Self> {
        let mut handle = null_mut();
        call(|| unsafe { c::bp_trainer_create(&mut handle) })?;
        Ok(Trainer { handle })
    }

    pub fn set_option(&mut self, name: &str, value: f64) -> Result<()> {
        let name = text(name)?;
        call(|| unsafe { c::bp_trainer_set_option(self.handle, name.as_ptr(), value) }).map(drop)
    }

    /// Trains the network. Returns the loss of the weights that it keeps.
    pub fn fit(&mut self, network: &mut Network, rows: Rows, validation: Option<Rows>) -> Result<f64> {
        self.run(network, rows, validation).map(|(loss, _)| loss)
    }

    /// Trains the network until `progress` returns false. Returns the loss, and whether `progress` ended the fit.
    pub fn fit_with<P>(
        &mut self,
        network: &mut Network,
        rows: Rows,
        validation: Option<Rows>,
        mut progress: P,
    ) -> Result<(f64, bool)>
    where
        P: FnMut(Progress) -> bool,
    {
        let function = &mut progress as *mut P as *mut c_void;
        call(|| unsafe { c::bp_trainer_set_progress(self.handle, Some(report::<P>), function) })?;
        let _removed_at_the_end = RemoveProgress(self.handle); // also when a panic continues
        self.run(network, rows, validation)
    }

    fn run(&self, network: &mut Network, rows: Rows, validation: Option<Rows>) -> Result<(f64, bool)> {
        let count = network.rows_with(rows.0, rows.1)?;
        let (x, y, mut loss) = (rows.0.as_ptr(), rows.1.as_ptr(), 0.0);
        let (vx, vy, held_out) = match validation {
            Some((inputs, targets)) => (inputs.as_ptr(), targets.as_ptr(), network.rows_with(inputs, targets)?),
            None => (null(), null(), 0),
        };
        let ended =
            call(|| unsafe { c::bp_trainer_fit(self.handle, network.handle, x, y, count, vx, vy, held_out, &mut loss) })?;
        Ok((loss, ended == status::STOPPED))
    }
}

struct RemoveProgress(*mut c::bp_trainer);

impl Drop for RemoveProgress {
    fn drop(&mut self) {
        unsafe { c::bp_trainer_set_progress(self.0, None, null_mut()) };
    }
}

extern "C" fn report<P: FnMut(Progress) -> bool>(report: *const c::bp_progress, function: *mut c_void) -> i32 {
    let (report, function) = unsafe { (&*report, &mut *(function as *mut P)) };
    guarded(|| {
        let goes_on = function(Progress {
            epoch: report.epoch,
            step: report.step,
            loss: report.loss,
            validation_loss: report.validation_loss,
        });
        (!goes_on).into()
    })
}
