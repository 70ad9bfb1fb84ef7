"""Bad input of every kind raises an exception of the library that is also of the matching built-in class."""
import ctypes
import math
import pickle

import numpy as np
import pytest

import header
import libbackprop as bp
from libbackprop import errors
from libbackprop._library import library
from libbackprop._prototypes import (
    PROTOTYPES, Network as Handle, Predictor, Trainer, bp_activation_report, bp_all_reduce_finish_fn, bp_all_reduce_fn,
    bp_fit_result, bp_network, bp_next_fn, bp_option_description, bp_progress_fn, bp_rows)

X, Y = np.zeros((2, 3), np.float32), np.zeros((2, 2), np.float32)


@pytest.fixture
def network():
    return bp.Network([3, 2], seed=1)


def raises(expected, match=None):
    return pytest.raises(expected, match=match)


@pytest.mark.parametrize("status, builtin", [
    ("NULL_ARGUMENT", ValueError), ("INVALID_VALUE", ValueError), ("INVALID_HANDLE", ValueError),
    ("BUSY", RuntimeError), ("UNKNOWN_NAME", LookupError), ("UNSUPPORTED", NotImplementedError),
    ("OUT_OF_MEMORY", MemoryError), ("LIMIT", OverflowError), ("IO", OSError), ("NOT_A_MODEL", ValueError),
    ("CORRUPT", ValueError), ("VERSION", ValueError), ("MISMATCH", ValueError), ("NOT_FINITE", ArithmeticError),
    ("CALLBACK", RuntimeError), ("BUFFER_TOO_SMALL", Exception)])
def test_every_status_has_an_exception_that_is_also_of_a_built_in_class(status, builtin):
    number = bp.Status["ERROR_" + status]
    error = errors.from_status(number, "what was wrong")
    assert isinstance(error, bp.Error) and isinstance(error, builtin)
    assert str(error) == "what was wrong" and type(error.status) is int
    assert (error.status, error.status_name) == (number, "BP_ERROR_" + status)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.status) == (type(error), str(error), error.status)


def test_unknown_status_is_an_error_of_the_base_class():
    error = errors.from_status(-999, "from the future")
    assert type(error) is bp.Error and error.status == -999


def test_message_is_the_message_of_the_library(network):
    with raises(bp.UnknownNameError) as caught:
        network.set_optimizer("no_such_optimizer")
    assert "no_such_optimizer" in str(caught.value)
    assert str(caught.value) == library.bp_last_error_message().decode()


@pytest.mark.parametrize("layers, expected", [
    ([], bp.InvalidValueError), ([3], bp.InvalidValueError), ([3, 0], bp.InvalidValueError),
    ([0, 3], bp.InvalidValueError), ([1] * 1025, bp.LimitError), ([2**63, 2**63], bp.LimitError),
    ([2**64 - 1, 2], bp.LimitError), ([2**64, 2], bp.LimitError), ([2**24, 2**24], (MemoryError, OverflowError)),
    ([3, -1], ValueError), ([3, 2.5], TypeError), (["3", 2], TypeError), (7, TypeError), (None, TypeError)])
def test_bad_layers_are_refused(layers, expected):
    with raises(expected):
        bp.Network(layers)


@pytest.mark.parametrize("seed, expected", [(-1, ValueError), (2**64, bp.LimitError), (0.5, TypeError), ("1", TypeError)])
def test_bad_seed_is_refused(network, seed, expected):
    with raises(expected, "seed" if expected is not TypeError else None):
        bp.Network([3, 2], seed=seed)
    with raises(expected):
        network.initialize(seed)


@pytest.mark.parametrize("layer, expected", [
    (0, bp.InvalidValueError), (2, bp.InvalidValueError), (2**64 - 1, bp.InvalidValueError), (-1, ValueError),
    (2**64, bp.LimitError), (1.0, TypeError), ("1", TypeError), (None, TypeError)])
def test_bad_layer_is_refused(network, layer, expected):
    with raises(expected):
        network.set_activation(layer, "tanh")
    with raises(expected):
        network.set_batchnorm(layer)


