"""What all pictures share: new axes, and colours."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from .._extras import required

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BLUE", "GREY", "ORANGE", "axes_or_new", "new_axes", "plain"]

BLUE, ORANGE, GREY = "#2b6cb0", "#dd6b20", "#718096"


def new_axes(width: float, height: float, columns: int = 1) -> Any:
    """The axes of a new figure of a size in inches. ImportError without matplotlib."""
    pyplot = required("matplotlib.pyplot", "plot")
    return pyplot.subplots(1, columns, figsize=(width, height), layout="constrained")[1]


def axes_or_new(ax: Optional[Axes], width: float = 5.6, height: float = 3.8) -> Axes:
    """The given axes, or those of a new figure."""
    found: Axes = new_axes(width, height) if ax is None else ax
    return found


def plain(ax: Axes) -> None:
    """Hides the lines above and to the right of the data, and draws a light grid."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(color="#e2e8f0", linewidth=0.8)
    ax.set_axisbelow(True)
