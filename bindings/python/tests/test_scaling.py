"""The scaling of a network, compared with NumPy."""
import numpy as np
import pytest

import libbackprop as bp


@pytest.fixture
def data(rng):
    x = rng.normal(size=(60, 3)) * [1, 100, 0.01] + [0, 1e4, 5]
    y = np.stack([3e4 + x[:, 0] * 1e3, x[:, 2]], axis=1)
    return np.float32(x), np.float32(y)


def linear(x, y, **scaling):
    network = bp.Network([3, 2], seed=3)
    network.set_activation(1, "identity")
    network.fit_scaling(x, y, **scaling)
    return network


@pytest.mark.parametrize("method, fit", [
    ("standard", lambda v: (v.mean(axis=0), v.std(axis=0))),
    ("min_max", lambda v: (v.min(axis=0), np.ptp(v, axis=0)))])
def test_prediction_scales_inputs_and_unscales_outputs(data, method, fit):
    x, y = data
    network = linear(x, y, input_scaling=method, target_scaling=method)
    (x_offset, x_scale), (y_offset, y_scale) = (fit(np.asarray(v, float)) for v in data)
    weights, bias = network.parameters[:6].reshape(2, 3), network.parameters[6:]
    expected = ((x - x_offset) / x_scale @ weights.T + bias) * y_scale + y_offset
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-4)


def test_inputs_or_targets_that_are_omitted_are_not_scaled(data):
    x, _ = data
    network = linear(x, None)
    weights, bias = network.parameters[:6].reshape(2, 3), network.parameters[6:]
    np.testing.assert_allclose(network.predict(x), (x - x.mean(axis=0)) / x.std(axis=0) @ weights.T + bias, atol=2e-3)
    network.fit_scaling()
    np.testing.assert_allclose(network.predict(x), x @ weights.T + bias, rtol=1e-4)


def test_scaling_is_copied_and_saved(data, tmp_path):
    network = linear(*data)
    network.save(tmp_path / "scaled.safetensors")
    for other in (network.clone(), bp.load(tmp_path / "scaled.safetensors")):
        assert (other.predict(data[0]) == network.predict(data[0])).all()


def test_bad_arguments_of_fit_scaling_are_refused(data):
    x, y = data
    network = linear(x, y)
    before = network.to_bytes()
    for arguments, expected in [
            ({"inputs": x[:, :2]}, ValueError), ({"inputs": x, "targets": y[:5]}, ValueError),
            ({"inputs": x, "input_scaling": "robust"}, bp.UnknownNameError), ({"inputs": x[:0]}, bp.InvalidValueError),
            ({"inputs": np.full_like(x, np.nan)}, bp.NotFiniteError), ({"inputs": x, "input_scaling": 3}, TypeError)]:
        with pytest.raises(expected):
            network.fit_scaling(**arguments)
        assert network.to_bytes() == before
