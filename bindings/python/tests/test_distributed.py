"""One training by several workers, which are threads here: the same as one process with all rows, and they fail together."""
import operator
import threading

import numpy as np
import pytest
from sklearn.metrics import r2_score

import libbackprop as bp
from libbackprop.distributed import BFloat16, Communicator, DataParallel, communicator, sweep


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

    def all_to_all(self, rows):
        return np.array(self.team.exchange(self.rank, rows.copy(), lambda parts: parts))[:, self.rank]

    def all_gather(self, values):
        return self.team.exchange(self.rank, values.copy(), np.concatenate)


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
    return bp.Network([4, 7, 2], activation="tanh", output="identity", seed=seed,
                      **{"gradient_reduction": "mean", "optimizer": "momentum", "batchnorm": True, "dropout": 0.2, **settings})


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


def of_three(comm, array):
    """The rows of one of three workers: none on rank 0."""
    starts = [0, 0, 30, ROWS]
    return array[starts[comm.rank]:starts[comm.rank + 1]]


@pytest.mark.parametrize("kind", ["labels", "numbers", "columns", "one output"])
def test_class_weights_of_own_rows_balance_the_classes_of_all_workers(kind):
    numbers = np.r_[np.zeros(26, int), np.ones(4, int), np.ones(2, int), np.full(8, 2)]  # other classes on each worker
    if kind == "one output":
        numbers = np.minimum(numbers, 1)
    targets = {"labels": np.array(["c", "a", "b"])[numbers], "numbers": numbers, "columns": np.eye(3)[numbers],
               "one output": numbers}[kind]

    def trained(work):
        one = bp.Network([4, 1 if kind == "one output" else 3], seed=1, gradient_reduction="mean", optimizer="momentum",
                         loss="binary_cross_entropy" if kind == "one output" else "cross_entropy")
        if kind == "labels":
            one.classes = ["a", "b", "c"]
        work(one)
        return one

    weights = np.linspace(0, 2, ROWS)

    def work(comm):
        def fit(one):
            one.fit(of_three(comm, x), of_three(comm, targets), epochs=20, batch_size=0, learning_rate=0.1, comm=comm,
                    shared_rows=0, sample_weight=of_three(comm, weights), class_weight="balanced")

        return trained(fit).to_bytes()

    alone = trained(lambda one: one.fit(x, targets, epochs=20, batch_size=0, learning_rate=0.1, sample_weight=weights,
                                        class_weight="balanced"))
    results = run(3, work)
    assert same(results), results
    assert close(alone.parameters, bp.Network.from_bytes(results[0]).parameters)