def test_unknown_names_are_refused(network):
    for call in (lambda: network.set_activation(1, "tahn"), lambda: network.set_loss("squared"),
                 lambda: network.set_optimizer("adamm"),
                 lambda: network.set_option("speed", 1), lambda: network.get_option("speed"),
                 lambda: network.set_loss(""), lambda: network.set_loss("é" * 1000),
                 lambda: bp.activation.unregister("nobody")):
        with raises(bp.UnknownNameError):
            call()


@pytest.mark.parametrize("name, expected", [(None, TypeError), (3, TypeError), (b"tanh", TypeError), ("a\0b", ValueError)])
def test_names_must_be_strings(network, name, expected):
    for call in (lambda: network.set_activation(1, name), lambda: network.set_loss(name),
                 lambda: network.set_option(name, 1), lambda: network.get_option(name),
                 lambda: bp.activation.unregister(name), lambda: bp.activation.register_scalar(name, abs)):
        with raises(expected):
            call()


@pytest.mark.parametrize("name, value", [
    ("gradient_reduction", 2), ("gradient_reduction", 0.5), ("gradient_reduction", np.nan), ("initialization", 4),
    ("initialization", -1), ("batchnorm_epsilon", 0), ("batchnorm_epsilon", 2), ("batchnorm_epsilon", np.nan),
    ("batchnorm_momentum", -0.1), ("batchnorm_momentum", 1.1), ("batchnorm_momentum", np.inf), ("batchnorm_update", 2)])
def test_option_values_out_of_range_are_refused(network, name, value):
    before = network.get_option(name)
    with raises(bp.InvalidValueError, name):
        network.set_option(name, value)
    assert network.get_option(name) == before


@pytest.mark.parametrize("value", ["1", None, 1j, [1]])
def test_numbers_must_be_numbers(network, value):
    with raises(TypeError, "expected a number"):
        network.set_option("momentum", value)
    with raises(TypeError, "expected a number"):
        network.train_minibatch(X, Y, value)
    with raises(TypeError, "expected a number"):
        network.train_step(X[0], Y[0], value)
    with raises(TypeError, "expected a number"):
        network.apply_gradient(np.zeros(8), value)


@pytest.mark.parametrize("rate", [np.nan, np.inf, -np.inf, -0.1, 1e300])
def test_bad_learning_rates_are_refused(network, rate):
    before = network.to_bytes()
    for call in (lambda: network.train_step(X[0], Y[0], rate), lambda: network.train_minibatch(X, Y, rate),
                 lambda: network.apply_gradient(np.zeros(8), rate)):
        with raises(bp.InvalidValueError):
            call()
    assert network.to_bytes() == before


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("batchnorm", [False, True])
def test_data_that_is_not_finite_fails_and_changes_nothing(network, bad, batchnorm):
    network.set_batchnorm(1, batchnorm)
    before = network.to_bytes()
    x, y = X.copy(), Y.copy()
    x[1, 2] = y[1, 1] = bad
    for inputs, targets in ((x, Y), (X, y)):
        for call in (lambda: network.train_step(inputs[1], targets[1], 0.1),
                     lambda: network.train_minibatch(inputs, targets, 0.1),
                     lambda: network.gradient(inputs, targets), lambda: network.check_gradient(inputs, targets)):
            with raises(bp.NotFiniteError):
                call()
            assert network.to_bytes() == before
    values = np.zeros(network.parameter_count)
    values[-1] = bad
    with raises(bp.NotFiniteError):
        network.parameters = values
    with raises(bp.NotFiniteError):
        network.apply_gradient(values, 0.1)
    assert network.to_bytes() == before


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_evaluate_refuses_data_that_is_not_finite(network, bad):
    x, y = X.copy(), Y.copy()
    x[1, 2] = y[1, 1] = bad
    for inputs, targets in ((x, Y), (X, y)):
        with raises(bp.NotFiniteError):
            network.evaluate(inputs, targets)


def test_predict_accepts_nan_and_infinity(network):
    network.set_activation(1, "identity")
    assert np.isnan(network.predict([np.nan, 0, 0])).all()
    assert np.isinf(network.predict([np.inf, 0, 0])).all()


def test_overflow_in_a_step_fails_and_changes_nothing(network):
    network.set_activation(1, "identity")
    before = network.to_bytes()
    with raises(bp.NotFiniteError):
        network.train_minibatch(np.full((2, 3), 1e30), Y, 0.1)
    with raises(bp.NotFiniteError):
        network.apply_gradient(np.full(8, 3e38), 3e38)
    assert network.to_bytes() == before


