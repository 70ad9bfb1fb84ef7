"""Source code and ONNX models of models."""
import ctypes
import subprocess

import libbackprop as bp
import numpy as np
import pytest
from conftest import IRIS, backprop


def predict(source, prefix, rows, outputs):
    """Compiles a C file, and predicts rows."""
    library = source.with_suffix(".so")
    subprocess.run(["cc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-O1", "-shared", "-fPIC", source, "-o", library,
                    "-lm"], check=True)
    function = ctypes.CDLL(str(library))[f"{prefix}_predict"]
    floats = ctypes.POINTER(ctypes.c_float)
    result = np.zeros((len(rows), outputs), np.float32)
    for x, y in zip(rows, result):
        function(x.ctypes.data_as(floats), y.ctypes.data_as(floats))
    return result


def test_the_exported_file_predicts_as_the_model_and_lists_its_columns(iris_model, tmp_path):
    out = backprop("export", iris_model, "-o", tmp_path / "iris-1.c").out
    assert out == "void iris_1_predict(const float *input, float *output);\n"
    text = (tmp_path / "iris-1.c").read_text()
    assert 'classes: ["setosa", "versicolor", "virginica"]' in text and "numbers,petal_width," in text
    rows = np.genfromtxt(IRIS, delimiter=",", skip_header=1, usecols=range(4), dtype=np.float32)
    expected = bp.Network.load(iris_model).predict(rows)
    assert np.allclose(predict(tmp_path / "iris-1.c", "iris_1", rows, 3), expected, rtol=0, atol=1e-5)

    backprop("export", iris_model, "-o", tmp_path / "small.c", "--bits", "8", "--prefix", "flowers")
    small = predict(tmp_path / "small.c", "flowers", rows, 3)
    assert 0 < np.abs(small - expected).max() < 0.1
    assert (tmp_path / "small.c").stat().st_size < len(text)


@pytest.mark.parametrize("bits", ["32", "8"])
def test_folding_makes_a_smaller_file_that_predicts_almost_as_the_model(iris_model, tmp_path, bits):
    rows = np.genfromtxt(IRIS, delimiter=",", skip_header=1, usecols=range(4), dtype=np.float32)
    expected = bp.Network.load(iris_model).predict(rows)
    backprop("export", iris_model, "-o", tmp_path / "iris.c", "--bits", bits)
    backprop("export", iris_model, "-o", tmp_path / "fold.c", "--bits", bits, "--fold")
    assert "folded into the weights" in (tmp_path / "fold.c").read_text()
    assert bits == "8" or (tmp_path / "fold.c").stat().st_size < (tmp_path / "iris.c").stat().st_size
    difference = np.abs(predict(tmp_path / "fold.c", "fold", rows, 3) - expected).max()
    assert 0 < difference < (1e-5 if bits == "32" else 0.1)


def test_swift_is_chosen_by_the_option_or_the_name_of_the_file(iris_model, tmp_path):
    out = backprop("export", iris_model, "-o", tmp_path / "iris.swift").out
    assert out == "Iris.predict(_ input: [Float]) -> [Float]\n"
    assert "\nenum Iris {\n" in (tmp_path / "iris.swift").read_text()
    backprop("export", iris_model, "-o", tmp_path / "other", "--format", "swift", "--prefix", "Flowers")
    assert "\nenum Flowers {\n" in (tmp_path / "other").read_text()
    backprop("export", iris_model, "-o", tmp_path / "iris.swift", "--format", "c")
    assert "void iris_predict" in (tmp_path / "iris.swift").read_text()


@pytest.mark.parametrize("name, prefix", [("2.c", "n2"), ("a b.tar.c", "a_b"), ("\u00e9.c", "n__"), (100 * "x" + ".c", 63 * "x")])
def test_names_are_made_from_the_name_of_the_file(iris_model, tmp_path, name, prefix):
    assert backprop("export", iris_model, "-o", tmp_path / name).out.startswith(f"void {prefix}_predict(")


