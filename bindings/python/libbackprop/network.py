"""Multilayer networks."""
from __future__ import annotations

import ctypes
from ctypes import byref
from collections.abc import Iterable
from typing import Any, Callable, Literal, NamedTuple, Optional, SupportsFloat, SupportsIndex, TypeVar, Union, overload

import numpy as np
from numpy.typing import ArrayLike

from . import option as options
from ._arguments import Array, Path, encode_path, matrix, number, pointer, predicted, row, targets as rows_of_targets
from ._arguments import text, unsigned, vector
from ._call import call, check, text_of
from ._handle import Owner
from ._library import library
from ._prototypes import Network as Handle
from .activation import Activation, name_of
from .errors import Error, ModelError, Status
from .losses import Loss
from .metadata import Metadata
from .tensors import Tensors

__all__ = ["Network", "Scaling"]

_Self = TypeVar("_Self", bound="Network")
_Choice = Literal["gradient_reduction", "initialization", "batchnorm_update"]
_uint8_pointer = ctypes.POINTER(ctypes.c_uint8)


class Scaling(NamedTuple):
    """The names of a network's scalings: "none", "standard", "min_max" or "symmetric"."""

    inputs: str
    targets: str


class Network(Owner):
    """A fully connected feed-forward network with its parameters and the state of its training.

    layers: the sizes of the layers, inputs first. Layer 0 holds the inputs; layer 1 is the first layer with weights.
    seed: an integer from 0 to 2**64 - 1, the seed of the random weights. A new network has "logistic" activations and the
    loss "squared_error". InvalidValueError for fewer than 2 layers or a layer of size 0; LimitError for more than 1024
    layers or sizes that are too large; OutOfMemoryError.

    Arrays that are float32 and C-contiguous are used without a copy; other numbers are converted to float32. Returned
    arrays are float32. Inputs have the shape (rows, inputs) and targets the shape (rows, outputs), where `inputs` and
    `outputs` are the sizes of the first and the last layer. Targets can also have the shape (rows,). For a network with
    one output they are its targets. For several outputs they are class numbers, integers from 0: each row has the target
    1 at the output of its class and 0 at the other outputs.

    Errors of the library are a `bp.Error` and also of a built-in class. A wrong shape is a ValueError, a wrong type a
    TypeError. Methods raise InvalidHandleError after close(), and BusyError when an activation function calls it on
    a network that is being changed. A failed call changes nothing. Several threads can use one network.
    """

    __slots__ = ("_layers", "_target_columns")

    _free = library.bp_network_free
    _noun = "network"
    _layers: tuple[int, ...]
    _target_columns: int

    def __init__(self, layers: Iterable[SupportsIndex], seed: SupportsIndex = 0) -> None:
        sizes = [unsigned(size, "layer size") for size in layers]
        handle = Handle()
        call(library.bp_network_create, (ctypes.c_size_t * len(sizes))(*sizes), len(sizes), unsigned(seed, "seed"),
             byref(handle))
        self._adopt(handle)

    @classmethod
    def _from(cls: type[_Self], function: Any, *arguments: Any, path: Optional[Path] = None) -> _Self:
        """The network that a function of the library creates."""
        handle = Handle()
        call(function, *arguments, byref(handle), path=path)
        network = cls.__new__(cls)
        network._adopt(handle)
        return network

    def _adopt(self, handle: Any) -> None:
        self.close()  # if __init__ is called a second time
        self._pointer = handle
        count, size = ctypes.c_size_t(), ctypes.c_size_t()
        call(library.bp_network_layer_count, handle, byref(count))
        layers = []
        for layer in range(count.value):
            call(library.bp_network_layer_size, handle, layer, byref(size))
            layers.append(size.value)
        self._layers = tuple(layers)
        self._read_target_columns()

    def _read_target_columns(self) -> None:
        columns = ctypes.c_size_t()
        call(library.bp_network_target_columns, self._handle, byref(columns))
        self._target_columns = columns.value

    # Copies

    def clone(self: _Self) -> _Self:
        """An independent copy with the same parameters, settings and training state."""
        return self._from(library.bp_network_clone, self._handle)

    def replace_output(self: _Self, size: SupportsIndex, seed: SupportsIndex = 0) -> _Self:
        """A copy whose last layer is replaced by a new one, for fine-tuning with other targets. This network stays as it is.

        size: the number of outputs. seed: an integer from 0 to 2**64 - 1, the seed of the new layer's weights. The copy
        has the other layers, the settings and the scaling of the inputs. The new layer has the activation of the old one.
        Target scaling and the optimizer's state are reset. InvalidValueError for size 0; LimitError; OutOfMemoryError.
        """
        copy = self.clone()
        call(library.bp_network_replace_output, copy._handle, unsigned(size, "size"), unsigned(seed, "seed"))
        copy._layers = (*copy._layers[:-1], unsigned(size, "size"))
        copy._read_target_columns()
        return copy

    def _duplicate(self: _Self) -> _Self:
        return self.clone()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_bytes, (self.to_bytes(),), vars(self) or None

    def __repr__(self) -> str:
        if self._pointer is None:
            return f"<closed {type(self).__name__} {list(self._layers)}>"
        try:
            settings = f" {' '.join(self.activations)}, {self.loss}, {self.optimizer}"
        except Error:  # called from a callback of this network
            settings = ""
        return f"<{type(self).__name__} {list(self._layers)}{settings}>"

    # Settings

    @property
    def layers(self) -> tuple[int, ...]:
        """The sizes of the layers, inputs first."""
        return self._layers

    @property
    def activations(self) -> tuple[str, ...]:
        """The names of the activations, one for each of the layers 1, 2, ..."""
        return tuple(text_of(library.bp_network_get_activation, self._handle, layer) for layer in range(1, len(self._layers)))

    @property
    def batchnorm(self) -> tuple[bool, ...]:
        """Whether batch normalization is enabled, one bool for each of the layers 1, 2, ..."""
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
        """The number of training steps since the weights were initialized."""
        steps = ctypes.c_uint64()
        call(library.bp_network_step_count, self._handle, byref(steps))
        return steps.value

    def set_activation(self, layer: SupportsIndex, activation: Union[str, Activation]) -> None:
        """Sets the activation of a layer, 1 or more. `bp.activation.names()` lists the names.

        UnknownNameError for an unknown activation, InvalidValueError for a layer out of range.
        """
        call(library.bp_network_set_activation, self._handle, unsigned(layer, "layer"),
             name_of(activation))

    def set_batchnorm(self, layer: SupportsIndex, enabled: bool = True) -> None:
        """Enables or disables batch normalization of a layer, 1 or more. Changes the number of parameters.

        InvalidValueError for a layer out of range, OutOfMemoryError.
        """
        call(library.bp_network_set_batchnorm, self._handle, unsigned(layer, "layer"), bool(enabled))

    def set_dropout(self, layer: SupportsIndex, rate: SupportsFloat) -> None:
        """Sets the dropout rate of a hidden layer: the probability, 0 to 0.999, that a training step drops a unit.

        InvalidValueError for a rate out of range or a layer that is not hidden.
        """
        call(library.bp_network_set_dropout, self._handle, unsigned(layer, "layer"), number(rate, "rate"))

    def get_dropout(self, layer: SupportsIndex) -> float:
        """The dropout rate of a hidden layer. InvalidValueError for a layer that is not hidden."""
        rate = ctypes.c_double()
        call(library.bp_network_get_dropout, self._handle, unsigned(layer, "layer"), byref(rate))
        return rate.value

    @property
    def trainable(self) -> tuple[bool, ...]:
        """Whether training changes a layer, one bool for each of the layers 1, 2, ..."""
        trainable, found = ctypes.c_int32(), []
        for layer in range(1, len(self._layers)):
            call(library.bp_network_get_trainable, self._handle, layer, byref(trainable))
            found.append(bool(trainable.value))
        return tuple(found)

    def set_trainable(self, layer: SupportsIndex, trainable: bool = True) -> None:
        """Freezes a layer, 1 or more, with False: training does not change its parameters and running statistics.

        Training steps skip the backward pass of frozen layers below the first trainable one. The gradient of frozen layers
        is 0. Batch normalization of a frozen layer uses the running statistics. InvalidValueError for a layer out of range.
        """
        call(library.bp_network_set_trainable, self._handle, unsigned(layer, "layer"), bool(trainable))

    def set_loss(self, loss: Union[str, Loss]) -> None:
        """Sets the loss: one of loss_names(), or the result of `bp.loss`.

        The targets of a registered loss have the shape (rows, target_columns). While it changes this shape, no other thread may
        use the network with targets. UnknownNameError; InvalidValueError for a
        registered loss whose target_columns are not the outputs, if the targets are scaled.
        """
        call(library.bp_network_set_loss, self._handle, text(getattr(loss, "name", loss), "loss"))
        self._read_target_columns()

    def fit_scaling(self, inputs: Optional[ArrayLike] = None, targets: Optional[ArrayLike] = None, *,
                    input_scaling: str = "auto", target_scaling: str = "auto") -> None:
        """Computes the scaling of inputs and targets from data. From then on the network scales them itself.

        inputs: shape (rows, inputs). targets: shape (rows, outputs), or (rows,): see Network. None sets the scaling of
        inputs or of targets to "none". input_scaling, target_scaling: "auto", "none", "standard", "min_max" or
        "symmetric". "auto" is "standard" for inputs. For targets it is the scaling that suits the loss and the activation
        of the last layer: set these two first.

        The network then accepts and returns unscaled numbers. Losses are computed from scaled targets.

        InvalidValueError for no rows, UnknownNameError for an unknown scaling, NotFiniteError for a NaN or an infinity.
        """
        x = None if inputs is None else matrix(inputs, self._layers[0], "inputs")
        y = None if targets is None else rows_of_targets(targets, self._target_columns)
        if x is not None and y is not None and len(x) != len(y):
            raise ValueError(f"targets: expected {len(x)} rows, as inputs has, got {len(y)}")
        given = x if x is not None else y
        call(library.bp_network_fit_scaling, self._handle,
             text("none" if x is None else input_scaling, "input_scaling"),
             text("none" if y is None else target_scaling, "target_scaling"),
             None if x is None else pointer(x), None if y is None else pointer(y), 0 if given is None else len(given))

    def check_settings(self, targets: Optional[ArrayLike] = None) -> None:
        """Checks that loss, activations and scaling are compatible, also with targets. `Trainer.fit` does the same check.

        targets: shape (rows, outputs), or (rows,): see Network; None to check the settings only. InvalidValueError or
        UnsupportedError for incompatible settings or targets: the message says which setting to change. NotFiniteError for
        a NaN or an infinity in targets.
        """
        y = None if targets is None else rows_of_targets(targets, self._target_columns)
        call(library.bp_network_check_settings, self._handle, None if y is None else pointer(y),
             0 if y is None else len(y))

    def set_optimizer(self, name: str) -> None:
        """Sets the optimizer: "sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw" or "irprop_minus".

        Resets the optimizer's state. UnknownNameError for other names, OutOfMemoryError.
        """
        call(library.bp_network_set_optimizer, self._handle, text(name, "optimizer"))

    def set_option(self, name: str, value: Union[SupportsFloat, str]) -> None:
        """Sets an option to a number or, for a choice, one of its words. `bp.options()` lists the options.

        UnknownNameError for an unknown option, InvalidValueError for a number out of bounds, ValueError for an unknown
        word.
        """
        call(library.bp_network_set_option, self._handle, text(name, "option"), options.encoded(name, value))

    @overload
    def get_option(self, name: _Choice) -> str: ...
    @overload
    def get_option(self, name: str) -> Union[float, Any]: ...

    def get_option(self, name: str) -> Union[float, str]:
        """The value of an option: a number or, for a choice, a word. UnknownNameError for an unknown option."""
        value = ctypes.c_double()
        call(library.bp_network_get_option, self._handle, text(name, "option"), byref(value))
        return options.decoded(name, value.value)

    def initialize(self, seed: SupportsIndex) -> None:
        """Initializes the weights as in a new network with that seed, and resets the training state. Keeps the settings."""
        call(library.bp_network_initialize, self._handle, unsigned(seed, "seed"))

    # Training

    def train_step(self, input: ArrayLike, target: ArrayLike, learning_rate: SupportsFloat) -> float:
        """Makes one step of the optimizer on one row. Returns the loss before the step.

        input: shape (inputs,). target: shape (outputs,), or a number: the target of a network with one output, or a class
        number. learning_rate: finite, 0 or more.

        InvalidValueError for the learning rate, or for settings or a target that check_settings refuses for the loss;
        NotFiniteError for a NaN or an infinity in the row, the loss or the gradient. Exceptions of activation functions
        are raised again. A step that fails changes nothing.
        """
        loss = ctypes.c_float()
        call(library.bp_network_train_step, self._handle, pointer(vector(input, self._layers[0], "input")),
             pointer(row(target, self._target_columns, "target")), number(learning_rate, "learning_rate"),
             byref(loss))
        return loss.value

    def train_minibatch(self, inputs: ArrayLike, targets: ArrayLike, learning_rate: SupportsFloat) -> float:
        """Makes one step of the optimizer on all rows. Returns the loss before the step.

        inputs: shape (rows, inputs). targets: shape (rows, outputs), or (rows,): see Network. The gradient and the loss are
        the sums over the rows, or their means if the option gradient_reduction is "mean".

        InvalidValueError for no rows; other errors as in train_step.
        """
        loss = ctypes.c_float()
        call(library.bp_network_train_minibatch, self._handle, *self._rows(inputs, targets),
             number(learning_rate, "learning_rate"), byref(loss))
        return loss.value

    def gradient(self, inputs: ArrayLike, targets: ArrayLike) -> tuple[Array, float]:
        """The gradient, shape (parameter_count,), and the loss of a minibatch. Makes no step.

        Arguments and errors as in train_minibatch.
        """
        loss, rows = ctypes.c_float(), self._rows(inputs, targets)
        gradient = self._filled(lambda gradient: call(
            library.bp_network_gradient, self._handle, *rows, pointer(gradient), len(gradient), byref(loss)))
        return gradient, loss.value

    def apply_gradient(self, gradient: ArrayLike, learning_rate: SupportsFloat) -> None:
        """Makes one step of the optimizer with a gradient of shape (parameter_count,).

        InvalidValueError for the learning rate, NotFiniteError for a NaN or an infinity in the gradient or the new
        parameters.
        """
        values = vector(gradient, self.parameter_count, "gradient")
        call(library.bp_network_apply_gradient, self._handle, pointer(values), len(values),
             number(learning_rate, "learning_rate"))

    def backpropagate(self, inputs: ArrayLike, output_gradients: ArrayLike) -> Array:
        """The gradient for the parameters, shape (parameter_count,), of any function L of the outputs, from its gradient for
        them: shapes (rows, inputs) and (rows, outputs). The loss and "gradient_reduction" are not used.

        The pass is that of a training step: batch normalization uses the statistics of the rows and moves the running ones,
        and dropout draws. apply_gradient completes the step. InvalidValueError for no rows; NotFiniteError; what an
        activation function raises.
        """
        x, d = self._output_gradients(inputs, output_gradients)
        return self._filled(lambda gradient: call(
            library.bp_network_backpropagate, self._handle, pointer(x), pointer(d), len(x), pointer(gradient), len(gradient),
            None))

    def backpropagate_to_inputs(self, inputs: ArrayLike, output_gradients: ArrayLike) -> tuple[Array, Array]:
        """The same gradient, and that for the inputs, shape (rows, inputs), from the same pass."""
        x, d = self._output_gradients(inputs, output_gradients)
        for_inputs = np.empty_like(x)
        gradient = self._filled(lambda gradient: call(
            library.bp_network_backpropagate, self._handle, pointer(x), pointer(d), len(x), pointer(gradient), len(gradient),
            pointer(for_inputs)))
        return gradient, for_inputs

    def _output_gradients(self, inputs: ArrayLike, output_gradients: ArrayLike) -> tuple[Array, Array]:
        x = matrix(inputs, self._layers[0], "inputs")
        d = matrix(output_gradients, self._layers[-1], "output_gradients")
        if len(x) != len(d):
            raise ValueError(f"output_gradients: expected shape {(len(x), self._layers[-1])} for {len(x)} rows of inputs, "
                             f"got {d.shape}")
        return x, d

    def check_gradient(self, inputs: ArrayLike, targets: ArrayLike) -> float:
        """The largest relative error of the gradient compared with central differences. Below 1e-2 is good. Slow.

        Arguments and errors as in train_minibatch; UnsupportedError for the activation "sign".
        """
        error = ctypes.c_double()
        call(library.bp_network_check_gradient, self._handle, *self._rows(inputs, targets), byref(error))
        return error.value

    def _rows(self, inputs: ArrayLike, targets: ArrayLike) -> tuple[Any, Any, int]:
        x = matrix(inputs, self._layers[0], "inputs")
        y = rows_of_targets(targets, self._target_columns)
        if len(x) != len(y):
            raise ValueError(f"targets: expected shape {(len(x), self._target_columns)} for {len(x)} rows of inputs, "
                             f"got {np.shape(targets)}")
        return pointer(x), pointer(y), len(x)

    # Use

    def predict(self, inputs: ArrayLike, out: Optional[Array] = None) -> Array:
        """The outputs, float32: shape (rows, outputs) for inputs of shape (rows, inputs), (outputs,) for shape (inputs,).

        out: an array that receives the outputs and is returned. It must be float32, C-contiguous, aligned and writeable,
        have the shape of the outputs, and not overlap the inputs: TypeError or ValueError otherwise. Exceptions of
        activation functions are raised again.
        """
        x, rows, outputs = predicted(inputs, self._layers[0], self._layers[-1], out)
        call(library.bp_network_predict, self._handle, pointer(x), rows, pointer(outputs))
        return outputs

    def predict_layer(self, layer: SupportsIndex, inputs: ArrayLike) -> Array:
        """The outputs of layer 1 or higher for rows, shape (rows, size of the layer), as predict computes them."""
        index = unsigned(layer, "layer")
        x = matrix(inputs, self._layers[0], "inputs")
        outputs = np.empty((len(x), self._layers[index] if index < len(self._layers) else 1), np.float32)
        call(library.bp_network_predict_layer, self._handle, index, pointer(x), len(x), pointer(outputs))
        return outputs

    def input_gradients(self, inputs: ArrayLike, output_gradients: ArrayLike) -> Array:
        """The gradient for the inputs, shape (rows, inputs), of any function of what predict returns, from its gradient for
        the outputs, shape (rows, outputs)."""
        x, d = self._output_gradients(inputs, output_gradients)
        gradients = np.empty_like(x)
        call(library.bp_network_backpropagate, self._handle, pointer(x), pointer(d), len(x), None, 0, pointer(gradients))
        return gradients

    def input_jacobian(self, inputs: ArrayLike) -> Array:
        """The derivatives of what predict returns for rows, shape (rows, outputs, inputs)."""
        x = matrix(inputs, self._layers[0], "inputs")
        jacobian = np.empty((len(x), self._layers[-1], self._layers[0]), np.float32)
        call(library.bp_network_input_jacobian, self._handle, pointer(x), len(x), pointer(jacobian))
        return jacobian

    def row_losses(self, inputs: ArrayLike, targets: ArrayLike) -> Array:
        """The loss of each row's prediction, shape (rows,)."""
        rows = self._rows(inputs, targets)
        losses = np.empty(rows[-1], np.float32)
        call(library.bp_network_row_losses, self._handle, *rows, pointer(losses))
        return losses

    def evaluate(self, inputs: ArrayLike, targets: ArrayLike) -> float:
        """The loss of the predictions. Changes nothing.

        inputs: shape (rows, inputs). targets: shape (rows, outputs), or (rows,): see Network. Errors as in train_minibatch.
        """
        loss = ctypes.c_float()
        call(library.bp_network_evaluate, self._handle, *self._rows(inputs, targets), byref(loss))
        return loss.value

    def score(self, inputs: ArrayLike, targets: ArrayLike, measure: Optional[str] = None) -> float:
        """The quality of the predictions by a measure: "accuracy", "r2" or "mean_absolute_error".

        None selects "accuracy" for the cross-entropies and "r2" for other losses. inputs: shape (rows, inputs).
        targets: shape (rows, outputs), or (rows,): see Network. InvalidValueError for no rows, UnknownNameError for an
        unknown measure.
        """
        if measure is None:
            measure = "accuracy" if self.loss in ("cross_entropy", "binary_cross_entropy") else "r2"
        score = ctypes.c_double()
        call(library.bp_network_score, self._handle, text(measure, "measure"), *self._rows(inputs, targets),
             byref(score))
        return score.value

    def fold_batchnorm(self) -> None:
        """Folds batch normalization into the weights and removes it, for inference. Predictions change by rounding only.

        Changes the number of parameters. To continue training later, fold a clone.
        """
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
        """A copy of the parameters, float32, shape (parameter_count,).

        For each layer from layer 1: the weights, row-major [outputs][inputs], the biases [outputs] and, with batch
        normalization, gamma [outputs] and beta [outputs]. Assigning an array of this shape replaces the parameters;
        NotFiniteError for a NaN or an infinity.
        """
        return self._filled(lambda parameters: call(
            library.bp_network_get_parameters, self._handle, pointer(parameters), len(parameters)))

    @parameters.setter
    def parameters(self, values: ArrayLike) -> None:
        parameters = vector(values, self.parameter_count, "parameters")
        call(library.bp_network_set_parameters, self._handle, pointer(parameters), len(parameters))

    def _filled(self, fill: Callable[[Array], Any]) -> Array:
        """An array for all parameters, filled by a call that refuses a wrong array size."""
        while True:
            array = np.empty(self.parameter_count, np.float32)
            try:
                fill(array)
                return array
            except ModelError as error:
                if error.status != Status.ERROR_MISMATCH:
                    raise  # ERROR_MISMATCH: another thread has changed the number

    @property
    def tensors(self) -> Tensors:
        """A mapping of tensor names, as in the file, to arrays. Includes the running statistics. See Tensors."""
        return Tensors(self)

    # Metadata

    @property
    def metadata(self) -> Metadata:
        """Texts that are saved with the network: a mutable mapping of str to str. See Metadata."""
        return Metadata(self)

    # Files

    def save(self, path: Path) -> None:
        """Writes the network to a safetensors file. On failure, an existing file is unchanged.

        FileError, which is also of the built-in class for the errno, such as PermissionError.
        """
        call(library.bp_network_save, self._handle, encode_path(path), path=path)

    @classmethod
    def load(cls: type[_Self], path: Path) -> _Self:
        """Creates a network from a file.

        FileError, which is also of the built-in class for the errno, such as FileNotFoundError; ModelError for a file that
        is not a valid model; UnknownNameError for activations that are not registered: the message lists them.
        """
        return cls._from(library.bp_network_load, encode_path(path), path=path)

    def load_weights(self, path: Path) -> None:
        """Loads the weights from any safetensors file with tensors "layers.1.weight" and so on, for example from PyTorch.

        FileError; ModelError for a missing tensor or a wrong shape: the message names the tensor; NotFiniteError for a NaN
        or an infinity.
        """
        call(library.bp_network_load_weights, self._handle, encode_path(path), path=path)

    def load_weights_from_bytes(self, data: Union[bytes, bytearray, memoryview]) -> None:
        """Like load_weights, from the contents of a safetensors file. Errors as there, except FileError."""
        call(library.bp_network_load_weights_memory, self._handle, *_bytes(data))

    def load_layer(self, layer: SupportsIndex, path: Path, weight: str, bias: Optional[str]) -> None:
        """Loads the weights and biases of one layer, 1 or more, from any safetensors file, by the names of their tensors.

        weight: the name of a tensor of shape (outputs, inputs), such as "0.weight" or "model.fc1.weight". bias: the name of
        a tensor of shape (outputs,), or None for a layer without a bias: the biases become 0. UnknownNameError for a name
        that the file does not have: the message lists names that it has; otherwise as load_weights.
        """
        call(library.bp_network_load_layer, self._handle, unsigned(layer, "layer"), encode_path(path),
             text(weight, "weight"), None if bias is None else text(bias, "bias"), path=path)

    def load_layer_from_bytes(self, layer: SupportsIndex, data: Union[bytes, bytearray, memoryview], weight: str,
                              bias: Optional[str]) -> None:
        """Like load_layer, from the contents of a safetensors file. Errors as there, except FileError."""
        call(library.bp_network_load_layer_memory, self._handle, unsigned(layer, "layer"), *_bytes(data),
             text(weight, "weight"), None if bias is None else text(bias, "bias"))

    def to_bytes(self) -> bytes:
        """The contents of the file that save writes."""
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
        """Creates a network from the result of to_bytes. Errors as in load, except FileError."""
        return cls._from(library.bp_network_load_memory, *_bytes(data))


def _bytes(data: Union[bytes, bytearray, memoryview]) -> tuple[Any, int]:
    """The contents of a file as arguments. The pointer keeps the bytes alive."""
    data = data if isinstance(data, bytes) else bytes(memoryview(data))
    return ctypes.cast(ctypes.c_char_p(data), _uint8_pointer), len(data)