def test_check_gradient_does_not_support_sign(network):
    network.set_activation(1, "sign")
    with raises(bp.UnsupportedError):
        network.check_gradient(X, Y)


def test_training_on_no_rows_is_refused_and_prediction_of_no_rows_is_empty(network):
    x, y = X[:0], Y[:0]
    for call in (lambda: network.train_minibatch(x, y, 0.1), lambda: network.gradient(x, y),
                 lambda: network.evaluate(x, y), lambda: network.check_gradient(x, y)):
        with raises(bp.InvalidValueError):
            call()
    assert network.predict(x).shape == (0, 2)


def test_something_else_than_a_network_is_refused():
    for call in (lambda: bp.Trainer().fit(X, Y, Y), lambda: bp.Trainer().fit_stream(X, [(X, Y)]), lambda: bp.Predictor(X),
                 lambda: bp.Predictor(bp.Network([3, 2])).update(X)):
        with raises(TypeError, "network: expected a Network, got ndarray"):
            call()


# The C functions themselves, with arguments that the Python methods cannot pass.


TRAINER, PREDICTOR = bp.Trainer(), bp.Predictor(bp.Network([3, 2]))


def valid_arguments(network):
    """Valid arguments for every function that returns a status."""
    name = b"tanh"
    floats, loss = (ctypes.c_float * 8)(), (ctypes.c_float * 1)()
    trainer, predictor = TRAINER._handle, PREDICTOR._handle
    x, y = (ctypes.pointer(bp_rows(ctypes.sizeof(bp_rows), 0, ctypes.addressof(floats), 1, columns)) for columns in (3, 2))
    result = ctypes.pointer(bp_fit_result(ctypes.sizeof(bp_fit_result)))
    return {
        "bp_network_create": [(ctypes.c_size_t * 2)(3, 2), 2, 1, ctypes.pointer(Handle())],
        "bp_network_clone": [network, ctypes.pointer(Handle())],
        "bp_network_initialize": [network, 1],
        "bp_network_layer_count": [network, (ctypes.c_size_t * 1)()],
        "bp_network_layer_size": [network, 0, (ctypes.c_size_t * 1)()],
        "bp_network_step_count": [network, (ctypes.c_uint64 * 1)()],
        "bp_network_set_activation": [network, 1, name],
        "bp_network_get_activation": [network, 1, (ctypes.c_char * 65)(), 65, (ctypes.c_size_t * 1)()],
        "bp_network_set_batchnorm": [network, 1, 0],
        "bp_network_get_batchnorm": [network, 1, (ctypes.c_int32 * 1)()],
        "bp_network_set_dropout": [network, 1, 0.0],
        "bp_network_get_dropout": [network, 1, (ctypes.c_double * 1)()],
        "bp_network_set_loss": [network, b"squared_error"],
        "bp_network_get_loss": [network, (ctypes.c_char * 65)(), 65, (ctypes.c_size_t * 1)()],
        "bp_network_get_optimizer": [network, (ctypes.c_char * 65)(), 65, (ctypes.c_size_t * 1)()],
        "bp_network_get_scaling": [network, 0, (ctypes.c_char * 65)(), 65, (ctypes.c_size_t * 1)()],
        "bp_network_target_columns": [network, (ctypes.c_size_t * 1)()],
        "bp_loss_check": [b"checked", floats, floats, 1, 1, (ctypes.c_double * 1)()],
        "bp_loss_name": [0, (ctypes.c_char * 65)(), 65, (ctypes.c_size_t * 1)()],
        "bp_optimizer_name": [0, (ctypes.c_char * 65)(), 65, (ctypes.c_size_t * 1)()],
        "bp_scaling_name": [0, (ctypes.c_char * 65)(), 65, (ctypes.c_size_t * 1)()],
        "bp_score_name": [0, (ctypes.c_char * 65)(), 65, (ctypes.c_size_t * 1)()],
        "bp_network_tensor_name": [network, 0, (ctypes.c_char * 65)(), 65, (ctypes.c_size_t * 1)()],
        "bp_network_tensor_shape": [network, b"layers.1.bias", (ctypes.c_size_t * 1)(), (ctypes.c_size_t * 1)()],
        "bp_network_get_tensor": [network, b"layers.1.bias", floats, 2],
        "bp_network_set_tensor": [network, b"layers.1.bias", floats, 2],
        "bp_network_fit_scaling": [network, b"standard", b"min_max", floats, floats, 1],
        "bp_network_fit_scaling_rows": [network, b"standard", b"min_max", x, y],
        "bp_network_add_scaling_rows": [network, x, y],
        "bp_network_finish_scaling": [network, b"none", b"none"],
        "bp_network_check_settings": [network, floats, 1],
        "bp_network_set_optimizer": [network, b"adam"],
        "bp_network_set_option": [network, b"batchnorm_update", 0.0],
        "bp_network_get_option": [network, b"batchnorm_update", (ctypes.c_double * 1)()],
        "bp_option_info": [0, ctypes.pointer(bp_option_description(ctypes.sizeof(bp_option_description)))],
        "bp_network_set_all_reduce": [network, bp_all_reduce_fn(), 0, 1, None],
        "bp_network_set_all_reduce_overlap": [network, bp_all_reduce_fn(), bp_all_reduce_finish_fn(), None],
        "bp_network_train_step": [network, floats, floats, 0.1, loss],
        "bp_network_train_minibatch": [network, floats, floats, 1, 0.1, loss],
        "bp_network_train_rows": [network, x, y, 0.1, loss],
        "bp_network_gradient": [network, floats, floats, 1, (ctypes.c_float * 8)(), 8, loss],
        "bp_network_backpropagate": [
            network, floats, floats, 1, (ctypes.c_float * 8)(), 8, (ctypes.c_float * 2)()],
        "bp_network_input_jacobian": [network, floats, 1, (ctypes.c_float * 4)()],
        "bp_network_apply_gradient": [network, floats, 8, 0.1],
        "bp_network_check_gradient": [network, floats, floats, 1, (ctypes.c_double * 1)()],
        "bp_predictor_create": [network, ctypes.pointer(Predictor())],
        "bp_predictor_update": [predictor, network],
        "bp_predictor_sizes": [predictor, (ctypes.c_size_t * 1)(), (ctypes.c_size_t * 1)()],
        "bp_predictor_run": [predictor, floats, 1, floats],
        "bp_trainer_create": [ctypes.pointer(Trainer())],
        "bp_trainer_set_option": [trainer, b"epochs", 1.0],
        "bp_trainer_get_option": [trainer, b"epochs", (ctypes.c_double * 1)()],
        "bp_trainer_set_row_weights": [trainer, floats, 1],
        "bp_trainer_set_progress": [trainer, bp_progress_fn(), None],
        "bp_trainer_fit": [trainer, network, floats, floats, 1, floats, floats, 1, (ctypes.c_double * 1)()],
        "bp_trainer_fit_stream": [
            trainer, network, bp_next_fn(lambda minibatch, data: 1), None, floats, floats, 1, (ctypes.c_double * 1)()],
        "bp_trainer_get_result": [trainer, result],
        "bp_trainer_fit_rows": [trainer, network, x, y, x, y, (ctypes.c_double * 1)()],
        "bp_trainer_fit_ensemble": [
            trainer, (Handle * 1)(network), 1, (ctypes.c_double * 1)(0.1), floats, floats, 1, floats, floats, 1, result],
        "bp_trainer_fit_ensemble_rows": [
            trainer, (Handle * 1)(network), 1, (ctypes.c_double * 1)(0.1), x, y, x, y, result],
        "bp_trainer_cancel": [trainer],
        "bp_network_predict": [network, floats, 1, (ctypes.c_float * 2)()],
        "bp_network_predict_rows": [network, x, (ctypes.c_float * 2)(), 0, 0, 0],
        "bp_network_predict_layer": [network, 1, floats, 1, (ctypes.c_float * 2)()],
        "bp_network_evaluate_rows": [network, x, y, loss],
        "bp_network_score_rows": [network, b"r2", x, y, (ctypes.c_double * 1)()],
        "bp_network_row_losses": [network, floats, floats, 1, (ctypes.c_float * 1)()],
        "bp_network_evaluate": [network, floats, floats, 1, loss],
        "bp_network_score": [network, b"r2", floats, floats, 1, (ctypes.c_double * 1)()],
        "bp_network_fold_batchnorm": [network],
        "bp_network_parameter_count": [network, (ctypes.c_size_t * 1)()],
        "bp_network_effective_parameters": [network, (ctypes.c_double * 1)()],
        "bp_network_get_parameters": [network, floats, 8],
        "bp_network_set_parameters": [network, floats, 8],
        "bp_network_set_metadata": [network, b"key", b"value"],
        "bp_network_get_metadata": [network, b"key", (ctypes.c_char * 65)(), 65, (ctypes.c_size_t * 1)()],
        "bp_network_metadata_key": [network, 0, (ctypes.c_char * 65)(), 65, (ctypes.c_size_t * 1)()],
        "bp_network_remove_metadata": [network, b"key"],
        "bp_network_save": [network, b"model.safetensors"],
        "bp_network_export_c": [network, b"model.c", b"model", 32, 0],
        "bp_network_export_swift": [network, b"model.swift", b"Model", 32, 0],
        "bp_network_load_weights": [network, b"model.safetensors"],
        "bp_network_load_weights_memory": [network, (ctypes.c_uint8 * 4096)(), 4096],
        "bp_network_load_layer": [network, 1, b"model.safetensors", b"layers.1.weight", b"layers.1.bias"],
        "bp_network_load_layer_memory": [network, 1, (ctypes.c_uint8 * 4096)(), 4096, b"layers.1.weight", b"layers.1.bias"],
        "bp_network_replace_output": [network, 2, 1],
        "bp_network_set_trainable": [network, 1, 1],
        "bp_network_get_trainable": [network, 1, (ctypes.c_int32 * 1)()],
        "bp_network_load": [b"model.safetensors", ctypes.pointer(Handle())],
        "bp_network_save_memory": [network, (ctypes.c_uint8 * 4096)(), 4096, (ctypes.c_size_t * 1)()],
        "bp_network_load_memory": [(ctypes.c_uint8 * 4096)(), 4096, ctypes.pointer(Handle())],
        "bp_activation_register_scalar": None, "bp_activation_register_vector": None,
        "bp_activation_register_foreign": None, "bp_activation_register_library": None,
        "bp_activation_set_thread_safe": [b"nobody", 1],
        "bp_activation_set_destroy": [b"nobody", None, PROTOTYPES["bp_activation_set_destroy"][3](lambda user_data: None)],
        "bp_activation_unregister": [b"nobody"],
        "bp_activation_name": [0, (ctypes.c_char * 65)(), 65, (ctypes.c_size_t * 1)()],
        "bp_activation_kind": [name, (ctypes.c_int32 * 1)()],
        "bp_activation_check": [
            name, (ctypes.c_double * 1)(), ctypes.pointer(bp_activation_report(ctypes.sizeof(bp_activation_report)))],
        "bp_plugin_load": [b"nowhere"],
    }


