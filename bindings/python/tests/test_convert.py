"""Data of other libraries: pandas, polars, JAX, PyTorch, and objects with the buffer protocol or DLPack."""
import array
import sys
import types

import numpy as np
import pytest

import libbackprop as bp
from libbackprop._arguments import floats

VALUES = np.array([[1, 0, 3], [4, 5, 0]], np.float32)


@pytest.fixture
def network():
    return bp.Network([3, 4, 2], seed=1)


class OnlyDLPack:
    """An array that has no other protocol."""

    def __init__(self, values):
        self._values = values

    def __dlpack__(self, **arguments):
        return self._values.__dlpack__(**arguments)

    def __dlpack_device__(self):
        return self._values.__dlpack_device__()


def frames():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    columns = dict(zip("abc", VALUES.T.tolist()))
    yield pandas.DataFrame(columns)
    for dtype in ("float32", "int8", "Int64", "Float32"):
        yield pandas.DataFrame(columns).astype(dtype)
    yield pandas.DataFrame(columns).astype({"a": "Int64", "b": "uint8"})
    yield polars.DataFrame(columns)
    yield polars.DataFrame(columns).cast({"a": polars.Int16, "b": polars.Float32})


@pytest.mark.parametrize("number", range(8))
def test_data_frames_are_accepted(network, number):
    frame = list(frames())[number]
    assert network.predict(frame).tobytes() == network.predict(VALUES).tobytes()


def test_columns_of_booleans_and_numbers_are_accepted():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    columns = {"a": [True, False], "b": [1.5, 2], "c": [1, 2]}
    expected = [[1, 1.5, 1], [0, 2, 2]]
    for frame in (pandas.DataFrame(columns), pandas.DataFrame(columns).astype({"a": "boolean"}), polars.DataFrame(columns)):
        assert floats(frame, "x").tolist() == expected


def test_columns_may_have_the_same_name():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([[1, 2.5], [3, 4]], columns=["a", "a"]).astype(object).infer_objects()
    assert floats(frame.astype("Float64"), "x").tolist() == [[1, 2.5], [3, 4]]


def test_missing_values_of_series_and_frames_become_nan(network):
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for series in (pandas.Series([1, None], dtype="Int64"), pandas.Series([1, None]), pandas.array([1, None], dtype="Float32"),
                   pandas.Series([True, None], dtype="boolean"), polars.Series([1, None])):
        assert np.array_equal(floats(series, "x"), [1, np.nan], equal_nan=True)
    frame = pandas.DataFrame({"a": pandas.array([1, None], dtype="Int64"), "b": [1.0, 2.0], "c": [0, 0]})
    assert np.array_equal(floats(frame, "x"), [[1, 1, 0], [np.nan, 2, 0]], equal_nan=True)
    with pytest.raises(bp.NotFiniteError):
        network.train_minibatch(frame, [[0, 1]] * 2, 0.1)


def test_tensors_of_jax_are_accepted(network):
    jax = pytest.importorskip("jax")
    for dtype in (jax.numpy.float32, jax.numpy.bfloat16, jax.numpy.int8):
        given = jax.numpy.asarray(VALUES).astype(dtype)
        assert network.predict(given).tobytes() == network.predict(VALUES).tobytes()


def test_tensors_of_pytorch_are_accepted(network):
    torch = pytest.importorskip("torch")
    for dtype in (torch.float32, torch.float64, torch.bfloat16, torch.int8):
        given = torch.tensor(VALUES).to(dtype)
        assert network.predict(given).tobytes() == network.predict(VALUES).tobytes()
    assert floats(torch.tensor(VALUES, requires_grad=True), "x").tolist() == VALUES.tolist()


def test_float32_data_are_not_copied(network, monkeypatch):
    """A test of the pointers that the library receives."""
    pandas, polars, jax = (pytest.importorskip(name) for name in ("pandas", "polars", "jax"))
    on_device = jax.numpy.asarray(VALUES)
    column = polars.Series(VALUES[0])
    shared = [
        (memoryview(VALUES), VALUES.ctypes.data), (OnlyDLPack(VALUES), VALUES.ctypes.data),
        (pandas.DataFrame(VALUES, copy=False), VALUES.ctypes.data), (pandas.Series(VALUES[1], copy=False), VALUES[1].ctypes.data),
        (on_device, on_device.unsafe_buffer_pointer()), (column, column.to_numpy().ctypes.data)]
    numbers = array.array("f", [1, 2, 3])
    shared.append((numbers, numbers.buffer_info()[0]))
    if "torch" in sys.modules:
        tensor = sys.modules["torch"].tensor(VALUES)
        shared.append((tensor, tensor.data_ptr()))
    seen = []
    monkeypatch.setattr("libbackprop.network.pointer", lambda array: seen.append(array.ctypes.data) or array.ctypes.data_as(
        bp._prototypes.Floats))
    for given, address in shared:
        network.predict(given)
        assert seen[-2] == address, type(given)  # the inputs, before the outputs


