"""Custom activations: Python functions, or C functions from any library. Networks use them by name, like built-in ones.

    @bp.activation.vector(backward=lambda z, a, da: da * (1 - a * a))
    def my_tanh(z):
        return np.tanh(z)

    erf = bp.activation.from_library("libm.so.6", "erf", "d(d)")

    network.set_activation(1, my_tanh)  # or "my_tanh"
    network.set_activation(2, erf)

If a Python function raises an exception, the call that needed the function raises the exception again and leaves the
network as it was.

All functions that register accept `replace`. With replace=True the name may belong to another registered activation;
networks that use the other activation keep it. So a notebook cell can run twice.
"""
from __future__ import annotations

import ctypes
import enum
import functools
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional, SupportsFloat, Union, overload

from numpy.typing import ArrayLike

from . import _autodiff, _callbacks, _native
from ._arguments import Array, Path, encode_path, function_name, text
from ._call import call, plugins, replaced, texts_of
from ._library import library
from ._prototypes import bp_activation_report
from .errors import Status, UnsupportedError

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

__all__ = [
    "Activation", "Backward", "Forward", "Kind", "Report", "ScalarDerivative", "ScalarFunction", "check", "examine",
    "from_library", "from_pointer", "kind", "load_plugin", "name_of", "names", "register_scalar", "register_vector", "scalar",
    "set_thread_safe", "unregister", "vector",
]

ScalarFunction: TypeAlias = Callable[[float], SupportsFloat]  # a = f(z)
ScalarDerivative: TypeAlias = Callable[[float, float], SupportsFloat]  # f'(z), from z and a
Forward: TypeAlias = Callable[[Array], ArrayLike]  # a = f(z)
Backward: TypeAlias = Callable[[Array, Array, Array], ArrayLike]  # dz, from z, a and da


class Activation:
    """A registered activation. An activation from a Python function can be called like that function.

    A pickle of one refers to the module-level variable that has its name, or else contains its Python functions. Loading
    registers the functions, unless the process itself registered an activation of that name. A pickle of a C function contains
    the name only.

    Examples
    --------
    >>> square = bp.activation.register_scalar("square", lambda z: z * z, replace=True)
    >>> square, square(3)
    (<activation 'square'>, 9)
    """

    def __init__(self, name: str, function: Optional[Callable[..., Any]] = None,
                 derivative: Optional[Callable[..., Any]] = None,
                 register: Optional[Callable[..., Activation]] = None) -> None:
        self.name = name
        self._register = register  # the function that registers `function` and `derivative` in another process
        self.function = function
        self.derivative = derivative
        if function is not None:
            functools.update_wrapper(self, function, updated=())

    def __call__(self, *arguments: Any) -> Any:
        if self.function is None:
            raise TypeError(f"activation {self.name!r} is a C function: Python cannot call it")
        return self.function(*arguments)

    def __repr__(self) -> str:
        return f"<activation {self.name!r}>"

    def __copy__(self) -> Activation:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Activation:
        return self

    def __reduce__(self) -> Union[str, tuple[Any, ...]]:
        variable = getattr(self, "__qualname__", "")
        if self.__module__ != "__main__" and getattr(sys.modules.get(self.__module__), variable, None) is self:
            return variable  # an import of the module registers it
        return _loaded, (self.name, self.function, self.derivative, self._register)


class Kind(enum.IntEnum):
    """How an activation was registered.

    Examples
    --------
    >>> bp.activation.Kind(0)
    <Kind.BUILT_IN: 0>
    """

    BUILT_IN = 0
    SCALAR = 1
    VECTOR = 2
    FOREIGN = 3
    LIBRARY = 4


class Report(NamedTuple):
    """The comparison of a derivative with differences of the function.

    Examples
    --------
    >>> report = bp.activation.examine("relu")
    >>> report.first_kink, bool(report.worst_error < 1e-2)
    (0.0, True)
    """

    worst_error: float  # relative; below 1e-2 is good
    worst_z: float  # the z of the worst error
    points: int  # number of compared values z
    kinks: int  # number of compared values at a kink or a jump
    first_kink: float  # the z of a kink or a jump; NaN for none
    skipped: int  # number of skipped values, near which the function is not finite


# Python functions


