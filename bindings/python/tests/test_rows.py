"""Arrays of every type and layout, compared with float32 arrays and with NumPy in double precision."""

import numpy as np
import pytest

import libbackprop as bp
from libbackprop import _arguments

ROWS, INPUTS, OUTPUTS = 67, 5, 3
TYPES = ["f4", "f8", "f2", "i1", "u1"]


def padded(a):
    wide = np.zeros((2 * len(a) + 1, 3 * a.shape[1]), a.dtype)
    wide[1::2, 1::3] = a
    return wide[1::2, 1::3]


def unaligned(a):
    memory = np.zeros(a.nbytes + 1, np.uint8)
    view = memory[1:].view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


LAYOUTS = {
    "row-major": np.ascontiguousarray, "column-major": np.asfortranarray, "part of a table": padded,
    "rows backwards": lambda a: np.ascontiguousarray(a[::-1])[::-1],
    "all backwards": lambda a: np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1], "unaligned": unaligned}


def data(rng, dtype, columns, low=-100):
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=(ROWS, columns)).astype(dtype)
    return rng.integers(max(low, 0 if dtype == "u1" else low), 100, size=(ROWS, columns)).astype(dtype)


def fresh(scaled=False, x=None, y=None):
    network = bp.Network([INPUTS, 8, OUTPUTS], seed=2)
    network.set_activation(1, "tanh")
    network.set_activation(2, "identity")
    network.set_option("gradient_reduction", "mean")
    if scaled:
        network.fit_scaling(np.float32(x), np.float32(y))
    return network


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", TYPES)
def test_every_call_equals_that_with_float32(rng, dtype, layout):
    given_x, given_y = data(rng, dtype, INPUTS), data(rng, dtype, OUTPUTS)
    x, y = LAYOUTS[layout](given_x), LAYOUTS[layout](given_y)
    plain_x, plain_y = given_x.astype(np.float32), given_y.astype(np.float32)
    one, other = fresh(), fresh()
    assert one.predict(x).tobytes() == other.predict(plain_x).tobytes()
    assert one.predict(x[3]).tobytes() == other.predict(plain_x[3]).tobytes()
    assert one.evaluate(x, y) == other.evaluate(plain_x, plain_y)
    for measure in ("accuracy", "r2", "mean_absolute_error"):
        expected = other.score(plain_x, plain_y, measure)  # doubles in targets are not rounded
        assert one.score(x, y, measure) == (pytest.approx(expected, rel=1e-5) if dtype == "f8" else expected)
    rate = 1e-5
    assert one.train_minibatch(x, y, rate) == other.train_minibatch(plain_x, plain_y, rate)
    assert one.train_minibatch(x[:3], y[:3], rate) == other.train_minibatch(plain_x[:3], plain_y[:3], rate)
    assert one.train_step(x[1], y[1], rate) == other.train_step(plain_x[1], plain_y[1], rate)
    results = []
    for network, a, b in ((one, x, y), (other, plain_x, plain_y)):
        trainer = bp.Trainer(epochs=3, batch_size=8, learning_rate=rate, validation_fraction=0.25, seed=3)
        results.append(trainer.fit(network, a, b))
        trainer = bp.Trainer(epochs=2, batch_size=0, learning_rate=rate)
        results.append(trainer.fit(network, a, b, validation=(a[:9], b[:9])))
    assert results[:2] == results[2:]
    assert one.to_bytes() == other.to_bytes()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_scaled_float32_in_any_layout_gives_the_same_bits(rng, layout):
    x, y = data(rng, "f4", INPUTS) * 3 + 100, data(rng, "f4", OUTPUTS) - 1000
    one, other = fresh(True, x, y), fresh(True, x, y)
    a, b = LAYOUTS[layout](x), LAYOUTS[layout](y)
    assert one.predict(a).tobytes() == other.predict(x).tobytes()
    assert one.evaluate(a, b) == other.evaluate(x, y)
    for network, pair in ((one, (a, b)), (other, (x, y))):
        network.train_minibatch(*pair, 0.1)
        bp.Trainer(epochs=3, batch_size=8, validation_fraction=0.2).fit(network, *pair)
    assert one.to_bytes() == other.to_bytes()


