"""Pictures of regression."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

import numpy as np
from numpy.typing import ArrayLike

from ..network import Network
from ._axes import BLUE, GREY, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["predictions"]


def predictions(network: Network, inputs: ArrayLike, targets: ArrayLike, *, output: int = 0,
                ax: Optional[tuple[Axes, Axes]] = None) -> tuple[Axes, Axes]:
    """Draws predicted against true numbers, and the residuals (predicted - true) against predicted numbers.

    Parameters
    ----------
    network : Network
    inputs, targets : arrays, as for Network.fit
    output : int
        The number of the output, from 0.
    ax : pair of Axes, optional

    Returns
    -------
    pair of Axes

    Examples
    --------
    >>> import libbackprop as bp
    >>> network = bp.Network([1, 1], output="identity")
    >>> left, right = bp.plot.predictions(network, [[0], [1]], [0, 2])
    >>> left.get_xlabel(), right.get_ylabel()
    ('true', 'residual')
    """
    found = Network._checked(network).predict(inputs)
    actual = network._targets(targets)
    if found.shape != actual.shape:
        raise ValueError(f"targets: expected shape {found.shape}, got {actual.shape}")
    if not -found.shape[1] <= output < found.shape[1]:
        raise ValueError(f"output: expected 0 to {found.shape[1] - 1}, got {output}")
    x, y = actual[:, output].astype(float), found[:, output].astype(float)
    left, right = new_axes(9, 3.9, columns=2) if ax is None else ax
    for each in (left, right):
        plain(each)
    points: dict[str, Any] = {"s": 16, "color": BLUE, "alpha": 0.6, "edgecolors": "none"}
    left.scatter(x, y, **points)
    ends = [min(x.min(), y.min()), max(x.max(), y.max())]
    left.plot(ends, ends, color=GREY, linewidth=1, linestyle="--", label="predicted = true")
    left.set_xlabel("true")
    left.set_ylabel("predicted")
    spread = ((x - x.mean()) ** 2).sum()
    if spread > 0:
        left.set_title(f"R² = {1 - ((y - x) ** 2).sum() / spread:.3f}", fontsize="medium")
    left.legend(frameon=False, fontsize="small")
    right.scatter(y, y - x, **points)
    right.axhline(0, color=GREY, linewidth=1, linestyle="--")
    right.set_xlabel("predicted")
    right.set_ylabel("residual")
    right.set_title(f"standard deviation {np.std(y - x):.3g}", fontsize="medium")
    return left, right
