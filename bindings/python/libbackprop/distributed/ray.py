"""Fits by actors of Ray, which are started again when some are lost. Needs the extra "ray"."""
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

_ray = required("ray", "ray")


class _Worker:
    def train(self, reducer: Any, timeout: float, *work: Any) -> tuple[bytes, History]:
        def call(method: str, *arguments: Any) -> Any:
            return _ray.get(getattr(reducer, method).remote(*arguments), timeout=timeout)

        return _restarting.train(call, *work)


def fit(network: Network, inputs: ArrayLike, targets: Any, *, workers: int, timeout: float = 60, retries: int = 3,
        setup: Optional[Callable[[int], Any]] = None, **arguments: Any) -> History:
    """Network.fit by actors of Ray, each of which trains on its share of each minibatch. The result is that of one process,
    except for rounding.

    workers: the number of actors. timeout: seconds that an actor waits for the others. retries: how many times the fit is
    continued, from its latest epoch, with the actors that are left when some are lost, or do not answer in time. setup: called
    in each actor with its rank, to register activations and losses, for example. arguments: those of Network.fit; a progress
    function is called in the actor of rank 0. Call ray.init first if it needs arguments. RuntimeError if too many actors are
    lost. The error of an actor is a RayTaskError, which is also of the class of its cause.

    Examples
    --------
    >>> history = fit(network, x, y, workers=4, epochs=20)  # doctest: +SKIP
    """
    x, y = _ray.put(np.asarray(inputs)), _ray.put(np.asarray(targets))

    def run(size: int, model: bytes, chosen: dict[str, Any]) -> tuple[bytes, History]:
        reducer = _ray.remote(Reducer).options(num_cpus=0).remote(size, timeout)
        actors = [_ray.remote(_Worker).options(num_cpus=0).remote() for _ in range(size)]
        try:
            results = [actor.train.remote(reducer, 2 * timeout, rank, size, setup, model, x, y, chosen)
                       for rank, actor in enumerate(actors)]
            _ray.wait(results)  # when one has ended, the others do within the time that they wait for it
            ended, lost = _ray.wait(results, num_returns=size, timeout=2 * timeout)
            errors = []
            for result in ended:
                try:
                    _ray.get(result)
                except _ray.exceptions.RayTaskError as error:
                    errors.append(error)
                except _ray.exceptions.RayActorError:
                    lost.append(result)
            _restarting.check(errors, len(lost), size - len(lost),
                              lambda: _ray.get(reducer.checkpoint.remote(), timeout=timeout))
            trained: tuple[bytes, History] = _ray.get(results[0])
            return trained
        finally:
            for actor in [*actors, reducer]:
                _ray.kill(actor)

    return _restarting.fit(network, workers, retries, run, arguments)
