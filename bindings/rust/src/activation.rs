use crate::c;
use crate::call::{call, guarded, number, number_of, path, text, CallbackResult, Result};
use std::ffi::c_void;
use std::mem::{size_of, zeroed};
use std::path::Path;
use std::ptr::null;
use std::slice::{from_raw_parts, from_raw_parts_mut};

/// Registers an activation `a = function(z)` with the derivative `da/dz = derivative(z, a)`. Networks use it by its name.
///
/// The closures live until the activation is unregistered and nothing uses it.
pub fn register_activation<F, D>(name: &str, function: F, derivative: D) -> Result<()>
where
    F: Fn(f32) -> f32 + Send + Sync + 'static,
    D: Fn(f32, f32) -> f32 + Send + Sync + 'static,
{
    let forward = move |z: &[f32], a: &mut [f32], _columns: usize| {
        for (a, &z) in a.iter_mut().zip(z) {
            *a = function(z);
        }
        Ok(())
    };
    let backward = move |z: &[f32], a: &[f32], da: &[f32], dz: &mut [f32], _columns: usize| {
        for i in 0..dz.len() {
            dz[i] = da[i] * derivative(z[i], a[i]);
        }
        Ok(())
    };
    register_vector_activation(name, forward, backward)
}

/// Registers an activation whose derivative is approximated by central differences.
pub fn register_activation_without_derivative<F>(name: &str, function: F) -> Result<()>
where
    F: Fn(f32) -> f32 + Send + Sync + 'static,
{
    let name = text(name)?;
    registered(function, |function| unsafe {
        c::bp_activation_register_scalar(name.as_ptr(), Some(scalar::<F>), None, function, Some(destroy::<F>))
    })
}

/// Registers an activation of whole matrices: `forward(z, a, columns)`, and `backward(z, a, da, dz, columns)`, which computes `dz`.
/// All slices are row by row.
pub fn register_vector_activation<F, B>(name: &str, forward: F, backward: B) -> Result<()>
where
    F: Fn(&[f32], &mut [f32], usize) -> CallbackResult + Send + Sync + 'static,
    B: Fn(&[f32], &[f32], &[f32], &mut [f32], usize) -> CallbackResult + Send + Sync + 'static,
{
    let name = text(name)?;
    registered((forward, backward), |both| unsafe {
        let (run, run_back) = (run_forward::<F, B>, run_backward::<F, B>);
        c::bp_activation_register_vector(name.as_ptr(), Some(run), Some(run_back), both, Some(destroy::<(F, B)>))
    })
}

/// Registers a C function of numbers, by its name in a shared library; without a library, in the process. `derivative`: `None` for
/// central differences.
///
/// # Safety
/// The functions must have the type that `signature` describes, as in `bp_activation_register_foreign`.
pub unsafe fn register_library_activation(
    name: &str,
    library: Option<&Path>,
    function: &str,
    derivative: Option<&str>,
    signature: &str,
    constants: &[f64],
) -> Result<()> {
    let (name, function, signature) = (text(name)?, text(function)?, text(signature)?);
    let (library, derivative) = (library.map(path).transpose()?, derivative.map(text).transpose()?);
    let library = library.as_ref().map_or(null(), |library| library.as_ptr());
    let derivative = derivative.as_ref().map_or(null(), |derivative| derivative.as_ptr());
    let (name, function, signature, count) = (name.as_ptr(), function.as_ptr(), signature.as_ptr(), constants.len());
    call(|| c::bp_activation_register_library(name, library, function, derivative, signature, constants.as_ptr(), count))
        .map(drop)
}

/// Allows the library's threads to call an activation, in layers that are given it from now on. A panic on such a thread is lost,
/// and the call fails.
pub fn set_thread_safe(name: &str, thread_safe: bool) -> Result<()> {
    let name = text(name)?;
    call(|| unsafe { c::bp_activation_set_thread_safe(name.as_ptr(), thread_safe.into()) }).map(drop)
}

/// Removes the name. Networks that use the activation keep it.
pub fn unregister_activation(name: &str) -> Result<()> {
    let name = text(name)?;
    call(|| unsafe { c::bp_activation_unregister(name.as_ptr()) }).map(drop)
}

