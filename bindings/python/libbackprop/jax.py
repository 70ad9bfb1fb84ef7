"""Networks as functions and parameters of JAX. This module needs JAX.

>>> import jax
>>> import numpy as np
>>> import libbackprop as bp
>>> from libbackprop.jax import from_pytree, function, to_pytree
>>> network = bp.Network([4, 8, 3], seed=1)
>>> parameters, apply = to_pytree(network), function(network)
>>> x = np.ones((5, 4), np.float32)
>>> bool(abs(jax.jit(apply)(parameters, x) - network.predict(x)).max() < 1e-5)
True
>>> gradient = jax.grad(lambda parameters: apply(parameters, x).sum())(parameters)
>>> from_pytree(network, jax.tree.map(lambda p, g: p - 0.1 * g, parameters, gradient))
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

import numpy as np

from . import _states
from ._extras import required
from ._layers import Stack
from .network import Network

_jax: Any = required("jax", "jax")
_numpy: Any = required("jax.numpy", "jax")
_nn: Any = _jax.nn

__all__ = ["from_pytree", "function", "to_pytree"]

_ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda z: z, "sign": _numpy.sign, "logistic": _nn.sigmoid, "tanh": _numpy.tanh, "relu": _nn.relu,
    "leaky_relu": lambda z: _nn.leaky_relu(z, 0.01), "elu": _nn.elu, "softplus": _nn.softplus, "softsign": _nn.soft_sign,
    "silu": _nn.silu, "gelu": lambda z: _nn.gelu(z, approximate=False), "selu": _nn.selu, "mish": _nn.mish,
    "hard_sigmoid": _nn.hard_sigmoid, "hard_swish": _nn.hard_swish, "relu6": _nn.relu6, "sine": _numpy.sin,
    "gaussian": lambda z: _numpy.exp(-z * z), "softmax": lambda z: _nn.softmax(z, axis=-1),
}


def to_pytree(network: Network) -> dict[str, Any]:
    """Return the parameters and running statistics of a network as a pytree.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    dict
        Nested dicts of float32 arrays: {"layers": {"1": {"weight": …, "bias": …, "norm": {"weight": …, "bias": …,
        "running_mean": …, "running_var": …}}, …}}. "norm" is there for layers with batch normalization. Weights have the
        shape (outputs, inputs).

    Examples
    --------
    >>> import libbackprop as bp
    >>> from libbackprop.jax import to_pytree
    >>> to_pytree(bp.Network([4, 3]))["layers"]["1"]["weight"].shape
    (3, 4)
    """
    tree: dict[str, Any] = {}
    for name, array in _states.write(network, None).items():
        *path, last = name.split(".")
        branch = tree
        for each in path:
            branch = branch.setdefault(each, {})
        branch[last] = _numpy.asarray(array)
    return tree


def from_pytree(network: Network, tree: Mapping[str, Any]) -> None:
    """Set the parameters and running statistics of a network. A call that fails changes nothing.

    Parameters
    ----------
    network : Network
        A network of the same layers.
    tree : dict
        A pytree as `to_pytree` returns it. ValueError for a missing array or a wrong shape, NotFiniteError.

    Examples
    --------
    >>> import libbackprop as bp
    >>> from libbackprop.jax import from_pytree, to_pytree
    >>> from_pytree(bp.Network([4, 3], seed=1), to_pytree(bp.Network([4, 3], seed=2)))
    """
    state: dict[str, Any] = {}
    _flatten(tree, "", state)
    _states.read(network, state, {})


def _flatten(tree: Any, prefix: str, state: dict[str, Any]) -> None:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            _flatten(value, f"{prefix}{key}.", state)
        else:
            state[prefix + key] = np.asarray(value)


def function(network: Network) -> Callable[[Mapping[str, Any], Any], Any]:
    """Make a function of JAX that computes what `predict` returns, with parameters as an argument.

    The function has the activations and the scaling that the network has now. `jax.jit`, `jax.grad` and `jax.vmap` transform it.

    Parameters
    ----------
    network : Network
        The network. Its activations must be built in: otherwise UnsupportedError names the layer and the activation.

    Returns
    -------
    callable
        A function of a pytree, as `to_pytree` returns it, and of inputs of shape (..., inputs). It returns the outputs, of
        shape (..., outputs), with batch normalization by running statistics and without dropout.

    Examples
    --------
    >>> import numpy as np
    >>> import libbackprop as bp
    >>> from libbackprop.jax import function, to_pytree
    >>> network = bp.Network([4, 3])
    >>> function(network)(to_pytree(network), np.zeros((5, 4), np.float32)).shape
    (5, 3)
    """
    stack = Stack.of(network)
    epsilon = network.get_option("batchnorm_epsilon")
    names = [layer.activation for layer in stack.layers]

    def apply(parameters: Mapping[str, Any], x: Any) -> Any:
        x = _affine(stack.inputs, _numpy.asarray(x, _numpy.float32))
        for number, name in enumerate(names, 1):
            layer = parameters["layers"][str(number)]
            x = _numpy.matmul(x, layer["weight"].T, precision="highest") + layer["bias"]
            if "norm" in layer:
                norm = layer["norm"]
                deviation = _numpy.sqrt(norm["running_var"] + epsilon)
                x = (x - norm["running_mean"]) / deviation * norm["weight"] + norm["bias"]
            x = _ACTIVATIONS[name](x)
        return _affine(stack.outputs, x)

    return apply


def _affine(affine: Any, x: Any) -> Any:
    if affine is None:
        return x
    offset, factor, shift = (np.asarray(part, np.float32) for part in (affine.offset, affine.factor, affine.shift))
    return (x - offset) * factor + shift