MAY_BE_NULL = {(name, may) for name in header.FUNCTIONS for may in (
    "loss_out", "user_data", "report_out", "learning_rates", "results_out")} - {
    ("bp_network_evaluate", "loss_out"), ("bp_network_evaluate_rows", "loss_out")} | {
    ("bp_network_backpropagate", "input_gradients_out"), ("bp_network_add_scaling_rows", "inputs"),
    ("bp_network_add_scaling_rows", "targets")} | {
    (f"bp_network_load_layer{ending}", "bias_name") for ending in ("", "_memory")}
REQUIRED_POINTERS = [
    (name, position) for name, (result, parameters) in header.FUNCTIONS.items() if result == "int32_t"
    for position, (c_type, parameter) in enumerate(parameters)
    if "*" in c_type and (name, parameter) not in MAY_BE_NULL and "register" not in name]


@pytest.mark.parametrize("name, position", REQUIRED_POINTERS)
def test_null_is_refused(network, tmp_path, monkeypatch, name, position):
    monkeypatch.chdir(tmp_path)
    network.save("model.safetensors")
    arguments = valid_arguments(network._handle)[name]
    arguments[position] = None
    # A NULL network, trainer or predictor is a NULL argument and also an invalid handle: the header lists both errors.
    allowed = {-1, -3} if PROTOTYPES[name][1 + position] in (Handle, Predictor, Trainer) else {-1}
    assert getattr(library, name)(*arguments) in allowed