/// How an activation was registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActivationKind {
    BuiltIn,
    Scalar,
    Vector,
    Foreign,
    Library,
    /// A kind of a newer library.
    Other,
}

pub fn activation_kind(name: &str) -> Result<ActivationKind> {
    let name = text(name)?;
    Ok(match number(|kind| unsafe { c::bp_activation_kind(name.as_ptr(), kind) })? {
        c::BP_ACTIVATION_SCALAR => ActivationKind::Scalar,
        c::BP_ACTIVATION_VECTOR => ActivationKind::Vector,
        c::BP_ACTIVATION_FOREIGN => ActivationKind::Foreign,
        c::BP_ACTIVATION_LIBRARY => ActivationKind::Library,
        c::BP_ACTIVATION_BUILT_IN => ActivationKind::BuiltIn,
        _ => ActivationKind::Other,
    })
}

/// The result of comparing a derivative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActivationReport {
    /// The largest relative error. A correct derivative gives less than 1e-2.
    pub worst_error: f64,
    /// The number z of the worst error.
    pub worst_z: f64,
    /// The number of z where the derivative was compared.
    pub points: u32,
    /// How many of them are at a kink or a jump.
    pub kinks: u32,
    /// The number of z that were skipped, because the function is not finite near them.
    pub skipped: u32,
    /// The number z of a kink or a jump.
    pub first_kink: Option<f64>,
}

/// Compares an activation's derivative with differences of its values.
pub fn check_activation(name: &str) -> Result<ActivationReport> {
    let name = text(name)?;
    let mut report: c::bp_activation_report = unsafe { zeroed() };
    report.struct_size = size_of::<c::bp_activation_report>() as u32;
    let worst_error = number(|worst| unsafe { c::bp_activation_check(name.as_ptr(), worst, &mut report) })?;
    Ok(ActivationReport {
        worst_error,
        worst_z: report.worst_z,
        points: report.points,
        kinks: report.kinks,
        skipped: report.skipped,
        first_kink: Some(report.first_kink).filter(|z| !z.is_nan()),
    })
}

/// Moves the state of callbacks to the library, which frees it by [`destroy`].
pub(crate) fn registered<T>(state: T, register: impl FnOnce(*mut c_void) -> i32) -> Result<()> {
    let state = Box::into_raw(Box::new(state)) as *mut c_void;
    let registered = call(|| register(state));
    if registered.is_err() {
        unsafe { destroy::<T>(state) }; // the library did not take it
    }
    registered.map(drop)
}

pub(crate) unsafe extern "C" fn destroy<T>(state: *mut c_void) {
    guarded(|| {
        drop(Box::from_raw(state as *mut T));
        0
    });
}

unsafe extern "C" fn scalar<F: Fn(f32) -> f32>(z: f32, of: *mut c_void) -> f32 {
    let mut a = f32::NAN; // after a panic: training fails
    guarded(|| {
        a = (*(of as *const F))(z);
        0
    });
    a
}

unsafe extern "C" fn run_forward<F: Fn(&[f32], &mut [f32], usize) -> CallbackResult, B>(
    z: *const f32,
    a: *mut f32,
    rows: usize,
    columns: usize,
    of: *mut c_void,
) -> i32 {
    let count = rows * columns;
    let (functions, z, a) = (&*(of as *const (F, B)), from_raw_parts(z, count), from_raw_parts_mut(a, count));
    guarded(|| number_of((functions.0)(z, a, columns)))
}

unsafe extern "C" fn run_backward<F, B: Fn(&[f32], &[f32], &[f32], &mut [f32], usize) -> CallbackResult>(
    z: *const f32,
    a: *const f32,
    da: *const f32,
    dz: *mut f32,
    rows: usize,
    columns: usize,
    of: *mut c_void,
) -> i32 {
    let count = rows * columns;
    let (functions, dz) = (&*(of as *const (F, B)), from_raw_parts_mut(dz, count));
    let (z, a, da) = (from_raw_parts(z, count), from_raw_parts(a, count), from_raw_parts(da, count));
    guarded(|| number_of((functions.1)(z, a, da, dz, columns)))
}
