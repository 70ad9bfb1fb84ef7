"""Fits of several networks at once."""
import numpy as np
import pytest

import libbackprop as bp

RANDOM = np.random.default_rng(4)
X = RANDOM.uniform(-1, 1, (60, 3)).astype(np.float32)
Y = (X[:, :1] * X[:, 1:2]).astype(np.float32)
RATES = [0.01, 0.02, 0.003, 0.01, 0.05]


def networks(count=5, **settings):
    return [bp.Network([3, 8, 1], activation="tanh", output="identity", optimizer="adam", seed=seed, **settings)
            for seed in range(count)]


@pytest.mark.parametrize("x, y", [(X, Y), (X.astype(float), Y[:, 0].astype(float))], ids=["floats", "doubles"])
def test_each_network_gets_the_bits_of_its_own_fit(x, y):
    together, alone = networks(), networks()
    weights = np.arange(60) % 3
    validation = x[:9], y[:9], np.arange(9)
    options = {"epochs": 4, "batch_size": 20, "seed": 3}
    results = bp.Trainer(**options).fit_ensemble(together, x, y, learning_rates=RATES, sample_weight=weights,
                                                 validation=validation)
    for network, other, rate, result in zip(together, alone, RATES, results):
        own = bp.Trainer(learning_rate=rate, **options).fit(other, x, y, sample_weight=weights, validation=validation)
        assert network.parameters.tobytes() == other.parameters.tobytes()
        assert (result.loss, result.end, result.epochs, result.best_epoch) == (own.loss, own.end, own.epochs, own.best_epoch)
    assert len(results[0].history) == 4
    best = min(results, key=lambda result: result.loss)
    assert results[0].history[best.best_epoch - 1].validation_loss == best.loss


def test_progress_gets_one_report_an_epoch_and_can_stop_all():
    reports = []
    results = bp.Trainer(epochs=9).fit_ensemble(networks(), X, Y, progress=lambda now: reports.append(now) or len(reports) == 2)
    assert [now.epoch for now in reports] == [1, 2] and all(result.stopped and result.end == "stopped" for result in results)


def test_an_exception_in_the_progress_function_leaves_all_networks_as_they_were():
    members = networks()
    before = [network.parameters for network in members]
    with pytest.raises(ZeroDivisionError):
        bp.Trainer().fit_ensemble(members, X, Y, progress=lambda now: 1 / 0)
    assert all((network.parameters == old).all() for network, old in zip(members, before))


def test_a_network_that_diverges_is_left_as_it_was():
    members = [bp.Network([3, 8, 1], activation="identity", output="identity", seed=seed) for seed in range(5)]
    before = members[1].parameters
    results = bp.Trainer(epochs=50).fit_ensemble(members, X, Y, learning_rates=[0.01, 1e9, 0.01, 0.01, 0.01])
    assert [result.end == "diverged" for result in results] == [False, True, False, False, False]
    assert np.isnan(results[1].loss) and (members[1].parameters == before).all()


def test_bad_arguments_are_refused():
    members = networks()
    trainer = bp.Trainer(epochs=1)
    with pytest.raises(ValueError, match="expected 1 network or more"):
        trainer.fit_ensemble([], X, Y)
    with pytest.raises(ValueError, match=r"learning_rates: expected shape \(5,\), got \(2,\)"):
        trainer.fit_ensemble(members, X, Y, learning_rates=[1, 2])
    with pytest.raises(bp.InvalidValueError, match=r"network 2: .* -1"):
        trainer.fit_ensemble(members, X, Y, learning_rates=[1, 1, -1, 1, 1])
    with pytest.raises(bp.InvalidValueError, match="network 5: it is in the array twice"):
        trainer.fit_ensemble(members + members[:1], X, Y)
    with pytest.raises(bp.ModelError, match="network 5"):
        trainer.fit_ensemble([*members, bp.Network([3, 9, 1])], X, Y)
    with pytest.raises(bp.UnsupportedError, match="restarts"):
        bp.Trainer(restarts=2).fit_ensemble(members, X, Y)
    with pytest.raises(TypeError):
        trainer.fit_ensemble([1], X, Y)
    members[1].set_all_reduce(lambda values, maximum: None, 0, 2)
    with pytest.raises(bp.UnsupportedError, match="network 1: it has an all-reduce function"):
        trainer.fit_ensemble(members, X, Y)
