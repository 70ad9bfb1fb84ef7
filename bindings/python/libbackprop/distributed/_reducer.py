"""An engine for schedulers of tasks that have none: an actor that combines the numbers of all processes."""
from __future__ import annotations

import asyncio
from typing import Any, Callable, Optional

import numpy as np

from ._communicator import Communicator, Numbers

__all__ = ["Actor", "Reducer"]


class Reducer:
    """The actor. Its methods wait until all processes have made the exchange of that number, at most `timeout` seconds."""

    def __init__(self, size: int, timeout: float) -> None:
        self._size, self._timeout = size, timeout
        self._exchanges: dict[int, tuple[dict[int, Any], asyncio.Future[Any]]] = {}
        self._checkpoint: Optional[bytes] = None

    async def all_reduce(self, number: int, rank: int, values: Numbers, operation: str) -> Numbers:
        """The sums or maxima. They are computed in the order of the ranks, and do not depend on time."""

        def combine(parts: dict[int, Numbers]) -> Numbers:
            result = parts[0].copy()
            for each in range(1, self._size):
                (np.add if operation == "sum" else np.maximum)(result, parts[each], out=result)
            return result

        return await self._exchange(number, rank, values, combine)

    async def broadcast(self, number: int, rank: int, data: bytes, root: int) -> bytes:
        """The data of process `root`."""
        sent: bytes = await self._exchange(number, rank, data, lambda parts: parts[root])
        return sent

    async def _exchange(self, number: int, rank: int, part: Any, combine: Callable[[dict[int, Any]], Any]) -> Any:
        parts, done = self._exchanges.setdefault(number, ({}, asyncio.get_running_loop().create_future()))
        parts[rank] = part
        if len(parts) == self._size:
            del self._exchanges[number]
            try:
                done.set_result(combine(parts))
            except Exception as error:  # of processes that make different calls
                done.set_exception(error)
        return await asyncio.wait_for(asyncio.shield(done), self._timeout)

    async def store(self, checkpoint: bytes) -> None:
        """Keeps a model for a restart."""
        self._checkpoint = checkpoint

    async def checkpoint(self) -> Optional[bytes]:
        """The latest model."""
        return self._checkpoint


class Actor(Communicator):
    """A communicator through the actor. call: calls a method of it and waits for the result."""

    def __init__(self, call: Callable[..., Any], rank: int, size: int) -> None:
        self._call, self.rank, self.size = call, rank, size
        self._number = 0

    def all_reduce(self, values: Numbers, operation: str) -> None:
        self._number += 1
        values[:] = self._call("all_reduce", self._number, self.rank, values.copy(), operation)

    def broadcast(self, data: bytes, root: int = 0) -> bytes:
        self._number += 1
        sent: bytes = self._call("broadcast", self._number, self.rank, data, root)
        return sent
