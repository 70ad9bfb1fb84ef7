"""Source code of models."""
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


def test_swift_is_chosen_by_the_option_or_the_name_of_the_file(iris_model, tmp_path):
    out = backprop("export", iris_model, "-o", tmp_path / "iris.swift").out
    assert out == "Iris.predict(_ input: [Float]) -> [Float]\n"
    assert "\nenum Iris {\n" in (tmp_path / "iris.swift").read_text()
    backprop("export", iris_model, "-o", tmp_path / "other", "--language", "swift", "--prefix", "Flowers")
    assert "\nenum Flowers {\n" in (tmp_path / "other").read_text()
    backprop("export", iris_model, "-o", tmp_path / "iris.swift", "--language", "c")
    assert "void iris_predict" in (tmp_path / "iris.swift").read_text()


@pytest.mark.parametrize("name, prefix", [("2.c", "n2"), ("a b.tar.c", "a_b"), ("\u00e9.c", "n__"), (100 * "x" + ".c", 63 * "x")])
def test_names_are_made_from_the_name_of_the_file(iris_model, tmp_path, name, prefix):
    assert backprop("export", iris_model, "-o", tmp_path / name).out.startswith(f"void {prefix}_predict(")


def test_wrong_arguments_leave_the_old_file(iris_model, tmp_path):
    path = tmp_path / "kept.c"
    path.write_text("kept")
    assert "--save is needed" in backprop("export", iris_model, status=2).error
    assert "option --language has no value \"java\"" in backprop("export", iris_model, "-o", path, "--language", "java", status=2).error
    assert "option --bits has no value \"16\"" in backprop("export", iris_model, "-o", path, "--bits", "16", status=2).error
    assert "letters" in backprop("export", iris_model, "-o", path, "--prefix", "a b", status=1).error
    backprop("export", iris_model, "-o", path, "--language", "swift", "--prefix", "lower", status=1)
    backprop("export", tmp_path / "none.safetensors", "-o", path, status=1)
    assert path.read_text() == "kept"
    assert "cannot write" in backprop("export", iris_model, "-o", tmp_path / "none" / "x.c", status=1).error
