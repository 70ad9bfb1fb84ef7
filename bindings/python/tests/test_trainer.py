"""Trainers: options, results, row weights, progress, failures and copies."""
import copy
import math
import pickle
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import libbackprop as bp
from test_options import value_of

CORPUS = Path(__file__).parents[3] / "Tests" / "Corpus" / "good"
XOR_INPUTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
XOR_TARGETS = np.array([[0], [1], [1], [0]], np.float32)


@pytest.fixture
def network():
    return bp.Network([3, 5, 2], seed=1)


@pytest.fixture
def data(rng):
    return rng.normal(size=(40, 3)).astype(np.float32), rng.random(size=(40, 2)).astype(np.float32)


def test_fit_reduces_the_loss_and_returns_its_history(network, data):
    trainer = bp.Trainer(epochs=30, learning_rate=0.02, seed=2)
    result = trainer.fit(network, *data)
    assert not result.stopped and len(result.history) == 30
    assert result.loss == pytest.approx(result.history[-1].loss) and result.loss < result.history[0].loss
    last = result.history[-1]
    assert (last.restart, last.epoch, last.epochs, last.step, last.steps) == (0, 30, 30, 60, 60)
    assert last.epoch_ended and math.isnan(last.validation_loss)
    assert last.learning_rate == pytest.approx(0.02)


def test_fit_with_minibatches_of_all_rows_equals_a_loop_of_train_minibatch(network, data):
    twin = network.clone()
    bp.Trainer(epochs=20, batch_size=0, learning_rate=0.03).fit(network, *data)
    for _ in range(20):
        twin.train_minibatch(*data, learning_rate=0.03)
    assert (network.parameters == twin.parameters).all()


@pytest.mark.parametrize("option", [o for o in bp.options() if o.owner == "trainer"], ids=lambda o: o.name)
def test_options_accept_their_bounds_and_refuse_other_values(option):
    trainer = bp.Trainer()
    if option.name != "progress_seconds":  # has another default in Python
        assert trainer.get_option(option.name) == value_of(option, option.default)
    for value in (option.minimum, option.maximum):
        trainer.set_option(option.name, value)
        assert trainer.get_option(option.name) == value_of(option, value)
    accepted = r"0 \(\w+\), .* or |0 \(\w+\) or " if option.choices else ".* from .* to "
    for value in (option.minimum - 1, option.maximum * 2 + 1, math.nan, math.inf):
        with pytest.raises(bp.InvalidValueError, match=f'"{option.name}" must be ({accepted})'):
            trainer.set_option(option.name, value)


def test_unknown_options_are_refused():
    with pytest.raises(bp.UnknownNameError, match="epoch"):
        bp.Trainer(epoch=3)
    with pytest.raises(bp.UnknownNameError):
        bp.Trainer().get_option("momentum")


def test_validation_losses_equal_the_results_of_evaluate(network, data, rng):
    x, y = rng.normal(size=(11, 3)), rng.random(size=(11, 2))
    expected = []
    result = bp.Trainer(epochs=8, learning_rate=0.05, keep="latest").fit(
        network, *data, validation=(x, y), progress=lambda p: expected.append(network.evaluate(x, y) / 11))
    assert [p.validation_loss for p in result.history] == pytest.approx(expected, rel=1e-6)
    assert result.loss == pytest.approx(network.evaluate(x, y) / 11, rel=1e-6)


def test_patience_keeps_the_best_weights(network, data, rng):
    validation = rng.normal(size=(20, 3)), rng.random(size=(20, 2))
    seen = []
    result = bp.Trainer(epochs=300, learning_rate=0.1, patience=3).fit(
        network, *data, validation=validation, progress=lambda p: seen.append(network.parameters))
    losses = [p.validation_loss for p in result.history]
    best = int(np.argmin(losses))
    assert len(losses) == best + 4 < 300
    assert (network.parameters == seen[best]).all() and result.loss == pytest.approx(losses[best])


