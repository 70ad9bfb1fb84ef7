"""Gradients from the caller's own, Jacobians, outputs of layers and losses of rows, against NumPy in float64 and PyTorch."""
import json
from pathlib import Path

import numpy as np
import pytest

import libbackprop as bp
from oracle import ACTIVATIONS, LOSSES, Oracle

KINKED = {"sign", "relu", "leaky_relu"}
FIXTURES = json.loads((Path(__file__).parents[3] / "Tests" / "Fixtures" / "derivatives.json").read_text())["cases"]


def pair(rng, sizes, activations, batchnorm=()):
    """A network and its oracle, with the same random parameters and, where normalized, running statistics."""
    network, oracle = bp.Network(sizes, seed=3), Oracle(sizes, activations, batchnorm=batchnorm)
    for layer, activation in enumerate(activations, start=1):
        network.set_activation(layer, activation)
        network.set_batchnorm(layer, layer in batchnorm)
    parameters = rng.normal(size=network.parameter_count).astype(np.float32)
    network.parameters = oracle.parameters = parameters
    for layer in batchnorm:
        mean = rng.normal(size=sizes[layer]).astype(np.float32)
        variance = rng.uniform(0.5, 2, size=sizes[layer]).astype(np.float32)
        network.tensors[f"layers.{layer}.norm.running_mean"] = mean
        network.tensors[f"layers.{layer}.norm.running_var"] = variance
        oracle.statistics[layer] = mean.astype(float), variance.astype(float)
    return network, oracle


def near(found, expected, tolerance=2e-5):
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * max(1, np.abs(expected).max()))


def random_case(seed):
    rng = np.random.default_rng(seed)
    sizes = [int(size) for size in rng.integers(1, 40, size=rng.integers(2, 6))]
    names = sorted(set(ACTIVATIONS) - KINKED)
    activations = [str(rng.choice(names)) for _ in sizes[1:]]
    batchnorm = tuple(layer for layer in range(1, len(sizes)) if rng.random() < 0.3)
    rows = int(rng.integers(2, 50)) if rng.random() < 0.8 else 1
    network, oracle = pair(rng, sizes, activations, batchnorm)
    inputs = rng.normal(size=(rows, sizes[0])).astype(np.float32)
    return network, oracle, inputs, rng.normal(size=(rows, sizes[-1])).astype(np.float32)


@pytest.mark.parametrize("seed", range(40))
def test_gradients_of_random_networks_equal_the_formulas(seed):
    network, oracle, x, d = random_case(seed)
    _, _, expected = oracle.backpropagate(x, d, training=False)
    near(network.input_gradients(x, d), expected)
    _, expected, expected_inputs = oracle.backpropagate(x, d)
    gradient, for_inputs = network.clone().backpropagate_to_inputs(x, d)
    near(gradient, expected, 1e-4)
    near(for_inputs, expected_inputs, 1e-4)
    assert np.array_equal(network.backpropagate(x, d), gradient)


@pytest.mark.parametrize("seed", range(20))
def test_jacobian_equals_central_differences(seed):
    network, oracle, x, _ = random_case(seed + 1000)
    x, h = x[:5], 1e-6
    expected = np.empty((len(x), network.layers[-1], x.shape[1]))
    for column in range(x.shape[1]):
        moved = np.zeros(x.shape[1])
        moved[column] = h
        zeros = np.zeros((len(x), network.layers[-1]))
        above, below = (oracle.backpropagate(x.astype(float) + step, zeros, training=False)[0] for step in (moved, -moved))
        expected[:, :, column] = (above - below) / (2 * h)
    near(network.input_jacobian(x), expected)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_activation_has_its_derivative(rng, activation):
    network, oracle = pair(rng, [4, 9, 3], [activation, activation], batchnorm=(1,))
    x, d = rng.normal(size=(7, 4)).astype(np.float32), rng.normal(size=(7, 3)).astype(np.float32)
    near(network.input_gradients(x, d), oracle.backpropagate(x, d, training=False)[2])
    near(network.backpropagate(x, d), oracle.backpropagate(x, d)[1])


