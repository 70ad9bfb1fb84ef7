"""Activations and losses of numba, JAX and PyTorch, compared with built-in ones and with derivatives found on paper."""
import sys

import numpy as np
import pytest

import libbackprop as bp


@pytest.fixture(params=["jax", "torch"])
def framework(request):
    """The name of a framework and its module with tanh."""
    module = pytest.importorskip(request.param)
    return request.param, module.numpy if request.param == "jax" else module


X = np.random.default_rng(1).normal(size=(9, 3)).astype(np.float32)
Y = np.tanh(X[:, :2])


def gradient_with(activation, loss="squared_error"):
    network = bp.Network([3, 4, 2], activation=activation, output="identity", loss=loss, seed=1)
    return network.gradient(X, Y)


def test_activation_of_a_framework_equals_the_built_in_one(framework):
    name, module = framework
    activation = bp.activation.vector(autodiff=name, name="framework.tanh")(module.tanh)
    gradient, loss = gradient_with(activation)
    expected, expected_loss = gradient_with("tanh")
    assert np.allclose(gradient, expected, atol=1e-5) and loss == pytest.approx(expected_loss, rel=1e-5)
    assert bp.activation.check(activation) < 1e-2
    assert np.allclose(activation(X), np.tanh(X), atol=1e-6)


def test_activation_of_a_framework_may_couple_the_columns_of_a_row(framework):
    name, module = framework

    @bp.activation.vector(autodiff=name, name="framework.normalized")
    def normalized(z):
        return z / module.sqrt((z * z).sum(1, keepdims=True) + 1)

    network = bp.Network([3, 4, 2], activation=normalized, output="identity", loss="squared_error", seed=1)
    assert network.check_gradient(X, Y) < 1e-2
    before = network.evaluate(X, Y)
    network.fit(X, Y, epochs=5)
    assert network.evaluate(X, Y) < before


def test_loss_of_a_framework_equals_the_built_in_one(framework):
    name, _ = framework

    @bp.loss(autodiff=name, name="framework.squared_error", replace=True)
    def squared_error(outputs, targets):
        return ((outputs - targets) ** 2).sum(1) / 2

    gradient, loss = gradient_with("tanh", squared_error)
    expected, expected_loss = gradient_with("tanh")
    assert np.allclose(gradient, expected, atol=1e-5) and loss == pytest.approx(expected_loss, rel=1e-5)
    assert bp.check_loss(squared_error, Y, 2 * Y) < 1e-2
    losses, gradients = squared_error(Y, 3 * Y)
    assert np.allclose(losses, (2 * Y**2).sum(axis=1), rtol=1e-5) and np.allclose(gradients, -2 * Y, rtol=1e-5)
    bp.unregister_loss(squared_error)


def test_exception_and_wrong_shape_of_a_framework_are_raised(framework):
    name, _ = framework

    def refuse(z):
        raise ZeroDivisionError("no")

    with pytest.raises(ZeroDivisionError):
        gradient_with(bp.activation.vector(autodiff=name, name="framework.refuse")(refuse))
    with pytest.raises(ValueError, match="returned shape"):
        gradient_with(bp.activation.vector(autodiff=name, name="framework.short")(lambda z: z[:, :1]))


def test_function_of_numba_is_called_as_a_c_function(capfd):
    numba = pytest.importorskip("numba")

    @bp.activation.scalar(derivative=lambda z, a: 1 - a * a, name="numba.tanh")
    @numba.njit
    def compiled(z):
        return np.tanh(z)

    assert bp.activation.kind(compiled) is bp.activation.Kind.FOREIGN
    gradient, loss = gradient_with(compiled)
    expected, expected_loss = gradient_with("tanh")
    assert np.allclose(gradient, expected, atol=1e-6) and loss == pytest.approx(expected_loss, rel=1e-6)
    assert bp.activation.check(compiled) < 1e-2 and compiled(1.0) == np.tanh(1.0)
    assert capfd.readouterr().err == ""


def test_function_of_numba_needs_no_derivative_and_can_be_replaced():
    numba = pytest.importorskip("numba")
    for factor in (2.0, 3.0):
        activation = bp.activation.scalar(name="numba.square", replace=True)(numba.njit(lambda z: factor * z * z))
        unit = bp.Network([1, 1])
        unit.set_activation(1, activation)
        unit.parameters = [1, 0]
        assert unit.predict([[2]])[0, 0] == 4 * factor
        assert unit.input_jacobian([[2]])[0, 0, 0] == pytest.approx(4 * factor, rel=1e-2)


def test_loss_of_numba_is_a_function_of_arrays():
    numba = pytest.importorskip("numba")

    @bp.loss(name="numba.squared_error", replace=True)
    @numba.njit
    def squared_error(outputs, targets):
        losses, errors = np.zeros(len(outputs)), np.empty(outputs.shape, np.float32)
        for row in range(len(outputs)):
            for column in range(outputs.shape[1]):
                errors[row, column] = outputs[row, column] - targets[row, column]
                losses[row] += errors[row, column] ** 2 / 2
        return losses, errors

    assert np.allclose(gradient_with("tanh", squared_error)[0], gradient_with("tanh")[0], atol=1e-6)
    bp.unregister_loss(squared_error)


def test_bad_use_of_autodiff_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="autodiff: expected 'jax' or 'torch', got 'keras'"):
        bp.activation.vector(autodiff="keras")(abs)
    with pytest.raises(ValueError, match="autodiff: expected 'jax' or 'torch', got 'keras'"):
        bp.loss(autodiff="keras")(lambda a, y: a)
    for options in ({}, {"autodiff": "jax", "backward": abs}):
        with pytest.raises(TypeError, match="expected the function below"):
            bp.activation.vector(**options)
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs the package jax: pip install 'libbackprop\[jax\]'"):
        bp.activation.vector(autodiff="jax")(abs)
