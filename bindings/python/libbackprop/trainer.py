"""Whole trainings in one call: epochs, minibatches, schedules, validation and restarts."""
from __future__ import annotations

import ctypes
import os
import threading
import warnings
from contextlib import AbstractContextManager, nullcontext
from ctypes import byref
from collections.abc import Mapping, Sequence
from typing import Any, Callable, Literal, NamedTuple, Optional, SupportsFloat, TypeVar, Union, overload

import numpy as np
from numpy.typing import ArrayLike

from . import _prototypes, option as options
from ._arguments import Array, Numbers, described, floats, is_plain, pointer, text, vector
from ._convert import as_array
from ._call import call, failed, keys, message, never_freed, plugins, remember, stores_interrupts
from ._handle import Owner
from ._library import library
from ._stream import Batches, Stream
from ._workers import agreed_counts
from .errors import BusyError, InvalidValueError, MissingClassWarning, Status
from .network import Network

__all__ = ["FitResult", "Progress", "Trainer"]

_Self = TypeVar("_Self", bound="Trainer")
_Choice = Literal["sampling", "schedule", "keep", "on_divergence"]


class Progress(NamedTuple):
    """A progress report of a fit, the argument of the progress function. Losses are means per row.

    Examples
    --------
    >>> network = bp.Network([1, 1])
    >>> result = bp.Trainer(epochs=2).fit(network, [[0], [1]], [[0], [1]], progress=lambda now: print(now.epoch, now.epochs))
    1 2
    2 2
    """

    restart: int  # counts from 0; of fit_ensemble: the index of the network
    epoch: int  # number of finished epochs
    epochs: int  # number of all epochs
    step: int  # number of finished steps
    steps: int  # number of all steps
    loss: float  # of the training rows in the finished epoch, or in the current epoch so far
    validation_loss: float  # at the end of an epoch; NaN within an epoch, and without validation rows
    learning_rate: float  # of the latest step
    epoch_ended: bool  # whether this report is for the end of an epoch


class FitResult(NamedTuple):
    """The result of a fit. repr() shows the number of reports instead of `history`.

    Examples
    --------
    >>> result = bp.Trainer(epochs=3).fit(bp.Network([1, 1]), [[0], [1]], [[0], [1]])
    >>> result.end, result.epochs, len(result.history), result.stopped
    ('complete', 3, 3, False)
    """

    loss: float  # mean per row for the kept weights, of the validation rows if any, else of the training rows; NaN for no step
    stopped: bool  # whether the progress function or cancel() ended the fit
    history: list[Progress]  # one report for the end of each epoch
    end: str  # "complete", "patience", "target_loss", "time_limit", "stopped" or "cancelled"; of fit_ensemble also "diverged"
    epochs: int  # number of finished epochs; a resumed fit counts from the start of the first part
    best_epoch: int  # the finished epoch with the best loss, from 1; 0 if there is none, or the fit closed its trainer
    restart: int  # the restart that gave the weights, counted from 0

    def __repr__(self) -> str:
        members = {name: repr(value) for name, value in self._asdict().items() if name != "history"}
        members["history"] = f"<{len(self.history)} reports>"
        return f"FitResult({', '.join(f'{name}={members[name]}' for name in self._fields)})"


# By the BP_END constants.
_ENDS = ("none", "complete", "patience", "target_loss", "time_limit", "stopped", "cancelled", "diverged")


_fits: dict[int, tuple[int]] = {}  # fits in progress: id of the trainer -> its thread


def _forget_other_threads() -> None:
    """Removes the fits of other threads in a child of fork, which has only the forking thread."""
    for trainer, (thread,) in list(_fits.items()):
        if thread != threading.get_ident():
            del _fits[trainer]


os.register_at_fork(after_in_child=_forget_other_threads)


