"""Fits by processes that can be lost: they are started again, with fewer processes, from the latest epoch."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, Optional

from numpy.typing import ArrayLike

from .._progress import displayed
from ..errors import WorkerError
from ..history import History
from ..network import Network
from ..trainer import Progress
from ._reducer import Actor

__all__ = ["Lost", "check", "fit", "train"]


class Lost(Exception):
    """Processes were lost. `left` is the number of processes to continue with, and `checkpoint` the latest model, if any."""

    def __init__(self, left: int, checkpoint: Optional[bytes]) -> None:
        super().__init__(f"processes were lost, {left} are left")
        self.left, self.checkpoint = left, checkpoint


def train(call: Callable[..., Any], rank: int, size: int, setup: Optional[Callable[[int], Any]], model: bytes, inputs: ArrayLike,
          targets: Any, arguments: dict[str, Any]) -> tuple[bytes, History]:
    """The work of one process. Returns the trained model and the course of the fit."""
    if setup is not None:
        setup(rank)
    network = Network.from_bytes(model)
    with displayed(arguments["progress"] if rank == 0 else None) as seen:
        def progress(now: Progress) -> bool:
            if now.epoch_ended:
                call("store", network.to_bytes())
            return seen is not None and bool(seen(now))

        history = network.fit(inputs, targets, comm=Actor(call, rank, size),
                              **{**arguments, "progress": progress if rank == 0 else False})
    return network.to_bytes(), history


def check(errors: Sequence[BaseException], lost: int, left: int, checkpoint: Callable[[], Optional[bytes]]) -> None:
    """Ends an attempt whose processes have ended with these errors, except for `lost` of them, which do not answer. Raises an
    error unless there is none. left: the number of processes to continue with. checkpoint: returns the latest model."""
    if lost:
        try:
            model = checkpoint()
        except Exception:  # it was lost, too
            model = None
        raise Lost(left, model)
    for error in sorted(errors, key=lambda each: isinstance(each, WorkerError)):  # those that say more first
        raise error


def fit(network: Network, size: int, retries: int, run: Callable[[int, bytes, dict[str, Any]], tuple[bytes, History]],
        arguments: dict[str, Any]) -> History:
    """Calls run(size, model, arguments), which trains a model with that number of processes, until none is lost."""
    if size < 1:
        raise ValueError(f"workers: expected 1 or more, got {size}")
    model, arguments = network.to_bytes(), {"progress": False, **arguments}
    while True:
        try:
            trained, history = run(size, model, arguments)
        except Lost as lost:
            if not retries or not lost.left:
                raise RuntimeError("the fit has lost its processes") from lost
            retries, size = retries - 1, lost.left
            if lost.checkpoint is not None:
                model, arguments = lost.checkpoint, {**arguments, "resume": 1}
        else:
            network._become(trained)
            return history
