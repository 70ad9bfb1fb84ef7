"""Fills the minibatches of a fit from batches of any numbers of rows."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

import numpy as np
from numpy.typing import ArrayLike

from . import _prototypes
from ._arguments import Numbers, floats, matrix, vector
from ._callbacks import view

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

__all__ = ["Batch", "Batches", "Stream"]

Batch: TypeAlias = "Union[tuple[ArrayLike, ArrayLike], tuple[ArrayLike, ArrayLike, ArrayLike]]"
Batches: TypeAlias = "Union[Iterable[Batch], Callable[[int, int], Iterable[Batch]]]"

_END = object()


class Stream:
    """The batches of a fit. `Trainer.fit_stream` describes them."""

    def __init__(self, batches: Any, inputs: int, target_columns: int, targets: Callable[[Any], Numbers]) -> None:
        self._is_iterator = hasattr(batches, "__next__")
        self._is_function = callable(batches) and not hasattr(batches, "__iter__")
        if not self._is_function and not hasattr(batches, "__iter__") and not hasattr(batches, "__getitem__"):
            raise TypeError(f"batches: expected an iterable or a function, got {type(batches).__name__}")
        self._batches: Any = batches
        self._inputs, self._target_columns, self._targets = inputs, target_columns, targets
        self._source: Iterator[Any] = self._batches if self._is_iterator else iter(())
        self._position: Optional[tuple[int, int]] = None  # of the next minibatch, if it follows the previous one
        self._batch: tuple[Any, ...] = ()
        self._count = self._used = 0  # rows of the batch

    def fill(self, minibatch: _prototypes.bp_minibatch) -> bool:
        """Fills a minibatch with at most its capacity. Returns True if an iterator has ended before the epoch."""
        epoch, row, capacity = minibatch.epoch, minibatch.first_row, minibatch.capacity
        ended = self._is_iterator and self._position is not None and row == 0
        if self._position != (epoch, row) and not self._is_iterator:
            self._go_to(epoch, row)
        buffers = (view(minibatch.inputs, capacity, self._inputs, False),
                   view(minibatch.targets, capacity, self._target_columns, False),
                   view(minibatch.row_weights, capacity, 1, False))
        filled = 0
        while filled < capacity and (rows := self._take(capacity - filled)):
            try:
                for buffer, values in zip(buffers, self._converted(slice(self._used - rows, self._used))):
                    buffer[filled:filled + rows] = values
            except (TypeError, ValueError) as error:
                raise type(error)(f"epoch {epoch}, minibatch {minibatch.batch}: {error}") from None
            filled += rows
        minibatch.rows = filled
        self._position = epoch, row + filled
        return ended and filled == 0

    def _go_to(self, epoch: int, row: int) -> None:
        if self._is_function:
            self._source, row = iter(self._batches(epoch, row)), 0
        else:
            self._source = iter(self._batches)
        self._count = self._used = 0
        while row and (rows := self._take(row)):
            row -= rows

    def _take(self, most: int) -> int:
        """Uses at most `most` rows of the batch, or of the next one. Returns their number, 0 at the end."""
        while self._used == self._count:
            batch = next(self._source, _END)
            if batch is _END:
                return 0
            self._batch, self._count = _sliceable(batch)
            self._used = 0
        rows = min(most, self._count - self._used)
        self._used += rows
        return rows

    def _converted(self, rows: slice) -> Iterator[Any]:
        """The inputs, targets and weights of some rows of the batch, as float32. Only these rows are copied."""
        yield matrix(self._batch[0][rows], self._inputs, "inputs")
        yield floats(self._targets(self._batch[1][rows]), "targets")
        if len(self._batch) == 3:
            yield vector(self._batch[2][rows], rows.stop - rows.start, "weights")[:, np.newaxis]


def _sliceable(batch: Any) -> tuple[tuple[Any, ...], int]:
    """The arrays of a batch, and its number of rows. An object with a shape, such as an np.memmap or a data set of h5py, is
    not converted as a whole."""
    if not hasattr(batch, "__iter__"):
        raise TypeError(f"batches: expected pairs or triples of arrays of rows, got {type(batch).__name__}")
    arrays = tuple(each if hasattr(each, "shape") else np.asarray(each) for each in batch)
    if len(arrays) not in (2, 3) or any(not each.shape for each in arrays):
        raise ValueError("batches: expected pairs (inputs, targets) or triples (inputs, targets, weights) of arrays of rows")
    lengths = [int(each.shape[0]) for each in arrays]
    if len(set(lengths)) > 1:
        raise ValueError(f"batches: expected arrays of the same number of rows, got {lengths}")
    return arrays, lengths[0]