class Trainer(Owner):
    """Trains networks: epochs of shuffled minibatches, with a schedule, validation, early stopping and restarts.

        trainer = bp.Trainer(epochs=50, learning_rate=0.1, validation_fraction=0.1, patience=5, seed=1)
        result = trainer.fit(network, inputs, targets)

    Options are keyword arguments. A value is a number or, for a choice, a word. `bp.options()` and backprop.h list the
    options. Python sets progress_seconds to 0.1, so that Ctrl-C can interrupt a fit; this alone calls no progress function
    within an epoch.

    One trainer can fit many networks, one after the other. Copies and pickles contain its options only. UnknownNameError
    for an unknown option, InvalidValueError for a number out of bounds, ValueError for an unknown word.

    Examples
    --------
    >>> trainer = bp.Trainer(epochs=50, schedule="cosine")
    >>> trainer
    Trainer(epochs=50, schedule='cosine')
    >>> result = trainer.fit(bp.Network([1, 1]), [[0], [1]], [[0], [1]])
    >>> result.epochs
    50
    """

    __slots__ = ("_wants_ticks",)

    _free = library.bp_trainer_free
    _noun = "trainer"

    def __init__(self, **options: Union[SupportsFloat, str]) -> None:
        """Creates a trainer with these options. `libbackprop.options()` lists them."""
        handle = _prototypes.Trainer()
        call(library.bp_trainer_create, byref(handle))
        self.close()  # if __init__ is called a second time
        self._pointer = handle
        self.set_option("progress_seconds", 0.1)
        self._wants_ticks = False  # whether the program has set progress_seconds
        for name, value in options.items():
            self.set_option(name, value)

    def _options(self) -> dict[str, Union[float, str]]:
        """The options as keyword arguments of the constructor."""
        chosen = {each.name: self.get_option(each.name) for each in options.options() if each.owner == "trainer"}
        if not self._wants_ticks:
            del chosen["progress_seconds"]
        return chosen

    def __repr__(self) -> str:
        """The constructor with the options that differ from their defaults."""
        if self._pointer is None:
            return f"<closed {type(self).__name__}>"
        defaults = {each.name: each.default for each in options.options() if each.owner == "trainer"}
        chosen = [
            f"{name}={int(value) if isinstance(value, float) and value.is_integer() else value!r}"
            for name, value in self._options().items() if options.encoded(name, value) != defaults[name]]
        return f"{type(self).__name__}({', '.join(chosen)})"

    def _duplicate(self: _Self) -> _Self:
        return _make(type(self), self._options())

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, (type(self), self._options()), self._added or None

    def set_option(self, name: str, value: Union[SupportsFloat, str]) -> None:
        """Sets an option to a number or, for a choice, one of its words.

        UnknownNameError for an unknown option, InvalidValueError for a number out of bounds, ValueError for an unknown
        word, BusyError during a fit.

        Examples
        --------
        >>> trainer = bp.Trainer()
        >>> trainer.set_option("schedule", "cosine")
        >>> trainer
        Trainer(schedule='cosine')
        """
        call(library.bp_trainer_set_option, self._handle, text(name, "option"), options.encoded(name, value))
        if name == "progress_seconds":
            self._wants_ticks = True

    @overload
    def get_option(self, name: _Choice) -> str: ...
    @overload
    def get_option(self, name: str) -> Union[float, Any]: ...

    def get_option(self, name: str) -> Union[float, str]:
        """The value of an option: a number or, for a choice, a word. UnknownNameError for an unknown option.

        Examples
        --------
        >>> bp.Trainer().get_option("batch_size"), bp.Trainer().get_option("schedule")
        (32.0, 'constant')
        """
        value = ctypes.c_double()
        call(library.bp_trainer_get_option, self._handle, text(name, "option"), byref(value))
        return options.decoded(name, value.value)

    def fit(self, network: Network, inputs: ArrayLike, targets: ArrayLike, *,
            validation: Union[tuple[ArrayLike, ArrayLike], tuple[ArrayLike, ArrayLike, ArrayLike], None] = None,
            sample_weight: Optional[ArrayLike] = None,
            class_weight: Union[str, Mapping[int, float], None] = None,
            progress: Optional[Callable[[Progress], Any]] = None) -> FitResult:
        """Trains the network and returns the result.

        inputs: shape (rows, inputs). targets: shape (rows, outputs), or (rows,): see Network. The arrays must not change
        during the call.

        validation: a pair (inputs, targets) of validation rows, with the same shapes, or (inputs, targets, sample_weight);
        None for the rows that the option validation_fraction holds out, if any.

        sample_weight: the weight of each row, shape (rows,), finite, 0 or more. ValueError if all are 0; with the own rows of
        several workers, if all of all workers are.

        class_weight: the weight of each class, {class: weight}, or "balanced" for rows / (classes * rows of the class), where
        these are the numbers of all workers' rows.
        The class of a row is the index of its largest target. With one output, or targets of shape (rows,), it is the
        target: a label of the network's classes, or a whole number. Missing targets (NaN) are ignored: a row without another
        target belongs to no class, and has the class weight 1. A row's weight is the product of its sample weight and its
        class weight. ValueError for targets that are not classes: not a whole number for one output, not from -1 to 1 for
        several.

        progress: a function that is called with a Progress after each epoch. It is called within epochs, too, if the program
        has set the option progress_interval or progress_seconds. If it returns True, the fit stops; the option keep decides
        which weights the network then has.

        With the option stratify, a class of fewer than 2 rows is a MissingClassWarning after the fit.

        A fit that fails leaves the network as it was. Errors: ValueError for a wrong shape, TypeError for a wrong type;
        InvalidValueError for no rows, an invalid weight, or settings or targets that Network.check_settings refuses;
        UnsupportedError as there; NotFiniteError for a NaN or an infinity in the data or in a step; BusyError for a
        trainer or network that is in a fit already; OutOfMemoryError; LimitError. Exceptions of the progress function and
        of activation functions, KeyboardInterrupt included, are raised again.

        Examples
        --------
        >>> x, y = [[0], [1], [2], [3]], [0, 0, 1, 1]
        >>> network = bp.Network([1, 2], loss="cross_entropy", seed=1)
        >>> result = bp.Trainer(epochs=300, learning_rate=0.1).fit(network, x, y, class_weight="balanced")
        >>> network.score(x, y)
        1.0
        """
        with Network._checked(network)._refusing():
            own = network._has_workers and not self.get_option("shared_rows")
            x, y = network._arrays(inputs, targets)
            held_out = None if validation is None else _validation(network, validation, own=own)
            weights = _RowWeights(sample_weight, class_weight, network, targets, len(x), own)
        if own:
            weights.agree(network, held_out)
            held_out = held_out if held_out and len(held_out[0]) else None
        plain, data = _fit_call(x, y, held_out)
        function = library.bp_trainer_fit if plain else library.bp_trainer_fit_rows
        return self._fit_one(network, function, data, weights.arguments(), progress)

    def fit_ensemble(self, networks: Sequence[Network], inputs: ArrayLike, targets: ArrayLike, *,
                     validation: Union[tuple[ArrayLike, ArrayLike], tuple[ArrayLike, ArrayLike, ArrayLike], None] = None,
                     learning_rates: Optional[ArrayLike] = None, sample_weight: Optional[ArrayLike] = None,
                     class_weight: Union[str, Mapping[int, float], None] = None,
                     progress: Optional[Callable[[Progress], Any]] = None) -> list[FitResult]:
        """Trains several networks on the same rows, and returns a result for each. Each network gets the bits of its own fit.

        Many small networks are trained 2 to 5 times faster than one after the other: backprop.h says which, at
        bp_trainer_fit_ensemble. The spread of their predictions measures the uncertainty.

        networks: different networks with the same layers. learning_rates: one for each network, instead of the option
        learning_rate.

        progress: a function that is called with the Progress of the network with the lowest loss, whose index is `restart`.
        The `history` of every result has these reports.

        A network whose loss or step is not finite is left as it was: its end is "diverged" and its loss NaN. NotFiniteError if
        all diverge. A fit that fails leaves all networks as they were. ValueError for no networks, or another number of
        learning rates; InvalidValueError for a network that is given twice; ModelError for different layers;
        UnsupportedError for the option restarts or a network with an all-reduce function. Otherwise arguments and errors are
        those of `fit`.

        Examples
        --------
        >>> networks = [bp.Network([1, 8, 1], output="identity", seed=seed) for seed in range(20)]
        >>> results = bp.Trainer(epochs=50).fit_ensemble(networks, [[0], [1], [2]], [0, 1, 4])
        >>> len(results), results[0].end
        (20, 'complete')
        >>> predictions = np.array([network.predict([[1.5]])[0, 0] for network in networks])
        >>> float(predictions.std()) > 0
        True
        """
        networks = [Network._checked(network) for network in networks]
        if not networks:
            raise ValueError("networks: expected 1 network or more, got none")
        x, y = networks[0]._arrays(inputs, targets)
        held_out = None if validation is None else _validation(networks[0], validation)
        weights = _RowWeights(sample_weight, class_weight, networks[0], targets, len(x)).arguments()
        handles = (_prototypes.Network * len(networks))(*(network._handle for network in networks))
        records = (_prototypes.bp_fit_result * len(networks))()
        for record in records:
            record.struct_size = ctypes.sizeof(record)
        rates = None
        if learning_rates is not None:
            values = np.array(learning_rates, np.float64)
            if values.shape != (len(networks),):
                raise ValueError(f"learning_rates: expected shape ({len(networks)},), got {values.shape}")
            rates = values.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
        plain, data = _fit_call(x, y, held_out)
        function = library.bp_trainer_fit_ensemble if plain else library.bp_trainer_fit_ensemble_rows
        status, history = self._fit(None, function, (handles, len(networks), rates, *data, records), weights, progress)
        return [_result(record, status, history, record.loss) for record in records]

    def fit_stream(self, network: Network, batches: Batches, *, validation: Optional[tuple[ArrayLike, ArrayLike]] = None,
                   progress: Optional[Callable[[Progress], Any]] = None) -> FitResult:
        """Trains the network on rows that are not in memory, or have no end. Returns the result.

        batches: pairs (inputs, targets) or triples (inputs, targets, weights) of arrays with any number of rows, as in
        `fit`. They are divided into minibatches of batch_size rows. Only the rows of a minibatch are converted, so that a
        pair of np.memmap can be a batch. batches is one of these:

        - An iterable, such as a list. Each epoch iterates over it from its start. A resumed fit skips the rows that the
          epoch has already used.
        - A function of an epoch and a row, both from 0. It is called at the start of each epoch, and when a fit is resumed,
          and returns an iterable of the epoch's batches from this row on.
        - An iterator, such as a generator. Epochs continue where it is. When it has ended, the fit stops after the epoch.
          With the option steps_per_epoch, epochs end earlier.

        Rows are used in the order in which they come, and are not shuffled. Rows that are sorted, by class for example, train
        badly: shuffle them in the source, such as in the function or generator, at least within large blocks. The option
        sampling "shuffled", the default, has no effect here.

        The options batch_size 0, sampling "uniform", restarts and validation_fraction need all rows and are an
        UnsupportedError, and so are the schedules "cosine" and "one_cycle" without steps or steps_per_epoch. Otherwise,
        validation, progress, result and errors are those of `fit`. Exceptions of batches are raised again.

        Examples
        --------
        >>> network = bp.Network([1, 1], output="identity", seed=1)
        >>> batches = [([[0], [1]], [[1], [3]]), ([[2]], [[5]])]  # 3 rows, y = 2 x + 1
        >>> result = bp.Trainer(epochs=500, learning_rate=0.1).fit_stream(network, batches)
        >>> network.parameters.round(2).tolist()
        [2.0, 1.0]
        """
        held_out: tuple[Any, Any, int] = None, None, 0
        with Network._checked(network)._refusing():
            if validation is not None:
                vx, vy, _ = _validation(network, validation, takes_weights=False, own=network._has_workers)
                if len(vx):
                    held_out = pointer(floats(vx, "validation inputs")), pointer(floats(vy, "validation targets")), len(vx)
            stream = Stream(batches, network._layers[0], network._target_columns, network._targets)
        if network._has_workers:
            agreed_counts(network, 1, held_out[2], validation is not None)
        key = next(keys)
        plugins[key] = stream.fill
        try:
            return self._fit_one(network, library.bp_trainer_fit_stream, (_next, key, *held_out), (None, 0), progress)
        finally:
            del plugins[key]

    def _fit_one(self, network: Network, function: Callable[..., int], data: tuple[Any, ...], weights: tuple[Any, int],
                 progress: Optional[Callable[[Progress], Any]]) -> FitResult:
        loss = ctypes.c_double()
        status, history = self._fit(network, function, (network._handle, *data, byref(loss)), weights, progress)
        result = _prototypes.bp_fit_result(ctypes.sizeof(_prototypes.bp_fit_result))
        if self._pointer is None:  # closed during the fit, which cancelled it
            result.end, result.epochs = _ENDS.index("cancelled"), history[-1].epoch if history else 0
        else:
            call(library.bp_trainer_get_result, self._handle, byref(result))
        return _result(result, status, history, loss.value)

    def _fit(self, network: Optional[Network], function: Callable[..., int], data: tuple[Any, ...], weights: tuple[Any, int],
             progress: Optional[Callable[[Progress], Any]]) -> tuple[int, list[Progress]]:
        """`network`: that of a call which all workers make, if it has workers; None for several networks."""
        fit = (threading.get_ident(),)  # a new object, so that `is` identifies this call
        with _refusing(network):
            if progress is not None and not callable(progress):
                raise TypeError(f"progress: expected a function, got {type(progress).__name__}")
            if _fits.setdefault(id(self), fit) is not fit:  # the trainer has the weights and progress function of that fit
                raise BusyError("the trainer is fitting a network", Status.ERROR_BUSY)
        try:
            return self._run(network, function, data, weights, progress)
        finally:
            _fits.pop(id(self), None)

    def _run(self, network: Optional[Network], function: Callable[..., int], data: tuple[Any, ...], weights: tuple[Any, int],
             progress: Optional[Callable[[Progress], Any]]) -> tuple[int, list[Progress]]:
        with _refusing(network):
            call(library.bp_trainer_set_row_weights, self._handle, *weights)
        history: list[Progress] = []
        interval, wants_ticks = self.get_option("progress_interval"), self._wants_ticks

        def report(record: _prototypes.bp_progress) -> bool:
            now = Progress(record.restart, record.epoch, record.epochs, record.step, record.steps, record.loss,
                           record.validation_loss, record.learning_rate, bool(record.epoch_ended))
            if now.epoch_ended:
                history.append(now)
            wanted = now.epoch_ended or wants_ticks or (interval and now.step % interval == 0)
            return bool(progress(now)) if progress is not None and wanted else False

        key = next(keys)
        plugins[key] = report
        try:
            with _refusing(network):
                call(library.bp_trainer_set_progress, self._handle, _progress, key)
            status = call(function, self._handle, *data)
        finally:
            del plugins[key]
        if status == Status.WARNING_MISSING_CLASS:
            warnings.warn(message(), MissingClassWarning, stacklevel=5)
        return status, history

    def cancel(self) -> None:
        """Stops the fit in progress, if any, before its next step. Can be called from any thread.

        Examples
        --------
        >>> trainer, network = bp.Trainer(epochs=100), bp.Network([1, 1])
        >>> trainer.fit(network, [[1]], [[1]], progress=lambda now: trainer.cancel()).end
        'cancelled'
        """
        call(library.bp_trainer_cancel, self._handle)


