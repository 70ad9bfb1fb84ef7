"""Losses written in Python, and the built-in ones against PyTorch."""
import functools
import json
from pathlib import Path

import numpy as np
import pytest

import libbackprop as bp

FIXTURES = json.loads((Path(__file__).parents[3] / "Tests" / "Fixtures" / "losses.json").read_text())["cases"]
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
    with pytest.raises(ValueError, match=r"targets: expected shape \(12, 3\) for 12 rows of inputs, got \(11, 3\)"):
        made.evaluate(X, wide[1:])
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


@pytest.mark.parametrize("result", [None, 0.0, np.zeros(12), (np.zeros(12),), (0, 0, 0)])
def test_result_that_is_not_a_pair_is_a_type_error_that_names_the_loss(result):
    made = network(bp.loss(name="python-single", replace=True)(lambda outputs, targets: result))
    with pytest.raises(TypeError, match="loss 'python-single' must return losses and gradients, a pair, not "):
        made.train_minibatch(X, Y, 0.01)
    bp.unregister_loss("python-single")


def test_check_uses_the_loss_that_has_the_name_now():
    old = bp.loss(name="python-checked")(half_square)
    bp.loss(name="python-checked", target_columns=5, replace=True)(lambda o, y: half_square(o, y[:, :2]))
    for loss in (old, "python-checked"):
        with pytest.raises(ValueError, match=r"targets: expected shape \(rows, 5\), got \(12, 2\)"):
            bp.check_loss(loss, Y, Y)
        assert bp.check_loss(loss, Y, np.c_[Y[::-1], X]) < 1e-3
    bp.unregister_loss(old)
    with pytest.raises(bp.UnknownNameError):
        bp.check_loss(old, Y, Y)
    with pytest.raises(bp.UnsupportedError):
        bp.check_loss("huber", Y, Y)


@pytest.mark.parametrize("columns", [1, 3])
def test_loss_of_other_target_columns_trains_on_a_stream_as_on_arrays(columns):
    @bp.loss(name="python-streamed", target_columns=columns)
    def streamed(outputs, targets):
        return half_square(outputs, targets[:, :1])

    targets = np.random.default_rng(3).normal(size=(12, columns)).astype(np.float32)
    trainer = bp.Trainer(epochs=3, batch_size=5, learning_rate=0.01, validation_fraction=0)
    looped, fitted = network(streamed), network(streamed)
    for _ in range(3):
        for first in range(0, 12, 5):
            looped.train_minibatch(X[first:first + 5], targets[first:first + 5], 0.01)
    trainer.fit_stream(fitted, [(X[:7], targets[:7]), (X[7:], targets[7:])], validation=(X, targets))
    assert (fitted.parameters == looped.parameters).all()
    with pytest.raises(ValueError, match=rf"minibatch 0: targets: expected shape \(rows, {columns}\), got \(5, 2\)"):
        trainer.fit_stream(fitted, [(X, Y)])
    bp.unregister_loss(streamed)


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


@pytest.mark.parametrize("case", FIXTURES, ids=[f"{n}-{case['loss']}" for n, case in enumerate(FIXTURES)])
def test_built_in_losses_and_their_gradients_equal_those_of_pytorch(case):
    x, y = np.array(case["inputs"], np.float32), np.array(case["targets"], np.float32)
    columns = x.shape[1]
    made = bp.Network([columns, columns])  # z = x
    made.parameters = np.concatenate([np.eye(columns).ravel(), np.zeros(columns)])
    made.set_activation(1, case["activation"])
    made.set_loss(case["loss"])
    for name, value in case["options"].items():
        made.set_option(name, value)
    np.testing.assert_allclose(made.row_losses(x, y), case["losses"], rtol=1e-6)
    for row, expected in enumerate(case["gradients"]):
        gradient, _ = made.gradient(x[row:row + 1], y[row:row + 1])
        np.testing.assert_allclose(gradient[-columns:], expected, rtol=2e-6, atol=2e-6)  # for the biases, and so for z


