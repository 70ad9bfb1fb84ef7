//! A call of the library: its error, and a panic of a callback during it.
use crate::{c, status};
use std::any::Any;
use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::path::Path;
use std::ptr::null;

/// The status and the message of a call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// One of [`status`](crate::status).
    pub status: i32,
    pub message: String,
}

pub type Result<T> = std::result::Result<T, Error>;

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

pub(crate) fn error<T>(status: i32, message: impl Into<String>) -> Result<T> {
    Err(Error { status, message: message.into() })
}

type Payload = Box<dyn Any + Send>;

/// The panic of a call's callbacks.
type Slot = Cell<Option<Payload>>;

thread_local! {
    /// The slot of the call that this thread is in. A thread of the library is in no call: its panics are dropped.
    static CURRENT: Cell<*const Slot> = const { Cell::new(null()) };
}

/// Calls the library. A panic of a callback continues here.
pub(crate) fn call(function: impl FnOnce() -> i32) -> Result<i32> {
    let slot = Slot::new(None);
    let outer = CURRENT.with(|current| current.replace(&slot)); // a callback may call the library, too
    let status = function();
    CURRENT.with(|current| current.set(outer));
    if let Some(panic) = slot.into_inner() {
        resume_unwind(panic);
    }
    if status >= 0 {
        return Ok(status);
    }
    // Of this thread's latest failure: no other call was made since.
    let message = unsafe { CStr::from_ptr(c::bp_last_error_message()) };
    error(status, message.to_string_lossy())
}

/// Runs a function of the program in a callback. A panic is stored for the call, and returns -1.
pub(crate) fn guarded(function: impl FnOnce() -> i32) -> i32 {
    catch_unwind(AssertUnwindSafe(function)).unwrap_or_else(|panic| {
        if let Some(slot) = CURRENT.with(|current| unsafe { current.get().as_ref() }) {
            slot.set(Some(panic));
        }
        -1
    })
}

pub(crate) fn text(text: &str) -> Result<CString> {
    bytes(text.as_bytes())
}

pub(crate) fn path(path: impl AsRef<Path>) -> Result<CString> {
    bytes(path.as_ref().as_os_str().as_bytes())
}

fn bytes(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes).or_else(|_| error(status::INVALID_VALUE, "a text with a NUL character"))
}
