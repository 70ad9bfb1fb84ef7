"""Activations written in Python: results, names, failures, calls back into the library, and lifetime."""
import ctypes
import gc
import math
import threading
import traceback
import weakref

import numpy as np
import pytest

import libbackprop as bp
from libbackprop import _call

SIZES = [3, 4, 4, 2]
PARTS = ["scalar function", "scalar derivative", "vector forward", "vector backward"]


def data(rows=5):
    rng = np.random.default_rng(3)
    return rng.normal(size=(rows, 3)).astype(np.float32), rng.random((rows, 2)).astype(np.float32)


def register_tanh(name="my_tanh", *, kind="scalar", hook=lambda part: None):
    """tanh, calling hook(part) in each of its functions."""
    def function(z):
        hook("scalar function")
        return math.tanh(z)

    def derivative(z, a):
        hook("scalar derivative")
        return 1 - a * a

    def forward(z):
        hook("vector forward")
        return np.tanh(z)

    def backward(z, a, da):
        hook("vector backward")
        return da * (1 - a * a)

    if kind == "scalar":
        return bp.activation.register_scalar(name, function, derivative)
    return bp.activation.register_vector(name, forward, backward)


def network_with(activation, layers=(1, 2, 3)):
    network = bp.Network(SIZES, seed=1)
    for layer in layers:
        network.set_activation(layer, activation)
    return network


USES = {
    "train_step": lambda network, x, y: network.train_step(x[0], y[0], 0.1),
    "train_minibatch": lambda network, x, y: network.train_minibatch(x, y, 0.1),
    "gradient": lambda network, x, y: network.gradient(x, y),
    "check_gradient": lambda network, x, y: network.check_gradient(x, y),
    "evaluate": lambda network, x, y: network.evaluate(x, y),
    "predict": lambda network, x, y: network.predict(x),
}


# Results


@pytest.mark.parametrize("kind", ["scalar", "vector"])
@pytest.mark.parametrize("batchnorm", [False, True])
def test_python_activation_equals_the_built_in_one(kind, batchnorm):
    x, y = data()
    plugged, built_in = network_with(register_tanh(kind=kind)), network_with("tanh")
    plugged.parameters = built_in.parameters
    for network in (plugged, built_in):
        network.set_batchnorm(2, batchnorm)
    for use in USES.values():
        a, b = use(plugged, x, y), use(built_in, x, y)
        if use is not USES["check_gradient"]:
            for one, other in zip(*((a, b) if isinstance(a, tuple) else ((a,), (b,)))):
                np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(plugged.parameters, built_in.parameters, atol=1e-5)


def test_omitted_derivative_is_approximated_by_central_differences():
    x, y = data()
    numeric = bp.activation.register_scalar("numeric_tanh", math.tanh)
    plugged, built_in = network_with(numeric), network_with("tanh")
    plugged.parameters = built_in.parameters
    np.testing.assert_allclose(plugged.gradient(x, y)[0], built_in.gradient(x, y)[0], rtol=2e-3, atol=2e-3)
    assert plugged.check_gradient(x, y) < 1e-2


