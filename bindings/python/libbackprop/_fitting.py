"""Network.fit: a trainer, its options, a display and Ctrl-C in one call."""
from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Callable, Optional, SupportsFloat, Union

from numpy.typing import ArrayLike

from ._arguments import number
from ._progress import displayed
from .history import History
from .network import Network
from .trainer import Progress, Trainer

__all__ = ["fit"]

# Of other libraries, for which the C interface has no suggestion
_OTHER_NAMES = {"validation_data": "validation", "verbose": "progress", "callbacks": "progress"}
_RATES = {"adam": 0.001, "adamw": 0.001, "rmsprop": 0.001}


def fit(network: Network, inputs: ArrayLike, targets: ArrayLike, validation: Any, learning_rate: Optional[SupportsFloat],
        sample_weight: Optional[ArrayLike], class_weight: Union[str, Mapping[Any, float], None],
        progress: Union[bool, Callable[[Progress], Any]], options: Mapping[str, Union[SupportsFloat, str]]) -> History:
    """Trains a network. `Network.fit` describes the arguments."""
    with network._refusing():
        trainer, validation = _prepared(network, validation, learning_rate, progress, dict(options))
    with displayed(progress) as seen, _interruptible(trainer) as interrupted:
        def report(now: Progress) -> bool:
            return (seen is not None and bool(seen(now))) or interrupted.is_set()  # before the fit began, nothing was cancelled

        result = trainer.fit(network, inputs, targets, validation=validation, sample_weight=sample_weight,
                             class_weight=class_weight, progress=report)
    return History(result, interrupted.is_set() and result.stopped)


def _prepared(network: Network, validation: Any, learning_rate: Optional[SupportsFloat], progress: Any,
              chosen: dict[str, Any]) -> tuple[Trainer, Any]:
    """The trainer of a fit, and its validation rows."""
    for name in _OTHER_NAMES.keys() & chosen.keys():
        raise TypeError(f'fit has no argument "{name}": did you mean "{_OTHER_NAMES[name]}"?')
    chosen["learning_rate"] = _RATES.get(network.optimizer, 0.01) if learning_rate is None else learning_rate
    if validation is not None and not isinstance(validation, (tuple, list)):
        if isinstance(validation, bool) or hasattr(validation, "__len__"):
            raise TypeError("validation: expected a pair of inputs and targets, or the share of the rows that is held out, "
                            f"got {type(validation).__name__}")
        chosen["validation_fraction"], validation = number(validation, "validation"), None
    if not isinstance(progress, bool) and not callable(progress):
        raise TypeError(f"progress: expected a bool or a function, got {type(progress).__name__}")
    return Trainer(**chosen), validation


@contextmanager
def _interruptible(trainer: Trainer) -> Iterator[threading.Event]:
    """Lets the first Ctrl-C end the fit, which then keeps its weights. The event says whether there was one.

    Only on the main thread, and if the program has no handler of SIGINT: another handler does what it does.
    """
    interrupted = threading.Event()

    def stop(number: int, frame: Any) -> None:
        if interrupted.is_set():
            signal.default_int_handler(number, frame)
        interrupted.set()
        trainer.cancel()

    if threading.current_thread() is not threading.main_thread() or \
            signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield interrupted
        return
    signal.signal(signal.SIGINT, stop)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
