use crate::call::{call, error, guarded, latest_message, number, text, Result};
use crate::matrix::Matrix;
use crate::network::Network;
use crate::settings::address;
use crate::{c, status};
use std::ffi::c_void;
use std::mem::{size_of, zeroed, ManuallyDrop};
use std::ptr::{null, null_mut};
use std::slice::from_raw_parts_mut;

type ProgressFn<'p> = dyn FnMut(&Progress) -> Flow + Send + 'p;

/// Runs whole trainings. It borrows what its progress function borrows.
pub struct Trainer<'p> {
    handle: *mut c::bp_trainer,
    progress: Option<Box<ProgressFn<'p>>>,
}

// Each call takes the trainer's lock: see Threads in backprop.h. The progress function runs in fits only, which take `&mut self`:
// so it need not be Sync.
unsafe impl Send for Trainer<'_> {}
unsafe impl Sync for Trainer<'_> {}

impl Drop for Trainer<'_> {
    fn drop(&mut self) {
        unsafe { c::bp_trainer_free(self.handle) }
    }
}

impl std::fmt::Debug for Trainer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Trainer").field(&self.handle).finish()
    }
}

/// What a callback of a fit decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Continue,
    /// Ends the fit. The network keeps the weights that option "keep" says.
    Stop,
    /// Makes the fit fail. The network is then as before.
    Abort,
}

impl Flow {
    fn number(self) -> i32 {
        match self {
            Flow::Continue => 0,
            Flow::Stop => 1,
            Flow::Abort => -1,
        }
    }
}

/// A report to a progress function.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The restart, or the network of an ensemble.
    pub restart: u32,
    /// Epochs finished.
    pub epoch: u64,
    /// Epochs in all; 0 if a stream determines it.
    pub epochs: u64,
    /// Steps made.
    pub step: u64,
    /// Steps in all; 0 if a stream determines it.
    pub steps: u64,
    /// Mean loss of a training row.
    pub loss: f64,
    /// NaN within an epoch, and without validation rows.
    pub validation_loss: f64,
    pub learning_rate: f64,
    /// Whether an epoch was just finished.
    pub epoch_ended: bool,
    /// The network that is trained, for example to save it. With restarts or an ensemble, as it was before the fit.
    pub network: &'a Network,
}

/// A minibatch to fill with the next rows of a stream.
#[derive(Debug)]
pub struct Minibatch<'a> {
    /// Its epoch.
    pub epoch: u64,
    /// Its number in the epoch.
    pub batch: u64,
    /// The number of rows of the epoch before it.
    pub first_row: u64,
    /// To fill, row by row.
    pub inputs: &'a mut [f32],
    /// To fill, row by row.
    pub targets: &'a mut [f32],
    /// Each 1, to change.
    pub row_weights: &'a mut [f32],
    /// The number of rows filled. Fewer than `capacity` end the epoch.
    pub rows: usize,
}

impl Minibatch<'_> {
    /// The number of rows that it can have: option "batch_size".
    pub fn capacity(&self) -> usize {
        self.row_weights.len()
    }

    pub fn is_full(&self) -> bool {
        self.rows == self.capacity()
    }

    /// Adds a row. Panics if the minibatch is full, or if a slice has another size than a row.
    pub fn push(&mut self, inputs: &[f32], targets: &[f32]) {
        let row = |numbers: &[f32], columns: usize| {
            assert_eq!(numbers.len(), columns, "a row of another size");
            self.rows * columns..(self.rows + 1) * columns
        };
        assert!(!self.is_full(), "the minibatch is full");
        let (x, y) = (row(inputs, self.inputs.len() / self.capacity()), row(targets, self.targets.len() / self.capacity()));
        self.inputs[x].copy_from_slice(inputs);
        self.targets[y].copy_from_slice(targets);
        self.rows += 1;
    }
}

/// Why a fit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// All epochs or steps were made.
    Complete,
    Patience,
    TargetLoss,
    TimeLimit,
    /// A callback returned [`Flow::Stop`].
    Stopped,
    Cancelled,
    /// A network of an ensemble had a loss or a step that was not finite. It is as before the fit.
    Diverged,
    /// A reason of a newer library.
    Other,
}

