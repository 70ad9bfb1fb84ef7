"""Creation, copies, settings, parameters and closing of a network."""
import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import libbackprop as bp


def test_layers_and_representation():
    network = bp.Network((64, 32, 10), seed=1)
    assert network.layers == (64, 32, 10)
    assert repr(network) == "<Network [64, 32, 10] logistic logistic, 2410 parameters, squared_error, sgd>"
    assert network.parameter_count == 64 * 32 + 32 + 32 * 10 + 10
    network.close()
    assert repr(network) == "<closed Network [64, 32, 10]>"


def test_layer_sizes_can_be_numpy_integers():
    assert bp.Network(np.array([3, 2]), seed=np.uint64(2**64 - 1)).layers == (3, 2)


def test_parameters_returns_a_copy_and_assigning_replaces_them():
    network = bp.Network([3, 2])
    values = np.arange(8, dtype=np.float32)
    network.parameters = values
    out = network.parameters
    assert out.dtype == np.float32 and out.shape == (8,) and (out == values).all()
    out[:] = 0
    assert (network.parameters == values).all()
    network.parameters = list(range(8))
    assert (network.parameters == values).all()


def test_weights_are_row_major_with_one_row_per_output():
    network = bp.Network([3, 2])
    network.set_activation(1, "identity")
    network.parameters = [1, 2, 3, 4, 5, 6, 10, 20]
    np.testing.assert_array_equal(network.predict([1, 10, 100]), [321 + 10, 654 + 20])


def test_batchnorm_changes_the_parameter_count_and_keeps_gamma_and_beta_while_disabled():
    network = bp.Network([3, 4, 2], seed=1)
    plain = network.parameters
    network.set_batchnorm(1)
    assert network.parameter_count == plain.size + 8
    assert (network.parameters[16:24] == [1] * 4 + [0] * 4).all()
    parameters = network.parameters
    parameters[16:24] = 5
    network.parameters = parameters
    network.set_batchnorm(1, False)
    assert network.parameters.tobytes() == plain.tobytes()
    network.set_batchnorm(1, True)
    assert network.parameters.tobytes() == parameters.tobytes()


@pytest.mark.parametrize("name, default, other", [
    ("gradient_reduction", "sum", "mean"), ("initialization", "automatic", "lecun"), ("batchnorm_epsilon", 1e-5, 1e-3),
    ("batchnorm_momentum", 0.1, 0.5), ("batchnorm_update", "together", "gamma_first")])
def test_options_have_their_defaults_and_can_be_set(name, default, other):
    network = bp.Network([3, 2])
    assert network.get_option(name) == default
    network.set_option(name, other)
    assert network.get_option(name) == other


@pytest.mark.parametrize("duplicate", [
    bp.Network.clone, copy.copy, copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network)),
    lambda network: bp.Network.from_bytes(network.to_bytes())], ids=["clone", "copy", "deepcopy", "pickle", "bytes"])
def test_duplicate_is_equal_and_independent(rng, duplicate):
    network = bp.Network([3, 4, 2], seed=1)
    network.set_activation(1, "tanh")
    network.set_batchnorm(1)
    x, y = rng.normal(size=(5, 3)), rng.random((5, 2))
    network.train_minibatch(x, y, 0.1)
    twin = duplicate(network)
    assert type(twin) is bp.Network and twin.layers == network.layers
    assert twin.to_bytes() == network.to_bytes()
    network.train_minibatch(x, y, 0.1)
    assert twin.parameters.tobytes() != network.parameters.tobytes()
    twin.train_minibatch(x, y, 0.1)
    assert twin.to_bytes() == network.to_bytes()
    network.close()
    twin.predict(x)


def test_subclass_stays_a_subclass_through_pickle_and_clone():
    network = Subclass([3, 2])
    assert type(pickle.loads(pickle.dumps(network))) is Subclass
    assert type(network.clone()) is Subclass


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))],
                         ids=["copy", "deepcopy", "pickle"])
def test_duplicate_keeps_attributes_that_the_program_added(duplicate):
    network = Subclass([3, 2])
    network.names, network.itself = ["a", "b"], network
    twin = duplicate(network)
    assert type(twin) is Subclass and twin.names == ["a", "b"]
    assert (twin.names is network.names) == (duplicate is copy.copy)
    assert (twin.itself is twin) == (duplicate is not copy.copy)


@pytest.mark.parametrize(("name", "value", "remedy"), [
    ("optimizer", "lbfgs", ": call set_optimizer('lbfgs')"), ("dropout", 0.2, ": call set_dropout(layer, 0.2)"),
    ("trainable", False, ": call set_trainable(layer, False)"), ("momentum", 0.5, ": call set_option('momentum', 0.5)"),
    ("optimiser", "adam", ": did you mean 'optimizer'?"), ("learning_rate", 0.1, ": it is an option of a trainer"),
    ("step_count", 0, ""), ("wheel", 4, ""), ("_wheel", 4, "")])
def test_assigning_an_attribute_that_does_not_exist_or_cannot_be_set_is_refused(name, value, remedy):
    network = bp.Network([3, 4, 2])
    before = network.to_bytes()
    with pytest.raises(AttributeError) as caught:
        setattr(network, name, value)
    assert str(caught.value).startswith(f"cannot set {name!r} of a network{remedy}") and network.to_bytes() == before


def test_views_and_predictors_refuse_unknown_attributes():
    network = bp.Network([3, 2])
    for owner in (network.tensors, network.metadata, bp.Predictor(network)):
        with pytest.raises(AttributeError, match="source"):
            owner.source = "sensor 3"


