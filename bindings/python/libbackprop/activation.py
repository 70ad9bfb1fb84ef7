"""Activation functions written in Python, used by name like the built-in ones.

    @bp.activation.scalar(derivative=lambda z, a: 1 - a * a)
    def my_tanh(z):
        return math.tanh(z)

    network.set_activation(1, my_tanh)   # or "my_tanh"

An exception in such a function fails the call that needed it, which raises it again and leaves the network as it was.
"""
from __future__ import annotations

import ctypes
import functools
import math
from types import SimpleNamespace
from typing import Any, Callable, Optional, Union

import numpy as np

from . import _prototypes
from ._arguments import text
from ._call import call, check, failed, for_ever, keys, plugins, remember, shelter
from ._library import library
from .errors import Status


class Activation:
    """A registered activation: calling it calls the function it was made from."""

    def __init__(self, name: str, function: Callable, derivative: Optional[Callable]) -> None:
        self.name = name
        self.function = function
        self.derivative = derivative
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)

    def __repr__(self) -> str:
        return f"<activation {self.name!r}>"


def register_scalar(name: str, function: Callable[[float], float],
                    derivative: Optional[Callable[[float, float], float]] = None) -> Activation:
    """Registers a = function(z) of one number, with its derivative(z, a); None for central differences.

    Simple, and slow: Python is called for every number. InvalidValueError for a name that is taken or malformed.
    """
    numeric = derivative is None
    activation = Activation(name, _function(function), None if numeric else _function(derivative))
    return _register(library.bp_activation_register_scalar, activation, _scalar,
                     _NO_DERIVATIVE if numeric else _scalar_derivative)


def register_vector(name: str, forward: Callable[[np.ndarray], np.ndarray],
                    backward: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> Activation:
    """Registers a = forward(z) and dz = backward(z, a, da) of whole matrices.

    All are float32 of shape (rows, layer size); da and dz are the gradients of the loss with respect to a and z. The
    arguments are read-only views of the library's memory, valid during the call: copy what is to be kept. Another
    shape than z's returned is a ValueError. InvalidValueError for a name that is taken or malformed.
    """
    activation = Activation(name, _function(forward), _function(backward))
    return _register(library.bp_activation_register_vector, activation, _forward, _backward)


def scalar(*, derivative: Optional[Callable[[float, float], float]] = None,
           name: Optional[str] = None) -> Callable[[Callable[[float], float]], Activation]:
    """A decorator that registers a function of one number, by its own name unless told: see register_scalar."""
    return lambda function: register_scalar(_name(name, function), function, derivative)


def vector(*, backward: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
           name: Optional[str] = None) -> Callable[[Callable[[np.ndarray], np.ndarray]], Activation]:
    """A decorator that registers a function of matrices, by its own name unless told: see register_vector."""
    return lambda function: register_vector(_name(name, function), function, backward)


def unregister(activation: Union[str, Activation]) -> None:
    """Removes a name. Networks that use the activation go on with it.

    UnknownNameError for a name that is not registered; UnsupportedError for a built-in one.
    """
    call(library.bp_activation_unregister, name_of(activation))


def names() -> list[str]:
    """The names of all activations, built-in ones first."""
    found: list[str] = []
    buffer = ctypes.create_string_buffer(65)  # the longest name and its NUL
    while True:
        status = library.bp_activation_name(len(found), buffer, len(buffer), ctypes.byref(ctypes.c_size_t()))
        if status == Status.ERROR_UNKNOWN_NAME:
            return found
        check(status)
        found.append(buffer.value.decode())


def name_of(activation: Union[str, Activation]) -> bytes:
    """The name of an activation given by name or as itself, as the library takes it."""
    return text(getattr(activation, "name", activation), "activation")


def _name(name: Optional[str], function: Callable) -> str:
    return function.__name__ if name is None else name


def _function(given: Any) -> Callable:
    if not callable(given):
        raise TypeError(f"activation: expected a function, got {type(given).__name__}")
    return given


def _register(function: Callable, activation: Activation, *callbacks: Any) -> Activation:
    key = next(keys)
    plugins[key] = activation
    try:
        call(function, name_of(activation), *callbacks, key, _destroy)
    except BaseException:
        plugins.pop(key, None)
        raise
    return activation


def _view(address: Any, rows: int, columns: int, read_only: bool) -> np.ndarray:
    """The library's own memory as an array of shape (rows, columns)."""
    data = (ctypes.addressof(address.contents), read_only)
    interface = {"version": 3, "data": data, "shape": (rows, columns), "typestr": np.dtype(np.float32).str}
    return np.asarray(SimpleNamespace(__array_interface__=interface))


def _fill(destination: np.ndarray, result: Any, what: str) -> None:
    result = np.asarray(result)
    if result.shape != destination.shape:
        raise ValueError(f"{what} returned shape {result.shape}, expected {destination.shape}")
    np.copyto(destination, result, casting="same_kind")


# What the library calls. They stay for the life of the process; user_data tells which activation is meant.


@for_ever(_prototypes.bp_scalar_fn)
@shelter
def _scalar(z: float, key: int) -> float:
    try:
        return math.nan if failed() else float(plugins[key].function(z))
    except BaseException as error:
        remember(error)
        return math.nan


@for_ever(_prototypes.bp_scalar_derivative_fn)
@shelter
def _scalar_derivative(z: float, a: float, key: int) -> float:
    try:
        return math.nan if failed() else float(plugins[key].derivative(z, a))
    except BaseException as error:
        remember(error)
        return math.nan


@for_ever(_prototypes.bp_vector_forward_fn)
@shelter
def _forward(z: Any, a: Any, rows: int, columns: int, key: int) -> int:
    try:
        if not failed():
            plugin = plugins[key]
            result = plugin.function(_view(z, rows, columns, True))
            _fill(_view(a, rows, columns, False), result, f"activation {plugin.name!r}: forward")
    except BaseException as error:
        remember(error)
    return failed()


@for_ever(_prototypes.bp_vector_backward_fn)
@shelter
def _backward(z: Any, a: Any, da: Any, dz: Any, rows: int, columns: int, key: int) -> int:
    try:
        if not failed():
            plugin = plugins[key]
            result = plugin.derivative(*(_view(given, rows, columns, True) for given in (z, a, da)))
            _fill(_view(dz, rows, columns, False), result, f"activation {plugin.name!r}: backward")
    except BaseException as error:
        remember(error)
    return failed()


_NO_DERIVATIVE = _prototypes.bp_scalar_derivative_fn()
_destroy = for_ever(_prototypes.bp_destroy_fn)(plugins.pop)
