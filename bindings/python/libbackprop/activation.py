"""Activations of one's own, used by name like the built-in ones: Python functions, or C functions of any origin.

    @bp.activation.vector(backward=lambda z, a, da: da * (1 - a * a))
    def my_tanh(z):
        return np.tanh(z)

    erf = bp.activation.from_library("libm.so.6", "erf", "d(d)")

    network.set_activation(1, my_tanh)   # or "my_tanh"
    network.set_activation(2, erf)

An exception in a Python function fails the call that needed it, which raises it again and leaves the network as it was.
"""
from __future__ import annotations

import ctypes
import enum
import functools
import itertools
import os
from collections.abc import Sequence
from typing import Any, Callable, NamedTuple, Optional, SupportsFloat, Union

from numpy.typing import ArrayLike

from . import _callbacks, _native
from ._arguments import Array, Path, encode_path, text
from ._call import call, plugins, texts_of
from ._library import library
from ._prototypes import bp_activation_report
from .errors import Status, UnknownNameError, UnsupportedError

__all__ = [
    "Activation", "Backward", "Forward", "Kind", "Report", "ScalarDerivative", "ScalarFunction", "check", "examine",
    "from_library", "from_pointer", "kind", "load_plugin", "name_of", "names", "register_scalar", "register_vector", "scalar",
    "set_thread_safe", "unregister", "vector",
]

ScalarFunction = Callable[[float], SupportsFloat]  # a = f(z)
ScalarDerivative = Callable[[float, float], SupportsFloat]  # f'(z), from z and a
Forward = Callable[[Array], ArrayLike]  # a = f(z)
Backward = Callable[[Array, Array, Array], ArrayLike]  # dz, from z, a and da


class Activation:
    """A registered activation. One made from a Python function is called like that function."""

    def __init__(self, name: str, function: Optional[Callable[..., Any]] = None,
                 derivative: Optional[Callable[..., Any]] = None) -> None:
        self.name = name
        self.function = function
        self.derivative = derivative
        if function is not None:
            functools.update_wrapper(self, function, updated=())

    def __call__(self, *arguments: Any) -> Any:
        if self.function is None:
            raise TypeError(f"activation {self.name!r} is a C function: Python does not call it")
        return self.function(*arguments)

    def __repr__(self) -> str:
        return f"<activation {self.name!r}>"


class Kind(enum.IntEnum):
    """How an activation came."""

    BUILT_IN = 0
    SCALAR = 1
    VECTOR = 2
    FOREIGN = 3
    LIBRARY = 4


class Report(NamedTuple):
    """How a derivative compares with differences of the function."""

    worst_error: float  # relative; below 1e-2 is good
    worst_z: float  # where that is
    points: int  # numbers z where they were compared
    kinks: int  # of them, those at a kink or a jump
    first_kink: float  # NaN for none
    skipped: int  # numbers left out: the function is not finite around them


# Python functions. All functions that register take `replace`: whether a registered name may be taken from another
# activation, which the networks that have it keep. It lets a notebook's cell run again.


def register_scalar(name: str, function: ScalarFunction, derivative: Optional[ScalarDerivative] = None, *,
                    replace: bool = False) -> Activation:
    """Registers a = function(z) of one number, with its derivative(z, a); None for central differences.

    Simple, and slow: Python is called for every number. replace: take the name from the activation that has it, if any.
    InvalidValueError for a name that is taken or malformed.
    """
    numeric = derivative is None
    activation = Activation(name, _function(function), None if numeric else _function(derivative))
    _register(activation.name, replace, lambda name: _callbacks.register(
        library.bp_activation_register_scalar, text(name, "name"), activation, _callbacks.scalar,
        _callbacks.NO_DERIVATIVE if numeric else _callbacks.scalar_derivative))
    return activation


def register_vector(name: str, forward: Forward, backward: Backward, *, replace: bool = False) -> Activation:
    """Registers a = forward(z) and dz = backward(z, a, da) of whole matrices.

    All are float32 of shape (rows, layer size); da and dz are the gradients of the loss with respect to a and z. The
    arguments are read-only views of the library's memory, valid during the call: copy what is to be kept. Another
    shape than z's returned is a ValueError. replace: take the name from the activation that has it, if any.
    InvalidValueError for a name that is taken or malformed.
    """
    activation = Activation(name, _function(forward), _function(backward))
    _register(activation.name, replace, lambda name: _callbacks.register(
        library.bp_activation_register_vector, text(name, "name"), activation, _callbacks.forward, _callbacks.backward))
    return activation


def scalar(*, derivative: Optional[ScalarDerivative] = None, name: Optional[str] = None,
           replace: bool = False) -> Callable[[ScalarFunction], Activation]:
    """A decorator that registers a function of one number, by its own name unless told: see register_scalar."""
    return lambda function: register_scalar(_name(name, function), function, derivative, replace=replace)


def vector(*, backward: Backward, name: Optional[str] = None, replace: bool = False) -> Callable[[Forward], Activation]:
    """A decorator that registers a function of matrices, by its own name unless told: see register_vector."""
    return lambda function: register_vector(_name(name, function), function, backward, replace=replace)


# C functions


