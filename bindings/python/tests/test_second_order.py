"""The second-order optimizers against results of SciPy, of PyTorch (Tests/Fixtures/README.md), and of NumPy in double
precision."""
import json
from pathlib import Path

import numpy as np
import pytest
from oracle import Oracle

import libbackprop as bp

optimize = pytest.importorskip("scipy.optimize")

LBFGS = json.loads((Path(__file__).parents[3] / "Tests" / "Fixtures" / "lbfgs.json").read_text())


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


def oracle(sizes):
    return Oracle(sizes, ["tanh"] * (len(sizes) - 2) + ["identity"])


def residuals_and_jacobian(network, x, y):
    """Row by row, and output by output."""
    jacobian = [network.backpropagate(x[row:row + 1], one[None])[1] for row in range(len(x)) for one in np.eye(y.shape[1])]
    network.backpropagate(x, np.zeros(y.shape))
    return (network.outputs - y).ravel(), np.array(jacobian)


def levenberg_marquardt(network, x, y, decay, steps):
    """The losses before each step, with Nielsen's damping. `decay`: of each parameter. The damping is relative to the larger
    diagonal element of the matrix that has fewer rows, J'J or JJ'."""
    p, damping, losses = network.parameters, None, []
    for _ in range(steps):
        r, jacobian = residuals_and_jacobian(network, x, y)
        losses.append(r @ r / 2)
        value = losses[-1] + decay @ p**2 / 2
        gradient = jacobian.T @ r + decay * p
        matrix = jacobian.T @ jacobian
        if damping is None:
            uses_rows = len(r) < len(p) and np.ptp(decay) == 0
            damping = 1e-3 * (jacobian @ jacobian.T if uses_rows else matrix).diagonal().max()
        growth = 2
        while True:
            step = np.linalg.solve(matrix + np.diag(decay + damping), -gradient)
            network.parameters = p + step
            network.backpropagate(x, np.zeros(y.shape))
            trial = np.sum((network.outputs - y) ** 2) / 2 + decay @ (p + step) ** 2 / 2
            if trial < value:
                gain = (value - trial) / (step @ (damping * step - gradient) / 2)
                damping *= max(1 / 3, 1 - (2 * gain - 1) ** 3)
                p = p + step
                break
            damping *= growth
            growth *= 2
    return losses


@pytest.mark.parametrize(("sizes", "rows", "decay", "decay_biases"), [
    ([1, 2, 1], 60, 0, 0),
    ([2, 4, 3, 2], 300, 0, 0),  # several blocks of rows
    ([3, 5, 2], 12, 0, 0),  # fewer residuals than parameters
    ([3, 5, 2], 12, 0.05, 1),
    ([3, 5, 2], 12, 0.05, 0),  # decays differ
    ([2, 4, 1], 50, 0.1, 0),
])
def test_every_step_of_levenberg_marquardt_has_the_loss_of_numpy(sizes, rows, decay, decay_biases):
    random = np.random.default_rng(7)
    x = np.float32(random.uniform(-1, 1, (rows, sizes[0])))
    y = np.float32(np.sin(3 * x[:, :1]) * np.arange(1, sizes[-1] + 1) + 0.1 * random.normal(size=(rows, sizes[-1])))
    network = regression_network("levenberg_marquardt", sizes)
    network.set_option("weight_decay", decay)
    network.set_option("decay_biases", decay_biases)
    plain = oracle(sizes)
    plain.parameters = network.parameters
    decays = np.concatenate([decay * np.full(part.size, part.ndim == 2 or decay_biases)
                             for layer in plain.layers for part in (layer["weight"], layer["bias"])])
    expected = levenberg_marquardt(plain, np.float64(x), np.float64(y), decays, 10)
    losses = [network.train_minibatch(x, y, learning_rate=0) for _ in expected]
    np.testing.assert_allclose(losses, expected, rtol=1e-4)