def _make(cls: type[_Self], options: Mapping[str, Union[float, str]]) -> _Self:
    """A trainer of a class whose constructor may have other parameters."""
    trainer = cls.__new__(cls)
    Trainer.__init__(trainer, **options)
    return trainer


def _refusing(network: Optional[Network]) -> AbstractContextManager[None]:
    return nullcontext() if network is None else network._refusing()


def _result(record: Any, status: int, history: list[Progress], loss: float) -> FitResult:
    return FitResult(loss, status == Status.STOPPED, history, _ENDS[record.end], record.epochs, record.best_epoch,
                     record.restart)


def _fit_call(x: Numbers, y: Numbers, held_out: Optional[tuple[Numbers, Numbers, Optional[Array]]]
              ) -> tuple[bool, tuple[Any, ...]]:
    """Whether the plain form of the fit needs no copy, and the rows for the form that needs none."""
    vx, vy, weights = held_out or (None, None, None)
    if weights is None and all(each is None or is_plain(each) for each in (x, y, vx, vy)):
        validation = (None, None, 0) if vx is None or vy is None else (pointer(vx), pointer(vy), len(vx))
        return True, (pointer(x), pointer(y), len(x), *validation)
    return False, (described(x), described(y), described(vx), described(vy, weights))


def _validation(network: Network, validation: Any, takes_weights: bool = True, own: bool = False
                ) -> tuple[Numbers, Numbers, Optional[Array]]:
    """`own`: whether the rows are those of one of several workers: there may be none, or none with a weight."""
    try:
        inputs, targets, *weights = validation
        if len(weights) > takes_weights:
            raise ValueError
    except (TypeError, ValueError):
        more = ", or also sample weights" if takes_weights else ""
        raise ValueError(f"validation: expected a pair of inputs and targets{more}") from None
    try:
        x, y = network._arrays(inputs, targets)
        if not len(x) and not own:
            raise InvalidValueError("inputs: expected 1 row or more, got none", Status.ERROR_INVALID_VALUE)
        weight = vector(weights[0], len(x), "sample_weight") if weights and weights[0] is not None else None
        if weight is not None and not own:
            _require_weight(weight, "sample_weight")
    except InvalidValueError as error:
        raise InvalidValueError(f"validation {error}", error.status) from None
    except (TypeError, ValueError) as error:
        raise type(error)(f"validation {error}") from None
    return x, y, weight


