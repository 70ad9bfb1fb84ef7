"""Fits by processes that can be lost: they are started again, with fewer processes, from the latest epoch."""
from __future__ import annotations

from typing import Any, Callable, Optional

from numpy.typing import ArrayLike

from ..history import History
from ..network import Network
from ..trainer import Progress
from ._reducer import Actor

__all__ = ["Lost", "fit", "train"]


class Lost(Exception):
    """Processes were lost. `left` is the number of processes to continue with, and `checkpoint` the latest model, if any."""

    def __init__(self, left: int, checkpoint: Optional[bytes]) -> None:
        super().__init__(f"processes were lost, {left} are left")
        self.left, self.checkpoint = left, checkpoint


def train(call: Callable[..., Any], rank: int, size: int, model: bytes, inputs: ArrayLike, targets: Any,
          arguments: dict[str, Any]) -> tuple[bytes, History]:
    """The work of one process. Returns the trained model and the course of the fit."""
    network = Network.from_bytes(model)
    given = arguments.get("progress")

    def progress(now: Progress) -> bool:
        if now.epoch_ended:
            call("store", network.to_bytes())
        return bool(given(now)) if callable(given) else False

    chosen = {**arguments, "progress": progress} if rank == 0 else {**arguments, "progress": False}
    history = network.fit(inputs, targets, comm=Actor(call, rank, size), **chosen)
    return network.to_bytes(), history


def fit(network: Network, size: int, retries: int, run: Callable[[int, bytes, dict[str, Any]], tuple[bytes, History]],
        arguments: dict[str, Any]) -> History:
    """Calls run(size, model, arguments), which trains a model with that number of processes, until none is lost."""
    model = network.to_bytes()
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

