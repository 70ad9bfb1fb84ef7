"""Whole trainings in one call."""
from __future__ import annotations

import ctypes
import os
import threading
from ctypes import byref
from collections.abc import Mapping
from typing import Any, Callable, Literal, NamedTuple, Optional, SupportsFloat, TypeVar, Union, overload

import numpy as np
from numpy.typing import ArrayLike

from . import _prototypes, option as options
from ._arguments import Array, pointer, text, vector
from ._call import call, failed, for_ever, keys, plugins, remember, shelter
from ._handle import Owner
from ._library import library
from .errors import BusyError, Status
from .network import Network

__all__ = ["FitResult", "Progress", "Trainer"]

_Self = TypeVar("_Self", bound="Trainer")
_Choice = Literal["sampling", "schedule", "keep", "on_divergence"]


class Progress(NamedTuple):
    """What a progress function is told. Losses are means per row."""

    restart: int
    epoch: int  # epochs finished, of how many
    epochs: int
    step: int  # steps done, of how many
    steps: int
    loss: float  # of the training rows in the epoch just finished, or so far in that in progress
    validation_loss: float  # after an epoch; NaN within one, and without validation rows
    learning_rate: float  # of the latest step
    epoch_ended: bool


class FitResult(NamedTuple):
    """How a fit ended."""

    loss: float  # mean per row, of the validation rows where there are any: that of the weights kept
    stopped: bool  # whether the progress function or cancel() ended it
    history: list[Progress]  # the end of each epoch


_fits: dict[int, tuple[int]] = {}  # fits in progress: the thread, by the id of the trainer


def _forget_other_threads() -> None:
    """In a child of fork, which has the forking thread only."""
    for trainer, (thread,) in list(_fits.items()):
        if thread != threading.get_ident():
            del _fits[trainer]


os.register_at_fork(after_in_child=_forget_other_threads)


class Trainer(Owner):
    """Trains networks: epochs of shuffled minibatches, with a schedule, validation, early stopping and restarts.

        trainer = bp.Trainer(epochs=50, learning_rate=0.1, validation_fraction=0.1, patience=5, seed=1)
        result = trainer.fit(network, inputs, targets)

    Options are keywords, with numbers or, for choices, words; `bp.options()` and backprop.h list them. Here
    progress_seconds starts at 0.1, so that Ctrl-C gets in. One trainer may fit many networks, one after the other; copies
    and pickles have its options.
    """

    __slots__ = ("_wants_ticks",)

    _free = library.bp_trainer_free
    _noun = "trainer"

    def __init__(self, **options: Union[SupportsFloat, str]) -> None:
        handle = _prototypes.Trainer()
        call(library.bp_trainer_create, byref(handle))
        self.close()  # where __init__ is called again
        self._pointer = handle
        self.set_option("progress_seconds", 0.1)
        self._wants_ticks = False  # whether the program has chosen progress_seconds
        for name, value in options.items():
            self.set_option(name, value)

    def _options(self) -> dict[str, Union[float, str]]:
        """The options as a constructor takes them."""
        chosen = {each.name: self.get_option(each.name) for each in options.options() if each.owner == "trainer"}
        if not self._wants_ticks:
            del chosen["progress_seconds"]
        return chosen

    def _duplicate(self: _Self) -> _Self:
        return _make(type(self), self._options())

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, (type(self), self._options()), vars(self) or None

    def set_option(self, name: str, value: Union[SupportsFloat, str]) -> None:
        """Sets an option to a number or, for a choice, one of its words.

        UnknownNameError for the name, InvalidValueError for the number, ValueError for the word, BusyError during a fit.
        """
        call(library.bp_trainer_set_option, self._handle, text(name, "option"), options.encoded(name, value))
        if name == "progress_seconds":
            self._wants_ticks = True

    @overload
    def get_option(self, name: _Choice) -> str: ...
    @overload
    def get_option(self, name: str) -> Union[float, Any]: ...

    def get_option(self, name: str) -> Union[float, str]:
        """The value of an option: a number or, for a choice, a word."""
        value = ctypes.c_double()
        call(library.bp_trainer_get_option, self._handle, text(name, "option"), byref(value))
        return options.decoded(name, value.value)

    def fit(self, network: Network, inputs: ArrayLike, targets: ArrayLike, *,
            validation: Optional[tuple[ArrayLike, ArrayLike]] = None, sample_weight: Optional[ArrayLike] = None,
            class_weight: Union[str, Mapping[int, float], None] = None,
            progress: Optional[Callable[[Progress], Any]] = None) -> FitResult:
        """Trains the network on rows, shapes (rows, inputs) and (rows, outputs), or targets (rows,): see Network.

        `validation`: inputs and targets to validate with. `sample_weight`: how much each row counts, shape (rows,).
        `class_weight`: how much each class counts, {class: weight}, or "balanced" for rows / (classes * rows of the
        class); a row's class is the place of its largest target, or with a single output its target. `progress`: called
        with a Progress after each epoch, and as the options progress_interval and progress_seconds say; returning True
        stops the fit, which keeps what option keep says. What it raises, Ctrl-C included, comes out of the fit, and
        leaves the network as it was; so does every other error: InvalidValueError; NotFiniteError; BusyError for a
        trainer or network that is in a fit already; what an activation function raises.
        """
        if progress is not None and not callable(progress):
            raise TypeError(f"progress: expected a function, got {type(progress).__name__}")
        rows = network._rows(inputs, targets)
        held_out = (None, None, 0) if validation is None else _validation(network, validation)
        weights = _row_weights(sample_weight, class_weight, targets, rows[2])
        fit = (threading.get_ident(),)  # a tuple that no other call has
        if _fits.setdefault(id(self), fit) is not fit:  # weights and progress function are those of the fit in progress
            raise BusyError("the trainer is fitting a network", Status.ERROR_BUSY)
        try:
            return self._fit(network, rows, held_out, weights, progress)
        finally:
            _fits.pop(id(self), None)

    def _fit(self, network: Network, rows: tuple[Any, Any, int], held_out: tuple[Any, Any, int], weights: tuple[Any, int],
             progress: Optional[Callable[[Progress], Any]]) -> FitResult:
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
        loss = ctypes.c_double()
        plugins[key] = report
        try:
            call(library.bp_trainer_set_progress, self._handle, _progress, key)
            status = call(library.bp_trainer_fit, self._handle, network._handle, *rows, *held_out, byref(loss))
        finally:
            del plugins[key]
        return FitResult(loss.value, status == Status.STOPPED, history)

    def cancel(self) -> None:
        """Ends a fit in progress on another thread, before its next step; without one, nothing happens."""
        call(library.bp_trainer_cancel, self._handle)