def test_progress_is_called_at_the_interval_and_can_stop_the_fit(network, data):
    seen = []
    result = bp.Trainer(epochs=9, batch_size=8, progress_interval=2).fit(
        network, *data, progress=lambda p: seen.append(p) or p.step == 14)
    assert [p.step for p in seen] == [2, 4, 5, 6, 8, 10, 12, 14]
    assert [p.epoch_ended for p in seen] == [False, False, True, False, False, True, False, False]
    assert result.stopped and [p.epoch for p in result.history] == [1, 2]


@pytest.mark.parametrize("options, end, epochs", [
    ({"epochs": 4}, "complete", 4), ({"patience": 1, "min_delta": 1e9}, "patience", 2), ({"target_loss": 1e9}, "target_loss", 1),
    ({"time_limit": 1e-9}, "time_limit", 0), ({"epochs": 9}, "stopped", 3), ({"epochs": 8}, "cancelled", 3)])
def test_result_says_why_the_fit_ended(network, data, options, end, epochs):
    trainer = bp.Trainer(**options)

    def progress(report):
        if end == "cancelled" and report.epoch == 3:
            trainer.cancel()
        return end == "stopped" and report.epoch == 3

    result = trainer.fit(network, *data, progress=progress)
    assert (result.end, result.epochs, result.restart) == (end, epochs, 0)
    assert result.stopped == (end in ("stopped", "cancelled")) and result.epochs == len(result.history)


def test_result_names_the_best_epoch(network, data):
    result = bp.Trainer(epochs=30, learning_rate=3, validation_fraction=0.4, seed=2).fit(network, *data)
    losses = [report.validation_loss for report in result.history]
    assert result.best_epoch == 1 + losses.index(min(losses)) and result.loss == min(losses)


def test_trainer_closed_during_its_fit_returns_a_result(network, data):
    trainer = bp.Trainer(epochs=50)
    result = trainer.fit(network, *data, progress=lambda report: trainer.close())
    assert result.stopped and result.end == "cancelled" and result.epochs == 1


def test_exception_of_the_progress_function_is_raised_and_undoes_the_fit(network, data):
    before = network.to_bytes()

    def fail(progress):
        if progress.epoch == 3:
            raise LookupError("in progress")

    trainer = bp.Trainer(epochs=9)
    with pytest.raises(LookupError, match="in progress"):
        trainer.fit(network, *data, progress=fail)
    assert network.to_bytes() == before
    trainer.fit(network, *data)  # the trainer is idle again
    assert network.to_bytes() != before


def test_interrupt_in_the_progress_function_is_raised_and_undoes_the_fit(network, data):
    before = network.to_bytes()
    with pytest.raises(KeyboardInterrupt):
        bp.Trainer(epochs=9).fit(network, *data, progress=lambda p: signal.raise_signal(signal.SIGINT))
    assert network.to_bytes() == before


def test_interrupt_without_a_progress_function_is_raised_and_undoes_the_fit(network, data):
    before = network.to_bytes()
    main = threading.main_thread().ident
    timer = threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):  # also if the machine is so slow that the fit has not started
        timer.start()
        bp.Trainer(epochs=10**9, batch_size=1).fit(network, *data)
    timer.join()
    assert network.to_bytes() == before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_exception_of_an_activation_is_raised_and_undoes_the_fit(data):
    calls = []

    def forward(z):
        calls.append(1)
        if len(calls) == 20:
            raise ZeroDivisionError("in an activation")
        return np.tanh(z)

    bp.activation.register_vector("failing", forward, lambda z, a, da: da * (1 - a * a))
    network = bp.Network([3, 5, 2], seed=1)
    network.set_activation(1, "failing")
    before = network.to_bytes()
    with pytest.raises(ZeroDivisionError, match="in an activation"):
        bp.Trainer(epochs=100).fit(network, *data)
    assert network.to_bytes() == before


