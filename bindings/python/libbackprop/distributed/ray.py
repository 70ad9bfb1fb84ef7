"""Fits by actors of Ray, which are started again when some are lost. Needs the extra "ray"."""
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._extras import required
from ..history import History
from ..network import Network
from . import _restarting
from ._reducer import Reducer

__all__ = ["fit"]

_ray = required("ray", "ray")


class _Worker:
    def train(self, reducer: Any, timeout: float, *work: Any) -> tuple[bytes, History]:
        def call(method: str, *arguments: Any) -> Any:
            return _ray.get(getattr(reducer, method).remote(*arguments), timeout=timeout)

        return _restarting.train(call, *work)


def fit(network: Network, inputs: ArrayLike, targets: Any, *, workers: int, timeout: float = 60, retries: int = 3,
        **arguments: Any) -> History:
    """Network.fit by actors of Ray, each of which trains on its share of each minibatch. The result is that of one process,
    except for rounding.

    workers: the number of actors. timeout: seconds that an actor waits for the others. retries: how many times the fit is
    continued, from its latest epoch, with the actors that are left when some are lost. arguments: those of Network.fit; a
    progress function is called in the actor of rank 0. Call ray.init first if it needs arguments. RuntimeError if too many
    actors are lost. The error of an actor is a RayTaskError, which is also of the class of its cause.

    Examples
    --------
    >>> history = fit(network, x, y, workers=4, epochs=20)  # doctest: +SKIP
    """
    data = _ray.put((np.asarray(inputs), np.asarray(targets)))
    lost_errors = (_ray.exceptions.RayActorError, _ray.exceptions.GetTimeoutError)

    def run(size: int, model: bytes, chosen: dict[str, Any]) -> tuple[bytes, History]:
        reducer = _ray.remote(Reducer).options(num_cpus=0).remote(size, timeout)
        actors = [_ray.remote(_Worker).options(num_cpus=0).remote() for _ in range(size)]
        x, y = _ray.get(data)
        results = [actor.train.remote(reducer, 2 * timeout, rank, size, model, x, y, chosen)
                   for rank, actor in enumerate(actors)]
        try:
            waiting, errors = list(results), []
            while waiting:
                (ended,), waiting = _ray.wait(waiting)
                try:
                    _ray.get(ended)
                except lost_errors:
                    left = size - 1
                    raise _restarting.Lost(left, _ray.get(reducer.checkpoint.remote())) from None
                except Exception as error:
                    errors.append(error)
            if errors:
                raise next((each for each in errors if "WorkerError" not in str(type(each))), errors[0])
            result: tuple[bytes, History] = _ray.get(results[0])
            return result
        finally:
            for actor in [*actors, reducer]:
                _ray.kill(actor)

    return _restarting.fit(network, workers, retries, run, arguments)
