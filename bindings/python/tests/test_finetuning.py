"""Frozen layers, new last layers, and layers from files of other programs. Tests/CTests/finetuning.c compares steps with
frozen layers with plain loops in double precision."""
import numpy as np
import pytest

import libbackprop as bp
from oracle import Oracle

numpy_files = pytest.importorskip("safetensors.numpy")

SIZES = [4, 6, 5, 3]
ACTIVATIONS = ["tanh", "softplus", "identity"]


def make(rng, frozen):
    network, oracle = bp.Network(SIZES, seed=1), Oracle(SIZES, ACTIVATIONS)
    for layer, name in enumerate(ACTIVATIONS, start=1):
        network.set_activation(layer, name)
        network.set_trainable(layer, layer not in frozen)
    oracle.parameters = network.parameters
    return network, oracle, rng.normal(size=(7, 4)), rng.normal(size=(7, 3))


@pytest.mark.parametrize("frozen", [(), (1,), (1, 2), (2,), (3,), (2, 3), (1, 3)])
def test_steps_equal_the_formulas_without_the_gradient_of_frozen_layers(rng, frozen):
    network, oracle, x, y = make(rng, frozen)
    assert network.trainable == tuple(layer not in frozen for layer in (1, 2, 3))
    free = np.concatenate([np.full(layer["weight"].size + layer["bias"].size, number not in frozen)
                           for number, layer in enumerate(oracle.layers, start=1)])
    for _ in range(3):
        _, gradient, _ = oracle.loss_and_gradient(x.astype(np.float32), y.astype(np.float32))
        measured, _ = network.gradient(x, y)
        np.testing.assert_allclose(measured, gradient * free, atol=1e-4)
        before = network.parameters
        network.train_minibatch(x, y, 0.02)
        oracle.parameters = oracle.parameters - 0.02 * gradient * free
        np.testing.assert_allclose(network.parameters, oracle.parameters, atol=1e-5)
        assert (network.parameters[~free] == before[~free]).all()


def test_all_layers_frozen_is_an_error(rng):
    network, _, x, y = make(rng, (1, 2, 3))
    before = network.to_bytes()
    for call in (lambda: network.train_minibatch(x, y, 0.1), lambda: network.train_step(x[0], y[0], 0.1),
                 lambda: bp.Trainer(epochs=1).fit(network, x, y), network.check_settings):
        with pytest.raises(bp.InvalidValueError, match="all layers are frozen"):
            call()
    assert network.to_bytes() == before


def test_pretrained_layers_are_kept_while_a_new_last_layer_learns(rng):
    x = rng.normal(size=(200, 4)).astype(np.float32)
    network = bp.Network([4, 16, 16, 1], seed=1)
    for layer in (1, 2):
        network.set_activation(layer, "tanh")
    network.set_activation(3, "identity")
    network.set_optimizer("adam")
    bp.Trainer(epochs=50, learning_rate=0.01).fit(network, x, np.sin(x[:, 0]) * x[:, 1])
    tuned = network.replace_output(2, seed=5)
    assert type(tuned) is type(network) and tuned.layers == (4, 16, 16, 2) and network.layers == (4, 16, 16, 1)
    assert tuned.optimizer == "adam" and tuned.activations == network.activations and tuned.scaling.targets == "none"
    for layer in (1, 2):
        tuned.set_trainable(layer, False)
    y = np.stack([np.cos(x[:, 0]) * x[:, 1], x[:, 2]], axis=1)
    before = tuned.evaluate(x, y)
    bp.Trainer(epochs=50, learning_rate=0.01).fit(tuned, x, y)
    assert tuned.evaluate(x, y) < 0.5 * before
    for name in ("layers.1.weight", "layers.1.bias", "layers.2.weight", "layers.2.bias"):
        assert tuned.tensors[name].tobytes() == network.tensors[name].tobytes()
    loaded = bp.Network.from_bytes(tuned.to_bytes())
    assert loaded.trainable == (False, False, True) and loaded.to_bytes() == tuned.to_bytes()
    for bad, error in ((0, bp.InvalidValueError), (1 << 50, bp.LimitError), (1 << 64, bp.LimitError)):
        with pytest.raises(error):
            network.replace_output(bad)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("from_bytes", [False, True])
def test_layers_are_loaded_by_the_names_of_another_program(rng, tmp_path, dtype, from_bytes):
    theirs = {"model.fc1.weight": rng.normal(size=(6, 4)).astype(dtype), "model.fc1.bias": rng.normal(size=6).astype(dtype),
              "head": rng.normal(size=(2, 6)).astype(dtype), "step": np.array(7), "layers.9.weight": np.zeros(3, dtype)}
    numpy_files.save_file(theirs, tmp_path / "weights")
    data = (tmp_path / "weights").read_bytes()
    network = bp.Network([4, 6, 2], seed=1)
    network.set_activation(1, "tanh")
    network.set_activation(2, "identity")
    if from_bytes:
        network.load_layer_from_bytes(1, bytearray(data), "model.fc1.weight", "model.fc1.bias")
        network.load_layer_from_bytes(2, memoryview(data), "head", None)
    else:
        network.load_layer(1, tmp_path / "weights", "model.fc1.weight", "model.fc1.bias")
        network.load_layer(2, tmp_path / "weights", "head", None)
    x = rng.normal(size=(5, 4)).astype(np.float32)
    hidden = np.tanh(x @ theirs["model.fc1.weight"].T.astype(float) + theirs["model.fc1.bias"].astype(float))
    np.testing.assert_allclose(network.predict(x), hidden @ theirs["head"].T.astype(float), rtol=1e-4, atol=1e-5)


def test_error_names_what_the_file_has(rng, tmp_path):
    network = bp.Network([4, 6, 2], seed=1)
    numpy_files.save_file({"fc1.weight": np.zeros((6, 4), np.float32), "fc1.bias": np.zeros(6, np.float32)},
                                tmp_path / "weights")
    data, before = (tmp_path / "weights").read_bytes(), network.to_bytes()
    with pytest.raises(bp.UnknownNameError, match=r'"fc1\.bias" \[6\].*did you mean "fc1\.weight"\?'):
        network.load_layer(1, tmp_path / "weights", "fc1.wieght", None)
    with pytest.raises(bp.ModelError, match=r'"layers\.1\.weight" \[6,4\]; the file has 2 tensors: '):
        network.load_weights_from_bytes(data)
    with pytest.raises(bp.ModelError, match=r'"fc1\.bias" \[6\] in the file does not match'):
        network.load_layer_from_bytes(1, data, "fc1.bias", None)
    with pytest.raises(bp.FileError):
        network.load_layer(1, tmp_path / "missing", "fc1.weight", None)
    with pytest.raises(bp.InvalidValueError):
        network.load_layer(0, tmp_path / "weights", "fc1.weight", None)
    with pytest.raises(TypeError):
        network.load_layer(1, tmp_path / "weights", None, None)
    assert network.to_bytes() == before


def test_weights_from_bytes_equal_weights_from_a_file(tmp_path):
    source, target = bp.Network([4, 6, 2], seed=2), bp.Network([4, 6, 2], seed=3)
    target.load_weights_from_bytes(source.to_bytes())
    assert (target.parameters == source.parameters).all()
