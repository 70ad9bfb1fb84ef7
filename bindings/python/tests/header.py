"""The declarations of backprop.h, parsed from its text."""
import ctypes
import re
from ctypes import CFUNCTYPE, POINTER
from pathlib import Path

from libbackprop import _prototypes
from libbackprop._prototypes import bp_network, bp_predictor, bp_trainer

TEXT = (Path(__file__).resolve().parents[3] / "include" / "backprop.h").read_text(encoding="utf-8")
CODE = re.sub(r"^\s*#.*$", "", re.sub(r"/\*.*?\*/", "", TEXT, flags=re.S), flags=re.M)

TYPES = {
    "void": None, "float": ctypes.c_float, "int32_t": ctypes.c_int32, "uint32_t": ctypes.c_uint32,
    "uint64_t": ctypes.c_uint64, "size_t": ctypes.c_size_t, "ptrdiff_t": ctypes.c_ssize_t, "void *": ctypes.c_void_p,
    "const void *": ctypes.c_void_p, "double": ctypes.c_double,
    "const char *": ctypes.c_char_p, "char *": POINTER(ctypes.c_char),
    "float *": POINTER(ctypes.c_float), "const float *": POINTER(ctypes.c_float),
    "double *": POINTER(ctypes.c_double), "const double *": POINTER(ctypes.c_double),
    "int32_t *": POINTER(ctypes.c_int32), "uint64_t *": POINTER(ctypes.c_uint64), "size_t *": POINTER(ctypes.c_size_t),
    "const size_t *": POINTER(ctypes.c_size_t), "uint8_t *": POINTER(ctypes.c_uint8),
    "const uint8_t *": POINTER(ctypes.c_uint8), "bp_network *": POINTER(bp_network),
    "const bp_network *": POINTER(bp_network), "bp_network **": POINTER(POINTER(bp_network)),
    "bp_network *const *": POINTER(POINTER(bp_network)),
    "bp_trainer *": POINTER(bp_trainer), "const bp_trainer *": POINTER(bp_trainer),
    "bp_trainer **": POINTER(POINTER(bp_trainer)), "bp_predictor *": POINTER(bp_predictor),
    "const bp_predictor *": POINTER(bp_predictor), "bp_predictor **": POINTER(POINTER(bp_predictor)),
}


def parameters(text):
    """[(C type, name)] of a parameter list."""
    text = " ".join(text.split())
    if text in ("", "void"):
        return []
    return [re.fullmatch(r"(.*?[ *])(\w+)", part.strip()).groups() for part in text.split(",")]


def python_types(text):
    return [TYPES[c_type.strip()] for c_type, _ in parameters(text)]


def members(text):
    """[(C type, name)] of a struct's members: one declaration may name several."""
    found = []
    for declaration in filter(None, (part.strip() for part in text.split(";"))):
        c_type, names = re.fullmatch(r"(.*?[ *])(\w[\w, ]*)", " ".join(declaration.split())).groups()
        found += [(c_type.strip(), name) for name in names.split(", ")]
    return found


STRUCTS = {}  # name: its members; without bp_plugin_host, which only plug-ins use
for text, name in re.findall(r"typedef struct \w+ \{(.*?)\} (\w+);", CODE, flags=re.S):
    if name != "bp_plugin_host":
        STRUCTS[name] = members(text)
        TYPES[name + " *"] = TYPES["const " + name + " *"] = POINTER(getattr(_prototypes, name))
INTERFACE = re.sub(r"typedef struct \w+ \{.*?\} \w+;", "", CODE, flags=re.S)

CALLBACKS = {}  # name: its CFUNCTYPE
for result, name, arguments in re.findall(r"typedef (\w+) \(\*(\w+)\)\(([^;]*?)\);", INTERFACE):
    if name == "bp_plugin_register_fn":  # a function of plug-ins, not of hosts
        continue
    CALLBACKS[name] = TYPES[name] = CFUNCTYPE(TYPES[result], *python_types(arguments))

FUNCTIONS = {}  # name: (result, [(C type, parameter name)])
for result, name, arguments in re.findall(r"^(\w[\w ]*[ *])(bp_\w+)\(([^;]*?)\);", INTERFACE, flags=re.M):
    FUNCTIONS[name] = (result.strip(), parameters(arguments))

CONSTANTS = {name: int(value) for name, value in re.findall(r"^#define (BP_\w+) \(?(-?\d+)\)?", TEXT, flags=re.M)}
STATUSES = {name: value for name, value in CONSTANTS.items() if re.match(r"BP_(OK|STOPPED|WARNING_|ERROR_)", name)}
