#!/usr/bin/env python3
"""Checks that backprop.hpp and the Rust crate wrap every function of backprop.h, except for those listed here, and that the
crate's declarations are those of the header."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUST = ROOT / "bindings/rust"
HEADER = ROOT / "include/backprop.h"

NOT_WRAPPED = {  # in both languages: why not
    "bp_network_train_step": "a minibatch of one row makes the same step",
    "bp_activation_register_foreign": "a lambda or a closure calls any function",
    "bp_activation_set_destroy": "for foreign functions; a lambda or a closure has its own end",
    "bp_network_set_all_reduce_overlap": "the engine uses the numbers after start has returned, which a view or slice cannot express",
    "bp_version_number": "the version is a text",
    "bp_abi_version": "the linker compares it, by the name of the library",
}
NOT_USED = {  # constants, in Rust: why not
    "BP_END_NONE": "a result is made after a fit only",
    "BP_OPTION_OF_NETWORK": "the other of two",
    "BP_REDUCE_SUM": "the other of two",
}


def words(paths: list[Path]) -> set[str]:
    """The names of functions and constants in the code."""
    code = "\n".join(re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.S) for path in paths)
    return set(re.findall(r"\b(?:bp|BP)_\w+", code))


def main() -> int:
    header = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)
    functions = set(re.findall(r"^(?:const )?\w+ \*?(bp_\w+)\(", header, re.M))
    crate = words([path for path in (RUST / "src").glob("*.rs") if path.name != "c.rs"])
    declarations = (RUST / "src/c.rs").read_text()
    wrong = []
    for name, used in ("bindings/cpp/backprop.hpp", words([ROOT / "bindings/cpp/backprop.hpp"])), ("bindings/rust", crate):
        wrong += [f"{name} does not wrap {each}" for each in sorted(functions - used - NOT_WRAPPED.keys())]
        wrong += [f"{name} wraps {each}, which is listed as not wrapped" for each in sorted(used & NOT_WRAPPED.keys())]
    wrong += [f"{each} is listed, but is not in the header" for each in sorted(NOT_WRAPPED.keys() - functions)]
    constants = set(re.findall(r"^pub const (BP_\w+)", declarations, re.M))
    wrong += [f"bindings/rust does not use {each}" for each in sorted(constants - crate - NOT_USED.keys())]
    expected = subprocess.run([sys.executable, RUST / "declarations.py", HEADER], capture_output=True, text=True, check=True).stdout
    if declarations != expected:
        wrong.append("bindings/rust/src/c.rs is not that of the header: run bindings/rust/declarations.py include/backprop.h")
    print("\n".join(wrong) or f"{len(functions)} functions, {len(NOT_WRAPPED)} of them not wrapped")
    return 1 if wrong else 0


sys.exit(main())
