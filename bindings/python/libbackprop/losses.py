"""Custom losses: NumPy functions. Networks use them by name, like built-in ones.

    @bp.loss
    def fourth_power(outputs, targets):
        e = outputs - targets
        return (e ** 4).sum(axis=1), 4 * e ** 3

    network.set_loss(fourth_power)  # or "fourth_power"

If the function raises an exception, the call that needed it raises the exception again and leaves the network as it was.
"""
from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable, Optional, Union, overload

from numpy.typing import ArrayLike

from . import _autodiff, _callbacks
from ._arguments import Array, floats, function_name, matrix, pointer, text, unsigned
from ._call import call, replaced
from ._library import library

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

__all__ = ["Loss", "LossFunction", "check_loss", "loss", "unregister_loss"]

LossFunction: TypeAlias = Callable[[Array, Array], Sequence[ArrayLike]]  # losses and gradients, from outputs and targets


class Loss:
    """A registered loss. It can be called like its function.

    Examples
    --------
    >>> @bp.loss(replace=True)
    ... def absolute(outputs, targets):
    ...     return abs(outputs - targets).sum(axis=1), np.sign(outputs - targets)
    >>> absolute, absolute.name
    (<loss 'absolute'>, 'absolute')
    """

    def __init__(self, name: str, function: LossFunction, target_columns: int) -> None:
        self.name = name
        self.function = function
        self.target_columns = target_columns
        functools.update_wrapper(self, function, updated=())

    def __call__(self, outputs: Array, targets: Array) -> Sequence[ArrayLike]:
        return self.function(outputs, targets)

    def __repr__(self) -> str:
        return f"<loss {self.name!r}>"


@overload
def loss(function: LossFunction) -> Loss: ...


@overload
def loss(*, name: Optional[str] = None, target_columns: int = 0,
         replace: bool = False) -> Callable[[LossFunction], Loss]: ...


@overload
def loss(*, autodiff: _autodiff.Autodiff, name: Optional[str] = None, target_columns: int = 0,
         replace: bool = False) -> Callable[[Callable[[Any, Any], Any]], Loss]: ...


def loss(function: Optional[LossFunction] = None, *, autodiff: Optional[_autodiff.Autodiff] = None,
         name: Optional[str] = None, target_columns: int = 0, replace: bool = False) -> Any:
    """A decorator that registers a NumPy function as a loss: losses, gradients = function(outputs, targets).

    outputs: float32 of shape (rows, outputs). targets: (rows, target_columns). losses: (rows,), kept in double precision.
    gradients: the derivatives of each row's loss with respect to its outputs, (rows, outputs). A row's loss must depend
    on this row only. The arguments are read-only views of the library's memory, valid during the call only. Compute the
    losses in float64, as in `outputs.astype(float)`: losses that are rounded to float32 can fail the checks of a right gradient.

    autodiff: "jax" or "torch" for a function that returns the losses only, from arrays of JAX or tensors of PyTorch. Their
    automatic differentiation computes the gradients. It can be called like a function of NumPy arrays.

    name: None for the name of the function. target_columns: the size of a row of targets; 0 for the number of outputs.
    replace: as for activations. InvalidValueError for a malformed name or one that is already registered; TypeError for
    an object that is not callable, or has no name.

    Examples
    --------
    >>> @bp.loss(replace=True)
    ... def fourth_power(outputs, targets):
    ...     e = outputs - targets
    ...     return (e ** 4).sum(axis=1), 4 * e ** 3
    >>> bp.Network([2, 1], output="identity", loss=fourth_power).loss
    'fourth_power'
    """
    if function is None:
        return lambda function: _register(function, name, target_columns, replace, autodiff)
    return _register(function, name, target_columns, replace)


def unregister_loss(loss: Union[str, Loss]) -> None:
    """Removes the name of a loss. Networks that use it keep it. UnknownNameError; UnsupportedError if it is built in.

    Examples
    --------
    >>> made = bp.loss(lambda a, y: ((a - y).sum(axis=1), np.ones_like(a)), name="short_lived")
    >>> bp.unregister_loss(made)
    >>> "short_lived" in bp.loss_names()
    False
    """
    call(library.bp_loss_unregister, _name_of(loss))


def check_loss(loss: Union[str, Loss], outputs: ArrayLike, targets: ArrayLike) -> float:
    """The largest relative error of a registered loss's gradient compared with differences of its losses. Below 1e-2 is good.

    loss: the result of `bp.loss`, or its name. outputs: shape (rows, outputs). targets: shape (rows, target_columns).
    The differences need losses that are computed in float64. UnknownNameError; UnsupportedError for a built-in loss;
    NotFiniteError. Exceptions of the function are raised again.

    Examples
    --------
    >>> @bp.loss(replace=True)
    ... def squared(outputs, targets):
    ...     e = outputs - targets
    ...     return (e ** 2).sum(axis=1), 2 * e
    >>> bool(bp.check_loss(squared, [[1, 2]], [[0, 3]]) < 1e-2)
    True
    """
    from .network import Network  # imports this module

    a = floats(outputs, "outputs")
    if a.ndim != 2:
        raise ValueError(f"outputs: expected shape (rows, outputs), got {a.shape}")
    network = Network((1, a.shape[1]))
    network.set_loss(loss)
    y = matrix(targets, network._target_columns, "targets")  # of the loss that has this name now
    if len(a) != len(y):
        raise ValueError(f"targets: expected {len(a)} rows, as outputs has, got {len(y)}")
    worst = ctypes.c_double()
    call(library.bp_loss_check, _name_of(loss), pointer(a), pointer(y), *a.shape, ctypes.byref(worst))
    return worst.value


def _name_of(loss: Union[str, Loss]) -> bytes:
    return text(getattr(loss, "name", loss), "loss")


def _register(function: LossFunction, name: Optional[str], target_columns: int, replace: bool,
              autodiff: Optional[_autodiff.Autodiff] = None) -> Loss:
    if not callable(function):
        raise TypeError(f"loss: expected a function, got {type(function).__name__}")
    columns = unsigned(target_columns, "target_columns")
    used = function if autodiff is None else functools.wraps(function)(_autodiff.loss(function, autodiff))
    made = Loss(function_name(name, function), used, columns)
    replaced(made.name, replace, unregister_loss, lambda name: _callbacks.register(
        library.bp_loss_register, text(name, "name"), made, columns, _callbacks.loss))
    return made
