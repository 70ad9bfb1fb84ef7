"""Many networks at once: Trainer.fit_ensemble beside JAX's vmap, with the same networks, rows and steps, in turns.

    python3 Benchmarks/ensemble.py [members] [epochs]

One thread on one processor. Prints the medians of the processor time, their ratios to libbackprop's, and the rates: the operations
of the matrix products alone.
"""
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path += [HERE, os.path.join(ROOT, "bindings", "python")]
os.environ.setdefault("LIBBACKPROP_LIBRARY", os.path.join(ROOT, "build", "libbackprop.so"))

from bench import install  # noqa: E402

if "--installed" not in sys.argv:
    install()
sys.argv.remove("--installed")

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

import libbackprop as bp  # noqa: E402

MEMBERS, EPOCHS = ([int(word) for word in sys.argv[1:]] + [1000, 5][len(sys.argv) - 1:])[:2]
LAYERS, ROWS, BATCH, RATE = [2, 16, 16, 1], 1024, 32, 0.001
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # before JAX starts its threads
bp.set_thread_count(1)
random = np.random.default_rng(1)
x = random.uniform(-1, 1, (ROWS, 2)).astype(np.float32)
y = (x[:, :1] * x[:, 1:]).astype(np.float32)


def networks(optimizer):
    return [bp.Network(LAYERS, activation="tanh", output="identity", optimizer=optimizer, seed=seed) for seed in range(MEMBERS)]


def forward(layers, x):
    for weights, biases in layers[:-1]:
        x = jnp.tanh(x @ weights + biases)
    weights, biases = layers[-1]
    return x @ weights + biases


gradient = jax.grad(lambda layers, x, y: 0.5 * jnp.sum((forward(layers, x) - y) ** 2))


def sgd(state, batch):
    return jax.tree.map(lambda w, g: w - RATE * g, state, gradient(state, *batch)), None


def adam(state, batch):
    layers, first, second, number = state
    slope = gradient(layers, *batch)
    number += 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, slope)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, slope)
    rate, scale = RATE / (1 - 0.9 ** number), 1 / jnp.sqrt(1 - 0.999 ** number)
    layers = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) * scale + 1e-8), layers, first, second)
    return (layers, first, second, number), None


def stacked(optimizer):
    layers = [(random.uniform(-0.5, 0.5, (MEMBERS, i, o)).astype(np.float32), np.zeros((MEMBERS, o), np.float32))
              for i, o in zip(LAYERS, LAYERS[1:])]
    zeros = jax.tree.map(jnp.zeros_like, layers)
    return layers if optimizer == "sgd" else (layers, zeros, zeros, jnp.zeros(MEMBERS))


def vmap_of_epochs(step):
    """Each network makes all its steps in one scan."""
    return jax.jit(jax.vmap(lambda state, batches: jax.lax.scan(step, state, batches)[0], (0, None)))


def scan_of_vmaps(step):
    """All networks make a step together."""
    return jax.jit(lambda state, batches: jax.lax.scan(
        lambda state, batch: (jax.vmap(step, (0, None))(state, batch)[0], None), state, batches)[0])


def fit_by_jax(epoch, state):
    for _ in range(EPOCHS):
        order = random.permutation(ROWS)
        state = epoch(state, (x[order].reshape(-1, BATCH, 2), y[order].reshape(-1, BATCH, 1)))
    jax.block_until_ready(state)


def seconds(run):
    start = time.process_time()  # on one processor; other programs may run
    run()
    return time.process_time() - start


for optimizer, step in ("sgd", sgd), ("adam", adam):
    runs = {"libbackprop": lambda: bp.Trainer(epochs=EPOCHS, batch_size=BATCH, learning_rate=RATE).fit_ensemble(members, x, y)}
    for make in vmap_of_epochs, scan_of_vmaps:
        runs[f"JAX, {make.__name__.replace('_', ' ')}"] = (
            lambda epoch=make(step): fit_by_jax(epoch, stacked(optimizer)))
    members = networks(optimizer)
    times = {name: [] for name in runs}
    for turn in range(6):
        for name, run in runs.items():
            used = seconds(run)
            if turn > 0:  # the first turn compiles
                times[name].append(used)
    multiplications = MEMBERS * EPOCHS * ROWS * (2 * 304 + 272)
    ours = statistics.median(times["libbackprop"])
    for name, used in times.items():
        median = statistics.median(used)
        print(f"{optimizer:5} {name:24} {median:8.3f} s  {2e-9 * multiplications / median:6.1f} GFLOP/s  {median / ours:6.2f}")