def test_numpy_activation_has_its_derivative(rng):
    bp.activation.register_vector(
        "soft", lambda z: z / (1 + np.abs(z)), lambda z, a, da: da / (1 + np.abs(z)) ** 2)
    network, oracle = pair(rng, [4, 9, 3], ["softsign", "softsign"], batchnorm=(1,))
    for layer in (1, 2):
        network.set_activation(layer, "soft")
    x, d = rng.normal(size=(7, 4)).astype(np.float32), rng.normal(size=(7, 3)).astype(np.float32)
    near(network.input_gradients(x, d), oracle.backpropagate(x, d, training=False)[2])
    near(network.backpropagate(x, d), oracle.backpropagate(x, d)[1])


def test_activation_that_raises_leaves_the_network_as_it_was(rng):
    calls = []

    def backward(z, a, da):
        calls.append(len(z))
        if len(calls) == 2:
            raise LookupError("no derivative")
        return da

    bp.activation.register_vector("raises", lambda z: z, backward)
    network, _ = pair(rng, [3, 4, 2], ["tanh", "tanh"], batchnorm=(1,))
    for layer in (1, 2):
        network.set_activation(layer, "raises")
    before, x, d = network.to_bytes(), np.ones((4, 3)), np.ones((4, 2))
    for call in (network.backpropagate, network.backpropagate_to_inputs, network.input_gradients):
        calls.clear()
        with pytest.raises(LookupError):
            call(x, d)
        assert network.to_bytes() == before
    calls.clear()
    with pytest.raises(LookupError):
        network.input_jacobian(x)
    assert network.to_bytes() == before


def test_scaling_is_part_of_the_chain_rule(rng):
    network, oracle = pair(rng, [3, 8, 2], ["tanh", "identity"])
    inputs = rng.normal(size=(50, 3)) * [1000, 1, 0.001] + [5, 0, 7]
    targets = rng.normal(size=(50, 2)) * [0.01, 300]
    inputs, targets = np.float32(inputs), np.float32(targets)
    network.fit_scaling(inputs, targets, input_scaling="standard", target_scaling="standard")
    offset, scale = network.tensors["scaling.inputs.offset"][...].astype(float), network.tensors["scaling.inputs.scale"][...]
    target_scale = network.tensors["scaling.targets.scale"][...].astype(float)
    d = rng.normal(size=(50, 2)).astype(np.float32)
    x = (inputs - offset) / scale
    _, expected, expected_inputs = oracle.backpropagate(x, d * target_scale)
    near(network.backpropagate(inputs, d), expected)
    near(network.input_gradients(inputs, d) * scale, expected_inputs)
    jacobian = np.stack([oracle.backpropagate(x, np.eye(2)[[k] * 50] * target_scale)[2] for k in range(2)], axis=1) / scale
    near(network.input_jacobian(inputs) * scale / target_scale[:, None], jacobian * scale / target_scale[:, None])


def test_any_loss_trains(rng):
    network, _ = pair(rng, [2, 16, 1], ["tanh", "identity"])
    network.set_optimizer("adam")
    x = rng.uniform(-1, 1, size=(200, 2)).astype(np.float32)
    y = np.sin(3 * x[:, :1]) * x[:, 1:]
    errors = [np.abs(network.predict(x) - y).mean()]
    for _ in range(600):
        network.apply_gradient(network.backpropagate(x, np.tanh(20 * (network.predict(x) - y)) / len(x)), 0.01)
    errors.append(np.abs(network.predict(x) - y).mean())
    assert errors[1] < errors[0] / 10


def test_inputs_are_optimized(rng):
    network, _ = pair(rng, [3, 12, 2], ["tanh", "tanh"])
    target = network.predict(rng.normal(size=(1, 3)))
    x = np.zeros((1, 3), np.float32)
    for _ in range(3000):
        x -= 0.05 * network.input_gradients(x, network.predict(x) - target)
    assert np.abs(network.predict(x) - target).max() < 1e-2


@pytest.mark.parametrize("rows", [1, 2, 300])
def test_layers_are_those_of_the_formulas(rng, rows):
    network, oracle = pair(rng, [4, 9, 6, 3], ["tanh", "softplus", "identity"], batchnorm=(1, 3))
    x = rng.normal(size=(rows, 4)).astype(np.float32)
    for layer in (1, 2):
        part = Oracle([4, 9, 6, 3][:layer + 1], ["tanh", "softplus"][:layer], batchnorm=(1,))
        part.layers, part.statistics = oracle.layers[:layer], oracle.statistics
        near(network.predict_layer(layer, x), part.backpropagate(x, np.zeros((rows, part.layers[-1]["bias"].size)), False)[0])
    assert np.array_equal(network.predict_layer(3, x), network.predict(x))