@pytest.mark.parametrize("name", ["bp_network_train_step", "bp_network_train_minibatch", "bp_network_gradient"])
def test_loss_out_can_be_null(network, name):
    arguments = valid_arguments(network._handle)[name]
    arguments[-1] = None
    assert getattr(library, name)(*arguments) == 0


def test_null_functions_and_names_cannot_be_registered():
    for kind in ("scalar", "vector"):
        function = getattr(library, "bp_activation_register_" + kind)
        null = [kind() for kind in function.argtypes[1:3]]
        assert function(b"null_function", *null, None, function.argtypes[4]()) == -1
        real = [kind(lambda *arguments: 0) for kind in function.argtypes[1:3]]
        assert function(None, *real, None, function.argtypes[4]()) == -1
    assert "null_function" not in bp.activation.names()


@pytest.mark.parametrize("address", [1, 8, 0xDEADBEEF, 2**63, 2**64 - 1, "freed"])
@pytest.mark.parametrize("name", [name for name, (_, *argtypes) in PROTOTYPES.items() if argtypes[:1] == [Handle]])
def test_invalid_handle_is_refused(network, name, address):
    if address == "freed":
        twin = network.clone()
        handle = twin._handle
        twin.close()
    else:
        handle = ctypes.cast(ctypes.c_void_p(address), Handle)
    if name == "bp_network_free":
        assert library.bp_network_free(handle) is None
    else:
        assert getattr(library, name)(*valid_arguments(handle)[name]) == bp.Status.ERROR_INVALID_HANDLE