def test_cancel_from_another_thread_stops_the_fit(network, data):
    trainer = bp.Trainer(epochs=10**9)
    trainer.cancel()  # without a fit, does nothing
    begun = threading.Event()

    def cancel():
        begun.wait()
        trainer.cancel()

    thread = threading.Thread(target=cancel, daemon=True)
    thread.start()
    result = trainer.fit(network, *data, progress=lambda progress: begun.set())
    thread.join()
    assert result.stopped


def test_during_a_fit_networks_can_be_read_but_not_changed(network, data):
    trainer, other = bp.Trainer(epochs=2), bp.Trainer()
    calls = []

    def use_during_fit(progress):
        network.predict(data[0])
        network.to_bytes()
        assert trainer.get_option("epochs") == 2
        for change in (lambda: network.train_step(data[0][0], data[1][0], 0.1), lambda: trainer.set_option("epochs", 3),
                       lambda: other.fit(network, *data), lambda: trainer.fit(network.clone(), *data)):
            with pytest.raises(bp.BusyError):
                change()
        calls.append(progress)

    trainer.fit(network, *data, progress=use_during_fit)
    assert len(calls) == 2


def test_sample_weight_of_n_equals_n_copies_of_the_row(data):
    x, y = data
    weights = np.arange(40) % 3
    one, other = bp.Network([3, 5, 2], seed=1), bp.Network([3, 5, 2], seed=1)
    bp.Trainer(epochs=5, batch_size=0, learning_rate=0.01).fit(one, x, y, sample_weight=weights)
    bp.Trainer(epochs=5, batch_size=0, learning_rate=0.01).fit(other, x.repeat(weights, 0), y.repeat(weights, 0))
    assert one.parameters == pytest.approx(other.parameters, abs=1e-5)


@pytest.mark.parametrize("one_hot", [True, False])
def test_class_weight_equals_sample_weights_of_its_rows(one_hot):
    rng = np.random.default_rng(3)
    classes = (np.arange(30) % 5 == 0).astype(int)
    x = rng.normal(size=(30, 3))
    y = np.eye(2)[classes] if one_hot else classes[:, None]
    outcomes = []
    for weight in ({"class_weight": {0: 0.5, 1: 4}}, {"sample_weight": np.where(classes, 4, 0.5)},
                   {"class_weight": "balanced"}, {"sample_weight": np.where(classes, 30 / (2 * 6), 30 / (2 * 24))},
                   {"class_weight": {0: 2, 1: 4}, "sample_weight": np.full(30, 0.5)},
                   {"sample_weight": np.where(classes, 2, 1)}):
        network = bp.Network([3, 4, 1 + one_hot], seed=1)
        bp.Trainer(epochs=5).fit(network, x, y, **weight)
        outcomes.append(network.parameters)
    for a, b in ((0, 1), (2, 3), (4, 5)):
        assert (outcomes[a] == outcomes[b]).all()
    assert not (outcomes[0] == outcomes[2]).all()


def test_row_weights_apply_to_one_fit_only(network, data):
    twin, trainer = network.clone(), bp.Trainer(epochs=2)
    trainer.fit(network.clone(), *data, sample_weight=np.arange(40))
    trainer.fit(network, *data)
    bp.Trainer(epochs=2).fit(twin, *data)
    assert (network.parameters == twin.parameters).all()


