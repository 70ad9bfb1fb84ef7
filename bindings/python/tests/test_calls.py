"""How methods call the library: the number of calls, their arguments, the memory that they pass, and exceptions."""
import ctypes
import gc
import os
import threading
import weakref

import numpy as np
import pytest

import libbackprop as bp
from libbackprop import _call, _memory, network as network_module, predictor as predictor_module
from libbackprop._prototypes import PROTOTYPES

X = np.random.default_rng(1).random((5, 3), np.float32)
Y = np.random.default_rng(2).random((5, 2), np.float32)
WEIGHTS = np.arange(5.0)


class Recorder:
    """The functions of the library. Records the calls of them, and checks the types of arguments that ctypes does not."""

    def __init__(self, functions, calls, checks):
        self.functions, self.calls, self.checks = functions, calls, checks

    def __getattr__(self, name):
        def record(*arguments):
            self.calls.append(name)
            if self.checks:
                restype, *argtypes = PROTOTYPES[name]
                assert restype is self.functions[name].restype is ctypes.c_int32
                assert len(arguments) == len(argtypes)
                for argument, argtype in zip(arguments, argtypes):
                    assert not isinstance(argument, (int, float, str))  # would be passed as an int, or not at all
                    argtype.from_param(argument)  # a TypeError for another type
            return getattr(self.functions, name)(*arguments)
        return record


@pytest.fixture
def calls(monkeypatch):
    recorded = []
    for module in (network_module, predictor_module):
        for name, checks in (("library", False), ("undeclared", True)):
            monkeypatch.setattr(module, name, Recorder(getattr(module, name), recorded, checks))
    return recorded


@pytest.mark.parametrize("given, name", [
    (lambda n, p: n.predict(X), "bp_network_predict"), (lambda n, p: n.predict(X[0]), "bp_network_predict"),
    (lambda n, p: n.predict(X, np.empty((5, 2), np.float32)), "bp_network_predict"),
    (lambda n, p: n.predict(X.astype(float)), "bp_network_predict_rows"),
    (lambda n, p: n.predict(X[:, ::-1]), "bp_network_predict_rows"),
    (lambda n, p: p.run(X), "bp_predictor_run"), (lambda n, p: p.run(X[0].astype(float)), "bp_predictor_run"),
    (lambda n, p: n.train_step(X[0], Y[0], 0.1), "bp_network_train_step"),
    (lambda n, p: n.train_step(X[0], Y[0], np.float32(0.1)), "bp_network_train_step"),
    (lambda n, p: n.train_step(X[0], Y[0], 1), "bp_network_train_step"),
    (lambda n, p: n.train_step(X[0].tolist(), Y[0], 0.1), "bp_network_train_rows"),
    (lambda n, p: n.train_step(X[0], 1, 0.1), "bp_network_train_rows"),
    (lambda n, p: n.train_minibatch(X, Y, 0.1), "bp_network_train_minibatch"),
    (lambda n, p: n.train_minibatch(X, [0, 1, 0, 1, 1], 0.1), "bp_network_train_minibatch"),
    (lambda n, p: n.train_minibatch(X, Y, 0.1, sample_weight=WEIGHTS), "bp_network_train_rows"),
    (lambda n, p: n.evaluate(X, Y), "bp_network_evaluate"),
    (lambda n, p: n.evaluate(X, Y.astype(float), sample_weight=WEIGHTS), "bp_network_evaluate_rows"),
    (lambda n, p: n.score(X, Y, "r2"), "bp_network_score"),
    (lambda n, p: n.score(X, Y, "r2", sample_weight=WEIGHTS), "bp_network_score_rows")])
def test_a_method_calls_one_function_with_arguments_of_its_types(calls, given, name):
    network = bp.Network([3, 4, 2], seed=1)
    predictor = bp.Predictor(network)
    calls.clear()
    given(network, predictor)
    assert [each for each in calls if each != "bp_network_get_loss"] == [name]  # score asks for the loss first


