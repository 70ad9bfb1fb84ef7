use crate::c;
use crate::call::{call, guarded, text, Result};
use std::ffi::c_void;
use std::slice::{from_raw_parts, from_raw_parts_mut};

struct Activation<F, D> {
    function: F,
    derivative: D,
}

/// Registers an activation `a = function(z)` with the derivative `da/dz = derivative(z, a)`. Networks use it by its name.
///
/// The closures live until the activation is unregistered and no network uses it.
pub fn register_activation<F, D>(name: &str, function: F, derivative: D) -> Result<()>
where
    F: Fn(f32) -> f32 + Send + Sync + 'static,
    D: Fn(f32, f32) -> f32 + Send + Sync + 'static,
{
    let name = text(name)?;
    let activation = Box::into_raw(Box::new(Activation { function, derivative })) as *mut c_void;
    let registered = call(|| unsafe {
        let name = name.as_ptr();
        c::bp_activation_register_vector(name, forward::<F, D>, backward::<F, D>, activation, Some(destroy::<F, D>))
    });
    if registered.is_err() {
        destroy::<F, D>(activation); // the library did not take it
    }
    registered.map(drop)
}

/// Removes the name. Networks that use the activation keep it.
pub fn unregister_activation(name: &str) -> Result<()> {
    let name = text(name)?;
    call(|| unsafe { c::bp_activation_unregister(name.as_ptr()) }).map(drop)
}

extern "C" fn forward<F: Fn(f32) -> f32, D>(z: *const f32, a: *mut f32, rows: usize, columns: usize, of: *mut c_void) -> i32 {
    let count = rows * columns;
    let (activation, z, a) =
        unsafe { (&*(of as *const Activation<F, D>), from_raw_parts(z, count), from_raw_parts_mut(a, count)) };
    guarded(|| {
        for (a, &z) in a.iter_mut().zip(z) {
            *a = (activation.function)(z);
        }
        0
    })
}

extern "C" fn backward<F, D: Fn(f32, f32) -> f32>(
    z: *const f32,
    a: *const f32,
    da: *const f32,
    dz: *mut f32,
    rows: usize,
    columns: usize,
    of: *mut c_void,
) -> i32 {
    let count = rows * columns;
    let (activation, dz) = unsafe { (&*(of as *const Activation<F, D>), from_raw_parts_mut(dz, count)) };
    let (z, a, da) = unsafe { (from_raw_parts(z, count), from_raw_parts(a, count), from_raw_parts(da, count)) };
    guarded(|| {
        for i in 0..count {
            dz[i] = da[i] * (activation.derivative)(z[i], a[i]);
        }
        0
    })
}

extern "C" fn destroy<F, D>(of: *mut c_void) {
    guarded(|| {
        drop(unsafe { Box::from_raw(of as *mut Activation<F, D>) });
        0
    });
}
