"""Converts data of other libraries to NumPy arrays, without importing these libraries."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["as_array", "not_numbers"]

_REGISTERED_TYPES = ("bfloat16", "float8_e4m3fn", "float8_e5m2")


def as_array(values: Any, what: str) -> NDArray[Any]:
    """An array for anything that holds an array: nested sequences, the buffer and array protocols, DLPack, data frames and
    series of pandas and polars, tensors of PyTorch and JAX. Shares the memory where the object allows it.

    Missing values of data frames, series and masked arrays become NaN if the others are numbers. ValueError for rows of
    different lengths, TypeError for an object that holds no array.
    """
    if type(values) is np.ndarray:
        return values
    if isinstance(values, np.ndarray):
        return _of_masked(values) if hasattr(values, "filled") else np.asarray(values)  # without its subclass
    if not isinstance(values, (list, tuple)):
        if hasattr(values, "detach") and hasattr(values, "cpu"):
            return _of_tensor(values.detach().cpu())
        if hasattr(values, "columns") and hasattr(values, "to_numpy"):
            return _of_frame(values, what)
        if hasattr(values, "to_numpy") and hasattr(values, "dtype"):
            return _of_series(values)
        if hasattr(values, "__dlpack__") and not hasattr(values, "__array__"):
            return np.from_dlpack(values)
    try:
        array = np.asarray(values)
    except ValueError:
        if not isinstance(values, (list, tuple)):
            raise
        raise ValueError(f"{what}: {_ragged(values)}") from None
    if array.dtype == object and array.ndim == 0 and values is not None:
        raise TypeError(f"{what}: expected numbers, got {type(values).__name__}{_remedy(values)}")
    is_registered = array.dtype.isbuiltin == 2  # by a package such as ml_dtypes; a name alone takes longer than all other checks
    return array.astype(np.float32) if is_registered and array.dtype.name in _REGISTERED_TYPES else array


def _remedy(values: Any) -> str:
    """How to convert an object that holds no array, if there is a way."""
    for method in ("toarray", "collect"):  # of sparse matrices, and of lazy frames of polars
        if hasattr(values, method):
            return f": convert it with {method}()"
    return ": convert it to a list" if isinstance(values, Iterable) and not isinstance(values, Mapping) else ""


def not_numbers(array: NDArray[Any]) -> str:
    """Describes an array that does not contain numbers: its type and its first element that is no number."""
    if array.dtype.kind not in "OSTU":
        return str(array.dtype)
    for place, element in np.ndenumerate(array.astype(object)):
        if not _is_number(element):
            at = list(place)
            return f"{array.dtype}: {element!r:.60}" + (f" at {at if len(at) > 1 else at[0]}" if at else "")
    return f"numbers as {array.dtype}: convert them with astype(float)"


def _is_number(element: Any) -> bool:
    try:
        float(element)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _of_masked(array: Any) -> NDArray[Any]:
    """A masked array, whose masked elements become NaN, or None if the others are no numbers."""
    if not array.mask.any():
        return np.asarray(array)
    numbers = array.dtype.kind in "fiub"
    values = np.array(array, float if array.dtype.kind in "iub" else array.dtype if numbers else object)
    values[array.mask] = np.nan if numbers else None
    return values


def _of_tensor(tensor: Any) -> NDArray[Any]:
    """A tensor of PyTorch on the CPU. NumPy lacks its type bfloat16."""
    try:
        return np.asarray(tensor)
    except TypeError:
        return np.asarray(tensor.float())


def _of_frame(frame: Any, what: str) -> NDArray[Any]:
    """A data frame. Columns of several types, or of types that NumPy lacks, are converted one by one."""
    array = np.asarray(frame)
    if not len(array):
        return np.empty(array.shape, np.float32)  # an empty column has no type
    if array.dtype.kind in "fiub" and not any(hasattr(each, "na_value") for each in frame.dtypes):
        return array
    columns: list[NDArray[Any]] = []
    for name, series in frame.items() if hasattr(frame, "items") else zip(frame.columns, frame.get_columns()):
        column = _of_series(series)
        if column.dtype.kind not in "fiub":
            if len(frame.columns) == 1:
                return column[:, np.newaxis]  # the caller knows whether labels are accepted
            raise TypeError(f"{what}: column {name!r}: expected numbers, got {not_numbers(column)}")
        columns.append(column)
    return np.column_stack(columns) if columns else np.empty((len(frame), 0), np.float32)


def _of_series(series: Any) -> NDArray[Any]:
    """A column. A nullable column of pandas with missing values would otherwise be an array of objects."""
    if getattr(series.dtype, "kind", "O") in "fiub" and hasattr(series, "isna") and bool(series.isna().any()):
        return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))
    return np.asarray(series.to_numpy())


def _ragged(values: Any) -> str:
    lengths = [len(each) if hasattr(each, "__len__") else None for each in values]
    for row, length in enumerate(lengths):
        if length != lengths[0]:
            found, first = ("a number" if each is None else f"{each} elements" for each in (length, lengths[0]))
            return f"expected rows of the same length, got {found} in row {row} and {first} in row 0"
    return "expected an array of numbers, got rows of different shapes"
