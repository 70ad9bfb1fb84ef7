"""Trainings by all processes of a communicator."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, Optional, SupportsFloat, TypeVar, Union

import numpy as np
from numpy.typing import ArrayLike

from .._arguments import Path
from .._progress import displayed
from .._stream import Batches
from ..history import History
from ..network import Network
from ..trainer import FitResult, Progress, Trainer
from ._communicator import Communicator, communicator, together, total
from ._score import score

__all__ = ["DataParallel", "sweep"]

_Candidate = TypeVar("_Candidate")


class DataParallel:
    """A network that the processes of a communicator train together, each with its part of the rows.

        parallel = DataParallel(network, MPI.COMM_WORLD)
        parallel.network.train_minibatch(my_inputs, my_targets, 0.1)

    All processes create it at the same time. All then have the network of rank 0, whose custom activations and loss must be
    registered in each process. Its training calls, and those of this class, must be made by all processes: see
    Network.set_all_reduce.

    overlap: whether the gradients of a network of more than a million weights are exchanged while the others are computed. With
    MPI, with torch.distributed, and with a communicator that has start and finish. All processes must pass the same.

    Examples
    --------
    >>> from libbackprop.distributed import Communicator, DataParallel
    >>> parallel = DataParallel(bp.Network([1, 1], output="identity", seed=1), Communicator())  # one process
    >>> history = parallel.fit([[0], [1], [2]], [1, 3, 5], epochs=500, learning_rate=0.1)
    >>> parallel.network.parameters.round(2).tolist()
    [2.0, 1.0]
    """

    network: Network  # of this process
    comm: Communicator

    def __init__(self, network: Network, comm: Any, *, overlap: bool = False) -> None:
        self.network, self.comm = network, communicator(comm)
        if overlap and type(self.comm).start is Communicator.start and type(self.comm) is not Communicator:
            raise TypeError(f"overlap: expected a communicator with start and finish, got {type(self.comm).__name__}")
        _share(network, self.comm)
        network.set_all_reduce(self.comm.all_reduce, self.comm.rank, self.comm.size, start=self.comm.start if overlap else None,
                               finish=self.comm.finish if overlap else None)

    def close(self) -> None:
        """Ends the connection: the network of this process then trains alone.

        Examples
        --------
        >>> from libbackprop.distributed import Communicator, DataParallel
        >>> DataParallel(bp.Network([1, 1]), Communicator()).close()
        """
        self.network.set_all_reduce(None)

    def __enter__(self) -> DataParallel:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def fit(self, inputs: ArrayLike, targets: Any, **arguments: Any) -> History:
        """Network.fit of all processes. With the option shared_rows, 1 by default, all pass the same rows. With 0, each passes
        its own rows, and its own batch_size. progress=True shows the progress on rank 0.

        Examples
        --------
        >>> from libbackprop.distributed import Communicator, DataParallel
        >>> DataParallel(bp.Network([1, 1]), Communicator()).fit([[0], [1]], [0, 1], epochs=2).epochs
        2
        """
        if arguments.get("progress") is True and self.comm.rank:
            arguments["progress"] = False
        return self.network.fit(inputs, targets, **{"shared_rows": 1, **arguments})

    def fit_stream(self, batches: Batches, *, validation: Optional[tuple[ArrayLike, ArrayLike]] = None,
                   progress: Union[bool, Callable[[Progress], Any], None] = None,
                   **options: Union[SupportsFloat, str]) -> FitResult:
        """Trainer.fit_stream of all processes, with options of a trainer. Each process passes its own batches, such as those of
        its own files, and its own batch_size. progress=True shows the progress on rank 0.

        Examples
        --------
        >>> from libbackprop.distributed import Communicator, DataParallel
        >>> parallel = DataParallel(bp.Network([1, 1]), Communicator())
        >>> parallel.fit_stream([([[0], [1]], [0, 1])], epochs=2).epochs
        2
        """
        with self.network._refusing():
            trainer = Trainer(**options)
        with displayed(None if progress is True and self.comm.rank else progress) as seen:
            return trainer.fit_stream(self.network, batches, validation=validation, progress=seen)

    def evaluate(self, inputs: ArrayLike, targets: ArrayLike, *, sample_weight: Optional[ArrayLike] = None) -> float:
        """The loss of the predictions for the rows of all processes, each of which passes its own ones. They may be none.

        Examples
        --------
        >>> from libbackprop.distributed import Communicator, DataParallel
        >>> parallel = DataParallel(bp.Network([1, 1], output="identity"), Communicator())
        >>> parallel.network.parameters = [1, 0]
        >>> parallel.evaluate([[1], [2]], [1, 4])
        2.0
        """
        def own() -> tuple[float, int, int]:
            rows = len(np.asarray(inputs))
            if not rows:
                return 0, 0, 0
            loss = self.network.evaluate(inputs, targets, sample_weight=sample_weight)
            # A mean divides by the number of rows, also with weights.
            return (loss, rows, 0) if self.network.get_option("gradient_reduction") == "sum" else (loss * rows, rows, rows)

        loss, rows, divisor = total(self.comm, *together(self.comm, own))
        if not rows:
            raise ValueError("inputs: expected rows on at least one process")
        return float(loss / (divisor or 1))

    def score(self, inputs: ArrayLike, targets: ArrayLike, measure: Optional[str] = None, *,
              sample_weight: Optional[ArrayLike] = None) -> float:
        """Network.score of the rows of all processes, each of which passes its own ones. They may be none. All pass the same
        measure.

        Examples
        --------
        >>> from libbackprop.distributed import Communicator, DataParallel
        >>> parallel = DataParallel(bp.Network([1, 2], loss="cross_entropy"), Communicator())
        >>> parallel.network.parameters = [-1, 1, 0, 0]
        >>> parallel.score([[1], [2], [3]], [1, 1, 0]) == 2 / 3
        True
        """
        return score(self.network, self.comm, inputs, targets, measure, sample_weight)

    def save(self, path: Path) -> None:
        """Writes the network to a file, on rank 0, while the others wait. If this fails, the others raise WorkerError.

        Examples
        --------
        >>> from libbackprop.distributed import Communicator, DataParallel
        >>> DataParallel(bp.Network([1, 1]), Communicator()).save("model.safetensors")
        """
        together(self.comm, lambda: None if self.comm.rank else self.network.save(path))


def _share(network: Network, comm: Communicator) -> None:
    """Gives all processes the network of rank 0."""
    data = comm.broadcast(together(comm, lambda: b"" if comm.rank else Network._checked(network).to_bytes()))
    together(comm, lambda: Network._checked(network)._become(data) if comm.rank else None)


def sweep(candidates: Sequence[_Candidate], train: Callable[[_Candidate], tuple[Network, float]], comm: Any
          ) -> tuple[Network, float, int]:
    """Trains a network for each candidate, spread over the processes, and returns the best one on all of them.

    candidates: the same on all processes: seeds for restarts, or settings. train: a function of a candidate that returns a
    network, which trains alone, and its loss. An exception of it is raised on its process, and the others raise WorkerError.
    Returns the network with the lowest loss, this loss and the index of its candidate, the first one of several. A loss of
    NaN never is the best, unless all are.

    Examples
    --------
    >>> from libbackprop.distributed import Communicator, sweep
    >>> x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> def train(seed):
    ...     network = bp.Network([2, 3, 1], activation="tanh", output="logistic", seed=seed)
    ...     return network, network.fit(x, y, epochs=300, learning_rate=0.5, seed=seed).best_loss
    >>> network, loss, index = sweep(range(5), train, Communicator())
    >>> network.layers
    (2, 3, 1)
    """
    engine = communicator(comm)
    if not len(candidates):
        raise ValueError("candidates: expected 1 or more, got none")
    losses = np.zeros(len(candidates))
    networks: dict[int, Network] = {}

    def own() -> None:
        for index in range(engine.rank, len(candidates), engine.size):
            network, losses[index] = train(candidates[index])
            if np.isnan(losses[index]):
                losses[index] = np.inf
            networks[index] = Network._checked(network)
            if len(networks) > 1:  # keeps the best one
                del networks[max(networks, key=lambda each: (losses[each], each))]

    together(engine, own)
    engine.all_reduce(losses, "sum")
    best = int(np.argmin(losses))
    owner = best % engine.size
    data = engine.broadcast(networks[best].to_bytes() if engine.rank == owner else b"", owner)
    network = networks[best] if engine.rank == owner else Network.from_bytes(data)
    return network, float(losses[best]), best