def test_ctypes_refuses_pointers_of_other_types():
    for other in (5, "text", b"bytes", ctypes.c_void_p(5), ctypes.pointer(ctypes.c_int(5)), object()):
        with raises(ctypes.ArgumentError):
            library.bp_network_free(other)
    assert issubclass(bp_network, ctypes.Structure)


def test_too_many_rows_are_refused(network):
    floats = ctypes.pointer(ctypes.c_float())
    for rows in (2**62, 2**63, 2**64 - 1):
        for status in (library.bp_network_predict(network._handle, floats, rows, floats),
                       library.bp_network_train_minibatch(network._handle, floats, floats, rows, 0.1, None),
                       library.bp_network_evaluate(network._handle, floats, floats, rows, floats)):
            assert status == bp.Status.ERROR_LIMIT


def test_failed_call_sets_its_scalar_outputs_to_zero(network):
    loss, handle = ctypes.c_float(5), network.clone()._handle
    library.bp_network_train_minibatch(network._handle, None, None, 1, 0.1, ctypes.byref(loss))
    assert loss.value == 0
    library.bp_network_create(None, 3, 1, ctypes.byref(handle))
    assert not handle


def test_messages_name_functions_of_python():
    network = bp.Network([2, 1])
    with pytest.raises(bp.UnknownNameError, match=r"libbackprop\.activation\.names\(\) lists all"):
        network.set_activation(1, "fourier")
    with pytest.raises(bp.UnknownNameError, match=r"call Network\.set_dropout\. libbackprop\.options\(\) lists all"):
        network.set_option("dropout", 0.5)


def test_number_beyond_float32_is_reported_with_its_place():
    with pytest.raises(bp.NotFiniteError, match=r"inputs: 1e\+39 at \[1, 0\] is beyond the range of float32"):
        bp.Network([2, 1]).predict([[1, 2], [1e39, 4]])
    with pytest.raises(bp.NotFiniteError, match="inputs: row 0, column 1 is infinity"):
        bp.Network([2, 1]).train_minibatch([[1, math.inf]], [[0]], 0.1)


def test_class_labels_that_are_floats_get_a_hint():
    with pytest.raises(ValueError, match=r"row 0 is 1.0: convert them with astype\(int\)"):
        bp.Network([1, 3]).train_minibatch([[1], [2]], [1.0, 2.0], 0.1)


def test_representations_show_settings():
    network = bp.Network([2, 4, 1])
    network.set_activation(1, "tanh")
    assert repr(network) == "<Network [2, 4, 1] tanh logistic, 17 parameters, squared_error, sgd>"
    trainer = bp.Trainer(schedule="cosine", epochs=50)
    assert repr(trainer) == "Trainer(epochs=50, schedule='cosine')"
    trainer.close()
    network.close()
    assert repr(trainer) == "<closed Trainer>" and repr(network) == "<closed Network [2, 4, 1]>"
