use crate::c;
use crate::call::{call, guarded, text, Result};
use std::ffi::c_void;
use std::slice::{from_raw_parts, from_raw_parts_mut};

/// Registers a loss of one row: `function(outputs, targets, gradient)` returns the loss. It writes the derivatives with respect
/// to the outputs to `gradient`, which is empty if they are not needed. `target_columns`: 0 for the number of outputs.
///
/// The closure lives until the loss is unregistered and no network uses it.
pub fn register_loss<F>(name: &str, target_columns: usize, function: F) -> Result<()>
where
    F: Fn(&[f32], &[f32], &mut [f32]) -> f64 + Send + Sync + 'static,
{
    let name = text(name)?;
    let loss = Box::into_raw(Box::new(function)) as *mut c_void;
    let registered =
        call(|| unsafe { c::bp_loss_register(name.as_ptr(), target_columns, losses::<F>, loss, Some(destroy::<F>)) });
    if registered.is_err() {
        destroy::<F>(loss); // the library did not take it
    }
    registered.map(drop)
}

/// Removes the name. Networks that use the loss keep it.
pub fn unregister_loss(name: &str) -> Result<()> {
    let name = text(name)?;
    call(|| unsafe { c::bp_loss_unregister(name.as_ptr()) }).map(drop)
}

extern "C" fn losses<F: Fn(&[f32], &[f32], &mut [f32]) -> f64>(
    outputs: *const f32,
    targets: *const f32,
    losses: *mut f64,
    gradients: *mut f32,
    rows: usize,
    columns: usize,
    target_columns: usize,
    of: *mut c_void,
) -> i32 {
    let (function, losses) = unsafe { (&*(of as *const F), from_raw_parts_mut(losses, rows)) };
    guarded(|| {
        for (row, loss) in losses.iter_mut().enumerate() {
            let (y, t) = unsafe {
                (
                    from_raw_parts(outputs.add(row * columns), columns),
                    from_raw_parts(targets.add(row * target_columns), target_columns),
                )
            };
            let gradient = if gradients.is_null() {
                &mut []
            } else {
                unsafe { from_raw_parts_mut(gradients.add(row * columns), columns) }
            };
            *loss = function(y, t, gradient);
        }
        0
    })
}

extern "C" fn destroy<F>(of: *mut c_void) {
    guarded(|| {
        drop(unsafe { Box::from_raw(of as *mut F) });
        0
    });
}