def test_python_softmax_equals_the_built_in_softmax():
    @bp.activation.vector(backward=lambda z, a, da: a * (da - (da * a).sum(axis=1, keepdims=True)))
    def my_softmax(z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    x, y = data()[0], np.eye(2)[[0, 1, 1, 0, 1]]
    networks = []
    for name in (my_softmax, "softmax"):
        network = network_with("tanh")
        network.set_activation(3, name)
        network.set_loss("cross_entropy")
        networks.append(network)
    plugged, built_in = networks
    plugged.parameters = built_in.parameters
    for _ in range(20):
        np.testing.assert_allclose(plugged.gradient(x, y)[0], built_in.gradient(x, y)[0], atol=1e-5)
        assert plugged.train_minibatch(x, y, 0.1) == pytest.approx(built_in.train_minibatch(x, y, 0.1), abs=1e-5)
    np.testing.assert_allclose(plugged.predict(x), built_in.predict(x), atol=1e-5)


@pytest.mark.parametrize("kind", ["scalar", "vector"])
def test_check_gradient_is_small_for_right_and_large_for_wrong_derivatives(kind):
    x, y = data()
    right = register_tanh("right", kind=kind)
    if kind == "scalar":
        wrong = bp.activation.register_scalar("wrong", math.tanh, lambda z, a: 1 - a)
    else:
        wrong = bp.activation.register_vector("wrong", np.tanh, lambda z, a, da: da * (1 - a))
    assert network_with(right).check_gradient(x, y) < 1e-2
    assert network_with(wrong).check_gradient(x, y) > 1e-1


@pytest.mark.parametrize("name", ["tanh", "my_tanh"])
@pytest.mark.parametrize("batchnorm", [False, True])
@pytest.mark.parametrize("sizes", [SIZES, [64, 32, 10]])
def test_check_gradient_is_small_for_right_derivatives_in_networks_of_any_kind(name, batchnorm, sizes):
    register_tanh(kind="vector")
    rng = np.random.default_rng(0)
    network = bp.Network(sizes, seed=1)
    network.set_activation(1, name)
    network.set_batchnorm(1, batchnorm)
    worst = network.check_gradient(rng.normal(size=(8, sizes[0])), rng.random((8, sizes[-1])))
    assert worst < 1e-2


def test_vector_functions_get_read_only_views_of_the_memory_of_the_library():
    seen = []

    def check(*arrays):
        for array in arrays:
            assert array.dtype == np.float32 and array.shape == (5, 4) and array.flags.c_contiguous
            assert not array.flags.writeable and not array.flags.owndata
            with pytest.raises(ValueError, match="read-only"):
                array[:] = 0
            seen.append(array.copy())

    def forward(z):
        check(z)
        return np.tanh(z)

    def backward(z, a, da):
        check(z, a, da)
        assert (a == np.tanh(z)).all()
        return da * (1 - a * a)

    network = network_with(bp.activation.register_vector("looking", forward, backward), layers=[2])
    network.train_minibatch(*data(), 0.1)
    assert len(seen) == 4 and (seen[0] == seen[1]).all()


@pytest.mark.parametrize("result", [
    lambda z: z, lambda z: z.astype(float), lambda z: z.astype(int), lambda z: z.tolist(), lambda z: z > 0,
    np.asfortranarray, lambda z: z[::-1][::-1]])
def test_vector_function_can_return_numbers_of_any_type_with_the_right_shape(result):
    network = network_with(bp.activation.register_vector("any", result, lambda z, a, da: da), layers=[3])
    network.predict(data()[0])


def test_scalar_function_can_return_a_number_of_any_type():
    for name, function in {"int": int, "bool": lambda z: z > 0, "numpy": np.float32, "numpy64": np.float64}.items():
        network_with(bp.activation.register_scalar("returns_" + name, function)).predict(data()[0])


# Names


def test_decorators_use_the_name_of_the_function_and_return_a_callable():
    @bp.activation.scalar(derivative=lambda z, a: 2 * z)
    def square(z):
        """z squared."""
        return z * z

    @bp.activation.vector(backward=lambda z, a, da: da, name="same.as-it_was")
    def unchanged(z):
        return z

    assert square.name == "square" and square(3) == 9 and square.__doc__ == "z squared."
    assert unchanged.name == "same.as-it_was" and unchanged("anything") == "anything"
    assert bp.activation.names()[-2:] == ["square", "same.as-it_was"]
    for activation in (square, "square", unchanged, "same.as-it_was"):
        bp.Network([2, 2]).set_activation(1, activation)


def test_built_in_names_come_first():
    assert bp.activation.names() == [
        "identity", "sign", "logistic", "tanh", "relu", "leaky_relu", "elu", "softplus", "softsign", "silu", "gelu",
        "selu", "mish", "hard_sigmoid", "hard_swish", "relu6", "sine", "gaussian", "softmax"]


@pytest.mark.parametrize("name", ["", "A", "a b", "é", "a" * 65, "tanh", "taken", "<lambda>"])
def test_malformed_and_registered_names_are_refused_and_nothing_is_kept(name):
    register_tanh("taken")
    for kind in ("scalar", "vector"):
        gc.collect()
        before = dict(_call.plugins)
        with pytest.raises(bp.InvalidValueError):
            register_tanh(name, kind=kind)
        assert _call.plugins == before


def test_name_of_64_characters_is_accepted():
    register_tanh("a" * 64)
    assert bp.activation.names()[-1] == "a" * 64


def test_objects_that_are_not_callable_are_a_type_error():
    for call in (lambda: bp.activation.register_scalar("x", 3), lambda: bp.activation.register_scalar("x", abs, 3),
                 lambda: bp.activation.register_scalar("x", None), lambda: bp.activation.register_vector("x", abs, None),
                 lambda: bp.activation.register_vector("x", abs, "abs")):
        with pytest.raises(TypeError):
            call()
    assert "x" not in bp.activation.names()


def test_unregistered_name_is_unknown_and_can_be_registered_again():
    register_tanh("for_a_while")
    bp.activation.unregister("for_a_while")
    assert "for_a_while" not in bp.activation.names()
    with pytest.raises(bp.UnknownNameError):
        bp.Network([2, 2]).set_activation(1, "for_a_while")
    bp.activation.unregister(register_tanh("for_a_while"))


def test_built_in_activation_cannot_be_unregistered():
    with pytest.raises(bp.UnsupportedError):
        bp.activation.unregister("tanh")


# Failures


class CustomError(Exception):
    pass


@pytest.mark.parametrize("exception", [CustomError, KeyboardInterrupt, SystemExit, MemoryError, bp.BusyError])
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize("others", ["logistic", "relu", "softmax"])
def test_exception_of_a_callback_aborts_the_step_and_is_raised_again(exception, part, layer, others):
    x, y = data()
    raised, armed = exception("from the callback"), False

    def hook(called):
        if armed and called == part:
            raise raised

    network = network_with(others)
    network.set_activation(layer, register_tanh(kind=part.split()[0], hook=hook))
    network.set_batchnorm(2)
    network.train_minibatch(x, y, 0.1)
    before, armed = network.to_bytes(), True
    for name, use in USES.items():
        if name in ("predict", "evaluate") and part in ("scalar derivative", "vector backward"):
            use(network, x, y)
            continue
        with pytest.raises(exception) as caught:
            use(network, x, y)
        assert caught.value is raised
        assert "hook" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert network.to_bytes() == before, name
    armed = False
    network.train_minibatch(x, y, 0.1)
    assert network.to_bytes() != before


@pytest.mark.parametrize("kind, part", [("scalar", "scalar function"), ("vector", "vector forward")])
def test_no_function_is_called_after_the_first_failure(kind, part):
    calls = []

    def hook(called):
        calls.append(called)
        raise CustomError

    network = network_with(register_tanh(kind=kind, hook=hook))
    for use in USES.values():
        calls.clear()
        with pytest.raises(CustomError):
            use(network, *data())
        assert calls == [part]


def test_exception_is_raised_only_once():
    fail = True

    def hook(part):
        if fail:
            raise CustomError

    network = network_with(register_tanh(hook=hook))
    with pytest.raises(CustomError):
        network.predict(data()[0])
    fail = False
    network.predict(data()[0])


@pytest.mark.parametrize("shape", [(), (5,), (4,), (5, 3), (4, 5), (1, 4), (5, 1), (5, 4, 1)])
@pytest.mark.parametrize("part", ["forward", "backward"])
def test_result_of_a_wrong_shape_is_a_value_error(shape, part):
    functions = {"forward": np.tanh, "backward": lambda z, a, da: da}
    functions[part] = lambda *arrays: np.zeros(shape)
    network = network_with("tanh")
    network.set_activation(2, bp.activation.register_vector("misshapen", **functions))
    before = network.to_bytes()
    with pytest.raises(ValueError, match=f"'misshapen': {part} returned shape") as caught:
        network.train_minibatch(*data(), 0.1)
    assert str(shape) in str(caught.value) and "(5, 4)" in str(caught.value)
    assert network.to_bytes() == before


@pytest.mark.parametrize("returned", [None, "text", 1j, object()])
def test_result_that_is_no_number_is_a_type_error(returned):
    scalar = bp.activation.register_scalar("no_number", lambda z: returned)
    vector = bp.activation.register_vector("no_numbers", lambda z: np.full(z.shape, returned), lambda z, a, da: da)
    for activation in (scalar, vector):
        with pytest.raises((TypeError, ValueError)):
            network_with(activation).predict(data()[0])


def vector_cell(slope, **options):
    return bp.activation.vector(backward=lambda z, a, da: slope * da, name="cell", **options)(lambda z: slope * z)


def identity_network(activation):
    network = bp.Network([2, 2], seed=1)
    network.parameters = [1, 0, 0, 1, 0, 0]
    network.set_activation(1, activation)
    return network


def scalar_cell(slope, **options):
    return bp.activation.scalar(derivative=lambda z, a: slope, name="cell", **options)(lambda z: slope * z)


def pointer_cell(slope, **options):
    prototype = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)
    return bp.activation.from_pointer(prototype(lambda z: slope * z), name="cell", **options)


