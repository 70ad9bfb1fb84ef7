"""Checks the oracle, the reference of the other tests, against central differences."""
import numpy as np
import pytest

from oracle import ACTIVATIONS, LOSSES, Oracle


def worst_difference(oracle, x, y):
    _, gradient, _ = oracle.loss_and_gradient(x, y)
    start, differences, h = oracle.parameters, np.empty_like(gradient), 1e-6
    for index in range(start.size):
        losses = []
        for step in (h, -h):
            moved = start.copy()
            moved[index] += step
            oracle.parameters = moved
            losses.append(oracle.loss_and_gradient(x, y)[0])
        differences[index] = (losses[0] - losses[1]) / (2 * h)
    assert np.abs(differences).max() > 1e-3  # the compared gradients are not all zero
    return np.abs(gradient - differences).max()


@pytest.mark.parametrize("activation", sorted(set(ACTIVATIONS) - {"sign"}))
@pytest.mark.parametrize("batchnorm", [(), (1, 2)])
@pytest.mark.parametrize("rows", [1, 5])
def test_gradient_equals_central_differences(rng, activation, batchnorm, rows):
    oracle = Oracle([3, 4, 2], [activation, "logistic"], batchnorm=batchnorm, mean_reduction=rows == 5)
    oracle.parameters = rng.normal(size=oracle.parameters.size)
    assert worst_difference(oracle, rng.normal(size=(rows, 3)), rng.random((rows, 2))) < 1e-7


@pytest.mark.parametrize("loss, output", [("binary_cross_entropy", "logistic"), ("cross_entropy", "softmax")])
def test_gradient_of_cross_entropies_equals_central_differences(rng, loss, output):
    assert loss in LOSSES
    oracle = Oracle([3, 4, 3], ["tanh", output], loss=loss)
    oracle.parameters = rng.normal(size=oracle.parameters.size)
    assert worst_difference(oracle, rng.normal(size=(5, 3)), np.eye(3)[[0, 1, 2, 0, 1]]) < 1e-7
