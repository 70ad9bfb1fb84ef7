"""What workers exchange before a fit of their own rows."""
from __future__ import annotations

from typing import Any

import numpy as np

from ._call import plugins
from .errors import InvalidValueError, ModelError, Status, WorkerError
from .network import Network

__all__ = ["agreed_counts"]

Numbers = Any  # an array of float64
_CALL = 0x5059  # marks the agreement of `_gathered`


def agreed_counts(network: Network, rows: Any, validation_rows: Any, passes_validation: bool, is_balanced: bool = False,
                  names: Numbers = (), counts: Numbers = ()) -> tuple[Numbers, Numbers]:
    """The classes of all workers' rows, and the numbers of their rows, from those of this worker.

    `rows` and `validation_rows`: with a weight above 0. Raises on all workers if one has failed, or if they cannot fit together.
    """
    import zlib  # not loaded with the package

    classes = zlib.crc32(repr(network._classes).encode())
    own = [rows, validation_rows, passes_validation, classes, is_balanced]
    given = _gathered(network, np.concatenate([own, names, counts]).astype(np.float64))
    heads = np.array([each[:5] for each in given])
    for place, what in ((3, "network.classes"), (4, 'class_weight="balanced"')):
        if (heads[:, place] != heads[0, place]).any():
            raise ModelError(f"{what}: expected the same on all {len(given)} workers", Status.ERROR_MISMATCH)
    if not heads[:, 0].any():
        raise InvalidValueError("inputs: expected a row with a weight above 0 on at least one worker", Status.ERROR_INVALID_VALUE)
    if heads[:, 2].any() and not heads[:, 1].any():
        raise InvalidValueError("validation inputs: expected a row with a weight above 0 on at least one worker",
                                Status.ERROR_INVALID_VALUE)
    names, counts = (np.concatenate([each[5:].reshape(2, -1)[row] for each in given]) for row in (0, 1))
    found, places = np.unique(names, return_inverse=True)
    return found, np.bincount(places, counts, len(found))


def _gathered(network: Network, values: Numbers) -> list[Numbers]:
    """The numbers of each worker.

    The first exchange is an agreement of the library (Workers.swift), in which workers whose call has failed take part.
    """
    exchange = plugins[network._reduction][0]
    worker, workers = network._worker
    message = np.zeros(workers + 10)
    message[2], message[3], message[10 + worker] = _CALL, _CALL**2, len(values) + 1
    exchange(message, "sum")
    if message[0] or message[1]:
        raise WorkerError("the call failed on another worker", Status.ERROR_WORKER)
    if message[2] != workers * _CALL or message[3] != workers * _CALL**2 or message[10:].min() < 1:
        raise ModelError("the workers made different calls, or fits with different shared_rows, or two have the same number; or "
                         "the all-reduce function does not combine the numbers of all of them", Status.ERROR_MISMATCH)
    sizes = message[10:].astype(int) - 1
    table = np.zeros((workers, sizes.max()))
    table[worker, :len(values)] = values
    exchange(table.reshape(-1), "sum")
    return [row[:size] for row, size in zip(table, sizes)]
