"""Measures the exchanges of a training by several processes, fits a model of their time, and compares it with other sizes.

    mpirun -n 4 python Benchmarks/scaling.py [OUTPUT.json]

The model is t = alpha + beta * bytes for each number of processes. It is fitted to every other size, by relative errors, and checked
with the sizes between them. Then a step is measured for three networks: its computation alone, and with the exchanges.
docs/scaling.md has results.
"""
import json
import sys
import time

import numpy as np
from mpi4py import MPI

import libbackprop as bp
from libbackprop.distributed import DataParallel

comm = MPI.COMM_WORLD
SIZES = [1 << power for power in range(6, 26)]  # bytes
NETWORKS = {"235 thousand": [784, 256, 128, 10], "2.4 million": [784, 1024, 1024, 512, 10], "24 million": [1024, 4096, 4096, 768, 10]}


def median(work, rounds):
    """The median over rounds of the time of the slowest process."""
    times = []
    for _ in range(rounds):
        comm.Barrier()
        start = time.perf_counter()
        work()
        times.append(comm.allreduce(time.perf_counter() - start, MPI.MAX))
    return float(np.median(times))


def exchange(size):
    values = np.ones(size // 4, np.float32)
    return median(lambda: comm.Allreduce(MPI.IN_PLACE, values, MPI.SUM), max(5, min(200, (64 << 20) // size)))


def fitted(sizes, times):
    """alpha and beta of the least relative errors."""
    rows = np.array([[1 / t, size / t] for size, t in zip(sizes, times)])
    (alpha, beta), *_ = np.linalg.lstsq(rows, np.ones(len(rows)), rcond=None)
    return max(alpha, 0), beta


def main():
    times = [exchange(size) for size in SIZES]
    alpha, beta = fitted(SIZES[::2], times[::2])
    errors = [abs(alpha + beta * size - t) / t for size, t in zip(SIZES[1::2], times[1::2])]
    result = {"processes": comm.size, "alpha": alpha, "beta": beta, "largest error": max(errors), "median error":
              float(np.median(errors)), "exchanges": dict(zip(SIZES, times)), "steps": {}}
    for name, layers in NETWORKS.items():
        network = bp.Network(layers, activation="relu", loss="cross_entropy", optimizer="adam", gradient_reduction="mean")
        rows = 64
        x = np.random.default_rng(comm.rank).random((rows, layers[0]), np.float32)
        y = np.zeros((rows, 10), np.float32)
        y[:, 0] = 1
        alone = median(lambda: network.train_minibatch(x, y, 1e-4), 7)  # noqa: B023
        with DataParallel(network, comm):
            together = median(lambda: network.train_minibatch(x, y, 1e-4), 7)  # noqa: B023
        size = 4 * network.parameter_count
        result["steps"][name] = {"alone": alone, "together": together, "predicted": alone + 2 * alpha + beta * size}
        network.close()
    if comm.rank == 0:
        text = json.dumps(result, indent=1)
        print(text)
        if len(sys.argv) > 1:
            with open(sys.argv[1], "w") as file:
                file.write(text + "\n")


main()
