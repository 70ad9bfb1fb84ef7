"""Network.fit: its history, its display, and Ctrl-C."""
import io
import math
import os
import signal
import sys
import threading

import numpy as np
import pytest

import libbackprop as bp

# Two features, one number: y = x0 - 2 x1 + 1.
X = np.random.default_rng(1).normal(size=(60, 2)).astype(np.float32)
Y = X @ np.array([[1], [-2]], np.float32) + 1


def network(**settings):
    return bp.Network([2, 6, 1], activation="tanh", output="identity", seed=1, gradient_reduction="mean", **settings)


def test_fit_equals_that_of_a_trainer():
    first, second = network(), network()
    options = {"epochs": 7, "batch_size": 9, "patience": 3, "seed": 5, "schedule": "cosine"}
    history = first.fit(X, Y, validation=(X[:9], Y[:9]), learning_rate=0.1, **options)
    result = bp.Trainer(learning_rate=0.1, **options).fit(second, X, Y, validation=(X[:9], Y[:9]))
    assert first.to_bytes() == second.to_bytes() and history.result == result
    assert history.loss.tolist() == [report.loss for report in result.history]
    assert history.validation_loss.tolist() == [report.validation_loss for report in result.history]
    assert history.learning_rate.tolist() == [report.learning_rate for report in result.history]
    assert history.epoch.tolist() == list(range(1, 8)) and history.epochs == 7
    assert (history.best_epoch, history.best_loss, history.end) == (result.best_epoch, result.loss, result.end)


def test_fit_learns_a_linear_function():
    trained = bp.Network([2, 1], output="identity", gradient_reduction="mean")
    history = trained.fit(X, Y, epochs=200, learning_rate=0.1)
    assert np.allclose(trained.parameters, [1, -2, 1], atol=1e-3) and history.loss[-1] < 1e-6
    assert np.isnan(history.validation_loss).all() and history.end == "complete"
    assert repr(history).startswith("<History 200 epochs, end 'complete', best epoch ")


@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", 0.01), ("momentum", 0.01), ("adam", 0.001), ("adamw", 0.001),
                                                 ("rmsprop", 0.001)])
def test_default_learning_rate_suits_the_optimizer(optimizer, rate):
    assert network(optimizer=optimizer).fit(X, Y, epochs=1).learning_rate.tolist() == [np.float32(rate)]
    assert network(optimizer=optimizer).fit(X, Y, epochs=1, learning_rate=0.5).learning_rate.tolist() == [0.5]


def test_validation_can_be_a_share_of_the_rows():
    first, second = network(), network()
    history = first.fit(X, Y, epochs=3, validation=0.25, learning_rate=0.05)
    bp.Trainer(epochs=3, validation_fraction=0.25, learning_rate=0.05).fit(second, X, Y)
    assert first.to_bytes() == second.to_bytes() and np.isfinite(history.validation_loss).all()


def test_history_of_restarts_is_that_of_the_best_one():
    history = network().fit(X, Y, epochs=4, restarts=3, learning_rate=0.05)
    assert history.restart == history.result.restart and len(history.loss) == 4
    others = {report.restart for report in history.result.history}
    assert others == {0, 1, 2}
    assert history.best_loss == pytest.approx(min(history.loss.min(), history.best_loss))


def test_end_says_why_a_fit_ended():
    assert network().fit(X, Y, epochs=500, patience=2, validation=(X, -Y), learning_rate=0.1).end == "patience"
    assert network().fit(X, Y, target_loss=1e9).end == "target_loss"
    assert network().fit(X, Y, progress=lambda now: now.epoch == 3).end == "stopped"