def register_scalar(name: str, function: ScalarFunction, derivative: Optional[ScalarDerivative] = None, *,
                    replace: bool = False) -> Activation:
    """Registers a Python function of one number, a = function(z), with its derivative(z, a).

    z, a and the results are float. derivative: None for central differences. Slow: Python calls the function for every
    number. A function of numba (`@numba.njit`) is not slow: it is compiled to a C function, which is called without Python
    and on several threads. It must not raise an exception: numba would print and ignore it. replace: see the module.

    InvalidValueError for a malformed name or one that is already registered; TypeError for an object that is not callable.

    Examples
    --------
    >>> square = bp.activation.register_scalar("square", lambda z: z * z, lambda z, a: 2 * z, replace=True)
    >>> bool(bp.activation.check(square) < 1e-2)
    True
    """
    if _native.is_jitted(function):
        value, slope = _native.compiled(function, derivative)
        activation = from_pointer(value, derivative=slope, name=name, thread_safe=True, replace=replace)
        activation.function, activation.derivative, activation._register = function, derivative, register_scalar
        return activation
    numeric = derivative is None
    activation = Activation(name, _function(function), None if numeric else _function(derivative), register_scalar)
    replaced(activation.name, replace, unregister, lambda name: _callbacks.register(
        library.bp_activation_register_scalar, text(name, "name"), activation, _callbacks.scalar,
        _callbacks.NO_DERIVATIVE if numeric else _callbacks.scalar_derivative))
    return activation


def register_vector(name: str, forward: Forward, backward: Backward, *, replace: bool = False) -> Activation:
    """Registers Python functions of whole matrices, a = forward(z) and dz = backward(z, a, da).

    All arrays are float32 of shape (rows, layer size). da and dz are the gradients of the loss with respect to a and z.
    The arguments are read-only views of the library's memory. They are valid during the call only: copy an array to keep
    it. A result of another shape is a ValueError. replace: see the module. InvalidValueError for a malformed name or one
    that is already registered; TypeError for an object that is not callable.

    Examples
    --------
    >>> cube = bp.activation.register_vector("cube", lambda z: z**3, lambda z, a, da: da * 3 * z**2, replace=True)
    >>> bool(bp.activation.check(cube) < 1e-2)
    True
    """
    activation = Activation(name, _function(forward), _function(backward), register_vector)
    replaced(activation.name, replace, unregister, lambda name: _callbacks.register(
        library.bp_activation_register_vector, text(name, "name"), activation, _callbacks.forward, _callbacks.backward))
    return activation


@overload
def scalar(function: ScalarFunction, /) -> Activation: ...
@overload
def scalar(*, derivative: Optional[ScalarDerivative] = None, name: Optional[str] = None,
           replace: bool = False) -> Callable[[ScalarFunction], Activation]: ...


def scalar(function: Optional[ScalarFunction] = None, /, *, derivative: Optional[ScalarDerivative] = None,
           name: Optional[str] = None, replace: bool = False) -> Union[Activation, Callable[[ScalarFunction], Activation]]:
    """A decorator that registers a function of one number, with or without arguments. See register_scalar.

    name: None for the name of the function.

    Examples
    --------
    >>> @bp.activation.scalar(derivative=lambda z, a: 2 * z, replace=True)
    ... def square(z):
    ...     return z * z
    >>> bp.Network([1, 2, 1], activation=square).activations
    ('square', 'logistic')
    """
    if function is not None:
        return register_scalar(function_name(name, function), function, derivative, replace=replace)
    return lambda function: register_scalar(function_name(name, function), function, derivative, replace=replace)


@overload
def vector(_: None = None, /, *, backward: Backward, name: Optional[str] = None,
           replace: bool = False) -> Callable[[Forward], Activation]: ...
@overload
def vector(_: None = None, /, *, autodiff: _autodiff.Autodiff, name: Optional[str] = None,
           replace: bool = False) -> Callable[[Callable[[Any], Any]], Activation]: ...