class _RowWeights:
    """The products of sample weights and class weights. `own`: whether the rows are those of one of several workers."""

    def __init__(self, sample_weight: Optional[ArrayLike], class_weight: Union[str, Mapping[int, float], None], network: Network,
                 targets: ArrayLike, rows: int, own: bool = False) -> None:
        self._rows = rows
        self._values: Optional[Array] = None
        self._is_balanced = class_weight is not None and not isinstance(class_weight, Mapping)
        self._names: Any = np.zeros(0)
        self._places: Any = np.zeros(0, int)
        self._known: Any = np.full(rows, False)
        if sample_weight is not None:
            self._values = vector(sample_weight, rows, "sample_weight")
            if not own:
                _require_weight(self._values, "sample_weight")
        if class_weight is None:
            return
        if self._is_balanced and not (isinstance(class_weight, str) and class_weight == "balanced"):
            raise ValueError(f"class_weight: expected 'balanced' or a mapping, got {class_weight!r}")
        classes, self._known = _classes_of(network, targets)
        self._names, self._places = np.unique(classes[self._known], return_inverse=True)
        if isinstance(class_weight, Mapping):
            missing = [name for name in self._names.tolist() if name not in class_weight]
            if missing:
                raise ValueError(f"class_weight: no weight for class {missing[0]}")
            self._multiply(np.array([class_weight[name] for name in self._names.tolist()], float))
        elif own:
            if network._classes is not None and np.ndim(targets) == 1:
                self._names = np.array([network._classes.index(name) for name in self._names.tolist()])
        else:
            self._balance(self._names, self._counts)
        if not own and self._values is not None:
            _require_weight(self._values, "class_weight")

    @property
    def _counts(self) -> Any:
        return np.bincount(self._places, minlength=len(self._names))

    def _balance(self, names: Array, counts: Array) -> None:
        """Gives each class the same weight, where these are the numbers of its rows."""
        each = counts.sum() / (len(names) * counts)
        self._multiply(each[np.searchsorted(names, self._names)])

    def _multiply(self, each: Array) -> None:
        factors = np.ones(self._rows)
        factors[self._known] = each[self._places]
        self._values = (factors if self._values is None else self._values * factors).astype(np.float32)

    def agree(self, network: Network, held_out: Optional[tuple[Numbers, Numbers, Optional[Array]]]) -> None:
        """Makes sure that a worker has a row with a weight, and balances the classes of all workers' rows."""
        vx, _, weights = held_out or ((), None, None)
        names, counts = agreed_counts(
            network, self._rows if self._values is None else np.count_nonzero(self._values),
            len(vx) if weights is None else np.count_nonzero(weights), held_out is not None, self._is_balanced,
            *((self._names, self._counts) if self._is_balanced else ()))
        if self._is_balanced:
            self._balance(names, counts)

    def arguments(self) -> tuple[Any, int]:
        """For the library."""
        return (None, 0) if self._values is None or not self._rows else (pointer(self._values), self._rows)


