"""Derivatives of activations and losses by the automatic differentiation of JAX or PyTorch."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Literal

import numpy as np

from ._arguments import Array
from ._extras import required

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

__all__ = ["Autodiff", "activation", "loss"]

Autodiff: TypeAlias = Literal["jax", "torch"]
Pair: TypeAlias = "tuple[Callable[..., Any], Callable[..., Any]]"


def activation(function: Callable[[Any], Any], by: Autodiff) -> Pair:
    """forward(z) and backward(z, a, da) on NumPy arrays, from a function of one tensor."""
    forward, pull_back = _jax(function) if _checked(by) == "jax" else _torch(function)
    return forward, lambda z, a, da: pull_back(da, z)[1]


def loss(function: Callable[[Any, Any], Any], by: Autodiff) -> Callable[[Array, Array], tuple[Any, Any]]:
    """losses, gradients = result(outputs, targets) on NumPy arrays, from a function of two tensors that returns the losses."""
    _, pull_back = _jax(function) if _checked(by) == "jax" else _torch(function)
    return lambda outputs, targets: pull_back(None, outputs, targets)


def _checked(by: str) -> str:
    if by not in ("jax", "torch"):
        raise ValueError(f"autodiff: expected 'jax' or 'torch', got {by!r}")
    return by


# Each of these returns f(*arrays), and (f(*arrays), the gradient for the first array) from the gradient for f or, with None,
# of the sum. The arrays are copied, because they are views of the library's memory.


def _jax(function: Callable[..., Any]) -> Pair:
    jax = required("jax", "jax")

    def pulled(gradient: Any, first: Any, *others: Any) -> Any:
        value, pull = jax.vjp(lambda first: function(first, *others), first)
        return value, pull(jax.numpy.ones_like(value) if gradient is None else gradient)[0]

    forward, compiled = jax.jit(function), jax.jit(pulled)

    def pull_back(gradient: Any, *arrays: Array) -> tuple[Any, Any]:
        value, slopes = compiled(gradient if gradient is None else np.array(gradient), *map(np.array, arrays))
        return np.asarray(value), np.asarray(slopes)

    return lambda *arrays: np.asarray(forward(*map(np.array, arrays))), pull_back


def _torch(function: Callable[..., Any]) -> Pair:
    torch = required("torch", "torch")

    def forward(*arrays: Array) -> Any:
        with torch.no_grad():
            return function(*map(torch.tensor, arrays)).numpy()

    def pull_back(gradient: Any, *arrays: Array) -> tuple[Any, Any]:
        first, *others = map(torch.tensor, arrays)
        with torch.enable_grad():
            value = function(first.requires_grad_(), *others)
            towards = torch.ones_like(value) if gradient is None else torch.tensor(gradient)
            slopes = torch.autograd.grad(value, first, towards)[0]
        return value.detach().numpy(), slopes.numpy()

    return forward, pull_back
