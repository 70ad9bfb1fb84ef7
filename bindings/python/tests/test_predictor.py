"""bp.Predictor."""
import copy
import pickle
import threading

import numpy as np
import pytest

import libbackprop as bp

X = np.random.default_rng(1).normal(size=(30, 4)).astype(np.float32)
Y = np.random.default_rng(2).random((30, 2)).astype(np.float32)


def trained():
    network = bp.Network([4, 9, 2], seed=1)
    network.set_batchnorm(1)
    network.fit_scaling(X, target_scaling="none")
    for _ in range(5):
        network.train_minibatch(X, Y, 0.1)
    return network


def folded(network):
    copied = network.clone()
    copied.fold_batchnorm()
    return copied


def test_outputs_have_the_bits_of_the_folded_network():
    network = trained()
    expected = folded(network).predict(X)
    with bp.Predictor(network) as predictor:
        assert (predictor.inputs, predictor.outputs) == (4, 2)
        np.testing.assert_array_equal(predictor.run(X), expected)
        np.testing.assert_array_equal(predictor(X[3]), expected[3])
        out = np.empty((30, 2), np.float32)
        assert predictor.run(X, out=out) is out
        np.testing.assert_array_equal(out, expected)
        assert predictor.run(np.empty((0, 4))).shape == (0, 2)


def test_update_replaces_the_weights_and_refuses_other_layers():
    network = trained()
    predictor = bp.Predictor(network)
    before = predictor(X)
    network.train_minibatch(X, Y, 0.1)
    np.testing.assert_array_equal(predictor(X), before)
    with pytest.raises(bp.ModelError):
        predictor.update(bp.Network([4, 8, 2]))
    np.testing.assert_array_equal(predictor(X), before)
    predictor.update(network)
    np.testing.assert_array_equal(predictor(X), folded(network).predict(X))


def test_wrong_arguments_are_refused():
    predictor = bp.Predictor(trained())
    for wrong in (X[:, :3], X[None], 3.0):
        with pytest.raises(ValueError, match="inputs"):
            predictor.run(wrong)
    with pytest.raises(TypeError):
        predictor.run(["a"] * 4)
    with pytest.raises(ValueError):
        predictor.run(X, out=np.empty((30, 3), np.float32))
    for action in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            action(predictor)
    predictor.close()
    predictor.close()
    for call in (lambda: predictor.run(X), lambda: predictor.update(trained())):
        with pytest.raises(bp.InvalidHandleError, match="predictor is closed"):
            call()
    closed = trained()
    closed.close()
    with pytest.raises(bp.InvalidHandleError):
        bp.Predictor(closed)


def test_exception_of_an_activation_is_raised_again():
    @bp.activation.vector(backward=lambda z, a, da: da, name="predictor.fails", replace=True)
    def fails(z):
        raise KeyError("no key")

    network = bp.Network([4, 3, 2])
    network.set_activation(1, fails)
    predictor = bp.Predictor(network)
    bp.activation.unregister(fails)
    with pytest.raises(KeyError, match="no key"):
        predictor.run(X)


def test_runs_beside_training_and_updates_see_whole_networks():
    network, updates = trained(), 50
    predictor, twin = bp.Predictor(network), network.clone()
    known = {folded(twin).predict(X).tobytes()}
    for _ in range(updates):
        twin.train_minibatch(X, Y, 0.05)
        known.add(folded(twin).predict(X).tobytes())
    ended, seen = threading.Event(), set()

    def run():
        while not ended.is_set():
            seen.add(predictor(X).tobytes())

    reader = threading.Thread(target=run)
    reader.start()
    for _ in range(updates):
        network.train_minibatch(X, Y, 0.05)
        predictor.update(network)
    ended.set()
    reader.join()
    assert seen <= known
    assert predictor(X).tobytes() == folded(network).predict(X).tobytes()