@pytest.mark.parametrize(("given", "error", "message"), [
    ({"epochs": 0}, bp.InvalidValueError, "epochs"), ({"epochs": "many"}, TypeError, "epochs: expected a number, got str"),
    ({"epoch": 3}, bp.UnknownNameError, '"epoch"'),
    ({"progress": 3}, TypeError, "progress: expected a bool or a function, got int"),
    ({"validation": "some"}, TypeError, "validation: expected a pair of inputs and targets, or the share .*, got str"),
    ({"validation": X}, TypeError, "validation: expected a pair of inputs and targets, or the share .*, got ndarray"),
    ({"validation": True}, TypeError, "validation: expected a pair of inputs and targets, or the share .*, got bool"),
    ({"validation_data": (X, Y)}, TypeError, 'fit has no argument "validation_data": did you mean "validation"'),
    ({"verbose": True}, TypeError, 'fit has no argument "verbose": did you mean "progress"'),
    ({"validation": 1.5}, bp.InvalidValueError, "0.99"),
    ({"validation": (X,)}, ValueError, "validation: expected a pair"),
    ({"validation": (X, Y[:3])}, ValueError, "validation targets"),
    ({"validation": (X[:0], Y[:0])}, ValueError, "validation inputs: expected 1 row or more, got none"),
    ({"sample_weight": [1, 2]}, ValueError, r"sample_weight: expected shape \(60,\), got \(2,\)"),
    ({"class_weight": 3}, ValueError, "class_weight"), ({"schedule": "cos"}, ValueError, "schedule: expected one of")], ids=str)
def test_bad_argument_is_refused_and_changes_nothing(given, error, message):
    fitted = network()
    before = fitted.to_bytes()
    with pytest.raises(error, match=message):
        fitted.fit(X, Y, **given)
    assert fitted.to_bytes() == before


@pytest.mark.parametrize(("x", "y", "error", "message"), [
    (X[:0], Y[:0], bp.InvalidValueError, "inputs: expected 1 row or more, got none"),
    (X[:0], [], bp.InvalidValueError, "inputs: expected 1 row or more, got none"),
    (X[:0], np.array([], str), bp.InvalidValueError, "inputs: expected 1 row or more, got none"),
    ([], [], ValueError, r"inputs: expected shape \(rows, 2\), got \(0,\): there are no rows"),
    (X, Y[:5], ValueError, r"targets: expected shape \(60, 1\) for 60 rows"),
    (X[:, :1], Y, ValueError, r"inputs: expected shape \(rows, 2\), got \(60, 1\)"),
    (X, [[1], [2, 3]], ValueError, "targets: expected rows of the same length"),
    (X * np.nan, Y, bp.NotFiniteError, "NaN|nan|finite"),
    (X, [*Y[:-1, 0], math.inf], bp.NotFiniteError, "finite|inf")])
def test_bad_data_are_refused_and_change_nothing(x, y, error, message):
    fitted = network()
    before = fitted.to_bytes()
    with pytest.raises(error, match=message):
        fitted.fit(x, y)
    assert fitted.to_bytes() == before


def test_empty_data_frame_is_refused_because_it_has_no_rows():
    pandas = pytest.importorskip("pandas")
    for frame in (pandas.DataFrame(columns=["a", "b"]), pandas.DataFrame()):
        with pytest.raises(ValueError, match=r"there are no rows|expected 1 row or more, got none"):
            network().fit(frame, [])


def test_column_of_class_numbers_is_refused_with_the_shape_that_is_accepted():
    message = r"targets: expected shape \(rows, 3\), or \(rows,\) with class numbers or labels, got \(60, 1\)"
    with pytest.raises(ValueError, match=message):
        bp.Network([2, 3], loss="cross_entropy").fit(X, np.zeros((60, 1), int))


def test_network_that_is_closed_during_a_fit_says_so():
    closed = network()
    with pytest.raises(bp.InvalidHandleError, match="the network is closed"):
        closed.fit(X, Y, progress=lambda now: closed.close())


def test_closed_network_says_so():
    closed = network()
    closed.close()
    for call in (lambda: closed.fit(X, Y), closed.summary, lambda: closed.predict_classes(X), lambda: closed.layers[1].weight,
                 lambda: setattr(closed, "classes", [0, 1])):
        with pytest.raises(bp.InvalidHandleError, match="the network is closed"):
            call()


