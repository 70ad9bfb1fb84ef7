"""Reading settings, names and tensors of a network."""
import json
import struct
import threading

import numpy as np
import pytest

import libbackprop as bp


@pytest.fixture
def network(rng):
    """A trained network with non-default settings."""
    network = bp.Network([3, 4, 5, 1], seed=1)
    network.set_activation(1, "tanh")
    network.set_activation(2, "relu")
    network.set_activation(3, "identity")
    network.set_batchnorm(1)
    network.set_optimizer("adam")
    x, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    network.fit_scaling(x, y, target_scaling="min_max")
    for _ in range(3):
        network.train_minibatch(x, y, 0.01)
    return network


def test_getters_return_the_settings(network):
    assert network.activations == ("tanh", "relu", "identity")
    assert network.batchnorm == (True, False, False)
    assert (network.loss, network.optimizer, network.step_count) == ("squared_error", "adam", 3)
    assert network.scaling == bp.Scaling("standard", "min_max") == ("standard", "min_max")
    new = bp.Network([3, 2])
    assert (new.activations, new.batchnorm, new.loss, new.optimizer, new.scaling, new.step_count) == (
        ("logistic",), (False,), "squared_error", "sgd", ("none", "none"), 0)


@pytest.mark.parametrize("names, set_name, get_name", [
    (bp.loss_names, bp.Network.set_loss, lambda n: n.loss),
    (bp.optimizer_names, bp.Network.set_optimizer, lambda n: n.optimizer),
    (bp.activation.names, lambda n, name: n.set_activation(1, name), lambda n: n.activations[0])])
def test_every_listed_name_can_be_set_and_read(names, set_name, get_name):
    network = bp.Network([3, 2])
    assert len(names()) == len(set(names())) >= 3
    for name in names():
        set_name(network, name)
        assert get_name(network) == name


def test_every_listed_scaling_and_score_can_be_used(rng):
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    network = bp.Network([3, 2])
    network.set_activation(1, "identity")
    assert {"none", "standard", "min_max"} <= set(bp.scaling_names())
    for name in bp.scaling_names():
        network.fit_scaling(x, y, input_scaling=name, target_scaling=name)
        if name != "auto":
            assert network.scaling == (name, name)
    assert {"accuracy", "r2", "mean_absolute_error"} <= set(bp.score_names())
    for name in bp.score_names():
        assert np.isfinite(network.score(x, y, name))


def test_name_of_a_custom_activation_stays_with_the_network():
    bp.activation.register_scalar("mine", lambda z: z)
    network = bp.Network([3, 2])
    network.set_activation(1, "mine")
    bp.activation.unregister("mine")
    assert network.activations == ("mine",)


def in_file(network):
    """The tensors of the file by name, parsed without the library."""
    data = network.to_bytes()
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__")
    arrays = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        values = np.frombuffer(data[8 + length + start:8 + length + end], "<f4")
        arrays[name] = values.reshape(entry["shape"])
    return arrays


def test_tensors_equal_the_tensors_of_the_file(network):
    expected = in_file(network)
    assert list(network.tensors) == list(expected) and len(network.tensors) == len(expected)
    for name, array in network.tensors.items():
        assert array.dtype == np.float32 and array.shape == expected[name].shape
        np.testing.assert_array_equal(array, expected[name])
    assert "layers.1.norm.running_mean" in network.tensors and "layers.9.bias" not in network.tensors
    assert 3 not in network.tensors


def test_assigned_tensors_are_stored_in_the_network_and_its_file(network, rng):
    for name, array in in_file(network).items():
        if name.startswith("optimizer."):
            with pytest.raises(bp.UnsupportedError):
                network.tensors[name] = array
            continue
        values = (np.abs(rng.normal(size=array.shape)) + 0.5).astype(np.float32)
        network.tensors[name] = values
        np.testing.assert_array_equal(network.tensors[name], values)
        np.testing.assert_array_equal(in_file(network)[name], values)