def vector(_: None = None, /, *, backward: Optional[Backward] = None, autodiff: Optional[_autodiff.Autodiff] = None,
           name: Optional[str] = None, replace: bool = False) -> Callable[[Callable[[Any], Any]], Activation]:
    """A decorator that registers a function of matrices. See register_vector.

    backward: the derivative. Instead of it, autodiff "jax" or "torch": the function is then one of arrays of JAX, or of
    tensors of PyTorch, whose automatic differentiation computes the derivative. name: None for the name of the function.

    Examples
    --------
    >>> @bp.activation.vector(backward=lambda z, a, da: da * (1 - a * a), replace=True)
    ... def my_tanh(z):
    ...     return np.tanh(z)
    >>> bool(bp.activation.check(my_tanh) < 1e-2)
    True
    """
    if _ is not None or (backward is None) == (autodiff is None):
        raise TypeError("vector: expected the function below @vector(backward=...) or @vector(autodiff=...), "
                        "not as an argument")

    def register(function: Callable[[Any], Any]) -> Activation:
        if backward is not None:
            return register_vector(function_name(name, function), function, backward, replace=replace)
        assert autodiff is not None
        return register_vector(
            function_name(name, function), *_autodiff.activation(_function(function), autodiff), replace=replace)

    return register


# C functions


def from_library(path: Optional[Path], symbol: str, signature: str, *, derivative: Optional[str] = None,
                 constants: Sequence[SupportsFloat] = (), name: Optional[str] = None, thread_safe: bool = False,
                 replace: bool = False) -> Activation:
    """Registers a function of a shared library.

    path: a str or bytes is passed to dlopen, which searches for a name without a slash, such as "libm.so.6". A path object
    is a file. None is the process itself. symbol: the name of the function in the library.

    signature: the types of the result and of the parameters, such as "d(d)" or "d(d,i)": f is float, d double, i int32,
    l int64, u uint32. The first parameter is z; the others are the constants. derivative: the name of a function of the
    same signature in the same library; None for central differences. name: None for the symbol. thread_safe: whether
    several threads may call the function at the same time. replace: see the module.

    LibraryError for a library or function that does not exist; InvalidValueError for an invalid signature or constant, or
    a name that is malformed or already registered.

    Examples
    --------
    >>> erf = bp.activation.from_library("libm.so.6", "erf", "d(d)", replace=True)
    >>> network = bp.Network([1, 3, 1], activation=erf)
    """
    activation = Activation(symbol if name is None else name)
    arguments = (_library_path(path), text(symbol, "symbol"), None if derivative is None else text(derivative, "derivative"),
                 text(signature, "signature"), *_native.numbers(constants))
    replaced(activation.name, replace, unregister, lambda name: call(
        library.bp_activation_register_library, text(name, "name"), *arguments))
    return _declared(activation, thread_safe)


def from_pointer(function: Any, signature: Optional[str] = None, *, derivative: Any = None,
                 constants: Sequence[SupportsFloat] = (), name: Optional[str] = None, thread_safe: bool = False,
                 replace: bool = False) -> Activation:
    """Registers a C function: a ctypes function, a numba cfunc, a scipy.LowLevelCallable, or an address (int).

    signature, constants, thread_safe: as in from_library. signature: None if the function object has its types.
    derivative: a C function of the same signature; None for central differences. name: None for the name of the function.
    replace: see the module. The function objects are kept as long as the activation is used. The code at an address must
    be kept valid by the caller.

    TypeError for an object of another type, or without a signature or a name; ValueError for a NULL function or functions
    of different signatures; InvalidValueError for an invalid signature or constant, or a name that is malformed or already
    registered.

    Examples
    --------
    >>> import ctypes
    >>> twice = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda z: 2 * z)
    >>> bp.activation.from_pointer(twice, name="twice", replace=True)
    <activation 'twice'>
    """
    activation = Activation(function_name(name, function))
    replaced(activation.name, replace, unregister, lambda name: _native.register(
        name, function, signature, derivative, constants))
    return _declared(activation, thread_safe)


def load_plugin(path: Path) -> None:
    """Loads a plug-in, a shared library that registers activations. See PLUG-INS in backprop.h.

    LibraryError for a file that cannot be loaded; CallbackError for a plug-in that reports a failure; InvalidValueError
    for a name that is already registered. On failure no activation of the plug-in is registered.

    Examples
    --------
    >>> try:
    ...     bp.load_plugin("missing.so")
    ... except bp.LibraryError:
    ...     print("no such file")
    no such file
    """
    call(library.bp_plugin_load, encode_path(os.path.abspath(path)))


