"""Fits from streams: all kinds of batches, resuming, failures, memory-mapped files; stratified splits."""
import signal
import warnings

import numpy as np
import pytest

import libbackprop as bp

ROWS = 45


@pytest.fixture
def network():
    return bp.Network([3, 5, 2], seed=1)


@pytest.fixture
def data(rng):
    return rng.normal(size=(ROWS, 3)).astype(np.float32), rng.random(size=(ROWS, 2)).astype(np.float32)


@pytest.fixture
def expected(network, data):
    """The parameters after three epochs of minibatches of 8 rows, in order."""
    twin = network.clone()
    for _ in range(3):
        for first in range(0, ROWS, 8):
            twin.train_minibatch(data[0][first:first + 8], data[1][first:first + 8], learning_rate=0.05)
    return twin.parameters


def trainer(**options):
    return bp.Trainer(**{"epochs": 3, "batch_size": 8, "learning_rate": 0.05, **options})


class Sequence:
    """The old protocol of iteration: indices from 0 until IndexError."""

    def __init__(self, batches):
        self.batches = batches

    def __getitem__(self, index):
        return self.batches[index]


def cut(data, *places):
    """The data as batches that end at these rows, and at the last row."""
    return [tuple(array[first:last] for array in data) for first, last in zip((0, *places), (*places, ROWS))]


@pytest.mark.parametrize("places", [(), (8, 16, 24, 32, 40), (1, 2, 30), (20, 20, 21), (0, 44)], ids=str)
@pytest.mark.parametrize("kind", [list, tuple, Sequence, lambda batches: lambda epoch, row: batches], ids=range(4))
def test_batches_of_any_size_give_the_same_bits(network, data, expected, places, kind):
    result = trainer().fit_stream(network, kind(cut(data, *places)))
    assert (network.parameters == expected).all()
    assert not result.stopped and [p.epoch for p in result.history] == [1, 2, 3] and result.history[-1].steps == 0


def test_iterator_continues_over_epochs_of_steps_per_epoch(network, data):
    twin = network.clone()
    endless = (batch for _ in range(100) for batch in cut(data, 20))
    result = trainer(epochs=7, steps_per_epoch=5).fit_stream(network, endless)
    rows = [np.tile(array, (7, 1)) for array in data]
    for first in range(0, 7 * 5 * 8, 8):
        twin.train_minibatch(rows[0][first:first + 8], rows[1][first:first + 8], learning_rate=0.05)
    assert (network.parameters == twin.parameters).all()
    assert len(result.history) == 7 and not result.stopped and result.history[-1].steps == 35


def test_iterator_that_ends_stops_the_fit_after_its_epoch(network, data):
    twin = network.clone()
    result = trainer().fit_stream(network, iter(cut(data, 20)))
    assert result.stopped and [p.epoch for p in result.history] == [1]
    assert not trainer(epochs=1).fit_stream(twin, iter(cut(data, 20))).stopped
    assert (network.parameters == twin.parameters).all()


def test_weights_of_a_stream_equal_the_sample_weights_of_a_fit(network, data, rng):
    twin, weights = network.clone(), rng.random(ROWS) + 0.5
    trainer(batch_size=ROWS).fit_stream(network, [(*data, weights)])
    trainer(batch_size=0).fit(twin, *data, sample_weight=weights)
    assert (network.parameters == twin.parameters).all()


def test_class_numbers_and_other_types_are_converted(data):
    networks = bp.Network([3, 4], seed=1), bp.Network([3, 4], seed=1)
    classes = np.arange(ROWS) % 4
    trainer().fit_stream(networks[0], [(data[0].astype(np.float64), classes.astype(np.uint8))])
    trainer().fit_stream(networks[1], [(data[0].tolist(), np.eye(4)[classes].tolist())])
    assert (networks[0].parameters == networks[1].parameters).all()


def test_validation_and_patience_work_as_in_a_fit(network, data, rng):
    validation = rng.normal(size=(20, 3)), rng.random(size=(20, 2))
    results = []
    for fit, arguments in ((bp.Trainer.fit_stream, [[data]]), (bp.Trainer.fit, data)):
        twin = network.clone()
        result = fit(trainer(epochs=300, batch_size=ROWS + 1, learning_rate=0.3, patience=3), twin, *arguments,
                     validation=validation)
        results.append((result.loss, [p.validation_loss for p in result.history], twin.parameters.tolist()))
    assert results[0] == results[1] and len(results[0][1]) < 300