def test_fixtures_of_pytorch_contain_every_new_loss():
    assert {case["loss"] for case in FIXTURES} == set(bp.loss_names()) - {
        "squared_error", "binary_cross_entropy", "cross_entropy"}  # these three are trained in pytorch.json


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_registered_loss_gives_the_same_bits_for_any_number_of_threads(threads):
    mine = bp.loss(name="python-threads", replace=True)(half_square)
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(700, 60)).astype(np.float32), rng.normal(size=(700, 9)).astype(np.float32)
    results = []
    for count in (1, threads):
        bp.set_thread_count(count)
        made = bp.Network([60, 70, 9], seed=2)
        made.set_activation(2, "identity")
        made.set_loss(mine)
        losses = [made.train_minibatch(x, y, 1e-4) for _ in range(5)]
        results.append((losses, made.evaluate(x, y), made.row_losses(x, y).tobytes(), made.parameters.tobytes()))
    bp.set_thread_count(0)
    bp.unregister_loss(mine)
    assert results[0] == results[1]


def test_missing_targets_count_for_nothing_in_validation_and_restarts():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(40, 3)).astype(np.float32)
    y = np.tanh(x @ rng.normal(size=(3, 2))).astype(np.float32)
    held, holes = y[30:].copy(), y[:30].copy()
    held[::3, 0] = np.nan
    holes[::4, 1] = np.nan
    made = network("squared_error")
    made.set_option("missing_targets", 1)
    result = bp.Trainer(epochs=30, restarts=3, learning_rate=0.01, keep="best").fit(
        made, x[:30], holes, validation=(x[30:], held))
    errors = np.square(made.predict(x[30:]).astype(float) - held) / 2
    assert result.loss == pytest.approx(np.nansum(errors) / len(held), rel=1e-5)


def test_check_accepts_names():
    mine = bp.loss(name="python-named", target_columns=3)(lambda a, y: (
        (y[:, 2:] * (a - y[:, :2]).astype(float) ** 2).sum(axis=1), 2 * y[:, 2:] * (a - y[:, :2])))
    wide = np.c_[Y[::-1], np.ones(12)]
    assert bp.check_loss("python-named", Y, wide) == bp.check_loss(mine, Y, wide) < 1e-3
    with pytest.raises(ValueError, match=r"targets: expected shape \(rows, 3\)"):
        bp.check_loss("python-named", Y, Y)
    bp.unregister_loss(mine)
    for name in ("python-named", mine):
        with pytest.raises(bp.UnknownNameError, match="python-named"):
            bp.check_loss(name, Y, wide)
    with pytest.raises(bp.UnsupportedError, match='"huber" is built in'):
        bp.check_loss("huber", Y, Y)
    with pytest.raises(TypeError, match="loss: expected a str, got function"):
        bp.check_loss(half_square, Y, Y)


@pytest.mark.parametrize("result, error, message", [
    (None, TypeError, " must return losses and gradients, a pair, not NoneType"),
    (np.zeros((2, 12)), TypeError, " must return losses and gradients, a pair, not ndarray"),
    ((np.zeros(12),), TypeError, " must return losses and gradients, a pair, not tuple"),
    ((None, Y), TypeError, ": losses returned object, expected numbers"),
    ((np.zeros(12), "gradient"), TypeError, ": gradients returned <U8, expected numbers"),
    ((np.zeros(12), [[1], [2, 3]]), ValueError, ": gradients: "),
    ((np.zeros(12), Y[:, 0]), ValueError, ": gradients returned shape (12,), expected (12, 2)"),
])
def test_a_wrong_result_names_the_loss_and_the_pair(result, error, message):
    wrong = bp.loss(lambda outputs, targets: result, name="python-wrong")
    with pytest.raises(error) as caught:
        network(wrong).train_minibatch(X, Y, 0.1)
    assert f"loss 'python-wrong'{message}" in str(caught.value)
    bp.unregister_loss(wrong)


