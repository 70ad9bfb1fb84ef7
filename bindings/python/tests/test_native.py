"""Activations that are C functions: from shared libraries, ctypes, numba, scipy and plug-in files."""
import ctypes
import ctypes.util
import gc
import math
import os
import subprocess
import weakref
from pathlib import Path

import numpy as np
import pytest

import header
import libbackprop as bp
from libbackprop import _native

numba = pytest.importorskip("numba")
scipy = pytest.importorskip("scipy")
pytest.importorskip("scipy.special.cython_special")

ROOT = Path(__file__).resolve().parents[3]
M = ctypes.CDLL(ctypes.util.find_library("m"))
Z = np.linspace(-4, 4, 33, dtype=np.float32).reshape(-1, 1)


def declared(function, restype, *argtypes):
    function.restype, function.argtypes = restype, argtypes
    return function


def values(activation, z=Z):
    """f(z), computed by a network of one unit with weight 1 and bias 0."""
    network = bp.Network([1, 1])
    network.set_activation(1, activation)
    network.parameters = [1, 0]
    return network.predict(z)


def expected(function, z=Z):
    return np.array([[function(float(each))] for each in z[:, 0]], np.float32)


@numba.cfunc("float64(float64)")
def numba_square(z):
    return z * z


@numba.cfunc("float64(float64)")
def numba_double(z):
    return 2 * z


# Results


def test_library_function_is_found_by_its_name():
    erf = bp.activation.from_library("libm.so.6", "erf", "d(d)")
    assert erf.name == "erf" and bp.activation.kind(erf) is bp.activation.Kind.LIBRARY
    assert (values(erf) == expected(math.erf)).all()
    assert bp.activation.check(erf) < 1e-4
    with pytest.raises(TypeError, match="C function"):
        erf(0.5)


def test_library_function_can_have_constants_a_derivative_and_another_name():
    half = bp.activation.from_library("libm.so.6", "ldexp", "d(d,i)", constants=[-1], name="half", thread_safe=True)
    assert (values(half) == Z / 2).all()
    sine = bp.activation.from_library(None, "sin", "d(d)", derivative="cos", name="libm_sin")
    assert (values("libm_sin") == expected(math.sin)).all() and bp.activation.check(sine) < 1e-4


def test_ctypes_function_with_declared_types_needs_no_signature():
    fmax = bp.activation.from_pointer(declared(M.fmax, ctypes.c_double, ctypes.c_double, ctypes.c_double), constants=[0.5])
    assert fmax.name == "fmax" and bp.activation.kind(fmax) is bp.activation.Kind.FOREIGN
    assert (values(fmax) == np.maximum(Z, np.float32(0.5))).all()


def test_ctypes_function_without_types_needs_a_signature():
    undeclared = ctypes.CDLL(ctypes.util.find_library("m")).atan
    with pytest.raises(TypeError, match="signature"):
        bp.activation.from_pointer(undeclared)
    assert (values(bp.activation.from_pointer(undeclared, "d(d)")) == expected(math.atan)).all()


def test_address_needs_a_signature_and_a_name():
    address = ctypes.cast(M.tanh, ctypes.c_void_p).value
    with pytest.raises(TypeError, match="name"):
        bp.activation.from_pointer(address, "d(d)")
    with pytest.raises(TypeError, match="signature"):
        bp.activation.from_pointer(address, name="c.tanh")
    assert (values(bp.activation.from_pointer(address, "d(d)", name="c.tanh")) == expected(math.tanh)).all()


def test_numba_function_computes_its_formula():
    square = bp.activation.from_pointer(numba_square, derivative=numba_double, thread_safe=True)
    assert square.name == "numba_square"
    assert (values(square) == Z * Z).all()
    assert bp.activation.check(square) < 1e-4
    by_address = bp.activation.from_pointer(numba_square.address, "d(d)", name="by.address")
    assert (values(by_address) == Z * Z).all()


