"""The layers of a network as arrays, for conversions from and to other programs."""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Optional, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import activation as activations
from .errors import Status, UnsupportedError
from .network import Network

__all__ = ["Affine", "Layer", "Norm", "Stack", "unsupported"]

_Doubles = NDArray[np.float64]
_Network = TypeVar("_Network", bound=Network)


def unsupported(text: str) -> UnsupportedError:
    """The error for a part of a model that has no counterpart."""
    return UnsupportedError(text, Status.ERROR_UNSUPPORTED)


def _doubles(values: ArrayLike) -> _Doubles:
    return np.asarray(values, np.float64)


@dataclass
class Affine:
    """(x - offset) * factor + shift for each of [units] numbers. The offset is subtracted first, for accuracy."""

    offset: _Doubles
    factor: _Doubles
    shift: _Doubles

    def then(self, other: Affine) -> Affine:
        return Affine(self.offset, self.factor * other.factor, (self.shift - other.offset) * other.factor + other.shift)


@dataclass
class Norm:
    """Batch normalization of [units] weighted sums with running statistics."""

    gamma: _Doubles
    beta: _Doubles
    mean: _Doubles
    variance: _Doubles
    epsilon: float

    def affine(self) -> Affine:
        return Affine(self.mean, self.gamma / np.sqrt(self.variance + self.epsilon), self.beta)


@dataclass
class Layer:
    """A layer: weights [outputs][inputs], biases [outputs], batch normalization and activation."""

    weight: _Doubles
    bias: _Doubles
    norm: Optional[Norm] = None
    activation: str = "identity"
    dropout: float = 0.0

    def then(self, affine: Affine) -> Layer:
        """The layer with an affine function of its weighted sums, before the activation."""
        if self.norm is not None:
            beta = (self.norm.beta - affine.offset) * affine.factor + affine.shift
            return replace(self, norm=replace(self.norm, gamma=self.norm.gamma * affine.factor, beta=beta))
        return replace(self, weight=self.weight * affine.factor[:, None],
                       bias=(self.bias - affine.offset) * affine.factor + affine.shift)

    def after(self, affine: Affine) -> Layer:
        """The layer with an affine function of its inputs."""
        bias = self.bias + self.weight @ (affine.shift - affine.offset * affine.factor)
        return replace(self, weight=self.weight * affine.factor, bias=bias)

    def folded(self) -> Layer:
        """The layer with its batch normalization as part of the weights."""
        return self if self.norm is None else replace(self, norm=None).then(self.norm.affine())


