use crate::activation::{destroy, registered};
use crate::c;
use crate::call::{call, check_rows, guarded, number, rows, text, Result};
use crate::network::Network;
use std::ffi::c_void;
use std::slice::{from_raw_parts, from_raw_parts_mut};
use std::sync::{PoisonError, RwLock};

/// Held while a loss is checked: a name that another thread frees and registers again could have rows of targets of another size.
static CHECKS: RwLock<()> = RwLock::new(());

/// Registers a loss of one row: `function(outputs, targets, gradient)` returns the loss. It writes the derivatives with respect
/// to the outputs to `gradient`, which is empty if they are not needed. `target_columns`: 0 for the number of outputs.
///
/// The closure lives until the loss is unregistered and no network uses it.
pub fn register_loss<F>(name: &str, target_columns: usize, function: F) -> Result<()>
where
    F: Fn(&[f32], &[f32], &mut [f32]) -> f64 + Send + Sync + 'static,
{
    let name = text(name)?;
    registered(function, |function| unsafe {
        c::bp_loss_register(name.as_ptr(), target_columns, Some(losses::<F>), function, Some(destroy::<F>))
    })
}

/// Removes the name. Networks that use the loss keep it. It waits for checks of losses, so a loss must not call it.
pub fn unregister_loss(name: &str) -> Result<()> {
    let name = text(name)?;
    let _no_check = CHECKS.write().unwrap_or_else(PoisonError::into_inner);
    call(|| unsafe { c::bp_loss_unregister(name.as_ptr()) }).map(drop)
}

/// Compares the gradient of a registered loss with differences of its values, at rows of `columns` outputs and their targets.
/// Returns the largest relative error. A correct gradient gives less than 1e-2.
pub fn check_loss(name: &str, outputs: &[f32], targets: &[f32], columns: usize) -> Result<f64> {
    let rows = rows(outputs, columns)?;
    let _kept = CHECKS.read().unwrap_or_else(PoisonError::into_inner);
    let mut network = Network::new(&[1, columns], 1)?; // has the size of a row of targets
    network.set_loss(name)?;
    check_rows(targets, rows, network.target_columns()?)?;
    let (name, y, t) = (text(name)?, outputs.as_ptr(), targets.as_ptr());
    number(|worst| unsafe { c::bp_loss_check(name.as_ptr(), y, t, rows, columns, worst) })
}

unsafe extern "C" fn losses<F: Fn(&[f32], &[f32], &mut [f32]) -> f64>(
    outputs: *const f32,
    targets: *const f32,
    losses: *mut f64,
    gradients: *mut f32,
    rows: usize,
    columns: usize,
    target_columns: usize,
    of: *mut c_void,
) -> i32 {
    let (function, losses) = (&*(of as *const F), from_raw_parts_mut(losses, rows));
    guarded(|| {
        for (row, loss) in losses.iter_mut().enumerate() {
            let y = from_raw_parts(outputs.add(row * columns), columns);
            let t = from_raw_parts(targets.add(row * target_columns), target_columns);
            let gradient =
                if gradients.is_null() { &mut [] } else { from_raw_parts_mut(gradients.add(row * columns), columns) };
            *loss = function(y, t, gradient);
        }
        0
    })
}