@pytest.mark.parametrize("bad, error", [
    ({"sample_weight": np.ones(39)}, "sample_weight"), ({"sample_weight": -np.ones(40)}, "row 0"),
    ({"sample_weight": np.zeros(40)}, "sample_weight: expected a row with a weight above 0, got weight 0 for each row"),
    ({"class_weight": {0: 0, 1: 0}}, "class_weight: expected a row with a weight above 0"),
    ({"validation": (np.zeros((2, 3)), np.zeros((2, 2)), [0, 0])}, "validation sample_weight: expected a row with a weight"),
    ({"class_weight": "even"}, "balanced"), ({"class_weight": {7: 1}}, "class"),
    ({"validation": (np.zeros((2, 4)), np.zeros((2, 2)))}, r"\(rows, 3\)"),
    ({"validation": (np.zeros((2, 3)), np.zeros((3, 2)))}, "2 rows"),
    ({"validation": (np.zeros((0, 3)), np.zeros((0, 2)))}, "none"), ({"validation": 5}, "pair"),
])
def test_bad_arguments_are_value_errors_whose_message_says_what_is_wrong(network, data, bad, error):
    before = network.to_bytes()
    with pytest.raises(ValueError, match=error):
        bp.Trainer().fit(network, *data, **bad)
    assert network.to_bytes() == before


def test_bad_data_are_refused(network, data):
    x, y = data[0].copy(), data[1]
    x[17, 2] = math.nan
    with pytest.raises(bp.NotFiniteError, match="row 17, column 2"):
        bp.Trainer().fit(network, x, y)
    with pytest.raises(ValueError):
        bp.Trainer().fit(network, x[:0], y[:0])
    with pytest.raises(bp.InvalidValueError, match="single row"):
        bp.Trainer(validation_fraction=0.5).fit(network, *(values[:1] for values in data))
    with pytest.raises(TypeError, match="progress"):
        bp.Trainer().fit(network, *data, progress=5)


DUPLICATES = [copy.copy, copy.deepcopy, lambda trainer: pickle.loads(pickle.dumps(trainer))]


class Subclass(bp.Trainer):
    """A trainer whose constructor has other parameters."""

    def __init__(self, rate):
        super().__init__(learning_rate=rate, schedule="step")
        self.rates = [rate]


@pytest.mark.parametrize("duplicate", DUPLICATES, ids=["copy", "deepcopy", "pickle"])
def test_duplicate_of_a_trainer_has_the_same_options_and_results(network, data, duplicate):
    trainer = bp.Trainer(epochs=7, batch_size=9, learning_rate=0.1 / 3, schedule="cosine", seed=2**40 + 1, keep="latest")
    twin = duplicate(trainer)
    assert type(twin) is bp.Trainer
    for option in bp.options():
        if option.owner == "trainer":
            assert twin.get_option(option.name) == trainer.get_option(option.name)
    other = network.clone()
    trainer.fit(network, *data)
    trainer.close()
    twin.fit(other, *data)
    assert other.to_bytes() == network.to_bytes()
    twin.set_option("epochs", 1)


@pytest.mark.parametrize("duplicate", DUPLICATES, ids=["copy", "deepcopy", "pickle"])
def test_duplicate_of_a_subclass_keeps_attributes_that_the_program_added(duplicate):
    trainer = Subclass(0.25)
    twin = duplicate(trainer)
    assert type(twin) is Subclass and twin.rates == [0.25]
    assert (twin.rates is trainer.rates) == (duplicate is copy.copy)
    assert twin.get_option("learning_rate") == 0.25 and twin.get_option("schedule") == "step"


def test_row_weights_are_not_copied_to_a_duplicate(network, data):
    twin, trainer = network.clone(), bp.Trainer(epochs=2)
    trainer.fit(network.clone(), *data, sample_weight=np.arange(40))
    copy.copy(trainer).fit(network, *data)
    bp.Trainer(epochs=2).fit(twin, *data)
    assert (network.parameters == twin.parameters).all()


@pytest.mark.parametrize("duplicate", DUPLICATES, ids=["copy", "deepcopy", "pickle"])
def test_duplicate_calls_progress_at_the_same_times(network, data, duplicate):
    for options, expected in (({}, 2), ({"progress_seconds": 1e-9}, 80)):
        seen = []

        def slow(progress, seen=seen):
            seen.append(progress)
            time.sleep(0.0001)

        duplicate(bp.Trainer(epochs=2, batch_size=1, **options)).fit(network, *data, progress=slow)
        assert len(seen) == expected


