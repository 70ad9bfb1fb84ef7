"""One training by several workers, which are threads here: the same as one process with all rows, and they fail together."""
import threading

import numpy as np
import pytest

import libbackprop as bp
from libbackprop.distributed import Communicator, DataParallel, communicator, sweep


class Team:
    """An engine between threads. It adds in the order of the ranks. A worker that waits for one that has ended gets an error."""

    def __init__(self, size):
        self.size, self.left = size, 0
        self.parts, self.result, self.number = {}, None, 0
        self.changed = threading.Condition()

    def exchange(self, rank, part, combine):
        with self.changed:
            number = self.number
            self.parts[rank] = part
            if len(self.parts) == self.size:
                self.result, self.parts = combine([self.parts[each] for each in range(self.size)]), {}
                self.number += 1
                self.changed.notify_all()
            self.changed.wait_for(lambda: self.number > number or self.left)
            if self.number == number:
                raise RuntimeError("alone")
            return self.result


class Thread(Communicator):
    def __init__(self, team, rank):
        self.team, self.rank, self.size = team, rank, team.size

    def all_reduce(self, values, operation):
        def combine(parts):
            result = parts[0].copy()
            for part in parts[1:]:
                result = result + part if operation == "sum" else np.maximum(result, part)
            return result

        assert values.dtype in (np.float32, np.float64) and values.flags.writeable
        values[:] = self.team.exchange(self.rank, values.copy(), combine)

    def broadcast(self, data, root=0):
        return self.team.exchange(self.rank, data, lambda parts: parts[root])