@dataclass
class Stack:
    """The layers of a network, with affine functions of its inputs and of its outputs.

    The methods `linear`, `norm`, `affine`, `activation` and `dropout` append a step, in the order in which a model computes
    them.
    """

    inputs: Optional[Affine] = None
    layers: list[Layer] = field(default_factory=list)
    outputs: Optional[Affine] = None  # while steps are appended: of the outputs of the latest layer
    _open: bool = False  # whether the latest layer can still get an activation

    def linear(self, weight: ArrayLike, bias: Optional[ArrayLike] = None) -> None:
        """Appends weights [outputs][inputs] and biases [outputs]."""
        w = _doubles(weight)
        if w.ndim != 2:
            raise unsupported(f"expected weights of 2 dimensions, got shape {w.shape}")
        if self.layers and w.shape[1] != len(self.layers[-1].bias):
            raise unsupported(f"weights of shape {w.shape} after {len(self.layers[-1].bias)} units")
        layer = Layer(w, np.zeros(len(w)) if bias is None else _doubles(bias).reshape(len(w)))
        self.layers.append(layer if self.outputs is None else layer.after(self.outputs))
        self.outputs, self._open = None, True

    def norm(self, gamma: ArrayLike, beta: ArrayLike, mean: ArrayLike, variance: ArrayLike, epsilon: float) -> None:
        """Appends batch normalization with running statistics."""
        norm = Norm(_doubles(gamma), _doubles(beta), _doubles(mean), _doubles(variance), epsilon)
        if self._open and self.layers[-1].norm is None:
            self.layers[-1] = replace(self.layers[-1], norm=norm)
        else:
            self.affine(norm.affine())

    def affine(self, affine: Affine) -> None:
        """Appends an affine function of each unit."""
        if self._open:
            self.layers[-1] = self.layers[-1].then(affine)
        elif self.layers:
            self.outputs = affine if self.outputs is None else self.outputs.then(affine)
        else:
            self.inputs = affine if self.inputs is None else self.inputs.then(affine)

    def activation(self, name: str) -> None:
        """Appends an activation of the library."""
        if name == "identity":
            return
        if not self._open:
            if not self.layers:
                raise unsupported(f"an activation ({name}) before the first weights")
            units = len(self.layers[-1].bias)
            self.linear(np.eye(units))  # a layer for the second of two activations
        self.layers[-1] = replace(self.layers[-1], activation=name)
        self._open = False

    def dropout(self, rate: float) -> None:
        """Appends dropout."""
        if rate == 0:
            return
        if not self.layers:
            raise unsupported("dropout of the inputs")
        self.layers[-1].dropout += rate - self.layers[-1].dropout * rate  # exactly `rate` for the first one

    def folded(self) -> list[Layer]:
        """The layers, without batch normalization and with the affine functions as part of the weights."""
        layers = [layer.folded() for layer in self.layers]
        if self.inputs is not None:
            layers[0] = layers[0].after(self.inputs)
        if self.outputs is not None and layers[-1].activation == "identity":
            layers[-1] = layers[-1].then(self.outputs)
        elif self.outputs is not None:
            layers.append(Layer(np.eye(len(layers[-1].bias)), np.zeros(len(layers[-1].bias))).then(self.outputs))
        return layers

    @classmethod
    def of(cls, network: Network) -> Stack:
        """The layers of a network. UnsupportedError for custom activations."""
        stack, tensors = cls(), dict(Network._checked(network).tensors)
        built_in = [name for name in activations.names() if activations.kind(name) == activations.Kind.BUILT_IN]
        if "scaling.inputs.offset" in tensors:
            offset = _doubles(tensors["scaling.inputs.offset"])
            stack.affine(Affine(offset, 1 / _doubles(tensors["scaling.inputs.scale"]), np.zeros_like(offset)))
        for layer, (name, normalized) in enumerate(zip(network.activations, network.batchnorm), 1):
            if name not in built_in:
                raise unsupported(f"layer {layer}: the custom activation {name!r} cannot be converted")
            prefix = f"layers.{layer}."
            stack.linear(tensors[prefix + "weight"], tensors[prefix + "bias"])
            if normalized:
                stack.norm(tensors[prefix + "norm.weight"], tensors[prefix + "norm.bias"], tensors[prefix + "norm.running_mean"],
                           tensors[prefix + "norm.running_var"], network.get_option("batchnorm_epsilon"))
            stack.activation(name)
            stack._open = False
            if layer < len(network.layers) - 1:
                stack.dropout(network.get_dropout(layer))
        if "scaling.targets.offset" in tensors:
            offset = _doubles(tensors["scaling.targets.offset"])
            stack.affine(Affine(np.zeros_like(offset), _doubles(tensors["scaling.targets.scale"]), offset))
        return stack

    def network(self, cls: type[_Network]) -> _Network:
        """A network with these layers. Its loss is the one for the activation of its last layer."""
        if not self.layers:
            raise unsupported("a model without weights")
        layers, inputs, outputs = list(self.layers), self.inputs, self.outputs
        if inputs is not None and not (inputs.factor > 0).all():
            layers[0], inputs = layers[0].after(inputs), None
        if outputs is not None and not (outputs.factor > 0).all():
            layers, outputs = Stack(None, layers, outputs).folded(), None
        network = cls([layers[0].weight.shape[1], *(len(layer.bias) for layer in layers)])
        epsilon = min((layer.norm.epsilon for layer in layers if layer.norm is not None), default=1e-5)
        network.set_option("batchnorm_epsilon", epsilon)
        for number, layer in enumerate(layers, 1):
            network.set_activation(number, layer.activation)
            network.set_batchnorm(number, layer.norm is not None)
            if layer.dropout:
                network.set_dropout(number, layer.dropout)
            _assign(network, number, layer, epsilon)
        last = layers[-1].activation
        losses = {"softmax": "cross_entropy", "logistic": "binary_cross_entropy"} if outputs is None else {}
        network.set_loss(losses.get(last, "squared_error"))
        if inputs is not None or outputs is not None:
            _scale(network, inputs, outputs)
        return network


def _assign(network: Network, number: int, layer: Layer, epsilon: float) -> None:
    prefix = f"layers.{number}."
    network.tensors[prefix + "weight"] = layer.weight
    network.tensors[prefix + "bias"] = layer.bias
    if layer.norm is not None:
        network.tensors[prefix + "norm.weight"] = layer.norm.gamma
        network.tensors[prefix + "norm.bias"] = layer.norm.beta
        network.tensors[prefix + "norm.running_mean"] = layer.norm.mean
        network.tensors[prefix + "norm.running_var"] = layer.norm.variance + (layer.norm.epsilon - epsilon)


def _scale(network: Network, inputs: Optional[Affine], outputs: Optional[Affine]) -> None:
    """Makes the affine functions the scaling of the network, which computes (x - offset) / scale and y * scale + offset."""
    def rows(columns: int) -> NDArray[Any]:
        return np.array([[0.0], [1.0]]).repeat(columns, axis=1)  # the scaling of these rows is then replaced

    network.fit_scaling(None if inputs is None else rows(network.layers[0]),
                        None if outputs is None else rows(network.layers[-1]), input_scaling="standard", target_scaling="min_max")
    if inputs is not None:
        network.tensors["scaling.inputs.offset"] = inputs.offset - inputs.shift / inputs.factor
        network.tensors["scaling.inputs.scale"] = 1 / inputs.factor
    if outputs is not None:
        network.tensors["scaling.targets.offset"] = outputs.shift - outputs.offset * outputs.factor
        network.tensors["scaling.targets.scale"] = outputs.factor