def large(rng, rows=400):
    """Columns whose float32 numbers are whole: the noise is lost if they are rounded before the mean is subtracted."""
    z = rng.normal(size=(rows, 2))
    return 1e7 + z, 3e7 + z @ [[1.0], [-2.0]]


def exact_offset(network, side):
    return np.float64(network.tensors[f"scaling.{side}.offset"]) + np.float64(network.tensors[f"scaling.{side}.remainder"]).sum(1)


@pytest.mark.parametrize("method", ["standard", "min_max", "symmetric"])
def test_a_constant_column_of_doubles_becomes_0_and_a_unit_stays_a_unit(method, rng):
    for constant in [0.1, 1e7 + 0.1, 1e15 / 3, -1e22 / 3, 1e37 / 3, *rng.normal(size=50)]:
        network = bp.Network([1, 1], output="identity")
        network.fit_scaling(np.full((10, 1), constant), input_scaling=method, target_scaling="none")
        network.parameters = [1, 0]
        assert network.tensors["scaling.inputs.scale"] == 1
        assert network.predict(np.array([[constant]])) == 0
        np.testing.assert_allclose(network.predict(np.array([[constant + 1]])), (constant + 1) - constant, rtol=1e-7)


def test_min_max_maps_doubles_one_unit_apart_to_0_and_1():
    for low in (0.1, 1e7 + 0.1, -1.2e12):
        x = np.array([[low], [np.nextafter(low, np.inf)]])
        network = bp.Network([1, 1], output="identity")
        network.fit_scaling(x, input_scaling="min_max", target_scaling="none")
        network.parameters = [1, 0]
        assert network.predict(x).tolist() == [[0], [1]]


def test_sample_weights_of_validation_rows_may_be_none(rng):
    x, y = rng.normal(size=(9, 2)), rng.normal(size=(9, 1))
    networks = [bp.Network([2, 1], output="identity", seed=1) for _ in range(2)]
    plain, none = (network.fit(x, y, epochs=2, validation=validation).validation_loss.tolist()
                   for network, validation in zip(networks, ((x, y), (x, y, None))))
    assert plain == none


def test_predict_refuses_doubles_beyond_float32_beside_a_nan():
    network = bp.Network([2, 1], output="identity")
    with pytest.raises(bp.NotFiniteError):
        network.predict([[np.nan, 0], [1e39, 0]])


def test_the_scaling_of_doubles_is_exact_for_large_means(rng):
    x, y = large(rng)
    network = bp.Network([2, 1], seed=1)
    network.set_activation(1, "identity")
    network.fit_scaling(x, y, target_scaling="standard")
    for name, values in (("inputs", x), ("targets", y)):
        offset = exact_offset(network, name)
        exact = np.array([float(np.sum(column.astype(np.longdouble)) / len(column)) for column in values.T])
        np.testing.assert_allclose(offset, exact, rtol=0, atol=1e-6)
        np.testing.assert_allclose(network.tensors[f"scaling.{name}.scale"], values.std(axis=0), rtol=1e-6)


def test_doubles_with_large_means_train_and_predict_as_centered_ones(rng):
    x, y = large(rng)
    network = bp.Network([2, 1], seed=1)
    network.set_activation(1, "identity")
    network.set_option("gradient_reduction", "mean")
    network.fit_scaling(x, y, target_scaling="standard")
    bp.Trainer(epochs=60, batch_size=16, learning_rate=0.1, seed=1).fit(network, x, y)
    assert network.score(x, y, "r2") > 1 - 1e-6
    out = np.empty((len(x), 1), np.float64)
    network.predict(x, out=out)
    assert np.abs(out - y).max() < 1e-3
    assert network.score(np.float32(x), np.float32(y), "r2") < 0.9  # the digits are not in float32
    for other in (network.clone(), bp.Network.from_bytes(network.to_bytes())):
        again = np.empty_like(out)
        other.predict(np.asfortranarray(x), out=again)
        assert again.tobytes() == out.tobytes()


