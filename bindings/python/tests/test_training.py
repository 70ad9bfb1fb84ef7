"""Training, compared with the formulas of the notes in oracle.py."""
import numpy as np
import pytest

import libbackprop as bp
from oracle import ACTIVATIONS, Oracle

SIZES = [3, 5, 4, 2]


def make(rng, activations, sizes=SIZES, loss="squared_error", batchnorm=(), mean_reduction=False):
    """A network and the oracle with the same settings and parameters."""
    network = bp.Network(sizes, seed=1)
    for layer, name in enumerate(activations, start=1):
        network.set_activation(layer, name)
    for layer in batchnorm:
        network.set_batchnorm(layer)
    network.set_loss(loss)
    network.set_option("gradient_reduction", int(mean_reduction))
    oracle = Oracle(sizes, activations, loss, batchnorm, mean_reduction)
    network.parameters = rng.normal(scale=0.7, size=network.parameter_count)
    oracle.parameters = network.parameters
    return network, oracle


def data(rng, rows, sizes=SIZES):
    return rng.normal(size=(rows, sizes[0])).astype(np.float32), rng.random((rows, sizes[-1])).astype(np.float32)


def close(actual, expected, tolerance=2e-5):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * max(1, np.abs(expected).max()))


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_gradient_equals_the_formulas_for_every_activation(rng, activation):
    network, oracle = make(rng, [activation, activation, "logistic"])
    x, y = data(rng, 6)
    gradient, loss = network.gradient(x, y)
    expected_loss, expected, _ = oracle.loss_and_gradient(x, y)
    assert gradient.dtype == np.float32 and gradient.shape == (network.parameter_count,)
    assert np.abs(expected).max() > 1e-3
    close(gradient, expected)
    assert loss == pytest.approx(expected_loss, rel=1e-5)


@pytest.mark.parametrize("sizes", [[1, 1], [1, 17, 1], [16, 16, 16], [33, 15, 31, 5], [7, 130, 3]])
@pytest.mark.parametrize("rows", [1, 5, 6, 7, 16, 67])
def test_gradient_equals_the_formulas_for_layers_of_all_sizes(rng, sizes, rows):
    network, oracle = make(rng, ["tanh"] * (len(sizes) - 1), sizes=sizes)
    x, y = data(rng, rows, sizes)
    gradient, loss = network.gradient(x, y)
    expected_loss, expected, _ = oracle.loss_and_gradient(x, y)
    close(gradient, expected)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    network.train_minibatch(x, y, 0.01)
    close(network.parameters, oracle.parameters - 0.01 * expected)
    assert network.predict(x)[-1].tobytes() == network.predict(x[-1]).tobytes()


@pytest.mark.parametrize("mean_reduction", [False, True])
@pytest.mark.parametrize("batchnorm", [(), (1,), (1, 2, 3)])
@pytest.mark.parametrize("rows", [1, 2, 7])
def test_minibatch_and_gradient_equal_the_formulas(rng, mean_reduction, batchnorm, rows):
    network, oracle = make(rng, ["tanh", "softplus", "logistic"], batchnorm=batchnorm, mean_reduction=mean_reduction)
    twin = network.clone()
    # Two rows normalize to +1 and -1 for any weights: the exact gradient is almost 0, so that rounding errors dominate.
    tolerance = 5e-4 if batchnorm and rows == 2 else 2e-5
    for _ in range(3):
        x, y = data(rng, rows)
        loss, gradient, oracle.statistics = oracle.loss_and_gradient(x, y)
        measured, measured_loss = twin.gradient(x, y)
        twin.apply_gradient(measured, 0.3)
        assert network.train_minibatch(x, y, 0.3) == pytest.approx(loss, rel=1e-4)
        assert measured_loss == pytest.approx(loss, rel=1e-4)
        close(measured, gradient, tolerance)
        oracle.parameters = oracle.parameters - 0.3 * gradient
        close(network.parameters, oracle.parameters, tolerance)
        close(twin.parameters, network.parameters, tolerance)
        oracle.parameters = network.parameters
        twin.parameters = network.parameters
    expected = oracle.loss_and_gradient(x, y, training=False)[0]
    assert network.evaluate(x, y) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("batchnorm", [(), (1, 2)])
def test_train_step_equals_the_formulas(rng, batchnorm):
    network, oracle = make(rng, ["tanh", "logistic", "identity"], batchnorm=batchnorm)
    for _ in range(3):
        x, y = data(rng, 1)
        loss, gradient, oracle.statistics = oracle.loss_and_gradient(x, y)
        assert network.train_step(x[0], y[0], 0.1) == pytest.approx(loss, rel=1e-5)
        close(network.parameters, oracle.parameters - 0.1 * gradient)
        oracle.parameters = network.parameters


