"""Incompatible settings and targets are refused. The message says which setting to change."""
import numpy as np
import pytest

import libbackprop as bp


@pytest.fixture
def rows(rng):
    x = rng.normal(size=(200, 4)).astype(np.float32)
    return x, (x[:, :1] + x[:, 1:2] > 0).astype(np.float32)


def network(activation="logistic", loss="squared_error", outputs=1):
    made = bp.Network([4, 8, outputs], seed=1)
    made.set_activation(2, activation)
    made.set_loss(loss)
    return made


@pytest.mark.parametrize("activation, loss, outputs, suggestion", [
    ("identity", "binary_cross_entropy", 1, 'set activation "logistic"'),
    ("softmax", "binary_cross_entropy", 2, 'loss "cross_entropy"'),
    ("logistic", "cross_entropy", 2, 'set activation "softmax"'),
    ("identity", "cross_entropy", 2, 'set activation "softmax"'),
    ("softmax", "cross_entropy", 1, 'loss "binary_cross_entropy"')])
def test_incompatible_loss_and_activation_are_refused(rows, activation, loss, outputs, suggestion):
    x, y = rows
    y = np.hstack([y, 1 - y])[:, :outputs]
    made = network(activation, loss, outputs)
    before = made.to_bytes()
    for call in (made.check_settings, lambda: made.check_settings(y), lambda: bp.Trainer().fit(made, x, y),
                 lambda: made.train_minibatch(x, y, 0.1), lambda: made.train_step(x[0], y[0], 0.1),
                 lambda: made.gradient(x, y), lambda: made.evaluate(x, y)):
        with pytest.raises(bp.InvalidValueError) as caught:
            call()
        assert suggestion in str(caught.value)
        assert made.to_bytes() == before


@pytest.mark.parametrize("scale, offset, row_value", [(1, 1, "2"), (2, -1, "-1")])
def test_classes_other_than_0_and_1_are_refused_for_binary_cross_entropy(rows, scale, offset, row_value):
    x, y = rows
    made = network(loss="binary_cross_entropy")
    bp.Trainer(epochs=1).fit(made, x, y)
    classes = scale * y + offset
    bad = int(np.argmax((classes < 0) | (classes > 1)))
    with pytest.raises(bp.InvalidValueError, match=f"targets: row {bad}, column 0 is {row_value}, .* 0 to 1"):
        made.train_minibatch(x, classes, 0.1)
    with pytest.raises(bp.InvalidValueError, match="validation_targets: row"):
        bp.Trainer(epochs=1).fit(made, x, y, validation=(x, classes))


def test_only_a_fit_refuses_targets_out_of_the_range_of_the_last_activation(rows):
    x, y = rows
    made = network()
    with pytest.raises(bp.InvalidValueError, match='is 6, and "logistic" in layer 2 outputs 0 to 1'):
        bp.Trainer(epochs=1).fit(made, x, 3 * y + 3)
    with pytest.raises(bp.InvalidValueError):
        made.check_settings(3 * y + 3)
    made.train_minibatch(x, 3 * y + 3, 0.001)
    made.set_activation(2, "identity")
    made.check_settings(3 * y + 3)
    bp.Trainer(epochs=1).fit(made, x, 3 * y + 3)


def test_standard_target_scaling_with_a_logistic_output_is_refused(rows):
    x, y = rows
    made = network()
    made.fit_scaling(x, y, target_scaling="standard")
    with pytest.raises(bp.InvalidValueError, match=r'target scaling "standard" .* fit target scaling "auto"'):
        made.check_settings()
    made.fit_scaling(x, y)
    made.check_settings(y)


@pytest.mark.parametrize("activation", ["logistic", "tanh", "identity", "softplus", "elu", "gelu"])
def test_default_scaling_learns_large_targets_with_every_output_activation(rng, activation):
    x = rng.normal(size=(200, 4)).astype(np.float32)
    y = (50 + 20 * x[:, :1] - 7 * x[:, 1:2]).astype(np.float32)
    made = network(activation)
    made.fit_scaling(x, y)
    made.set_optimizer("adam")
    bp.Trainer(epochs=200, learning_rate=0.01, seed=1).fit(made, x, y)
    assert made.score(x, y, "r2") > 0.95


def test_network_with_default_settings_learns_scaled_targets(rng):
    x = rng.normal(size=(200, 4)).astype(np.float32)
    y = (50 + 20 * x[:, :1] - 7 * x[:, 1:2]).astype(np.float32)
    made = bp.Network([4, 8, 1], seed=1)
    made.fit_scaling(x, y)
    bp.Trainer(epochs=300, learning_rate=0.05, seed=1).fit(made, x, y)
    assert made.score(x, y, "r2") > 0.95


def test_check_settings_refuses_bad_targets(rows):
    made = network()
    for targets, expected in [(np.zeros((3, 2)), ValueError), ([["a"]], TypeError), ([[np.nan]], bp.NotFiniteError)]:
        with pytest.raises(expected):
            made.check_settings(targets)
    made.check_settings(np.zeros((0, 1)))


@pytest.mark.parametrize("call, expected", [
    (lambda n: n.set_activation(1, "sigmoid"), '"logistic"'), (lambda n: n.set_loss("mse"), '"squared_error"'),
    (lambda n: n.set_optimizer("Adam"), '"adam"'), (lambda n: n.set_option("learning_rate", 1), "option of a trainer"),
    (lambda n: n.score([[0] * 4], [[0]], "acc"), '"accuracy"'),
    (lambda n: n.fit_scaling([[0] * 4], input_scaling="zscore"), '"standard"'),
    (lambda n: bp.Trainer(max_iter=3), '"epochs"'), (lambda n: bp.Trainer(scheduel="cosine"), '"schedule"'),
    (lambda n: bp.Trainer(weight_decay=1), "option of a network")])
def test_message_for_an_unknown_name_suggests_the_nearest_name(call, expected):
    with pytest.raises(bp.UnknownNameError) as caught:
        call(network())
    assert expected in str(caught.value)