@pytest.mark.parametrize("loss, output", [
    ("squared_error", "identity"), ("binary_cross_entropy", "logistic"), ("cross_entropy", "softmax")])
def test_row_losses_are_those_of_the_formulas(rng, loss, output):
    network, oracle = pair(rng, [4, 9, 3], ["tanh", output])
    network.set_loss(loss)
    x, y = rng.normal(size=(300, 4)).astype(np.float32), rng.random((300, 3)).astype(np.float32)
    outputs = oracle.backpropagate(x, y, training=False)[0]
    losses = network.row_losses(x, y)
    near(losses, [LOSSES[loss][0](a[None], target[None].astype(float)) for a, target in zip(outputs, y)])
    assert losses.sum(dtype=float) == pytest.approx(network.evaluate(x, y), rel=1e-6)
    network.set_option("gradient_reduction", "mean")
    assert losses.mean(dtype=float) == pytest.approx(network.evaluate(x, y), rel=1e-6)


def test_bad_input(rng):
    network, _ = pair(rng, [3, 4, 2], ["tanh", "tanh"], batchnorm=(1,))
    before, x, d = network.to_bytes(), np.ones((4, 3), np.float32), np.ones((4, 2), np.float32)
    for call in (network.backpropagate, network.backpropagate_to_inputs, network.input_gradients):
        for inputs, gradients in ((x, d[:3]), (x, d[0]), (x, d.T), (x[0], d), (x[:, :2], d), (x, np.zeros(4))):
            with pytest.raises(ValueError):
                call(inputs, gradients)
        with pytest.raises(TypeError):
            call(x, "gradients")
        with pytest.raises(bp.InvalidValueError):
            call(x[:0], d[:0])
        for bad in (np.nan, np.inf):
            with pytest.raises(bp.NotFiniteError):
                call(x, np.where(d > 0, bad, d))
            with pytest.raises(bp.NotFiniteError):
                call(x * bad, d)
    with pytest.raises(bp.InvalidValueError):
        network.input_jacobian(x[:0])
    with pytest.raises(bp.InvalidValueError):
        network.row_losses(x[:0], d[:0])
    with pytest.raises(ValueError):
        network.row_losses(x, d[:2])
    for layer in (0, 3, 2**63, 2**64 - 1):
        with pytest.raises(bp.InvalidValueError):
            network.predict_layer(layer, x)
    with pytest.raises(ValueError):
        network.predict_layer(-1, x)
    with pytest.raises(TypeError):
        network.predict_layer(1.5, x)
    assert network.predict_layer(1, x[:0]).shape == (0, 4)
    assert network.to_bytes() == before


@pytest.mark.parametrize("case", FIXTURES, ids=[f"{n:02}-{'-'.join(case['activations'])}" for n, case in enumerate(FIXTURES)])
def test_derivatives_equal_those_of_pytorch(case):
    network = bp.Network(case["layer_sizes"])
    for layer, activation in enumerate(case["activations"], start=1):
        network.set_activation(layer, activation)
        network.set_batchnorm(layer, case["batchnorm"][layer - 1] == 1)
    network.parameters = np.array(case["parameters"], np.float32)
    for layer in range(1, len(case["layer_sizes"])):
        if case["batchnorm"][layer - 1]:
            network.tensors[f"layers.{layer}.norm.running_mean"] = np.array(case["running_mean"][layer - 1], np.float32)
            network.tensors[f"layers.{layer}.norm.running_var"] = np.array(case["running_var"][layer - 1], np.float32)
    x, d = np.array(case["inputs"]), np.array(case["output_gradients"])
    near(network.input_jacobian(x), np.array(case["jacobian"]))
    near(network.input_gradients(x, d), np.array(case["input_gradients"]))
    gradient, for_inputs = network.backpropagate_to_inputs(x, d)
    near(gradient, np.array(case["gradient"]), 1e-4)
    near(for_inputs, np.array(case["input_gradients_in_training"]), 1e-4)


def test_fixtures_of_pytorch_contain_every_activation():
    tried = {activation for case in FIXTURES for activation in case["activations"]}
    built_in = {name for name in bp.activation.names() if bp.activation.kind(name) == bp.activation.Kind.BUILT_IN}
    assert tried == built_in - {"sign"}