def test_scipy_low_level_callables_compute_their_formulas():
    of_numba = bp.activation.from_pointer(scipy.LowLevelCallable(numba_square.ctypes), name="of.numba")
    assert (values(of_numba) == Z * Z).all()
    of_ctypes = bp.activation.from_pointer(
        scipy.LowLevelCallable(declared(M.hypot, ctypes.c_double, ctypes.c_double, ctypes.c_double)),
        constants=[3], name="of.ctypes")
    np.testing.assert_array_equal(values(of_ctypes), expected(lambda z: math.hypot(z, 3)))
    j0 = scipy.LowLevelCallable.from_cython(scipy.special.cython_special, "j0")
    of_cython = bp.activation.from_pointer(j0, constants=[0], name="j0")  # double (double, int)
    np.testing.assert_allclose(values(of_cython), scipy.special.j0(Z), rtol=1e-6, atol=1e-7)


def test_low_level_callable_with_user_data_is_refused():
    function = declared(M.fmax, ctypes.c_double, ctypes.c_double, ctypes.c_double)
    with pytest.raises(ValueError, match="user_data"):
        bp.activation.from_pointer(scipy.LowLevelCallable(function, ctypes.c_void_p(5)), name="with.data")


@pytest.mark.parametrize("prototype, signature", [
    ("double (double)", "d(d)"), ("float (float z, int n)", "f(f,i)"), ("long (double, unsigned int)", "l(d,u)"),
    ("int32_t (double, int64_t, uint32_t flags)", "i(d,l,u)"), ("double (double *)", None), ("double", None),
    ("double (double, size_t)", None), ("", None)])
def test_c_types_are_converted_to_signatures(prototype, signature):
    assert _native._signature_in_c(prototype) == signature


def test_c_function_trains_like_the_equal_built_in_activation():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(64, 5)), rng.random((64, 2))
    tanh = bp.activation.from_library("libm.so.6", "tanh", "d(d)", name="c.tanh", thread_safe=True)
    networks = [bp.Network([5, 16, 2], seed=3) for _ in range(2)]
    for network, name in zip(networks, (tanh, "tanh")):
        network.set_activation(1, name)
        network.set_option("gradient_reduction", 1)
        for _ in range(50):
            network.train_minibatch(x, y, 0.2)
    np.testing.assert_allclose(networks[0].parameters, networks[1].parameters, rtol=1e-4, atol=1e-5)


def test_thread_safe_activations_give_the_same_bits_for_any_number_of_threads():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(512, 60)), rng.random((512, 4))
    square = bp.activation.from_pointer(numba_square, derivative=numba_double, name="square", thread_safe=True)
    results = []
    try:
        for threads in (1, 2, 3):
            bp.set_thread_count(threads)
            network = bp.Network([60, 80, 4], seed=3)
            network.set_activation(1, square)
            network.set_option("gradient_reduction", 1)
            for _ in range(3):
                network.train_minibatch(x, y, 0.01)
            results.append((network.to_bytes(), network.predict(x).tobytes()))
    finally:
        bp.set_thread_count(0)
    assert results[0] == results[1] == results[2]


# Checks


def test_examine_reports_the_z_of_the_worst_error_and_of_a_kink():
    wrong = bp.activation.register_scalar("wrong", math.tanh, lambda z, a: 0 if z == 3 else 1 - a * a)
    report = bp.activation.examine(wrong)
    assert report.worst_error == bp.activation.check(wrong) > 0.9 and report.worst_z == 3
    assert report.points > 150 and report.kinks == report.skipped == 0 and math.isnan(report.first_kink)
    report = bp.activation.examine("relu")
    assert report.kinks > 0 and report.first_kink == 0 and report.worst_error < 1e-2


def test_check_accepts_functions_of_matrices_and_raises_their_exceptions():
    right = bp.activation.register_vector("right", np.tanh, lambda z, a, da: da * (1 - a * a))
    bp.activation.register_vector("wrong", np.tanh, lambda z, a, da: da * (1 - a))
    failing = bp.activation.register_vector("failing", lambda z: {}["missing"], lambda z, a, da: da)
    assert bp.activation.check(right) < 1e-2 < 0.1 < bp.activation.check("wrong")
    with pytest.raises(KeyError, match="missing"):
        bp.activation.check(failing)
    with pytest.raises(bp.UnsupportedError):
        bp.activation.check("sign")
    with pytest.raises(bp.UnknownNameError):
        bp.activation.check("nobody")


