"""Checks Python arguments and converts them for the library. Raises TypeError and ValueError. `what` names the argument."""
from __future__ import annotations

import ctypes
import operator
import os
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._convert import as_array, not_numbers
from ._memory import address, pointer
from ._prototypes import bp_rows
from .errors import LimitError, NotFiniteError, Status

if TYPE_CHECKING:
    from typing_extensions import TypeAlias, TypeGuard

__all__ = [
    "FLOAT32", "Array", "Numbers", "Path", "described", "encode_path", "flag", "floats", "function_name", "is_float_row",
    "is_plain", "matrix", "number", "numbers", "output_table", "pointer", "predicted", "row", "row_count", "rows_or_row",
    "single", "table", "table_or_row", "table_row", "target_table", "text", "unsigned", "vector",
]

Array: TypeAlias = "NDArray[np.float32]"  # quoted: else pyright --verifytypes may meet it before it knows NumPy
Numbers: TypeAlias = "NDArray[Any]"  # of any type in _TYPES and any strides
Path: TypeAlias = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]


def unsigned(value: Any, what: str, least: int = 0) -> int:
    """An integer from 0 to 2^64 - 1. ctypes alone would silently wrap other integers. The library refuses 0 if `least` is 1."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{what}: expected an integer, got {type(value).__name__}") from None
    if number < 0:
        raise ValueError(f"{what}: expected {least} or more, got {number}")
    if number >= 1 << 64:
        raise LimitError(f"{what}: {number} is too large", Status.ERROR_LIMIT)
    return number


def number(value: Any, what: str) -> float:
    """A number as a float. A string is a TypeError."""
    try:
        return ctypes.c_double(value).value
    except TypeError:
        raise TypeError(f"{what}: expected a number, got {type(value).__name__}") from None


def flag(value: Any, what: str) -> bool:
    """A bool. A string such as "no" is a TypeError."""
    if not isinstance(value, (int, np.integer, np.bool_)):
        raise TypeError(f"{what}: expected a bool, got {type(value).__name__}")
    return bool(value)


def single(value: Any, what: str) -> ctypes.c_float:
    """The same as a `float` of C, for an undeclared function."""
    try:
        return ctypes.c_float(value)
    except TypeError:
        number(value, what)  # raises the error that names the argument
        raise


def text(value: Any, what: str) -> bytes:
    """A string as UTF-8."""
    if not isinstance(value, str):
        raise TypeError(f"{what}: expected a str, got {type(value).__name__}")
    if "\0" in value:
        raise ValueError(f"{what}: expected no null character, got {value!r}")
    return value.encode()


def function_name(name: Optional[str], function: Any) -> str:
    """The name to register a function by: its own one, if `name` is None."""
    found = getattr(function, "__name__", None) if name is None else name
    if found is None:
        raise TypeError("name: expected a str, because the function has no name")
    return found


def encode_path(path: Path) -> bytes:
    """A path as the bytes that the operating system uses, which need not be UTF-8."""
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise ValueError(f"path: expected no null character, got {path!r}")
    return encoded


def floats(values: ArrayLike, what: str) -> Array:
    """Numbers as a float32, C-contiguous, aligned array: the same array if possible, otherwise a copy."""
    array = values if type(values) is np.ndarray else as_array(values, what)
    if array.dtype == FLOAT32 and array.flags.carray:
        return array
    array = _converted(array, FLOAT32, what)
    return array if array.flags.aligned else array.copy()


def _converted(array: Numbers, dtype: np.dtype[Any], what: str) -> Numbers:
    if array.dtype.kind not in "fiub":
        remedy = "; labels have the shape (rows,)" if what == "targets" and array.ndim == 2 else ""
        raise TypeError(f"{what}: expected numbers, got {not_numbers(array)}{remedy}")
    if array.dtype.kind != "f":
        return np.asarray(array, dtype=dtype, order="C")  # no integer is too large
    try:
        with np.errstate(over="raise"):
            return np.asarray(array, dtype=dtype, order="C")
    except FloatingPointError:
        place = np.argwhere(np.isfinite(array) & (abs(array) > np.finfo(dtype).max))[0].tolist()
        raise NotFiniteError(f"{what}: {array[tuple(place)]!s} at {place} is beyond the range of {dtype}",
                             Status.ERROR_NOT_FINITE) from None


# The number types that bp_rows describes, and their constants in backprop.h.
FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
_TYPES = {FLOAT32: 0, _FLOAT64: 1, np.dtype(np.float16): 2, np.dtype(np.int8): 3, np.dtype(np.uint8): 4}


def numbers(values: ArrayLike, what: str) -> Numbers:
    """Numbers as an array that bp_rows can describe: the same array if possible, otherwise a copy."""
    array = values if type(values) is np.ndarray else as_array(values, what)
    if array.dtype in _TYPES:
        return array
    return _converted(array, FLOAT32 if np.can_cast(array.dtype, FLOAT32) else _FLOAT64, what)


def is_plain(array: Numbers) -> bool:
    """Whether an array can be passed as a `float *`."""
    flags = array.flags
    return array.dtype == FLOAT32 and (flags.carray or (flags.c_contiguous and flags.aligned))


def is_float_row(values: ArrayLike, size: int) -> TypeGuard[Array]:
    """Whether values need no conversion to be passed as a row of that size: the usual case, in one quick check."""
    return type(values) is np.ndarray and values.dtype is FLOAT32 and values.shape == (size,) and values.flags.carray


def described(array: Optional[Numbers], weights: Optional[Array] = None) -> Any:
    """A pointer to a bp_rows of a matrix, or of one row. It holds references to the arrays."""
    if array is None:
        return None
    if array.ndim == 1:
        array = array[np.newaxis]
    if array.strides == (0, 0) and array.size > 1:
        array = array.copy()  # two strides of 0 mean that there are no gaps
    rows = bp_rows(ctypes.sizeof(bp_rows), _TYPES[array.dtype], address(array), *array.shape, *array.strides)
    if weights is not None:
        rows.row_weights = pointer(weights)
    rows.arrays = array, weights
    return ctypes.byref(rows)


def rows_or_row(values: ArrayLike, columns: int, what: str) -> Array:
    """A float32 array of shape (rows, columns), or (columns,) for one row."""
    return floats(table_or_row(values, columns, what), what)


def table_or_row(values: ArrayLike, columns: int, what: str) -> Numbers:
    """An array of shape (rows, columns), or (columns,) for one row, without a copy if possible."""
    array = values if type(values) is np.ndarray and values.dtype in _TYPES else numbers(values, what)
    shape = array.shape
    if len(shape) not in (1, 2) or shape[-1] != columns:
        raise ValueError(f"{what}: expected shape (rows, {columns}) or ({columns},), got {shape}")
    return array


_ONE = ctypes.c_size_t(1)  # no call changes it, so that threads can share it


def row_count(array: Numbers) -> ctypes.c_size_t:
    """The number of rows of the result of `rows_or_row` or `table_or_row`, as an argument."""
    return _ONE if array.ndim == 1 or len(array) == 1 else ctypes.c_size_t(len(array))


def predicted(inputs: ArrayLike, columns: int, outputs: tuple[int, ...], out: Optional[Array]
              ) -> tuple[Array, ctypes.c_size_t, Array]:
    """Inputs of shape (rows, columns) or (columns,), the number of rows, and `out` or a new array for their outputs, the
    outputs of a row having the given shape."""
    x = floats(table_or_row(inputs, columns, "inputs"), "inputs")
    shape = x.shape[:-1] + outputs
    return x, row_count(x), np.empty(shape, FLOAT32) if out is None else output(out, shape, x)


def vector(values: ArrayLike, size: int, what: str) -> Array:
    """An array of shape (size,)."""
    array = floats(values, what)
    if array.shape != (size,):
        raise ValueError(f"{what}: expected shape ({size},), got {array.shape}")
    return array


def matrix(values: ArrayLike, columns: int, what: str) -> Array:
    """A float32 array of shape (rows, columns)."""
    return floats(table(values, columns, what), what)


def table(values: ArrayLike, columns: int, what: str, alternative: str = "") -> Numbers:
    """An array of shape (rows, columns), without a copy if possible. alternative: another shape, for the error."""
    array = numbers(values, what)
    if array.ndim != 2 or array.shape[1] != columns:
        remedy = ": there are no rows" if array.shape[:1] == (0,) else ""
        raise ValueError(f"{what}: expected shape (rows, {columns}){alternative}, got {array.shape}{remedy}")
    return array


def table_row(values: ArrayLike, size: int, what: str) -> Numbers:
    """An array of shape (size,), without a copy if possible."""
    array = numbers(values, what)
    if array.shape != (size,):
        raise ValueError(f"{what}: expected shape ({size},), got {array.shape}")
    return array


def target_table(values: ArrayLike, columns: int, outputs: int, what: str = "targets") -> Numbers:
    """Targets as a table of shape (rows, columns). Shape (rows,) is one column or, if the columns are those of several
    outputs, class numbers. A registered loss can have other columns than the network has outputs."""
    array = as_array(values, what)
    if array.ndim == 1 and columns == 1:
        return numbers(array, what)[:, np.newaxis]
    if columns == 1 or columns != outputs:
        return table(array, columns, what)
    if array.ndim == 1:
        return _one_hot(array, columns, what)
    return table(array, columns, what, ", or (rows,) with class numbers or labels")


def row(values: ArrayLike, columns: int, outputs: int, what: str) -> Numbers:
    """The targets of one row, shape (columns,) or (1, columns). A number is a target or a class number, as in `target_table`."""
    array = as_array(values, what)
    if array.ndim == 0 and columns in (1, outputs):
        return target_table(array.reshape(1), columns, outputs, what)
    return table_row(array, columns, what)


def _one_hot(classes: NDArray[Any], columns: int, what: str) -> Array:
    if classes.dtype.kind not in "iub":
        floats(classes, what)  # TypeError if these are not numbers
        found = f"got {classes.shape} of {classes.dtype}"
        if len(classes):
            place = int(np.argmax(classes != np.floor(classes)))  # 0 if all are whole numbers
            found += f"; row {place} is {classes[place]}"
            if (classes == np.floor(classes)).all():
                found += ": convert them with astype(int)"
        raise ValueError(f"{what}: expected shape (rows, {columns}), or (rows,) with class numbers, which are integers, {found}")
    outside = (classes < 0) | (classes >= columns)
    if outside.any():
        place = int(np.argmax(outside))
        raise ValueError(f"{what}: row {place}: expected a class number from 0 to {columns - 1}, got {classes[place]}; "
                         "for other labels, set network.classes")
    array = np.zeros((len(classes), columns), np.float32)
    array[np.arange(len(classes)), classes.astype(np.intp)] = 1
    return array


def output(array: Array, shape: tuple[int, ...], inputs: Array) -> Array:
    """Checks an array that receives outputs of that shape, and returns it."""
    given: Any = array
    if not isinstance(given, np.ndarray) or given.dtype != np.float32:
        raise TypeError(f"out: expected a float32 array, got {getattr(given, 'dtype', type(given).__name__)}")
    if array.shape != shape:
        raise ValueError(f"out: expected shape {shape}, got {array.shape}")
    if not array.flags.carray:
        raise ValueError("out: expected an aligned, C-contiguous and writeable array")
    if np.may_share_memory(array, inputs):
        raise ValueError("out: must not overlap the inputs")
    return array


def output_table(array: Numbers, shape: tuple[int, ...], inputs: Numbers) -> Numbers:
    """The same for outputs of type float64, and of any strides, too."""
    given: Any = array
    if not isinstance(given, np.ndarray) or given.dtype not in (FLOAT32, _FLOAT64):
        found = getattr(given, "dtype", type(given).__name__)
        raise TypeError(f"out: expected a float32 or float64 array, got {found}")
    if array.shape != shape:
        raise ValueError(f"out: expected shape {shape}, got {array.shape}")
    if not array.flags.writeable:
        raise ValueError("out: expected a writeable array")
    if 0 in array.strides and array.size > 1:
        raise ValueError("out: expected an array without broadcasting")
    if np.may_share_memory(array, inputs):
        raise ValueError("out: must not overlap the inputs")
    return array
