"""The settings that the constructor of a network accepts."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Callable, Optional, SupportsFloat, Union

from . import _call, _library, activation as activations, option
from .activation import Activation
from .errors import UnknownNameError
from .losses import Loss

__all__ = ["Activations", "apply"]

Activations = Union[str, Activation, Iterable[Union[str, Activation]]]

_OUTPUTS = {"cross_entropy": "softmax", "binary_cross_entropy": "logistic", "poisson": "softplus"}  # by the loss
_LOSSES = {output: loss for loss, output in _OUTPUTS.items()}
_SINGLE = {"activation": "the name of an activation or a registered one", "batchnorm": "a bool", "dropout": "a number"}


def apply(network: Any, activation: Optional[Activations], output: Union[str, Activation, None],
          loss: Union[str, Loss, None], batchnorm: Union[bool, Iterable[bool]],
          dropout: Union[SupportsFloat, Iterable[SupportsFloat]], optimizer: Optional[str],
          options: Mapping[str, Union[SupportsFloat, str]]) -> None:
    """Sets the settings of a new network. `Network` describes them."""
    from .network import Network  # imports this module

    hidden = len(network._layers) - 2
    deep = network if hidden else Network((1, 1, 1))  # checks the settings of hidden layers for a network that has none
    if output is None and loss is not None:
        output = _OUTPUTS.get(_name(loss), "identity")
    elif loss is None and output is not None:
        loss = _LOSSES.get(_name(output))
    if activation is not None:
        for layer, each in enumerate(_per_layer(activation, hidden, "activation", (str, Activation)), start=1):
            _named(partial(deep.set_activation, layer), each, activations.names)
    if output is not None:
        _named(partial(network.set_activation, hidden + 1), output, activations.names)
    if loss is not None:
        _named(network.set_loss, loss, lambda: _call.texts_of(_library.library.bp_loss_name))
    for layer, enabled in enumerate(_per_layer(batchnorm, hidden, "batchnorm", (bool, int)), start=1):
        if enabled:
            deep.set_batchnorm(layer, enabled)
    for layer, rate in enumerate(_per_layer(dropout, hidden, "dropout", SupportsFloat), start=1):
        deep.set_dropout(layer, rate)
    if optimizer is not None:
        network.set_optimizer(optimizer)
    for name, value in options.items():
        _named(partial(network.set_option, value=value), name, _option_names)


def _per_layer(values: Any, layers: int, what: str, single: Any) -> list[Any]:
    """One value for each hidden layer, from one value or a sequence. One value also if there is no hidden layer."""
    if isinstance(values, single):
        return [values] * max(1, layers)
    iterable = isinstance(values, Iterable) and not isinstance(values, str)
    found = list(values) if iterable else []
    if not iterable or len(found) != layers:
        raise (ValueError if iterable else TypeError)(
            f"{what}: expected {_SINGLE[what]}, or one for each of the {layers} hidden layers, "
            f"got {len(found) if iterable else type(values).__name__}")
    return found


def _named(apply: Callable[[Any], Any], name: Any, names: Callable[[], list[str]]) -> None:
    """Applies a named setting. UnknownNameError with all names for a wrong one."""
    try:
        apply(name)
    except UnknownNameError as error:
        raise UnknownNameError(f"{error}: {', '.join(names())}", error.status) from None


def _option_names() -> list[str]:
    return ["activation", "output", "loss", "batchnorm", "dropout", "optimizer", "seed",
            *(each.name for each in option.options() if each.owner == "network")]


def _name(named: Any) -> str:
    name: str = getattr(named, "name", named)
    return name