/// The result of a fit.
#[derive(Clone, Debug, PartialEq)]
pub struct FitResult {
    pub end: End,
    /// Epochs finished.
    pub epochs: u64,
    /// Steps made.
    pub steps: u64,
    /// The finished epoch with the best loss, counted from 1; 0 if no epoch was finished.
    pub best_epoch: u64,
    /// The loss of the weights that the network keeps.
    pub loss: f64,
    /// The restart that gave the weights.
    pub restart: u32,
    /// A class that is not in both parts of a split: see option "stratify".
    pub warning: Option<String>,
}

/// Inputs and targets, row by row.
pub type Rows<'a> = (&'a [f32], &'a [f32]);

/// Inputs and targets of any type and layout.
pub type Matrices<'a> = (&'a Matrix<'a>, &'a Matrix<'a>);

/// Cancels fits of a trainer from any thread. It may outlive the trainer.
#[derive(Clone, Copy, Debug)]
pub struct Canceller(*mut c::bp_trainer);

// Any thread may cancel. A handle that was freed is an error, not an address.
unsafe impl Send for Canceller {}
unsafe impl Sync for Canceller {}

impl Canceller {
    /// Ends the fit in progress before its next step.
    pub fn cancel(&self) -> Result<()> {
        call(|| unsafe { c::bp_trainer_cancel(self.0) }).map(drop)
    }
}

impl<'p> Trainer<'p> {
    pub fn new() -> Result<Self> {
        let mut handle = null_mut();
        call(|| unsafe { c::bp_trainer_create(&mut handle) })?;
        Ok(Trainer { handle, progress: None })
    }

    /// Sets an option. [`choice`](crate::choice) has the values of options that are choices.
    pub fn set_option(&mut self, name: &str, value: f64) -> Result<()> {
        let name = text(name)?;
        call(|| unsafe { c::bp_trainer_set_option(self.handle, name.as_ptr(), value) }).map(drop)
    }

    pub fn option(&self, name: &str) -> Result<f64> {
        let name = text(name)?;
        number(|value| unsafe { c::bp_trainer_get_option(self.handle, name.as_ptr(), value) })
    }

    /// Sets a weight for each row of the fits that follow. Without weights, each is 1.
    pub fn set_row_weights(&mut self, row_weights: &[f32]) -> Result<()> {
        let (address, rows) = (row_weights.as_ptr(), row_weights.len());
        call(|| unsafe { c::bp_trainer_set_row_weights(self.handle, address, rows) }).map(drop)
    }

    /// Sets the function that is called after each epoch, and as options "progress_interval" and "progress_seconds" say.
    pub fn set_progress(&mut self, progress: impl FnMut(&Progress) -> Flow + Send + 'p) {
        self.progress = Some(Box::new(progress));
    }

    pub fn canceller(&self) -> Canceller {
        Canceller(self.handle)
    }

    /// Trains the network.
    pub fn fit(&mut self, network: &mut Network, rows: Rows, validation: Option<Rows>) -> Result<FitResult> {
        let ((x, y, count), (vx, vy, held_out)) = (parts(network, Some(rows))?, parts(network, validation)?);
        let handle = network.handle;
        self.run(&[handle], |trainer, loss| unsafe { c::bp_trainer_fit(trainer, handle, x, y, count, vx, vy, held_out, loss) })
    }

    /// As [`fit`](Self::fit), for rows of any type and layout.
    pub fn fit_rows(&mut self, network: &mut Network, rows: Matrices, validation: Option<Matrices>) -> Result<FitResult> {
        let (x, y, handle) = (&rows.0.rows, &rows.1.rows, network.handle);
        let (vx, vy) = (address(validation.map(|rows| rows.0)), address(validation.map(|rows| rows.1)));
        self.run(&[handle], |trainer, loss| unsafe { c::bp_trainer_fit_rows(trainer, handle, x, y, vx, vy, loss) })
    }

