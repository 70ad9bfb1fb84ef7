"""Multilayer networks."""
from __future__ import annotations

import ctypes
import operator
import sys
from ctypes import byref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable, Literal, NamedTuple, Optional, SupportsFloat, SupportsIndex, TypeVar, Union
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from . import _callbacks, _classes, _settings, option as options
from ._arguments import FLOAT32, Array, Numbers, Path, described, encode_path, flag, floats, is_float_row, is_plain, number
from ._arguments import output_table, pointer, predicted, row, row_count, rows_or_row, single, table, table_or_row
from ._arguments import table_row, target_table, text, unsigned, vector
from ._classes import Label
from ._convert import as_array, not_numbers
from ._call import call, check, keys, plugins, text_of
from ._handle import Owner
from ._library import library, undeclared
from ._memory import address
from ._prototypes import Network as Handle
from .activation import Activation, name_of
from .errors import Error, InvalidValueError, ModelError, Status, UnsupportedError
from .layer import Layer
from .losses import Loss
from .metadata import Metadata
from .summary import Summary, summary
from .tensors import Tensors

if TYPE_CHECKING:
    from .history import History
    from .trainer import Progress

__all__ = ["Network", "Scaling"]

_Self = TypeVar("_Self", bound="Network")
_Out = TypeVar("_Out", bound="Numbers")
_Choice = Literal["gradient_reduction", "initialization", "batchnorm_update"]
_LARGEST = float.fromhex("0x1.fffffep127")  # of float32
_uint8_pointer = ctypes.POINTER(ctypes.c_uint8)


class Scaling(NamedTuple):
    """The names of a network's scalings: "none", "standard", "min_max" or "symmetric".

    Examples
    --------
    >>> network = bp.Network([1, 1])
    >>> network.fit_scaling([[0], [1]])
    >>> network.scaling
    Scaling(inputs='standard', targets='none')
    """

    inputs: str
    targets: str