def library_cell(slope, **options):
    """ldexp(z, exponent) = z * 2**exponent."""
    return bp.activation.from_library("libm.so.6", "ldexp", "d(d,i)", constants=[{1: 0, 2: 1, 4: 2}[slope]], name="cell",
                                      thread_safe=True, **options)


CELLS = {"vector": vector_cell, "scalar": scalar_cell, "pointer": pointer_cell, "library": library_cell}


@pytest.mark.parametrize("second", CELLS)
@pytest.mark.parametrize("first", CELLS)
def test_replace_gives_the_name_to_another_function_and_networks_keep_the_old_one(first, second):
    before = bp.activation.names()
    CELLS[first](2, replace=True)  # the name is free
    old = identity_network("cell")
    CELLS[second](4, replace=True)
    new = identity_network("cell")
    assert bp.activation.names() == [*before, "cell"]
    for _ in range(2):
        assert old.predict([1, 3]).tolist() == [2, 6]
        assert new.predict([1, 3]).tolist() == [4, 12]
        CELLS[first](1, replace=True)
    assert identity_network("cell").predict([1, 3]).tolist() == [1, 3]


@pytest.mark.parametrize("kind", CELLS)
def test_registered_name_is_refused_without_replace(kind):
    CELLS[kind](2)
    with pytest.raises(bp.InvalidValueError, match="cell"):
        CELLS[kind](4)
    assert identity_network("cell").predict([1, 3]).tolist() == [2, 6]


