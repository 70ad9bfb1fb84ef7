"""Multilayer networks."""
from __future__ import annotations

import ctypes
from ctypes import byref
from collections.abc import Iterable
from typing import Any, Callable, Literal, NamedTuple, Optional, SupportsFloat, SupportsIndex, TypeVar, Union, overload

import numpy as np
from numpy.typing import ArrayLike

from . import option as options
from ._arguments import Array, Path, encode_path, floats, matrix, number, output, pointer, row, targets as rows_of_targets
from ._arguments import text, unsigned, vector
from ._call import call, check, text_of
from ._handle import Owner
from ._library import library
from ._prototypes import Network as Handle
from .activation import Activation, name_of
from .errors import ModelError, Status
from .metadata import Metadata
from .tensors import Tensors

__all__ = ["Network", "Scaling"]

_Self = TypeVar("_Self", bound="Network")
_Choice = Literal["gradient_reduction", "initialization", "batchnorm_update"]
_uint8_pointer = ctypes.POINTER(ctypes.c_uint8)


class Scaling(NamedTuple):
    """The names of a network's scalings: "none", "standard" ..."""

    inputs: str
    targets: str


class Network(Owner):
    """A fully connected feed-forward network with its parameters and the state of its training.

    `layers` are the sizes, inputs first. Layers are numbered from there: layer 0 holds the inputs, layer 1 is the first
    with weights. A new network has seeded random weights, "logistic" activations and the loss "squared_error".

    Arrays are used without a copy where they are float32 and C-contiguous; other numbers are converted. Targets of shape
    (rows,) are the column of a network with one output, and class numbers, integers from 0, for one with several: each row
    then has the target 1 at the output of its class, and 0 at the others. Errors are of
    `bp.Error` and of a built-in class; wrong shapes are a ValueError, wrong types a TypeError. A failed call has changed
    nothing. A network may be used by several threads.
    """

    __slots__ = ("_layers",)

    _free = library.bp_network_free
    _noun = "network"
    _layers: tuple[int, ...]

    def __init__(self, layers: Iterable[SupportsIndex], seed: SupportsIndex = 0) -> None:
        sizes = [unsigned(size, "layer size") for size in layers]
        handle = Handle()
        call(library.bp_network_create, (ctypes.c_size_t * len(sizes))(*sizes), len(sizes), unsigned(seed, "seed"),
             byref(handle))
        self._adopt(handle)

    @classmethod
    def _from(cls: type[_Self], function: Any, *arguments: Any, path: Optional[Path] = None) -> _Self:
        """The network that a function of the library makes."""
        handle = Handle()
        call(function, *arguments, byref(handle), path=path)
        network = cls.__new__(cls)
        network._adopt(handle)
        return network

    def _adopt(self, handle: Any) -> None:
        self.close()  # where __init__ is called again
        self._pointer = handle
        count, size = ctypes.c_size_t(), ctypes.c_size_t()
        call(library.bp_network_layer_count, handle, byref(count))
        layers = []
        for layer in range(count.value):
            call(library.bp_network_layer_size, handle, layer, byref(size))
            layers.append(size.value)
        self._layers = tuple(layers)

    # Life

    def clone(self: _Self) -> _Self:
        """An independent copy with the same parameters, settings and state of training."""
        return self._from(library.bp_network_clone, self._handle)

    def _duplicate(self: _Self) -> _Self:
        return self.clone()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_bytes, (self.to_bytes(),), vars(self) or None

    def __repr__(self) -> str:
        return f"<{'closed ' if self._pointer is None else ''}{type(self).__name__} {list(self._layers)}>"

    # Settings

    @property
    def layers(self) -> tuple[int, ...]:
        """The sizes of the layers, inputs first."""
        return self._layers

    @property
    def activations(self) -> tuple[str, ...]:
        """The names of the activations of the layers 1, 2, ..."""
        return tuple(text_of(library.bp_network_get_activation, self._handle, layer) for layer in range(1, len(self._layers)))

    @property
    def batchnorm(self) -> tuple[bool, ...]:
        """Whether batch normalization is on, of the layers 1, 2, ..."""
        enabled, found = ctypes.c_int32(), []
        for layer in range(1, len(self._layers)):
            call(library.bp_network_get_batchnorm, self._handle, layer, byref(enabled))
            found.append(bool(enabled.value))
        return tuple(found)

    @property
    def loss(self) -> str:
        """The name of the loss."""
        return text_of(library.bp_network_get_loss, self._handle)

    @property
    def optimizer(self) -> str:
        """The name of the optimizer."""
        return text_of(library.bp_network_get_optimizer, self._handle)

    @property
    def scaling(self) -> Scaling:
        """The names of the scalings of inputs and targets."""
        return Scaling(*(text_of(library.bp_network_get_scaling, self._handle, of_targets) for of_targets in (0, 1)))

    @property
    def step_count(self) -> int:
        """The number of training steps since the weights were drawn."""
        steps = ctypes.c_uint64()
        call(library.bp_network_step_count, self._handle, byref(steps))
        return steps.value

    def set_activation(self, layer: SupportsIndex, activation: Union[str, Activation]) -> None:
        """Sets the activation of a layer, 1 or more. UnknownNameError for none of `bp.activation.names()`."""
        call(library.bp_network_set_activation, self._handle, unsigned(layer, "layer"),
             name_of(activation))

    def set_batchnorm(self, layer: SupportsIndex, enabled: bool = True) -> None:
        """Turns batch normalization of a layer, 1 or more, on or off. Changes the number of parameters."""
        call(library.bp_network_set_batchnorm, self._handle, unsigned(layer, "layer"), bool(enabled))

    def set_dropout(self, layer: SupportsIndex, rate: SupportsFloat) -> None:
        """Sets how likely a unit of a hidden layer is left out of a training step, 0 to 0.999."""
        call(library.bp_network_set_dropout, self._handle, unsigned(layer, "layer"), number(rate, "rate"))

    def get_dropout(self, layer: SupportsIndex) -> float:
        """The dropout rate of a hidden layer."""
        rate = ctypes.c_double()
        call(library.bp_network_get_dropout, self._handle, unsigned(layer, "layer"), byref(rate))
        return rate.value

    def set_loss(self, name: str) -> None:
        """Sets the loss: "squared_error", "binary_cross_entropy" or "cross_entropy"."""
        call(library.bp_network_set_loss, self._handle, text(name, "loss"))

    def fit_scaling(self, inputs: Optional[ArrayLike] = None, targets: Optional[ArrayLike] = None, *,
                    input_scaling: str = "auto", target_scaling: str = "auto") -> None:
        """Finds from data how to scale inputs and targets: "auto", "none", "standard", "min_max" or "symmetric"; not at
        all for what is not given. From then on the network takes and gives numbers as they are in the data, and scales
        them itself; losses are those of scaled targets. "auto" is "standard" for inputs, and for targets what the last
        activation and the loss take: set these before.

        InvalidValueError for no rows; NotFiniteError for a NaN or an infinity.
        """
        x = None if inputs is None else matrix(inputs, self._layers[0], "inputs")
        y = None if targets is None else rows_of_targets(targets, self._layers[-1])
        if x is not None and y is not None and len(x) != len(y):
            raise ValueError(f"targets: expected {len(x)} rows, as inputs has, got {len(y)}")
        given = x if x is not None else y
        call(library.bp_network_fit_scaling, self._handle,
             text("none" if x is None else input_scaling, "input_scaling"),
             text("none" if y is None else target_scaling, "target_scaling"),
             None if x is None else pointer(x), None if y is None else pointer(y), 0 if given is None else len(given))

    def check_settings(self, targets: Optional[ArrayLike] = None) -> None:
        """Raises what `Trainer.fit` raises before it changes anything: InvalidValueError or UnsupportedError for settings
        that do not go together, or targets, shape (rows, outputs), that they do not go with. The message says what to set
        instead. NotFiniteError for a NaN or an infinity in targets."""
        y = None if targets is None else rows_of_targets(targets, self._layers[-1])
        call(library.bp_network_check_settings, self._handle, None if y is None else pointer(y),
             0 if y is None else len(y))

    def set_optimizer(self, name: str) -> None:
        """Sets the optimizer: "sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw" or "irprop_minus". Its state
        starts anew."""
        call(library.bp_network_set_optimizer, self._handle, text(name, "optimizer"))

    def set_option(self, name: str, value: Union[SupportsFloat, str]) -> None:
        """Sets an option, one of `bp.options()`, to a number or, for a choice, one of its words.

        UnknownNameError for the name, InvalidValueError for the number, ValueError for the word.
        """
        call(library.bp_network_set_option, self._handle, text(name, "option"), options.encoded(name, value))

    @overload
    def get_option(self, name: _Choice) -> str: ...
    @overload
    def get_option(self, name: str) -> Union[float, Any]: ...

    def get_option(self, name: str) -> Union[float, str]:
        """The value of an option: a number or, for a choice, a word."""
        value = ctypes.c_double()
        call(library.bp_network_get_option, self._handle, text(name, "option"), byref(value))
        return options.decoded(name, value.value)

    def initialize(self, seed: SupportsIndex) -> None:
        """Draws fresh weights, as for a new network with that seed; the settings stay."""
        call(library.bp_network_initialize, self._handle, unsigned(seed, "seed"))

    # Training

    def train_step(self, input: ArrayLike, target: ArrayLike, learning_rate: SupportsFloat) -> float:
        """One step of the optimizer on one row, shapes (inputs,) and (outputs,). Returns the loss before the step.

        InvalidValueError for the learning rate, or settings or a target that check_settings refuses for the loss;
        NotFiniteError for a NaN or an infinity in the row, the loss or the
        gradient; what an activation function raises. A step that fails has changed nothing.
        """
        loss = ctypes.c_float()
        call(library.bp_network_train_step, self._handle, pointer(vector(input, self._layers[0], "input")),
             pointer(row(target, self._layers[-1], "target")), number(learning_rate, "learning_rate"),
             byref(loss))
        return loss.value

    def train_minibatch(self, inputs: ArrayLike, targets: ArrayLike, learning_rate: SupportsFloat) -> float:
        """The same for rows, shapes (rows, inputs) and (rows, outputs), with the sum of their gradients.

        InvalidValueError for no rows; else as train_step.
        """
        loss = ctypes.c_float()
        call(library.bp_network_train_minibatch, self._handle, *self._rows(inputs, targets),
             number(learning_rate, "learning_rate"), byref(loss))
        return loss.value

    def gradient(self, inputs: ArrayLike, targets: ArrayLike) -> tuple[Array, float]:
        """The gradient, shape (parameter_count,), and the loss of a minibatch; arguments and errors as there."""
        loss, rows = ctypes.c_float(), self._rows(inputs, targets)
        gradient = self._filled(lambda gradient: call(
            library.bp_network_gradient, self._handle, *rows, pointer(gradient), len(gradient), byref(loss)))
        return gradient, loss.value

    def apply_gradient(self, gradient: ArrayLike, learning_rate: SupportsFloat) -> None:
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
        y = rows_of_targets(targets, self._layers[-1])
        if len(x) != len(y):
            raise ValueError(f"targets: expected shape {(len(x), self._layers[-1])} for {len(x)} rows of inputs, "
                             f"got {np.shape(targets)}")
        return pointer(x), pointer(y), len(x)

    # Use

    def predict(self, inputs: ArrayLike, out: Optional[Array] = None) -> Array:
        """The outputs: shape (rows, outputs) for (rows, inputs), or (outputs,) for (inputs,).

        `out`, if given, is filled and returned: float32, C-contiguous, writeable, of the outputs' shape, apart from the
        inputs. What an activation function raises.
        """
        x = floats(inputs, "inputs")
        if x.ndim not in (1, 2) or x.shape[-1] != self._layers[0]:
            size = self._layers[0]
            raise ValueError(f"inputs: expected shape (rows, {size}) or ({size},), got {x.shape}")
        shape = (*x.shape[:-1], self._layers[-1])
        outputs = np.empty(shape, np.float32) if out is None else output(out, shape, x)
        rows = len(x) if x.ndim == 2 else 1
        call(library.bp_network_predict, self._handle, pointer(x), rows, pointer(outputs))
        return outputs

    def evaluate(self, inputs: ArrayLike, targets: ArrayLike) -> float:
        """The loss of the predictions for rows, shapes (rows, inputs) and (rows, outputs), without training."""
        loss = ctypes.c_float()
        call(library.bp_network_evaluate, self._handle, *self._rows(inputs, targets), byref(loss))
        return loss.value

    def score(self, inputs: ArrayLike, targets: ArrayLike, measure: Optional[str] = None) -> float:
        """How good the predictions for rows are: "accuracy", "r2" or "mean_absolute_error". None is "r2" for the loss
        "squared_error", and "accuracy" for the others."""
        if measure is None:
            measure = "r2" if self.loss == "squared_error" else "accuracy"
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
    def parameters(self) -> Array:
        """A copy of the parameters, shape (parameter_count,): for each layer weights, biases and, where batch
        normalization is on, gamma and beta. Assigning replaces them; NotFiniteError for a NaN or an infinity."""
        return self._filled(lambda parameters: call(
            library.bp_network_get_parameters, self._handle, pointer(parameters), len(parameters)))

    @parameters.setter
    def parameters(self, values: ArrayLike) -> None:
        parameters = vector(values, self.parameter_count, "parameters")
        call(library.bp_network_set_parameters, self._handle, pointer(parameters), len(parameters))

    def _filled(self, fill: Callable[[Array], Any]) -> Array:
        """An array of all parameters, filled by a call that refuses another number of them than there are."""
        while True:
            array = np.empty(self.parameter_count, np.float32)
            try:
                fill(array)
                return array
            except ModelError as error:
                if error.status != Status.ERROR_MISMATCH:
                    raise  # else another thread has changed their number

    @property
    def tensors(self) -> Tensors:
        """The tensors by the names they have in the file, running statistics included: a mapping to arrays."""
        return Tensors(self)

    # Metadata

    @property
    def metadata(self) -> Metadata:
        """Texts that go with the network and its file: a dict of str to str."""
        return Metadata(self)

    # Files

    def save(self, path: Path) -> None:
        """Writes the network to a safetensors file, which appears whole or not at all. FileError, which is also a
        PermissionError, say."""
        call(library.bp_network_save, self._handle, encode_path(path), path=path)

    @classmethod
    def load(cls: type[_Self], path: Path) -> _Self:
        """Makes a network from a file. FileError, which is also a FileNotFoundError, say; ModelError; UnknownNameError names
        activations not registered."""
        return cls._from(library.bp_network_load, encode_path(path), path=path)

    def load_weights(self, path: Path) -> None:
        """Takes the weights from any safetensors file that has "layers.1.weight" and so on, such as PyTorch's. FileError;
        ModelError names what does not fit; NotFiniteError."""
        call(library.bp_network_load_weights, self._handle, encode_path(path), path=path)

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
    def from_bytes(cls: type[_Self], data: Union[bytes, bytearray, memoryview]) -> _Self:
        """Makes a network from such bytes. Errors as load, without FileError."""
        data = data if isinstance(data, bytes) else bytes(memoryview(data))
        return cls._from(library.bp_network_load_memory, ctypes.cast(ctypes.c_char_p(data), _uint8_pointer), len(data))
