#!/usr/bin/env python3
"""Writes backprop.h's functions as C tables: signatures.py HEADER > signatures.h

For each function: its parameters (name and type), a thunk that calls it with an array of arguments, and the statuses that
its comment allows. Fuzz/ and Tests/CTests/limits.c call every function through this table, so that a new function is always
tested. With --stubs, writes a C file with an empty body for each function: a library with all types (Tests/abi).
"""
import os
import re
import sys

text = open(sys.argv[1]).read()
statuses = re.findall(r"^#define (BP_(?:OK|STOPPED|WARNING_\w+|ERROR_\w+))\s", text, re.M)
successes = [status for status in statuses if not status.startswith("BP_ERROR_")]
handle_types = re.findall(r"^typedef struct (bp_\w+) \1;", text, re.M)
struct_types = [name for name, body in re.findall(r"^typedef struct (bp_\w+) \{(.*?)^\}", text, re.M | re.S) if "struct_size" in body]
callback_types = re.findall(r"\(\*(bp_\w+_fn)\)", text)


def plain(comment):
    """A comment's text without stars and line ends."""
    return " ".join(re.sub(r"^ ?\*?", "", line).strip() for line in comment.splitlines())


def functions():
    """(name, result, parameters, comment) of each function, in order. Each function has its own comment."""
    pattern = r"/\*((?:(?!\*/).)*)\*/\s*((?:const )?\w+ \*?)\s*(bp_\w+)\(([^()]*)\);"
    for comment, result, name, parameters in re.findall(pattern, text, re.S):
        pairs = []
        for parameter in "".join(parameters.split("\n")).split(","):
            if parameter.strip() != "void":
                type_, word = re.match(r"\s*(.*?)(\w+)\s*$", parameter).groups()
                pairs.append((type_.strip(), word))
        yield name, result.strip(), pairs, plain(comment)


def allowed(name, comments):
    """The statuses that a function's comment names under Errors, including those of "as bp_other"."""
    comment = comments[name]
    errors = re.search(r"Errors\b.*?:(.*?)(?:Threads:|Since:|$)", comment)
    errors = errors.group(1) if errors else ""
    found = {status for status in statuses if re.search(rf"\b{status.removeprefix('BP_ERROR_')}\b", errors)}
    for other in re.findall(r"\bas (bp_\w+)", errors):
        found |= allowed(other, comments)
    for status in re.findall(r"without ([A-Z_]+)", errors):
        found.discard("BP_ERROR_" + status)
    if name in os.environ.get("LACKING", "").split():  # functions that need a part that the system lacks
        found.add("BP_ERROR_UNSUPPORTED")
    return found | {"BP_OK"} | {status for status in successes if re.search(rf"\b{status}\b", comment)}


def argument(index, type_):
    """How the argument of that index is passed."""
    members = {"size_t": "size", "uint64_t": "u64", "int32_t": "i32", "float": "f32", "double": "f64"}
    if type_ in callback_types:
        return f"({type_})a[{index}].function"
    if type_ == "ptrdiff_t":
        return f"(ptrdiff_t)a[{index}].size"
    return f"a[{index}].{members[type_]}" if type_ in members else f"({type_})a[{index}].pointer"


found = list(functions())
comments = {name: comment for name, _, _, comment in found}
declared = re.findall(r"\b(bp_\w+)\(", re.sub(r"/\*.*?\*/|typedef[^;]*;", "", text, flags=re.S))
assert declared == list(comments), set(declared) ^ set(comments)  # no function is missing

if "--stubs" in sys.argv:
    print("#include <backprop.h>")
    for name, result, parameters, _ in found:
        listed = ", ".join(f"{type_} {word}" for type_, word in parameters) or "void"
        unused = " ".join(f"(void){word};" for _, word in parameters)
        print(f"{result} {name}({listed}) {{ {unused} {'' if result == 'void' else 'return 0;'} }}")
    sys.exit()

print('/* Made from backprop.h by Fuzz/signatures.py. */\n#include "signature.h"\n')
print("static const status_name statuses[] = {")
for status in statuses:
    print(f'    {{{status}, "{status}"}},')
print("};\nstatic const struct_type struct_types[] = {")
for name in struct_types:
    print(f'    {{"{name} *", sizeof({name})}},')
print("};\nstatic const char *const handle_types[] = {" + ", ".join(f'"{name}"' for name in handle_types) + "};\n")
for name, result, parameters, _ in found:
    call = f"{name}({', '.join(argument(i, type_) for i, (type_, _) in enumerate(parameters))})"
    body = f"return {call};" if result == "int32_t" else f"(void){call}; return BP_OK;" if result != "void" else f"{call}; return BP_OK;"
    print(f"static int32_t call_{name}(const argument *a) {{ (void)a; {body} }}")
print("\nstatic const signature signatures[] = {")
for name, result, parameters, _ in found:
    mask = sum(1 << statuses.index(status) for status in allowed(name, comments)) if result == "int32_t" else 1
    listed = ", ".join(f'{{"{type_}", "{word}"}}' for type_, word in parameters) or '{"", ""}'
    print(f'    {{"{name}", {int(result == "int32_t")}, {len(parameters)}, {mask:#x}u, call_{name},\n     {{{listed}}}}},')
print("};\nenum { SIGNATURES = sizeof signatures / sizeof signatures[0] };")