@pytest.mark.parametrize("method", ["standard", "min_max", "symmetric"])
def test_scaling_in_pieces_equals_that_of_all_rows_up_to_rounding(rng, method):
    x, y = large(rng, 1000)
    methods = {"input_scaling": method, "target_scaling": method}
    whole = bp.Network([2, 1], seed=1)
    whole.fit_scaling(x, y, **methods)
    for cuts in ([1, 2, 3, 500], [997], [100] * 9, []):
        places = np.clip(np.cumsum(cuts), 0, 1000).astype(int)
        network = bp.Network([2, 1], seed=1)
        network.fit_scaling_in_pieces(zip(np.split(x, places), np.split(y, places)), **methods)
        assert network.scaling == (method, method)
        for side in ("inputs", "targets"):
            np.testing.assert_allclose(exact_offset(network, side), exact_offset(whole, side), rtol=1e-15)
            scale = f"scaling.{side}.scale"
            np.testing.assert_allclose(network.tensors[scale], whole.tensors[scale], rtol=2e-7)


def test_pieces_that_cannot_be_read_leave_the_network_as_it_was(rng):
    x, y = large(rng)
    network = bp.Network([2, 1], seed=1)
    before = network.to_bytes()

    def pieces(last):
        yield x, y
        yield last

    for last, expected in [((x[:, :1], y), ValueError), ((x * np.nan, y), bp.NotFiniteError), (3, TypeError)]:
        with pytest.raises(expected):
            network.fit_scaling_in_pieces(pieces(last))
        assert network.to_bytes() == before
    with pytest.raises(bp.InvalidValueError, match="no inputs were added"):
        network.fit_scaling_in_pieces([])
    with pytest.raises(bp.InvalidValueError, match="no targets were added"):
        network.fit_scaling_in_pieces([(x, None)], target_scaling="standard")
    assert network.to_bytes() == before


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_weighted_losses_and_scores_are_weighted_means(rng, dtype):
    x, y = data(rng, dtype, INPUTS), data(rng, dtype, OUTPUTS)
    w = np.float32(rng.integers(0, 4, ROWS))
    network = fresh()
    a = np.float64(network.predict(x))
    losses = 0.5 * ((a - y) ** 2).sum(axis=1)
    np.testing.assert_allclose(network.evaluate(x, y, sample_weight=w), (w * losses).sum() / ROWS, rtol=1e-5)
    hits = a.argmax(axis=1) == y.argmax(axis=1)
    np.testing.assert_allclose(network.score(x, y, "accuracy", sample_weight=w), np.average(hits, weights=w), rtol=1e-6)
    mean = np.average(np.float64(y), axis=0, weights=w)
    r2 = 1 - (w[:, None] * (a - y) ** 2).sum(axis=0) / (w[:, None] * (y - mean) ** 2).sum(axis=0)
    np.testing.assert_allclose(network.score(x, y, "r2", sample_weight=w), r2.mean(), rtol=1e-5)
    error = np.average(np.abs(a - y).mean(axis=1), weights=w)
    np.testing.assert_allclose(network.score(x, y, "mean_absolute_error", sample_weight=w), error, rtol=1e-5)
    with pytest.raises(bp.InvalidValueError, match="weight 0"):
        network.score(x, y, sample_weight=0 * w)


def test_a_weighted_minibatch_equals_one_with_repeated_rows(rng):
    x, y = data(rng, "f8", INPUTS), data(rng, "f8", OUTPUTS)
    w = rng.integers(0, 3, ROWS)
    one, other = fresh(), fresh()
    for network in (one, other):
        network.set_option("gradient_reduction", "sum")
    loss = one.train_minibatch(x, y, 1e-3, sample_weight=w)
    np.testing.assert_allclose(loss, other.train_minibatch(x.repeat(w, axis=0), y.repeat(w, axis=0), 1e-3), rtol=1e-5)
    np.testing.assert_allclose(one.parameters, other.parameters, rtol=1e-4, atol=1e-6)


