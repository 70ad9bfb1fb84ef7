"""Loading weights from files of the safetensors package and PyTorch."""
import json
import struct
from pathlib import Path

import numpy as np
import pytest

import libbackprop as bp

numpy_files = pytest.importorskip("safetensors.numpy")

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(5, 3)).astype(np.float32)


def tensors(dtype=np.float32):
    """Tensors of a network 3-4-2 with batch normalization in layer 1, with the names of a PyTorch state dictionary."""
    return {"layers.2.bias": RANDOM.normal(size=2).astype(dtype),
            "layers.1.weight": RANDOM.normal(size=(4, 3)).astype(dtype),
            "layers.1.norm.weight": RANDOM.normal(size=4).astype(dtype),
            "layers.1.norm.bias": RANDOM.normal(size=4).astype(dtype),
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
    """The predictions for X, computed in double precision with the formulas of the notes."""
    t = {name: np.asarray(value, np.float64) for name, value in t.items()}
    z = X @ t["layers.1.weight"].T + t["layers.1.bias"]
    z = (z - t["layers.1.norm.running_mean"]) / np.sqrt(t["layers.1.norm.running_var"] + 1e-5)
    return np.tanh(z * t["layers.1.norm.weight"] + t["layers.1.norm.bias"]) @ t["layers.2.weight"].T + t["layers.2.bias"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_predictions_equal_the_formulas_with_the_weights_of_the_file(tmp_path, dtype):
    theirs, ours = tensors(dtype), network()
    numpy_files.save_file(theirs, tmp_path / "weights", metadata={"format": "pt", "by": "another program"})
    ours.load_weights(tmp_path / "weights")
    assert np.allclose(ours.predict(X), forward(theirs), rtol=1e-5, atol=1e-5)
    ours.save(tmp_path / "model")
    again = numpy_files.load_file(tmp_path / "model")
    for name, tensor in again.items():
        if name.startswith("layers."):
            assert tensor.tobytes() == theirs[name].astype(np.float32).tobytes()


def test_predictions_with_weights_of_pytorch_equal_the_predictions_of_pytorch():
    fixtures = Path(__file__).resolve().parents[3] / "Tests" / "Fixtures"
    expected = json.loads((fixtures / "weights.json").read_text())
    ours = bp.Network([5, 8, 6, 3], seed=1)
    for layer, activation in enumerate(["tanh", "relu", "identity"], 1):
        ours.set_activation(layer, activation)
        if layer < 3:
            ours.set_batchnorm(layer)
    ours.load_weights(fixtures / "weights.safetensors")
    assert np.allclose(ours.predict(expected["inputs"]), expected["outputs"], rtol=1e-5, atol=1e-6)


def test_weights_that_the_safetensors_package_rewrites_are_loaded_unchanged(tmp_path):
    source, target = network(), network()
    source.train_minibatch(X, RANDOM.normal(size=(5, 2)), 0.1)
    source.save(tmp_path / "model")
    numpy_files.save_file(numpy_files.load_file(tmp_path / "model"), tmp_path / "copy")
    target.load_weights(tmp_path / "copy")
    assert target.predict(X).tobytes() == source.predict(X).tobytes()


BODY = {"layers.1.weight": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]},
        "layers.1.bias": {"dtype": "F32", "shape": [1], "data_offsets": [8, 12]}}


def entry(data_offsets, shape, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": data_offsets}


@pytest.mark.parametrize("header", [
    json.dumps(BODY), json.dumps(BODY, indent=2), json.dumps(BODY) + " " * 13, json.dumps(BODY) + "\n\t\r ",
    json.dumps({**BODY, "__metadata__": None}), json.dumps({"__metadata__": {}, **BODY}),
    json.dumps({"__metadata__": {"": "", "a\u0000b": "\U0001f600"}, **BODY}),
    json.dumps(dict(reversed(BODY.items()))),
    json.dumps({name: {"more": [1.5, {"x": None}, True], **tensor} for name, tensor in BODY.items()}),
    json.dumps({name: {**tensor, "strides": [1]} for name, tensor in BODY.items()}),
    json.dumps({name: dict(reversed(tensor.items())) for name, tensor in BODY.items()}),
    json.dumps({**BODY, "empty": entry([12, 12], [0])}), json.dumps({**BODY, "empty": entry([0, 0], [3, 0])}),
    json.dumps({**BODY, "empty": entry([8, 8], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0])}),
    json.dumps({"": entry([12, 12], [0], "U8"), **BODY}),
    json.dumps({name.replace("l", "\u006c"): tensor for name, tensor in BODY.items()}),
    json.dumps(BODY).replace("layers", "\\u006cayers").replace("F32", "\\u0046\\u0033\\u0032"),
    json.dumps({**BODY, "layers.1.bias": entry([8, 12], [1], "F32"), "x": entry([12, 12], [0] * 40, "I16")}),
    # Headers that both refuse
    json.dumps(BODY)[:-1], json.dumps(BODY) + "x", " " + json.dumps(BODY), "[]", "", json.dumps({**BODY, "x": 1}),
    json.dumps({**BODY, "__metadata__": {"a": 1}}), json.dumps({**BODY, "__metadata__": []}),
    json.dumps({**BODY, "x": entry([12, 16], [1])}), json.dumps({**BODY, "x": entry([4, 12], [2])}),
    json.dumps({**BODY, "x": {"dtype": "F32", "shape": [0]}}), json.dumps({**BODY, "x": entry([12.0, 12], [0])}),
    json.dumps({**BODY, "x": entry([12, 12], [-1])}), json.dumps({**BODY, "x": entry([12, 12, 12], [0])}),
    json.dumps(BODY).replace('"shape": [1, 2]', '"shape": [1, 2], "shape": [1, 2]'),
    json.dumps(BODY).replace('"shape": [1, 2]', '"shape": [1, 2], "x": nan'),
    json.dumps(BODY).replace('"shape": [1, 2]', '"shape": [1, 2], "x": ' + "[" * 1000 + "]" * 1000),
    json.dumps(BODY).replace('"shape": [1, 2]', '"shape": [1, 2], "x": ' + "[" * 60 + "]" * 60),
    json.dumps(BODY).replace('"shape": [1, 2]', '"shape": [1, 2], "x": "\x01"'),
    json.dumps(BODY).replace('"shape": [1, 2]', '"shape": [1, 2], "x": "\\ud800"')])
def test_files_are_accepted_exactly_if_the_safetensors_package_accepts_them(tmp_path, header):
    """Except for duplicate names, which the format forbids: the package uses the last one."""
    data = np.array([1, 2, 3], np.float32).tobytes()
    (tmp_path / "weights").write_bytes(struct.pack("<Q", len(header.encode())) + header.encode() + data)
    ours = bp.Network([2, 1], seed=1)
    before = ours.to_bytes()
    try:
        theirs = numpy_files.load_file(tmp_path / "weights")
    except Exception:
        with pytest.raises(bp.ModelError):
            ours.load_weights(tmp_path / "weights")
        assert ours.to_bytes() == before
    else:
        assert theirs["layers.1.weight"].tolist() == [[1, 2]]
        ours.load_weights(tmp_path / "weights")
        assert ours.parameters.tolist() == [1, 2, 3]


def test_error_names_the_tensor_that_does_not_match_and_nothing_changes(tmp_path):
    ours = network()
    before = ours.to_bytes()

    def refused(change, error, match):
        theirs = tensors()
        change(theirs)
        numpy_files.save_file(theirs, tmp_path / "weights")
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