def test_closed_trainer_cannot_be_duplicated():
    trainer = bp.Trainer()
    trainer.close()
    for duplicate in DUPLICATES:
        with pytest.raises(bp.InvalidHandleError):
            duplicate(trainer)


@pytest.mark.parametrize(("name", "value", "remedy"), [
    ("epochs", 3, ": call set_option('epochs', 3)"), ("schedule", "cosine", ": call set_option('schedule', 'cosine')"),
    ("epoch", 3, ": did you mean 'epochs'?"), ("momentum", 0.5, ": it is an option of a network")])
def test_assigning_an_option_is_refused_and_the_error_says_how_to_set_it(name, value, remedy):
    with pytest.raises(AttributeError) as caught:
        setattr(bp.Trainer(), name, value)
    assert str(caught.value) == f"cannot set {name!r} of a trainer{remedy}"


def test_second_fit_of_a_trainer_is_refused_and_does_not_disturb_the_first(network, data):
    """The second fit is called at every step of the first one, from two threads, with other weights and progress."""
    trainer, twin = bp.Trainer(epochs=4, batch_size=10, progress_interval=1), network.clone()
    weights = np.arange(40) % 3
    expected_steps = []
    expected = bp.Trainer(epochs=4, batch_size=10, progress_interval=1).fit(
        twin, *data, sample_weight=weights, progress=lambda progress: expected_steps.append(progress.step))
    refused, steps = [], []

    def second():
        try:
            trainer.fit(bp.Network([3, 5, 2]), *data, sample_weight=np.arange(40), progress=lambda progress: True)
        except BaseException as error:
            refused.append(error)

    def progress(progress):
        steps.append(progress.step)
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        second()  # on the same thread

    result = trainer.fit(network, *data, sample_weight=weights, progress=progress)
    assert [type(error) for error in refused] == [bp.BusyError] * (2 * len(steps))
    assert refused[0].status == bp.Status.ERROR_BUSY
    assert steps == expected_steps and (result.loss, result.stopped) == (expected.loss, False)
    assert [each.loss for each in result.history] == [each.loss for each in expected.history]
    assert network.to_bytes() == twin.to_bytes()


def test_concurrent_fits_of_one_trainer_succeed_or_are_refused(data):
    """Each thread passes a progress function that fails if another thread calls it."""
    trainer, answers, interval = bp.Trainer(epochs=2), [], sys.getswitchinterval()

    def work(number):
        current = threading.get_ident()

        def progress(progress):
            if threading.get_ident() != current:
                raise AssertionError("the progress function of another thread")
            if number == 0 and progress.epoch == 2:
                raise LookupError("of the first thread")

        for _ in range(200):
            try:
                trainer.fit(bp.Network([3, 2]), *data, progress=progress)
                answers.append((number, "ok"))
            except Exception as error:
                answers.append((number, type(error)))

    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(answers) == 600
    assert {answer for number, answer in answers if number == 0} <= {LookupError, bp.BusyError}
    assert {answer for number, answer in answers if number > 0} <= {"ok", bp.BusyError}
    trainer.fit(bp.Network([3, 2]), *data)  # the trainer is idle again


def test_closed_trainers_and_networks_are_refused(network, data):
    trainer = bp.Trainer()
    trainer.close()
    trainer.close()
    for call in (lambda: trainer.fit(network, *data), trainer.cancel, lambda: trainer.set_option("epochs", 1)):
        with pytest.raises(bp.InvalidHandleError, match="the trainer is closed"):
            call()
    network.close()
    with bp.Trainer() as other, pytest.raises(bp.InvalidHandleError, match="the network is closed"):
        other.fit(network, *data)


def test_fit_fails_if_the_progress_function_closes_the_network(network, data):
    with pytest.raises(bp.InvalidHandleError):
        bp.Trainer(epochs=5).fit(network, *data, progress=lambda p: network.close())


