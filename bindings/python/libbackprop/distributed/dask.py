"""Fits by the workers of a Dask cluster, which are continued when some are lost. Needs the extra "dask"."""
from __future__ import annotations

from typing import Any, Optional

import numpy as np
from numpy.typing import ArrayLike

from .._extras import required
from ..history import History
from ..network import Network
from . import _restarting
from ._reducer import Reducer

__all__ = ["fit"]

_distributed = required("distributed", "dask")


def _train(reducer: Any, timeout: float, *work: Any) -> tuple[bytes, History]:
    def call(method: str, *arguments: Any) -> Any:
        return getattr(reducer, method)(*arguments).result(timeout)

    return _restarting.train(call, *work)


def fit(network: Network, inputs: ArrayLike, targets: Any, *, client: Any, workers: Optional[int] = None, timeout: float = 60,
        retries: int = 3, **arguments: Any) -> History:
    """Network.fit by workers of a Dask cluster, each of which trains on its share of each minibatch. The result is that of one
    process, except for rounding.

    client: a distributed.Client. workers: their number; None for all of the cluster. timeout: seconds that a worker waits for
    the others. retries: how many times the fit is continued, from its latest epoch, with the workers that are left when some
    are lost. arguments: those of Network.fit; a progress function is called in the worker of rank 0. RuntimeError if too many
    workers are lost. The error of a worker is raised again.

    Examples
    --------
    >>> history = fit(network, x, y, client=client, epochs=20)  # doctest: +SKIP
    """
    x, y = client.scatter((np.asarray(inputs), np.asarray(targets)), broadcast=True)

    def addresses() -> list[str]:
        return sorted(client.scheduler_info(n_workers=-1)["workers"])

    def run(size: int, model: bytes, chosen: dict[str, Any]) -> tuple[bytes, History]:
        used = addresses()[:size]
        reducer = client.submit(Reducer, len(used), timeout, actor=True, pure=False, workers=used[:1]).result()
        tasks = [client.submit(_train, reducer, 2 * timeout, rank, len(used), model, x, y, chosen, workers=[address], pure=False)
                 for rank, address in enumerate(used)]
        _distributed.wait(tasks, timeout=None, return_when="FIRST_COMPLETED")
        errors = []
        for task in tasks:
            try:
                errors.append(task.exception(timeout=2 * timeout))
            except (TimeoutError, _distributed.TimeoutError) as error:
                errors.append(error)
        if not any(errors):
            result: tuple[bytes, History] = tasks[0].result()
            return result
        client.cancel(tasks)
        left = len(set(used) & set(addresses()))
        if left < len(used):
            try:
                checkpoint = reducer.checkpoint().result(timeout)
            except Exception:
                checkpoint = None
            raise _restarting.Lost(left, checkpoint)
        raise next((each for each in errors if each and type(each).__name__ != "WorkerError"), None) or next(filter(None, errors))

    return _restarting.fit(network, len(addresses()) if workers is None else workers, retries, run, arguments)