def set_thread_safe(activation: Union[str, Activation], thread_safe: bool = True) -> None:
    """Declares that several threads may call a C function at the same time. Affects layers whose activation is set later.

    UnsupportedError for built-in activations and for Python functions, which run on the calling thread; UnknownNameError.

    Examples
    --------
    >>> erf = bp.activation.from_library("libm.so.6", "erf", "d(d)", replace=True)
    >>> bp.activation.set_thread_safe(erf)
    """
    name = name_of(activation)
    if kind(activation) <= Kind.VECTOR and name.decode() in [getattr(each, "name", None) for each in list(plugins.values())]:
        raise UnsupportedError(f"activation {name.decode()!r} is a Python function", Status.ERROR_UNSUPPORTED)
    call(library.bp_activation_set_thread_safe, name, bool(thread_safe))


# All activations


def unregister(activation: Union[str, Activation]) -> None:
    """Removes the name of an activation. Networks that use the activation keep it.

    UnknownNameError for a name that is not registered, UnsupportedError for a built-in activation.

    Examples
    --------
    >>> half = bp.activation.register_scalar("half", lambda z: z / 2)
    >>> bp.activation.unregister(half)
    >>> "half" in bp.activation.names()
    False
    """
    call(library.bp_activation_unregister, name_of(activation))


def names() -> list[str]:
    """The names of all activations, built-in ones first.

    Examples
    --------
    >>> bp.activation.names()[:5]
    ['identity', 'sign', 'logistic', 'tanh', 'relu']
    """
    return texts_of(library.bp_activation_name)


def kind(activation: Union[str, Activation]) -> Kind:
    """How an activation was registered. UnknownNameError for a name that is not registered.

    Examples
    --------
    >>> bp.activation.kind("relu")
    <Kind.BUILT_IN: 0>
    """
    found = ctypes.c_int32()
    call(library.bp_activation_kind, name_of(activation), ctypes.byref(found))
    return Kind(found.value)


def check(activation: Union[str, Activation]) -> float:
    """The largest relative error of a derivative compared with differences of the function. Below 1e-2 is good.

    Errors as in examine.

    Examples
    --------
    >>> bool(bp.activation.check("tanh") < 1e-2)
    True
    """
    return examine(activation).worst_error


def examine(activation: Union[str, Activation]) -> Report:
    """Like `check`, with details: the z of the worst error, and the kinks.

    UnknownNameError; UnsupportedError for "sign"; NotFiniteError for a function that is finite nowhere. Exceptions of the
    activation function are raised again.

    Examples
    --------
    >>> bp.activation.examine("relu").first_kink
    0.0
    """
    report = bp_activation_report(ctypes.sizeof(bp_activation_report))
    call(library.bp_activation_check, name_of(activation), ctypes.byref(ctypes.c_double()), ctypes.byref(report))
    return Report(*(getattr(report, field) for field in Report._fields))


def name_of(activation: Union[str, Activation]) -> bytes:
    """The name of an activation as UTF-8, for the library.

    Examples
    --------
    >>> bp.activation.name_of("relu")
    b'relu'
    """
    return text(getattr(activation, "name", activation), "activation")


def _function(given: Any) -> Callable[..., Any]:
    if not callable(given):
        raise TypeError(f"activation: expected a function, got {type(given).__name__}")
    function: Callable[..., Any] = given
    return function


_from_pickles: set[str] = set()  # names that _loaded registered: a later pickle replaces the functions


def _loaded(name: str, *functions: Any) -> Activation:
    """The Activation of a pickle, from the arguments of Activation. An activation that the process itself registered stays."""
    activation = Activation(name, *functions)
    if activation._register is None or (name in names() and name not in _from_pickles):
        return activation
    _from_pickles.add(name)
    return activation._register(name, activation.function, activation.derivative, replace=True)


def _library_path(path: Optional[Path]) -> Optional[bytes]:
    if path is None:
        return None
    return encode_path(path if isinstance(path, (str, bytes)) else os.path.abspath(path))


def _declared(activation: Activation, thread_safe: bool) -> Activation:
    if thread_safe:
        set_thread_safe(activation)
    return activation
