"""Pictures of classification."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._arguments import matrix
from ..network import Network
from ._axes import axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["confusion_matrix", "decision_boundary"]


def confusion_matrix(network: Network, inputs: ArrayLike, targets: Any, *, normalize: bool = False,
                     ax: Optional[Axes] = None) -> Axes:
    """Draws the numbers of rows by their true and their predicted class.

    Parameters
    ----------
    network : Network
    inputs, targets : arrays, as for Network.fit
    normalize : bool
        Whether to show the shares of each true class in percent.
    ax : Axes, optional

    Returns
    -------
    Axes, whose first image holds the matrix

    Examples
    --------
    >>> import libbackprop as bp
    >>> network = bp.Network([2, 2], output="softmax")
    >>> network.layers[1].weight = [[1, 0], [0, 1]]
    >>> axes = bp.plot.confusion_matrix(network, [[1, 0], [0, 1], [1, 0]], [0, 1, 1])
    >>> axes.images[0].get_array().tolist()
    [[1, 0], [1, 1]]
    """
    names = _names(Network._checked(network))
    actual = network._class_numbers(network._targets(targets))
    predicted = network._class_numbers(network.predict(inputs))
    if len(actual) != len(predicted):
        raise ValueError(f"targets: expected {len(predicted)} rows, as inputs has, got {len(actual)}")
    counts = np.zeros((len(names), len(names)), np.int64)
    np.add.at(counts, (actual, predicted), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = min(9.0, 2.2 + 0.42 * len(names))
    ax = axes_or_new(ax, size + 0.6, size)
    ax.imshow(100 * shares if normalize else counts, cmap="Blues", vmin=0)
    if len(names) <= 20:
        _write(ax, shares, [[f"{100 * share:.0f}" if normalize else f"{count}" for share, count in zip(*both)]
                            for both in zip(shares, counts)], counts, normalize)
    ax.set_xticks(range(len(names)), names, rotation=45 if max(map(len, names)) > 3 else 0,
                  ha="right" if max(map(len, names)) > 3 else "center")
    ax.set_yticks(range(len(names)), names)
    ax.set_xlabel("predicted class")
    ax.set_ylabel("true class")
    correct = counts.trace() / max(1, counts.sum())
    ax.set_title(f"{100 * correct:.1f} % of {counts.sum():,} rows correct" + (", % of true class" if normalize else ""),
                 fontsize="medium")
    return ax


def _write(ax: Axes, shares: NDArray[np.float64], texts: list[list[str]], counts: NDArray[np.int64], normalize: bool) -> None:
    """Writes the numbers that are not 0, white on dark squares."""
    darkness = shares / max(1e-9, shares.max()) if normalize else counts / max(1, counts.max())
    for row, column in np.argwhere(counts):
        ax.text(column, row, texts[row][column], ha="center", va="center", fontsize="small",
                color="white" if darkness[row, column] > 0.5 else "black")


def decision_boundary(network: Network, inputs: ArrayLike, targets: Any, *, resolution: int = 200,
                      ax: Optional[Axes] = None) -> Axes:
    """Draws the regions of the classes for a network with two inputs, and rows with the colours of their true classes.

    A region is paler where the largest output is closer to the next one.

    Parameters
    ----------
    network : Network with two inputs
    inputs, targets : arrays, as for Network.fit
    resolution : int
        The number of points in each direction.
    ax : Axes, optional

    Returns
    -------
    Axes, with one collection of points for each class that has rows

    Examples
    --------
    >>> import libbackprop as bp
    >>> network = bp.Network([2, 2], output="softmax")
    >>> axes = bp.plot.decision_boundary(network, [[0, 0], [1, 2]], [0, 1])
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['0', '1']
    """
    if Network._checked(network)._layers[0] != 2:
        raise ValueError(f"network: expected 2 inputs, got {network._layers[0]}")
    x, actual, names = matrix(inputs, 2, "inputs"), network._class_numbers(network._targets(targets)), _names(network)
    if len(x) == 0 or len(x) != len(actual):
        raise ValueError(f"targets: expected as many rows as inputs has, 1 or more, got {len(actual)} for {len(x)}")
    ax = axes_or_new(ax, 5.2, 4.4)
    low, high = x.min(axis=0), x.max(axis=0)
    margin = np.where(high > low, 0.08 * (high - low), 0.5)
    low, high = low - margin, high + margin
    first, second = (np.linspace(*ends, resolution, dtype=np.float32) for ends in zip(low, high))
    outputs = network.predict(np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2))
    classes = network._class_numbers(outputs)
    colours = _colours(len(names))
    strength = 0.12 + 0.38 * _certainty(network, outputs)[:, np.newaxis]
    picture = 1 - strength * (1 - colours[classes])
    ax.imshow(picture.reshape(resolution, resolution, 3), extent=(low[0], high[0], low[1], high[1]), origin="lower",
              aspect="auto", interpolation="bilinear")
    for number, name in enumerate(names):
        rows = x[actual == number]
        if len(rows):
            ax.scatter(rows[:, 0], rows[:, 1], s=18, color=colours[number], edgecolors="white", linewidths=0.6, label=name)
    ax.set_xlabel("input 1")
    ax.set_ylabel("input 2")
    ax.legend(title="true class", framealpha=0.85, fontsize="small", title_fontsize="small")
    return ax


def _certainty(network: Network, outputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """How far the chosen class leads, from 0 to 1."""
    if outputs.shape[1] == 1:
        lead = np.abs(outputs[:, 0].astype(float) - network._limit())
    else:
        top = np.partition(outputs.astype(float), -2, axis=1)
        lead = top[:, -1] - top[:, -2]
    return np.asarray(lead / max(float(lead.max()), 1e-9))


def _colours(count: int) -> NDArray[np.float64]:
    """A colour for each class, shape (classes, 3)."""
    from matplotlib import colormaps

    few = colormaps["tab10"] if count <= 10 else colormaps["turbo"]
    places = np.arange(count) if count <= 10 else np.linspace(0.05, 0.95, count)
    return np.asarray(few(places))[:, :3]


def _names(network: Network) -> list[str]:
    """The labels of the classes, or their numbers, as texts."""
    classes = network.classes
    return [str(each) for each in (range(max(2, network._layers[-1])) if classes is None else classes)]