def test_best_of_ten_restarts_solves_xor():
    network = bp.Network([2, 2, 1], seed=1)
    result = bp.Trainer(epochs=1000, batch_size=0, learning_rate=2, restarts=10, seed=1).fit(
        network, XOR_INPUTS, XOR_TARGETS)
    assert ((network.predict(XOR_INPUTS) > 0.5) == XOR_TARGETS).all()
    assert {p.restart for p in result.history} == set(range(10))
    assert result.loss == pytest.approx(min(p.loss for p in result.history if p.epoch == 1000))


def test_resumed_fit_equals_an_uninterrupted_one(network, data):
    whole = network.clone()
    bp.Trainer(epochs=10, batch_size=7, seed=5).fit(whole, *data)
    bp.Trainer(epochs=4, batch_size=7, seed=5).fit(network, *data)
    network = bp.Network.from_bytes(network.to_bytes())
    result = bp.Trainer(epochs=10, batch_size=7, seed=5, resume=True).fit(network, *data)
    assert network.to_bytes() == whole.to_bytes()
    assert [p.epoch for p in result.history] == list(range(5, 11))


def test_progress_seconds_sets_the_time_between_reports(network, data):
    seen = []

    def slow(progress):
        seen.append(progress)
        time.sleep(0.002)
        return progress.epoch == 2

    bp.Trainer(epochs=10**6, batch_size=1, progress_seconds=1e-9).fit(network, *data, progress=slow)
    assert len(seen) == 80  # one report for each step of two epochs


@pytest.mark.parametrize("change, message", [
    ({"seed": 3}, "had seed 0, not 3"), ({"batch_size": 8}, "had batch_size 7, not 8"),
    ({"validation_fraction": 0.25}, "had the number of training rows 40, not 30"),
])
def test_a_resumed_fit_of_another_seed_or_other_rows_is_refused(network, data, change, message):
    bp.Trainer(epochs=2, batch_size=7).fit(network, *data)
    before = network.to_bytes()
    with pytest.raises(bp.InvalidValueError, match=message):
        bp.Trainer(**{"epochs": 4, "batch_size": 7, "resume": True, **change}).fit(network, *data)
    assert network.to_bytes() == before
    bp.Trainer(epochs=4, batch_size=7, resume=True, patience=5, learning_rate=0.1).fit(network, *data)


def test_a_fit_of_an_older_file_without_the_number_of_rows_is_resumed_with_any(rng):
    network = bp.load(CORPUS / "fit-with-its-best-network")  # after 5 steps of unknown numbers of rows, seed 3
    data = rng.normal(size=(20, 2)), rng.normal(size=(20, 1))
    result = bp.Trainer(steps=5, batch_size=1, seed=3, resume=True).fit(network, *data)
    assert (result.epochs, result.best_epoch) == (0, 0)  # 5 steps are less than an epoch of 20
    bp.Trainer(steps=9, batch_size=2, seed=3, resume=True).fit(network, *data)


def test_a_stopped_fit_that_keeps_the_best_weights_is_resumed_at_its_best_epoch(network, data):
    def stop(progress):
        return progress.epoch == 9

    seen = {}
    for keep in ("best", "latest"):
        parts = network.clone()
        options = {"epochs": 12, "batch_size": 7, "keep": keep, "min_delta": 1e9}  # the best epoch is the first
        bp.Trainer(**options).fit(parts, *data, progress=stop)
        seen[keep] = [p.epoch for p in bp.Trainer(resume=True, **options).fit(parts, *data).history]
    assert seen == {"best": list(range(2, 13)), "latest": [10, 11, 12]}


def test_repr_of_a_result_is_short(network, data):
    result = bp.Trainer(epochs=50).fit(network, *data)
    assert repr(result) == (f"FitResult(loss={result.loss!r}, stopped=False, history=<50 reports>, end='complete', epochs=50, "
                            f"best_epoch={result.best_epoch}, restart=0)")
