"""Ctrl-C while the library runs Python functions: it is never lost, and never leaves a partial step."""
import os
import signal
import threading
import time

import numpy as np
import pytest

import libbackprop as bp
from libbackprop import _call

X = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
Y = np.zeros((20, 2), np.float32)


def tanh_network(kind, hook=lambda: None):
    def function(z):
        hook()
        return np.tanh(z)

    if kind == "scalar":
        bp.activation.register_scalar("interrupted", function, lambda z, a: 1 - a * a)
    else:
        bp.activation.register_vector("interrupted", function, lambda z, a, da: da * (1 - a * a))
    network = bp.Network([3, 5, 4, 2], seed=1)
    network.set_activation(1, "interrupted")
    network.set_activation(2, "interrupted")
    return network


@pytest.mark.parametrize("kind", ["scalar", "vector"])
def test_interrupt_within_a_callback_is_raised_by_the_call(kind):
    network = tanh_network(kind, hook=lambda: signal.raise_signal(signal.SIGINT))
    before = network.to_bytes()
    for call in (lambda: network.train_minibatch(X, Y, 0.1), lambda: network.predict(X)):
        with pytest.raises(KeyboardInterrupt):
            call()
    assert network.to_bytes() == before


@pytest.mark.parametrize("kind", ["scalar", "vector"])
def test_interrupt_at_any_time_is_raised_and_leaves_no_partial_step(kind):
    network = tanh_network(kind)
    states = {}
    twin = network.clone()
    for step in range(400 if kind == "vector" else 60):
        states[twin.parameters.tobytes()] = step
        twin.train_minibatch(X, Y, 0.01)
    start, mine, last = network.parameters, os.getpid(), max(states.values())
    for attempt in range(40):
        network.parameters = start
        timer = threading.Timer(0.001 + 0.0003 * attempt, os.kill, (mine, signal.SIGINT))
        try:
            timer.start()
            for _ in range(last):
                network.train_minibatch(X, Y, 0.01)
            timer.join()
            time.sleep(0.001)
            pytest.fail("the interrupt was lost")
        except KeyboardInterrupt:
            pass
        timer.join()
        assert network.parameters.tobytes() in states
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupt_between_callbacks_is_not_lost():
    import ctypes

    # The library itself calls raise(SIGINT), as an activation. The next Python function starts with the signal handler.
    libc = ctypes.CDLL(None)
    kind, derivative, destroy = (bp._library.library.bp_activation_register_scalar.argtypes[i] for i in (1, 2, 4))
    assert bp._library.library.bp_activation_register_scalar(
        b"raising", ctypes.cast(libc["raise"], kind), derivative(), int(signal.SIGINT), destroy()) == 0
    network = tanh_network("vector")
    network.set_activation(1, "raising")
    before = network.to_bytes()
    for call in (lambda: network.train_minibatch(X, Y, 0.1), lambda: network.predict(X)):
        with pytest.raises(KeyboardInterrupt):
            call()
    assert network.to_bytes() == before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_handler_of_the_program_is_called_and_stays_installed(monkeypatch):
    calls = []

    def handler(number, frame):
        calls.append(number)

    previous = signal.signal(signal.SIGINT, handler)
    try:
        network = tanh_network("vector", hook=lambda: signal.raise_signal(signal.SIGINT))
        network.train_minibatch(X, Y, 0.1)
        assert calls == [signal.SIGINT] * 2
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, previous)


def test_handler_that_a_callback_installs_stays_installed():
    previous = signal.getsignal(signal.SIGINT)

    def handler(number, frame):
        pass

    try:
        tanh_network("vector", hook=lambda: signal.signal(signal.SIGINT, handler)).predict(X)
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, previous)


def test_ignored_interrupts_stay_ignored():
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        tanh_network("vector", hook=lambda: signal.raise_signal(signal.SIGINT)).predict(X)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, previous)


def test_a_call_that_ends_on_another_thread_leaves_the_handler_of_the_main_thread(monkeypatch):
    monkeypatch.setattr(_call, "plugins", {})
    entered, leave, errors = threading.Event(), threading.Event(), []

    def wait():
        entered.set()
        leave.wait()
        return 0

    def work():
        try:
            _call.call(wait)
        except BaseException as error:
            errors.append(error)

    def end_the_other_call():
        leave.set()
        thread.join()
        assert signal.getsignal(signal.SIGINT) is _call._on_interrupt
        return 0

    thread = threading.Thread(target=work)
    thread.start()
    entered.wait()  # the other call began when there were no callbacks
    _call.plugins[0] = None
    _call.call(end_the_other_call)
    assert not errors
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_predictions_on_a_thread_succeed_while_the_main_thread_fits():
    one, other, done, errors = bp.Network([3, 8, 2]), bp.Network([3, 8, 2]), threading.Event(), []

    def predict():
        try:
            while not done.is_set():
                other.predict(X)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=predict)
    thread.start()
    for _ in range(100):
        one.fit(X, Y, epochs=2)
    done.set()
    thread.join()
    assert not errors
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_can_use_python_activations_and_do_not_change_the_handler():
    network, errors = tanh_network("scalar"), []

    def work():
        try:
            network.predict(X)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not errors
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
