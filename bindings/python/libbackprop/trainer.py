"""Whole trainings in one call."""
from __future__ import annotations

import ctypes
from ctypes import byref
from typing import Any, Callable, Mapping, NamedTuple, Optional, Union

import numpy as np
from numpy.typing import ArrayLike

from . import _prototypes
from ._arguments import number, pointer, text, vector
from ._call import call, failed, for_ever, keys, plugins, remember, shelter
from ._handle import Owner
from ._library import library
from .errors import Status
from .network import Network

# What numbers stand for where an option is a choice.
_CHOICES = {
    "sampling": ("shuffle", "uniform"),
    "schedule": ("constant", "step", "exponential", "cosine", "inverse_time", "one_cycle", "plateau"),
    "keep": ("auto", "latest", "best"),
    "on_divergence": ("fail", "halve"),
}


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


class Trainer(Owner):
    """Trains networks: epochs of shuffled minibatches, with a schedule, validation, early stopping and restarts.

        trainer = bp.Trainer(epochs=50, learning_rate=0.1, validation_fraction=0.1, patience=5, seed=1)
        result = trainer.fit(network, inputs, targets)

    Options are keywords, with numbers or, for choices, words; `bp.options()` and backprop.h list them. Here
    progress_seconds starts at 0.1, so that Ctrl-C gets in. One trainer may fit many networks, one after the other.
    """

    _free = library.bp_trainer_free
    _noun = "trainer"

    def __init__(self, **options: Union[float, str]) -> None:
        handle = _prototypes.Trainer()
        call(library.bp_trainer_create, byref(handle))
        self._pointer = handle
        self._wants_ticks = "progress_seconds" in options
        for name, value in {"progress_seconds": 0.1, **options}.items():
            self.set_option(name, value)

    def set_option(self, name: str, value: Union[float, str]) -> None:
        """Sets an option. UnknownNameError for the name, InvalidValueError for the value, BusyError during a fit."""
        if isinstance(value, str):
            words = _CHOICES.get(name, ())
            if value not in words:
                expected = "one of " + ", ".join(map(repr, words)) if words else "a number"
                raise ValueError(f"{name}: expected {expected}, got {value!r}")
            value = words.index(value)
        call(library.bp_trainer_set_option, self._handle, text(name, "option"), number(value, name))

    def get_option(self, name: str) -> float:
        """The number an option has."""
        value = ctypes.c_double()
        call(library.bp_trainer_get_option, self._handle, text(name, "option"), byref(value))
        return value.value

    def fit(self, network: Network, inputs: ArrayLike, targets: ArrayLike, *,
            validation: Optional[tuple[ArrayLike, ArrayLike]] = None, sample_weight: Optional[ArrayLike] = None,
            class_weight: Union[None, str, Mapping[int, float]] = None,
            progress: Optional[Callable[[Progress], Any]] = None) -> FitResult:
        """Trains the network on rows, shapes (rows, inputs) and (rows, outputs).

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
        call(library.bp_trainer_set_row_weights, self._handle, *weights)
        history: list[Progress] = []
        interval = self.get_option("progress_interval")

        def report(record: _prototypes.bp_progress) -> bool:
            now = Progress(record.restart, record.epoch, record.epochs, record.step, record.steps, record.loss,
                           record.validation_loss, record.learning_rate, bool(record.epoch_ended))
            if now.epoch_ended:
                history.append(now)
            wanted = now.epoch_ended or self._wants_ticks or (interval and now.step % interval == 0)
            return bool(progress(now)) if progress is not None and wanted else False

        key = next(keys)
        loss = ctypes.c_double()
        call(library.bp_trainer_set_progress, self._handle, _progress, key)
        plugins[key] = report
        try:
            status = call(library.bp_trainer_fit, self._handle, network._handle, *rows, *held_out, byref(loss))
        finally:
            del plugins[key]
        return FitResult(loss.value, status == Status.STOPPED, history)

    def cancel(self) -> None:
        """Ends a fit in progress on another thread, before its next step; without one, nothing happens."""
        call(library.bp_trainer_cancel, self._handle)


def _validation(network: Network, validation: Any) -> tuple[Any, Any, int]:
    try:
        inputs, targets = validation
    except (TypeError, ValueError):
        raise ValueError("validation: expected a pair of inputs and targets") from None
    rows = network._rows(inputs, targets)
    if rows[2] == 0:
        raise ValueError("validation: expected 1 row or more, got none")
    return rows


def _row_weights(sample_weight: Any, class_weight: Any, targets: Any, rows: int) -> tuple[Any, int]:
    """Both as one weight a row, for the library."""
    if sample_weight is None and class_weight is None:
        return None, 0
    weights = np.ones(rows, np.float32) if sample_weight is None else vector(sample_weight, rows, "sample_weight")
    if class_weight is not None:
        targets = np.asarray(targets)
        classes = targets.argmax(axis=1) if targets.shape[1] > 1 else targets[:, 0]
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
    try:
        answer = 0 if failed() else plugins[key](record.contents)
    except BaseException as error:
        remember(error)
    return -1 if failed() else answer