@pytest.mark.parametrize("call", ["fit", "fit_stream"])
def test_what_differs_before_a_fit_of_own_rows_is_refused_on_all(call):
    def work(comm):
        errors = []
        one = bp.Network([4, 2], loss="cross_entropy", seed=1)
        one.classes = ["a", "b"]
        labels = np.array(["a", "b"] * (ROWS // 2))
        with DataParallel(one, comm) as parallel:
            def note(**arguments):
                try:
                    if call == "fit":
                        parallel.fit(x, labels, **{"epochs": 1, "shared_rows": 0, **arguments})
                    else:
                        parallel.fit_stream([(x, labels)], epochs=1, **arguments)
                    errors.append(None)
                except Exception as error:
                    errors.append(f"{type(error).__name__}: {error}")

            note(validation=(x[:0], labels[:0]))
            note(validation=(x[:0], labels[:0]) if comm.rank else None)
            if call == "fit":
                note(sample_weight=np.zeros(ROWS))
                note(class_weight="balanced" if comm.rank else None)
                note(shared_rows=min(comm.rank, 1))
            if comm.rank:
                one.classes = ["b", "a"]
            note()
            one.classes = ["a", "b"]
            note()
        return errors

    results = run(3, work)
    expected = ["InvalidValueError: validation inputs: expected a row with a weight above 0"] * 2
    if call == "fit":
        expected += ["InvalidValueError: inputs: expected a row with a weight", 'ModelError: class_weight="balanced"',
                     "ModelError: "]
    expected += ["ModelError: network.classes: expected the same on all 3 workers"]
    for errors in results:
        assert errors[-1] is None and len(errors) == len(expected) + 1, results
        assert all(error is not None and error.startswith(start) for error, start in zip(errors, expected)), results


def test_workers_of_shared_rows_pass_the_same_rows_options_and_validation_rows():
    def work(comm):
        errors = []
        with DataParallel(network(), comm) as parallel:
            for wrong in ({"validation": (x, y)}, {"validation": None}, {"learning_rate": 0.1}, {"batch_size": 9}, {"rows": 39}):
                own = {"validation": (x[:8], y[:8]), "rows": ROWS, **(wrong if comm.rank == 1 else {})}
                rows = own.pop("rows")
                with pytest.raises(bp.ModelError, match=r"trainer's options, .*rows with shared_rows 1") as caught:
                    parallel.fit(x[:rows], y[:rows], epochs=1, **own)
                errors.append(caught.value.status_name)
            parallel.fit(x, y, epochs=1)
        return errors

    assert run(3, work) == [["BP_ERROR_MISMATCH"] * 5] * 3


def test_only_all_workers_together_need_a_row_with_a_weight():
    def work(comm):
        rows = share(comm, np.arange(ROWS))
        weights = np.arange(ROWS) % 3.0 * (np.arange(ROWS) >= ROWS // 3)  # none on rank 0
        with DataParallel(network(), comm) as parallel:
            validation = (x[:10], y[:10], np.arange(10.0) * (comm.rank > 0)) if comm.rank < 2 else (x[:0], y[:0])
            history = parallel.fit(x[rows], y[rows], epochs=4, batch_size=0, shared_rows=0, learning_rate=0.02,
                                   sample_weight=weights[rows], validation=validation)
            streamed = parallel.fit_stream([(x[rows], y[rows])], epochs=2, validation=validation[:2], learning_rate=0.02)
            own = parallel.fit(x[:10 * (comm.rank == 1)], y[:10 * (comm.rank == 1)], epochs=1, shared_rows=0,
                               sample_weight=np.ones(10 * (comm.rank == 1)))
            return parallel.network.to_bytes(), history.validation_loss.tolist(), streamed.epochs, own.epochs

    alone = network()
    history = alone.fit(x, y, epochs=4, batch_size=0, learning_rate=0.02,
                        sample_weight=np.arange(ROWS) % 3.0 * (np.arange(ROWS) >= ROWS // 3),
                        validation=(np.r_[x[:10], x[:10]], np.r_[y[:10], y[:10]], np.r_[np.zeros(10), np.arange(10.0)]))
    results = run(3, work)
    assert same(results), results
    assert np.allclose(results[0][1], history.validation_loss, rtol=1e-5) and results[0][2:] == (2, 1)


def test_streams_of_the_workers_have_different_lengths():
    def work(comm):
        with DataParallel(network(), comm) as parallel:
            batches = [(x[:10], y[:10])] * comm.rank  # none on rank 0
            result = parallel.fit_stream(batches, epochs=2, batch_size=5)
            return result.steps if hasattr(result, "steps") else result.history[-1].step, parallel.network.to_bytes()

    results = run(3, work)
    assert same(results) and results[0][0] == 2 * 4


def test_each_worker_streams_its_own_file(tmp_path, capsys):
    """The steps are those on the minibatches of all workers together."""
    for rank, rows in enumerate((20, 12, 0)):
        np.save(tmp_path / f"inputs.{rank}.npy", x[20 * rank:20 * rank + rows])
        np.save(tmp_path / f"targets.{rank}.npy", y[20 * rank:20 * rank + rows])

    def work(comm):
        files = [np.load(tmp_path / f"{name}.{comm.rank}.npy", mmap_mode="r" if comm.rank < 2 else None)
                 for name in ("inputs", "targets")]
        with DataParallel(network(seed=1 + comm.rank, dropout=0), comm) as parallel:
            result = parallel.fit_stream([files], epochs=5, batch_size=8, learning_rate=0.02, progress=True)
            return parallel.network.to_bytes(), result.epochs

    alone = network(dropout=0)
    for _ in range(5):
        for first in (0, 8, 16):
            rows = [*range(first, min(first + 8, 20)), *range(20 + first, 20 + min(first + 8, 12))]
            alone.train_minibatch(x[rows], y[rows], 0.02)
    results = run(3, work)
    assert same(results) and results[0][1] == 5
    assert close(alone.parameters, bp.Network.from_bytes(results[0][0]).parameters)
    shown = capsys.readouterr().err
    assert "5" in shown and shown.count("100%") <= 1 and shown.count("epoch 5 of 5") <= 1  # one bar or line


def test_a_wrong_option_or_argument_on_one_worker_fails_on_all():
    wrongs = [{"learning_rte": 1}, {"epochs": -1}, {"progress": 3}, {"validation": True}, {"verbose": 1}]

    def work(comm):
        errors = []
        with DataParallel(network(), comm) as parallel:
            for wrong in wrongs:
                for method in (parallel.fit, lambda x, y, **options: parallel.fit_stream([(x, y)], **options)):
                    try:
                        method(x, y, **{"epochs": 1, **(wrong if comm.rank == 1 else {})})
                        errors.append(None)
                    except Exception as error:
                        errors.append(type(error))
        return errors

    results = run(3, work)
    assert results[0] == results[2] == [bp.WorkerError] * 2 * len(wrongs)
    assert not {None, bp.WorkerError} & set(results[1])


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
    (fit, {"targets": y[:, :1]}), (fit, {"sample_weight": np.full(ROWS, -1.0)}), (fit, {"class_weight": 3}),
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
    del trained
    assert len(plugins) == count


def test_a_network_that_a_callback_closes_ends_the_fit_on_all():
    def work(comm):
        parallel = DataParallel(network(), comm)
        parallel.fit(x, y, epochs=3, progress=lambda now: comm.rank == 1 and parallel.network.close())

    assert [type(each) for each in run(3, work)] == [bp.WorkerError, bp.InvalidHandleError, bp.WorkerError]


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
    assert [type(each) for each in results] == [bp.WorkerError, KeyError, bp.WorkerError]
    results = run(3, lambda comm: sweep(range(7), lambda seed: (train(seed)[0].clone() if seed % 3 else None, 1), comm))
    assert [type(each) for each in results] == [TypeError, bp.WorkerError, bp.WorkerError]
    assert [type(each) for each in run(2, lambda comm: sweep([], train, comm))] == [ValueError] * 2


def test_save_writes_on_rank_0_and_fails_on_all(tmp_path):
    def work(comm):
        with DataParallel(network(), comm) as parallel:
            parallel.save(tmp_path / "model")
            parallel.save(tmp_path / "missing" / "model")

    assert [type(each).__name__ for each in run(3, work)] == ["FileNotFoundError", "WorkerError", "WorkerError"]
    assert bp.load(tmp_path / "model").layers == (4, 7, 2)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_a_worker_may_have_no_rows_to_evaluate(reduction):
    def work(comm):
        rows = slice(0, 0) if comm.rank == 1 else slice(7 * comm.rank, 30)
        with DataParallel(network(gradient_reduction=reduction), comm) as parallel:
            weight = np.linspace(0.5, 2, ROWS)[rows]
            results = [parallel.evaluate(x[rows], y[rows]), parallel.evaluate(x[rows], y[rows], sample_weight=weight)]
            with pytest.raises(ValueError, match="expected rows on at least one process"):
                parallel.evaluate(x[:0], y[:0])
            return results

    alone = network(gradient_reduction=reduction)
    rows = [*range(30), *range(14, 30)]
    expected = [alone.evaluate(x[rows], y[rows]), alone.evaluate(x[rows], y[rows], sample_weight=np.linspace(0.5, 2, ROWS)[rows])]
    results = run(3, work)
    assert same(results) and results[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_evaluate_is_right_for_weights_of_unequal_totals(reduction):
    weight = np.r_[np.full(10, 100), np.zeros(25), np.full(5, 0.01)]

    def work(comm):
        with DataParallel(network(gradient_reduction=reduction), comm) as parallel:
            return parallel.evaluate(uneven(comm, x), uneven(comm, y), sample_weight=uneven(comm, weight))

    expected = network(gradient_reduction=reduction).evaluate(x, y, sample_weight=weight)
    for size in (1, 2, 3):
        results = run(size, work)
        assert same(results) and results[0] == pytest.approx(expected, rel=1e-6)


def uneven(comm, array):
    """Rank 0 has 10 rows, the last one all others, and those between none. One process has all."""
    return array[0 if comm.rank == 0 else 10:ROWS if comm.rank == comm.size - 1 else 10]


MEASURES = ["accuracy", "r2", "mean_absolute_error", None]


def scores_of_all(size, made, x, y, weight=None, measure=None):
    """The score that all workers get, which must be the same, and that of one process."""
    def work(comm):
        with DataParallel(made.clone(), comm) as parallel:
            return parallel.score(uneven(comm, x), uneven(comm, y), measure,
                                  sample_weight=None if weight is None else uneven(comm, weight))

    results = run(size, work)
    assert same(results), results
    return results[0], made.score(x, y, measure, sample_weight=weight)


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_score_of_several_workers_is_that_of_one_process(size, measure, dtype):
    trained = network(dropout=0)
    trained.fit(x, y, epochs=20, learning_rate=0.02, seed=1)
    targets = y.astype(dtype) * [1, 5] + np.linspace(0, 1, ROWS)[:, np.newaxis]  # another mean on each worker
    for weight in (None, np.linspace(0, 3, ROWS), np.r_[np.zeros(15), np.ones(ROWS - 15)]):  # of rank 0: unequal, 0
        found, expected = scores_of_all(size, trained, x, targets, weight, measure)
        assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("loss, output, columns", [("cross_entropy", "softmax", 2), ("binary_cross_entropy", "logistic", 1)])
def test_the_default_score_of_classes_is_their_accuracy_and_labels_are_accepted(loss, output, columns):
    classifier = bp.Network([4, columns], output=output, loss=loss, seed=2)
    classifier.classes = ["no", "yes"]
    labels = np.where(y[:, 0] > y[:, 1], "yes", "no")
    hits = classifier.predict_classes(x) == labels
    weight = np.linspace(0, 3, ROWS)
    assert scores_of_all(3, classifier, x, labels)[0] == pytest.approx(hits.mean(), rel=1e-12)
    assert scores_of_all(3, classifier, x, labels, weight)[0] == pytest.approx(np.average(hits, weights=weight), rel=1e-6)


def test_r2_is_that_of_scikit_learn_also_for_targets_with_a_large_mean():
    targets = y.astype(np.float64) * [1, 1e-3] + [1e7, -1e5]
    trained = network(dropout=0)
    trained.fit_scaling(x, targets)
    trained.fit(x, targets, epochs=50, learning_rate=0.02, seed=1)
    outputs = trained.predict(x, np.empty(targets.shape))
    for weight in (None, np.linspace(0, 3, ROWS)):
        expected = r2_score(targets, outputs, sample_weight=weight)
        assert 0.1 < expected < 0.999
        for size in (1, 2, 3):
            found, alone = scores_of_all(size, trained, x, targets, weight, "r2")
            assert found == pytest.approx(expected, rel=1e-6) and found == pytest.approx(alone, rel=1e-5)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_r2_of_constant_targets_is_that_of_one_process(size):
    constant = bp.Network([4, 3], output="identity")
    constant.parameters = [0] * 12 + [0.1, 0.1, 0.1]  # the outputs
    alike, other = np.full(ROWS, 0.1), np.full(ROWS, 0.2)
    two = np.where(np.arange(ROWS) < 10, 0.1, 0.2)  # the same in all rows of each worker
    found, expected = scores_of_all(size, constant, x, np.c_[alike, other, alike], measure="r2")
    assert found == expected == pytest.approx(2 / 3)
    found, expected = scores_of_all(size, constant, x, np.c_[alike, alike, two], measure="r2")
    assert found == pytest.approx(expected) == pytest.approx((1 + 1 + 1 - 0.3 / 0.075) / 3, rel=1e-5)
    last = np.r_[np.full(ROWS - 1, 0.1), 7]  # differs, but has weight 0
    found, expected = scores_of_all(size, constant, x, np.c_[last, alike, other], np.r_[np.ones(ROWS - 1), 0], "r2")
    assert found == expected == pytest.approx(2 / 3)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_an_output_equals_a_constant_target_in_the_precision_in_which_one_process_compares_them(size):
    scaled = bp.Network([4, 1], output="identity")
    scaled.fit_scaling(x, np.linspace(999999, 1000001, ROWS))
    scaled.parameters = [0, 0, 0, 0, 1e-3]
    targets = scaled.predict(x)  # float32, in which 1e6 has steps of 1/16
    assert scores_of_all(size, scaled, x, targets) == (1, 1)
    assert scores_of_all(size, scaled, x, targets, np.ones(ROWS)) == (0, 0)


@pytest.mark.parametrize("measure", MEASURES)
def test_missing_targets_of_several_workers_do_not_count_in_a_score(measure):
    holes = y.copy()
    holes[::3, 0] = holes[:10, 1] = np.nan  # rank 0 has no second target, and so no accuracy
    sparse = network(missing_targets=1)
    for targets in (holes, np.c_[holes[:, 0], np.full(ROWS, np.nan)]):
        if measure == "accuracy" and np.isnan(targets).any(axis=1).all():
            continue
        for weight in (None, np.linspace(0, 3, ROWS)):
            found, expected = scores_of_all(3, sparse, x, targets, weight, measure)
            assert found == pytest.approx(expected, rel=1e-6)
    holes[:10] = np.nan
    found, expected = scores_of_all(2, sparse, x, holes, None, measure)
    assert found == pytest.approx(expected, rel=1e-6)
    results = run(2, lambda comm: DataParallel(sparse.clone(), comm).score(x, y * np.nan, measure))
    assert all(type(each) is bp.InvalidValueError and "too many are missing" in str(each) for each in results), results


def test_a_score_that_one_worker_cannot_compute_fails_on_all():
    def work(comm):
        parallel = DataParallel(network(), comm)
        own = slice(0, 0) if comm.rank == 1 else slice(None)
        cases = [
            lambda: parallel.score(x[own], y[own], "precision"),
            lambda: parallel.score(x[own], y[own], "accuracy" if comm.rank else "r2"),
            lambda: parallel.score(x[own], y[own], "precision" if comm.rank == 1 else "r2"),
            lambda: parallel.score(x[:0], y[:0]),
            lambda: parallel.score(x, y, sample_weight=np.zeros(ROWS)),
            lambda: parallel.score(x, y, sample_weight=np.full(ROWS, -1 if comm.rank == 0 else 1)),
            lambda: parallel.score(x * (np.nan if comm.rank == 0 else 1), y, sample_weight=np.full(ROWS, comm.rank)),
            lambda: parallel.score(x, y * (np.inf if comm.rank == 0 else 1), "accuracy"),
            lambda: parallel.score(x, y, sample_weight=np.ones(3 if comm.rank == 0 else ROWS)),
        ]
        found = []
        for case in cases:
            with pytest.raises(Exception) as error:
                case()
            found.append(f"{type(error.value).__name__}: {error.value}")
        return found, parallel.score(x, y)

    results = run(3, work)
    both = ["expected the same on all processes"] * 2 + ["expected rows on at least one process", "have weight 0"]
    expected = [["UnknownNameError", *both, "InvalidValueError", "NotFiniteError", "NotFiniteError", "ValueError"],
                ["WorkerError", *both, *["WorkerError"] * 4],
                ["UnknownNameError", *both, *["WorkerError"] * 4]]
    for (errors, after), messages in zip(results, expected):
        assert len(errors) == len(messages) and all(map(operator.contains, errors, messages)), errors
        assert after == pytest.approx(network().score(x, y), rel=1e-6)  # the next call works


def test_a_measure_or_a_network_that_one_worker_refuses_fails_on_all():
    @bp.activation.vector(name="only_on_rank_0", backward=lambda z, a, da: da)
    def identity(z):
        return z

    closed = network()
    closed.close()
    odd = network()
    odd.set_activation(1, identity)

    def work(comm):
        errors = []

        def note(call, *arguments):
            try:
                call(*arguments)
                errors.append(None)
            except Exception as error:
                errors.append(type(error).__name__)

        with DataParallel(network(), comm) as parallel:
            note(parallel.evaluate, x[:, :2] if comm.rank == 1 else x, y)
            note(parallel.score, x, y[:3] if comm.rank == 1 else y)
            note(parallel.evaluate, 3 if comm.rank == 1 else x, y)
        note(DataParallel, "network" if comm.rank == 1 else network(), comm)
        note(DataParallel, network() if comm.rank else closed, comm)
        return errors

    results = run(3, work)
    assert results[1] == ["ValueError", "ValueError", "TypeError", "TypeError", "WorkerError"], results
    assert results[0] == ["WorkerError"] * 4 + ["InvalidHandleError"] and results[2] == ["WorkerError"] * 5, results

    class Elsewhere(Thread):  # whose process has not registered the activation
        def broadcast(self, data, root=0):
            data = super().broadcast(data, root)
            if self.rank:
                bp.activation.unregister("only_on_rank_0")
            return data

    results = run(2, lambda comm: DataParallel(odd if comm.rank == 0 else network(), Elsewhere(comm.team, comm.rank)))
    assert [type(each) for each in results] == [bp.WorkerError, bp.UnknownNameError], results


def test_labels_of_workers_need_the_classes_of_all():
    labels = np.array(["a", "b"] * (ROWS // 2))

    def work(comm):
        trained = bp.Network([4, 2], loss="cross_entropy", seed=1)
        try:
            trained.fit(share(comm, x), share(comm, labels), epochs=1, comm=comm, shared_rows=0)
        except Exception as error:
            assert trained.classes is None
            trained.classes = ["a", "b"]
            trained.fit(share(comm, x), share(comm, labels), epochs=1, comm=comm, shared_rows=0)
            return str(error), trained.to_bytes()

    results = run(2, work)
    assert same(results) and "set network.classes" in results[0][0], results
    trained = bp.Network([4, 2], loss="cross_entropy", seed=1)
    assert run(2, lambda comm: trained.clone().fit(x, labels, epochs=1, comm=comm).epochs) == [1, 1]  # the same rows on all


def test_sums_of_bfloat16_keep_the_mean_and_have_the_same_bits_on_all_workers():
    def work(comm):
        rounding, total = BFloat16(comm), np.zeros(1000, np.float64)
        for step in range(300):
            values = np.append(gradients[comm.rank] * (1 + step % 3), [1e8, comm.rank, 0, 0]).astype(np.float32)
            rounding.all_reduce(values, "sum")
            total += values[:-4]
            assert values[-4:].tolist() == [3e8, 3, 0, 0]  # not rounded
        return values.tobytes(), total

    gradients = np.random.default_rng(5).normal(size=(3, 1000)).astype(np.float32)
    results = run(3, work)
    assert same([values for values, _ in results])
    error = np.abs(results[0][1] - 600 * gradients.sum(0, dtype=np.float64)).max()
    assert error < 0.25  # that of the latest sums; without feedback, the errors of 300 steps add up


def test_bfloat16_is_the_nearest_number_and_nan_stays_nan():
    from libbackprop.distributed._bfloat16 import _rounded, _widened

    values = np.array([0, -0.0, 1, 1 + 2**-8, 1 + 3 * 2**-8, -1.004, 3.4e38, np.inf, -np.inf, np.nan, 1e-45], np.float32)
    values = np.append(values, np.array([0x7F800001, 0xFFFFFFFF], np.uint32).view(np.float32))  # other NaNs
    with np.errstate(invalid="ignore"):  # the error of the rounding is not finite
        found = _widened(_rounded(values.copy())).tolist()
    assert found[:9] == [0, 0, 1, 1, 1 + 2**-6, -1 - 2**-7, np.inf, np.inf, -np.inf]
    assert np.isnan(found[9]) and found[10] == 0 and np.isnan(found[11:]).all()


def test_a_fit_with_gradients_in_bfloat16_converges():
    options = {"epochs": 200, "batch_size": 8, "seed": 2, "learning_rate": 0.01}
    settings = {"dropout": 0, "optimizer": "adam"}

    def work(comm):
        trained = network(**settings)
        history = trained.fit(x, y, comm=BFloat16(comm), **options)
        return trained.to_bytes(), history.loss[-1]

    alone = network(**settings)
    expected = alone.fit(x, y, **options).loss[-1]
    results = run(3, work)
    assert same([model for model, _ in results])
    assert results[0][1] < 1.2 * expected + 1e-3, (results[0][1], expected)


@pytest.mark.parametrize("wrong", ["nan", "argument"])
def test_a_step_in_bfloat16_that_fails_on_one_worker_fails_on_all(wrong):
    def work(comm):
        with DataParallel(network(dropout=0), BFloat16(comm)) as parallel:
            parallel.network.train_minibatch(x, y, 0.01)
            before = parallel.network.to_bytes()
            with pytest.raises(bp.NotFiniteError if wrong == "nan" else (bp.WorkerError, ValueError)):
                inputs = x * (np.nan if wrong == "nan" and comm.rank else 1)
                parallel.network.train_minibatch(3 if wrong == "argument" and comm.rank else inputs, y, 0.01)
            assert parallel.network.to_bytes() == before
            parallel.network.train_minibatch(x, y, 0.01)
            return parallel.network.to_bytes()

    assert same(run(3, work))


def test_bfloat16_needs_a_communicator_that_exchanges_rows():
    class Simple(Communicator):
        size = 2

    with pytest.raises(TypeError, match="with all_to_all and all_gather, got Simple"):
        BFloat16(Simple())


@pytest.mark.parametrize("wrong", ["MPI.COMM_WORLD", 3, Communicator, np, np.zeros(2)], ids=range(5))
def test_other_objects_are_no_communicators(wrong):
    with pytest.raises(TypeError, match="comm: expected a communicator"):
        communicator(wrong)


class Starting(Thread):
    """Exchanges are made when they are completed, in the order in which they were started."""

    def __init__(self, of):
        super().__init__(of.team, of.rank)
        self.started, self.sizes, self.fails = [], [], None

    def start(self, values, operation):
        assert values.dtype == np.float32 and operation == "sum"
        if self.fails == "start":
            raise KeyError("start")
        self.started.append(values)
        self.sizes.append(values.size)

    def finish(self):
        started, self.started = self.started, []
        for values in started:
            self.all_reduce(values, "sum")
        if self.fails == "finish":
            raise KeyError("finish")


def wide(**settings):
    """1.4 million weights: the exchange of the gradient has two parts."""
    return bp.Network([600, 2200, 2], activation="tanh", output="identity", optimizer="adam", gradient_reduction="mean", seed=1,
                      **settings)


def test_steps_whose_exchanges_overlap_have_the_bits_of_those_without():
    inputs, targets = numbers.normal(size=(8, 600)), numbers.normal(size=(8, 2))

    def work(comm, overlap):
        comm, part = Starting(comm), slice(4 * comm.rank, 4 * comm.rank + 4)
        with DataParallel(wide(batchnorm=True), comm, overlap=overlap) as parallel:
            for _ in range(3):
                parallel.network.train_minibatch(inputs[part], targets[part], 0.001)
            return parallel.network.to_bytes(), comm.sizes

    together = run(2, lambda comm: work(comm, False))
    overlapped = run(2, lambda comm: work(comm, True))
    assert [model for model, _ in overlapped] == [model for model, _ in together]
    assert [len(sizes) for _, sizes in together + overlapped] == [0, 0, 6, 6]


@pytest.mark.parametrize("function", ["start", "finish"])
def test_an_exception_of_start_or_finish_undoes_the_step(function):
    def work(comm):
        comm = Starting(comm)
        with DataParallel(wide(), comm, overlap=True) as parallel:
            before = parallel.network.to_bytes()
            comm.fails = function
            with pytest.raises(KeyError, match=function):
                parallel.network.train_minibatch(np.ones((2, 600)), np.ones((2, 2)), 0.001)
            assert parallel.network.to_bytes() == before and not comm.started
            comm.fails = None
            return parallel.network.train_minibatch(np.ones((2, 600)), np.ones((2, 2)), 0.001)

    losses = run(2, work)
    assert losses[0] == losses[1] > 0


def test_overlap_needs_a_communicator_with_start_and_finish():
    with pytest.raises(TypeError, match="start and finish, got BFloat16"):
        DataParallel(wide(), BFloat16(Communicator()), overlap=True)
    with pytest.raises(TypeError, match="start and finish, got Thread"):
        DataParallel(wide(), Thread(Team(1), 0), overlap=True)
    network = bp.Network([1, 1])
    for wrong in ({"start": print}, {"finish": print}, {"start": 1, "finish": print}):
        with pytest.raises(TypeError):
            network.set_all_reduce(lambda values, operation: None, **wrong)
    with pytest.raises(TypeError):
        network.set_all_reduce(None, start=print, finish=print)
    network.set_all_reduce(lambda values, operation: None, start=lambda values, operation: None, finish=lambda: None)
    assert network.train_minibatch([[1]], [1], 0.1) >= 0
