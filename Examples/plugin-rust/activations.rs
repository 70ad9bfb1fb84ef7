//! A plug-in in Rust: a shared library that registers two activations in any program that uses libbackprop.
//!
//!     rustc -O --crate-type cdylib activations.rs -o activations.so
//!
//! A C program loads it with bp_plugin_load("./activations.so"), Python with bp.load_plugin("./activations.so"), and then
//! uses "snake" and "bent" like built-in activations.

use std::os::raw::{c_char, c_void};
use std::ptr::null;

type Scalar = extern "C" fn(z: f32, user_data: *mut c_void) -> f32;
type ScalarDerivative = extern "C" fn(z: f32, a: f32, user_data: *mut c_void) -> f32;
type Foreign = extern "C" fn();
type Destroy = extern "C" fn(user_data: *mut c_void);

/// bp_plugin_host of backprop.h, up to the last member that is used here.
#[repr(C)]
pub struct Host {
    struct_size: u32,
    abi_version: u32,
    register_scalar: extern "C" fn(*const c_char, Scalar, Option<ScalarDerivative>, *mut c_void, Option<Destroy>) -> i32,
    register_vector: *const c_void,
    register_foreign:
        extern "C" fn(*const c_char, Foreign, Option<Foreign>, *const c_char, *const f64, usize) -> i32,
    register_library: *const c_void,
    set_thread_safe: extern "C" fn(*const c_char, i32) -> i32,
}

/// z + sin²(f z) / f with a frequency f: Ziyin et al. 2020. `user_data` points to this struct.
struct Snake {
    frequency: f32,
}

extern "C" fn snake(z: f32, user_data: *mut c_void) -> f32 {
    let snake = unsafe { &*(user_data as *const Snake) };
    let sine = (snake.frequency * z).sin();
    z + sine * sine / snake.frequency
}

extern "C" fn snake_derivative(z: f32, _a: f32, user_data: *mut c_void) -> f32 {
    let snake = unsafe { &*(user_data as *const Snake) };
    1.0 + (2.0 * snake.frequency * z).sin()
}

extern "C" fn free_snake(user_data: *mut c_void) {
    drop(unsafe { Box::from_raw(user_data as *mut Snake) });
}

/// (√(z² + 1) − 1) / 2 + z: a function of one double, without user_data.
extern "C" fn bent(z: f64) -> f64 {
    ((z * z + 1.0).sqrt() - 1.0) / 2.0 + z
}

extern "C" fn bent_derivative(z: f64) -> f64 {
    z / (2.0 * (z * z + 1.0).sqrt()) + 1.0
}

fn as_foreign(function: extern "C" fn(f64) -> f64) -> Foreign {
    unsafe { std::mem::transmute(function) }
}

fn text(with_nul: &'static [u8]) -> *const c_char {
    with_nul.as_ptr() as *const c_char
}

#[no_mangle]
pub extern "C" fn bp_plugin_register(host: &Host) -> i32 {
    let state = Box::into_raw(Box::new(Snake { frequency: 1.5 })) as *mut c_void;
    let mut status = (host.register_scalar)(text(b"snake\0"), snake, Some(snake_derivative), state, Some(free_snake));
    if status != 0 {
        free_snake(state); // after a failed registration the caller still owns user_data
        return status;
    }
    let (function, derivative) = (as_foreign(bent), Some(as_foreign(bent_derivative)));
    status = (host.register_foreign)(text(b"bent\0"), function, derivative, text(b"d(d)\0"), null(), 0);
    for name in [text(b"snake\0"), text(b"bent\0")] {
        if status == 0 {
            status = (host.set_thread_safe)(name, 1);
        }
    }
    status
}