def _require_weight(weights: Array, what: str) -> None:
    """Refuses rows of which none has a weight: their loss is 0 for all parameters."""
    if not weights.any():
        raise ValueError(f"{what}: expected a row with a weight above 0, got weight 0 for each row")


def _classes_of(network: Network, targets: ArrayLike) -> tuple[Any, Any]:
    """The class of each row, and whether the row has one: whether a target is not missing."""
    if network._target_columns != network._layers[-1]:
        raise ValueError(f"class_weight: the targets of loss {network.loss!r} are not classes: use sample_weight")
    values = as_array(targets, "targets")
    if values.ndim == 1 and network._classes is not None:
        return values, np.full(len(values), True)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    known = ~np.isnan(values)
    allowed = np.abs(values) <= 1 if values.ndim == 2 else values == np.floor(values)
    if (known & ~allowed).any():
        place = np.argwhere(known & ~allowed)[0].tolist()
        raise ValueError(f"class_weight: expected targets that are classes, but the target at {place} is "
                         f"{values[tuple(place)]}: use sample_weight")
    if values.ndim == 1:
        return values, known
    return np.where(known, values, -np.inf).argmax(axis=1), known.any(axis=1)


@stores_interrupts
def _answer(record: Any, key: int) -> int:
    stop = False
    try:
        if not failed():
            stop = plugins[key](record.contents)
    except BaseException as error:
        remember(error)
    return -1 if failed() else int(stop)


_progress = never_freed(_prototypes.bp_progress_fn)(_answer)
_next = never_freed(_prototypes.bp_next_fn)(_answer)
