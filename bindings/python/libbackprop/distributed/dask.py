"""Fits by the workers of a Dask cluster, which are continued when some are lost. Needs the extra "dask"."""
from __future__ import annotations

from typing import Any, Callable, Optional

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
        retries: int = 3, setup: Optional[Callable[[int], Any]] = None, **arguments: Any) -> History:
    """Network.fit by workers of a Dask cluster, each of which trains on its share of each minibatch. The result is that of one
    process, except for rounding.

    client: a distributed.Client. workers: their number; None for all of the cluster. timeout: seconds that a worker waits for
    the others. retries: how many times the fit is continued, from its latest epoch, with the workers that are left when some
    are lost, or do not answer in time; from its beginning if the worker of rank 0 is lost. setup: called in each worker with its
    rank, to register activations and losses, for example. arguments: those of Network.fit; a progress function is called in the
    worker of rank 0. RuntimeError if too many workers are lost. The error of a worker is raised again.

    Examples
    --------
    >>> history = fit(network, x, y, client=client, epochs=20)  # doctest: +SKIP
    """
    # hash=False: the end of an earlier fit must not release the data of this one, if they are the same.
    x, y = client.scatter((np.asarray(inputs), np.asarray(targets)), broadcast=True, hash=False)
    lost: set[str] = set()

    def addresses() -> list[str]:
        return sorted(set(client.scheduler_info(n_workers=-1)["workers"]) - lost)

    def run(size: int, model: bytes, chosen: dict[str, Any]) -> tuple[bytes, History]:
        used = addresses()[:size]
        try:
            reducer = client.submit(Reducer, len(used), timeout, actor=True, pure=False, workers=used[:1]).result(timeout)
        except (TimeoutError, _distributed.TimeoutError):  # the scheduler does not know yet that this worker was lost
            lost.add(used[0])
            raise _restarting.Lost(len(used) - 1, None) from None
        tasks = [client.submit(_train, reducer, 2 * timeout, rank, len(used), setup, model, x, y, chosen, workers=[address],
                               pure=False) for rank, address in enumerate(used)]
        _distributed.wait(tasks, return_when="FIRST_COMPLETED")
        try:  # when one has ended, the others do within the time that they wait for it
            _distributed.wait(tasks, timeout=2 * timeout)
        except (TimeoutError, _distributed.TimeoutError):
            pass
        present = addresses()
        lost.update(address for address, task in zip(used, tasks) if not task.done() or address not in present)
        left = [task for address, task in zip(used, tasks) if address not in lost]
        errors = [task.exception() for task in left if task.status == "error"]
        try:
            _restarting.check(errors, len(used) - len(left), len(left), lambda: reducer.checkpoint().result(timeout))
            trained: tuple[bytes, History] = tasks[0].result()
            return trained
        finally:
            client.cancel(tasks)

    return _restarting.fit(network, len(addresses()) if workers is None else workers, retries, run, arguments)