def _make(cls: type[_Self], options: Mapping[str, Union[float, str]]) -> _Self:
    """A trainer of a class, which may have a constructor of another form."""
    trainer = cls.__new__(cls)
    Trainer.__init__(trainer, **options)
    return trainer


def _validation(network: Network, validation: Any) -> tuple[Any, Any, int]:
    try:
        inputs, targets = validation
    except (TypeError, ValueError):
        raise ValueError("validation: expected a pair of inputs and targets") from None
    rows = network._rows(inputs, targets)
    if rows[2] == 0:
        raise ValueError("validation: expected 1 row or more, got none")
    return rows


def _row_weights(sample_weight: Optional[ArrayLike], class_weight: Union[str, Mapping[int, float], None],
                 targets: ArrayLike, rows: int) -> tuple[Any, int]:
    """Both as one weight a row, for the library."""
    if sample_weight is None and class_weight is None:
        return None, 0
    weights: Array = np.ones(rows, np.float32)
    if sample_weight is not None:
        weights = vector(sample_weight, rows, "sample_weight")
    if class_weight is not None:
        classes = np.asarray(targets)
        if classes.ndim == 2:
            classes = classes.argmax(axis=1) if classes.shape[1] > 1 else classes[:, 0]
        names, places = np.unique(classes, return_inverse=True)
        if isinstance(class_weight, str):
            if class_weight != "balanced":
                raise ValueError(f"class_weight: expected 'balanced' or a mapping, got {class_weight!r}")
            each = rows / (len(names) * np.bincount(places))
        else:
            missing = [name for name in names.tolist() if name not in class_weight]
            if missing:
                raise ValueError(f"class_weight: no weight for class {missing[0]}")
            each = np.array([class_weight[name] for name in names.tolist()], float)
        weights = (weights * each[places]).astype(np.float32)
    return pointer(weights), rows


@for_ever(_prototypes.bp_progress_fn)
@shelter
def _progress(record: Any, key: int) -> int:
    stop = False
    try:
        if not failed():
            stop = plugins[key](record.contents)
    except BaseException as error:
        remember(error)
    return -1 if failed() else int(stop)
