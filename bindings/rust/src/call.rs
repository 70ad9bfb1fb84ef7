//! A call of the library: its error, and a panic of a callback during it.
use crate::{c, status};
use std::any::Any;
use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::os::raw::c_char;
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

/// The result of a callback that can fail. `Err` makes the call fail with [`status::CALLBACK`]; the message contains the number.
pub type CallbackResult = std::result::Result<(), i32>;

impl Error {
    /// The name of the status, such as `"BP_ERROR_IO"`.
    pub fn status_name(&self) -> &'static str {
        static_text(unsafe { c::bp_status_name(self.status) })
    }
}

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
    error(status, latest_message()) // of this thread's latest failure: no other call was made since
}

pub(crate) fn latest_message() -> String {
    unsafe { CStr::from_ptr(c::bp_last_error_message()) }.to_string_lossy().into_owned()
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

/// The number that a callback returns to the library.
pub(crate) fn number_of(result: CallbackResult) -> i32 {
    match result {
        Ok(()) => 0,
        Err(0) => -1,
        Err(number) => number,
    }
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

/// A text of the library that is never freed.
pub(crate) fn static_text(text: *const c_char) -> &'static str {
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or("")
}

/// The number that a function stores.
pub(crate) fn number<N: Default>(getter: impl FnOnce(*mut N) -> i32) -> Result<N> {
    let mut number = N::default();
    call(|| getter(&mut number))?;
    Ok(number)
}

/// The numbers that a function stores in an array.
pub(crate) fn numbers<N: Default + Clone>(count: usize, getter: impl FnOnce(*mut N) -> i32) -> Result<Vec<N>> {
    let mut numbers = vec![N::default(); count];
    call(|| getter(numbers.as_mut_ptr()))?;
    Ok(numbers)
}

/// The bytes that a function writes to a buffer of the size that it needs.
pub(crate) fn buffered(function: impl Fn(*mut u8, usize, *mut usize) -> i32) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut needed = 0;
        let (address, capacity) = (bytes.as_mut_ptr(), bytes.len());
        let written = call(|| function(address, capacity, &mut needed));
        match written {
            Err(error) if error.status == status::BUFFER_TOO_SMALL => bytes.resize(needed, 0),
            _ => {
                bytes.truncate(needed);
                return written.map(|_| bytes);
            }
        }
    }
}

/// The text that a function writes to a buffer.
pub(crate) fn text_of(function: impl Fn(*mut c_char, usize, *mut usize) -> i32) -> Result<String> {
    let mut bytes = buffered(|buffer, capacity, needed| function(buffer.cast(), capacity, needed))?;
    bytes.pop(); // the NUL
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The texts of all indices.
pub(crate) fn texts_of(function: impl Fn(usize, *mut c_char, usize, *mut usize) -> i32) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    loop {
        match text_of(|buffer, capacity, needed| function(texts.len(), buffer, capacity, needed)) {
            Ok(text) => texts.push(text),
            Err(error) if error.status == status::UNKNOWN_NAME => return Ok(texts),
            Err(error) => return Err(error),
        }
    }
}

/// The number of rows that the numbers are.
pub(crate) fn rows(numbers: &[f32], columns: usize) -> Result<usize> {
    if columns == 0 || numbers.len() % columns != 0 {
        return error(status::MISMATCH, format!("{} numbers are not rows of {}", numbers.len(), columns));
    }
    Ok(numbers.len() / columns)
}

/// Checks that the numbers are `rows` rows of `columns`.
pub(crate) fn check_rows(numbers: &[f32], rows: usize, columns: usize) -> Result<()> {
    if numbers.len() != rows * columns {
        return error(status::MISMATCH, format!("{} numbers are not {} rows of {}", numbers.len(), rows, columns));
    }
    Ok(())
}
