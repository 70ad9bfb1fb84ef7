"""Multilayer networks."""
from __future__ import annotations

import ctypes
from ctypes import byref
from typing import Any, Optional, Sequence, Union

import numpy as np
from numpy.typing import ArrayLike

from . import activation as activations
from ._arguments import Path, encode_path, floats, matrix, number, output, pointer, text, unsigned, vector
from ._call import call, check
from ._handle import Owner
from ._library import library
from ._prototypes import Network as Handle
from .metadata import Metadata
from .errors import Status

_uint8_pointer = ctypes.POINTER(ctypes.c_uint8)


class Network(Owner):
    """A fully connected feed-forward network with its parameters and the state of its training.

    `layers` are the sizes, inputs first. Layers are numbered from there: layer 0 holds the inputs, layer 1 is the first
    with weights. A new network has seeded random weights, "logistic" activations and the loss "squared_error".

    Arrays are used without a copy where they are float32 and C-contiguous; other numbers are converted. Errors are of
    `bp.Error` and of a built-in class; wrong shapes are a ValueError, wrong types a TypeError. A failed call has changed
    nothing. A network may be used by several threads; only `set_batchnorm` and `fold_batchnorm`, which change the number of
    parameters, must not run beside calls that take or give all of them.
    """

    _free = library.bp_network_free
    _noun = "network"

    def __init__(self, layers: Sequence[int], seed: int = 0) -> None:
        sizes = [unsigned(size, "layer size") for size in layers]
        handle = Handle()
        call(library.bp_network_create, (ctypes.c_size_t * len(sizes))(*sizes), len(sizes), unsigned(seed, "seed"),
             byref(handle))
        self._adopt(handle)

    @classmethod
    def _from(cls, function: Any, *arguments: Any) -> Network:
        """The network that a function of the library makes."""
        handle = Handle()
        call(function, *arguments, byref(handle))
        network = cls.__new__(cls)
        network._adopt(handle)
        return network

    def _adopt(self, handle: Any) -> None:
        self._pointer = handle
        count, size = ctypes.c_size_t(), ctypes.c_size_t()
        call(library.bp_network_layer_count, handle, byref(count))
        layers = []
        for layer in range(count.value):
            call(library.bp_network_layer_size, handle, layer, byref(size))
            layers.append(size.value)
        self._layers = tuple(layers)

    # Life

    def clone(self) -> Network:
        """An independent copy with the same parameters, settings and state of training."""
        return self._from(library.bp_network_clone, self._handle)

    def __copy__(self) -> Network:
        return self.clone()

    def __deepcopy__(self, memo: dict) -> Network:
        return self.clone()

    def __reduce__(self) -> tuple:
        return type(self).from_bytes, (self.to_bytes(),)

    def __repr__(self) -> str:
        return f"<{'closed ' if self._pointer is None else ''}{type(self).__name__} {list(self._layers)}>"

    # Settings

    @property
    def layers(self) -> tuple[int, ...]:
        """The sizes of the layers, inputs first."""
        return self._layers

    def set_activation(self, layer: int, activation: Union[str, activations.Activation]) -> None:
        """Sets the activation of a layer, 1 or more. UnknownNameError for none of `bp.activation.names()`."""
        call(library.bp_network_set_activation, self._handle, unsigned(layer, "layer"),
             activations.name_of(activation))

    def set_batchnorm(self, layer: int, enabled: bool = True) -> None:
        """Turns batch normalization of a layer, 1 or more, on or off. Changes the number of parameters."""
        call(library.bp_network_set_batchnorm, self._handle, unsigned(layer, "layer"), bool(enabled))

    def set_dropout(self, layer: int, rate: float) -> None:
        """Sets how likely a unit of a hidden layer is left out of a training step, 0 to 0.999."""
        call(library.bp_network_set_dropout, self._handle, unsigned(layer, "layer"), number(rate, "rate"))

    def get_dropout(self, layer: int) -> float:
        """The dropout rate of a hidden layer."""
        rate = ctypes.c_double()
        call(library.bp_network_get_dropout, self._handle, unsigned(layer, "layer"), byref(rate))
        return rate.value

    def set_loss(self, name: str) -> None:
        """Sets the loss: "squared_error", "binary_cross_entropy" or "cross_entropy"."""
        call(library.bp_network_set_loss, self._handle, text(name, "loss"))

    def fit_scaling(self, inputs: Optional[ArrayLike] = None, targets: Optional[ArrayLike] = None, *,
                    input_scaling: str = "standard", target_scaling: str = "standard") -> None:
        """Finds from data how to scale inputs and targets: "none", "standard" or "min_max"; not at all for what is not
        given. From then on the network takes and gives numbers as they are in the data, and scales them itself; losses
        are those of scaled targets.

        InvalidValueError for no rows; NotFiniteError for a NaN or an infinity.
        """
        x = None if inputs is None else matrix(inputs, self._layers[0], "inputs")
        y = None if targets is None else matrix(targets, self._layers[-1], "targets")
        if x is not None and y is not None and len(x) != len(y):
            raise ValueError(f"targets: expected {len(x)} rows, as inputs has, got {len(y)}")
        given = x if x is not None else y
        call(library.bp_network_fit_scaling, self._handle,
             text("none" if x is None else input_scaling, "input_scaling"),
             text("none" if y is None else target_scaling, "target_scaling"),
             None if x is None else pointer(x), None if y is None else pointer(y), 0 if given is None else len(given))

    def set_optimizer(self, name: str) -> None:
        """Sets the optimizer: "sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw" or "irprop_minus". Its state
        starts anew."""
        call(library.bp_network_set_optimizer, self._handle, text(name, "optimizer"))

    def set_option(self, name: str, value: float) -> None:
        """Sets an option, one of `bp.options()`. UnknownNameError for the name, InvalidValueError for the value."""
        call(library.bp_network_set_option, self._handle, text(name, "option"), number(value, "value"))

    def get_option(self, name: str) -> float:
        """The value of an option."""
        value = ctypes.c_double()
        call(library.bp_network_get_option, self._handle, text(name, "option"), byref(value))
        return value.value

    def initialize(self, seed: int) -> None:
        """Draws fresh weights, as for a new network with that seed; the settings stay."""
        call(library.bp_network_initialize, self._handle, unsigned(seed, "seed"))

    # Training

    def train_step(self, input: ArrayLike, target: ArrayLike, learning_rate: float) -> float:
        """One step of the optimizer on one row, shapes (inputs,) and (outputs,). Returns the loss before the step.

        InvalidValueError for the learning rate; NotFiniteError for a NaN or an infinity in the row, the loss or the
        gradient; what an activation function raises. A step that fails has changed nothing.
        """
        loss = ctypes.c_float()
        call(library.bp_network_train_step, self._handle, pointer(vector(input, self._layers[0], "input")),
             pointer(vector(target, self._layers[-1], "target")), number(learning_rate, "learning_rate"),
             byref(loss))
        return loss.value

    def train_minibatch(self, inputs: ArrayLike, targets: ArrayLike, learning_rate: float) -> float:
        """The same for rows, shapes (rows, inputs) and (rows, outputs), with the sum of their gradients.

        InvalidValueError for no rows; else as train_step.
        """
        loss = ctypes.c_float()
        call(library.bp_network_train_minibatch, self._handle, *self._rows(inputs, targets),
             number(learning_rate, "learning_rate"), byref(loss))
        return loss.value

    def gradient(self, inputs: ArrayLike, targets: ArrayLike) -> tuple[np.ndarray, float]:
        """The gradient, shape (parameter_count,), and the loss of a minibatch; arguments and errors as there."""
        gradient = np.empty(self.parameter_count, np.float32)
        loss = ctypes.c_float()
        call(library.bp_network_gradient, self._handle, *self._rows(inputs, targets), pointer(gradient),
             len(gradient), byref(loss))
        return gradient, loss.value

    def apply_gradient(self, gradient: ArrayLike, learning_rate: float) -> None:
        """The optimizer's step along a gradient of shape (parameter_count,)."""
        values = vector(gradient, self.parameter_count, "gradient")
        call(library.bp_network_apply_gradient, self._handle, pointer(values), len(values),
             number(learning_rate, "learning_rate"))

    def check_gradient(self, inputs: ArrayLike, targets: ArrayLike) -> float:
        """The worst relative error of the gradient against central differences: below 1e-2 is good. Slow.

        Arguments and errors as train_minibatch; UnsupportedError with the activation "sign".
        """
        error = ctypes.c_double()
        call(library.bp_network_check_gradient, self._handle, *self._rows(inputs, targets), byref(error))
        return error.value

    def _rows(self, inputs: ArrayLike, targets: ArrayLike) -> tuple[Any, Any, int]:
        x = matrix(inputs, self._layers[0], "inputs")
        y = matrix(targets, self._layers[-1], "targets")
        if len(x) != len(y):
            raise ValueError(f"targets: expected shape {(len(x), self._layers[-1])} for {len(x)} rows of inputs, "
                             f"got {y.shape}")
        return pointer(x), pointer(y), len(x)

    # Use

    def predict(self, inputs: ArrayLike, out: Optional[np.ndarray] = None) -> np.ndarray:
        """The outputs: shape (rows, outputs) for (rows, inputs), or (outputs,) for (inputs,).

        `out`, if given, is filled and returned: float32, C-contiguous, writeable, of the outputs' shape, apart from the
        inputs. What an activation function raises.
        """
        x = floats(inputs, "inputs")
        if x.ndim not in (1, 2) or x.shape[-1] != self._layers[0]:
            size = self._layers[0]
            raise ValueError(f"inputs: expected shape (rows, {size}) or ({size},), got {x.shape}")
        shape = x.shape[:-1] + (self._layers[-1],)
        outputs = np.empty(shape, np.float32) if out is None else output(out, shape, x)
        rows = len(x) if x.ndim == 2 else 1
        call(library.bp_network_predict, self._handle, pointer(x), rows, pointer(outputs))
        return outputs

    def evaluate(self, inputs: ArrayLike, targets: ArrayLike) -> float:
        """The loss of the predictions for rows, shapes (rows, inputs) and (rows, outputs), without training."""
        loss = ctypes.c_float()
        call(library.bp_network_evaluate, self._handle, *self._rows(inputs, targets), byref(loss))
        return loss.value

    def score(self, measure: str, inputs: ArrayLike, targets: ArrayLike) -> float:
        """How good the predictions for rows are: "accuracy", "r2" or "mean_absolute_error"."""
        score = ctypes.c_double()
        call(library.bp_network_score, self._handle, text(measure, "measure"), *self._rows(inputs, targets),
             byref(score))
        return score.value

    def fold_batchnorm(self) -> None:
        """Puts batch normalization into the weights: the form for use, whose predictions differ by rounding only. Call
        it on a clone to go on training. Changes the number of parameters."""
        call(library.bp_network_fold_batchnorm, self._handle)

    # Parameters

    @property
    def parameter_count(self) -> int:
        """The number of parameters."""
        count = ctypes.c_size_t()
        call(library.bp_network_parameter_count, self._handle, byref(count))
        return count.value

    @property
    def parameters(self) -> np.ndarray:
        """A copy of the parameters, shape (parameter_count,): for each layer weights, biases and, where batch
        normalization is on, gamma and beta. Assigning replaces them; NotFiniteError for a NaN or an infinity."""
        parameters = np.empty(self.parameter_count, np.float32)
        call(library.bp_network_get_parameters, self._handle, pointer(parameters), len(parameters))
        return parameters

    @parameters.setter
    def parameters(self, values: ArrayLike) -> None:
        parameters = vector(values, self.parameter_count, "parameters")
        call(library.bp_network_set_parameters, self._handle, pointer(parameters), len(parameters))

    # Metadata

    @property
    def metadata(self) -> Metadata:
        """Texts that go with the network and its file: a dict of str to str."""
        return Metadata(self)

    # Files

    def save(self, path: Path) -> None:
        """Writes the network to a safetensors file, which appears whole or not at all. FileError."""
        call(library.bp_network_save, self._handle, encode_path(path))

    @classmethod
    def load(cls, path: Path) -> Network:
        """Makes a network from a file. FileError; ModelError; UnknownNameError names activations not registered."""
        return cls._from(library.bp_network_load, encode_path(path))

    def load_weights(self, path: Path) -> None:
        """Takes the weights from any safetensors file that has "layers.1.weight" and so on, such as PyTorch's. FileError;
        ModelError names what does not fit; NotFiniteError."""
        call(library.bp_network_load_weights, self._handle, encode_path(path))

    def to_bytes(self) -> bytes:
        """What save would write."""
        needed, capacity, buffer = ctypes.c_size_t(), 0, None
        while True:
            status = library.bp_network_save_memory(self._handle, buffer, capacity, byref(needed))
            if status != Status.ERROR_BUFFER_TOO_SMALL:
                check(status)
                if buffer is not None:
                    return ctypes.string_at(buffer, needed.value)
            capacity = needed.value
            buffer = ctypes.cast(ctypes.create_string_buffer(capacity), _uint8_pointer)

    @classmethod
    def from_bytes(cls, data: Union[bytes, bytearray, memoryview]) -> Network:
        """Makes a network from such bytes. Errors as load, without FileError."""
        data = data if isinstance(data, bytes) else bytes(memoryview(data))
        return cls._from(library.bp_network_load_memory, ctypes.cast(data, _uint8_pointer), len(data))