def test_a_function_without_a_usable_name_needs_one():
    with pytest.raises(bp.InvalidValueError, match=r'loss name "<lambda>" must have 1 to 64 .*; name= sets another one'):
        bp.loss(lambda outputs, targets: None)
    with pytest.raises(bp.InvalidValueError, match=r'activation name "<lambda>" must have .*; name= sets another one'):
        bp.activation.scalar(lambda z: z)
    with pytest.raises(bp.InvalidValueError, match=r'"Mine" must have .*; name= sets another one'):
        bp.loss(half_square, name="Mine", replace=True)
    with pytest.raises(TypeError, match="name: expected a str, because the function has no name"):
        bp.loss(functools.partial(half_square))


def test_a_model_whose_loss_is_not_registered_predicts_and_trains_once_it_is():
    mine = bp.loss(half_square, name="python-later")
    made = network(mine)
    model = made.to_bytes()
    bp.unregister_loss(mine)
    loaded = bp.Network.from_bytes(model)
    assert loaded.loss == "python-later" and (loaded.predict(X) == made.predict(X)).all()
    assert (bp.Predictor(loaded)(X) == made.predict(X)).all() and loaded.clone().to_bytes() == model
    for use in (lambda: loaded.evaluate(X, Y), lambda: bp.Trainer(epochs=1).fit(loaded, X, Y),
                lambda: bp.Trainer(epochs=1).fit_stream(loaded, [(X, Y)])):
        with pytest.raises(bp.UnknownNameError, match='"python-later" with target_columns 0 is not registered'):
            use()
    other = bp.loss(half_square, name="python-later", target_columns=3)
    with pytest.raises(bp.UnknownNameError, match='"python-later" with target_columns 0 is not registered'):
        loaded.evaluate(X, Y)
    again = bp.Network.from_bytes(model)  # loaded while another loss has the name
    with pytest.raises(bp.UnknownNameError, match='"python-later" with target_columns 0 is not registered'):
        again.evaluate(X, Y)
    bp.unregister_loss(other)
    mine = bp.loss(half_square, name="python-later")
    assert loaded.train_minibatch(X, Y, 0.1) == again.train_minibatch(X, Y, 0.1) == made.train_minibatch(X, Y, 0.1)
    bp.unregister_loss(mine)


def test_missing_targets_outside_of_the_loss():
    made = network("squared_error")
    made.set_option("missing_targets", 1)
    holes = Y.copy()
    holes[::3, 0] = np.nan
    made.check_settings(holes)
    made.fit_scaling(X, np.c_[holes[:, 0], np.full(12, np.nan)], target_scaling="standard")
    known = holes[~np.isnan(holes[:, 0]), 0]
    np.testing.assert_allclose(made.tensors["scaling.targets.offset"], [known.mean(), 0], rtol=1e-5)
    np.testing.assert_allclose(made.tensors["scaling.targets.scale"], [known.std(), 1], rtol=1e-5)
    outputs = made.predict(X)
    whole = ~np.isnan(holes).any(axis=1)
    assert made.score(X, holes, "accuracy") == (outputs.argmax(axis=1) == holes.argmax(axis=1))[whole].mean()
    assert made.score(X, holes, "mean_absolute_error") == pytest.approx(np.nanmean(np.abs(outputs - holes)), rel=1e-5)
    one_column = np.c_[Y[:, 0], np.full(12, np.nan)]
    column = Y[:, 0].astype(float)
    residue = np.square(outputs[:, 0] - column).sum()
    assert made.score(X, one_column, "r2") == pytest.approx(1 - residue / np.square(column - column.mean()).sum(), rel=1e-6)
    none = np.full((12, 2), np.nan)
    with pytest.raises(bp.InvalidValueError, match="too many are missing"):
        made.score(X, none, "r2")
    before = made.parameters
    assert bp.Trainer(epochs=2, learning_rate=0.1).fit(made, X, none).loss == 0
    assert (made.parameters == before).all()
