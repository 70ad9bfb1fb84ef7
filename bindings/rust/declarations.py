#!/usr/bin/env python3
"""Writes src/c.rs, backprop.h for Rust: declarations.py HEADER > src/c.rs"""
import re
import sys

TEXT = open(sys.argv[1], encoding="utf-8").read()
CODE = re.sub(r"^#.*$", "", re.sub(r"/\*.*?\*/", "", TEXT, flags=re.S), flags=re.M)
OPTIONS = ("SAMPLING", "SCHEDULE", "KEEP", "DIVERGENCE", "REDUCTION", "INITIALIZATION", "BATCHNORM_UPDATE")
NAMES = {"void": "c_void", "char": "c_char", "float": "f32", "double": "f64", "size_t": "usize", "ptrdiff_t": "isize",
         "uint8_t": "u8", "int32_t": "i32", "uint32_t": "u32", "uint64_t": "u64"}


def rust_type(c_type):
    """A pointer's const is before its star in C, and after it in Rust. A pointer to a function may be NULL."""
    *pointed, last = re.split(r" ?\*", c_type.strip())
    if pointed:
        constant = re.search(r"\bconst\b", pointed[-1])
        return ("*const " if constant else "*mut ") + rust_type("*".join(pointed).replace("const", "").strip())
    return f"Option<{last}>" if last.endswith("_fn") else NAMES.get(last, last)


def named(text, separator):
    """The types and names of parameters or members: one declaration may name several members."""
    for declaration in filter(None, (" ".join(part.split()) for part in text.split(separator))):
        if declaration != "void":
            c_type, names = re.fullmatch(r"(.*?[ *])(\w[\w, ]*)", declaration).groups()
            yield from (f"{name}{'_' * (name == 'type')}: {rust_type(c_type)}" for name in names.split(", "))


def function(result, parameters):
    return f"({', '.join(named(parameters, ','))})" + ("" if result == "void" else f" -> {rust_type(result)}")


def constants(name, documentation, number, prefixes):
    print(f"/// {documentation}\npub mod {name} {{")
    for word, value, comment in re.findall(r"^#define BP_(\w+) \(?(-?\d+)\)? *(?:/\* (.*?) \*/)?$", TEXT, re.M):
        if word.startswith(prefixes):
            if number == "i32" and comment:
                print(f"    /// {comment}")
            print(f"    pub const {word.removeprefix('ERROR_')}: {number} = {value}{'.0' if number == 'f64' else ''};")
    print("}\n")


print("//! The declarations of backprop.h. declarations.py writes this file.")
print("#![allow(non_camel_case_types, dead_code)]\n\nuse std::ffi::c_void;\nuse std::os::raw::c_char;\n")
constants("status", "The statuses of calls.", "i32", ("OK", "STOPPED", "WARNING_", "ERROR_"))
constants("choice", "The values of options that are choices, such as `trainer.set_option(\"keep\", choice::KEEP_BEST)`.", "f64",
          OPTIONS)
for word, value in re.findall(r"^#define BP_(\w+) (\d+)", TEXT, re.M):
    if word.startswith(("FLOAT", "DOUBLE", "HALF", "INT8", "UINT8", "OPTION_", "END_", "REDUCE_", "ACTIVATION_")):
        print(f"pub const BP_{word}: i32 = {value};")
for name in re.findall(r"^typedef struct (\w+) \1;", CODE, re.M):
    print(f"\n#[repr(C)]\npub struct {name}(u8);")
for members, name in re.findall(r"^typedef struct \w+ \{(.*?)^\} (\w+);", CODE, re.M | re.S):
    if name != "bp_plugin_host":  # plug-ins use it, not hosts
        listed = "".join(f"    pub {member},\n" for member in named(members, ";"))
        print(f"\n#[repr(C)]\n#[derive(Clone, Copy)]\npub struct {name} {{\n{listed}}}")
INTERFACE = re.sub(r"^typedef struct \w+ \{.*?^\} \w+;", "", CODE, flags=re.M | re.S)
print()
for result, name, parameters in re.findall(r"^typedef (\w+) \(\*(\w+)\)\(([^;]*)\);", INTERFACE, re.M):
    if name != "bp_plugin_register_fn":
        print(f"pub type {name} = unsafe extern \"C\" fn{function(result, parameters)};")
print("\n#[link(name = \"backprop\")]\nextern \"C\" {")
for result, name, parameters in re.findall(r"^((?:const )?\w+ \*?)(bp_\w+)\(([^;]*)\);", INTERFACE, re.M):
    print(f"    pub fn {name}{function(result.strip(), parameters)};")
print("}")