def test_kinds_equal_the_constants_of_the_header():
    assert {"BP_ACTIVATION_" + kind.name: kind.value for kind in bp.activation.Kind} == {
        name: value for name, value in header.CONSTANTS.items() if name.startswith("BP_ACTIVATION_")}
    assert bp.activation.kind("tanh") is bp.activation.Kind.BUILT_IN
    assert bp.activation.kind(bp.activation.register_scalar("s", abs)) is bp.activation.Kind.SCALAR
    assert bp.activation.kind(bp.activation.register_vector("v", abs, abs)) is bp.activation.Kind.VECTOR
    with pytest.raises(bp.UnknownNameError):
        bp.activation.kind("nobody")


# Bad input


def test_missing_library_or_function_is_a_library_error():
    for path, symbol in (("./nowhere.so", "f"), ("libm.so.6", "no_such_function"), (Path("nowhere.so"), "f"), (None, "no_such")):
        with pytest.raises(bp.LibraryError) as caught:
            bp.activation.from_library(path, symbol, "d(d)")
        assert isinstance(caught.value, OSError) and caught.value.status_name == "BP_ERROR_LIBRARY"
    assert "no_such_function" not in bp.activation.names()


def test_null_characters_in_paths_and_symbols_are_refused(plugin):
    for path in ("libm.so.6\0", b"libm.so.6\0x", Path("libm\0.so")):
        with pytest.raises(ValueError, match="null character"):
            bp.activation.from_library(path, "erf", "d(d)", name="nul")
    with pytest.raises(ValueError, match="null character"):
        bp.activation.from_library("libm.so.6", "erf\0x", "d(d)", name="nul")
    for path in (f"{plugin}\0", os.fsencode(plugin) + b"\0"):
        with pytest.raises(ValueError, match="null"):
            bp.load_plugin(path)
    assert not {"nul", "celu"} & set(bp.activation.names())


def test_paths_of_libraries_and_plugins_can_be_any_bytes(plugin, tmp_path):
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9.so")
    os.symlink(plugin, path)
    for each in (path, os.fsdecode(path), Path(os.fsdecode(path))):
        bp.load_plugin(each)
        for name in ("celu", "serf", "rms"):
            bp.activation.unregister(name)
        with pytest.raises(bp.LibraryError, match=r"caf\\xe9\.so has no function"):
            bp.activation.from_library(each, "no_such_function", "d(d)")
    erf = bp.activation.from_library(b"libm.so.6", "erf", "d(d)", name="by.bytes")  # dlopen searches for the name, as for a str
    assert bp.activation.check(erf) < 1e-2
    bp.activation.unregister(erf)


@pytest.mark.parametrize("signature, constants, message", [
    ("d(x)", [], "character 3"), ("d(d", [], "character 4"), ("", [], "character 1"), ("d(d)", [1], "0 constants"),
    ("d(d,i)", [], "1 constant "), ("d(d,i)", [0.5], "constant 1"), ("d(d,d)", [math.nan], "constant 1")])
def test_malformed_signatures_and_constants_are_refused(signature, constants, message):
    with pytest.raises(bp.InvalidValueError, match=message):
        bp.activation.from_library("libm.so.6", "ldexp", signature, constants=constants)
    with pytest.raises(bp.InvalidValueError, match=message):
        bp.activation.from_pointer(ctypes.CDLL("libm.so.6").ldexp, signature, constants=constants)
    assert "ldexp" not in bp.activation.names()


def test_signature_must_equal_the_known_types_of_the_function():
    with pytest.raises(ValueError, match=r"d\(d\), not f\(f\)"):
        bp.activation.from_pointer(numba_square, "f(f)")
    with pytest.raises(ValueError, match=r"d\(d\), not d\(d,d\)"):
        bp.activation.from_pointer(declared(M.fmax, ctypes.c_double, ctypes.c_double, ctypes.c_double), constants=[1],
                                   derivative=numba_double)


