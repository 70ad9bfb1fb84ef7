"""Weights from files that the safetensors package and PyTorch wrote."""
import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import libbackprop as bp

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(5, 3)).astype(np.float32)


def tensors(dtype=np.float32):
    """Those of a network 3-4-2 with layer 1 normalized, by the names a state dictionary of PyTorch has."""
    return {"layers.2.bias": RANDOM.normal(size=2).astype(dtype), "layers.1.weight": RANDOM.normal(size=(4, 3)).astype(dtype),
            "layers.1.norm.weight": RANDOM.normal(size=4).astype(dtype), "layers.1.norm.bias": RANDOM.normal(size=4).astype(dtype),
            "layers.1.norm.running_mean": RANDOM.normal(size=4).astype(dtype),
            "layers.1.norm.running_var": RANDOM.random(4).astype(dtype), "layers.1.norm.num_batches_tracked": np.array(7),
            "layers.1.bias": RANDOM.normal(size=4).astype(dtype), "layers.2.weight": RANDOM.normal(size=(2, 4)).astype(dtype)}


def network():
    network = bp.Network([3, 4, 2], seed=1)
    network.set_activation(1, "tanh")
    network.set_activation(2, "identity")
    network.set_batchnorm(1)
    return network


def forward(t):
    """The formulas, in double precision."""
    t = {name: np.asarray(value, np.float64) for name, value in t.items()}
    z = X @ t["layers.1.weight"].T + t["layers.1.bias"]
    z = (z - t["layers.1.norm.running_mean"]) / np.sqrt(t["layers.1.norm.running_var"] + 1e-5)
    return np.tanh(z * t["layers.1.norm.weight"] + t["layers.1.norm.bias"]) @ t["layers.2.weight"].T + t["layers.2.bias"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_network_computes_what_the_file_says(tmp_path, dtype):
    theirs, ours = tensors(dtype), network()
    safetensors.numpy.save_file(theirs, tmp_path / "weights", metadata={"format": "pt", "by": "somebody else"})
    ours.load_weights(tmp_path / "weights")
    assert np.allclose(ours.predict(X), forward(theirs), rtol=1e-5, atol=1e-5)
    ours.save(tmp_path / "model")
    again = safetensors.numpy.load_file(tmp_path / "model")
    for name, tensor in again.items():
        if name.startswith("layers."):
            assert tensor.tobytes() == theirs[name].astype(np.float32).tobytes()


def test_state_dictionary_of_pytorch_computes_what_it_does_there():
    fixtures = Path(__file__).resolve().parents[3] / "Tests" / "Fixtures"
    expected = json.loads((fixtures / "weights.json").read_text())
    ours = bp.Network([5, 8, 6, 3], seed=1)
    for layer, activation in enumerate(["tanh", "relu", "identity"], 1):
        ours.set_activation(layer, activation)
        if layer < 3:
            ours.set_batchnorm(layer)
    ours.load_weights(fixtures / "weights.safetensors")
    assert np.allclose(ours.predict(expected["inputs"]), expected["outputs"], rtol=1e-5, atol=1e-6)


def test_weights_survive_the_way_through_the_package(tmp_path):
    source, target = network(), network()
    source.train_minibatch(X, RANDOM.normal(size=(5, 2)), 0.1)
    source.save(tmp_path / "model")
    safetensors.numpy.save_file(safetensors.numpy.load_file(tmp_path / "model"), tmp_path / "copy")
    target.load_weights(tmp_path / "copy")
    assert target.predict(X).tobytes() == source.predict(X).tobytes()


def test_what_does_not_fit_is_named_and_changes_nothing(tmp_path):
    ours = network()
    before = ours.to_bytes()

    def refused(change, error, match):
        theirs = tensors()
        change(theirs)
        safetensors.numpy.save_file(theirs, tmp_path / "weights")
        with pytest.raises(error, match=match) as caught:
            ours.load_weights(tmp_path / "weights")
        assert ours.to_bytes() == before
        return caught.value.status_name

    mismatch = "BP_ERROR_MISMATCH"
    assert refused(lambda t: t.pop("layers.2.weight"), bp.ModelError, r'"layers\.2\.weight" \[2,4\]') == mismatch
    assert refused(lambda t: t.update({"layers.2.bias": np.zeros((1, 2), np.float32)}), bp.ModelError,
                   r'"layers\.2\.bias" \[1,2\].*\[2\]') == mismatch
    assert refused(lambda t: t.update({"layers.3.bias": np.zeros(2, np.float32)}), bp.ModelError,
                   r"layers\.3\.bias") == mismatch
    assert refused(lambda t: t.update({"layers.2.bias": np.zeros(2, np.int32)}), bp.ModelError, r"layers\.2\.bias") == mismatch
    refused(lambda t: t.update({"layers.2.bias": np.array([1, np.nan], np.float32)}), bp.NotFiniteError, r"layers\.2\.bias")
    with pytest.raises(bp.FileError):
        ours.load_weights(tmp_path / "missing")
