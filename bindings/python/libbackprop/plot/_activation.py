"""An activation and its derivative."""
from __future__ import annotations

from typing import TYPE_CHECKING, Optional, Union

import numpy as np
from numpy.typing import NDArray

from .. import activation as activations
from ..activation import Activation
from ..errors import UnsupportedError
from ..network import Network
from ._axes import BLUE, GREY, ORANGE, axes_or_new, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["activation"]


def activation(activation: Union[str, Activation], *, limits: tuple[float, float] = (-5, 5),
               ax: Optional[Axes] = None) -> Axes:
    """Draws an activation and its derivative. Vertical lines mark the kinks and jumps that `bp.activation.examine` finds.

    The function and the derivative are those of a layer of one unit, so that "softmax" is the constant 1.

    Parameters
    ----------
    activation : name or activation
    limits : pair of float
        The first and the last z.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> import libbackprop as bp
    >>> axes = bp.plot.activation("relu")
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['relu', 'derivative', 'kink at 0']
    """
    low, high = map(float, limits)
    if not low < high:
        raise ValueError(f"limits: expected two increasing numbers, got {limits}")
    unit = Network([1, 1])
    unit.set_activation(1, activation)
    unit.parameters = [1, 0]
    z = np.linspace(low, high, 801)
    ax = axes_or_new(ax, 5.2, 3.6)
    plain(ax)
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.plot(z, _between_jumps(z, unit.predict(z[:, np.newaxis])[:, 0]), color=BLUE, linewidth=2,
            label=getattr(activation, "name", activation))
    ax.plot(z, _between_jumps(z, _slopes(unit, z)), color=ORANGE, linewidth=1.5, label="derivative")
    kinks = _kinks(unit, activation, z)
    for kink in kinks:
        ax.axvline(kink, color=GREY, linestyle=":", linewidth=1.2)
    if kinks:
        ax.lines[-1].set_label(f"kink{'s' * (len(kinks) > 1)} at {', '.join(f'{kink:.3g}' for kink in kinks[:4])}"
                               + (", ..." if len(kinks) > 4 else ""))
    ax.set_xlabel("z")
    ax.set_xlim(low, high)
    ax.legend(framealpha=0.9, edgecolor="none")
    return ax


def _slopes(unit: Network, z: NDArray[np.float64]) -> NDArray[np.float32]:
    return unit.input_jacobian(z[:, np.newaxis])[:, 0, 0]


def _between_jumps(z: NDArray[np.float64], values: NDArray[np.float32]) -> NDArray[np.float64]:
    """The values with NaN where they jump, so that the line has a gap there."""
    shown = values.astype(float)
    steps = np.abs(np.diff(shown))
    shown[1:][steps > 0.2 * max(1e-9, float(np.ptp(shown)))] = np.nan
    return shown


def _kinks(unit: Network, activation: Union[str, Activation], z: NDArray[np.float64]) -> list[float]:
    """The places between the first and the last z at which the derivative or the function jumps."""
    try:
        if not activations.examine(activation).kinks:
            return []
    except UnsupportedError:  # "sign"
        return [0.0]
    left, right = z[:-1].copy(), z[1:].copy()
    before = np.abs(_slopes(unit, right) - _slopes(unit, left))
    there = before > 0.02
    left, right, before = left[there], right[there], before[there]
    for _ in range(12):  # halves each interval, and keeps the half in which the derivative changes more
        middle = (left + right) / 2
        slopes = [_slopes(unit, each) for each in (left, middle, right)]
        first = np.abs(slopes[1] - slopes[0]) >= np.abs(slopes[2] - slopes[1])
        left, right = np.where(first, left, middle), np.where(first, middle, right)
    after = np.abs(_slopes(unit, right) - _slopes(unit, left))
    found = ((left + right) / 2)[after > 0.5 * before]
    return sorted({round(float(each), 3) + 0.0 for each in found})
