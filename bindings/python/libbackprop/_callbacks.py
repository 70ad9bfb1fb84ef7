"""The C callbacks of activations and losses written in Python. There is one of each kind; user_data identifies the object."""
from __future__ import annotations

import ctypes
import math
from types import SimpleNamespace
from typing import Any, Callable

import numpy as np
from numpy.typing import ArrayLike

from . import _prototypes
from ._arguments import Array
from ._call import call, failed, never_freed, keys, plugins, remember, stores_interrupts

__all__ = [
    "NO_ALL_REDUCE", "NO_DERIVATIVE", "all_reduce", "backward", "finish", "forward", "loss", "register", "scalar",
    "scalar_derivative", "start", "view",
]


def register(function: Callable[..., int], name: bytes, plugin: Any, *callbacks: Any) -> None:
    """Registers an activation, an object with .name, .function and .derivative, or a loss with these callbacks."""
    key = next(keys)
    plugins[key] = plugin
    try:
        call(function, name, *callbacks, key, _destroy)
    except BaseException:
        plugins.pop(key, None)
        raise


def view(address: Any, rows: int, columns: int, read_only: bool) -> Array:
    """The library's memory as a float32 array of shape (rows, columns), without a copy."""
    found: Array = _array(address, (rows, columns), np.float32, read_only)
    return found


def _array(pointer: Any, shape: tuple[int, ...], dtype: Any, read_only: bool) -> Any:
    return _at(ctypes.addressof(pointer.contents), shape, dtype, read_only)


def _at(address: int, shape: tuple[int, ...], dtype: Any, read_only: bool) -> Any:
    data = (address, read_only)
    interface = {"version": 3, "data": data, "shape": shape, "typestr": np.dtype(dtype).str}
    return np.asarray(SimpleNamespace(__array_interface__=interface))


def _fill(destination: Array, values: ArrayLike, label: str) -> None:
    try:
        result = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{label}: {error}") from None
    if result.dtype.kind not in "fiub":
        raise TypeError(f"{label} returned {result.dtype}, expected numbers")
    if result.shape != destination.shape:
        raise ValueError(f"{label} returned shape {result.shape}, expected {destination.shape}")
    np.copyto(destination, result, casting="same_kind")


@never_freed(_prototypes.bp_scalar_fn)
@stores_interrupts
def scalar(z: float, key: int) -> float:
    try:
        return math.nan if failed() else float(plugins[key].function(z))
    except BaseException as error:
        remember(error)
        return math.nan


@never_freed(_prototypes.bp_scalar_derivative_fn)
@stores_interrupts
def scalar_derivative(z: float, a: float, key: int) -> float:
    try:
        return math.nan if failed() else float(plugins[key].derivative(z, a))
    except BaseException as error:
        remember(error)
        return math.nan


@never_freed(_prototypes.bp_vector_forward_fn)
@stores_interrupts
def forward(z: Any, a: Any, rows: int, columns: int, key: int) -> int:
    try:
        if not failed():
            plugin = plugins[key]
            result = plugin.function(view(z, rows, columns, True))
            _fill(view(a, rows, columns, False), result, f"activation {plugin.name!r}: forward")
    except BaseException as error:
        remember(error)
    return int(failed())


@never_freed(_prototypes.bp_vector_backward_fn)
@stores_interrupts
def backward(z: Any, a: Any, da: Any, dz: Any, rows: int, columns: int, key: int) -> int:
    try:
        if not failed():
            plugin = plugins[key]
            result = plugin.derivative(*(view(given, rows, columns, True) for given in (z, a, da)))
            _fill(view(dz, rows, columns, False), result, f"activation {plugin.name!r}: backward")
    except BaseException as error:
        remember(error)
    return int(failed())


@never_freed(_prototypes.bp_loss_fn)
@stores_interrupts
def loss(outputs: Any, targets: Any, losses: Any, gradients: Any, rows: int, output_count: int, target_columns: int,
         key: int) -> int:
    try:
        if not failed():
            plugin = plugins[key]
            result = plugin.function(view(outputs, rows, output_count, True), view(targets, rows, target_columns, True))
            if not isinstance(result, (tuple, list)) or len(result) != 2:
                raise TypeError(f"loss {plugin.name!r} must return losses and gradients, a pair, not {type(result).__name__}")
            values, slopes = result
            _fill(_array(losses, (rows,), np.float64, False), values, f"loss {plugin.name!r}: losses")
            if gradients:
                _fill(view(gradients, rows, output_count, False), slopes, f"loss {plugin.name!r}: gradients")
    except BaseException as error:
        remember(error)
    return int(failed())


# The functions of workers, (all_reduce, start, finish), also after another callback has failed: the failure is part of the
# exchange.


@never_freed(_prototypes.bp_all_reduce_fn)
@stores_interrupts
def all_reduce(values: int, count: int, number_type: int, operation: int, key: int) -> int:
    return _exchange(0, key, values, count, number_type, operation)


@never_freed(_prototypes.bp_all_reduce_fn)
@stores_interrupts
def start(values: int, count: int, number_type: int, operation: int, key: int) -> int:
    return _exchange(1, key, values, count, number_type, operation)


@never_freed(_prototypes.bp_all_reduce_finish_fn)
@stores_interrupts
def finish(key: int) -> int:
    try:
        plugins[key][2]()
        return 0
    except BaseException as error:
        remember(error)
        return 1


def _exchange(function: int, key: int, values: int, count: int, number_type: int, operation: int) -> int:
    try:
        numbers = _at(values, (count,), np.float64 if number_type else np.float32, False)
        plugins[key][function](numbers, "maximum" if operation else "sum")
        return 0
    except BaseException as error:
        remember(error)
        return 1


NO_ALL_REDUCE = _prototypes.bp_all_reduce_fn()
NO_DERIVATIVE = _prototypes.bp_scalar_derivative_fn()
_destroy = never_freed(_prototypes.bp_destroy_fn)(plugins.pop)