def test_line_on_a_stream_shows_at_most_ten_epochs(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    network().fit(X, Y, epochs=50, progress=True, validation=(X, Y))
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == "" and len(lines) == 10 and lines[0].startswith("epoch 5 of 50: loss ")
    assert lines[-1].startswith("epoch 50 of 50: loss ") and ", validation " in lines[-1]


def test_line_on_a_terminal_is_overwritten(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    network().fit(X, Y, epochs=3, progress=True)
    shown = terminal.getvalue()
    assert shown.endswith("\n") and shown.count("\n") == 1 and shown.count("\r") >= 2
    assert shown.split("\r")[-1].startswith("epoch 3 of 3: loss ")


def test_bar_of_tqdm_counts_epochs(capsys):
    pytest.importorskip("tqdm")
    network().fit(X, Y, epochs=20, progress=True)
    captured = capsys.readouterr()
    assert "20/20" in captured.err and "loss=" in captured.err and captured.out == ""


def test_fit_prints_nothing_unless_asked(capfd):
    network().fit(X, Y, epochs=3)
    assert capfd.readouterr() == ("", "")


def test_first_interrupt_ends_the_fit_and_keeps_the_best_weights():
    fitted, seen = network(), []

    def interrupt(now):
        seen.append(now)
        if now.epoch == 5:
            os.kill(os.getpid(), signal.SIGINT)

    history = fitted.fit(X, Y, epochs=10**8, validation=(X, Y), learning_rate=0.05, progress=interrupt)
    assert history.end == "interrupted" and history.result.stopped and history.epochs >= 5
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert fitted.evaluate(X, Y) == pytest.approx(history.best_loss) == pytest.approx(np.nanmin(history.validation_loss))


def test_second_interrupt_raises_and_restores_the_network():
    fitted = network()
    before = fitted.to_bytes()

    def interrupt(now):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(100):
                pass  # Python calls the handler between instructions

    with pytest.raises(KeyboardInterrupt):
        fitted.fit(X, Y, epochs=10**8, progress=interrupt)
    assert fitted.to_bytes() == before and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupt_before_the_first_step_ends_the_fit_too(monkeypatch):
    """The handler then has no fit to cancel."""
    fit = bp.Trainer.fit

    def late(*arguments, **options):
        os.kill(os.getpid(), signal.SIGINT)
        return fit(*arguments, **options)

    monkeypatch.setattr(bp.Trainer, "fit", late)
    assert network().fit(X, Y, epochs=10**8).end == "interrupted"


def test_handler_of_the_program_remains(monkeypatch):
    class Stop(Exception):
        pass

    def handler(number, frame):
        raise Stop

    old = signal.signal(signal.SIGINT, handler)
    try:
        fitted = network()
        before = fitted.to_bytes()
        with pytest.raises(Stop):
            fitted.fit(X, Y, epochs=10**8, progress=lambda now: os.kill(os.getpid(), signal.SIGINT))
        assert fitted.to_bytes() == before and signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, old)


def test_fit_runs_on_another_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(network().fit(X, Y, epochs=2).end))
    thread.start()
    thread.join()
    assert found == ["complete"]


def test_exception_of_the_progress_function_is_raised_and_restores_the_network():
    fitted = network()
    before = fitted.to_bytes()
    with pytest.raises(ZeroDivisionError):
        fitted.fit(X, Y, progress=lambda now: 1 // 0)
    assert fitted.to_bytes() == before


def test_fit_can_be_resumed():
    whole, parts = network(), network()
    whole.fit(X, Y, epochs=6)
    parts.fit(X, Y, epochs=2)
    history = parts.fit(X, Y, epochs=6, resume=True)
    assert parts.parameters.tobytes() == whole.parameters.tobytes() and history.epoch.tolist() == [3, 4, 5, 6]