@pytest.mark.parametrize("function", [None, "erf", 1.5, True, math.sin, lambda z: z, object(), (1, 2), np.zeros(3)])
def test_object_that_is_no_c_function_is_a_type_error(function):
    with pytest.raises(TypeError):
        bp.activation.from_pointer(function, "d(d)", name="no.function")


@pytest.mark.parametrize("address", [0, -1, 1 << 64, ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)()])
def test_null_and_impossible_addresses_are_value_errors(address):
    with pytest.raises(ValueError):
        bp.activation.from_pointer(address, "d(d)", name="no.function")


def test_python_functions_cannot_be_declared_thread_safe():
    for activation in (bp.activation.register_scalar("s", abs), bp.activation.register_vector("v", abs, abs), "tanh"):
        with pytest.raises(bp.UnsupportedError):
            bp.activation.set_thread_safe(activation)
    with pytest.raises(bp.UnknownNameError):
        bp.activation.set_thread_safe("nobody")


# Lifetime


def test_ctypes_function_is_kept_as_long_as_it_is_used():
    class Squaring:
        def __call__(self, z):
            return z * z

    python_function = Squaring()
    reference = weakref.ref(python_function)
    pointer = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(python_function)
    activation = bp.activation.from_pointer(pointer, name="squaring")
    network = bp.Network([1, 1])
    network.set_activation(1, activation)
    network.parameters = [1, 0]
    del python_function, pointer, activation
    gc.collect()
    bp.activation.unregister("squaring")
    gc.collect()
    assert network.predict([[3]]) == 9 and reference() is not None
    twin = network.clone()
    network.close()
    gc.collect()
    assert twin.predict([[3]]) == 9
    twin.close()
    gc.collect()
    assert reference() is None and not _native._kept


def test_refused_function_is_not_kept():
    for name in ("tanh", "Bad", ""):
        with pytest.raises(bp.InvalidValueError):
            bp.activation.from_pointer(numba_square, name=name)
    assert not _native._kept


# Plug-in files


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    path = tmp_path_factory.mktemp("plugin") / "activations.so"
    subprocess.run(["cc", "-std=c99", "-O2", "-shared", "-fPIC", "-I", ROOT / "include",
                    ROOT / "Examples/plugin-c/activations.c", "-o", path, "-lm"], check=True)
    return path


def test_plugin_file_registers_its_activations(plugin, monkeypatch):
    monkeypatch.chdir(plugin.parent)
    bp.load_plugin(plugin.name)  # a file, not a name that dlopen searches for
    assert bp.activation.names()[-3:] == ["celu", "serf", "rms"]
    network = bp.Network([2, 3, 3, 1], seed=1)
    for layer, name in enumerate(("celu", "serf", "rms")):
        assert bp.activation.check(name) < 1e-2
        network.set_activation(layer + 1, name)
    bp.activation.set_thread_safe("celu", False)  # allowed: it is not a Python function
    assert network.train_minibatch([[0, 1], [1, 0]], [[1], [0]], 0.01) > 0
    saved = network.to_bytes()
    for name in ("celu", "serf", "rms"):
        bp.activation.unregister(name)
    with pytest.raises(bp.UnknownNameError, match="\"celu\",\"serf\",\"rms\""):
        bp.Network.from_bytes(saved)
    bp.load_plugin(plugin)
    assert bp.Network.from_bytes(saved).to_bytes() == saved
    with pytest.raises(bp.CallbackError, match="celu"):
        bp.load_plugin(plugin)


def test_file_that_is_no_plugin_is_refused(tmp_path):
    (tmp_path / "text.so").write_text("this is text")
    for path in (tmp_path / "nowhere.so", tmp_path / "text.so", tmp_path, bp.library_path()):
        with pytest.raises(bp.LibraryError):
            bp.load_plugin(path)
    with pytest.raises(TypeError):
        bp.load_plugin(None)