def test_wrong_arguments_leave_the_old_file(iris_model, tmp_path):
    path = tmp_path / "kept.c"
    path.write_text("kept")
    assert "--save is needed" in backprop("export", iris_model, status=2).error
    assert "option --format has no value \"java\"" in backprop("export", iris_model, "-o", path, "--format", "java", status=2).error
    assert "option --bits has no value \"16\"" in backprop("export", iris_model, "-o", path, "--bits", "16", status=2).error
    assert "letters" in backprop("export", iris_model, "-o", path, "--prefix", "a b", status=1).error
    backprop("export", iris_model, "-o", path, "--format", "swift", "--prefix", "lower", status=1)
    backprop("export", tmp_path / "none.safetensors", "-o", path, status=1)
    assert path.read_text() == "kept"
    assert "cannot write" in backprop("export", iris_model, "-o", tmp_path / "none" / "x.c", status=1).error


def network(layers, activation, output=None, batchnorm=False, scaling="none", seed=1):
    made = bp.Network(layers, activation=activation, output=output or activation, batchnorm=batchnorm, seed=seed)
    made.fit_scaling(*(np.random.default_rng(seed).normal(3, 2, (50, size)) for size in (layers[0], layers[-1])),
                     input_scaling=scaling, target_scaling=scaling)
    return made


def onnx_networks():
    """Networks with each built-in activation, batch normalization and scaling."""
    for name in bp.activation.names():
        if bp.activation.kind(name) == bp.activation.Kind.BUILT_IN:
            yield network([3, 5, 2], name)
    normalized = network([4, 8, 6, 3], ["tanh", "gelu"], "softmax", batchnorm=True)
    for _ in range(3):
        normalized.train_minibatch(np.random.default_rng(2).normal(1, 3, (20, 4)), np.eye(3)[np.arange(20) % 3], learning_rate=0.1)
    normalized.set_option("batchnorm_epsilon", 1e-3)
    normalized.metadata["unit"] = "\u00b5m \U0001f33c"
    yield normalized
    for scaling in ("standard", "min_max", "symmetric"):
        yield network([6, 200, 2], "relu", scaling=scaling)


def test_the_onnx_model_is_the_one_that_python_writes(iris_model, tmp_path):
    onnx = pytest.importorskip("onnx")
    path, count = tmp_path / "model.safetensors", 0
    for made in [bp.Network.load(iris_model), *onnx_networks()]:
        made.save(path)
        out = backprop("export", path, "-o", tmp_path / "model.onnx").out
        assert out == f"inputs: float32 [rows, {made.layers[0]}], outputs: float32 [rows, {made.layers[-1]}]\n"
        model = onnx.load(tmp_path / "model.onnx")
        onnx.checker.check_model(model, full_check=True)
        made.to_onnx(tmp_path / "python.onnx")
        assert model == onnx.load(tmp_path / "python.onnx")
        count += 1
    assert count > 20


def test_onnx_runtime_predicts_from_the_model_as_the_library(iris_model, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    path = tmp_path / "model.safetensors"
    for made in [bp.Network.load(iris_model), *onnx_networks()]:
        made.save(path)
        backprop("export", path, "--format", "onnx", "-o", tmp_path / "model")
        session = onnxruntime.InferenceSession(tmp_path / "model", providers=["CPUExecutionProvider"])
        rows = np.random.default_rng(3).normal(0, 3, (40, made.layers[0])).astype(np.float32)
        [outputs] = session.run(["outputs"], {"inputs": rows})
        assert np.allclose(outputs, made.predict(rows), rtol=1e-5, atol=1e-5), made.activations


def test_options_of_source_code_are_refused_for_onnx(iris_model, tmp_path):
    path = tmp_path / "kept.onnx"
    path.write_text("kept")
    for option in ("--bits=8", "--fold", "--prefix=iris"):
        assert "not for ONNX" in backprop("export", iris_model, "-o", path, option, status=2).error
    assert path.read_text() == "kept"
