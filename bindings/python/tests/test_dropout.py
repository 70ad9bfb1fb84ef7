"""A step with dropout equals the step of the network without the dropped units, computed with NumPy."""
import numpy as np
import pytest

import libbackprop as bp

SIZES = [4, 9, 7, 3]


def network(rates):
    made = bp.Network(SIZES, seed=11)
    for layer in (1, 2, 3):
        made.set_activation(layer, "tanh")
    for layer, rate in enumerate(rates, start=1):
        made.set_dropout(layer, rate)
    return made


def layers(flat):
    parts, flat = [], np.asarray(flat, float)
    for inputs, outputs in zip(SIZES, SIZES[1:]):
        parts.append((flat[:inputs * outputs].reshape(outputs, inputs), flat[inputs * outputs:][:outputs]))
        flat = flat[(inputs + 1) * outputs:]
    return parts


@pytest.mark.parametrize("rates", [(0.5, 0.3), (0, 0.5), (0.6, 0)])
def test_gradient_equals_the_gradient_of_the_network_without_the_dropped_units(rng, rates):
    x, y = rng.normal(size=4), rng.normal(size=3)
    x, y = np.float32(x), np.float32(y)
    dropped = 0
    for _ in range(20):
        made = network(rates)
        made.initialize(int(rng.integers(2**32)))
        (w1, b1), (w2, b2), (w3, b3) = layers(made.parameters)
        gradient, loss = made.gradient(x[None], y[None])
        _, (g2, _), (g3, _) = layers(gradient)
        # A dropped unit has zero gradients for all weights of its outgoing connections.
        factors = [(np.abs(g).max(axis=0) > 0) / (1 - rate) for g, rate in zip((g2, g3), rates)]
        dropped += sum((factor == 0).sum() for factor in factors)
        a1 = np.tanh(w1 @ x + b1)
        h1 = a1 * factors[0]
        a2 = np.tanh(w2 @ h1 + b2)
        h2 = a2 * factors[1]
        a3 = np.tanh(w3 @ h2 + b3)
        d3 = (a3 - y) * (1 - a3**2)
        d2 = w3.T @ d3 * factors[1] * (1 - a2**2)
        d1 = w2.T @ d2 * factors[0] * (1 - a1**2)
        expected = [np.outer(d1, x), d1, np.outer(d2, h1), d2, np.outer(d3, h2), d3]
        expected = np.concatenate([part.ravel() for part in expected])
        assert loss == pytest.approx(0.5 * ((a3 - y) ** 2).sum(), rel=1e-5)
        np.testing.assert_allclose(gradient, expected, atol=1e-5)
    assert dropped > 20


def test_each_row_of_a_minibatch_drops_its_own_units(rng):
    made = network((0.5, 0.5))
    x, y = np.repeat(rng.normal(size=(1, 4)), 8, axis=0), np.zeros((8, 3))
    alone = made.clone().gradient(x[:1], y[:1])[0]
    together = made.clone().gradient(x, y)[0]
    assert np.abs(together - 8 * alone).max() > 1e-3


def test_each_hidden_layer_has_its_own_dropout_rate():
    made = network((0.25, 0))
    assert (made.get_dropout(1), made.get_dropout(2)) == (0.25, 0)
    with pytest.raises(bp.UnknownNameError):
        made.set_option("dropout", 0.5)
    for layer in (0, 3):
        with pytest.raises(bp.InvalidValueError):
            made.set_dropout(layer, 0.5)