def run(size, work):
    """The results of work(comm), or the exceptions, of `size` threads."""
    team, results = Team(size), [None] * size

    def one(rank):
        try:
            results[rank] = work(Thread(team, rank))
        except Exception as error:
            results[rank] = error
        with team.changed:
            team.left += 1
            team.changed.notify_all()

    threads = [threading.Thread(target=one, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not any(str(result) == "alone" for result in results), results
    return results


ROWS = 40
numbers = np.random.default_rng(3)
x = numbers.normal(size=(ROWS, 4)).astype(np.float32)
y = np.tanh(x @ numbers.normal(size=(4, 2))).astype(np.float32)


def network(seed=1, **settings):
    return bp.Network([4, 7, 2], activation="tanh", output="identity", optimizer="momentum", gradient_reduction="mean",
                      seed=seed, **{"batchnorm": True, "dropout": 0.2, **settings})


def same(models):
    return all(each == models[0] for each in models)


def close(a, b):
    return np.abs(a - b).max() <= 1e-5 * np.abs(a).max()


def share(comm, array):
    return array[ROWS * comm.rank // comm.size:ROWS * (comm.rank + 1) // comm.size]


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_a_fit_of_several_workers_is_that_of_one_process(size):
    options = {"epochs": 6, "batch_size": 7, "validation": 0.2, "seed": 2, "learning_rate": 0.02}

    def work(comm):
        trained = network(seed=1 + comm.rank)  # rank 0's counts
        history = trained.fit(x, y, comm=comm, **options)
        trained.train_minibatch(x, y, 0.01)  # alone again
        return trained.to_bytes(), history.validation_loss.tolist()

    alone = network()
    history = alone.fit(x, y, **options)
    alone.train_minibatch(x, y, 0.01)
    results = run(size, work)
    assert same([model for model, _ in results])
    assert close(alone.parameters, bp.Network.from_bytes(results[0][0]).parameters)
    assert np.allclose(results[0][1], history.validation_loss, rtol=1e-5)


def test_each_worker_passes_its_own_rows():
    def work(comm):
        with DataParallel(network(), comm) as parallel:
            parallel.network.fit_scaling(share(comm, x), share(comm, y), target_scaling="none")
            parallel.fit(share(comm, x), share(comm, y), epochs=5, batch_size=0, shared_rows=0, learning_rate=0.02)
            losses = [parallel.network.train_minibatch(share(comm, x), share(comm, y), 0.01),
                      parallel.network.train_step(share(comm, x)[0], share(comm, y)[0], 0.01)]
            gradient = parallel.network.gradient(share(comm, x), share(comm, y))[0]
            found = parallel.evaluate(share(comm, x), share(comm, y))
            return parallel.network.to_bytes(), losses, gradient, found

    alone = network()
    alone.fit_scaling(x, y, target_scaling="none")
    alone.fit(x, y, epochs=5, batch_size=0, learning_rate=0.02)
    losses = [alone.train_minibatch(x, y, 0.01), alone.train_minibatch(x[::10], y[::10], 0.01)]
    gradient = alone.gradient(x, y)[0]
    results = run(4, work)
    assert same([model for model, *_ in results])
    assert np.allclose(results[0][1], losses, rtol=1e-5) and np.allclose(results[0][2], gradient, atol=1e-6)
    assert close(alone.parameters, bp.Network.from_bytes(results[0][0]).parameters)
    assert results[0][3] == results[1][3] == pytest.approx(alone.evaluate(x, y), rel=1e-5)


def test_a_worker_may_have_no_rows():
    def work(comm):
        rows = slice(0, ROWS) if comm.rank == 1 else slice(0, 0)
        with DataParallel(network(), comm) as parallel:
            parallel.network.fit_scaling(x[rows], y[rows], target_scaling="none")
            parallel.network.train_minibatch(x[rows], y[rows], 0.01, sample_weight=np.ones(len(x[rows])))
            parallel.network.train_minibatch(x[rows].astype(float), y[rows], 0.01)
            parallel.fit(x[rows], y[rows], epochs=3, batch_size=8, shared_rows=0)
            return parallel.network.to_bytes()

    results = run(3, work)
    assert same(results), results
    assert bp.Network.from_bytes(results[0]).step_count == 2 + 3 * 5


def test_streams_of_the_workers_have_different_lengths():
    def work(comm):
        with DataParallel(network(), comm) as parallel:
            batches = [(x[:10], y[:10])] * comm.rank  # none on rank 0
            result = parallel.fit_stream(batches, epochs=2, batch_size=5)
            return result.steps if hasattr(result, "steps") else result.history[-1].step, parallel.network.to_bytes()

    results = run(3, work)
    assert same(results) and results[0][0] == 2 * 4


def step(trained, inputs=x, targets=y, rate=0.1, **arguments):
    trained.train_minibatch(inputs, targets, rate, **arguments)


def fit(trained, inputs=x, targets=y, **arguments):
    bp.Trainer(epochs=1).fit(trained, inputs, targets, **arguments)


def fit_stream(trained, batches=((x, y),)):
    bp.Trainer(epochs=1).fit_stream(trained, batches)


@pytest.mark.parametrize(("call", "wrong"), [
    (step, {"inputs": x[:, :2]}), (step, {"inputs": [["a"]]}), (step, {"targets": y[:3]}), (step, {"rate": -1}),
    (step, {"sample_weight": [1]}), (step, {"sample_weight": np.full(ROWS, -1.0)}),
    (lambda trained, row=x[0]: trained.train_step(row, y[0], 0.1), {"row": [1]}),
    (lambda trained, inputs=x: trained.gradient(inputs, y), {"inputs": x[:, :2]}),
    (lambda trained, gradients=y: trained.backpropagate(x, gradients), {"gradients": y[:, :1]}),
    (lambda trained, inputs=x: trained.fit_scaling(inputs, y), {"inputs": x[:, :1]}),
    (fit, {"targets": y[:, :1]}), (fit, {"sample_weight": np.full(ROWS, -1.0)}), (fit, {"sample_weight": np.zeros(ROWS)}),
    (fit, {"progress": 3}), (fit, {"progress": lambda now: 1 / 0}), (fit, {"validation": (x, y[:3])}),
    (fit_stream, {"batches": 3}), (fit_stream, {"batches": [(x, y), (x, 5)]}),
], ids=range(18))
def test_what_one_worker_refuses_fails_on_all(call, wrong):
    def work(comm):
        with DataParallel(network(), comm) as parallel:
            before, error = parallel.network.to_bytes(), None
            try:
                call(parallel.network, **(wrong if comm.rank == 1 else {}))
            except Exception as raised:
                error = raised
            assert parallel.network.to_bytes() == before
            parallel.network.train_minibatch(x, y, 0.01)  # works again
            return type(error).__name__

    results = run(3, work)
    assert results[0] == results[2] == "WorkerError", results
    assert results[1] in ("ValueError", "TypeError", "InvalidValueError", "ZeroDivisionError"), results


def test_exception_of_the_engine_is_raised_and_undoes_the_step():
    trained = network()
    calls = []

    def engine(values, operation):
        calls.append(operation)
        if len(calls) == 4:
            raise KeyError("cable")

    trained.set_all_reduce(engine, 0, 1)
    before = trained.to_bytes()
    with pytest.raises(KeyError, match="cable"):
        trained.train_minibatch(x, y, 0.1)
    assert trained.to_bytes() == before and calls == ["sum"] * 4
    trained.set_all_reduce(None)
    trained.train_minibatch(x, y, 0.1)
    assert len(calls) == 4


def test_a_network_releases_its_function():
    from libbackprop._call import plugins

    count = len(plugins)
    trained = network()
    trained.set_all_reduce(lambda values, operation: None)
    trained.set_all_reduce(lambda values, operation: None)
    assert len(plugins) == count + 1
    with pytest.raises(bp.InvalidValueError):
        trained.set_all_reduce(lambda values, operation: None, 2, 2)
    with pytest.raises(TypeError):
        trained.set_all_reduce(3)
    copy = trained.clone()
    copy.train_minibatch(x, y, 0.1)
    assert len(plugins) == count + 1
    trained.close()
    assert len(plugins) == count


def test_a_sweep_gives_all_workers_the_best_network():
    def train(seed):
        trained = network(seed, dropout=0)
        return trained, trained.fit(x, y, epochs=4, learning_rate=0.02).best_loss if seed != 3 else float("nan")

    results = run(3, lambda comm: sweep(range(7), train, comm))
    models = [(trained.to_bytes(), loss, index) for trained, loss, index in results]
    expected = [train(seed)[1] for seed in range(7)]
    assert same(models) and models[0][2] == int(np.nanargmin(expected)) and models[0][1] == np.nanmin(expected)

    def failing(seed):
        if seed == 4:
            raise KeyError(seed)
        return train(seed)

    results = run(3, lambda comm: sweep(range(7), failing, comm))
    assert [type(each) for each in results] == [RuntimeError, KeyError, RuntimeError]


def test_save_writes_on_rank_0_and_fails_on_all(tmp_path):
    def work(comm):
        with DataParallel(network(), comm) as parallel:
            parallel.save(tmp_path / "model")
            parallel.save(tmp_path / "missing" / "model")

    assert [type(each) for each in run(2, work)] == [FileNotFoundError] * 2 or \
        all(isinstance(each, FileNotFoundError) for each in run(2, work))
    assert bp.load(tmp_path / "model").layers == (4, 7, 2)


def test_other_objects_are_no_communicators():
    with pytest.raises(TypeError, match="comm: expected a communicator"):
        communicator("MPI.COMM_WORLD")
