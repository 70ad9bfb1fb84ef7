"""State dictionaries of other programs, as NumPy arrays: tensors under any names become those of a network."""
from pathlib import Path

import numpy as np
import pytest

import libbackprop as bp
from libbackprop import _states

EXPORTED = dict(np.load(Path(__file__).resolve().parents[3] / "Tests" / "Fixtures" / "exported.npz"))


def state_of(name):
    prefix = f"state/{name}/"
    return {key[len(prefix):]: array for key, array in EXPORTED.items() if key.startswith(prefix)}


def network_for(activation):
    """The network of make_exported.py; its second batch normalization, after an activation, has no counterpart."""
    network = bp.Network([4, 5, 5, 3], seed=1)
    for layer, name in enumerate((activation, activation, "softmax"), 1):
        network.set_activation(layer, name)
    network.set_batchnorm(1)
    return network


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_predictions_with_a_state_dictionary_of_pytorch_are_those_of_pytorch(activation):
    state, network = state_of(activation), network_for(activation)
    factor = state["7.weight"] / np.sqrt(state["7.running_var"] + 1e-5)  # folds the second batch normalization
    state["8.bias"] += state["8.weight"] @ (state["7.bias"] - state["7.running_mean"] * factor)
    state["8.weight"] = state["8.weight"] * factor
    expected = EXPORTED[f"outputs/script_{activation}"]
    mapping = {"layers.1": "1", "layers.1.norm": "2", "layers.2": "5", "layers.3": "8"}
    _states.read(network, state, mapping)
    assert np.allclose(network.predict(EXPORTED["x"]), expected, atol=1e-5)
    in_order = network_for(activation)
    _states.read(in_order, {key: array for key, array in state.items() if not key.startswith("7.")}, None)
    assert (in_order.predict(EXPORTED["x"]) == network.predict(EXPORTED["x"])).all()
    written = _states.write(network, mapping)
    assert all((written[key] == state[key].astype(np.float32)).all() for key in written if key != "5.bias")
    assert (written["5.bias"] == 0).all()  # PyTorch's layer has no bias


def test_a_mapping_names_layers_or_single_tensors_and_the_longest_one_counts():
    network = bp.Network([2, 3, 1], seed=1)
    names = _states.names_in(network, {"layers.1": "body.fc", "layers.2": "head", "layers.2.weight": "head.kernel"})
    assert names == {"layers.1.weight": "body.fc.weight", "layers.1.bias": "body.fc.bias", "layers.2.weight": "head.kernel",
                     "layers.2.bias": "head.bias"}


def test_names_of_the_network_need_no_mapping_and_no_order():
    network, other = bp.Network([2, 3, 1], seed=1), bp.Network([2, 3, 1], seed=2)
    _states.read(other, dict(reversed(list(network.tensors.items()))), None)
    assert (other.parameters == network.parameters).all()


BOTH = {"layers.1": "a", "layers.2": "b"}


@pytest.mark.parametrize("change, mapping, message", [
    ({"a.weight": np.ones((3, 3))}, BOTH, r"'a.weight' has shape \(3, 3\), 'layers.1.weight' of the network \(3, 2\)"),
    ({"b.weight": None}, BOTH, "no 'b.weight'; it has 'a.weight'"),
    ({}, {"layers.3": "a"}, "mapping: 'layers.3' is no tensor or layer of the network; its tensors are layers.1.weight"),
    ({"b.weight": None}, None, "has 1 weight matrices, the network has 2: use a mapping"),
    ({"b.weight": np.full((1, 3), np.nan)}, None, "NaN|nan|finite"),
    ({"b.weight": np.array([["a", "b", "c"]])}, None, "numbers"),
])
def test_a_wrong_state_dictionary_is_refused_and_changes_nothing(change, mapping, message):
    network = bp.Network([2, 3, 1], seed=1)
    state = {"a.weight": np.ones((3, 2)), "a.bias": np.ones(3), "b.weight": np.ones((1, 3)), "b.bias": np.ones(1)}
    state = {key: value for key, value in {**state, **change}.items() if value is not None}
    before = network.to_bytes()
    with pytest.raises((ValueError, TypeError, bp.NotFiniteError), match=message):
        _states.read(network, state, mapping)
    assert network.to_bytes() == before
