//! Finds libbackprop.so: in the folder LIBBACKPROP_DIR, or by pkg-config, or where the linker searches.
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=LIBBACKPROP_DIR");
    let folder = std::env::var("LIBBACKPROP_DIR").ok().or_else(|| {
        let found = Command::new("pkg-config").args(["--variable=libdir", "backprop"]).output().ok()?;
        let folder = String::from_utf8(found.stdout).ok()?.trim().to_owned();
        (!folder.is_empty()).then_some(folder)
    });
    if let Some(folder) = folder {
        println!("cargo:rustc-link-search=native={folder}");
    }
}
