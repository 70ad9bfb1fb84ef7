"""Networks from and to PyTorch, and `Layer`: a network as a part of a PyTorch model. This module needs PyTorch.

>>> import torch
>>> from libbackprop.torch import from_module, to_module
>>> module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3)).eval()
>>> network = from_module(module)
>>> x = torch.randn(5, 4)
>>> bool((to_module(network)(x) - module(x)).abs().max() < 1e-5)
True
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable, Optional

import numpy as np

from . import _states
from ._arguments import Array
from ._extras import required
from ._layers import Affine, Stack, unsupported
from ._untyped import Untyped
from .errors import UnsupportedError
from .network import Network

_torch: Any = required("torch", "torch")
_autograd: Any = required("torch.autograd.function", "torch")
_nn: Any = _torch.nn

if TYPE_CHECKING:
    class _Module(Untyped): ...

    class _Function(Untyped):
        apply: Any
else:
    _Module, _Function = _nn.Module, _torch.autograd.Function

__all__ = ["Layer", "Scale", "from_module", "load_state_dict", "state_dict", "to_module"]


class Scale(_Module):
    """A module that computes (x - offset) * factor + shift: the scaling of a network.

    Parameters
    ----------
    offset, factor, shift : array-like of shape (units,)
        The constants, which are buffers of the module.

    Examples
    --------
    >>> import torch
    >>> from libbackprop.torch import Scale
    >>> Scale([1.0, 2.0], [10.0, 10.0], [0.0, 1.0])(torch.tensor([[2.0, 3.0]]))
    tensor([[10., 11.]])
    """

    offset: Any
    factor: Any
    shift: Any

    def __init__(self, offset: Any, factor: Any, shift: Any) -> None:
        super().__init__()
        for name, values in (("offset", offset), ("factor", factor), ("shift", shift)):
            self.register_buffer(name, _tensor(values))

    def forward(self, x: Any) -> Any:
        """Compute the scaled numbers.

        Parameters
        ----------
        x : torch.Tensor of shape (rows, units)
            The numbers.

        Returns
        -------
        torch.Tensor
            The scaled numbers, of the same shape.
        """
        return (x - self.offset) * self.factor + self.shift


class _Sine(_Module):
    def forward(self, x: Any) -> Any:
        return _torch.sin(x)


class _Gaussian(_Module):
    def forward(self, x: Any) -> Any:
        return _torch.exp(-x * x)


class _Sign(_Module):
    def forward(self, x: Any) -> Any:
        return _torch.sign(x)


_MODULES: dict[str, Callable[[], Any]] = {
    "identity": _nn.Identity, "sign": _Sign, "logistic": _nn.Sigmoid, "tanh": _nn.Tanh, "relu": _nn.ReLU,
    "leaky_relu": lambda: _nn.LeakyReLU(0.01), "elu": _nn.ELU, "softplus": _nn.Softplus, "softsign": _nn.Softsign,
    "silu": _nn.SiLU, "gelu": _nn.GELU, "selu": _nn.SELU, "mish": _nn.Mish, "hard_sigmoid": _nn.Hardsigmoid,
    "hard_swish": _nn.Hardswish, "relu6": _nn.ReLU6, "sine": _Sine, "gaussian": _Gaussian,
    "softmax": lambda: _nn.Softmax(dim=-1),
}
_SETTINGS = ("negative_slope", "alpha", "beta", "threshold", "approximate", "lambd", "min_val", "max_val")


def from_module(module: Any) -> Network:
    """Make a network of a PyTorch module.

    Parameters
    ----------
    module : torch.nn.Module
        A Sequential, also of Sequentials, of Linear, BatchNorm1d, Dropout, Flatten, Identity, Scale, and the activations
        that the library has: ReLU, Tanh, Sigmoid, LeakyReLU, ELU, SELU, GELU, SiLU, Mish, Softplus, Softsign, ReLU6,
        Hardsigmoid, Hardswish, and Softmax. For other models, use `load_state_dict`.

    Returns
    -------
    Network
        A network that predicts what the module computes after `eval()`, to float32 accuracy. UnsupportedError names the first
        module that has no counterpart.

    Examples
    --------
    >>> from torch import nn
    >>> from libbackprop.torch import from_module
    >>> module = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.GELU(), nn.Linear(8, 3), nn.Softmax(dim=1))
    >>> from_module(module).activations
    ('gelu', 'softmax')
    """
    if not isinstance(module, _nn.Module):
        raise TypeError(f"module: expected a torch.nn.Module, got {type(module).__name__}")
    stack = Stack()
    _append(stack, module, "")
    return stack.network(Network)


def _append(stack: Stack, module: Any, name: str) -> None:
    if isinstance(module, _nn.Sequential):
        for child, part in module.named_children():
            _append(stack, part, f"{name}.{child}" if name else child)
        return
    try:
        _append_one(stack, module)
    except UnsupportedError as error:
        raise unsupported(f"module {name!r} ({_described(module)}): {error}") from None


def _described(module: Any) -> str:
    return type(module).__name__ if any(module.children()) else str(module)


def _append_one(stack: Stack, module: Any) -> None:
    activation = _activation(module)
    if activation is not None:
        stack.activation(activation)
    elif type(module) is _nn.Linear:
        stack.linear(_array(module.weight), None if module.bias is None else _array(module.bias))
    elif type(module) is _nn.BatchNorm1d and module.running_mean is not None:
        ones = np.ones(module.num_features)
        gamma, beta = (ones, 0 * ones) if module.weight is None else (_array(module.weight), _array(module.bias))
        stack.norm(gamma, beta, _array(module.running_mean), _array(module.running_var), module.eps)
    elif type(module) is _nn.Dropout:
        stack.dropout(module.p)
    elif type(module) is Scale:
        stack.affine(Affine(*(_array(part).astype(float) for part in (module.offset, module.factor, module.shift))))
    elif type(module) is not _nn.Flatten or (module.start_dim, module.end_dim) != (1, -1):
        remedy = ": convert an nn.Sequential of its layers, or use load_state_dict" if any(module.children()) else ""
        raise unsupported(f"it has no counterpart{remedy}")


def _activation(module: Any) -> Optional[str]:
    """The name of the activation that a module computes."""
    if type(module) is _nn.Softmax:
        return "softmax" if module.dim in (1, -1) else None
    for name, make in _MODULES.items():
        made = make()
        if type(module) is type(made) and all(getattr(module, each, None) == getattr(made, each, None) for each in _SETTINGS):
            return name
    return None


def to_module(network: Network) -> Any:
    """Make a PyTorch module of a network.

    Parameters
    ----------
    network : Network
        The network. Its activations must be built in: otherwise UnsupportedError names the layer and the activation.

    Returns
    -------
    torch.nn.Sequential
        A module of Linear, BatchNorm1d, activations, Dropout, and Scale if the network scales its inputs or targets. After
        `eval()`, which this function calls, it computes what `predict` returns, to float32 accuracy. It does not share memory
        with the network. To export it without this package, remove the scaling: see `Network.fit_scaling`.

    Examples
    --------
    >>> import libbackprop as bp
    >>> from libbackprop.torch import to_module
    >>> to_module(bp.Network([4, 3]))
    Sequential(
      (0): Linear(in_features=4, out_features=3, bias=True)
      (1): Sigmoid()
    )
    """
    stack = Stack.of(network)
    parts = [] if stack.inputs is None else [_scale(stack.inputs)]
    for layer in stack.layers:
        linear = _nn.Linear(*layer.weight.shape[::-1])
        linear.load_state_dict({"weight": _tensor(layer.weight), "bias": _tensor(layer.bias)})
        parts.append(linear)
        if layer.norm is not None:
            norm = _nn.BatchNorm1d(len(layer.bias), eps=layer.norm.epsilon, momentum=network.get_option("batchnorm_momentum"))
            norm.load_state_dict({
                "weight": _tensor(layer.norm.gamma), "bias": _tensor(layer.norm.beta),
                "running_mean": _tensor(layer.norm.mean), "running_var": _tensor(layer.norm.variance),
                "num_batches_tracked": _torch.tensor(0)})
            parts.append(norm)
        if layer.activation != "identity":
            parts.append(_MODULES[layer.activation]())
        if layer.dropout:
            parts.append(_nn.Dropout(layer.dropout))
    if stack.outputs is not None:
        parts.append(_scale(stack.outputs))
    return _nn.Sequential(*parts).eval()


def load_state_dict(network: Network, state: Mapping[str, Any], mapping: Optional[Mapping[str, str]] = None) -> None:
    """Set the parameters of a network to those of a state dictionary. A call that fails changes nothing.

    Parameters
    ----------
    network : Network
        A network of the same layers, with batch normalization where the model has it.
    state : mapping of str to torch.Tensor or array
        The result of `module.state_dict()`, or of `torch.load` of a file.
    mapping : mapping of str to str, optional
        The names in the state dictionary for layers, such as {"layers.1": "fc1", "layers.1.norm": "bn1"}, or for single
        tensors, such as {"layers.2.weight": "head.kernel"}. None: weight matrices and batch normalizations are those of the
        network in the order of the state dictionary. ValueError for a missing name or a wrong shape. A missing bias is 0.

    Examples
    --------
    >>> import torch
    >>> import libbackprop as bp
    >>> from libbackprop.torch import load_state_dict
    >>> network = bp.Network([4, 3])
    >>> load_state_dict(network, {"head.weight": torch.ones(3, 4), "head.bias": torch.zeros(3)}, {"layers.1": "head"})
    >>> network.tensors["layers.1.weight"].sum()
    np.float32(12.0)
    """
    _states.read(network, {name: _array(value) for name, value in state.items()}, mapping)


def state_dict(network: Network, mapping: Optional[Mapping[str, str]] = None) -> dict[str, Any]:
    """Return the parameters and running statistics of a network as tensors, for `module.load_state_dict`.

    Parameters
    ----------
    network : Network
        The network. Its scaling is not part of the result.
    mapping : mapping of str to str, optional
        The names in the result, as in `load_state_dict`. None for the names of `network.tensors`.

    Returns
    -------
    dict of str to torch.Tensor
        The tensors. They do not share memory with the network.

    Examples
    --------
    >>> import libbackprop as bp
    >>> from libbackprop.torch import state_dict
    >>> list(state_dict(bp.Network([4, 3]), {"layers.1": "fc"}))
    ['fc.weight', 'fc.bias']
    """
    return {name: _tensor(array) for name, array in _states.write(network, mapping).items()}


class Layer(_Module):
    """A network as a part of a PyTorch model.

    The parameters of the network are one Parameter of PyTorch, `parameters_`, a vector in the order of `Network.parameters`. So
    any optimizer of PyTorch trains them, together with the rest of the model, and the state dictionary contains them. The
    gradient comes from `Network.backpropagate`. The optimizer and the loss of the network are not used.

    Computations are on the CPU in float32. Inputs on other devices, and of other types, are converted, and so are the outputs.
    Second derivatives are not available.

    Parameters
    ----------
    network : Network
        The network, of which the layer holds a copy. UnsupportedError for batch normalization and dropout, which differ between
        training and prediction: use the modules of PyTorch around the layer, or `Network.fold_batchnorm`.

    Attributes
    ----------
    parameters_ : torch.nn.Parameter
        The parameters, float32, shape (parameter_count,).

    Examples
    --------
    >>> import torch
    >>> import libbackprop as bp
    >>> from libbackprop.torch import Layer
    >>> model = torch.nn.Sequential(Layer(bp.Network([4, 8, 2], seed=1)), torch.nn.Linear(2, 1))
    >>> optimizer = torch.optim.Adam(model.parameters(), 0.01)
    >>> loss = model(torch.randn(16, 4)).square().mean()
    >>> loss.backward()
    >>> optimizer.step()
    >>> model[0].network.layers
    (4, 8, 2)
    """

    parameters_: Any

    def __init__(self, network: Network) -> None:
        super().__init__()
        if any(network.batchnorm):
            raise unsupported("Layer: the network has batch normalization: see Network.fold_batchnorm")
        if any(network.get_dropout(layer) for layer in range(1, len(network.layers) - 1)):
            raise unsupported("Layer: the network has dropout: set it to 0, and use torch.nn.Dropout")
        self._network = network.clone()
        self.parameters_ = _nn.Parameter(_tensor(network.parameters))

    @property
    def network(self) -> Network:
        """A copy of the network with the present parameters."""
        return self._updated(self.parameters_).clone()

    def _updated(self, parameters: Any) -> Network:
        self._network.parameters = _array(parameters)  # always: `_version` does not count changes through `.data`
        return self._network

    def forward(self, x: Any) -> Any:
        """Compute the outputs of the network.

        Parameters
        ----------
        x : torch.Tensor of shape (..., inputs)
            The inputs.

        Returns
        -------
        torch.Tensor
            The outputs, of shape (..., outputs) and of the type and device of the inputs.
        """
        outputs = _Apply.apply(x.reshape(-1, x.shape[-1]), self.parameters_, self)
        return outputs.reshape(*x.shape[:-1], outputs.shape[-1])

    def extra_repr(self) -> str:
        """Describe the network in the representation of the model.

        Returns
        -------
        str
            The representation of the network.
        """
        return repr(self._network)


class _Apply(_Function):
    """The outputs [rows][outputs] of a layer for rows [rows][inputs] and parameters."""

    @staticmethod
    def forward(context: Any, x: Any, parameters: Any, layer: Layer) -> Any:
        context.layer = layer
        context.save_for_backward(x, parameters)
        return _like(layer._updated(parameters).predict(_array(x)), x)

    @staticmethod
    @_autograd.once_differentiable  # type: ignore[untyped-decorator]
    def backward(context: Any, output_gradients: Any) -> tuple[Any, ...]:
        x, parameters = context.saved_tensors
        for_inputs, for_parameters, _ = context.needs_input_grad
        rows, derivatives = _array(x), _array(output_gradients)
        network = context.layer._updated(parameters)
        inputs_gradient: Any = None
        gradient: Any = None
        if not len(rows):
            inputs_gradient, gradient = np.zeros_like(rows), np.zeros(network.parameter_count, np.float32)
        elif not for_parameters:
            inputs_gradient = network.input_gradients(rows, derivatives)
        elif for_inputs:
            gradient, inputs_gradient = network.backpropagate_to_inputs(rows, derivatives)
        else:
            gradient = network.backpropagate(rows, derivatives)
        return (_like(inputs_gradient, x) if for_inputs else None, _like(gradient, parameters) if for_parameters else None, None)


def _array(tensor: Any) -> Any:
    """A tensor as an array; float32 numbers on the CPU share their memory."""
    if not isinstance(tensor, _torch.Tensor):
        return np.asarray(tensor)
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.is_floating_point() else tensor).numpy()


def _tensor(array: Any) -> Any:
    return _torch.tensor(np.asarray(array), dtype=_torch.float32)


def _like(array: Array, tensor: Any) -> Any:
    return _torch.from_numpy(array).to(tensor)


def _scale(affine: Affine) -> Scale:
    return Scale(affine.offset, affine.factor, affine.shift)
