"""The number of threads that one call may use."""
import numpy as np
import pytest

import libbackprop as bp


@pytest.fixture(autouse=True)
def reset_thread_count():
    yield
    bp.set_thread_count(0)


def test_thread_count_returns_the_count_that_was_set():
    bp.set_thread_count(3)
    assert bp.thread_count() == 3
    bp.set_thread_count(0)
    assert bp.thread_count() >= 1


def test_predictions_do_not_depend_on_the_count():
    network = bp.Network([300, 200, 5], seed=1)
    inputs = np.random.default_rng(1).random((700, 300), dtype=np.float32)
    bp.set_thread_count(1)
    alone = network.predict(inputs)
    bp.set_thread_count(4)
    assert np.array_equal(network.predict(inputs), alone)


@pytest.mark.parametrize("count", [257, 2**40])
def test_too_many_threads_are_refused(count):
    with pytest.raises(bp.InvalidValueError, match="0 to 256"):
        bp.set_thread_count(count)


@pytest.mark.parametrize("count, error", [(-1, ValueError), (1.5, TypeError), ("2", TypeError)])
def test_negative_fractional_and_text_counts_are_refused(count, error):
    with pytest.raises(error):
        bp.set_thread_count(count)
