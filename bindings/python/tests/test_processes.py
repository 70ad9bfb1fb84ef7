"""What the library leaves alone in the process, and how it lives with others: fork, spawn, multiprocessing."""
import json
import multiprocessing
import os
import threading
from pathlib import Path

import numpy as np
import pytest

import libbackprop as bp

X = np.random.default_rng(1).random((120, 300), dtype=np.float32)
Y = np.random.default_rng(2).random((120, 5), dtype=np.float32)


def trained(seed):
    """A network's predictions after some steps, large enough for the library's own threads."""
    network = bp.Network([300, 200, 5], seed=seed)
    for _ in range(3):
        network.train_minibatch(X, Y, 0.01)
    return network.predict(X).tobytes()


def trained_from(arguments):
    """The same in a process that continues a parent's network."""
    network = bp.Network.from_bytes(arguments)
    network.train_minibatch(X, Y, 0.01)
    return network.to_bytes()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_train_and_predict_alike(method, monkeypatch):
    paths = [str(Path(__file__).parent), str(Path(bp.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))  # where spawned processes find this file and the package
    here = trained(1)  # the team of threads is there
    with multiprocessing.get_context(method).Pool(2) as pool:
        there = pool.map(trained, [1, 2, 1, 2])
    assert there[0] == here and there[2] == here
    assert there[1] == there[3] != here
    assert trained(1) == here


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_network_goes_on_in_another_process(method, monkeypatch):
    paths = [str(Path(__file__).parent), str(Path(bp.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    network = bp.Network([300, 20, 5], seed=3)
    network.train_minibatch(X, Y, 0.01)
    before = network.to_bytes()
    with multiprocessing.get_context(method).Pool(1) as pool:
        there = pool.map(trained_from, [before])[0]
    network.train_minibatch(X, Y, 0.01)
    assert there == network.to_bytes()


def test_child_of_fork_keeps_its_copy_of_a_network():
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
    there = os.read(reader, 1000)
    os.close(reader)
    assert there != network.predict(X[:1]).tobytes()  # the parent's did not move
    network.train_minibatch(X, Y, 0.01)
    assert there == network.predict(X[:1]).tobytes()


class Fit:
    """A fit in a thread of its own. `at` holds it in a callback: "step", within a step, "report", between two, or None: it
    runs on."""

    def __init__(self, at):
        self.network, self.trainer = bp.Network([300, 20, 5], seed=1), bp.Trainer(epochs=10**6, learning_rate=1e-6)
        self.inside, self.go_on, self.at = threading.Event(), threading.Event(), at

        @bp.activation.vector(backward=lambda z, a, da: da, name="fit.hold")
        def hold(z):
            self.stop_here("step")
            return z

        self.activation = hold
        if at == "step":
            self.network.set_activation(1, hold)
        self.thread = threading.Thread(target=self.run)

    def stop_here(self, place):
        if self.at in (place, None):
            self.inside.set()
        if self.at == place:
            self.go_on.wait()

    def report(self, progress):
        self.stop_here("report")

    def run(self):
        self.trainer.fit(self.network, X, Y, progress=self.report)

    def __enter__(self):
        self.thread.start()
        self.inside.wait()
        return self

    def __exit__(self, *exception):
        self.trainer.cancel()
        self.go_on.set()
        self.thread.join()
        bp.activation.unregister(self.activation)


def statuses_beside(fit):
    """In a child: what calls on the network of another thread's fit give, and whether its trainer is idle."""
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
    """What the function returns in a child of fork."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(function(*arguments)))
    child.start()
    sender.close()  # so that a child that fails ends the wait
    try:
        return receiver.recv()
    finally:
        child.join()


@pytest.mark.parametrize("at", ["step", "report", None])
def test_children_forked_beside_a_fit_in_a_thread_work(at):
    here = trained(1)
    with Fit(at) as fit:
        for _ in range(3):
            assert in_child(trained, 1) == here
        invalid = "BP_ERROR_INVALID_HANDLE"
        assert in_child(statuses_beside, fit) == [invalid, invalid, invalid, "OK", "OK"]
        with multiprocessing.get_context("fork").Pool(2) as pool:
            there = pool.map(trained, [1, 1, 1, 1])
    assert there == [here] * 4


LOOK = """
import json, locale, os, signal, sys
import numpy as np
def look():
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
before = look()
import libbackprop as bp
after_import = look()
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
after_use = look()
open("seen", "w").write(json.dumps([before, after_import, after_use]))
"""


def test_import_and_use_change_nothing_of_the_process_and_print_nothing(run_script, tmp_path):
    done = run_script(LOOK, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    assert done.returncode == 0 and done.stdout == "" and done.stderr == ""
    before, after_import, after_use = json.loads((tmp_path / "seen").read_text())
    assert after_import == before
    assert after_use == before


def test_hosts_handler_is_there_again_after_a_call(run_script):
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


FORK = """
import os, signal, threading
import libbackprop as bp

before, started, forked, answers = signal.getsignal(signal.SIGINT), threading.Event(), threading.Event(), []


def answer(child):
    answers.append(os.waitpid(child, 0)[1])
    forked.set()


def fork_beside_the_call():
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


thread = threading.Thread(target=fork_beside_the_call)
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


@pytest.mark.parametrize("within", [True, False], ids=["within the call", "beside the call"])
def test_child_forked_during_a_call_has_the_programs_handler(run_script, within):
    done = run_script(FORK.replace("WITHIN", str(within)))
    assert done.returncode == 0, done.stderr


def failing_load(path):
    bp.load(path)


def fit_in_another_process(arguments):
    trainer, network = arguments
    trainer.fit(network, X, Y)
    return network.to_bytes()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_trainers_go_to_other_processes_and_errors_come_back(method, monkeypatch, tmp_path):
    paths = [str(Path(__file__).parent), str(Path(bp.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    network, trainer = bp.Network([300, 20, 5], seed=3), bp.Trainer(epochs=2, seed=5, schedule="cosine")
    with multiprocessing.get_context(method).Pool(1) as pool:
        there = pool.map(fit_in_another_process, [(trainer, network)])[0]
        with pytest.raises(FileNotFoundError) as caught:
            pool.map(failing_load, [str(tmp_path / "missing")])
    trainer.fit(network, X, Y)
    assert there == network.to_bytes()
    assert caught.value.filename == str(tmp_path / "missing") and isinstance(caught.value, bp.FileError)


AT_EXIT = """
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


def test_process_that_ends_during_fits_ends_quietly(run_script):
    done = run_script(AT_EXIT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
