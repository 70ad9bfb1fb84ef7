"""The second-order optimizers against results of SciPy, and of NumPy in double precision."""
import numpy as np
import pytest
from scipy.optimize import least_squares, minimize

import libbackprop as bp


def regression_network(optimizer, sizes, seed=1):
    network = bp.Network(sizes, seed=seed)
    for layer in range(1, len(sizes) - 1):
        network.set_activation(layer, "tanh")
    network.set_activation(len(sizes) - 1, "identity")
    network.set_optimizer(optimizer)
    return network


def noisy_sine(rows, seed=0):
    random = np.random.default_rng(seed)
    x = np.float32(random.uniform(-1, 1, (rows, 1)))
    return x, np.float32(np.sin(4 * x) + 0.1 * random.normal(size=(rows, 1)))


def outputs(parameters, x, units):
    """Of a network of one input, `units` tanh units and one output."""
    w, b, v, c = np.split(parameters, [units, 2 * units, 3 * units])
    return np.tanh(x * w + b) @ v + c[0]


@pytest.mark.parametrize("optimizer", ["levenberg_marquardt", "lbfgs"])
def test_the_minimum_is_that_of_scipy(optimizer):
    x, noise = noisy_sine(60)
    y = np.tanh(2 * x - 0.5) + 0.1 * noise
    network = regression_network(optimizer, [1, 1, 1])
    start = np.float64(network.parameters)
    found = least_squares(lambda p: outputs(p, np.float64(x), 1) - y[:, 0], start, method="lm", xtol=1e-14, ftol=1e-14)
    for _ in range(100):
        loss = network.train_minibatch(x, y, learning_rate=0)
    assert loss == pytest.approx(found.cost, rel=1e-4)


@pytest.mark.parametrize("optimizer", ["levenberg_marquardt", "lbfgs"])
def test_logistic_regression_with_weight_decay_has_the_minimum_of_scipys_lbfgs(optimizer):
    random = np.random.default_rng(3)
    x = np.float32(random.normal(size=(80, 4)))
    y = np.float32(random.uniform(size=(80, 1)) < 1 / (1 + np.exp(-x[:, :1] + 0.5 * x[:, 1:2])))

    def objective(p):
        z = np.float64(x) @ p[:4] + p[4]
        slope = 1 / (1 + np.exp(-z)) - y[:, 0]
        loss = np.sum(np.logaddexp(0, z) - z * y[:, 0]) + 0.15 * p[:4] @ p[:4]
        return loss, np.append(np.float64(x).T @ slope + 0.3 * p[:4], slope.sum())

    found = minimize(objective, np.zeros(5), jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9})
    network = bp.Network([4, 1])
    network.set_loss("binary_cross_entropy")
    network.set_optimizer(optimizer)
    network.set_option("weight_decay", 0.3)
    for _ in range(40):
        network.train_minibatch(x, y, learning_rate=0)
    np.testing.assert_allclose(network.parameters, found.x, atol=1e-4)


def test_bayesian_regularization_of_a_linear_network_is_mackays():
    random = np.random.default_rng(5)
    x = np.float32(random.normal(size=(40, 6)))
    y = np.float32(x[:, :1] - 2 * x[:, 1:2] + 0.5 * random.normal(size=(40, 1)))
    design = np.column_stack([np.float64(x), np.ones(40)])
    values = np.linalg.eigvalsh(design.T @ design)
    decay = 1.0
    for _ in range(200):  # the fixed point of MacKay's equations
        w = np.linalg.solve(design.T @ design + decay * np.eye(7), design.T @ y[:, 0])
        effective = np.sum(values / (values + decay))
        decay = effective / (w @ w) * np.sum((design @ w - y[:, 0]) ** 2) / (40 - effective)

    network = regression_network("bayesian_regularization", [6, 1])
    assert network.effective_parameters == 0
    for _ in range(40):
        network.train_minibatch(x, y, learning_rate=0)
    np.testing.assert_allclose(network.parameters, w, atol=1e-4)
    assert network.effective_parameters == pytest.approx(effective, rel=1e-4)


def test_effective_parameters_do_not_grow_with_the_network():
    x, y = noisy_sine(200)
    found = []
    for units in (4, 20):
        network = regression_network("bayesian_regularization", [1, units, 1], seed=2)
        bp.Trainer(epochs=150).fit(network, x, y)
        found.append(network.effective_parameters)
        assert np.mean((network.predict(x) - y) ** 2) == pytest.approx(0.01, rel=0.2)
    assert abs(found[0] - found[1]) < 3 < 61 - found[1]


def test_levenberg_marquardt_fits_a_sinc():
    x = np.float32(np.linspace(-1, 1, 300))[:, None]
    y = np.float32(np.sinc(10 * np.float64(x) / np.pi))
    network = regression_network("levenberg_marquardt", [1, 15, 1])
    bp.Trainer(epochs=300).fit(network, x, y)
    assert np.mean((np.float64(network.predict(x)) - y) ** 2) < 1e-6


def test_effective_parameters_of_another_optimizer_are_refused():
    with pytest.raises(bp.UnsupportedError):
        _ = bp.Network([2, 1]).effective_parameters
    network = regression_network("lbfgs", [1, 2, 1])
    network.set_dropout(1, 0.5)
    with pytest.raises(bp.UnsupportedError, match="dropout"):
        network.train_minibatch([[1]], [[1]], learning_rate=0)
    with pytest.raises(bp.UnsupportedError, match=r"Network\.train_minibatch"):
        network.apply_gradient(np.zeros(network.parameter_count), 0.1)
