"""Turns what Python programs pass into what the library takes. TypeError and ValueError tell what was wrong."""
from __future__ import annotations

import ctypes
import operator
import os
from typing import Any, Union

import numpy as np

from ._prototypes import Floats
from .errors import LimitError, Status


def unsigned(value: Any, what: str) -> int:
    """An integer from 0 to 2^64 - 1: ctypes would wrap others around."""
    number = operator.index(value)
    if number < 0:
        raise ValueError(f"{what}: expected 0 or more, got {number}")
    if number >= 1 << 64:
        raise LimitError(f"{what}: {number} is too large", Status.ERROR_LIMIT)
    return number


def number(value: Any, what: str) -> float:
    """Anything that is a number, and not a text of one."""
    try:
        return ctypes.c_double(value).value
    except TypeError:
        raise TypeError(f"{what}: expected a number, got {type(value).__name__}") from None


def text(value: Any, what: str) -> bytes:
    """A string as UTF-8."""
    if not isinstance(value, str):
        raise TypeError(f"{what}: expected a str, got {type(value).__name__}")
    if "\0" in value:
        raise ValueError(f"{what}: {value!r} has a null character in it")
    return value.encode()


Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]


def encode_path(path: Path) -> bytes:
    """A path as the bytes it has in the system, which need not be UTF-8."""
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise ValueError(f"path: {path!r} has a null character in it")
    return encoded


def floats(values: Any, what: str) -> np.ndarray:
    """Any numbers as a float32, C-contiguous array: the same array if it is one, else a copy."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{what}: expected numbers, got {array.dtype}")
    array = np.asarray(array, dtype=np.float32, order="C")
    return array if array.flags.aligned else array.copy()


def vector(values: Any, size: int, what: str) -> np.ndarray:
    """An array of shape (size,)."""
    array = floats(values, what)
    if array.shape != (size,):
        raise ValueError(f"{what}: expected shape ({size},), got {array.shape}")
    return array


def matrix(values: Any, columns: int, what: str) -> np.ndarray:
    """An array of shape (rows, columns)."""
    array = floats(values, what)
    if array.ndim != 2 or array.shape[1] != columns:
        raise ValueError(f"{what}: expected shape (rows, {columns}), got {array.shape}")
    return array


def output(array: Any, shape: tuple[int, ...], inputs: np.ndarray) -> np.ndarray:
    """An array the library may write outputs of that shape to while it reads inputs."""
    if not isinstance(array, np.ndarray) or array.dtype != np.float32:
        raise TypeError(f"out: expected a float32 array, got {getattr(array, 'dtype', type(array).__name__)}")
    if array.shape != shape:
        raise ValueError(f"out: expected shape {shape}, got {array.shape}")
    if not array.flags.carray:
        raise ValueError("out: expected an aligned, C-contiguous and writeable array")
    if np.may_share_memory(array, inputs):
        raise ValueError("out: must not overlap the inputs")
    return array


def pointer(array: np.ndarray) -> Any:
    """A float32, C-contiguous array as a `float *` that keeps it alive."""
    if array.flags.writeable and array.size:
        return ctypes.byref(ctypes.c_float.from_buffer(array))  # a tenth of the time of the other way
    return array.ctypes.data_as(Floats)
