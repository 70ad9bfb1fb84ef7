"""Learning curves."""
from __future__ import annotations

from typing import TYPE_CHECKING, Optional

import numpy as np

from ._axes import BLUE, GREY, ORANGE, axes_or_new, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..history import History

__all__ = ["learning_curves"]


def learning_curves(history: History, *, ax: Optional[Axes] = None) -> Axes:
    """Draws the loss of each epoch, that of the validation rows if any, and the learning rate if it changes.

    A point marks the best epoch. The scale is logarithmic if the losses span more than a factor of 30.

    Parameters
    ----------
    history : History
        The result of Network.fit.
    ax : Axes, optional

    Returns
    -------
    Axes of the losses

    Examples
    --------
    >>> import libbackprop as bp
    >>> network = bp.Network([1, 4, 1], loss="squared_error")
    >>> history = network.fit([[0], [1], [2]], [0, 1, 4], epochs=5)
    >>> axes = bp.plot.learning_curves(history)
    >>> axes.get_xlabel(), axes.get_ylabel()
    ('epoch', 'loss')
    """
    ax = axes_or_new(ax)
    plain(ax)
    curves = [("training", history.loss, BLUE)]
    if not np.isnan(history.validation_loss).all():
        curves.append(("validation", history.validation_loss, ORANGE))
    for label, losses, colour in curves:
        ax.plot(history.epoch, losses, color=colour, label=label, marker="o" if len(losses) == 1 else "")
    _, judged, colour = curves[-1]
    best = history.epoch == history.best_epoch
    if best.any():
        ax.plot(history.epoch[best], judged[best], "o", color=colour, label=f"best epoch, {history.best_epoch}", clip_on=False)
    drawn = np.concatenate([losses for _, losses, _ in curves])
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) and drawn.min() > 0 and drawn.max() / drawn.min() > 30:
        ax.set_yscale("log")
    ax.set_xlabel("epoch")
    ax.locator_params(axis="x", integer=True, min_n_ticks=1)
    ax.set_ylabel("loss")
    rates = history.learning_rate
    if len(rates) and rates.min() != rates.max():
        right = ax.twinx()
        right.plot(history.epoch, rates, color=GREY, linestyle="--", linewidth=1)
        right.set_ylabel("learning rate (dashed)", color=GREY)
        right.tick_params(axis="y", colors=GREY)
        right.spines[["top"]].set_visible(False)
    ax.legend(frameon=False)
    return ax
