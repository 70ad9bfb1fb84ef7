"""State dictionaries: the tensors of a network under the names of another program."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import numpy as np

from ._arguments import Array
from .network import Network

__all__ = ["names_in", "read", "write"]

_NORM = "running_mean"


def read(network: Network, state: Mapping[str, Any], mapping: Optional[Mapping[str, str]]) -> None:
    """Sets the parameters and running statistics of a network to arrays of a state dictionary. Sets all or none."""
    names = _by_order(network, state) if mapping is None else names_in(network, mapping)
    missing = [theirs for theirs in names.values() if theirs not in state]
    optional = {theirs for ours, theirs in names.items() if ours.endswith(".bias") and ".norm." not in ours}
    refused = [name for name in missing if name not in optional]  # a layer may have no bias
    if refused:
        raise ValueError(f"the state dictionary has no {refused[0]!r}; it has {', '.join(map(repr, list(state)[:20]))}")
    tensors, values = network.tensors, {}
    for ours, theirs in names.items():
        values[ours] = np.asarray(state[theirs]) if theirs in state else np.zeros(tensors[ours].shape)
        if values[ours].shape != tensors[ours].shape:
            raise ValueError(f"{theirs!r} has shape {values[ours].shape}, {ours!r} of the network {tensors[ours].shape}")
    copy = network.clone()
    for ours, array in values.items():
        copy.tensors[ours] = array  # refuses what is not finite
    for ours in values:
        tensors[ours] = copy.tensors[ours]


def write(network: Network, mapping: Optional[Mapping[str, str]]) -> dict[str, Array]:
    """The parameters and running statistics of a network under other names."""
    return {theirs: network.tensors[ours] for ours, theirs in names_in(network, mapping or {}).items()}


def names_in(network: Network, mapping: Mapping[str, str]) -> dict[str, str]:
    """The name in the state dictionary for each tensor: the longest prefix of the mapping is replaced."""
    names = [name for name in network.tensors if name.startswith("layers.")]
    for prefix in mapping:
        if not any(name == prefix or name.startswith(prefix + ".") for name in names):
            raise ValueError(f"mapping: {prefix!r} is no tensor or layer of the network; its tensors are {', '.join(names)}")
    found = {}
    for name in names:
        fitting = [prefix for prefix in mapping if name == prefix or name.startswith(prefix + ".")]
        prefix = max(fitting, key=len, default="")
        found[name] = (mapping[prefix] if prefix else "") + name[len(prefix):]
    return found


def _by_order(network: Network, state: Mapping[str, Any]) -> dict[str, str]:
    """The names for a state dictionary whose layers are in the order of the network's."""
    if all(name in state for name in names_in(network, {}) if not name.endswith(".bias")):
        return names_in(network, {})
    prefixes: dict[str, list[str]] = {"layers": [], "norms": []}
    for name in state:
        prefix, _, part = name.rpartition(".")
        if part == _NORM:
            prefixes["norms"].append(prefix)
        elif part == "weight" and np.ndim(state[name]) == 2:
            prefixes["layers"].append(prefix)
    layers = [f"layers.{layer}" for layer in range(1, len(network.layers))]
    norms = [f"{name}.norm" for name, normalized in zip(layers, network.batchnorm) if normalized]
    for ours, kind, noun in ((layers, "layers", "weight matrices"), (norms, "norms", "batch normalizations")):
        if len(ours) != len(prefixes[kind]):
            raise ValueError(f"the state dictionary has {len(prefixes[kind])} {noun}, the network has {len(ours)}: use a mapping")
    return names_in(network, dict(zip([*layers, *norms], [*prefixes["layers"], *prefixes["norms"]])))
