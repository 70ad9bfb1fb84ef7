#!/usr/bin/env python3
"""Writes backprop.h for parsers of C declarations that know no preprocessor: declarations.py HEADER > backprop_ffi.h

LuaJIT's ffi.cdef, PHP's FFI::cdef and Python's cffi parse the result whole. Comments and directives are left out, and
the constants become an enum.
"""
import re
import sys

text = re.sub(r"/\*.*?\*/", "", open(sys.argv[1], encoding="utf-8").read(), flags=re.S)
constants = re.findall(r"^#define (BP_\w+) (.+?) *$", text, re.M)
values = {}
for name, value in constants:  # each is a number, or made of those before it
    values[name] = eval(value, {}, values)

code = re.sub(r"^#ifdef __cplusplus\n.*?^#endif\n", "", text, flags=re.S | re.M)
code = re.sub(r"^#.*\n", "", code, flags=re.M)
code = re.sub(r" +$", "", code, flags=re.M)
code = re.sub(r"\n{2,}", "\n", code).strip()
listed = ",\n".join(f"    {name} = {value}" for name, value in values.items())
print(f"enum {{\n{listed}\n}};\n{code}")
