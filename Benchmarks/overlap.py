"""Measures what it gains to exchange the gradients of the last layers while those of the others are computed.

    mpirun -n 2 python Benchmarks/overlap.py
    python Benchmarks/overlap.py --processes 2 --gigabits 1 --milliseconds 0.1

Steps of momentum, alternately with DataParallel(overlap=False) and DataParallel(overlap=True), by MPI or on the emulated links of
scaling.py. "compute": the step of one process alone, while the others compute, too. Times are medians of the slowest process, and the
ratio is the median of the ratios of steps that follow each other. docs/scaling.md has results.
"""
import argparse
import os
import time

import numpy as np
from scaling import NETWORKS, emulated

import libbackprop as bp
from libbackprop.distributed import DataParallel, communicator


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--processes", type=int, default=0)
    parser.add_argument("--gigabits", type=float, default=1)
    parser.add_argument("--milliseconds", type=float, default=0.1)
    parser.add_argument("--rows", type=int, nargs="+", default=[32, 128, 512], help="of each process")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), help="by their number of parameters")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=60, help="fewer rounds, at least 3, for what takes longer")
    arguments = parser.parse_args()
    bp.set_thread_count(1)
    if arguments.processes:
        comm = emulated(arguments)
    else:
        from mpi4py import MPI

        comm = communicator(MPI.COMM_WORLD)

    def duration(network, x, y):
        comm.all_reduce(np.zeros(1), "maximum")
        start = time.perf_counter()
        network.train_minibatch(x, y, 1e-4)
        spent = np.array([time.perf_counter() - start])
        comm.all_reduce(spent, "maximum")
        return float(spent[0])

    for name in arguments.networks:
        layers = NETWORKS[name]
        networks = [bp.Network(layers, activation="relu", loss="cross_entropy", optimizer="momentum", gradient_reduction="mean", seed=1)
                    for _ in range(3)]
        for network, overlap in zip(networks[1:], (False, True)):
            DataParallel(network, comm, overlap=overlap)
        for rows in arguments.rows:
            x = np.random.default_rng(comm.rank).random((rows, layers[0]), np.float32)
            y = np.zeros((rows, 10), np.float32)
            y[:, 0] = 1
            first = sum(duration(network, x, y) for network in networks)  # not counted; the same on all processes
            rounds = min(arguments.rounds, max(3, int(arguments.seconds / first)))
            times = np.array([[duration(network, x, y) for network in networks] for _ in range(rounds)])
            compute, together, overlapped = 1e3 * np.median(times, axis=0)
            ratio = np.median(times[:, 2] / times[:, 1])
            if comm.rank == 0:
                print(f"{name} parameters, {rows} rows: compute {compute:.1f} ms, without overlap {together:.1f} ms, "
                      f"with overlap {overlapped:.1f} ms, ratio {ratio:.2f} of {rounds} rounds", flush=True)
        same = np.array([np.max(np.abs(networks[1].parameters - networks[2].parameters))])
        if comm.rank == 0:
            print(f"  largest difference of parameters: {same[0]:.2g}", flush=True)
    time.sleep(1)  # until the last messages have left
    if arguments.processes:
        os._exit(0)


main()
