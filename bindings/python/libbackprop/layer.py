"""The layers of a network, with their parameters as arrays."""
from __future__ import annotations

from typing import Any, Optional, SupportsFloat, Union

from numpy.typing import ArrayLike

from ._arguments import Array
from .activation import Activation

__all__ = ["Layer"]


class Layer(int):
    """A layer of a network: an int, its size, with the parameters and settings of the layer as attributes.

    Arrays are copies and cannot be written to. Assign an array to change the layer. Layer 0 holds the inputs: it has a size
    only. AttributeError for layer 0, and for `gamma`, `beta`, `running_mean` and `running_variance` of a layer without batch
    normalization.

    Examples
    --------
    >>> import libbackprop as bp
    >>> network = bp.Network([2, 3, 1])
    >>> network.layers[1].weight.shape
    (3, 2)
    >>> network.layers[2].bias = [0.5]
    >>> network.layers[2].bias
    array([0.5], dtype=float32)
    >>> network.layers[1] == 3
    True
    """

    _network: Any
    _index: int

    def __new__(cls, size: int, network: Any, index: int) -> Layer:
        self = super().__new__(cls, size)
        vars(self).update(_network=network, _index=index)
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        if not hasattr(type(self), name):
            raise AttributeError(f"a layer has no attribute {name!r}")  # it would be lost: network.layers creates new objects
        super().__setattr__(name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return int, (int(self),)

    def _get(self, name: str) -> Array:
        try:
            array: Array = self._network.tensors[f"layers.{self._index}.{name}"]
        except KeyError:
            raise AttributeError(f"layer {self._index} {self._lack()}") from None
        array.flags.writeable = False
        return array

    def _set(self, name: str, values: ArrayLike) -> None:
        try:
            self._network.tensors[f"layers.{self._index}.{name}"] = values
        except KeyError:
            raise AttributeError(f"layer {self._index} {self._lack()}") from None

    def _lack(self) -> str:
        return "has no batch normalization" if self._index else "holds the inputs: it has no parameters and settings"

    def _place(self) -> int:
        """The place of the layer's settings among those of the layers 1, 2, ..."""
        if self._index == 0:
            raise AttributeError(f"layer 0 {self._lack()}")
        return self._index - 1

    @property
    def weight(self) -> Array:
        """The weights, shape (size of this layer, size of the layer before)."""
        return self._get("weight")

    @weight.setter
    def weight(self, values: ArrayLike) -> None:
        self._set("weight", values)

    @property
    def bias(self) -> Array:
        """The biases, shape (size,)."""
        return self._get("bias")

    @bias.setter
    def bias(self, values: ArrayLike) -> None:
        self._set("bias", values)

    @property
    def gamma(self) -> Array:
        """The factors of batch normalization, shape (size,)."""
        return self._get("norm.weight")

    @gamma.setter
    def gamma(self, values: ArrayLike) -> None:
        self._set("norm.weight", values)

    @property
    def beta(self) -> Array:
        """The shifts of batch normalization, shape (size,)."""
        return self._get("norm.bias")

    @beta.setter
    def beta(self, values: ArrayLike) -> None:
        self._set("norm.bias", values)

    @property
    def running_mean(self) -> Array:
        """The running means of batch normalization, shape (size,)."""
        return self._get("norm.running_mean")

    @running_mean.setter
    def running_mean(self, values: ArrayLike) -> None:
        self._set("norm.running_mean", values)

    @property
    def running_variance(self) -> Array:
        """The running variances of batch normalization, shape (size,)."""
        return self._get("norm.running_var")

    @running_variance.setter
    def running_variance(self, values: ArrayLike) -> None:
        self._set("norm.running_var", values)

    @property
    def activation(self) -> str:
        """The name of the activation. Can be set, as by Network.set_activation."""
        name: str = self._network.activations[self._place()]
        return name

    @activation.setter
    def activation(self, activation: Union[str, Activation]) -> None:
        self._network.set_activation(self._place() + 1, activation)

    @property
    def batchnorm(self) -> bool:
        """Whether batch normalization is enabled. Can be set, as by Network.set_batchnorm."""
        enabled: bool = self._network.batchnorm[self._place()]
        return enabled

    @batchnorm.setter
    def batchnorm(self, enabled: bool) -> None:
        self._network.set_batchnorm(self._place() + 1, enabled)

    @property
    def dropout(self) -> Optional[float]:
        """The dropout rate; None for the last layer. Can be set, as by Network.set_dropout."""
        layer = self._place() + 1
        return None if layer == len(self._network._layers) - 1 else float(self._network.get_dropout(layer))

    @dropout.setter
    def dropout(self, rate: SupportsFloat) -> None:
        self._network.set_dropout(self._place() + 1, rate)

    @property
    def trainable(self) -> bool:
        """Whether training changes the layer. Can be set, as by Network.set_trainable."""
        trainable: bool = self._network.trainable[self._place()]
        return trainable

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        self._network.set_trainable(self._place() + 1, trainable)