@pytest.mark.parametrize("loss, output", [
    ("binary_cross_entropy", "logistic"), ("cross_entropy", "softmax"), ("squared_error", "softmax")])
def test_losses_equal_the_formulas(rng, loss, output):
    network, oracle = make(rng, ["tanh", "tanh", output], sizes=[3, 5, 4, 3], loss=loss)
    x, y = data(rng, 6, [3, 3])[0], np.eye(3)[[0, 1, 2, 2, 1, 0]]
    gradient, value = network.gradient(x, y)
    expected_value, expected, _ = oracle.loss_and_gradient(x, y)
    close(gradient, expected)
    assert value == pytest.approx(expected_value, rel=1e-5)
    assert network.evaluate(x, y) == pytest.approx(expected_value, rel=1e-5)


def test_gamma_first_computes_the_gradient_of_the_weights_with_the_new_gamma(rng):
    sizes, rate = [3, 4, 2], 0.2
    network, oracle = make(rng, ["tanh", "logistic"], sizes=sizes, batchnorm=(1,))
    network.set_option("batchnorm_update", 1)
    x, y = data(rng, 8, sizes)
    _, gradient, _ = oracle.loss_and_gradient(x, y, fresh_gamma=rate)
    assert np.abs(gradient - oracle.loss_and_gradient(x, y)[1]).max() > 1e-3
    network.train_minibatch(x, y, rate)
    close(network.parameters, oracle.parameters - rate * gradient)


def test_sign_with_one_layer_is_the_perceptron_algorithm(rng):
    network, _ = make(rng, ["sign"], sizes=[2, 1])
    for _ in range(20):
        x, y = rng.normal(size=2).astype(np.float32), rng.choice([-1.0, 1.0], size=1)
        w = network.parameters
        network.train_step(x, y, 0.5)
        close(network.parameters, w - 0.5 * (np.sign(w[:2] @ x + w[2]) - y) * np.append(x, 1))


def test_predict_equals_the_formulas_row_by_row(rng):
    network, oracle = make(rng, ["tanh", "relu", "identity"])
    x, _ = data(rng, 9)
    h = x.astype(float)
    for layer, name in zip(oracle.layers, oracle.activations):
        h = ACTIVATIONS[name][0](h @ layer["weight"].T + layer["bias"])
    close(network.predict(x), h)
    for row, outputs in zip(x, network.predict(x)):
        assert network.predict(row).tobytes() == outputs.tobytes()


def test_xor_is_learned_from_at_least_one_of_five_starts():
    x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]
    losses = []
    network = bp.Network([2, 3, 1])
    for seed in range(5):
        network.initialize(seed)
        for _ in range(3000):
            network.train_minibatch(x, y, 1.0)
        losses.append(network.evaluate(x, y))
        if losses[-1] < 0.01:
            break
    assert min(losses) < 0.01, losses
    assert (np.round(network.predict(x)) == y).all()


def test_same_seed_gives_the_same_bits(rng):
    x, y = data(rng, 5)
    networks = [bp.Network(SIZES, seed=3), bp.Network(SIZES, seed=3), bp.Network(SIZES, seed=4)]
    networks[1].initialize(9)
    networks[1].initialize(3)
    for network in networks:
        for _ in range(5):
            network.train_minibatch(x, y, 0.1)
    first, same, other = (network.parameters.tobytes() for network in networks)
    assert first == same != other


def test_new_network_has_logistic_activations_squared_error_and_zero_biases(rng):
    network = bp.Network(SIZES, seed=1)
    oracle = Oracle(SIZES, ["logistic"] * 3)
    oracle.parameters = network.parameters
    assert all((layer["bias"] == 0).all() for layer in oracle.layers)
    assert all(0 < np.abs(layer["weight"]).max() <= np.sqrt(6 / sum(layer["weight"].shape)) + 1e-6
               for layer in oracle.layers)
    x, y = data(rng, 4)
    close(network.gradient(x, y)[0], oracle.loss_and_gradient(x, y)[1])


def test_learning_rate_zero_changes_no_parameter(rng):
    network, _ = make(rng, ["tanh"] * 3)
    before = network.parameters
    assert network.train_minibatch(*data(rng, 3), 0) > 0
    assert network.parameters.tobytes() == before.tobytes()