def test_tensors_with_a_gradient_and_unknown_types_are_detached_first():
    """The protocol of PyTorch's tensors, without PyTorch."""
    tensor = types.SimpleNamespace(detach=lambda: types.SimpleNamespace(cpu=lambda: VALUES), cpu=None)
    assert np.shares_memory(floats(tensor, "x"), VALUES)

    class BFloat16:
        """A tensor of bfloat16, which NumPy lacks."""

        def __array__(self, *arguments, **options):
            raise TypeError("Got unsupported ScalarType BFloat16")

        def float(self):
            return VALUES

    tensor = types.SimpleNamespace(detach=lambda: types.SimpleNamespace(cpu=BFloat16), cpu=None)
    assert floats(tensor, "x").tolist() == VALUES.tolist()


@pytest.mark.parametrize(("given", "error", "message"), [
    ([[1, 2, 3], [4, 5]], ValueError,
     "inputs: expected rows of the same length, got 2 elements in row 1 and 3 elements in row 0"),
    ([[1, 2, 3], 4], ValueError, "inputs: expected rows of the same length, got a number in row 1 and 3 elements in row 0"),
    ([[[1], [2]], [[1], [2, 3]]], ValueError, "inputs: expected an array of numbers, got rows of different shapes"),
    ([[1, 2, "x"]], TypeError, "inputs: expected numbers, got <U21: 'x' at [0, 2]"),
    ("text", TypeError, "inputs: expected numbers, got <U4: 'text'"),
    ([[1, None, 2]], TypeError, "inputs: expected numbers, got object: None at [0, 1]"),
    ([], ValueError, "inputs: expected shape (rows, 3) or (3,), got (0,)"),
    ([[]], ValueError, "inputs: expected shape (rows, 3) or (3,), got (1, 0)"),
    ([[1e300, 0, 0]], bp.NotFiniteError, "inputs: 1e+300 at [0, 0] is beyond the range of float32"),
    ([["1", "2", "3"]], TypeError, "inputs: expected numbers, got numbers as <U1: convert them with astype(float)"),
    ([[10**30, 1, 2]], TypeError, "inputs: expected numbers, got numbers as object: convert them with astype(float)"),
    ([[10**400, 1, 2]], TypeError, f"inputs: expected numbers, got object: 1{'0' * 59} at [0, 0]"),
    ([[1, 2j, 3]], TypeError, "inputs: expected numbers, got complex128"),
    ((row for row in [[1, 2, 3]]), TypeError, "inputs: expected numbers, got generator: convert it to a list"),
    ({1, 2, 3}, TypeError, "inputs: expected numbers, got set: convert it to a list"),
    ({"a": [1]}, TypeError, "inputs: expected numbers, got dict"),
    (types.SimpleNamespace(), TypeError, "inputs: expected numbers, got SimpleNamespace"),
], ids=str)
def test_error_says_what_is_wrong_with_the_data(network, given, error, message):
    with pytest.raises(error) as caught:
        network.predict(given)
    assert str(caught.value) == message


def test_error_says_how_to_convert_sparse_matrices_and_lazy_frames(network):
    sparse, polars = pytest.importorskip("scipy.sparse"), pytest.importorskip("polars")
    with pytest.raises(TypeError, match=r"inputs: expected numbers, got csr_array: convert it with toarray\(\)"):
        network.predict(sparse.csr_array(np.zeros((2, 3))))
    with pytest.raises(TypeError, match=r"inputs: expected numbers, got LazyFrame: convert it with collect\(\)"):
        network.predict(polars.LazyFrame({"a": [1]}))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, bool])
def test_masked_elements_become_nan(network, dtype):
    values = np.array([[1, 0, 1], [0, 1, 0]], dtype)
    mask = [[False, True, False], [False] * 3]
    assert np.isnan(network.predict(np.ma.masked_array(values, mask))).any(axis=1).tolist() == [True, False]
    assert network.predict(np.ma.masked_array(values)).tobytes() == network.predict(values).tobytes()
    labels = np.ma.masked_array(["a", "b"], [True, False])
    with pytest.raises(ValueError, match="targets: row 0: expected a label, got None"):
        bp.Network([3, 2], output="softmax").fit(values, labels)


def test_error_names_the_column_that_has_no_numbers(network):
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for frame in (pandas.DataFrame({"a": [1], "b": ["u"], "c": [2]}), polars.DataFrame({"a": [1], "b": ["u"], "c": [2]}),
                  pandas.DataFrame({"a": [1], "b": pandas.Categorical(["u"]), "c": [2]})):
        with pytest.raises(TypeError, match=r"inputs: column 'b': expected numbers, got .*'u' at 0"):
            network.predict(frame)
    with pytest.raises(TypeError, match="inputs: column 'b': expected numbers, got datetime64"):
        network.predict(pandas.DataFrame({"a": [1], "b": pandas.to_datetime(["2020-01-01"]), "c": [2]}))