@pytest.mark.parametrize("stop", range(1, 19))
def test_stopped_fit_is_resumed_to_the_same_file(network, data, stop):
    whole, batches = network.clone(), cut(data, 20, 21)
    trainer(warmup_steps=10).fit_stream(whole, batches)
    calls = []

    def from_row(epoch, row):
        calls.append((epoch, row))
        return [tuple(array[row:] for array in data)]

    for source in (batches, from_row):
        parts = network.clone()
        assert trainer(warmup_steps=10, progress_interval=1).fit_stream(
            parts, source, progress=lambda p: p.step == stop).stopped
        parts = bp.Network.from_bytes(parts.to_bytes())
        del calls[:]
        trainer(warmup_steps=10, resume=True).fit_stream(parts, source)
        assert parts.to_bytes() == whole.to_bytes()
    assert calls[:1] == ([(stop // 6, stop % 6 * 8)] if stop < 18 else [])


def test_stream_goes_back_after_a_divergence(data):
    network, calls = bp.Network([3, 5, 2], seed=1), []
    network.set_activation(2, "identity")

    def batches(epoch, row):
        calls.append((epoch, row))
        return cut(data, 20)

    trainer(on_divergence="recover", learning_rate=10).fit_stream(network, batches)
    assert any(after <= before for before, after in zip(calls, calls[1:])) and calls[-1] == (2, 0)


@pytest.mark.parametrize("at", range(5))
def test_exception_of_the_batches_is_raised_and_undoes_the_fit(network, data, at):
    before, batches = network.to_bytes(), cut(data, 9, 20, 31)

    def failing():
        for epoch in range(3):
            for i, batch in enumerate(batches):
                if 4 * epoch + i == at:
                    raise LookupError("in a batch")
                yield batch

    with pytest.raises(LookupError, match="in a batch"):
        trainer(steps_per_epoch=5).fit_stream(network, failing())
    assert network.to_bytes() == before

    def no_iterator(epoch, row):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        trainer().fit_stream(network, no_iterator)
    trainer().fit_stream(network, batches)


def test_interrupt_in_the_batches_is_raised_and_undoes_the_fit(network, data):
    before = network.to_bytes()

    def batches(epoch, row):
        yield tuple(array[:8] for array in data)
        signal.raise_signal(signal.SIGINT)
        yield data

    with pytest.raises(KeyboardInterrupt):
        trainer().fit_stream(network, batches)
    assert network.to_bytes() == before


def test_batches_may_predict_but_not_train(network, data):
    seen = []

    def batches(epoch, row):
        seen.append(network.predict(data[0]))
        with pytest.raises(bp.BusyError):
            network.train_minibatch(*data, learning_rate=0.1)
        return [data]

    trainer().fit_stream(network, batches)
    assert len(seen) == 3 and (seen[0] != seen[1]).any()


@pytest.mark.parametrize("change, error, message", [
    (lambda x, y: [], bp.InvalidValueError, "epoch 0, minibatch 0: the epoch has no rows"),
    (lambda x, y: iter(()), bp.InvalidValueError, "the epoch has no rows"),
    (lambda x, y: 3, TypeError, "batches: expected an iterable or a function, got int"),
    (lambda x, y: x, ValueError, "batches: expected pairs"),
    (lambda x, y: [(x,)], ValueError, "batches: expected pairs"),
    (lambda x, y: [(x, y, y[:, 0], 1)], ValueError, "batches: expected pairs"),
    (lambda x, y: [(x, 1)], ValueError, "batches: expected pairs"),
    (lambda x, y: [5], TypeError, "batches: expected pairs or triples of arrays of rows, got int"),
    (lambda x, y: [(x, y), None], TypeError, "batches: expected pairs or triples of arrays of rows, got NoneType"),
    (lambda x, y: [(x, y[1:])], ValueError, r"batches: expected arrays of the same number of rows, got \[45, 44\]"),
    (lambda x, y: [(x, y), (x[:, 1:], y)], ValueError, r"epoch 0, minibatch 5: inputs: expected shape \(rows, 3\), got \(3, 2\)"),
    (lambda x, y: [(x, y[:, :1])], ValueError, "epoch 0, minibatch 0: targets: expected shape"),
    (lambda x, y: [(x, y, y)], ValueError, r"weights: expected shape \(8,\)"),
    (lambda x, y: [(x.astype(str), y)], TypeError, "epoch 0, minibatch 0: inputs: expected numbers"),
    (lambda x, y: [(x, y, -np.ones(ROWS))], bp.InvalidValueError, "epoch 0, minibatch 0: the weight of row 0 is -1"),
    (lambda x, y: [(np.where(np.arange(ROWS)[:, None] == 17, np.nan, x), y)], bp.NotFiniteError,
     "epoch 0, minibatch 2: inputs: row 1, column 0 is NaN"),
], ids=str)
def test_bad_batches_are_refused_and_undo_the_fit(network, data, change, error, message):
    before = network.to_bytes()
    with pytest.raises(error, match=message):
        trainer().fit_stream(network, change(*data))
    assert network.to_bytes() == before


@pytest.mark.parametrize("options", [
    {"batch_size": 0}, {"sampling": "uniform"}, {"restarts": 2}, {"validation_fraction": 0.1}, {"schedule": "cosine"}], ids=str)
def test_options_that_need_all_rows_are_refused(network, data, options):
    with pytest.raises(bp.UnsupportedError, match="a fit from a stream: "):
        trainer(**options).fit_stream(network, [data])


def test_row_weights_of_an_earlier_fit_are_not_used(network, data, expected):
    fitting = trainer()
    fitting.fit(network.clone(), *data, sample_weight=np.ones(ROWS))
    fitting.fit_stream(network, [data])
    assert (network.parameters == expected).all()


# Memory-mapped files


@pytest.fixture
def maps(tmp_path, data):
    """The data in files, the inputs as float64 and column-major."""
    found = []
    for name, array in zip("xy", (np.asfortranarray(data[0], np.float64), data[1])):
        written = np.lib.format.open_memmap(tmp_path / name, "w+", array.dtype, array.shape, fortran_order=name == "x")
        written[:] = array
        written.flush()
        found.append(np.load(tmp_path / name, mmap_mode="r"))
        assert isinstance(found[-1], np.memmap)
    return tuple(found)


def test_memory_mapped_files_can_be_a_batch(network, maps, expected):
    trainer().fit_stream(network, [maps])
    assert (network.parameters == expected).all()


def test_memory_mapped_files_can_be_fitted_as_arrays(network, maps, data):
    twin = network.clone()
    trainer().fit(network, *maps)
    trainer().fit(twin, *data)
    assert (network.parameters == twin.parameters).all()


def test_memory_of_a_stream_does_not_grow_with_its_batch(tmp_path):
    rows = 1_000_000  # 64 MB and 8 MB, sparse
    x = np.lib.format.open_memmap(tmp_path / "x", "w+", np.float64, (rows, 8))
    y = np.lib.format.open_memmap(tmp_path / "y", "w+", np.float64, (rows, 1))
    network = bp.Network([8, 4, 1])
    fitting = bp.Trainer(epochs=1, batch_size=10_000)
    fitting.fit_stream(network, [(x[:20_000], y[:20_000])])
    tracemalloc = pytest.importorskip("tracemalloc")  # PyPy lacks it
    tracemalloc.start()
    try:
        fitting.fit_stream(network, [(x, y)])
        assert tracemalloc.get_traced_memory()[1] < 2_000_000  # the arrays of NumPy; a minibatch of float32 has 360 kB
    finally:
        tracemalloc.stop()


# Stratified splits


def test_stratified_split_has_the_share_of_each_class():
    x, classes = np.zeros((100, 1)), np.repeat([0, 1, 2], [80, 10, 10])
    network = bp.Network([1, 3], seed=1)
    network.set_activation(1, "softmax")
    network.set_loss("cross_entropy")
    network.parameters = [0, 0, 0, 3, 2, 1]
    loss = network.row_losses(x, classes)
    result = bp.Trainer(epochs=1, learning_rate=0, validation_fraction=0.2, stratify=True).fit(network, x, classes)
    assert result.history[0].validation_loss == pytest.approx(loss.mean(), rel=1e-6)
    assert result.history[0].loss == pytest.approx(loss.mean(), rel=1e-6)


def test_missing_class_is_a_warning_after_a_complete_fit():
    network, classes = bp.Network([1, 3], seed=1), [0, 1] * 10
    fitting = bp.Trainer(epochs=2, validation_fraction=0.2, stratify=True)
    before = network.to_bytes()
    with pytest.warns(bp.MissingClassWarning, match="class 2 has fewer than 2 rows") as caught:
        result = fitting.fit(network, np.zeros((20, 1)), classes)
    assert caught[0].filename == __file__
    assert len(result.history) == 2 and not result.stopped and network.to_bytes() != before
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitting.fit(bp.Network([1, 2]), np.zeros((20, 1)), classes)
