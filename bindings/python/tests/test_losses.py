"""Losses written in Python."""
import numpy as np
import pytest

import libbackprop as bp

X = np.random.default_rng(1).normal(size=(12, 3)).astype(np.float32)
Y = np.random.default_rng(2).normal(size=(12, 2)).astype(np.float32)


def network(loss):
    made = bp.Network([3, 4, 2], seed=1)
    made.set_activation(2, "identity")
    made.set_loss(loss)
    return made


def half_square(outputs, targets):
    e = outputs - targets
    return 0.5 * (e.astype(float) ** 2).sum(axis=1), e


def test_numpy_loss_trains_like_the_built_in_one():
    mine = bp.loss(name="python-square")(half_square)
    ours, theirs = network(mine), network("squared_error")
    for _ in range(10):
        assert ours.train_minibatch(X, Y, 0.01) == pytest.approx(theirs.train_minibatch(X, Y, 0.01), rel=1e-5)
    assert ours.loss == "python-square" and "python-square" in bp.loss_names()
    assert bp.check_loss(mine, Y, Y[::-1]) < 1e-3
    bp.unregister_loss(mine)
    assert "python-square" not in bp.loss_names()


def test_targets_can_have_other_columns_than_the_outputs():
    @bp.loss(target_columns=3, name="python-weighted")
    def weighted(outputs, targets):
        losses, gradients = half_square(outputs, targets[:, :2])
        return losses * targets[:, 2], gradients * targets[:, 2:]

    made = network(weighted)
    wide = np.c_[Y, np.full(12, 2, np.float32)]
    assert made.evaluate(X, wide) == pytest.approx(2 * network("squared_error").evaluate(X, Y), rel=1e-5)
    with pytest.raises(ValueError, match="3"):
        made.evaluate(X, Y)
    with pytest.raises(bp.UnsupportedError):
        made.score(X, wide, "r2")
    bp.unregister_loss(weighted)


def test_exception_passes_through_and_leaves_the_network_as_it_was():
    @bp.loss(name="python-raising")
    def raising(outputs, targets):
        raise KeyError("lost")

    made = network(raising)
    before = made.to_bytes()
    with pytest.raises(KeyError, match="lost"):
        made.train_minibatch(X, Y, 0.1)
    with pytest.raises(KeyError, match="lost"):
        bp.Trainer(epochs=1).fit(made, X, Y)
    assert made.to_bytes() == before
    bp.unregister_loss(raising)


def test_wrong_shape_is_a_value_error():
    @bp.loss(name="python-shape")
    def shape(outputs, targets):
        return outputs, targets

    with pytest.raises(ValueError, match="losses returned shape"):
        network(shape).train_minibatch(X, Y, 0.1)
    bp.unregister_loss(shape)


def test_replace_registers_again():
    bp.loss(name="python-again")(half_square)
    with pytest.raises(bp.InvalidValueError):
        bp.loss(name="python-again")(half_square)
    bp.unregister_loss(bp.loss(name="python-again", replace=True)(half_square))
    with pytest.raises(bp.InvalidValueError):
        bp.loss(name="huber", replace=True)(half_square)


def test_missing_targets_count_for_nothing():
    made = network("huber")
    holes = Y.copy()
    holes[::2, 0] = np.nan
    with pytest.raises(bp.NotFiniteError):
        made.evaluate(X, holes)
    made.set_option("missing_targets", 1)
    e = made.predict(X) - holes
    assert made.evaluate(X, holes) == pytest.approx(np.nansum(np.where(abs(e) <= 1, e * e / 2, abs(e) - 0.5)), rel=1e-5)
