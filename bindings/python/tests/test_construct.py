"""The settings that the constructor accepts, summary, repr and the layers as attributes."""
import copy
import pickle

import numpy as np
import pytest

import libbackprop as bp


def test_constructor_equals_the_calls_of_the_setters():
    network = bp.Network([6, 5, 4, 3], activation=["tanh", "relu"], output="softmax", loss="cross_entropy",
                         batchnorm=[True, False], dropout=[0, 0.25], optimizer="adam", seed=3, weight_decay=0.01,
                         gradient_reduction="mean")
    same = bp.Network([6, 5, 4, 3], 3)
    for layer, name in enumerate(["tanh", "relu", "softmax"], start=1):
        same.set_activation(layer, name)
    same.set_loss("cross_entropy")
    same.set_batchnorm(1)
    same.set_dropout(2, 0.25)
    same.set_optimizer("adam")
    same.set_option("weight_decay", 0.01)
    same.set_option("gradient_reduction", "mean")
    assert network.to_bytes() == same.to_bytes()


def test_network_without_settings_is_that_of_the_notes():
    network = bp.Network([2, 3, 1])
    assert network.activations == ("logistic", "logistic")
    assert (network.loss, network.optimizer, network.batchnorm) == ("squared_error", "sgd", (False, False))


@pytest.mark.parametrize(("given", "output", "loss"), [
    ({"loss": "cross_entropy"}, "softmax", "cross_entropy"),
    ({"loss": "binary_cross_entropy"}, "logistic", "binary_cross_entropy"),
    ({"loss": "poisson"}, "softplus", "poisson"), ({"loss": "huber"}, "identity", "huber"),
    ({"output": "softmax"}, "softmax", "cross_entropy"), ({"output": "logistic"}, "logistic", "binary_cross_entropy"),
    ({"output": "identity"}, "identity", "squared_error"), ({"output": "tanh", "loss": "huber"}, "tanh", "huber"),
    ({"activation": "relu"}, "logistic", "squared_error")], ids=str)
def test_output_and_loss_suit_each_other(given, output, loss):
    network = bp.Network([3, 4, 2], **given)
    assert (network.activations[-1], network.loss) == (output, loss)


def test_one_value_is_for_all_hidden_layers_only():
    network = bp.Network([2, 3, 4, 1], activation="gelu", batchnorm=True, dropout=0.5)
    assert network.activations == ("gelu", "gelu", "logistic") and network.batchnorm == (True, True, False)
    assert [network.get_dropout(layer) for layer in (1, 2)] == [0.5, 0.5]


def test_custom_activation_and_loss_are_accepted():
    activation = bp.activation.register_scalar("triple", lambda z: 3 * z)
    loss = bp.loss(lambda a, y: ((a - y).sum(axis=1), np.ones_like(a)), name="construct.custom", replace=True)
    network = bp.Network([2, 3, 1], activation=activation, output=activation, loss=loss)
    assert network.activations == ("triple", "triple") and network.loss == "construct.custom"
    bp.unregister_loss(loss)


@pytest.mark.parametrize(("given", "message"), [
    ({"activation": "tahn"}, 'no activation is named "tahn": did you mean "tanh"? '
     'libbackprop.activation.names() lists all: identity, sign, logistic, tanh'),
    ({"activation": "sigmoid"}, 'no activation is named "sigmoid": did you mean "logistic"?'),
    ({"activation": ["tanh"], "output": "softmaxx"}, 'no activation is named "softmaxx": did you mean "softmax"?'),
    ({"loss": "crossentropy"}, 'no loss is named "crossentropy": did you mean "cross_entropy"? '
     'libbackprop.loss_names() lists all: squared_error, '),
    ({"optimizer": "adm"}, 'no optimizer is named "adm": did you mean "adam"?'),
    ({"optimizer": "ftrl"}, 'no optimizer is named "ftrl": the names are "sgd", "momentum", '),
    ({"activaton": "tanh"}, 'no option of a network is named "activaton": call Network.set_activation. '
     'libbackprop.options() lists all: activation, output, loss, '),
    ({"epochs": 3}, 'no option of a network is named "epochs": "epochs" is an option of a trainer.')], ids=str)