def test_prediction_equals_the_formula_with_the_tensors(network, rng):
    x = rng.normal(size=(7, 3)).astype(np.float32)
    tensors = {name: array.astype(float) for name, array in network.tensors.items()}
    a = (x - tensors["scaling.inputs.offset"]) / tensors["scaling.inputs.scale"]
    z = a @ tensors["layers.1.weight"].T + tensors["layers.1.bias"]
    z = (z - tensors["layers.1.norm.running_mean"]) / np.sqrt(tensors["layers.1.norm.running_var"] + 1e-5)
    a = np.tanh(z * tensors["layers.1.norm.weight"] + tensors["layers.1.norm.bias"])
    a = np.maximum(a @ tensors["layers.2.weight"].T + tensors["layers.2.bias"], 0)
    a = a @ tensors["layers.3.weight"].T + tensors["layers.3.bias"]
    expected = a * tensors["scaling.targets.scale"] + tensors["scaling.targets.offset"]
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-4, atol=1e-5)


def test_networks_can_be_averaged_tensor_by_tensor(network):
    other = network.clone()
    other.parameters = other.parameters * 3
    mean = network.clone()
    for name in network.tensors:
        if not name.startswith("optimizer."):
            mean.tensors[name] = (network.tensors[name] + other.tensors[name]) / 2
    np.testing.assert_allclose(mean.parameters, (network.parameters + other.parameters) / 2, rtol=1e-6)


@pytest.mark.parametrize("name, values, expected", [
    ("layers.9.weight", np.zeros((4, 3)), KeyError), ("", 0, KeyError), (3, 0, TypeError), ("a\0b", 0, ValueError),
    ("layers.1.weight", np.zeros((3, 4)), ValueError), ("layers.1.weight", np.zeros(12), ValueError),
    ("layers.3.weight", np.zeros(5), ValueError), ("layers.3.bias", np.zeros((1, 1)), ValueError),
    ("layers.1.bias", [np.nan] * 4, bp.NotFiniteError), ("layers.1.bias", ["a"] * 4, TypeError),
    ("layers.1.norm.running_var", [-1] * 4, bp.InvalidValueError), ("scaling.inputs.scale", [0] * 3, bp.InvalidValueError)])
def test_bad_tensors_are_refused_and_change_nothing(network, name, values, expected):
    before = network.to_bytes()
    with pytest.raises(expected):
        network.tensors[name] = values
    if expected in (KeyError, TypeError) and not isinstance(values, list):
        with pytest.raises(expected):
            network.tensors[name]
    assert network.to_bytes() == before


def test_every_getter_of_a_closed_network_is_an_invalid_handle_error(network):
    tensors = network.tensors
    network.close()
    for question in (lambda: network.activations, lambda: network.batchnorm, lambda: network.loss, lambda: network.optimizer,
                     lambda: network.scaling, lambda: network.step_count, lambda: list(tensors),
                     lambda: tensors["layers.1.bias"], lambda: tensors.__setitem__("layers.1.bias", [0] * 4)):
        with pytest.raises(bp.InvalidHandleError):
            question()


def test_parameters_are_consistent_while_another_thread_changes_their_number():
    network = bp.Network([20, 30, 10], seed=1)
    x, y = np.zeros((2, 20), np.float32), np.zeros((2, 10), np.float32)
    counts, done = {network.parameter_count, network.parameter_count + 60}, threading.Event()

    def switch():
        while not done.is_set():
            network.set_batchnorm(1)
            network.set_batchnorm(1, False)

    thread = threading.Thread(target=switch)
    thread.start()
    try:
        for _ in range(300):
            assert len(network.parameters) in counts
            assert len(network.gradient(x, y)[0]) in counts
            for call in (lambda: setattr(network, "parameters", np.zeros(min(counts))),
                         lambda: network.apply_gradient(np.zeros(max(counts)), 0.1)):
                try:
                    call()
                except ValueError:  # the number of parameters has changed
                    pass
    finally:
        done.set()
        thread.join()