def test_subclass_can_have_other_attributes_but_not_set_a_setting():
    network = Subclass([3, 4, 2])
    network.dropout, network._private = 0.2, 3
    assert (network.dropout, network._private) == (0.2, 3)
    with pytest.raises(AttributeError, match="call set_loss"):
        network.loss = "huber"
    with pytest.raises(ValueError, match=r"parameters: expected shape \(26,\)"):
        network.parameters = [1]  # the error of the setter


def test_duplicate_keeps_an_activation_that_was_replaced():
    bp.activation.register_scalar("replaced", lambda z: 2 * z)
    network = bp.Network([3, 2], seed=1)
    network.set_activation(1, "replaced")
    bp.activation.register_scalar("replaced", lambda z: 3 * z, replace=True)
    for duplicate in (copy.copy, copy.deepcopy):
        np.testing.assert_array_equal(duplicate(network).predict([1, 2, 3]), network.predict([1, 2, 3]))


def test_second_call_of_the_constructor_creates_a_new_network():
    network = bp.Network([3, 2])
    network.__init__([4, 5, 6], seed=2)
    assert network.layers == (4, 5, 6) and network.to_bytes() == bp.Network([4, 5, 6], seed=2).to_bytes()
    with pytest.raises(bp.InvalidValueError):
        network.__init__([3])
    assert network.to_bytes() == bp.Network([4, 5, 6], seed=2).to_bytes()


class Subclass(bp.Network):
    pass


X, Y = np.zeros((2, 3), np.float32), np.zeros((2, 2), np.float32)

USES = {
    "set_activation": lambda n: n.set_activation(1, "tanh"),
    "set_batchnorm": lambda n: n.set_batchnorm(1),
    "set_loss": lambda n: n.set_loss("squared_error"),
    "set_option": lambda n: n.set_option("gradient_reduction", 1),
    "get_option": lambda n: n.get_option("gradient_reduction"),
    "initialize": lambda n: n.initialize(1),
    "train_step": lambda n: n.train_step(X[0], Y[0], 0.1),
    "train_minibatch": lambda n: n.train_minibatch(X, Y, 0.1),
    "gradient": lambda n: n.gradient(X, Y),
    "apply_gradient": lambda n: n.apply_gradient(np.zeros(8), 0.1),
    "check_gradient": lambda n: n.check_gradient(X, Y),
    "predict": lambda n: n.predict(X),
    "evaluate": lambda n: n.evaluate(X, Y),
    "parameter_count": lambda n: n.parameter_count,
    "parameters": lambda n: n.parameters,
    "set parameters": lambda n: setattr(n, "parameters", np.zeros(8)),
    "save": lambda n: n.save("never written"),
    "to_bytes": lambda n: n.to_bytes(),
    "clone": lambda n: n.clone(),
}


@pytest.mark.parametrize("use", USES)
def test_every_use_of_a_closed_network_is_an_invalid_handle_error(use):
    network = bp.Network([3, 2])
    USES[use](network.clone())  # the call itself is valid
    network.close()
    network.close()
    with pytest.raises(bp.InvalidHandleError, match="closed") as caught:
        USES[use](network)
    assert isinstance(caught.value, (bp.Error, ValueError))
    assert caught.value.status == bp.Status.ERROR_INVALID_HANDLE


@pytest.fixture(autouse=True)
def work_in_a_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_context_manager_closes_the_network():
    with bp.Network([3, 2]) as network:
        network.predict(X)
    with pytest.raises(bp.InvalidHandleError):
        network.predict(X)


def test_garbage_collection_frees_the_network_and_its_activations():
    @bp.activation.scalar()
    def freed_with_its_network(z):
        return z

    network = bp.Network([3, 2])
    network.set_activation(1, freed_with_its_network)
    bp.activation.unregister(freed_with_its_network)
    reference = weakref.ref(freed_with_its_network)
    del freed_with_its_network
    gc.collect()
    assert reference() is not None
    del network
    gc.collect()
    gc.collect()  # PyPy frees in the first one only what nothing refers to, and then calls __del__
    assert reference() is None


def test_network_whose_constructor_failed_is_deleted_without_error():
    with pytest.raises(bp.InvalidValueError):
        bp.Network([3])
    gc.collect()


def test_one_row_is_accepted_wherever_rows_are_predicted(rng):
    network = bp.Network([3, 4, 2], seed=1)
    x, d, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 2)), rng.random(size=(5, 2))
    for use in (network.predict, lambda x: network.predict_layer(1, x), network.input_jacobian):
        assert use(x[0]).shape == use(x).shape[1:] and (use(x[0]) == use(x[:1])[0]).all()
    assert (network.input_gradients(x[0], d[0]) == network.input_gradients(x[:1], d[:1])[0]).all()
    assert network.input_gradients(x[0], d[0]).shape == (3,)
    assert (network.backpropagate(x[0], d[0]) == network.backpropagate(x[:1], d[:1])).all()
    assert network.backpropagate_to_inputs(x[0], d[0])[1].shape == (3,)
    assert network.row_losses(x[0], y[0]).shape == () and network.row_losses(x[0], y[0]) == network.row_losses(x, y)[0]
    assert network.row_losses(x[0], 1) == network.row_losses(x[:1], [1])[0]
    for bad in (lambda: network.input_gradients(x[0], d), lambda: network.input_gradients(x, d[0]),
                lambda: network.row_losses(x[0], y), lambda: network.row_losses(x, y[0]),
                lambda: network.input_jacobian(x[0, :2]), lambda: network.predict_layer(1, x[0, 0])):
        with pytest.raises(ValueError, match="expected shape"):
            bad()
