"""JAX: parameters as pytrees and networks as functions."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import libbackprop as bp  # noqa: E402
from conversions import BUILT_IN, trained  # noqa: E402
from libbackprop.jax import from_pytree, function, to_pytree  # noqa: E402


@pytest.mark.parametrize("activation", BUILT_IN)
def test_the_function_and_the_pytree_of_a_network_predict_the_same(activation, rng):
    network, x = trained(activation, rng)
    tree, expected = to_pytree(network), network.predict(x)
    assert np.allclose(jax.jit(function(network))(tree, x), expected, rtol=1e-5, atol=1e-5)
    assert np.allclose(jax.vmap(function(network), (None, 0))(tree, x), expected, rtol=1e-5, atol=1e-5)
    other = network.clone()
    other.initialize(7)
    from_pytree(other, tree)
    assert (other.predict(x) == expected).all()


def test_gradients_of_the_function_are_those_of_backpropagation(rng):
    network = bp.Network([4, 6, 3], seed=1)
    x, d = rng.normal(size=(10, 4)).astype(np.float32), rng.normal(size=(10, 3)).astype(np.float32)
    apply = function(network)
    tree, inputs = jax.grad(lambda tree, x: (apply(tree, x) * d).sum(), argnums=(0, 1))(to_pytree(network), x)
    parameters, expected = network.backpropagate_to_inputs(x, d)
    found = np.concatenate([np.ravel(tree["layers"][layer][part]) for layer in "12" for part in ("weight", "bias")])
    assert np.allclose(found, parameters, rtol=1e-4, atol=1e-5) and np.allclose(inputs, expected, rtol=1e-4, atol=1e-5)


def test_a_wrong_pytree_is_refused_and_changes_nothing(rng):
    network, _ = trained("tanh", rng)
    before = network.to_bytes()
    for change, message in ((lambda layers: layers.pop("2"), "no 'layers.2.weight'"),
                            (lambda layers: layers["1"].update(weight=np.ones((2, 2))), "shape"),
                            (lambda layers: layers["3"].update(bias=np.full(3, np.nan)), "NaN|finite")):
        tree = to_pytree(network)
        change(tree["layers"])
        with pytest.raises((ValueError, bp.NotFiniteError), match=message):
            from_pytree(network, tree)
    assert network.to_bytes() == before


def test_custom_activations_are_refused_by_name():
    bp.activation.register_scalar("cube", lambda z: z ** 3, lambda z, a: 3 * z * z)
    network = bp.Network([2, 1])
    network.set_activation(1, "cube")
    with pytest.raises(bp.UnsupportedError, match="layer 1: the custom activation 'cube'"):
        function(network)
