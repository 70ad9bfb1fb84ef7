"""Would it pay to exchange the gradients of the last layers while those of the others are computed? A prototype: the matrix products of
a step, and the exchanges, without the library.

    mpirun -n 2 python Benchmarks/overlap.py
    python Benchmarks/overlap.py --processes 2 --gigabits 1 --milliseconds 0.1

"together": one exchange of all gradients after the pass, as the library does. "buckets": an exchange begins as soon as the gradients of
4 MB are there, from the last layer to the first, and all are completed after the pass: by MPI_Iallreduce, or by a thread on the
emulated links of scaling.py.
"""
import argparse
import os
import threading

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scaling import NETWORKS, Emulated, emulated, median

from libbackprop.distributed import communicator

BUCKET = 1 << 20  # numbers


class Step:
    def __init__(self, layers, rows):
        numbers = np.random.default_rng(1)
        self.weights = [numbers.random((a, b), np.float32) for a, b in zip(layers, layers[1:])]
        self.outputs = [numbers.random((rows, size), np.float32) for size in layers]
        self.gradient = np.empty(sum(each.size for each in self.weights), np.float32)  # the last layer's first

    def forward(self):
        for index, weights in enumerate(self.weights):
            np.matmul(self.outputs[index], weights, out=self.outputs[index + 1])

    def backward(self, ready):
        """Calls ready(start, end) when this part of the gradient is there."""
        delta, end = self.outputs[-1], 0
        for inputs, weights in zip(self.outputs[-2::-1], self.weights[::-1]):
            start, end = end, end + weights.size
            np.matmul(inputs.T, delta, out=self.gradient[start:end].reshape(weights.shape))
            ready(start, end)
            delta = delta @ weights.T


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--processes", type=int, default=0)
    parser.add_argument("--gigabits", type=float, default=1)
    parser.add_argument("--milliseconds", type=float, default=0.1)
    arguments = parser.parse_args()
    if arguments.processes:
        comm = emulated(arguments)
    else:
        from mpi4py import MPI

        world = MPI.COMM_WORLD
        comm = communicator(world)

    def begin(values):
        """Begins an exchange. Returns a function that completes it."""
        if isinstance(comm, Emulated):  # whose exchanges are in the order of their begin
            previous = threads[-1] if threads else None

            def exchange():
                if previous:
                    previous.join()
                comm.all_reduce(values, "sum")

            threads.append(threading.Thread(target=exchange))
            threads[-1].start()
            return threads[-1].join
        return world.Iallreduce(MPI.IN_PLACE, values, MPI.SUM).Wait

    threads = []
    for rows in (32, 128, 512):
        for name, layers in NETWORKS.items():
            step = Step(layers, rows)

            def compute():
                step.forward()
                step.backward(lambda start, end: None)

            def together():
                compute()
                comm.all_reduce(step.gradient, "sum")

            def buckets():
                open_start, completions = 0, []
                threads.clear()

                def ready(start, end):
                    nonlocal open_start
                    while end - open_start >= BUCKET:
                        completions.append(begin(step.gradient[open_start:open_start + BUCKET]))
                        open_start += BUCKET

                step.forward()
                step.backward(ready)
                if open_start < len(step.gradient):
                    completions.append(begin(step.gradient[open_start:]))
                for complete in completions:
                    complete()

            rounds = 9 if step.gradient.size < 5e6 else 5
            times = [1e3 * median(comm, each, rounds) for each in (compute, together, buckets)]
            if comm.rank == 0:
                print(f"{rows} rows, {name} parameters: compute {times[0]:.1f} ms, together {times[1]:.1f} ms, "
                      f"buckets {times[2]:.1f} ms, ratio {times[2] / times[1]:.2f}", flush=True)


main()
