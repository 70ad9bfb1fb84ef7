"""Communicators: what a training needs of an engine."""
from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any, Callable, TypeVar

import numpy as np

from ..errors import Status, WorkerError

__all__ = ["Communicator", "Numbers", "communicator", "together", "total"]

Numbers = Any  # an array of float32 or float64
_Result = TypeVar("_Result")


class Communicator:
    """The processes of a training, and an engine between them. A subclass implements the methods.

    Examples
    --------
    >>> from libbackprop.distributed import Communicator
    >>> alone = Communicator()
    >>> alone.rank, alone.size, alone.broadcast(b"model")
    (0, 1, b'model')
    """

    rank: int = 0  # the number of this process, from 0
    size: int = 1  # the number of processes

    def all_reduce(self, values: Numbers, operation: str) -> None:
        """Replaces each number, in place, by its "sum" or "maximum" over all processes. All get the same bits."""

    def broadcast(self, data: bytes, root: int = 0) -> bytes:
        """The data that process `root` passes."""
        return data

    # Only for overlap=True.

    def start(self, values: Numbers, operation: str) -> None:
        """Begins what all_reduce does, and returns. Another array may be started, or reduced, before it is complete."""
        self.all_reduce(values, operation)

    def finish(self) -> None:
        """Completes all that start has begun. Nothing may access the arrays after it, even if it raises."""

    # Only for BFloat16.

    def all_to_all(self, rows: Numbers) -> Numbers:
        """Sends row k to process k. Returns the rows that were sent to this process, in the order of the processes."""
        return rows

    def all_gather(self, values: Numbers) -> Numbers:
        """The arrays of all processes, which have the same size, one after the other."""
        return values


class _MPI(Communicator):
    def __init__(self, comm: Any) -> None:
        self._comm, self._mpi = comm, importlib.import_module("mpi4py.MPI")
        self.rank, self.size = comm.Get_rank(), comm.Get_size()
        self._requests: list[Any] = []

    def all_reduce(self, values: Numbers, operation: str) -> None:
        self._comm.Allreduce(self._mpi.IN_PLACE, values, self._mpi.SUM if operation == "sum" else self._mpi.MAX)

    def start(self, values: Numbers, operation: str) -> None:
        operator = self._mpi.SUM if operation == "sum" else self._mpi.MAX
        self._requests.append(self._comm.Iallreduce(self._mpi.IN_PLACE, values, operator))

    def finish(self) -> None:
        requests, self._requests = self._requests, []
        self._mpi.Request.Waitall(requests)

    def broadcast(self, data: bytes, root: int = 0) -> bytes:
        sent: bytes = self._comm.bcast(data, root=root)
        return sent

    def all_to_all(self, rows: Numbers) -> Numbers:
        received = np.empty_like(rows)
        self._comm.Alltoall(rows, received)
        return received

    def all_gather(self, values: Numbers) -> Numbers:
        received = np.empty(self.size * len(values), values.dtype)
        self._comm.Allgather(values, received)
        return received


class _Torch(Communicator):
    def __init__(self, group: Any) -> None:
        self._torch = importlib.import_module("torch")
        self._distributed = self._torch.distributed
        self._group = None if isinstance(group, ModuleType) else group
        self.rank, self.size = self._distributed.get_rank(self._group), self._distributed.get_world_size(self._group)
        self._works: list[Any] = []

    def all_reduce(self, values: Numbers, operation: str) -> None:
        self._all_reduce(values, operation, False)

    def start(self, values: Numbers, operation: str) -> None:
        self._works.append(self._all_reduce(values, operation, True))

    def finish(self) -> None:
        works, self._works = self._works, []
        errors = []
        for work in works:  # all of them, also after one has failed
            try:
                work.wait()
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def _all_reduce(self, values: Numbers, operation: str, is_started: bool) -> Any:
        kinds = self._distributed.ReduceOp
        operator = kinds.SUM if operation == "sum" else kinds.MAX
        return self._distributed.all_reduce(self._torch.from_numpy(values), operator, self._group, async_op=is_started)

    def broadcast(self, data: bytes, root: int = 0) -> bytes:
        sent = [data]
        source = root if self._group is None else self._distributed.get_global_rank(self._group, root)
        self._distributed.broadcast_object_list(sent, source, self._group)
        return sent[0]

    def all_to_all(self, rows: Numbers) -> Numbers:
        received = np.empty_like(rows)
        self._distributed.all_to_all_single(self._bytes(received), self._bytes(rows), group=self._group)
        return received

    def all_gather(self, values: Numbers) -> Numbers:
        received = np.empty((self.size, len(values)), values.dtype)
        self._distributed.all_gather([self._bytes(row) for row in received], self._bytes(values), self._group)
        return received.reshape(-1)

    def _bytes(self, array: Numbers) -> Any:
        """A tensor of the array's memory. Gloo has no 16-bit integers."""
        return self._torch.from_numpy(array.view(np.uint8))


def communicator(comm: Any) -> Communicator:
    """A communicator for an mpi4py communicator, the module torch.distributed or one of its process groups, or an object of a
    subclass of Communicator. TypeError for others.

    Examples
    --------
    >>> from libbackprop.distributed import Communicator, communicator
    >>> communicator(Communicator()).size
    1
    """
    if isinstance(comm, Communicator):
        return comm
    package = (comm.__name__ if isinstance(comm, ModuleType) else type(comm).__module__).partition(".")[0]
    if package == "mpi4py" and isinstance(comm, importlib.import_module("mpi4py.MPI").Intracomm) and comm:
        return _MPI(comm)
    if package == "torch":
        distributed = importlib.import_module("torch.distributed")
        if comm is distributed or isinstance(comm, distributed.ProcessGroup):
            return _Torch(comm)
    raise TypeError(f"comm: expected a communicator of mpi4py, torch.distributed or a subclass of Communicator, got {comm!r:.80}")


def total(comm: Communicator, *numbers: float) -> Any:
    """The sums of numbers over all processes."""
    sums = np.array(numbers, np.float64)
    comm.all_reduce(sums, "sum")
    return sums


def together(comm: Communicator, work: Callable[[], _Result]) -> _Result:
    """Calls a function that makes no exchange. If it fails on one process, this one raises its error, and the others a
    WorkerError: none of them waits for it in the next exchange."""
    try:
        result = work()
    except BaseException:
        total(comm, 1)
        raise
    if total(comm, 0)[0]:
        raise WorkerError("the call failed on another process", Status.ERROR_WORKER)
    return result