def test_validation_rows_can_have_weights(rng):
    x, y = data(rng, "f4", INPUTS), data(rng, "f4", OUTPUTS)
    w = np.float32(rng.integers(0, 4, ROWS))
    network = fresh()
    trainer = bp.Trainer(epochs=1, learning_rate=1e-3, keep="latest")
    result = trainer.fit(network, x, y, validation=(x, y, w))
    np.testing.assert_allclose(result.history[-1].validation_loss, network.evaluate(x, y, sample_weight=w), rtol=1e-6)
    for bad, expected in [((x, y, w[1:]), ValueError), ((x, y, w, w), ValueError), ((x, y, -w - 1), bp.InvalidValueError)]:
        with pytest.raises(expected):
            trainer.fit(network, x, y, validation=bad)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("order", "CF")
def test_out_may_have_any_layout(rng, dtype, order):
    x = data(rng, "f8", INPUTS)
    network = fresh(True, x * 3, data(rng, "f8", OUTPUTS) * 50)
    expected = network.predict(x)
    table = np.full((ROWS, 3 * OUTPUTS), np.nan, dtype, order=order)
    out = table[::-1, 1::3]
    assert network.predict(x, out=out) is out
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-5)
    if dtype == "f4":
        assert np.ascontiguousarray(out).tobytes() == expected.tobytes()
    assert np.isnan(np.delete(table, [1, 4, 7], axis=1)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_numbers_that_float_cannot_hold_are_refused_with_their_place(rng, bad):
    x, y = data(rng, "f8", INPUTS), data(rng, "f8", OUTPUTS)
    x[41, 2] = bad
    network = fresh()
    before = network.to_bytes()
    for call in (lambda: network.evaluate(x, y), lambda: network.score(x, y), lambda: network.train_minibatch(x, y, 0.1),
                 lambda: bp.Trainer().fit(network, x, y), lambda: network.fit_scaling(x, y),
                 lambda: bp.Trainer().fit(network, x[:9], y[:9], validation=(x, y))):
        with pytest.raises(bp.NotFiniteError, match="inputs: row 41, column 2 is"):
            call()
        assert network.to_bytes() == before
    y[7, 1] = bad
    with pytest.raises(bp.NotFiniteError, match="targets: row 7, column 1 is"):
        network.evaluate(data(rng, "f8", INPUTS), y)
    if not np.isfinite(bad):
        assert network.predict(x).shape == (ROWS, OUTPUTS)  # computes with them


def test_missing_targets_of_doubles_count_for_nothing(rng):
    x, y = large(rng)
    y[::3] = np.nan
    present = ~np.isnan(y[:, 0])
    networks = [bp.Network([2, 1], seed=1) for _ in range(2)]
    for network, rows in zip(networks, (slice(None), present)):
        network.set_activation(1, "identity")
        network.set_option("missing_targets", 1)
        network.fit_scaling(x, y, target_scaling="standard")
        network.train_minibatch(x[rows], y[rows], 1e-3)
    one, other = networks
    np.testing.assert_allclose(one.parameters, other.parameters, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(one.evaluate(x, y), other.evaluate(x[present], y[present]), rtol=1e-4)
    np.testing.assert_allclose(one.score(x, y, "r2"), other.score(x[present], y[present], "r2"), rtol=1e-4, atol=1e-5)
    bp.Trainer(epochs=2, batch_size=16, learning_rate=1e-3, validation_fraction=0.2).fit(one, x, y)


def test_a_new_output_layer_keeps_the_scaling_of_the_inputs(rng):
    x, y = large(rng)
    network = bp.Network([2, 3, 1], seed=1)
    network.fit_scaling(x, y)
    rest = network.tensors["scaling.inputs.remainder"].tolist()
    assert network.replace_output(2, seed=1).tensors["scaling.inputs.remainder"].tolist() == rest


def test_a_broadcast_matrix_is_read_as_its_values():
    network = fresh()
    x = np.broadcast_to(0.5, (4, INPUTS))
    assert network.predict(x).tobytes() == network.predict(np.full((4, INPUTS), 0.5, np.float32)).tobytes()
    column = np.broadcast_to(np.arange(4.0)[:, None], (4, INPUTS))
    assert network.predict(column).tobytes() == network.predict(np.float32(column)).tobytes()


def test_a_broadcast_row_and_a_broadcast_column_are_read_as_their_values():
    network, same = fresh(), fresh()
    row, target = np.broadcast_to(0.5, INPUTS), np.broadcast_to(-2.0, OUTPUTS)
    assert network.predict(row).tobytes() == network.predict(np.full(INPUTS, 0.5, np.float32)).tobytes()
    assert network.train_step(row, target, 0.1) == same.train_step(row.astype(np.float32), target.astype(np.float32), 0.1)
    single = bp.Network([INPUTS, 1], seed=1)
    x = np.ones((4, INPUTS))
    assert single.evaluate(x, np.broadcast_to(0.25, 4)) == single.evaluate(x, np.full((4, 1), 0.25, np.float32))


def test_numbers_beyond_float64_are_refused_by_their_place():
    x = np.ones((3, INPUTS), np.longdouble)
    x[2, 1] = np.longdouble("1e4000")
    if not np.isfinite(x[2, 1]):
        pytest.skip("the longdouble of this system is a float64")
    for use in (fresh().predict, lambda x: fresh().evaluate(x, np.ones((3, OUTPUTS)))):
        with pytest.raises(bp.NotFiniteError, match=r"inputs: 1e\+4000 at \[2, 1\] is beyond the range of float64"):
            use(x)


@pytest.mark.parametrize("measure", [None, "accuracy"])
def test_a_data_frame_of_doubles_is_read_without_rounding(rng, measure):
    pandas = pytest.importorskip("pandas")
    x, y = large(rng)
    network = bp.Network([2, 1], output="identity", seed=1)
    network.fit_scaling(pandas.DataFrame(x), pandas.Series(y[:, 0]), target_scaling="standard")
    network.fit(pandas.DataFrame(x), pandas.Series(y[:, 0]), epochs=2, validation=(x[:9], y[:9], np.ones(9)))
    same = bp.Network([2, 1], output="identity", seed=1)
    same.fit_scaling(x, y, target_scaling="standard")
    same.fit(x, y, epochs=2, validation=(x[:9], y[:9], np.ones(9)))
    assert network.to_bytes() == same.to_bytes()
    assert network.score(pandas.DataFrame(x), pandas.Series(y[:, 0]), measure) == same.score(x, y, measure)


@pytest.mark.parametrize("dtype", TYPES)
def test_arrays_that_the_library_reads_are_not_copied(dtype):
    for array in (np.zeros((4, 6), dtype), np.zeros((4, 6), dtype, order="F"), np.zeros((8, 12), dtype)[::-2, ::2]):
        assert _arguments.table(array, 6, "x") is array


def test_a_fit_from_doubles_does_not_copy_them(rng):
    x, y = rng.normal(size=(50000, 20)), rng.normal(size=(50000, 1))
    network = bp.Network([20, 4, 1])
    network.set_activation(2, "identity")
    tracemalloc = pytest.importorskip("tracemalloc")  # PyPy lacks it
    tracemalloc.start()
    try:
        bp.Trainer(epochs=1, batch_size=64, learning_rate=1e-3).fit(network, x, y)
        assert tracemalloc.get_traced_memory()[1] < x.nbytes / 20
    finally:
        tracemalloc.stop()


def test_results_do_not_depend_on_the_number_of_threads(rng):
    x, y = rng.normal(size=(3000, 40)), rng.normal(size=(3000, 3))
    found = []
    for threads in (1, 2, 5):
        bp.set_thread_count(threads)
        network = bp.Network([40, 60, 3], seed=1)
        network.set_activation(2, "identity")
        network.fit_scaling(x, y)
        bp.Trainer(epochs=2, batch_size=500, learning_rate=1e-4, validation_fraction=0.3).fit(network, x, y)
        found.append((network.to_bytes(), network.predict(x).tobytes(), network.evaluate(x, y), network.score(x, y)))
    bp.set_thread_count(0)
    assert found[0] == found[1] == found[2]
