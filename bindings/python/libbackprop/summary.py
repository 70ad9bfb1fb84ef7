"""A table of a network's layers and settings."""
from __future__ import annotations

from typing import Any

__all__ = ["Summary", "summary"]


class Summary(str):
    """A text that a notebook and the interactive interpreter show as it is, without quotes.

    Examples
    --------
    >>> import libbackprop as bp
    >>> isinstance(bp.Network([2, 3, 1]).summary(), bp.Summary)
    True
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def summary(network: Any) -> Summary:
    """The table of a network. `Network.summary` describes it."""
    titles = ("layer", "units", "activation", "batchnorm", "dropout", "trainable", "parameters")
    rows = [titles, ("0", f"{network._layers[0]:,}", "(inputs)", "", "", "", "")]
    total = 0
    for index, layer in enumerate(network.layers[1:], start=1):
        batchnorm = layer.batchnorm
        parameters = layer * (network._layers[index - 1] + 1 + 2 * batchnorm)
        total += parameters
        rows.append((f"{index}", f"{layer:,}", layer.activation, "yes" if batchnorm else "", f"{layer.dropout or '':.4}",
                     "yes" if layer.trainable else "frozen", f"{parameters:,}"))
    widths = [max(map(len, column)) for column in zip(*rows)]
    numeric = {"units", "dropout", "parameters"}
    lines = ["  ".join(cell.rjust(width) if title in numeric else cell.ljust(width)
                       for cell, width, title in zip(row, widths, titles)).rstrip() for row in rows]
    lines.insert(1, "-" * max(map(len, lines)))
    lines.append(lines[1])
    scaling, classes = network.scaling, network.classes
    lines.append(f"{total:,} parameters, loss {network.loss}, optimizer {network.optimizer}, {network.step_count:,} steps")
    if scaling != ("none", "none"):
        lines.append(f"scaling of inputs: {scaling.inputs}; of targets: {scaling.targets}")
    if classes is not None:
        shown = ", ".join(map(str, classes[:12])) + (", ..." if len(classes) > 12 else "")
        lines.append(f"{len(classes)} classes: {shown}")
    return Summary("\n".join(lines))