def test_wrong_name_lists_the_right_ones(given, message):
    with pytest.raises(bp.UnknownNameError) as caught:
        bp.Network([2, 3, 1], **given)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(("given", "error", "message"), [
    ({"activation": ["tanh"]}, ValueError, "or a registered one, or one for each of the 2 hidden layers, got 1"),
    ({"dropout": [0.1, 0.2, 0.3]}, ValueError, "dropout: expected a number, or one for each of the 2 hidden layers, got 3"),
    ({"batchnorm": []}, ValueError, "batchnorm: expected a bool, or one for each of the 2 hidden layers, got 0"),
    ({"batchnorm": "no"}, TypeError, "batchnorm: expected a bool, or one for each of the 2 hidden layers, got str"),
    ({"batchnorm": ["no", "no"]}, TypeError, "enabled: expected a bool, got str"),
    ({"dropout": "0.5"}, TypeError, "dropout: expected a number, or one for each of the 2 hidden layers, got str"),
    ({"dropout": 2}, bp.InvalidValueError, "0.999"),
    ({"activation": np.tanh}, TypeError, "activation: expected the name of an activation or a registered one, or one for each"),
    ({"activation": [3, 4]}, TypeError, "activation: expected a str, got int"),
    ({"loss": 3}, TypeError, "loss: expected a str, got int"),
    ({"momentum": "fast"}, TypeError, "momentum: expected a number"),
    ({"gradient_reduction": "max"}, ValueError, "expected one of 'sum', 'mean', got 'max'")], ids=str)
def test_bad_setting_is_refused(given, error, message):
    with pytest.raises(error) as caught:
        bp.Network([2, 3, 3, 1], **given)
    assert message in str(caught.value)


@pytest.mark.parametrize(("given", "error", "message"), [
    ({"activation": "nonsense"}, bp.UnknownNameError, 'no activation is named "nonsense"'),
    ({"activation": ["tanh"]}, ValueError, "one for each of the 0 hidden layers, got 1"),
    ({"dropout": 2}, bp.InvalidValueError, "0.999")], ids=str)
def test_settings_of_hidden_layers_are_checked_for_a_network_that_has_none(given, error, message):
    with pytest.raises(error, match=message):
        bp.Network([4, 3], **given)


def test_settings_of_hidden_layers_do_not_change_a_network_that_has_none():
    plain = bp.Network([4, 3], seed=1)
    for given in ({"activation": "tanh"}, {"activation": []}, {"dropout": 0.5}, {"batchnorm": True}):
        assert bp.Network([4, 3], seed=1, **given).to_bytes() == plain.to_bytes()


@pytest.mark.parametrize("call", [
    lambda: bp.Network([4, -3, 2]), lambda: bp.Network([4, 2]).set_activation(-3, "tanh"),
    lambda: bp.Network([4, 2]).replace_output(-3)])
def test_negative_size_or_layer_is_refused_with_the_least_value(call):
    with pytest.raises(ValueError, match="expected 1 or more, got -3"):
        call()


def test_layers_are_their_sizes_and_have_arrays():
    network = bp.Network([3, 4, 2], batchnorm=True, dropout=0.25, activation="relu", seed=1)
    assert network.layers == (3, 4, 2) and repr(network.layers) == "(3, 4, 2)"
    layer = network.layers[1]
    expected = network.parameters
    assert layer.weight.tolist() == expected[:12].reshape(4, 3).tolist() and layer.bias.tolist() == expected[12:16].tolist()
    assert layer.gamma.tolist() == [1] * 4 and layer.beta.tolist() == [0] * 4
    assert layer.running_mean.tolist() == [0] * 4 and layer.running_variance.tolist() == [1] * 4
    assert (layer.activation, layer.batchnorm, layer.dropout, layer.trainable) == ("relu", True, 0.25, True)
    assert network.layers[2].dropout is None


