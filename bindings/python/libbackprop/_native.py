"""Addresses and signatures of C functions of ctypes, numba and scipy."""
from __future__ import annotations

import ctypes
import importlib
import re
from _ctypes import CFuncPtr
from collections.abc import Sequence
from typing import Any, NamedTuple, Optional, SupportsFloat

from . import _prototypes
from ._arguments import number, text
from ._call import call, never_freed, keys
from ._library import library

__all__ = ["Function", "compiled", "function", "is_jitted", "numbers", "register"]

_LETTERS = {ctypes.c_float: "f", ctypes.c_double: "d", ctypes.c_int32: "i", ctypes.c_int64: "l", ctypes.c_uint32: "u"}
_C_LETTERS = {
    "float": "f", "double": "d", "int": "i", "int32_t": "i", "long": "l", "int64_t": "l", "unsigned int": "u",
    "uint32_t": "u"}

_kept: dict[int, Any] = {}  # user_data -> the objects that own the code of a registered function
_release = never_freed(_prototypes.bp_destroy_fn)(_kept.pop)


class Function(NamedTuple):
    """A C function: its address, its signature if known, and the object that owns its code."""

    address: int
    signature: Optional[str]
    owner: Any


def function(given: Any, what: str) -> Function:
    """The Function for an address or an object of ctypes, numba or scipy."""
    if hasattr(given, "address") and hasattr(given, "ctypes"):  # a numba cfunc
        return function(given.ctypes, what)._replace(owner=given)
    if isinstance(given, CFuncPtr):
        address = ctypes.cast(given, ctypes.c_void_p).value
        if not address:
            raise ValueError(f"{what}: expected a function, got NULL")
        return Function(address, _signature_of_ctypes(given), given)
    if isinstance(given, tuple) and type(given).__name__ == "LowLevelCallable":
        return _of_capsule(given, what)
    if isinstance(given, int) and not isinstance(given, bool):
        if not 0 < given < 1 << 64:
            raise ValueError(f"{what}: expected an address, got {given}")
        return Function(given, None, None)
    raise TypeError(f"{what}: expected the address of a C function, or one of ctypes, numba or scipy, "
                    f"got {type(given).__name__}")


def register(name: str, of: Any, signature: Optional[str], derivative: Any,
             constants: Sequence[SupportsFloat]) -> None:
    """Registers C functions, and keeps the owners of their code as long as the activation is used."""
    value = function(of, "function")
    slope = Function(0, None, None) if derivative is None else function(derivative, "derivative")
    for known in (value, slope):
        if signature is None:
            signature = known.signature
        elif known.signature not in (None, signature):
            raise ValueError(f"signature: the function is {known.signature}, not {signature}")
    if signature is None:
        raise TypeError("signature: expected a str, because the function has no known types")
    encoded = text(name, "name")
    pointers = [_prototypes.bp_foreign_fn(each.address) if each.address else _prototypes.bp_foreign_fn()
                for each in (value, slope)]
    call(library.bp_activation_register_foreign, encoded, *pointers, text(signature, "signature"),
         *numbers(constants))
    key = next(keys)
    _kept[key] = value.owner, slope.owner  # kept forever if the next call fails: the function may be in use
    call(library.bp_activation_set_destroy, encoded, key, _release)


def is_jitted(function: Any) -> bool:
    """Whether a function is one of numba that Python calls, such as that of `@numba.njit`."""
    return hasattr(function, "py_func") and hasattr(function, "inspect_llvm")


def compiled(function: Any, derivative: Any) -> tuple[Any, Any]:
    """The C functions of numba for f(z) and f'(z), from a function of numba and derivative(z, a), or None for None."""
    numba: Any = importlib.import_module("numba")
    to_c = numba.cfunc("float64(float64)")

    def value(z: float) -> Any:
        return function(z)

    if derivative is None:
        return to_c(value), None
    slope = derivative if is_jitted(derivative) else numba.njit(derivative)

    def slope_alone(z: float) -> Any:
        return slope(z, function(z))

    return to_c(value), to_c(slope_alone)


def numbers(constants: Sequence[SupportsFloat]) -> tuple[Any, int]:
    """Constants for the library: a pointer and a count."""
    values = [number(value, "constant") for value in constants]
    return (ctypes.c_double * len(values))(*values), len(values)


def _signature_of_ctypes(pointer: Any) -> Optional[str]:
    if pointer.argtypes is None:
        return None  # the types are not declared; restype is only the default
    return _join([_LETTERS.get(each) for each in (pointer.restype, *pointer.argtypes)])


def _of_capsule(low_level: Any, what: str) -> Function:
    """The Function for a scipy.LowLevelCallable: a capsule whose name is the C type of the function."""
    api = ctypes.pythonapi
    capsule = ctypes.py_object(tuple.__getitem__(low_level, 0))  # LowLevelCallable overrides []
    get_name = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", api))
    get_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_GetPointer", api))
    get_context = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object)(("PyCapsule_GetContext", api))
    name = get_name(capsule)
    if get_context(capsule):
        raise ValueError(f"{what}: expected a LowLevelCallable without user_data")
    return Function(get_pointer(capsule, name), _signature_in_c((name or b"").decode()), low_level)


def _signature_in_c(prototype: str) -> Optional[str]:
    """The signature for a C type such as "double (double, int n)"; None if a type is not supported."""
    match = re.fullmatch(r"\s*([\w ]+?)\s*\(([\w ,]*)\)\s*", prototype)
    if not match:
        return None
    types = [match[1], *match[2].split(",")]
    letters = []
    for each in types:
        words = each.split()
        known = [_C_LETTERS.get(" ".join(words[:count])) for count in (len(words), len(words) - 1)]  # with and without its name
        letters.append(known[0] or known[1])
    return _join(letters)


def _join(letters: list[Optional[str]]) -> Optional[str]:
    if None in letters:
        return None
    return f"{letters[0]}({','.join(letters[1:])})"  # type: ignore[arg-type]