@pytest.mark.parametrize("register, error", [
    (lambda: bp.activation.from_library("libm.so.6", "no_such_function", "d(d)", name="cell", replace=True), bp.LibraryError),
    (lambda: bp.activation.from_library("libm.so.6", "erf", "q(d)", name="cell", replace=True), bp.InvalidValueError),
    (lambda: bp.activation.from_pointer(1, None, name="cell", replace=True), TypeError),
    (lambda: bp.activation.register_vector("cell", None, lambda z, a, da: da, replace=True), TypeError),
    (lambda: bp.activation.register_scalar("Cell!", abs, replace=True), bp.InvalidValueError),
    (lambda: bp.activation.register_scalar("tanh", abs, replace=True), bp.InvalidValueError)])
def test_replace_that_fails_leaves_the_old_activation(register, error):
    vector_cell(2)
    names = bp.activation.names()
    with pytest.raises(error):
        register()
    assert bp.activation.names() == names
    assert identity_network("cell").predict([1, 3]).tolist() == [2, 6]
    assert bp.activation.kind("tanh") == bp.activation.Kind.BUILT_IN


def test_several_threads_may_replace_one_name():
    errors = []

    def replace():
        try:
            for _ in range(200):
                bp.activation.register_scalar("shared", math.sin, math.cos, replace=True)
        except bp.Error as error:
            errors.append(error)

    threads = [threading.Thread(target=replace) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert "shared" in bp.activation.names()


def test_replaced_function_is_freed_with_the_last_network_that_has_it():
    first = vector_cell(2)
    network, reference = identity_network(first), weakref.ref(first)
    vector_cell(4, replace=True)
    del first
    gc.collect()
    assert reference() is not None
    network.close()
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize("kind", ["scalar", "vector"])
def test_nan_from_a_callback_fails_the_step_but_not_the_prediction(kind):
    nan = (bp.activation.register_scalar("nan", lambda z: math.nan) if kind == "scalar" else
           bp.activation.register_vector("nan", lambda z: np.full_like(z, np.nan), lambda z, a, da: da))
    network = network_with(nan, layers=[3])
    before = network.to_bytes()
    with pytest.raises(bp.NotFiniteError):
        network.train_minibatch(*data(), 0.1)
    assert network.to_bytes() == before
    assert np.isnan(network.predict(data()[0])).all()


def test_exception_of_one_thread_is_not_raised_in_another():
    barrier, seen = threading.Barrier(2), {}

    def hook(part):
        barrier.wait()
        if threading.current_thread().name == "failing":
            raise CustomError
        barrier.wait()

    network = bp.Network([1, 1])
    network.set_activation(1, register_tanh(hook=hook))

    def predict():
        try:
            network.predict([0.5])
            seen[threading.current_thread().name] = None
        except CustomError as error:
            seen[threading.current_thread().name] = error
            barrier.wait()

    threads = [threading.Thread(target=predict, name=name) for name in ("failing", "working")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert isinstance(seen["failing"], CustomError) and seen["working"] is None


# Calls into the library from a callback


@pytest.mark.parametrize("kind", ["scalar", "vector"])
@pytest.mark.parametrize("again", [
    lambda network, x, y: network.train_minibatch(x, y, 0.1), lambda network, x, y: network.predict(x),
    lambda network, x, y: network.parameters, lambda network, x, y: network.set_batchnorm(1),
    lambda network, x, y: network.save("never"), lambda network, x, y: network.clone(),
    lambda network, x, y: network.initialize(1), lambda network, x, y: network.set_activation(1, "tanh")],
    ids=["train_minibatch", "predict", "parameters", "set_batchnorm", "save", "clone", "initialize", "set_activation"])
def test_callback_that_calls_into_the_network_in_training_gets_a_busy_error(kind, again):
    x, y = data()
    network = network_with("tanh")
    network.set_activation(2, register_tanh(kind=kind, hook=lambda part: again(network, x, y)))
    parameters = network.clone()
    with pytest.raises(bp.BusyError) as caught:
        network.train_minibatch(x, y, 0.1)
    assert isinstance(caught.value, RuntimeError)
    assert network.to_bytes() == parameters.to_bytes()


def test_callback_of_a_reading_call_can_read_the_network_but_not_change_it():
    x, y = data()
    network, outer, inner = network_with("tanh"), [True], []

    def hook(part):
        if outer and outer.pop():
            inner.append(network.predict(x))
            inner.append(network.parameters)
            with pytest.raises(bp.BusyError):
                network.train_minibatch(x, y, 0.1)

    network.set_activation(2, register_tanh(hook=hook))
    assert (network.predict(x) == inner[0]).all()


def test_callback_can_use_another_network_and_handle_its_errors():
    x, y = data()
    inner = network_with(register_tanh("failing_tanh", hook=lambda part: {}["missing"]))

    def hook(part):
        with pytest.raises(KeyError):
            inner.predict(x)

    outer = network_with(register_tanh(kind="vector", hook=hook))
    assert outer.train_minibatch(x, y, 0.1) > 0


def test_network_that_its_callback_closes_is_freed_when_the_call_returns():
    network = network_with("tanh")
    network.set_activation(2, register_tanh(kind="vector", hook=lambda part: network.close()))
    assert network.predict(data()[0]).shape == (5, 2)
    with pytest.raises(bp.InvalidHandleError):
        network.predict(data()[0])


def test_callback_can_register_and_unregister_activations():
    def hook(part):
        bp.activation.unregister(register_tanh("inner"))

    network_with(register_tanh(kind="vector", hook=hook)).train_minibatch(*data(), 0.1)


# Lifetime


@pytest.mark.parametrize("kind", ["scalar", "vector"])
def test_functions_are_kept_as_long_as_they_are_used(kind):
    network = network_with("tanh")
    activation = register_tanh(kind=kind)
    reference = weakref.ref(activation.function)
    network.set_activation(2, activation)
    del activation
    gc.collect()
    expected = network.predict(data()[0])
    bp.activation.unregister("my_tanh")
    gc.collect()
    assert network.predict(data()[0]).tobytes() == expected.tobytes()
    twin = network.clone()
    network.close()
    gc.collect()
    assert twin.predict(data()[0]).tobytes() == expected.tobytes()
    twin.train_minibatch(*data(), 0.1)
    assert reference() is not None
    twin.set_activation(2, "tanh")
    gc.collect()
    assert reference() is None


def test_garbage_collection_within_callbacks_is_safe():
    def hook(part):
        bp.Network([2, 2])
        gc.collect()

    network = network_with(register_tanh(hook=hook, kind="vector"), layers=[2])
    for _ in range(3):
        network.train_minibatch(*data(), 0.1)


def test_activation_that_its_callback_unregisters_is_kept_by_the_network():
    def hook(part):
        if "my_tanh" in bp.activation.names():
            bp.activation.unregister("my_tanh")
            gc.collect()

    network = network_with(register_tanh(hook=hook))
    network.train_minibatch(*data(), 0.1)
    network.train_minibatch(*data(), 0.1)


def test_interpreter_exits_without_messages_while_activations_and_networks_are_in_use(run_script):
    done = run_script("""
import libbackprop as bp, numpy as np, threading

@bp.activation.scalar()
def kept(z):
    return z

@bp.activation.vector(backward=lambda z, a, da: da)
def left(z):
    return z * 1

class Holder:
    pass

holder = Holder()
holder.itself = holder                    # only the garbage collector at exit can free it
holder.network = bp.Network([4, 4, 4])
holder.network.set_activation(1, kept)
holder.network.set_activation(2, left)
bp.activation.unregister(kept)
network = holder.network.clone()

def forever():
    while True:
        network.predict(np.zeros((10, 4)))

threading.Thread(target=forever, daemon=True).start()
holder.network.train_minibatch(np.zeros((2, 4)), np.zeros((2, 4)), 0.1)
print("done")
""")
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_name_that_is_taken_gets_a_remedy():
    bp.activation.register_scalar("taken", math.sin)
    try:
        with pytest.raises(bp.InvalidValueError, match="already registered; replace=True replaces it"):
            bp.activation.register_scalar("taken", math.cos)
    finally:
        bp.activation.unregister("taken")
    with pytest.raises(bp.InvalidValueError, match="already registered; replace=True replaces it, unless it is built in"):
        bp.activation.register_scalar("tanh", math.tanh)
    with pytest.raises(bp.InvalidValueError, match="already registered; it is built in and cannot be replaced"):
        bp.activation.register_scalar("tanh", math.tanh, replace=True)


def test_scalar_decorator_works_without_parentheses():
    @bp.activation.scalar
    def bare(z):
        return 2 * z

    assert bare.name == "bare" and bare(3) == 6 and bp.activation.kind(bare) == bp.activation.Kind.SCALAR
    bp.activation.unregister(bare)


def test_vector_decorator_without_backward_is_a_clear_type_error():
    with pytest.raises(TypeError, match="backward"):
        @bp.activation.vector
        def bare(z):
            return z
    with pytest.raises(TypeError, match=r"@vector\(backward=...\)"):
        bp.activation.vector(lambda z: z, backward=lambda z, a, da: da)