def test_arrays_of_a_layer_can_be_set():
    network = bp.Network([3, 4, 2], batchnorm=True)
    layer = network.layers[1]
    for name in ("weight", "bias", "gamma", "beta", "running_mean", "running_variance"):
        values = np.arange(getattr(layer, name).size, dtype=np.float32).reshape(getattr(layer, name).shape)
        setattr(layer, name, values)
        assert getattr(layer, name).tolist() == values.tolist()
    network.layers[2].weight = network.layers[2].weight * 2
    layer.activation, layer.dropout, layer.trainable, layer.batchnorm = "tanh", 0.5, False, False
    assert (layer.activation, layer.dropout, layer.trainable, layer.batchnorm) == ("tanh", 0.5, False, False)


def test_wrong_use_of_a_layer_is_an_error_and_not_ignored():
    network = bp.Network([3, 2], seed=1)
    layer = network.layers[1]
    with pytest.raises(ValueError, match="read-only"):
        layer.weight[0, 0] = 3
    with pytest.raises(ValueError, match=r"expected shape \(2, 3\), got \(3, 2\)"):
        layer.weight = np.zeros((3, 2))
    with pytest.raises(AttributeError, match="layer 1 has no batch normalization"):
        layer.gamma  # noqa: B018
    with pytest.raises(AttributeError, match="layer 1 has no batch normalization"):
        layer.beta = [0, 0]
    with pytest.raises(AttributeError, match="a layer has no attribute 'weights'"):
        layer.weights = np.zeros((2, 3))
    with pytest.raises(TypeError, match="trainable: expected a bool, got str"):
        layer.trainable = "no"
    for name in ("weight", "bias", "activation", "dropout", "trainable", "batchnorm"):
        with pytest.raises(AttributeError, match="layer 0 holds the inputs"):
            getattr(network.layers[0], name)
    network.close()
    with pytest.raises(bp.InvalidHandleError):
        layer.weight  # noqa: B018


def test_a_copy_of_a_layer_is_a_number():
    layers = bp.Network([3, 2]).layers
    for twin in (pickle.loads(pickle.dumps(layers)), copy.deepcopy(layers)):
        assert twin == (3, 2) and type(twin[1]) is int


def test_summary_shows_all_settings():
    network = bp.Network([4, 8, 1200, 3], activation="relu", output="softmax", batchnorm=[True, False], dropout=[0.1, 0],
                         optimizer="adam")
    network.fit_scaling(np.eye(4))
    network.classes = ["red", "green", "blue"]
    network.set_trainable(1, False)
    text = network.summary()
    assert repr(text) == text
    for line in ("1          8  relu        yes            0.1  frozen             56", "2      1,200  relu",
                 "14,459 parameters, loss cross_entropy, optimizer adam, 0 steps", "3 classes: red, green, blue",
                 "scaling of inputs: standard; of targets: none"):
        assert line in text, text
    assert network.parameter_count == 14459


def test_network_is_stored_by_joblib(tmp_path):
    joblib = pytest.importorskip("joblib")
    network = bp.Network([2, 3, 2], output="softmax", seed=1)
    network.classes = ["a", "b"]
    joblib.dump(network, tmp_path / "network.joblib")
    again = joblib.load(tmp_path / "network.joblib")
    assert again.to_bytes() == network.to_bytes() and again.classes == ("a", "b")
    results = joblib.Parallel(n_jobs=2, prefer="threads")(joblib.delayed(network.predict)([[k, 1]]) for k in range(3))
    assert np.concatenate(results).tobytes() == network.predict([[0, 1], [1, 1], [2, 1]]).tobytes()
