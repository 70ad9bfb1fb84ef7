use crate::c;
use crate::call::{call, path, Result};
use std::path::Path;

/// Registers the activations and losses of a shared library.
pub fn load_plugin(file: impl AsRef<Path>) -> Result<()> {
    let file = path(file)?;
    call(|| unsafe { c::bp_plugin_load(file.as_ptr()) }).map(drop)
}