def inverse_hessian(pairs, count):
    """The estimate of BFGS (Nocedal and Wright 2006, equation 6.17) from pairs of changes of parameters and gradients."""
    if not pairs:
        return np.eye(count)
    s, y = pairs[-1]
    inverse = s @ y / (y @ y) * np.eye(count)
    for s, y in pairs:
        v = np.eye(count) - np.outer(y, s) / (s @ y)
        inverse = v.T @ inverse @ v + np.outer(s, s) / (s @ y)
    return inverse


@pytest.mark.parametrize("history", [3, 10])
def test_every_step_of_lbfgs_has_the_direction_of_numpy_and_satisfies_the_strong_wolfe_conditions(history):
    sizes = [1, 4, 1]
    x, y = noisy_sine(60)
    network = regression_network("lbfgs", sizes)
    network.set_option("lbfgs_history", history)
    plain = oracle(sizes)
    pairs, unit_steps = [], 0

    def evaluate():
        plain.parameters = network.parameters
        return plain.parameters, *plain.loss_and_gradient(x, y)[:2]

    p, loss, gradient = evaluate()
    for _ in range(30):
        assert network.train_minibatch(x, y, learning_rate=0) == pytest.approx(loss, rel=1e-6)
        direction = -inverse_hessian(pairs[-history:], len(p)) @ gradient
        q, next_loss, next_gradient = evaluate()
        step = q - p
        length = step @ direction / (direction @ direction)
        np.testing.assert_allclose(step, length * direction, atol=1e-3 * np.linalg.norm(step))
        slope = gradient @ direction
        assert next_loss <= loss + 1e-4 * length * slope
        assert abs(next_gradient @ direction) <= 0.901 * abs(slope)
        unit_steps += length == pytest.approx(1, abs=1e-3)
        pairs.append((step, next_gradient - gradient))
        p, loss, gradient = q, next_loss, next_gradient
    assert unit_steps > 15


@pytest.mark.parametrize("case", LBFGS["cases"], ids=lambda case: ",".join(f"{k}={v}" for k, v in case["options"].items()))
def test_every_step_of_lbfgs_equals_the_step_of_pytorch(case):
    network = bp.Network(LBFGS["sizes"])
    network.set_activation(1, "tanh")
    network.set_optimizer("lbfgs")
    for name, value in case["options"].items():
        network.set_option(name, value)
    network.parameters = case["initial_parameters"]
    for step, expected in enumerate(case["parameters"]):
        network.train_minibatch(np.float32(case["inputs"]), np.float32(case["targets"]), learning_rate=0)
        assert np.abs(network.parameters - expected).max() < 1e-5, f"step {step}"


@pytest.mark.parametrize("optimizer", ["levenberg_marquardt", "lbfgs"])
def test_the_minimum_is_that_of_scipy(optimizer):
    x, noise = noisy_sine(60)
    y = np.tanh(2 * x - 0.5) + 0.1 * noise
    network = regression_network(optimizer, [1, 1, 1])
    start = np.float64(network.parameters)
    found = optimize.least_squares(lambda p: outputs(p, np.float64(x), 1) - y[:, 0], start, method="lm", xtol=1e-14, ftol=1e-14)
    for _ in range(100):
        loss = network.train_minibatch(x, y, learning_rate=0)
    assert loss == pytest.approx(found.cost, rel=1e-4)


@pytest.mark.parametrize("seed", [1, 4, 6])
@pytest.mark.parametrize("optimizer", ["levenberg_marquardt", "lbfgs"])
def test_the_minimum_of_a_sinc_is_that_of_scipy(optimizer, seed):
    x = np.float32(np.linspace(-1, 1, 300))[:, None]
    y = np.float32(np.sinc(10 * np.float64(x) / np.pi))
    network = regression_network(optimizer, [1, 3, 1], seed)
    found = optimize.least_squares(lambda p: outputs(p, np.float64(x), 3) - y[:, 0], np.float64(network.parameters), method="lm",
                          xtol=1e-14, ftol=1e-14)
    for _ in range(1500):
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

    found = optimize.minimize(objective, np.zeros(5), jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9})
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


