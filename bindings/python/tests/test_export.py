"""Networks as source code; Tests/Export compiles all kinds of them."""
import ctypes
import shutil
import subprocess

import libbackprop as bp
import numpy as np
import pytest


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler is installed")
def test_an_exported_network_predicts_like_the_network(tmp_path):
    network = bp.Network([5, 8, 3], activation="tanh", batchnorm=True, seed=1)
    x = np.random.default_rng(1).normal(7, 3, (50, 5)).astype(np.float32)
    network.fit_scaling(x, input_scaling="standard")
    network.export_c(tmp_path / "net.c", "net")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", tmp_path / "net.c", "-o", tmp_path / "net.so", "-lm"], check=True)
    predict = ctypes.CDLL(str(tmp_path / "net.so")).net_predict
    row = np.zeros(3, np.float32)
    floats = ctypes.POINTER(ctypes.c_float)
    for each in x:
        predict(each.ctypes.data_as(floats), row.ctypes.data_as(floats))
        np.testing.assert_allclose(row, network.predict(each), rtol=1e-4, atol=1e-6)


def test_wrong_arguments_are_refused_and_leave_the_old_file(tmp_path):
    network = bp.Network([2, 1])
    path = tmp_path / "kept.c"
    path.write_text("kept")
    for name in ("", "1", "a b", "a-b", "é"):
        with pytest.raises(bp.InvalidValueError):
            network.export_c(path, name)
        with pytest.raises(bp.InvalidValueError):
            network.export_swift(path, name)
    for bits in (0, 16, 1 << 40):
        with pytest.raises(bp.InvalidValueError, match="32 or 8"):
            network.export_c(path, "net", bits=bits)
    with pytest.raises(TypeError):
        network.export_c(path, "net", bits="8")
    with pytest.raises(TypeError):
        network.export_c(path, None)
    with pytest.raises(ValueError):
        network.export_swift(path, "lower")
    assert path.read_text() == "kept"
    with pytest.raises(FileNotFoundError):
        network.export_c(tmp_path / "none" / "net.c", "net")
