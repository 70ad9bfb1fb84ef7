"""Scores compared with NumPy, and networks with folded batch normalization."""
import numpy as np
import pytest

import libbackprop as bp


@pytest.fixture
def network():
    made = bp.Network([4, 8, 3], seed=2)
    made.set_activation(2, "identity")
    return made


@pytest.fixture
def data(rng):
    return np.float32(rng.normal(size=(500, 4))), np.float32(rng.normal(size=(500, 3)))


def test_scores_equal_the_formulas_in_numpy(network, data):
    x, y = data
    outputs, targets = network.predict(x).astype(float), y.astype(float)
    residue, spread = ((outputs - targets) ** 2).sum(axis=0), ((targets - targets.mean(axis=0)) ** 2).sum(axis=0)
    assert network.score(x, y, "accuracy") == (outputs.argmax(axis=1) == targets.argmax(axis=1)).mean()
    assert network.score(x, y, "r2") == pytest.approx((1 - residue / spread).mean(), rel=1e-12)
    assert network.score(x, y, "mean_absolute_error") == pytest.approx(np.abs(outputs - targets).mean(), rel=1e-12)


def test_scores_are_in_the_units_of_the_data(network, data):
    x, y = data
    network.fit_scaling(x, 1000 * y + 5)
    expected = np.abs(network.predict(x).astype(float) - (1000 * y + 5)).mean()
    assert network.score(x, 1000 * y + 5, "mean_absolute_error") == pytest.approx(expected, rel=1e-6)


def test_bad_arguments_of_score_are_refused(network, data):
    x, y = data
    for arguments, expected in [((x, y, "precision"), bp.UnknownNameError), ((x[:0], y[:0], "r2"), bp.InvalidValueError),
                                ((x, y[:3], "r2"), ValueError), ((x, y, 3), TypeError),
                                ((x * np.nan, y, "r2"), bp.NotFiniteError)]:
        with pytest.raises(expected):
            network.score(*arguments)


def test_folded_clone_predicts_the_same_and_the_original_can_be_trained(network, data):
    x, y = data
    network.set_batchnorm(1)
    for _ in range(50):
        network.train_minibatch(x, y, 1e-3)
    folded = network.clone()
    folded.fold_batchnorm()
    assert folded.parameter_count == network.parameter_count - 16
    outputs = network.predict(x)
    np.testing.assert_allclose(folded.predict(x), outputs, atol=5e-6 * np.abs(outputs).max())
    network.train_minibatch(x, y, 1e-3)


@pytest.mark.parametrize("loss, output, measure", [
    ("squared_error", "identity", "r2"), ("cross_entropy", "softmax", "accuracy"),
    ("binary_cross_entropy", "logistic", "accuracy"), ("huber", "identity", "r2"), ("poisson", "softplus", "r2")])
def test_default_measure_depends_on_the_loss(data, loss, output, measure):
    x, y = data
    made = bp.Network([4, 8, 3], seed=2)
    made.set_activation(2, output)
    made.set_loss(loss)
    y = np.eye(3)[y.argmax(axis=1)]
    assert made.score(x, y) == made.score(x, y, measure)


@pytest.mark.parametrize("measure", [None, "r2"])
def test_scores_are_not_available_for_other_target_columns(network, data, measure):
    x, y = data
    mine = bp.loss(lambda outputs, targets: (outputs[:, 0] * 0.0, outputs * 0), name="score-wide", target_columns=5)
    network.set_loss(mine)
    for targets in (y, y[:, 0], np.c_[y, y[:, :2]]):
        with pytest.raises(bp.UnsupportedError, match=r"score-wide. has target_columns 5"):
            network.score(x, targets, measure)
    bp.unregister_loss(mine)
