"""Results do not depend on the rounding mode of the calling thread; Python callbacks run with that rounding mode."""
import ctypes
import platform

import numpy as np
import pytest

import libbackprop as bp

libm = ctypes.CDLL("libm.so.6")
TENTH = np.float32(0.1)
TO_NEAREST = 0
# The other modes of <fenv.h>, in two bits of FPCR on arm64 and of the control word on x86-64
OTHERS = [mode << (22 if platform.machine() == "aarch64" else 10) for mode in (1, 2, 3)]


def results(x, y, rounding, seen):
    @bp.activation.vector(backward=lambda z, a, da: da)
    def environment_probe(z):
        seen.add(libm.fegetround())
        return np.full_like(z, TENTH)

    libm.fesetround(rounding)
    try:
        network = bp.Network([3, 7, 2], seed=1)
        network.train_minibatch(x, y, learning_rate=0.125)
        network.set_activation(1, environment_probe)
        bp.Trainer(epochs=2, seed=1).fit(network, x, y)
        outputs = network.predict(x)
        kept = libm.fegetround()
    finally:
        libm.fesetround(TO_NEAREST)
        bp.activation.unregister("environment_probe")
    assert kept == rounding
    return outputs.tobytes(), network.parameters.tobytes()


@pytest.mark.parametrize("rounding", OTHERS)
def test_results_do_not_depend_on_the_rounding_mode_of_the_caller(rng, rounding):
    x, y = rng.normal(size=(40, 3)).astype(np.float32), rng.uniform(size=(40, 2)).astype(np.float32)
    seen = set()
    expected = results(x, y, TO_NEAREST, set())
    assert results(x, y, rounding, seen) == expected
    assert seen == {rounding}
