"""Gradients that are exchanged as bfloat16."""
from __future__ import annotations

from typing import Any

import numpy as np

from ._communicator import Communicator, Numbers, communicator

__all__ = ["BFloat16"]

_EXACT = 4  # numbers at the end of a gradient that are not rounded: the loss and the failures
_BLOCK = 1 << 16  # numbers that are rounded together: they and the temporary arrays are in the processor's cache


class BFloat16(Communicator):
    """A communicator that exchanges gradients as bfloat16, in half of the bytes: for networks of machines that are slow.

        history = network.fit(x, y, comm=BFloat16(MPI.COMM_WORLD))

    A process adds the rounding error of a gradient to its next gradient (error feedback: Seide et al. 2014, Karimireddy et al.
    2019), so that the sum over many steps has no error that grows. The result is near that of exact gradients, not equal to
    it. All processes get the same bits, which do not depend on time. Losses, batch normalization and everything else that is
    not a gradient of weights are exchanged exactly. Not for "lbfgs", whose gradients must not have errors.

    comm: a communicator of MPI, torch.distributed, or of a class that also has all_to_all and all_gather. Each network needs
    its own object. A step that fails, and a new object in a resumed fit, begin without an error to add.

    Examples
    --------
    >>> from libbackprop.distributed import BFloat16, Communicator
    >>> network = bp.Network([1, 1], output="identity", seed=1)
    >>> history = network.fit([[0], [1], [2]], [1, 3, 5], epochs=500, learning_rate=0.1, comm=BFloat16(Communicator()))
    >>> network.parameters.round(2).tolist()
    [2.0, 1.0]
    """

    def __init__(self, comm: Any) -> None:
        self._comm = communicator(comm)
        self.rank: int = self._comm.rank
        self.size: int = self._comm.size
        if self.size > 1 and type(self._comm).all_to_all is Communicator.all_to_all:
            raise TypeError(f"comm: expected a communicator with all_to_all and all_gather, got {type(self._comm).__name__}")
        self._own_error = self._error_of_sum = np.zeros(0, np.float32)

    def all_reduce(self, values: Numbers, operation: str) -> None:
        if values.dtype != np.float32 or operation != "sum":
            return self._comm.all_reduce(values, operation)
        with np.errstate(invalid="ignore", over="ignore"):  # the library checks the sums
            self._add(values)

    def _add(self, values: Numbers) -> None:
        """Each process adds up a part of the numbers of all, in the order of the ranks."""
        count = len(values) - _EXACT
        part = -(-count // self.size)
        if len(self._own_error) != part * self.size:
            self._own_error, self._error_of_sum = np.zeros(part * self.size, np.float32), np.zeros(part, np.float32)
        self._own_error[:count] += values[:count]
        rows = np.empty((self.size, part + 2 * _EXACT), np.uint16)
        rows[:, :part] = _rounded(self._own_error).reshape(self.size, part)
        rows[:, part:] = values[count:].view(np.uint16)
        rows = self._comm.all_to_all(rows)
        for row in rows:
            self._error_of_sum += _widened(row[:part])
        values[:count] = _widened(self._comm.all_gather(_rounded(self._error_of_sum)))[:count]
        values[count:] = np.ascontiguousarray(rows[:, part:]).view(np.float32).sum(0)
        if values[-2:].any() or not np.isfinite(values).all():
            self._own_error = np.zeros(0, np.float32)

    def broadcast(self, data: bytes, root: int = 0) -> bytes:
        return self._comm.broadcast(data, root)


def _rounded(values: Numbers) -> Numbers:
    """The nearest bfloat16, as its bits. Replaces the values by the errors of the rounding."""
    result = np.empty(len(values), np.uint16)
    for first in range(0, len(values), _BLOCK):
        block = values[first:first + _BLOCK]
        bits = block.view(np.uint32)
        upper = (bits >> 16) & 1  # of two that are equally near, the even one
        upper += bits
        upper += 0x7FFF
        upper >>= 16
        if not np.isfinite(block.sum()):
            upper[np.isnan(block)] = 0x7FC0
        result[first:first + _BLOCK] = upper
        upper <<= 16
        block -= upper.view(np.float32)
    return result


def _widened(rounded: Numbers) -> Numbers:
    return (rounded.astype(np.uint32) << 16).view(np.float32)
