"""Trains by a library in FOLDER: smoke.py FOLDER FILE. Writes a model to FILE, and prints the instruction set and the parameters."""
import math
import sys

import numpy as np

import libbackprop as bp

folder, file = sys.argv[1:]
sys.stderr.write(f"Python {sys.version.split()[0]}, NumPy {np.__version__}\n")
assert bp.library_path().startswith(folder), bp.library_path()


@bp.activation.scalar
def bell(z):
    return math.exp(-z * z)


erf = bp.activation.from_library("libm.so.6", "erf", "d(d)")
x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
y = np.array([[0], [1], [1], [0]], dtype=np.float32)
for activation in ("tanh", bell, erf):
    network = bp.Network([2, 8, 8, 1], activation=activation, optimizer="adam", seed=3)
    losses = [network.train_minibatch(x, y, 0.02) for _ in range(500)]
    assert losses[-1] < 0.001, (activation, losses[0], losses[-1])

network = bp.Network([2, 8, 1], activation="tanh", seed=3)
network.fit(x, y, epochs=200, learning_rate=0.5)
network.save(file)
assert np.array_equal(bp.load(file).predict(x), network.predict(x))
print(bp.instruction_set(), network.parameters.tobytes().hex())
