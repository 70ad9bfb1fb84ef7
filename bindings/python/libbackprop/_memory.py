"""The memory of arrays, for the library.

An array object has the address of its memory behind its header. Extension modules read it there: PyArray_DATA in NumPy's C
interface. `array.ctypes` takes ten times as long. `from_buffer` of ctypes takes twice as long and refuses read-only arrays.
"""
from __future__ import annotations

import ctypes
import sys
from typing import Any

import numpy as np

from ._prototypes import Floats

__all__ = ["address", "pointer"]


class _FloatPointer(Floats):  # type: ignore[misc, valid-type]
    """A `float *` that holds a reference to its array."""

    _type_ = ctypes.c_float
    __slots__ = ("array",)


_HEADER = getattr(object, "__basicsize__", 0)  # PyPy lacks it, and uses the functions at the end
_address_at, _pointer_at = ctypes.c_void_p.from_address, _FloatPointer.from_address


def address(array: np.ndarray[Any, Any]) -> int:
    """The address of an array's memory. The caller must keep the array."""
    return _address_at(id(array) + _HEADER).value or 0


def pointer(array: np.ndarray[Any, Any]) -> Any:
    """A `float *` to a float32, C-contiguous array. It holds a reference to the array."""
    found = _pointer_at(id(array) + _HEADER)
    found.array = array
    return found


def _is_behind_header() -> bool:
    array = np.empty(1, np.float32)
    return sys.implementation.name == "cpython" and address(array) == array.ctypes.data


if not _is_behind_header():

    def address(array: np.ndarray[Any, Any]) -> int:
        return array.ctypes.data

    def pointer(array: np.ndarray[Any, Any]) -> Any:
        return array.ctypes.data_as(Floats)