def from_library(path: Optional[Path], symbol: str, signature: str, *, derivative: Optional[str] = None,
                 constants: Sequence[SupportsFloat] = (), name: Optional[str] = None, thread_safe: bool = False,
                 replace: bool = False) -> Activation:
    """Registers a function of a shared library, by its own name unless told.

    The signature, such as "d(d)" or "d(d,i)", tells what it returns and takes: f float, d double, i int32, l int64,
    u uint32; the first parameter is z, the others are the constants. A str or bytes are taken as dlopen takes them
    ("libm.so.6" is searched for), None is the process itself. derivative: a function of the same signature in that
    library; None for central differences. thread_safe: several threads may call it at a time. replace: take the name from
    the activation that has it, if any. LibraryError where there is no such library or function; InvalidValueError for a
    signature, constants or a name that are not right.
    """
    activation = Activation(symbol if name is None else name)
    arguments = (_library_path(path), text(symbol, "symbol"), None if derivative is None else text(derivative, "derivative"),
                 text(signature, "signature"), *_native.numbers(constants))
    _register(activation.name, replace, lambda name: call(
        library.bp_activation_register_library, text(name, "name"), *arguments))
    return _shared(activation, thread_safe)


def from_pointer(function: Any, signature: Optional[str] = None, *, derivative: Any = None,
                 constants: Sequence[SupportsFloat] = (), name: Optional[str] = None, thread_safe: bool = False,
                 replace: bool = False) -> Activation:
    """Registers a C function: of ctypes, a numba cfunc, a scipy.LowLevelCallable, or an address.

    The signature is as in from_library; it may be left out where the function tells its types. derivative: such a
    function, too, of the same signature; None for central differences. What is given is kept as long as it is used; an
    address is the caller's to keep. replace: take the name from the activation that has it, if any.
    """
    activation = Activation(_name(name, function))
    _register(activation.name, replace, lambda name: _native.register(name, function, signature, derivative, constants))
    return _shared(activation, thread_safe)


def load_plugin(path: Path) -> None:
    """Loads a plug-in, a file that registers activations of its own: see PLUG-INS in backprop.h.

    LibraryError where it cannot be loaded; CallbackError where it refuses. Then none of its activations is there.
    """
    call(library.bp_plugin_load, encode_path(os.path.abspath(path)))


def set_thread_safe(activation: Union[str, Activation], thread_safe: bool = True) -> None:
    """Declares that several threads may call a C function at a time, for layers that take it up from now on.

    UnsupportedError for built-in activations, and for Python functions: they run on the thread that made the call.
    """
    name = name_of(activation)
    if kind(activation) <= Kind.VECTOR and name.decode() in [getattr(each, "name", None) for each in list(plugins.values())]:
        raise UnsupportedError(f"activation {name.decode()!r} is a Python function", Status.ERROR_UNSUPPORTED)
    call(library.bp_activation_set_thread_safe, name, bool(thread_safe))


# All


def unregister(activation: Union[str, Activation]) -> None:
    """Removes a name. Networks that use the activation go on with it.

    UnknownNameError for a name that is not registered; UnsupportedError for a built-in one.
    """
    call(library.bp_activation_unregister, name_of(activation))


def names() -> list[str]:
    """The names of all activations, built-in ones first."""
    return texts_of(library.bp_activation_name)


def kind(activation: Union[str, Activation]) -> Kind:
    """How an activation came."""
    found = ctypes.c_int32()
    call(library.bp_activation_kind, name_of(activation), ctypes.byref(found))
    return Kind(found.value)


def check(activation: Union[str, Activation]) -> float:
    """The worst relative error of a derivative, compared with differences of the function: below 1e-2 is good."""
    return examine(activation).worst_error


def examine(activation: Union[str, Activation]) -> Report:
    """`check` in more words: where the worst error is, and what kinks were met."""
    report = bp_activation_report(ctypes.sizeof(bp_activation_report))
    call(library.bp_activation_check, name_of(activation), ctypes.byref(ctypes.c_double()), ctypes.byref(report))
    return Report(*(getattr(report, field) for field in Report._fields))


def name_of(activation: Union[str, Activation]) -> bytes:
    """The name of an activation given by name or as itself, as the library takes it."""
    return text(getattr(activation, "name", activation), "activation")


def _name(name: Optional[str], function: Any) -> str:
    found = getattr(function, "__name__", None) if name is None else name
    if found is None:
        raise TypeError("a name is needed: the function has none")
    return found


def _function(given: Any) -> Callable[..., Any]:
    if not callable(given):
        raise TypeError(f"activation: expected a function, got {type(given).__name__}")
    function: Callable[..., Any] = given
    return function


_trials = itertools.count(1)


def _register(name: str, replace: bool, register: Callable[[str], Any]) -> None:
    """Registers by a function of the name. To replace an activation, registers under another name first: a registration
    that fails must leave the one that is there."""
    if replace and _is_replaceable(name):
        trial = f"replacing.{next(_trials)}"
        register(trial)
        unregister(trial)
        unregister(name)
    register(name)


def _is_replaceable(name: str) -> bool:
    try:
        return kind(name) != Kind.BUILT_IN
    except UnknownNameError:
        return False


def _library_path(path: Optional[Path]) -> Optional[bytes]:
    if path is None:
        return None
    return encode_path(path if isinstance(path, (str, bytes)) else os.path.abspath(path))


def _shared(activation: Activation, thread_safe: bool) -> Activation:
    if thread_safe:
        set_thread_safe(activation)
    return activation
