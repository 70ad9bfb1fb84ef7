"""Pictures of weights."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

import numpy as np
from numpy.typing import NDArray

from ..network import Network
from ._axes import BLUE, GREY, ORANGE, axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["diagram", "weight_images"]


def weight_images(network: Network, *, shape: Optional[tuple[int, int]] = None, units: int = 64,
                  ax: Optional[Axes] = None) -> Axes:
    """Draws the weights of the units of layer 1 as images, side by side. Blue is negative, red is positive.

    Each image has its own scale. 0 is white.

    Parameters
    ----------
    network : Network
    shape : (height, width), optional
        The shape of an image. None for a square.
    units : int
        The largest number of units to draw.
    ax : Axes, optional

    Returns
    -------
    Axes, whose first image holds all images

    Examples
    --------
    >>> import libbackprop as bp
    >>> axes = bp.plot.weight_images(bp.Network([64, 6, 10]))
    >>> axes.get_title()
    'weights of 6 units of layer 1'
    """
    weight = Network._checked(network).layers[1].weight[:units].astype(float)
    inputs = weight.shape[1]
    if shape is None:
        side = int(np.sqrt(inputs))
        shape = side, side
    height, width = shape
    if height * width != inputs:
        raise ValueError(f"shape: expected height x width = {inputs}, the number of inputs, got {height} x {width}")
    fewest = int(np.ceil(np.sqrt(len(weight) * height / width)))
    columns = min(range(fewest, 2 * fewest), key=lambda each: (-len(weight) % each, each))  # few empty places
    rows = -(-len(weight) // columns)
    picture = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan)  # with lines of one pixel between images
    for unit, image in enumerate(weight):
        row, column = divmod(unit, columns)
        top, left = row * (height + 1), column * (width + 1)
        picture[top:top + height, left:left + width] = image.reshape(height, width) / max(1e-12, np.abs(image).max())
    size = 5.0
    ax = axes_or_new(ax, size, size * picture.shape[0] / picture.shape[1] + 0.4)
    from matplotlib import colormaps

    ax.imshow(picture, cmap=colormaps["RdBu_r"].with_extremes(bad="#cbd5e0"), vmin=-1, vmax=1, interpolation="nearest")
    ax.set_axis_off()
    of = f" of {network._layers[1]}" if len(weight) < network._layers[1] else ""
    ax.set_title(f"weights of {len(weight)}{of} units of layer 1", fontsize="medium")
    return ax


def diagram(network: Network, *, units: int = 12, ax: Optional[Axes] = None) -> Axes:
    """Draws the units as circles and the weights as lines: wider for a larger size, blue if positive, orange if negative.

    Parameters
    ----------
    network : Network
    units : int
        The largest number of units of a layer to draw. The others are left out, and dots show where.
    ax : Axes, optional

    Returns
    -------
    Axes, with one collection of lines for each layer with weights

    Examples
    --------
    >>> import libbackprop as bp
    >>> axes = bp.plot.diagram(bp.Network([2, 3, 1]))
    >>> [len(lines.get_segments()) for lines in axes.collections]
    [6, 3]
    """
    sizes = Network._checked(network)._layers
    ax = axes_or_new(ax, max(4.0, 2.0 * len(sizes)), 4.2)
    from matplotlib.collections import LineCollection

    shown = [_places(size, units) for size in sizes]
    for index in range(1, len(sizes)):
        weight = network.layers[index].weight
        (sources, heights), (sinks, tops) = shown[index - 1], shown[index]
        drawn = weight[np.ix_(sinks, sources)].astype(float)
        lines = [[(index - 1, start), (index, end)] for end in tops for start in heights]
        strength = (np.abs(drawn) / max(1e-12, np.abs(drawn).max())).ravel()
        colours: Any = [BLUE if each >= 0 else ORANGE for each in drawn.ravel()]
        ax.add_collection(LineCollection(lines, linewidths=0.2 + 3 * strength, colors=colours, alpha=0.7, zorder=1))
    for index, (_, heights) in enumerate(shown):
        ax.plot([index] * len(heights), heights, "o", markersize=13, markerfacecolor="white", markeredgecolor="black",
                zorder=2)
        if len(heights) < sizes[index]:
            middle = (heights[-2] + heights[-1]) / 2
            ax.plot([index] * 3, middle + np.array([-0.2, 0, 0.2]), "o", markersize=2.5, color="black", zorder=2)
        name = "inputs" if index == 0 else network.layers[index].activation
        ax.annotate(f"{name}\n{sizes[index]}", (index, min(heights)), (0, -14), textcoords="offset points", ha="center",
                    va="top", color=GREY if index == 0 else "black")
    if network.classes is not None and sizes[-1] > 1:
        for unit, height in zip(*shown[-1]):
            ax.annotate(str(network.classes[unit]), (len(sizes) - 1, height), (12, 0), textcoords="offset points", va="center")
    ax.set_title("weights: blue positive, orange negative", fontsize="small", color=GREY)
    ax.set_xlim(-0.5, len(sizes) - 0.5)
    ax.margins(y=0.12)
    ax.autoscale_view(scalex=False)
    ax.set_axis_off()
    return ax


def _places(size: int, most: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The units to draw and their heights, from the top. If some are left out, the last one is below a gap."""
    if size <= most:
        return np.arange(size), (size - 1) / 2 - np.arange(size)
    units = np.append(np.arange(most - 1), size - 1)
    steps = np.arange(most) + (np.arange(most) == most - 1)
    return units, most / 2 - steps.astype(float)