@pytest.mark.parametrize("array", [
    np.zeros(3, np.float32), np.zeros((4, 5)), np.zeros((4, 5), np.float32)[1:, ::2], np.zeros((0, 3), np.float32),
    np.zeros((), np.float32), np.broadcast_to(np.float32(1), (2, 2)), np.zeros((2, 2), np.float32).view(np.matrix),
    np.frombuffer(bytes(8), np.float32), np.ma.zeros(3)], ids=repr)
def test_addresses_are_those_of_numpy(array):
    assert _memory.address(array) == array.ctypes.data
    pointer = _memory.pointer(array)
    assert ctypes.cast(pointer, ctypes.c_void_p).value == array.ctypes.data


def test_a_pointer_keeps_its_array():
    array = np.ones(3, np.float32)
    pointer, kept = _memory.pointer(array), weakref.ref(array)
    del array
    gc.collect()
    assert kept() is not None and pointer[:3] == [1, 1, 1]
    del pointer
    gc.collect()
    assert kept() is None


def test_addresses_come_from_numpy_itself_on_other_implementations_of_python(run_script):
    done = run_script("""
import sys, numpy as np, ctypes
sys.implementation.name = "another"
import libbackprop as bp
from libbackprop import _memory
assert _memory.address.__code__.co_names == ("ctypes", "data")
network, x = bp.Network([2, 3, 1], seed=1), np.array([[1, 2], [3, 4]], np.float32)
print(network.train_step(x[0], np.ones(1, np.float32), 0.1), network.train_minibatch(x.astype(float), [0, 1], 0.1),
      network.predict(x).tolist(), network.predict(x[0].astype(float)).tolist())
""")
    network, x = bp.Network([2, 3, 1], seed=1), np.array([[1, 2], [3, 4]], np.float32)
    expected = (network.train_step(x[0], np.ones(1, np.float32), 0.1), network.train_minibatch(x.astype(float), [0, 1], 0.1),
                network.predict(x).tolist(), network.predict(x[0].astype(float)).tolist())
    assert (done.stdout, done.stderr) == (" ".join(map(str, expected)) + "\n", "")


def failing(name, function):
    network = bp.Network([3, 4, 2], seed=1)
    network.set_activation(1, bp.activation.vector(backward=lambda z, a, da: da, name=name, replace=True)(function))
    return network


def test_an_exception_is_raised_by_the_call_of_its_thread_only():
    entered, leave, raised = threading.Event(), threading.Event(), []

    def wait(z):
        entered.set()
        leave.wait()
        raise KeyError("on the other thread")

    def work():
        try:
            waiting.predict(X)
        except KeyError as error:
            raised.append(error)

    waiting, thread = failing("calls.wait", wait), threading.Thread(target=work)
    thread.start()
    entered.wait()
    bp.Network([3, 2]).predict(X)
    with pytest.raises(ZeroDivisionError):
        failing("calls.divide", lambda z: 1 / 0).predict(X)
    leave.set()
    thread.join()
    assert [str(error) for error in raised] == ["'on the other thread'"]
    bp.Network([3, 2]).predict(X)
    assert not _call._errors


def test_an_exception_that_a_callback_catches_does_not_fail_the_outer_call():
    inner = failing("calls.inner", lambda z: 1 / 0)

    def catch(z):
        with pytest.raises(ZeroDivisionError):
            inner.predict(X)
        return z

    outer = failing("calls.outer", catch)
    assert np.isfinite(outer.predict(X)).all()
    assert not _call._errors


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_of_fork_has_no_exceptions_of_other_threads(run_script):
    done = run_script("""
import os, threading, libbackprop as bp
from libbackprop import _call
_call._errors[threading.get_ident() + 1] = KeyError()
_call.remember(ValueError())
child = os.fork()
if child == 0:
    os._exit(len(_call._errors))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""")
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_the_import_needs_few_modules_beyond_those_of_numpy(run_script):
    done = run_script("""
import sys, numpy, ctypes
before = set(sys.modules)
import libbackprop
print(*(name for name in set(sys.modules) - before if not name.startswith(("libbackprop", "importlib", "numpy"))))
""")
    assert set(done.stdout.split()) <= {"__future__", "copy", "threading"} and done.stderr == ""
