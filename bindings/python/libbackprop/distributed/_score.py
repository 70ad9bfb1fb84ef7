"""Scores of the rows of all processes."""
from __future__ import annotations

from typing import NamedTuple, Optional

import numpy as np
from numpy.typing import ArrayLike

from .. import score_names
from .._arguments import FLOAT32, Numbers, is_plain, vector
from ..errors import InvalidValueError, Status
from ..network import Network
from ._communicator import Communicator, together, total

__all__ = ["score"]


class _Share(NamedTuple):
    """The rows of this process. Arrays have the shape (rows, outputs) and type float64."""

    measure: str
    score: float
    counted: float  # the sum of the weights of which the score is a mean, except "r2"
    weights: Numbers  # 0 where a target is missing
    targets: Numbers  # only for "r2", as the errors
    errors: Numbers


def score(network: Network, comm: Communicator, inputs: ArrayLike, targets: ArrayLike, measure: Optional[str],
          sample_weight: Optional[ArrayLike]) -> float:
    """Network.score of the rows of all processes. An error on one is a WorkerError on the others."""
    share = together(comm, lambda: _share(network, inputs, targets, measure, sample_weight))
    rows, counted, scores, *users = total(comm, len(share.weights), share.counted, share.counted * share.score,
                                          *(name == share.measure for name in score_names()))
    if not rows:
        raise ValueError("inputs: expected rows on at least one process")
    if max(users) < comm.size:
        raise ValueError("measure: expected the same on all processes")
    if not counted:
        raise InvalidValueError("targets: too many are missing, or have weight 0, for a score", Status.ERROR_INVALID_VALUE)
    return _r2(comm, share.weights, share.targets, share.errors) if share.measure == "r2" else float(scores / counted)


def _share(network: Network, inputs: ArrayLike, targets: ArrayLike, measure: Optional[str], sample_weight: Optional[ArrayLike]
           ) -> _Share:
    name, rows = network._measure(measure), len(np.asarray(inputs))
    none = np.zeros((0, network.layers[-1]))
    if not rows:
        return _Share(name, 0.0, 0.0, none, none, none)
    x, y = network._arrays(inputs, targets)
    row_weights = np.ones(rows) if sample_weight is None else vector(sample_weight, rows, "sample_weight")
    missing = np.isnan(y)
    weights = np.where(missing, 0.0, row_weights[:, np.newaxis].astype(np.float64))
    counted = weights.min(axis=1) if name == "accuracy" else weights  # a row with a missing target has no accuracy
    try:
        value = network.score(x, y, name, sample_weight=sample_weight)  # refuses wrong arguments, also for "r2"
    except InvalidValueError:
        if counted.any():
            raise
        value = 0.0  # no target counts here, but some may on another process
    if name != "r2":
        return _Share(name, value, float(counted.sum()), weights, none, none)
    # In the precision of Network.score, by which an output equals a constant target or not.
    outputs = np.empty(y.shape, FLOAT32 if sample_weight is None and is_plain(x) and is_plain(y) else np.float64)
    y = np.where(missing, 0, y.astype(FLOAT32) if network.scaling.targets == "none" else y).astype(np.float64)
    return _Share(name, value, float(counted.sum()), weights, y, network.predict(x, outputs) - y)


def _r2(comm: Communicator, weights: Numbers, targets: Numbers, errors: Numbers) -> float:
    """The measure "r2" of all rows, from the squares of deviations from their mean: a large mean costs no digits."""
    counted, sums = total(comm, *weights.sum(0), *(weights * targets).sum(0)).reshape(2, -1)
    deviations = targets - sums / np.where(counted, counted, 1)
    residue, spread = total(comm, *(weights * errors**2).sum(0), *(weights * deviations**2).sum(0)).reshape(2, -1)
    limits = np.concatenate([np.where(weights, each, -np.inf).max(0, initial=-np.inf) for each in (targets, -targets)])
    comm.all_reduce(limits, "maximum")
    greatest, opposite_of_least = limits.reshape(2, -1)
    constant = greatest <= -opposite_of_least  # or without targets
    scores = np.where(constant, residue == 0, 1 - residue / np.where(constant, 1, spread))
    return float(scores[counted > 0].mean())