    /// Trains the network on a stream: `next` fills one minibatch after the other.
    pub fn fit_stream<N>(&mut self, network: &mut Network, next: N, validation: Option<Rows>) -> Result<FitResult>
    where
        N: FnMut(&mut Minibatch) -> Flow,
    {
        let (vx, vy, held_out) = parts(network, validation)?;
        let mut stream = Stream { next, inputs: network.inputs()?, targets: network.target_columns()? };
        let (data, handle) = (&mut stream as *mut Stream<N> as *mut c_void, network.handle);
        self.run(&[handle], |trainer, loss| unsafe {
            c::bp_trainer_fit_stream(trainer, handle, Some(fill::<N>), data, vx, vy, held_out, loss)
        })
    }

    /// Trains several networks on the same rows, many times faster than one after the other if they are small. `learning_rates`:
    /// one for each network, or `None` for that of the trainer. Returns a result for each network.
    pub fn fit_ensemble(
        &mut self,
        networks: &mut [Network],
        learning_rates: Option<&[f64]>,
        rows: Rows,
        validation: Option<Rows>,
    ) -> Result<Vec<FitResult>> {
        let ((mut x, mut y, mut count), (mut vx, mut vy, mut held_out)) = ((null(), null(), 0), (null(), null(), 0));
        for network in networks.iter() {
            (x, y, count) = parts(network, Some(rows))?;
            (vx, vy, held_out) = parts(network, validation)?;
        }
        self.run_ensemble(networks, learning_rates, |trainer, all, of, rates, results| unsafe {
            c::bp_trainer_fit_ensemble(trainer, all, of, rates, x, y, count, vx, vy, held_out, results)
        })
    }

    /// As [`fit_ensemble`](Self::fit_ensemble), for rows of any type and layout.
    pub fn fit_ensemble_rows(
        &mut self,
        networks: &mut [Network],
        learning_rates: Option<&[f64]>,
        rows: Matrices,
        validation: Option<Matrices>,
    ) -> Result<Vec<FitResult>> {
        let (x, y) = (&rows.0.rows, &rows.1.rows);
        let (vx, vy) = (address(validation.map(|rows| rows.0)), address(validation.map(|rows| rows.1)));
        self.run_ensemble(networks, learning_rates, |trainer, all, of, rates, results| unsafe {
            c::bp_trainer_fit_ensemble_rows(trainer, all, of, rates, x, y, vx, vy, results)
        })
    }

    fn run_ensemble<F>(&mut self, networks: &mut [Network], learning_rates: Option<&[f64]>, fit: F) -> Result<Vec<FitResult>>
    where
        F: FnOnce(*mut c::bp_trainer, *const *mut c::bp_network, usize, *const f64, *mut c::bp_fit_result) -> i32,
    {
        let handles: Vec<_> = networks.iter().map(|network| network.handle).collect();
        if learning_rates.map_or(false, |rates| rates.len() != handles.len()) {
            return error(status::MISMATCH, "the number of learning rates is not that of the networks");
        }
        let rates = learning_rates.map_or(null(), |rates| rates.as_ptr());
        let mut results = vec![empty_result(); handles.len()];
        let (all, of, address) = (handles.as_ptr(), handles.len(), results.as_mut_ptr());
        let whole = self.run(&handles, |trainer, _| fit(trainer, all, of, rates, address))?;
        Ok(results.into_iter().map(|result| made(result, whole.warning.clone())).collect())
    }

    /// Makes a fit, with the progress function. A panic of it continues after the function is removed.
    fn run<F>(&mut self, networks: &[*mut c::bp_network], fit: F) -> Result<FitResult>
    where
        F: FnOnce(*mut c::bp_trainer, *mut f64) -> i32,
    {
        let trainer = self.handle;
        let mut reporter = self.progress.as_deref_mut().map(|function| Reporter { function, networks });
        let _removed_at_the_end = match &mut reporter {
            Some(reporter) => {
                let data = reporter as *mut Reporter as *mut c_void;
                call(|| unsafe { c::bp_trainer_set_progress(trainer, Some(report), data) })?;
                Some(RemoveProgress(trainer))
            }
            None => None,
        };
        let mut loss = 0.0;
        let warns = call(|| fit(trainer, &mut loss))? == status::WARNING_MISSING_CLASS;
        let warning = warns.then(latest_message);
        let mut result = empty_result();
        call(|| unsafe { c::bp_trainer_get_result(trainer, &mut result) })?;
        Ok(made(result, warning))
    }
}

