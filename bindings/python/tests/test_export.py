"""Networks as source code; Tests/Export compiles all kinds of them."""
import ctypes
import math
import shutil
import subprocess

import libbackprop as bp
import numpy as np
import pytest


needs_compiler = pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler is installed")


def compiled(source, library, outputs):
    """Compiles net_predict, and returns it as a function of one row."""
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", source, "-o", library, "-lm"], check=True)
    function = ctypes.CDLL(str(library)).net_predict
    floats = ctypes.POINTER(ctypes.c_float)

    def predict(row):
        output = np.zeros(outputs, np.float32)
        function(row.ctypes.data_as(floats), output.ctypes.data_as(floats))
        return output

    return predict


@needs_compiler
@pytest.mark.parametrize("fold", [False, True])
def test_an_exported_network_predicts_like_the_network(fold, tmp_path):
    network = bp.Network([5, 8, 3], activation="tanh", batchnorm=True, seed=1)
    x = np.random.default_rng(1).normal(7, 3, (50, 5)).astype(np.float32)
    network.fit_scaling(x, input_scaling="standard")
    network.export_c(tmp_path / "net.c", "net", fold=fold)
    predict = compiled(tmp_path / "net.c", tmp_path / "net.so", 3)
    assert ("input_offsets" in (tmp_path / "net.c").read_text()) != fold
    for row in x:
        np.testing.assert_allclose(predict(row), network.predict(row), rtol=1e-4, atol=1e-6)


FUNCTIONS = {
    "identity": lambda z: z, "logistic": lambda z: np.exp(-np.logaddexp(0, -z)), "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z < 0, 0.01 * z, z), "elu": lambda z: np.where(z < 0, np.expm1(np.minimum(z, 0)), z),
    "softsign": lambda z: z / (1 + abs(z)), "softmax": lambda z: np.exp(z - z.max()) / np.exp(z - z.max()).sum(),
    "relu6": lambda z: np.clip(z, 0, 6), "hard_sigmoid": lambda z: np.clip(z + 3, 0, 6) / 6,
    "hard_swish": lambda z: z * np.clip(z + 3, 0, 6) / 6, "softplus": lambda z: np.logaddexp(0, z),
    "silu": lambda z: z * np.exp(-np.logaddexp(0, -z)), "gelu": lambda z: z / 2 * np.vectorize(math.erfc)(-z / math.sqrt(2)),
    "selu": lambda z: np.where(z < 0, 1.7580993408473766 * np.expm1(np.minimum(z, 0)), 1.0507009873554805 * z),
    "mish": lambda z: z * np.tanh(np.logaddexp(0, z)), "gaussian": lambda z: np.exp(-z * z), "sine": np.sin,
}


def network_of_extremes(layers, activation, rng):
    """Tiny and large variances, large means, and inputs with large offsets."""
    network = bp.Network(layers, activation=activation, output=activation, seed=int(rng.integers(1 << 30)))
    network.set_option("batchnorm_epsilon", 1e-8)
    inputs = layers[0]
    x = (rng.normal(0, 1, (20, inputs)) + 10.0 ** rng.uniform(-1, 3, inputs)) * 10.0 ** rng.uniform(-4, 4, inputs)
    x = x.astype(np.float32)
    network.fit_scaling(x, rng.normal(1e3, 1e-2, (20, layers[-1])), input_scaling="standard",
                        target_scaling="min_max" if activation == "identity" else "none")
    for layer, units in enumerate(layers[1:], start=1):
        network.set_batchnorm(layer, True)
        tensors, name = network.tensors, f"layers.{layer}.norm."
        tensors[name + "weight"] = rng.normal(0, 1, units)
        tensors[name + "bias"] = rng.normal(0, 1, units)
        tensors[name + "running_mean"] = rng.normal(0, 10, units)
        tensors[name + "running_var"] = 10.0 ** rng.uniform(-12, 6, units)
    return network, x


def exact_outputs(network, row):
    """The outputs in double precision, and the bound that backprop.h states for the error of a folded function, layer by
    layer: an error e of its inputs becomes at most |w| e, and no activation here has a slope above 1.76."""
    t = {name: np.asarray(values, np.float64) for name, values in network.tensors.items()}
    offset, scale = t["scaling.inputs.offset"], t["scaling.inputs.scale"]
    x, size, error = (row - offset) / scale, abs(row), np.zeros(len(row))
    for layer, activation in enumerate(network.activations, start=1):
        weight, bias, norm = t[f"layers.{layer}.weight"], t[f"layers.{layer}.bias"], f"layers.{layer}.norm."
        gain = t[norm + "weight"] / np.sqrt(t[norm + "running_var"] + network.get_option("batchnorm_epsilon"))
        shift = t[norm + "bias"] - gain * t[norm + "running_mean"]
        z = gain * (weight @ x + bias) + shift
        if layer == 1:
            shift, weight = shift - gain * (weight @ (offset / scale)), weight / scale
        if layer == len(network.activations) and activation == "identity":
            target_scale, target_offset = t["scaling.targets.scale"], t["scaling.targets.offset"]
            z, gain, shift = target_scale * z + target_offset, target_scale * gain, target_scale * shift + target_offset
        folded = abs(gain[:, None] * weight)
        error = folded @ error + (len(x) + 2) * 2.0**-24 * (folded @ size + abs(gain * bias + shift))
        x = FUNCTIONS[activation](z)
        if activation != "identity":
            error = 1.76 * error + 8 * 2.0**-24 * abs(x) + 1e-37
        size = abs(x) + error
    return x, error


@needs_compiler
@pytest.mark.parametrize("activation", FUNCTIONS)
def test_the_error_of_a_folded_function_is_within_the_bound_of_the_header(activation, tmp_path):
    rng = np.random.default_rng(1)
    largest = 0
    for layers in ([7, 40], [7, 20, 3]):
        network, rows = network_of_extremes(layers, activation, rng)
        network.export_c(tmp_path / "net.c", "net", fold=True)
        predict = compiled(tmp_path / "net.c", tmp_path / f"net{len(layers)}.so", layers[-1])
        for row in rows:
            exact, bound = exact_outputs(network, row.astype(np.float64))
            assert (abs(predict(row) - exact) <= bound).all()
            assert (abs(predict(row) - network.predict(row)) <= 2 * bound).all()
            largest = max(largest, (abs(predict(row) - exact) / bound).max())
    assert largest > 0.01 or activation == "softmax"  # the bound is not too large to be useful; softmax returns 0 and 1 here


@needs_compiler
def test_folding_into_8_bits_is_as_exact_as_8_bits(tmp_path):
    network = bp.Network([5, 16, 2], activation="tanh", output="identity", batchnorm=True, seed=1)
    rng = np.random.default_rng(1)
    x = (rng.normal(3, 1, (100, 5)) * [1e-3, 1, 10, 100, 1e4]).astype(np.float32)  # one scale cannot hold these inputs
    network.fit_scaling(x, rng.normal(50, 5, (100, 2)), input_scaling="standard", target_scaling="standard")
    differences = []
    for fold in (False, True):
        network.export_c(tmp_path / "net.c", "net", bits=8, fold=fold)
        predict = compiled(tmp_path / "net.c", tmp_path / f"net{fold}.so", 2)
        differences.append(max(abs(predict(row) - network.predict(row)).max() for row in x))
    assert 0 < differences[1] < 1.01 * differences[0]


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