@pytest.mark.parametrize("seed", range(4))
def test_effective_parameters_do_not_grow_with_the_network(seed):
    """A noisy sine of 41 rows, as the example of MATLAB's trainbr, where 1-20-1 has about 13 effective parameters of 61. An
    estimate of the decay from weights that are not trained ends at a linear network, with about 2 (and error 0.42)."""
    x = np.float32(np.arange(-1, 1.001, 0.05))[:, None]
    truth = np.sin(2 * np.pi * x)
    y = np.float32(truth + 0.1 * np.random.default_rng(seed).normal(size=x.shape))
    found = []
    for units in (5, 10, 20, 40):
        network = regression_network("bayesian_regularization", [1, units, 1], seed=seed + 1)
        bp.Trainer(epochs=150).fit(network, x, y)
        found.append(network.effective_parameters)
        assert np.mean((network.predict(x) - truth) ** 2) < 0.005
    assert 9 < min(found) and max(found) < 15 and max(found) - min(found) < 2.5


def test_bayesian_regularization_of_pure_noise_has_no_effective_parameters():
    random = np.random.default_rng(0)
    x, y = np.float32(random.uniform(-1, 1, (200, 1))), np.float32(random.normal(size=(200, 1)))
    network = regression_network("bayesian_regularization", [1, 10, 1])
    bp.Trainer(epochs=150).fit(network, x, y)
    assert network.effective_parameters < 3 and np.square(network.predict(x)).mean() < 0.05


def test_levenberg_marquardt_fits_a_sinc():
    x = np.float32(np.linspace(-1, 1, 300))[:, None]
    y = np.float32(np.sinc(10 * np.float64(x) / np.pi))
    network = regression_network("levenberg_marquardt", [1, 15, 1])
    bp.Trainer(epochs=300).fit(network, x, y)
    assert np.mean((np.float64(network.predict(x)) - y) ** 2) < 1e-6


def test_lbfgs_goes_on_where_the_loss_changes_by_rounding_only():
    x = np.float32(np.linspace(-1, 1, 300))[:, None]
    y = np.float32(np.sinc(10 * np.float64(x) / np.pi))
    errors = []
    for seed in range(1, 10):
        network = regression_network("lbfgs", [1, 15, 1], seed)
        for _ in range(6000):
            network.train_minibatch(x, y, learning_rate=0)
        errors.append(np.mean((np.float64(network.predict(x)) - y) ** 2))
    # About 4e-7; a line search that takes the rounding of these losses for growth ends at about 6e-6.
    assert np.median(errors) < 1.5e-6


def test_levenberg_marquardt_fits_the_same_function_to_the_same_numbers_as_float32_and_as_float64():
    """The two round the scaled numbers differently. The parameters of the minimum depend on the last digit: it is flat."""
    random = np.random.default_rng(0)
    x = random.uniform(-3, 5, (200, 2)).astype(np.float32)
    y = np.float32(7 * np.sin(x[:, :1]) + 2)
    networks = {}
    for epochs in (5, 80):
        for dtype in (np.float32, np.float64):
            network = regression_network("levenberg_marquardt", [2, 6, 1])
            network.fit_scaling(x.astype(dtype), y.astype(dtype))
            bp.Trainer(epochs=epochs).fit(network, x.astype(dtype), y.astype(dtype))
            networks[epochs, dtype] = network
    np.testing.assert_allclose(networks[5, np.float32].parameters, networks[5, np.float64].parameters, atol=1e-4)
    for dtype in (np.float32, np.float64):
        np.testing.assert_allclose(networks[80, dtype].predict(x), y, atol=1e-2)
    np.testing.assert_allclose(networks[80, np.float32].predict(x), networks[80, np.float64].predict(x), atol=1e-3)


def test_effective_parameters_of_another_optimizer_are_refused():
    with pytest.raises(bp.UnsupportedError):
        _ = bp.Network([2, 1]).effective_parameters
    network = regression_network("lbfgs", [1, 2, 1])
    network.set_dropout(1, 0.5)
    with pytest.raises(bp.UnsupportedError, match="dropout"):
        network.train_minibatch([[1]], [[1]], learning_rate=0)
    with pytest.raises(bp.UnsupportedError, match=r"Network\.train_minibatch"):
        network.apply_gradient(np.zeros(network.parameter_count), 0.1)