/// The addresses and the number of rows.
fn parts(network: &Network, rows: Option<Rows>) -> Result<(*const f32, *const f32, usize)> {
    Ok(match rows {
        Some((inputs, targets)) => (inputs.as_ptr(), targets.as_ptr(), network.rows_with(inputs, targets)?),
        None => (null(), null(), 0),
    })
}

fn empty_result() -> c::bp_fit_result {
    c::bp_fit_result { struct_size: size_of::<c::bp_fit_result>() as u32, ..unsafe { zeroed() } }
}

fn made(result: c::bp_fit_result, warning: Option<String>) -> FitResult {
    FitResult {
        end: match result.end {
            c::BP_END_COMPLETE => End::Complete,
            c::BP_END_PATIENCE => End::Patience,
            c::BP_END_TARGET_LOSS => End::TargetLoss,
            c::BP_END_TIME_LIMIT => End::TimeLimit,
            c::BP_END_STOPPED => End::Stopped,
            c::BP_END_CANCELLED => End::Cancelled,
            c::BP_END_DIVERGED => End::Diverged,
            _ => End::Other, // of a newer library
        },
        epochs: result.epochs,
        steps: result.steps,
        best_epoch: result.best_epoch,
        loss: result.loss,
        restart: result.restart,
        warning,
    }
}

struct RemoveProgress(*mut c::bp_trainer);

impl Drop for RemoveProgress {
    fn drop(&mut self) {
        unsafe { c::bp_trainer_set_progress(self.0, None, null_mut()) };
    }
}

/// The progress function, and the networks of the fit.
struct Reporter<'a, 'p> {
    function: &'a mut ProgressFn<'p>,
    networks: &'a [*mut c::bp_network],
}

unsafe extern "C" fn report(progress: *const c::bp_progress, reporter: *mut c_void) -> i32 {
    let (progress, reporter) = (&*progress, &mut *(reporter as *mut Reporter));
    // Const calls work during a fit. The program owns the network.
    let handle = *reporter.networks.get(progress.restart as usize).unwrap_or(&reporter.networks[0]);
    let network = ManuallyDrop::new(Network { handle, all_reduce: None });
    guarded(|| {
        let progress = Progress {
            restart: progress.restart,
            epoch: progress.epoch,
            epochs: progress.epochs,
            step: progress.step,
            steps: progress.steps,
            loss: progress.loss,
            validation_loss: progress.validation_loss,
            learning_rate: progress.learning_rate,
            epoch_ended: progress.epoch_ended != 0,
            network: &network,
        };
        (reporter.function)(&progress).number()
    })
}

struct Stream<N> {
    next: N,
    inputs: usize,
    targets: usize,
}

unsafe extern "C" fn fill<N: FnMut(&mut Minibatch) -> Flow>(minibatch: *mut c::bp_minibatch, stream: *mut c_void) -> i32 {
    let (minibatch, stream) = (&mut *minibatch, &mut *(stream as *mut Stream<N>));
    let capacity = minibatch.capacity;
    guarded(|| {
        let mut filled = Minibatch {
            epoch: minibatch.epoch,
            batch: minibatch.batch,
            first_row: minibatch.first_row,
            inputs: from_raw_parts_mut(minibatch.inputs, capacity * stream.inputs),
            targets: from_raw_parts_mut(minibatch.targets, capacity * stream.targets),
            row_weights: from_raw_parts_mut(minibatch.row_weights, capacity),
            rows: 0,
        };
        let flow = (stream.next)(&mut filled);
        minibatch.rows = filled.rows;
        flow.number()
    })
}
