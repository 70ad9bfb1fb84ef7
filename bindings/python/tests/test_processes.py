"""The library changes no state of the process, and works with fork, spawn and multiprocessing."""
import json
import multiprocessing
import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import libbackprop as bp

X = np.random.default_rng(1).random((120, 300), dtype=np.float32)
Y = np.random.default_rng(2).random((120, 5), dtype=np.float32)


def trained(seed):
    """The predictions of a network after some steps. The network is large enough to use several threads."""
    network = bp.Network([300, 200, 5], seed=seed)
    for _ in range(3):
        network.train_minibatch(X, Y, 0.01)
    return network.predict(X).tobytes()


def trained_from(arguments):
    """A network after one more step, as bytes. The argument is a network as bytes."""
    network = bp.Network.from_bytes(arguments)
    network.train_minibatch(X, Y, 0.01)
    return network.to_bytes()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_all_processes_compute_the_same_results(method, monkeypatch):
    paths = [str(Path(__file__).parent), str(Path(bp.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))  # spawned processes import this file and the package
    expected = trained(1)  # starts the threads of the library
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.map(trained, [1, 2, 1, 2])
    assert found[0] == expected and found[2] == expected
    assert found[1] == found[3] != expected
    assert trained(1) == expected


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_training_continues_in_another_process_with_the_same_bits(method, monkeypatch):
    paths = [str(Path(__file__).parent), str(Path(bp.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    network = bp.Network([300, 20, 5], seed=3)
    network.train_minibatch(X, Y, 0.01)
    before = network.to_bytes()
    with multiprocessing.get_context(method).Pool(1) as pool:
        found = pool.map(trained_from, [before])[0]
    network.train_minibatch(X, Y, 0.01)
    assert found == network.to_bytes()


def test_child_of_fork_trains_its_own_copy_of_a_network():
    network = bp.Network([300, 200, 5], seed=1)
    network.train_minibatch(X, Y, 0.01)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        network.train_minibatch(X, Y, 0.01)
        os.write(writer, network.predict(X[:1]).tobytes())
        os._exit(0)
    os.close(writer)
    assert os.waitpid(child, 0)[1] == 0
    found = os.read(reader, 1000)
    os.close(reader)
    assert found != network.predict(X[:1]).tobytes()  # the parent's network is unchanged
    network.train_minibatch(X, Y, 0.01)
    assert found == network.predict(X[:1]).tobytes()


class Fit:
    """A fit in a separate thread. `at` is where the fit waits: "step", in an activation within a step; "report", in the
    progress function between two steps; None, nowhere."""

    def __init__(self, at):
        self.network, self.trainer = bp.Network([300, 20, 5], seed=1), bp.Trainer(epochs=10**6, learning_rate=1e-6)
        self.inside, self.resume, self.at = threading.Event(), threading.Event(), at

        @bp.activation.vector(backward=lambda z, a, da: da, name="fit.hold")
        def hold(z):
            self.wait_at("step")
            return z

        self.activation = hold
        if at == "step":
            self.network.set_activation(1, hold)
        self.thread = threading.Thread(target=self.run)

    def wait_at(self, place):
        if self.at in (place, None):
            self.inside.set()
        if self.at == place:
            self.resume.wait()

    def report(self, progress):
        self.wait_at("report")

    def run(self):
        self.trainer.fit(self.network, X, Y, progress=self.report)

    def __enter__(self):
        self.thread.start()
        self.inside.wait()
        return self

    def __exit__(self, *exception):
        self.trainer.cancel()
        self.resume.set()
        self.thread.join()
        bp.activation.unregister(self.activation)


def statuses_during(fit):
    """In a child of fork: the statuses of calls on the network of the fit. Its trainer must be idle."""
    statuses = []
    for call in (lambda: fit.network.predict(X), lambda: fit.network.train_minibatch(X, Y, 0.1), fit.network.to_bytes,
                 fit.network.close, fit.network.close):
        try:
            call()
            statuses.append("OK")
        except bp.Error as error:
            statuses.append(error.status_name)
    fit.trainer.set_option("epochs", 1)
    fit.trainer.fit(bp.Network([300, 20, 5], seed=1), X, Y)
    return statuses


def in_child(function, *arguments):
    """The result of the function in a child of fork."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(function(*arguments)))
    child.start()
    sender.close()  # so that recv ends if the child fails
    try:
        return receiver.recv()
    finally:
        child.join()


@pytest.mark.parametrize("at", ["step", "report", None])
def test_children_forked_during_a_fit_in_another_thread_can_use_the_library(at):
    expected = trained(1)
    with Fit(at) as fit:
        for _ in range(3):
            assert in_child(trained, 1) == expected
        invalid = "BP_ERROR_INVALID_HANDLE"
        assert in_child(statuses_during, fit) == [invalid, invalid, invalid, "OK", "OK"]
        with multiprocessing.get_context("fork").Pool(2) as pool:
            found = pool.map(trained, [1, 1, 1, 1])
    assert found == [expected] * 4


STATE_PROGRAM = """
import json, locale, os, signal, sys
import numpy as np
def state():
    import ctypes
    number = len(os.listdir("/proc/self/task"))
    return {
        "signals": [str(signal.getsignal(s)) for s in sorted(signal.valid_signals())],
        "mask": sorted(map(str, signal.pthread_sigmask(signal.SIG_BLOCK, []))),
        "locale": locale.setlocale(locale.LC_ALL),
        "rounding": ctypes.CDLL(None).fegetround(),
        "smallest": [float(np.float32(1e-45)), float(np.float32(1e-30) * np.float32(1e-10))],
        "errors": np.geterr(), "environment": dict(os.environ), "descriptors": sorted(os.listdir("/proc/self/fd")),
        "folder": os.getcwd(), "threads": number,
    }
before = state()
import libbackprop as bp
after_import = state()
x = np.ones((4, 3), np.float32)
network = bp.Network([3, 4, 2], seed=1)
network.train_minibatch(x, np.zeros((4, 2), np.float32), 0.1)
network.predict(x)
network.save("model.safetensors")
bp.Network.load("model.safetensors")
try:
    bp.Network.load("missing")
except OSError:
    pass
after_use = state()
open("seen", "w").write(json.dumps([before, after_import, after_use]))
"""


def test_import_and_use_change_no_state_of_the_process_and_print_nothing(run_script, tmp_path):
    done = run_script(STATE_PROGRAM, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    assert done.returncode == 0 and done.stdout == "" and done.stderr == ""
    before, after_import, after_use = json.loads((tmp_path / "seen").read_text())
    assert after_import == before
    assert after_use == before


def test_signal_handler_of_the_program_is_restored_after_a_call(run_script):
    done = run_script("""
import signal
import libbackprop as bp
mine = lambda *_: None
signal.signal(signal.SIGINT, mine)
network = bp.Network([2, 2, 1], seed=1)
network.train_step([0, 1], [1], 0.1)
assert signal.getsignal(signal.SIGINT) is mine
""")
    assert done.returncode == 0, done.stderr


FORK_PROGRAM = """
import os, signal, threading
import libbackprop as bp

before, started, forked, answers = signal.getsignal(signal.SIGINT), threading.Event(), threading.Event(), []


def answer(child):
    answers.append(os.waitpid(child, 0)[1])
    forked.set()


def fork_during_the_call():
    started.wait()
    child = os.fork()
    if child == 0:
        os._exit(signal.getsignal(signal.SIGINT) is not before)
    answer(child)


@bp.activation.vector(backward=lambda z, a, da: da)
def forking(z):
    if WITHIN:
        child = os.fork()
        if child == 0:
            return z
        answer(child)
    started.set()
    forked.wait()
    return z


thread = threading.Thread(target=fork_during_the_call)
if not WITHIN:
    thread.start()
network, parent = bp.Network([2, 1], seed=1), os.getpid()
network.set_activation(1, forking)
network.predict([1, 2])
if os.getpid() != parent:
    os._exit(signal.getsignal(signal.SIGINT) is not before)
if not WITHIN:
    thread.join()
assert answers == [0] and signal.getsignal(signal.SIGINT) is before
"""


@pytest.mark.parametrize("within", [True, pytest.param(False, marks=pytest.mark.skipif(
    sys.implementation.name == "pypy", reason="PyPy has no main thread after a fork on another thread"))],
    ids=["in a callback of the call", "on another thread"])
def test_child_forked_during_a_call_has_the_signal_handler_of_the_program(run_script, within):
    done = run_script(FORK_PROGRAM.replace("WITHIN", str(within)))
    assert done.returncode == 0, done.stderr


def failing_load(path):
    bp.load(path)


def fit_in_another_process(arguments):
    trainer, network = arguments
    trainer.fit(network, X, Y)
    return network.to_bytes()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_trainers_and_errors_can_be_passed_between_processes(method, monkeypatch, tmp_path):
    paths = [str(Path(__file__).parent), str(Path(bp.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    network, trainer = bp.Network([300, 20, 5], seed=3), bp.Trainer(epochs=2, seed=5, schedule="cosine")
    with multiprocessing.get_context(method).Pool(1) as pool:
        found = pool.map(fit_in_another_process, [(trainer, network)])[0]
        with pytest.raises(FileNotFoundError) as caught:
            pool.map(failing_load, [str(tmp_path / "missing")])
    trainer.fit(network, X, Y)
    assert found == network.to_bytes()
    assert caught.value.filename == str(tmp_path / "missing") and isinstance(caught.value, bp.FileError)


EXIT_PROGRAM = """
import threading
import libbackprop as bp, numpy as np

x, y = np.zeros((40, 3)), np.zeros((40, 2))
started = threading.Event()


class Cycle:
    def __init__(self):
        self.itself, self.network, self.trainer = self, bp.Network([3, 2]), bp.Trainer()


kept = Cycle()
for fit in range(2):
    trainer, network = bp.Trainer(epochs=10**9), bp.Network([3, 4, 2])
    threading.Thread(target=trainer.fit, args=(network, x, y), kwargs={"progress": lambda progress: started.set()},
                     daemon=True).start()
started.wait()
"""


def test_process_that_exits_during_fits_prints_nothing(run_script):
    done = run_script(EXIT_PROGRAM)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


SUBINTERPRETER_PROGRAM = """
try:
    import _interpreters as interpreters
except ImportError:  # before Python 3.13
    import _xxsubinterpreters as interpreters
import libbackprop as bp

interpreter = interpreters.create()
interpreters.run_string(interpreter, '''
try:
    import libbackprop
except ImportError as error:
    print(error, flush=True)
''')
interpreters.destroy(interpreter)
print(bp.Network([2, 1]).layers)
"""


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy has no subinterpreters")
def test_a_subinterpreter_is_refused_and_the_main_interpreter_still_works(run_script):
    done = run_script(SUBINTERPRETER_PROGRAM)
    assert done.returncode == 0, done.stderr
    message, layers = done.stdout.splitlines()
    assert "not in a subinterpreter" in message or "does not support loading in subinterpreters" in message  # of Python 3.12
    assert layers == "(2, 1)"
