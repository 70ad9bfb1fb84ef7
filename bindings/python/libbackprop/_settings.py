"""The settings that the constructor of a network accepts."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Callable, NoReturn, Optional, SupportsFloat, Union

from . import _call, _library, activation as activations, option
from .activation import Activation
from .errors import Status, UnknownNameError
from .losses import Loss

__all__ = ["Activations", "apply"]

Activations = Union[str, Activation, Iterable[Union[str, Activation]]]

_OUTPUTS = {"cross_entropy": "softmax", "binary_cross_entropy": "logistic", "poisson": "softplus"}  # by the loss
_LOSSES = {output: loss for loss, output in _OUTPUTS.items()}


def apply(network: Any, activation: Optional[Activations], output: Union[str, Activation, None],
          loss: Union[str, Loss, None], batchnorm: Union[bool, Iterable[bool]],
          dropout: Union[SupportsFloat, Iterable[SupportsFloat]], optimizer: Optional[str],
          options: Mapping[str, Union[SupportsFloat, str]]) -> None:
    """Sets the settings of a new network. `Network` describes them."""
    hidden = len(network._layers) - 2
    if output is None and loss is not None:
        output = _OUTPUTS.get(_name(loss), "identity")
    elif loss is None and output is not None:
        loss = _LOSSES.get(_name(output))
    if activation is not None:
        for layer, each in enumerate(_per_layer(activation, hidden, "activation", (str, Activation)), start=1):
            _named(partial(network.set_activation, layer), each, "activation", activations.names)
    if output is not None:
        _named(partial(network.set_activation, hidden + 1), output, "activation", activations.names)
    if loss is not None:
        _named(network.set_loss, loss, "loss", lambda: _call.texts_of(_library.library.bp_loss_name))
    for layer, enabled in enumerate(_per_layer(batchnorm, hidden, "batchnorm", (bool, int)), start=1):
        if enabled:
            network.set_batchnorm(layer)
    for layer, rate in enumerate(_per_layer(dropout, hidden, "dropout", (str, SupportsFloat)), start=1):
        network.set_dropout(layer, rate)
    if optimizer is not None:
        _named(network.set_optimizer, optimizer, "optimizer", lambda: _call.texts_of(_library.library.bp_optimizer_name))
    known = [each.name for each in option.options() if each.owner == "network"]
    for name, value in options.items():
        if name not in known:
            _refuse("option", name, [*known, "activation", "output", "loss", "batchnorm", "dropout", "optimizer", "seed"])
        network.set_option(name, value)


def _per_layer(values: Any, layers: int, what: str, single: Any) -> list[Any]:
    """One value for each hidden layer, from one value or a sequence."""
    if isinstance(values, single):
        return [values] * layers
    found = list(values)
    if len(found) != layers:
        raise ValueError(f"{what}: expected one value, or one for each of the {layers} hidden layers, got {len(found)}")
    return found


def _named(apply: Callable[[Any], Any], name: Any, noun: str, names: Callable[[], list[str]]) -> None:
    """Applies a named setting. UnknownNameError with all names for a wrong one."""
    try:
        apply(name)
    except UnknownNameError:
        _refuse(noun, _name(name), names())


def _name(named: Any) -> str:
    name: str = getattr(named, "name", named)
    return name


def _refuse(noun: str, name: str, names: list[str]) -> NoReturn:
    import difflib  # here, because it takes long to import

    close = difflib.get_close_matches(name, names, 1)
    hint = f'did you mean "{close[0]}"? ' if close else ""
    raise UnknownNameError(f'no {noun} is named "{name}": {hint}The names are {", ".join(names)}',
                           Status.ERROR_UNKNOWN_NAME) from None
