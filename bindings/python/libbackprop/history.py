"""The course of a fit."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .trainer import FitResult

__all__ = ["History"]

_Numbers = NDArray[np.float64]


class History:
    """The course of `Network.fit`, one element of each array for each finished epoch.

    With restarts, it is the course of the restart that gave the weights. Losses are means per row.

    Examples
    --------
    >>> import libbackprop as bp
    >>> network = bp.Network([1, 1], activation=[], output="identity", loss="squared_error", gradient_reduction="mean")
    >>> history = network.fit([[0], [1]], [1, 3], epochs=200, batch_size=2, learning_rate=0.5)
    >>> history.end, history.epochs, len(history.loss), bool(history.loss[-1] < 1e-6)
    ('complete', 200, 200, True)
    """

    epoch: NDArray[np.int64]  # the numbers of the epochs, from 1; of a resumed fit, those since it was resumed
    loss: _Numbers  # of the training rows
    validation_loss: _Numbers  # NaN without validation rows
    learning_rate: _Numbers  # of the epoch's last step
    best_epoch: int  # the epoch with the best loss, from 1; 0 if no epoch was finished
    # Of the weights that the network now has, which are the best ones or those after the last epoch, as the option keep says: of
    # the validation rows if any, else of the training rows
    best_loss: float
    end: str  # "complete", "patience", "target_loss", "time_limit", "stopped", "cancelled" or "interrupted" (Ctrl-C)
    restart: int  # the restart that gave the weights, from 0
    result: FitResult  # what Trainer.fit returns, with the reports of all restarts

    def __init__(self, result: FitResult, interrupted: bool = False) -> None:
        reports = [each for each in result.history if each.restart == result.restart]

        def column(name: str, dtype: Any = np.float64) -> Any:
            return np.array([getattr(each, name) for each in reports], dtype)

        self.epoch, self.loss, self.validation_loss = column("epoch", np.int64), column("loss"), column("validation_loss")
        self.learning_rate = column("learning_rate")
        self.best_epoch, self.best_loss, self.restart = result.best_epoch, result.loss, result.restart
        self.end = "interrupted" if interrupted else result.end
        self.result = result

    @property
    def epochs(self) -> int:
        """The number of finished epochs."""
        return self.result.epochs

    def plot(self, *, ax: Optional[Axes] = None) -> Axes:
        """Draws the learning curves. See `libbackprop.plot.learning_curves`."""
        from .plot import learning_curves

        return learning_curves(self, ax=ax)

    def __repr__(self) -> str:
        return (f"<{type(self).__name__} {self.epochs} epochs, end {self.end!r}, best epoch {self.best_epoch}, "
                f"loss {self.best_loss:.4g}>")
