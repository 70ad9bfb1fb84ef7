"""Array arguments and results: which ones are accepted, refused or copied."""
import numpy as np
import pytest

import libbackprop as bp
from libbackprop._arguments import floats


@pytest.fixture
def network():
    return bp.Network([3, 4, 2], seed=1)


VALUES = [[1, 0, 3], [4, 5, 0]]


@pytest.mark.parametrize("given", [
    VALUES, tuple(map(tuple, VALUES)), *(np.array(VALUES, dtype) for dtype in
    ("i1", "u1", "i4", "i8", "u8", "f2", "f4", "f8", ">f4", ">i2", "longdouble")),
    np.asfortranarray(VALUES), np.array(VALUES + VALUES, np.float32)[:2], np.array(VALUES, np.float32).repeat(2, 1)[:, ::2],
    np.array(VALUES, np.float32)[::-1][::-1], np.ma.array(VALUES), [np.array(row, "f4") for row in VALUES]],
    ids=lambda given: f"{type(given).__name__}-{getattr(given, 'dtype', '')}")
def test_numbers_of_every_type_are_accepted(network, given):
    expected = network.predict(np.array(VALUES, np.float32))
    assert network.predict(given).tobytes() == expected.tobytes()


def test_booleans_are_accepted(network):
    given = np.array([[True, False, True]])
    assert (network.predict(given) == network.predict([[1, 0, 1]])).all()


def test_read_only_and_unaligned_arrays_are_accepted(network):
    array = np.array(VALUES, np.float32)
    expected = network.predict(array)
    array.flags.writeable = False
    assert network.predict(array).tobytes() == expected.tobytes()
    shifted = np.frombuffer(b"x" + array.tobytes(), np.float32, offset=1).reshape(2, 3)
    assert not shifted.flags.aligned
    assert network.predict(shifted).tobytes() == expected.tobytes()


def test_float32_contiguous_arrays_are_not_copied():
    array = np.zeros((4, 3), np.float32)
    assert floats(array, "x") is array
    assert np.shares_memory(floats(array[1:3], "x"), array)
    array.flags.writeable = False
    assert floats(array, "x") is array
    assert not np.shares_memory(floats(array[:, :2], "x"), array)


@pytest.mark.parametrize("bad", [
    np.zeros((2, 3), complex), np.zeros((2, 3), object), [["a", "b", "c"]] * 2, np.zeros((2, 3), "S1"), None,
    [[None] * 3] * 2, np.zeros((2, 3), "M8[s]"), np.zeros(2, "f4,f4,f4"), {1: 2}, object()],
    ids=lambda bad: str(getattr(bad, "dtype", type(bad).__name__)))
def test_objects_that_are_no_numbers_are_a_type_error(network, bad):
    y = np.zeros((2, 2))
    for call in (lambda: network.predict(bad), lambda: network.train_minibatch(bad, y, 0.1),
                 lambda: network.gradient(bad, y), lambda: network.evaluate(bad, y),
                 lambda: network.train_step(bad, y[0], 0.1), lambda: network.check_gradient(bad, y),
                 lambda: setattr(network, "parameters", bad), lambda: network.apply_gradient(bad, 0.1)):
        with pytest.raises(TypeError, match="expected numbers, got"):
            call()


@pytest.mark.parametrize("shape", [(), (2,), (4,), (2, 4), (3, 2), (1, 2, 3), (0,), (2, 0)])
def test_error_for_inputs_gives_the_expected_and_the_actual_shape(network, shape):
    bad, y = np.zeros(shape), np.zeros((2, 2))
    for call in (lambda: network.predict(bad), lambda: network.train_minibatch(bad, y, 0.1),
                 lambda: network.gradient(bad, y), lambda: network.evaluate(bad, y),
                 lambda: network.check_gradient(bad, y), lambda: network.train_step(bad, y[0], 0.1)):
        with pytest.raises(ValueError, match=r"expected shape \((rows, 3|3,)\)") as caught:
            call()
        assert str(shape) in str(caught.value)


@pytest.mark.parametrize("shape", [(), (2,), (2, 3), (2, 2, 1), (3, 2), (1, 2)])
def test_error_for_targets_gives_the_expected_and_the_actual_shape(network, shape):
    x, bad = np.zeros((2, 3)), np.zeros(shape)
    for call in (lambda: network.train_minibatch(x, bad, 0.1), lambda: network.gradient(x, bad),
                 lambda: network.evaluate(x, bad), lambda: network.check_gradient(x, bad)):
        with pytest.raises(ValueError, match="targets: expected shape") as caught:
            call()
        assert str(shape) in str(caught.value)


def test_wrong_shapes_for_one_row_are_refused(network):
    for x, y in (((1, 3), (2,)), ((3,), (1, 2)), ((4,), (2,)), ((3,), (3,))):
        with pytest.raises(ValueError, match="expected shape"):
            network.train_step(np.zeros(x), np.zeros(y), 0.1)


def test_wrong_number_of_parameters_is_refused(network):
    count = network.parameter_count
    for shape in ((count - 1,), (count + 1,), (1, count), (0,), ()):
        with pytest.raises(ValueError, match=rf"expected shape \({count},\)"):
            network.parameters = np.zeros(shape)
        with pytest.raises(ValueError, match=rf"expected shape \({count},\)"):
            network.apply_gradient(np.zeros(shape), 0.1)


def test_ragged_rows_are_refused(network):
    with pytest.raises((ValueError, TypeError)):
        network.predict([[1, 2, 3], [1, 2]])


def test_prediction_has_as_many_dimensions_as_the_inputs(network):
    x = np.array(VALUES, np.float32)
    assert network.predict(x[0]).shape == (2,)
    assert network.predict(x[:1]).shape == (1, 2)
    assert network.predict(x).shape == (2, 2)
    assert network.predict(x).dtype == np.float32


def test_out_is_filled_and_returned(network):
    x = np.array(VALUES, np.float32)
    out = np.full((2, 2), np.nan, np.float32)
    assert network.predict(x, out=out) is out
    assert out.tobytes() == network.predict(x).tobytes()
    row = np.empty(2, np.float32)
    assert network.predict(x[1], out=row) is row and (row == out[1]).all()
    part = np.zeros((4, 2), np.float32)
    network.predict(x, out=part[1:3])
    assert part[1:3].tobytes() == out.tobytes() and not part[::3].any()


def read_only():
    array = np.zeros((2, 2), np.float32)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("out, expected", [
    ([[0, 0], [0, 0]], TypeError), (np.zeros((2, 2), np.float16), TypeError), (np.zeros((2, 2), ">f4"), TypeError),
    (np.zeros((2, 2), np.int32), TypeError), (np.zeros((2, 3), np.float32), ValueError),
    (np.zeros(4, np.float32), ValueError), (np.lib.stride_tricks.as_strided(np.zeros(4), (2, 2), (0, 8)), ValueError),
    (read_only(), ValueError)])
def test_out_of_a_wrong_type_or_shape_is_refused(network, out, expected):
    with pytest.raises(expected, match=r"^out: "):
        network.predict(VALUES, out=out)


def test_out_must_not_overlap_the_inputs():
    network = bp.Network([2, 2])
    both = np.zeros((3, 2), np.float32)
    with pytest.raises(ValueError, match="overlap"):
        network.predict(both[:2], out=both[1:])