class Network(Owner):
    """A fully connected feed-forward network with its parameters and the state of its training.

    Parameters
    ----------
    layers : sequence of int
        The sizes of the layers, inputs first. Layer 0 holds the inputs; layer 1 is the first layer with weights.
    seed : int, default 0
        From 0 to 2**64 - 1: the seed of the random weights.
    activation : name, activation or a sequence with one for each hidden layer, default "logistic"
        The activations of the hidden layers. `bp.activation.names()` lists the names.
    output : name or activation, optional
        The activation of the last layer. None for the one that suits the loss: "softmax" for "cross_entropy", "logistic"
        for "binary_cross_entropy", "softplus" for "poisson", "identity" for others; "logistic" if there is no loss either.
    loss : name or loss, optional
        None for the one that suits the output: the reverse of the above, and "squared_error" for other outputs and if there
        is no output either. `bp.loss_names()` lists the names.
    batchnorm : bool or a sequence with one for each hidden layer, default False
        Batch normalization of the hidden layers.
    dropout : float or a sequence with one for each hidden layer, default 0
        The dropout rates of the hidden layers.
    optimizer : name, default "sgd"
        `bp.optimizer_names()` lists the names.
    **options
        Options of a network, such as gradient_reduction="mean". `bp.options()` lists them.

    Raises InvalidValueError for fewer than 2 layers, a layer of size 0 or an option out of bounds; UnknownNameError, with a
    list of the names, for a name that does not exist; LimitError for more than 1024 layers or sizes that are too large;
    OutOfMemoryError.

    Inputs have the shape (rows, inputs) and targets the shape (rows, outputs), where `inputs` and `outputs` are the sizes of
    the first and the last layer. An array, or anything that holds one, is accepted: nested sequences, data frames and
    series of pandas and polars, tensors of PyTorch and JAX, and every object with the buffer protocol, the array protocol or
    DLPack. Arrays of float32, float64, float16, int8 and uint8 are used without a copy, with any strides; other numbers are
    converted to float32 or, where that would round them, to float64. Methods that compute gradients or single losses, and
    predict_layer, convert to C-contiguous float32. Returned arrays are float32.

    Targets can also have the shape (rows,). For a network that has `classes`, they are labels. For another network with one
    output, they are its targets. For another network with several outputs, they are class numbers, integers from 0. The
    targets of a row with a label or class number are 1 at the output of the class and 0 at the other outputs (`bp.one_hot`).
    With two classes and one output, the target is 0 for the first class, or -1 if the output is "tanh", "softsign", "sine" or
    "sign", and 1 for the second. `fit` sets `classes` if the targets are strings. The classes are saved with the network.
    For a registered loss whose target_columns are not the outputs, targets have the shape (rows, target_columns).

    Errors of the library are a `bp.Error` and also of a built-in class. A wrong shape is a ValueError, a wrong type a
    TypeError. Methods raise InvalidHandleError after close(), and BusyError when an activation function calls it on
    a network that is being changed. A failed call changes nothing. Several threads can use one network.

    Examples
    --------
    >>> import libbackprop as bp
    >>> x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["same", "different", "different", "same"]
    >>> network = bp.Network([2, 8, 2], activation="tanh", loss="cross_entropy", optimizer="adam", seed=1)
    >>> network
    <Network [2, 8, 2] tanh softmax, 42 parameters, cross_entropy, adam>
    >>> history = network.fit(x, y, epochs=500, learning_rate=0.05)
    >>> network.predict_classes(x).tolist()
    ['same', 'different', 'different', 'same']
    """

    __slots__ = ("_classes", "_layers", "_reduction", "_target_columns", "_worker")

    _free = library.bp_network_free
    _noun = "network"
    _classes: Optional[tuple[Label, ...]]
    _layers: tuple[int, ...]
    _reduction: int  # the key of the all-reduce function
    _target_columns: int
    _worker: tuple[int, int]  # the number of this worker, and of all, if there is an all-reduce function

    def __init__(self, layers: Iterable[SupportsIndex], seed: SupportsIndex = 0, *,
                 activation: Optional[_settings.Activations] = None, output: Union[str, Activation, None] = None,
                 loss: Union[str, Loss, None] = None, batchnorm: Union[bool, Iterable[bool]] = False,
                 dropout: Union[SupportsFloat, Iterable[SupportsFloat]] = 0.0, optimizer: Optional[str] = None,
                 **options: Union[SupportsFloat, str]) -> None:
        """Creates a network. `help(libbackprop.Network)` describes the parameters."""
        if not isinstance(layers, Iterable):
            raise TypeError(f"layers: expected a sequence of sizes, got {type(layers).__name__}")
        sizes = [unsigned(size, "layer size", 1) for size in layers]
        handle = Handle()
        call(library.bp_network_create, (ctypes.c_size_t * len(sizes))(*sizes), len(sizes), unsigned(seed, "seed"),
             byref(handle))
        self._adopt(handle)
        _settings.apply(self, activation, output, loss, batchnorm, dropout, optimizer, options)

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
        self._read_classes()

    def _become(self, model: bytes) -> None:
        """Replaces this network by a model."""
        received = Network.from_bytes(model)
        handle, received._pointer = received._pointer, None
        self._adopt(handle)

    def _read_target_columns(self) -> None:
        columns = ctypes.c_size_t()
        call(library.bp_network_target_columns, self._handle, byref(columns))
        self._target_columns = columns.value

    def __del__(self, finalizing: Any = sys.is_finalizing) -> None:
        super().__del__()
        if not finalizing():  # not in close: a callback may close the network of a fit, which then fails on all workers
            self._forget_all_reduce()

    def _forget_all_reduce(self) -> None:
        plugins.pop(getattr(self, "_reduction", 0), None)

    @property
    def _has_workers(self) -> bool:
        return getattr(self, "_reduction", 0) in plugins

    def _refuse(self) -> None:
        """Lets the call of the other workers fail, because Python has refused the arguments of this one."""
        if self._has_workers:
            library.bp_network_train_step(self._handle, None, None, 0, None)

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._refuse()
            raise

    # Copies

    def clone(self: _Self) -> _Self:
        """An independent copy with the same parameters, settings and training state.

        Examples
        --------
        >>> network = bp.Network([2, 1], seed=1)
        >>> network.clone().to_bytes() == network.to_bytes()
        True
        """
        return self._from(library.bp_network_clone, self._handle)

    def replace_output(self: _Self, size: SupportsIndex, seed: SupportsIndex = 0) -> _Self:
        """A copy whose last layer is replaced by a new one, for fine-tuning with other targets. This network stays as it is.

        size: the number of outputs. seed: an integer from 0 to 2**64 - 1, the seed of the new layer's weights. The copy
        has the other layers, the settings and the scaling of the inputs. The new layer has the activation of the old one.
        Target scaling and the optimizer's state are reset. InvalidValueError for size 0; LimitError; OutOfMemoryError.

        Examples
        --------
        >>> bp.Network([4, 8, 10], seed=1).replace_output(3).layers
        (4, 8, 3)
        """
        copy = self.clone()
        call(library.bp_network_replace_output, copy._handle, unsigned(size, "size", 1), unsigned(seed, "seed"))
        copy._layers = (*copy._layers[:-1], operator.index(size))
        copy._read_target_columns()
        if self._classes is not None:
            copy.classes = None
        return copy

    def _duplicate(self: _Self) -> _Self:
        return self.clone()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_bytes, (self.to_bytes(),), self._added or None

    def __repr__(self) -> str:
        if self._pointer is None:
            return f"<closed {type(self).__name__} {list(self._layers)}>"
        try:
            settings = f" {' '.join(self.activations)}, {self.parameter_count} parameters, {self.loss}, {self.optimizer}"
        except Error:  # called from a callback of this network
            settings = ""
        return f"<{type(self).__name__} {list(self._layers)}{settings}>"

    # Settings

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, inputs first: their sizes, with parameters and settings as attributes. See Layer.

        Examples
        --------
        >>> network = bp.Network([2, 3, 1])
        >>> network.layers, network.layers[1].weight.shape
        ((2, 3, 1), (3, 2))
        """
        return tuple(Layer(size, self, index) for index, size in enumerate(self._layers))

    def summary(self) -> Summary:
        """A table of the layers with their sizes, settings and parameters, and a line for the other settings: a str.

        Examples
        --------
        >>> import libbackprop as bp
        >>> bp.Network([4, 8, 3], activation="relu", output="softmax", batchnorm=True, dropout=0.1).summary()
        layer  units  activation  batchnorm  dropout  trainable  parameters
        -------------------------------------------------------------------
        0          4  (inputs)
        1          8  relu        yes            0.1  yes                56
        2          3  softmax                         yes                27
        -------------------------------------------------------------------
        83 parameters, loss cross_entropy, optimizer sgd, 0 steps
        """
        return summary(self)

    @property
    def activations(self) -> tuple[str, ...]:
        """The names of the activations, one for each of the layers 1, 2, ...

        Examples
        --------
        >>> bp.Network([2, 3, 1], activation="tanh").activations
        ('tanh', 'logistic')
        """
        return tuple(text_of(library.bp_network_get_activation, self._handle, layer) for layer in range(1, len(self._layers)))

    @property
    def batchnorm(self) -> tuple[bool, ...]:
        """Whether batch normalization is enabled, one bool for each of the layers 1, 2, ...

        Examples
        --------
        >>> bp.Network([2, 3, 1], batchnorm=True).batchnorm
        (True, False)
        """
        enabled, found = ctypes.c_int32(), []
        for layer in range(1, len(self._layers)):
            call(library.bp_network_get_batchnorm, self._handle, layer, byref(enabled))
            found.append(bool(enabled.value))
        return tuple(found)

    @property
    def loss(self) -> str:
        """The name of the loss.

        Examples
        --------
        >>> bp.Network([2, 3], output="softmax").loss
        'cross_entropy'
        """
        return text_of(library.bp_network_get_loss, self._handle)

    @property
    def optimizer(self) -> str:
        """The name of the optimizer.

        Examples
        --------
        >>> bp.Network([2, 3], optimizer="adam").optimizer
        'adam'
        """
        return text_of(library.bp_network_get_optimizer, self._handle)

    @property
    def effective_parameters(self) -> float:
        """With optimizer "bayesian_regularization", the number of parameters that the data determine, of the network before
        its latest step; 0 in the first four steps. If a larger network has the same number, this one is large enough.
        UnsupportedError for other optimizers.

        Examples
        --------
        >>> x = np.linspace(-1, 1, 100)[:, np.newaxis]
        >>> network = bp.Network([1, 1], optimizer="bayesian_regularization")
        >>> network.set_activation(1, "identity")
        >>> history = network.fit(x, 2 * x + 0.1 * np.cos(50 * x), epochs=20)
        >>> round(network.effective_parameters)
        2
        """
        count = ctypes.c_double()
        call(library.bp_network_effective_parameters, self._handle, byref(count))
        return count.value

    @property
    def scaling(self) -> Scaling:
        """The names of the scalings of inputs and targets.

        Examples
        --------
        >>> bp.Network([2, 3]).scaling
        Scaling(inputs='none', targets='none')
        """
        return Scaling(*(text_of(library.bp_network_get_scaling, self._handle, of_targets) for of_targets in (0, 1)))

    @property
    def step_count(self) -> int:
        """The number of training steps since the weights were initialized.

        Examples
        --------
        >>> network = bp.Network([1, 1])
        >>> loss = network.train_minibatch([[0], [1]], [0, 1], 0.1)
        >>> network.step_count
        1
        """
        steps = ctypes.c_uint64()
        call(library.bp_network_step_count, self._handle, byref(steps))
        return steps.value

    def set_activation(self, layer: SupportsIndex, activation: Union[str, Activation]) -> None:
        """Sets the activation of a layer, 1 or more. `bp.activation.names()` lists the names.

        UnknownNameError for an unknown activation, InvalidValueError for a layer out of range.

        Examples
        --------
        >>> network = bp.Network([2, 3, 1])
        >>> network.set_activation(1, "relu")
        >>> network.activations
        ('relu', 'logistic')
        """
        call(library.bp_network_set_activation, self._handle, unsigned(layer, "layer", 1),
             name_of(activation))

    def set_batchnorm(self, layer: SupportsIndex, enabled: bool = True) -> None:
        """Enables or disables batch normalization of a layer, 1 or more. Changes the number of parameters.

        InvalidValueError for a layer out of range, OutOfMemoryError.

        Examples
        --------
        >>> network = bp.Network([2, 3, 1])
        >>> network.set_batchnorm(1)
        >>> network.batchnorm
        (True, False)
        """
        call(library.bp_network_set_batchnorm, self._handle, unsigned(layer, "layer", 1), flag(enabled, "enabled"))

    def set_dropout(self, layer: SupportsIndex, rate: SupportsFloat) -> None:
        """Sets the dropout rate of a hidden layer: the probability, 0 to 0.999, that a training step drops a unit.

        InvalidValueError for a rate out of range or a layer that is not hidden.

        Examples
        --------
        >>> network = bp.Network([2, 3, 1])
        >>> network.set_dropout(1, 0.25)
        >>> network.get_dropout(1)
        0.25
        """
        call(library.bp_network_set_dropout, self._handle, unsigned(layer, "layer", 1), number(rate, "rate"))

    def get_dropout(self, layer: SupportsIndex) -> float:
        """The dropout rate of a hidden layer. InvalidValueError for a layer that is not hidden.

        Examples
        --------
        >>> bp.Network([2, 3, 1], dropout=0.5).get_dropout(1)
        0.5
        """
        rate = ctypes.c_double()
        call(library.bp_network_get_dropout, self._handle, unsigned(layer, "layer", 1), byref(rate))
        return rate.value

    @property
    def trainable(self) -> tuple[bool, ...]:
        """Whether training changes a layer, one bool for each of the layers 1, 2, ...

        Examples
        --------
        >>> bp.Network([2, 3, 1]).trainable
        (True, True)
        """
        trainable, found = ctypes.c_int32(), []
        for layer in range(1, len(self._layers)):
            call(library.bp_network_get_trainable, self._handle, layer, byref(trainable))
            found.append(bool(trainable.value))
        return tuple(found)

    def set_trainable(self, layer: SupportsIndex, trainable: bool = True) -> None:
        """Freezes a layer, 1 or more, with False: training does not change its parameters and running statistics.

        Training steps skip the backward pass of frozen layers below the first trainable one. The gradient of frozen layers
        is 0. Batch normalization of a frozen layer uses the running statistics. InvalidValueError for a layer out of range.

        Examples
        --------
        >>> network = bp.Network([2, 3, 1])
        >>> network.set_trainable(1, False)
        >>> network.trainable
        (False, True)
        """
        call(library.bp_network_set_trainable, self._handle, unsigned(layer, "layer", 1), flag(trainable, "trainable"))

    def set_loss(self, loss: Union[str, Loss]) -> None:
        """Sets the loss: one of loss_names(), or the result of `bp.loss`.

        The targets of a registered loss have the shape (rows, target_columns). While it changes this shape, no other thread may
        use the network with targets. UnknownNameError; InvalidValueError for a
        registered loss whose target_columns are not the outputs, if the targets are scaled.

        Examples
        --------
        >>> network = bp.Network([2, 1])
        >>> network.set_loss("huber")
        >>> network.loss
        'huber'
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

        Examples
        --------
        >>> network = bp.Network([1, 1], output="identity")
        >>> network.fit_scaling([[0], [10]], [100, 200])
        >>> network.scaling
        Scaling(inputs='standard', targets='standard')
        """
        with self._refusing():
            x = None if inputs is None else table(inputs, self._layers[0], "inputs")
            y = None if targets is None else self._targets(targets)
            if x is not None and y is not None and len(x) != len(y):
                raise ValueError(f"targets: expected {len(x)} rows, as inputs has, got {len(y)}")
            given = x if x is not None else y
            methods = (text("none" if x is None else input_scaling, "input_scaling"),
                       text("none" if y is None else target_scaling, "target_scaling"))
        if all(each is None or is_plain(each) for each in (x, y)):
            call(library.bp_network_fit_scaling, self._handle, *methods, None if x is None else pointer(x),
                 None if y is None else pointer(y), 0 if given is None else len(given))
        else:
            call(library.bp_network_fit_scaling_rows, self._handle, *methods, described(x), described(y))

    def fit_scaling_in_pieces(self, pieces: Iterable[tuple[Optional[ArrayLike], Optional[ArrayLike]]], *,
                              input_scaling: str = "auto", target_scaling: str = "auto") -> None:
        """Computes the scaling as fit_scaling does, from pairs (inputs, targets) of a few rows each, one after the other: for
        data that are not in memory as a whole.

        Each array is as in fit_scaling, or None if its scaling is "none". Errors as in fit_scaling; InvalidValueError also if
        there are no rows.

        Examples
        --------
        >>> network = bp.Network([1, 1], output="identity")
        >>> network.fit_scaling_in_pieces([([[0], [10]], [100, 200]), ([[20]], [300])])
        >>> network.scaling, network.tensors["scaling.inputs.offset"].tolist()
        (Scaling(inputs='standard', targets='standard'), [10.0])
        """
        methods = text(input_scaling, "input_scaling"), text(target_scaling, "target_scaling")
        call(library.bp_network_add_scaling_rows, self._handle, None, None)
        try:
            for inputs, targets in pieces:
                x = None if inputs is None else table(inputs, self._layers[0], "inputs")
                y = None if targets is None else self._targets(targets)
                if x is not None or y is not None:
                    call(library.bp_network_add_scaling_rows, self._handle, described(x), described(y))
            call(library.bp_network_finish_scaling, self._handle, *methods)
        finally:
            call(library.bp_network_add_scaling_rows, self._handle, None, None)

    def check_settings(self, targets: Optional[ArrayLike] = None) -> None:
        """Checks that loss, activations and scaling are compatible, also with targets. `Trainer.fit` does the same check.

        targets: shape (rows, outputs), or (rows,): see Network; None to check the settings only. InvalidValueError or
        UnsupportedError for incompatible settings or targets: the message says which setting to change. NotFiniteError for
        a NaN or an infinity in targets.

        Examples
        --------
        >>> try:
        ...     bp.Network([2, 1], output="logistic").check_settings([[3]])
        ... except bp.InvalidValueError:
        ...     print("the target is not between 0 and 1")
        the target is not between 0 and 1
        """
        y = None if targets is None else floats(self._targets(targets), "targets")
        call(library.bp_network_check_settings, self._handle, None if y is None else pointer(y),
             0 if y is None else len(y))

    def set_optimizer(self, name: str) -> None:
        """Sets the optimizer: "sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw" or "irprop_minus"; or a second-order
        one, for small networks and all rows in one minibatch: "lbfgs", "levenberg_marquardt" or "bayesian_regularization".

        Resets the optimizer's state. UnknownNameError for other names, OutOfMemoryError.

        Examples
        --------
        >>> network = bp.Network([2, 1])
        >>> network.set_optimizer("adam")
        >>> network.optimizer
        'adam'
        """
        call(library.bp_network_set_optimizer, self._handle, text(name, "optimizer"))

    def set_option(self, name: str, value: Union[SupportsFloat, str]) -> None:
        """Sets an option to a number or, for a choice, one of its words. `bp.options()` lists the options.

        UnknownNameError for an unknown option, InvalidValueError for a number out of bounds, ValueError for an unknown
        word.

        Examples
        --------
        >>> network = bp.Network([2, 1])
        >>> network.set_option("gradient_reduction", "mean")
        >>> network.get_option("gradient_reduction")
        'mean'
        """
        call(library.bp_network_set_option, self._handle, text(name, "option"), options.encoded(name, value))

    @overload
    def get_option(self, name: _Choice) -> str: ...
    @overload
    def get_option(self, name: str) -> Union[float, Any]: ...

    def get_option(self, name: str) -> Union[float, str]:
        """The value of an option: a number or, for a choice, a word. UnknownNameError for an unknown option.

        Examples
        --------
        >>> bp.Network([2, 1], momentum=0.8).get_option("momentum")
        0.8
        """
        value = ctypes.c_double()
        call(library.bp_network_get_option, self._handle, text(name, "option"), byref(value))
        return options.decoded(name, value.value)

    def initialize(self, seed: SupportsIndex) -> None:
        """Initializes the weights as in a new network with that seed, and resets the training state. Keeps the settings.

        Examples
        --------
        >>> network = bp.Network([2, 1], seed=1)
        >>> network.initialize(2)
        >>> network.to_bytes() == bp.Network([2, 1], seed=2).to_bytes()
        True
        """
        call(library.bp_network_initialize, self._handle, unsigned(seed, "seed"))

    # Training

    def train_step(self, input: ArrayLike, target: ArrayLike, learning_rate: SupportsFloat) -> float:
        """Makes one step of the optimizer on one row. Returns the loss before the step.

        input: shape (inputs,). target: shape (outputs,), or a number: the target of a network with one output, or a class
        number. learning_rate: finite, 0 or more.

        InvalidValueError for the learning rate, or for settings or a target that check_settings refuses for the loss;
        NotFiniteError for a NaN or an infinity in the row, the loss or the gradient. Exceptions of activation functions
        are raised again. A step that fails changes nothing.

        Examples
        --------
        >>> network = bp.Network([2, 1], output="identity", loss="squared_error")
        >>> network.parameters = [1, 1, 0]
        >>> network.train_step([1, 2], [5], learning_rate=0.1)  # (3 - 5)**2 / 2
        2.0
        >>> network.parameters
        array([1.2, 1.4, 0.2], dtype=float32)
        """
        loss, rate = ctypes.c_float(), single(learning_rate, "learning_rate")
        if is_float_row(input, self._layers[0]) and is_float_row(target, self._target_columns):
            call(undeclared.bp_network_train_step, self._handle, pointer(input), pointer(target), rate, byref(loss))
        else:
            try:
                x, y = table_row(input, self._layers[0], "input"), self._target(target)
            except BaseException:
                self._refuse()
                raise
            call(undeclared.bp_network_train_rows, self._handle, described(x), described(y), rate, byref(loss))
        return loss.value

    def train_minibatch(self, inputs: ArrayLike, targets: ArrayLike, learning_rate: SupportsFloat, *,
                        sample_weight: Optional[ArrayLike] = None) -> float:
        """Makes one step of the optimizer on all rows. Returns the loss before the step.

        inputs: shape (rows, inputs). targets: shape (rows, outputs), or (rows,): see Network. The gradient and the loss are
        the sums over the rows, or their means if the option gradient_reduction is "mean". sample_weight: the weight of each
        row, shape (rows,), finite, 0 or more, by which its loss and gradient are multiplied.

        InvalidValueError for no rows; other errors as in train_step.

        Examples
        --------
        >>> network = bp.Network([2, 4, 1], seed=1)
        >>> for step in range(5000):
        ...     loss = network.train_minibatch([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], learning_rate=1.0)
        >>> loss < 0.01
        True
        """
        loss, rate = ctypes.c_float(), single(learning_rate, "learning_rate")
        self._call(undeclared.bp_network_train_minibatch, undeclared.bp_network_train_rows, (), inputs, targets,
                   sample_weight, rate, byref(loss))
        return loss.value

    def gradient(self, inputs: ArrayLike, targets: ArrayLike) -> tuple[Array, float]:
        """The gradient, shape (parameter_count,), and the loss of a minibatch. Makes no step.

        Arguments and errors as in train_minibatch.

        Examples
        --------
        >>> network = bp.Network([1, 1], output="identity")
        >>> network.parameters = [2, 0]
        >>> network.gradient([[3]], [[5]])  # error 1: 1 * 3 for the weight, 1 for the bias
        (array([3., 1.], dtype=float32), 0.5)
        """
        with self._refusing():
            loss, rows = ctypes.c_float(), self._rows(inputs, targets)
        gradient = self._filled(lambda gradient: call(
            library.bp_network_gradient, self._handle, *rows, pointer(gradient), len(gradient), byref(loss)))
        return gradient, loss.value

    def apply_gradient(self, gradient: ArrayLike, learning_rate: SupportsFloat) -> None:
        """Makes one step of the optimizer with a gradient of shape (parameter_count,).

        InvalidValueError for the learning rate, NotFiniteError for a NaN or an infinity in the gradient or the new
        parameters.

        Examples
        --------
        >>> network = bp.Network([1, 1])
        >>> network.parameters = [2, 0]
        >>> network.apply_gradient([1, 2], learning_rate=0.5)
        >>> network.parameters
        array([ 1.5, -1. ], dtype=float32)
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

        Examples
        --------
        >>> network = bp.Network([1, 1], output="identity")
        >>> network.backpropagate([[3]], [[1]])  # the derivatives of the output
        array([3., 1.], dtype=float32)
        """
        with self._refusing():
            x, d = self._output_gradients(inputs, output_gradients)
        return self._filled(lambda gradient: call(
            library.bp_network_backpropagate, self._handle, pointer(x), pointer(d), row_count(x), pointer(gradient),
            len(gradient), None))

    def backpropagate_to_inputs(self, inputs: ArrayLike, output_gradients: ArrayLike) -> tuple[Array, Array]:
        """The same gradient, and that for the inputs, shape (rows, inputs), from the same pass.

        Examples
        --------
        >>> network = bp.Network([1, 1], output="identity")
        >>> network.parameters = [2, 0]
        >>> network.backpropagate_to_inputs([[3]], [[1]])
        (array([3., 1.], dtype=float32), array([[2.]], dtype=float32))
        """
        with self._refusing():
            x, d = self._output_gradients(inputs, output_gradients)
        for_inputs = np.empty_like(x)
        gradient = self._filled(lambda gradient: call(
            library.bp_network_backpropagate, self._handle, pointer(x), pointer(d), row_count(x), pointer(gradient),
            len(gradient), pointer(for_inputs)))
        return gradient, for_inputs

    def _output_gradients(self, inputs: ArrayLike, output_gradients: ArrayLike) -> tuple[Array, Array]:
        x = rows_or_row(inputs, self._layers[0], "inputs")
        d = rows_or_row(output_gradients, self._layers[-1], "output_gradients")
        if x.shape[:-1] != d.shape[:-1]:
            raise ValueError(f"output_gradients: expected shape {(*x.shape[:-1], self._layers[-1])} for inputs of shape "
                             f"{x.shape}, got {d.shape}")
        return x, d

    def check_gradient(self, inputs: ArrayLike, targets: ArrayLike) -> float:
        """The largest relative error of the gradient compared with central differences. Below 1e-2 is good. Slow.

        Arguments and errors as in train_minibatch; UnsupportedError for the activation "sign".

        Examples
        --------
        >>> bp.Network([2, 3, 1], seed=1).check_gradient([[1, 2]], [[0]]) < 1e-2
        True
        """
        error = ctypes.c_double()
        call(library.bp_network_check_gradient, self._handle, *self._rows(inputs, targets), byref(error))
        return error.value

    def _rows(self, inputs: ArrayLike, targets: ArrayLike) -> tuple[Any, Any, int]:
        """Inputs and targets as the arguments of a function that takes float arrays."""
        x, y = self._arrays(inputs, targets)
        return pointer(floats(x, "inputs")), pointer(floats(y, "targets")), len(x)

    def _call(self, plain: Any, of_rows: Any, before: tuple[Any, ...], inputs: ArrayLike, targets: ArrayLike,
              sample_weight: Optional[ArrayLike], *after: Any) -> None:
        """Calls an undeclared function with rows by the form that needs no copy."""
        try:
            x, y = self._arrays(inputs, targets)
            weights = None if sample_weight is None else vector(sample_weight, len(x), "sample_weight")
        except BaseException:
            if plain is undeclared.bp_network_train_minibatch:
                self._refuse()
            raise
        if weights is None and is_plain(x) and is_plain(y):
            call(plain, self._handle, *before, pointer(x), pointer(y), row_count(x), *after)
        else:
            call(of_rows, self._handle, *before, described(x), described(y, weights), *after)

    def _arrays(self, inputs: ArrayLike, targets: ArrayLike) -> tuple[Numbers, Numbers]:
        """Inputs and targets of the same number of rows, without a copy if possible."""
        x = table(inputs, self._layers[0], "inputs")
        if not len(x) and not self._has_workers:
            raise InvalidValueError("inputs: expected 1 row or more, got none", Status.ERROR_INVALID_VALUE)
        y = self._targets(targets)
        if len(x) != len(y):
            raise ValueError(f"targets: expected shape {(len(x), *np.shape(targets)[1:])} for {len(x)} rows of inputs, "
                             f"got {np.shape(targets)}")
        return x, y

    def fit(self, inputs: ArrayLike, targets: Any, *, epochs: SupportsFloat = 100, batch_size: SupportsFloat = 32,
            validation: Union[tuple[ArrayLike, Any], tuple[ArrayLike, Any, ArrayLike], SupportsFloat, None] = None,
            patience: SupportsFloat = 0, restarts: SupportsFloat = 0, learning_rate: Optional[SupportsFloat] = None,
            sample_weight: Optional[ArrayLike] = None, class_weight: Union[str, Mapping[Any, float], None] = None,
            progress: Union[bool, Callable[[Progress], Any]] = False, seed: SupportsFloat = 0, comm: Any = None,
            **options: Union[SupportsFloat, str]) -> History:
        """Trains the network by a new Trainer, and returns the course of the fit.

        Parameters
        ----------
        inputs : array of shape (rows, inputs)
        targets : array of shape (rows, outputs) or (rows,)
            See Network. For strings, the first fit sets `classes` to the distinct labels, sorted.
        epochs, batch_size, patience, restarts, seed, **options
            Options of a trainer; `bp.options()` lists them.
        validation : pair (inputs, targets), triple (inputs, targets, sample_weight) or float, optional
            The validation rows, or the share of the rows that is held out for validation. The network then keeps the weights
            with the best validation loss.
        learning_rate : float, optional
            None for 0.001 with the optimizers "adam", "adamw" and "rmsprop", and 0.01 with the others.
        sample_weight, class_weight
            As for Trainer.fit.
        progress : bool or function
            True shows a bar of tqdm if it is installed, otherwise a line on stderr. A function receives a Progress after
            each epoch; if it returns True, the fit stops.
        comm : communicator, optional
            The processes that make the fit together: see `libbackprop.distributed`. All pass the same rows, and begin with the
            network of rank 0. The fit is that of one process, except for rounding. With shared_rows=0, each process passes its
            own rows, also none, and its own batch_size; for labels, set `classes` before. progress=True shows a bar on rank 0.
            shared_rows is 1 by default with comm and in DataParallel.fit, but 0 in a Trainer and with set_all_reduce.

        Returns
        -------
        History

        Ctrl-C ends the fit before its next step. The network then has the weights that the option `keep` says: the best ones
        with validation rows or patience, otherwise the latest. The method returns, with the end "interrupted". A second Ctrl-C
        before it has returned raises KeyboardInterrupt, and the network is as it was before the fit. This holds on
        the main thread, if the program has no other handler of SIGINT. Other errors are those of Trainer.fit.

        Examples
        --------
        >>> import libbackprop as bp
        >>> network = bp.Network([1, 8, 2], activation="tanh", loss="cross_entropy", optimizer="adam", seed=1)
        >>> history = network.fit([[0], [1], [2], [3]], ["low", "low", "high", "high"], epochs=300, learning_rate=0.05)
        >>> network.classes, network.predict_classes([[0.5], [2.5]]).tolist(), history.end
        (('high', 'low'), ['low', 'high'], 'complete')
        """
        from ._fitting import fit  # here, because it imports this module

        if comm is not None:
            from .distributed import DataParallel

            with DataParallel(self, comm) as parallel:
                return parallel.fit(inputs, targets, epochs=epochs, batch_size=batch_size, validation=validation,
                                    patience=patience, restarts=restarts, learning_rate=learning_rate,
                                    sample_weight=sample_weight, class_weight=class_weight, progress=progress, seed=seed,
                                    **options)
        with self._refusing():
            array = as_array(targets, "targets")
            adds_classes = self._classes is None and array.ndim == 1 and len(array) and _classes.are_labels(array)
            if adds_classes:
                if self._has_workers and not options.get("shared_rows"):
                    raise ValueError("targets: for the labels of several workers, set network.classes to all of them before")
                self.classes = _classes.distinct(array, "targets")
        try:
            return fit(self, inputs, array, validation, learning_rate, sample_weight, class_weight, progress,
                       {"epochs": epochs, "batch_size": batch_size, "patience": patience, "restarts": restarts, "seed": seed,
                        **options})
        except BaseException:
            if adds_classes:
                self.classes = None
            raise

    def set_all_reduce(self, function: Optional[Callable[[Any, str], Any]], worker: SupportsIndex = 0,
                       workers: SupportsIndex = 1, *, start: Optional[Callable[[Any, str], Any]] = None,
                       finish: Optional[Callable[[], Any]] = None) -> None:
        """Makes the network that of one of several workers, which train it together, each with its part of the rows.
        `libbackprop.distributed` does this for MPI, PyTorch, Ray and Dask.

        function: called with a NumPy array of float32 or float64, shape (count,), and "sum" or "maximum". It replaces each
        number, in place, by the sum or the maximum of this number of all workers. All workers must get the same bits. The array
        is valid during the call only. None: the network trains alone. worker: 0 to workers - 1.

        start and finish, both or none, let the exchange of a large network's gradient overlap the backward pass. start is like
        function, but only begins; finish completes all that has begun, also when another callback has failed. The arrays are
        valid until then, and nothing may access them after it. All workers must have both, or none.

        From then on, train_step, train_minibatch, gradient, backpropagate, fit_scaling, fit and fit_stream are those of all
        workers' rows. Every worker must make the same calls in the same order, on networks of the same settings and parameters:
        otherwise all of them raise a ModelError. A call that fails on one worker fails on all: the others raise WorkerError.
        Other calls are local. Copies train alone. InvalidValueError for a worker or a number of workers out of range.

        Examples
        --------
        >>> network = bp.Network([2, 1], seed=1)
        >>> network.set_all_reduce(lambda values, operation: None, 0, 1)  # one worker: nothing to add
        >>> loss = network.train_minibatch([[0, 1], [1, 0]], [0, 1], 0.1)
        """
        for name, given in (("function", function), ("start", start), ("finish", finish)):
            if given is not None and not callable(given):
                raise TypeError(f"{name}: expected a function, got {type(given).__name__}")
        if (start is None) != (finish is None) or (start is not None and function is None):
            raise TypeError("start and finish: expected both, with function, or none")
        key = next(keys)
        plugins[key] = function, start, finish
        try:
            call(library.bp_network_set_all_reduce, self._handle,
                 _callbacks.NO_ALL_REDUCE if function is None else _callbacks.all_reduce, unsigned(worker, "worker"),
                 unsigned(workers, "workers", 1), key)
        except BaseException:
            del plugins[key]
            raise
        self._forget_all_reduce()
        self._reduction, self._worker = key, (int(worker), int(workers))
        if function is None:
            del plugins[key]
        if start is not None:
            call(library.bp_network_set_all_reduce_overlap, self._handle, _callbacks.start, _callbacks.finish, key)

    # Classes

    @property
    def classes(self) -> Optional[tuple[Label, ...]]:
        """The labels of the classes, one for each output, or two for one output; None if there are none. Can be set.

        Labels are strings or numbers, all different. Targets of shape (rows,) are then labels: see Network. They are saved
        with the network, as a JSON list in its metadata "classes". ValueError for another number of labels.

        Examples
        --------
        >>> import libbackprop as bp
        >>> network = bp.Network([2, 3], loss="cross_entropy")
        >>> network.classes = ["red", "green", "blue"]
        >>> network.metadata["classes"]
        '["red", "green", "blue"]'
        """
        return self._classes

    @classes.setter
    def classes(self, classes: Optional[Iterable[Label]]) -> None:
        if classes is None:
            if self._classes is not None:
                del self.metadata["classes"]
            return
        labels, count = _classes.checked(classes), max(2, self._layers[-1])
        if len(labels) != count:
            remedy = ("if the data lack some, set network.classes to all of them" if len(labels) < count
                      else "a network needs one output for each label: "
                      f"Network({[*self._layers[:-1], len(labels)]}, loss='cross_entropy')")
            outputs = f"{self._layers[-1]} output{'s' * (self._layers[-1] > 1)}"
            raise ValueError(f"classes: expected {count} labels for {outputs}, got {len(labels)}; {remedy}")
        self.metadata["classes"] = _classes.written(labels)

    def _read_classes(self) -> None:
        found = _classes.read(self.metadata.get("classes"))
        self._classes = found if found is not None and len(found) == max(2, self._layers[-1]) else None

    def _low(self) -> int:
        """The target of the first of two classes, for one output."""
        return -1 if self.activations[-1] in ("sign", "tanh", "softsign", "sine") else 0

    def _targets(self, targets: Any) -> Numbers:
        """Targets of shape (rows, target columns), from those or from labels."""
        if type(targets) is np.ndarray and targets.ndim == 2 and targets.shape[1] == self._target_columns:
            return table(targets, self._target_columns, "targets")
        array = as_array(targets, "targets")
        if array.ndim == 1:
            columns = self._target_columns
            if self._classes is not None and columns == self._layers[-1]:
                return _classes.encode(array, self._classes, columns, "targets", self._low() if columns == 1 else 0)
            if _classes.are_labels(array):
                if columns != self._layers[-1]:
                    raise ValueError(f"targets: expected numbers of shape (rows, {columns}), got labels of shape {array.shape}")
                raise TypeError(f"targets: expected numbers, got {not_numbers(array)}; for labels, set network.classes")
        return target_table(array, self._target_columns, self._layers[-1])

    def _target(self, target: Any, what: str = "target") -> Numbers:
        """The targets of one row, shape (target columns,) or (1, target columns)."""
        if self._classes is not None and self._target_columns == self._layers[-1]:
            target = as_array(target, what)
            if target.ndim == 0:
                return self._targets(target.reshape(1))
        return row(target, self._target_columns, self._layers[-1], what)

    # Use

    def predict_classes(self, inputs: ArrayLike) -> Any:
        """The classes of rows: the labels if the network has `classes`, otherwise class numbers.

        An array of shape (rows,) for inputs of shape (rows, inputs), and one class for inputs of shape (inputs,). The class
        is the largest output. For one output it is the second class if the output is above 0.5; above 0, if the last
        activation is sign, tanh, softsign or sine.

        Examples
        --------
        >>> import libbackprop as bp
        >>> network = bp.Network([2, 2], output="softmax")
        >>> network.layers[1].weight = [[1, 0], [0, 1]]
        >>> network.predict_classes([[0.2, 0.1], [0.1, 0.2]])
        array([0, 1])
        """
        numbers = self._class_numbers(self.predict(inputs))
        return numbers if self._classes is None else np.array(self._classes)[numbers]

    def _class_numbers(self, outputs: Array) -> Any:
        """The class numbers for outputs or targets, by the rule of the measure "accuracy"."""
        if outputs.shape[-1] > 1:
            return outputs.argmax(axis=-1)
        return (outputs[..., 0] > self._limit()).astype(np.intp)

    def _limit(self) -> float:
        """The output above which a single output means the second class."""
        if not self._low():
            return 0.5
        return 0.0 if self.scaling.targets == "none" else float(self.tensors["scaling.targets.offset"][0])

    @overload
    def predict(self, inputs: ArrayLike, out: None = None) -> Array: ...
    @overload
    def predict(self, inputs: ArrayLike, out: _Out) -> _Out: ...

    def predict(self, inputs: ArrayLike, out: Optional[Numbers] = None) -> Numbers:
        """The outputs, float32: shape (rows, outputs) for inputs of shape (rows, inputs), (outputs,) for shape (inputs,).

        out: an array that receives the outputs and is returned. It must be float32 or float64 and writeable, have the shape
        of the outputs, and not overlap the inputs: TypeError or ValueError otherwise. With float64, scaled targets have the
        digits that float32 does not have. Exceptions of activation functions are raised again.

        Examples
        --------
        >>> network = bp.Network([2, 1], output="identity")
        >>> network.parameters = [1, 10, 100]
        >>> network.predict([[1, 2], [3, 4]])
        array([[121.],
               [143.]], dtype=float32)
        """
        x = table_or_row(inputs, self._layers[0], "inputs")
        shape = x.shape[:-1] + self._layers[-1:]
        outputs = np.empty(shape, FLOAT32) if out is None else output_table(out, shape, x)
        if is_plain(x) and (out is None or is_plain(outputs)):
            call(undeclared.bp_network_predict, self._handle, pointer(x), row_count(x), pointer(outputs))
        else:
            if x.dtype == np.float64 and x.size and np.fmax.reduce(np.abs(x), axis=None) > _LARGEST:
                floats(x, "inputs")  # raises an error, unless it is an infinity
            row_stride = 0 if outputs.ndim == 1 else outputs.strides[0]
            call(library.bp_network_predict_rows, self._handle, described(x), address(outputs),
                 int(outputs.dtype == np.float64), row_stride, outputs.strides[-1])
        return outputs

    def predict_layer(self, layer: SupportsIndex, inputs: ArrayLike) -> Array:
        """The outputs of layer 1 or higher, as predict computes them: shape (rows, size of the layer), or (size of the layer,)
        for inputs of shape (inputs,).

        Examples
        --------
        >>> bp.Network([2, 3, 1]).predict_layer(1, [[1, 2]]).shape
        (1, 3)
        """
        index = unsigned(layer, "layer", 1)
        x, rows, outputs = predicted(
            inputs, self._layers[0], self._layers[index:index + 1] or (1,), None)
        call(library.bp_network_predict_layer, self._handle, index, pointer(x), rows, pointer(outputs))
        return outputs

    def input_gradients(self, inputs: ArrayLike, output_gradients: ArrayLike) -> Array:
        """The gradient for the inputs, shape (rows, inputs), of any function of what predict returns, from its gradient for
        the outputs, shape (rows, outputs). One row has the shapes (inputs,) and (outputs,).

        Examples
        --------
        >>> network = bp.Network([2, 1], output="identity")
        >>> network.parameters = [1, 10, 100]
        >>> network.input_gradients([[5, 6]], [[1]])
        array([[ 1., 10.]], dtype=float32)
        """
        x, d = self._output_gradients(inputs, output_gradients)
        gradients = np.empty_like(x)
        call(library.bp_network_backpropagate, self._handle, pointer(x), pointer(d), row_count(x), None, 0, pointer(gradients))
        return gradients

    def input_jacobian(self, inputs: ArrayLike) -> Array:
        """The derivatives of what predict returns: shape (rows, outputs, inputs), or (outputs, inputs) for inputs of shape
        (inputs,).

        Examples
        --------
        >>> bp.Network([2, 3]).input_jacobian([[5, 6]]).shape
        (1, 3, 2)
        """
        x = rows_or_row(inputs, self._layers[0], "inputs")
        jacobian = np.empty((*x.shape[:-1], self._layers[-1], self._layers[0]), np.float32)
        call(library.bp_network_input_jacobian, self._handle, pointer(x), row_count(x), pointer(jacobian))
        return jacobian

    def row_losses(self, inputs: ArrayLike, targets: ArrayLike) -> Array:
        """The loss of each row's prediction, shape (rows,). Inputs of shape (inputs,) are one row, with a target as in
        train_step: the result has the shape ().

        Examples
        --------
        >>> network = bp.Network([1, 1], output="identity")
        >>> network.parameters = [1, 0]
        >>> network.row_losses([[1], [2]], [[1], [4]])
        array([0., 2.], dtype=float32)
        """
        x = rows_or_row(inputs, self._layers[0], "inputs")
        if x.ndim == 1:
            return self.row_losses(x[np.newaxis], np.atleast_2d(self._target(targets, "targets"))).reshape(())
        rows = self._rows(x, targets)
        losses = np.empty(rows[-1], np.float32)
        call(library.bp_network_row_losses, self._handle, *rows, pointer(losses))
        return losses

    def evaluate(self, inputs: ArrayLike, targets: ArrayLike, *, sample_weight: Optional[ArrayLike] = None) -> float:
        """The loss of the predictions. Changes nothing.

        inputs: shape (rows, inputs). targets: shape (rows, outputs), or (rows,): see Network. sample_weight and errors as in
        train_minibatch.

        Examples
        --------
        >>> network = bp.Network([1, 1], output="identity")
        >>> network.parameters = [1, 0]
        >>> network.evaluate([[1], [2]], [[1], [4]])
        2.0
        """
        loss = ctypes.c_float()
        self._call(undeclared.bp_network_evaluate, undeclared.bp_network_evaluate_rows, (), inputs, targets, sample_weight,
                   byref(loss))
        return loss.value

    def score(self, inputs: ArrayLike, targets: ArrayLike, measure: Optional[str] = None, *,
              sample_weight: Optional[ArrayLike] = None) -> float:
        """The quality of the predictions by a measure: "accuracy", "r2" or "mean_absolute_error".

        None selects "accuracy" for the cross-entropies and "r2" for other losses. inputs: shape (rows, inputs).
        targets: shape (rows, outputs), or (rows,): see Network. sample_weight: the weight of each row, shape (rows,), in the
        means over rows. InvalidValueError for no rows or no weight above 0, UnknownNameError for an unknown measure,
        UnsupportedError for a registered loss whose target_columns are not the outputs.

        Examples
        --------
        >>> network = bp.Network([1, 1], output="identity")
        >>> network.parameters = [1, 0]
        >>> network.score([[1], [2]], [1, 2]), network.score([[1], [2]], [1, 4], "mean_absolute_error")
        (1.0, 1.0)
        """
        measure = self._measure(measure)
        score = ctypes.c_double()
        self._call(undeclared.bp_network_score, undeclared.bp_network_score_rows, (text(measure, "measure"),), inputs,
                   targets, sample_weight, byref(score))
        return score.value

    def _measure(self, measure: Optional[str]) -> str:
        """The measure of a score, or the loss's one for None."""
        loss = self.loss
        if self._target_columns != self._layers[-1]:
            raise UnsupportedError(
                f"a score compares each output with a target, but loss {loss!r} has target_columns {self._target_columns}: "
                "compute it from the outputs of predict", Status.ERROR_UNSUPPORTED)
        if measure is None:
            return "accuracy" if loss in ("cross_entropy", "binary_cross_entropy") else "r2"
        return measure

    def fold_batchnorm(self) -> None:
        """Folds batch normalization into the weights and removes it, for inference. Predictions change by rounding only.

        Changes the number of parameters. To continue training later, fold a clone.

        Examples
        --------
        >>> network = bp.Network([2, 3, 1], batchnorm=True)
        >>> network.fold_batchnorm()
        >>> network.batchnorm
        (False, False)
        """
        call(library.bp_network_fold_batchnorm, self._handle)

    # Parameters

    @property
    def parameter_count(self) -> int:
        """The number of parameters.

        Examples
        --------
        >>> bp.Network([2, 3, 1]).parameter_count  # 3 * 2 + 3 and 1 * 3 + 1
        13
        """
        count = ctypes.c_size_t()
        call(library.bp_network_parameter_count, self._handle, byref(count))
        return count.value

    @property
    def parameters(self) -> Array:
        """A copy of the parameters, float32, shape (parameter_count,).

        For each layer from layer 1: the weights, row-major [outputs][inputs], the biases [outputs] and, with batch
        normalization, gamma [outputs] and beta [outputs]. Assigning an array of this shape replaces the parameters;
        NotFiniteError for a NaN or an infinity.

        Examples
        --------
        >>> network = bp.Network([2, 1])
        >>> network.parameters = [1, 2, 3]
        >>> network.layers[1].weight, network.layers[1].bias
        (array([[1., 2.]], dtype=float32), array([3.], dtype=float32))
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
        """A mapping of tensor names, as in the file, to arrays. Includes the running statistics. See Tensors.

        Examples
        --------
        >>> list(bp.Network([2, 1]).tensors)
        ['layers.1.weight', 'layers.1.bias']
        """
        return Tensors(self)

    # Metadata

    @property
    def metadata(self) -> Metadata:
        """Texts that are saved with the network: a mutable mapping of str to str. See Metadata.

        Examples
        --------
        >>> network = bp.Network([2, 1])
        >>> network.metadata["source"] = "sensor 3"
        >>> network.metadata
        {'source': 'sensor 3'}
        """
        return Metadata(self)

    # Files

    def save(self, path: Path) -> None:
        """Writes the network to a safetensors file. On failure, an existing file is unchanged.

        FileError, which is also of the built-in class for the errno, such as PermissionError.

        Examples
        --------
        >>> bp.Network([2, 1]).save("model.safetensors")
        """
        call(library.bp_network_save, self._handle, encode_path(path), path=path)

    def export_c(self, path: Path, prefix: str, *, bits: SupportsIndex = 32, fold: bool = False) -> None:
        """Writes the prediction as one C99 file with a function PREFIX_predict(const float *input, float *output).

        It returns what `predict` returns for one row; bp_network_export_c in backprop.h states the accuracy. The file
        needs neither this package nor memory allocation. On failure, an existing file is unchanged.

        bits: 32 for float weights, or 8 for integers with a scale for each unit. fold: weights and biases contain batch
        normalization and scaling; the function is smaller and faster, but its outputs are rounded differently. With either, a
        comment in the file states the difference from `predict`.

        InvalidValueError for a prefix that is no C identifier; NotFiniteError for a weight that overflows; FileError as for save.

        Examples
        --------
        >>> bp.Network([2, 1]).export_c("model.c", "model")
        >>> "void model_predict(const float *input, float *output)" in open("model.c").read()
        True
        """
        self._export(library.bp_network_export_c, path, text(prefix, "prefix"), bits, fold)

    def export_swift(self, path: Path, type_name: str, *, bits: SupportsIndex = 32, fold: bool = False) -> None:
        """Writes the prediction as a Swift file with an enum of this name, as `export_c` does.

        Examples
        --------
        >>> bp.Network([2, 1]).export_swift("Model.swift", "Model")
        >>> "static func predict(_ input: [Float]) -> [Float]" in open("Model.swift").read()
        True
        """
        self._export(library.bp_network_export_swift, path, text(type_name, "type_name"), bits, fold)

    def _export(self, function: Any, path: Path, name: bytes, bits: SupportsIndex, fold: bool) -> None:
        flags = 1 if fold else 0  # BP_EXPORT_FOLDED
        call(function, self._handle, encode_path(path), name, min(unsigned(bits, "bits"), 99), flags, path=path)

    @classmethod
    def load(cls: type[_Self], path: Path) -> _Self:
        """Creates a network from a file.

        FileError, which is also of the built-in class for the errno, such as FileNotFoundError; ModelError for a file that
        is not a valid model; UnknownNameError for activations that are not registered: the message lists them. A loss that is
        not registered is an UnknownNameError of the methods that need it, such as evaluate and fit; predict does not.

        Examples
        --------
        >>> bp.Network([2, 1]).save("model.safetensors")
        >>> bp.Network.load("model.safetensors").layers
        (2, 1)
        """
        return cls._from(library.bp_network_load, encode_path(path), path=path)

    def load_weights(self, path: Path) -> None:
        """Loads the weights from any safetensors file with tensors "layers.1.weight" and so on, for example from PyTorch.
        Settings and scaling of the network stay.

        FileError; ModelError for a missing tensor or a wrong shape: the message names the tensor; NotFiniteError for a NaN
        or an infinity.

        Examples
        --------
        >>> bp.Network([2, 1], seed=1).save("other.safetensors")
        >>> bp.Network([2, 1]).load_weights("other.safetensors")
        """
        call(library.bp_network_load_weights, self._handle, encode_path(path), path=path)

    def load_weights_from_bytes(self, data: Union[bytes, bytearray, memoryview]) -> None:
        """Like load_weights, from the contents of a safetensors file. Errors as there, except FileError.

        Examples
        --------
        >>> bp.Network([2, 1]).load_weights_from_bytes(bp.Network([2, 1], seed=1).to_bytes())
        """
        call(library.bp_network_load_weights_memory, self._handle, *_bytes(data))

    def load_layer(self, layer: SupportsIndex, path: Path, weight: str, bias: Optional[str]) -> None:
        """Loads the weights and biases of one layer, 1 or more, from any safetensors file, by the names of their tensors.

        weight: the name of a tensor of shape (outputs, inputs), such as "0.weight" or "model.fc1.weight". bias: the name of
        a tensor of shape (outputs,), or None for a layer without a bias: the biases become 0. The scaling stays: layer 1
        computes with scaled inputs. UnknownNameError for a name that the file does not have: the message lists names that
        it has; otherwise as load_weights.

        Examples
        --------
        >>> bp.Network([2, 3, 1], seed=1).save("other.safetensors")
        >>> bp.Network([2, 3]).load_layer(1, "other.safetensors", "layers.1.weight", "layers.1.bias")
        """
        call(library.bp_network_load_layer, self._handle, unsigned(layer, "layer", 1), encode_path(path),
             text(weight, "weight"), None if bias is None else text(bias, "bias"), path=path)

    def load_layer_from_bytes(self, layer: SupportsIndex, data: Union[bytes, bytearray, memoryview], weight: str,
                              bias: Optional[str]) -> None:
        """Like load_layer, from the contents of a safetensors file. Errors as there, except FileError.

        Examples
        --------
        >>> data = bp.Network([2, 3, 1], seed=1).to_bytes()
        >>> bp.Network([2, 3]).load_layer_from_bytes(1, data, "layers.1.weight", None)  # biases 0
        """
        call(library.bp_network_load_layer_memory, self._handle, unsigned(layer, "layer", 1), *_bytes(data),
             text(weight, "weight"), None if bias is None else text(bias, "bias"))

    def to_bytes(self) -> bytes:
        """The contents of the file that save writes.

        Examples
        --------
        >>> len(bp.Network([2, 1]).to_bytes()) > 100
        True
        """
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
        """Creates a network from the result of to_bytes. Errors as in load, except FileError.

        Examples
        --------
        >>> bp.Network.from_bytes(bp.Network([2, 1]).to_bytes()).layers
        (2, 1)
        """
        return cls._from(library.bp_network_load_memory, *_bytes(data))

    def to_onnx(self, path: Path) -> None:
        """Writes an ONNX model, with scaling and batch normalization. Needs the extra "onnx"; see `libbackprop.onnx.to_model`.

        Examples
        --------
        >>> bp.Network([4, 8, 3], activation="gelu", output="softmax").to_onnx("model.onnx")
        """
        from . import onnx

        onnx.write(self, path)

    @classmethod
    def from_onnx(cls: type[_Self], path: Path, output: Optional[str] = None) -> _Self:
        """Creates a network from an ONNX model. Needs the extra "onnx"; see `libbackprop.onnx.from_model`.

        Examples
        --------
        >>> bp.Network([4, 8, 3], activation="gelu", output="softmax").to_onnx("model.onnx")
        >>> bp.Network.from_onnx("model.onnx").activations
        ('gelu', 'softmax')
        """
        from . import onnx

        return onnx.read(cls, path, output)


def _bytes(data: Union[bytes, bytearray, memoryview]) -> tuple[Any, int]:
    """The contents of a file as arguments. The pointer keeps the bytes alive."""
    data = data if isinstance(data, bytes) else bytes(memoryview(data))
    return ctypes.cast(ctypes.c_char_p(data), _uint8_pointer), len(data)
