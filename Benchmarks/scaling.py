"""Measures the exchanges and the steps of a training by several processes, and fits a model of their time.

    mpirun -n 4 python Benchmarks/scaling.py [OUTPUT.json]
    Benchmarks/namespaces.sh 4 1gbit python Benchmarks/scaling.py [OUTPUT.json]
    python Benchmarks/scaling.py --processes 4 --gigabits 1 --milliseconds 0.1 [OUTPUT.json]

The first form measures processes that MPI starts, on one machine or on several. The second one measures PyTorch's Gloo between
network namespaces of this machine, whose links have a bandwidth. The third one starts processes on this machine, and emulates links
with a bandwidth and a latency between them: a ring for long arrays, and recursive doubling for short ones, on sockets. A message
says when its last byte would arrive by such a link, and the receiver waits until then. The processes must have time to copy the
bytes: 2 processors do not emulate 8 processes with 10 Gbit/s.

The model is t = alpha + beta * bytes for short arrays, and the same with other numbers for long ones. It is fitted to every other size,
by relative errors, and checked with the sizes between them. Then a step is measured for three networks: its computation alone, and
with the exchanges. docs/scaling.md has results.
"""
import argparse
import contextlib
import json
import os
import queue
import socket
import struct
import threading
import time

import numpy as np

import libbackprop as bp
from libbackprop.distributed import Communicator, DataParallel, communicator

SIZES = [1 << power for power in range(6, 27)]  # bytes
SHORT = 1 << 14  # bytes of the longest array for recursive doubling
NETWORKS = {"235 thousand": [784, 256, 128, 10], "2.4 million": [784, 1024, 1024, 512, 10],
            "24 million": [1024, 4096, 4096, 768, 10]}
HEADER = struct.Struct("dQ")  # when a message arrives, and its size


class Emulated(Communicator):
    """One of several processes, which have a socket for each other one."""

    def __init__(self, rank, sockets, gigabits, milliseconds):
        self.rank, self.size = rank, len(sockets)
        self._sockets, self._rate, self._latency = sockets, gigabits * 1e9 / 8, milliseconds / 1e3
        self._free = 0.0  # when the link can send again
        self._started, self._errors = queue.SimpleQueue(), []
        threading.Thread(target=self._exchange, daemon=True).start()
        self._outbox = queue.SimpleQueue()
        threading.Thread(target=self._deliver, daemon=True).start()
        with contextlib.suppress(OSError), open("/proc/self/timerslack_ns", "w") as file:
            file.write("1")

    def _deliver(self):
        while True:
            other, header, data = self._outbox.get()
            self._sockets[other].sendall(header)
            self._sockets[other].sendall(data)

    def _send(self, other, array):
        self._free = max(self._free, time.monotonic()) + array.nbytes / self._rate
        self._outbox.put((other, HEADER.pack(self._free + self._latency, array.nbytes), array.tobytes()))

    def _receive(self, other, array):
        arrival, _ = HEADER.unpack(self._read(other, bytearray(HEADER.size)))
        self._read(other, array.view(np.uint8))
        time.sleep(max(0, arrival - time.monotonic()))
        return array

    def _read(self, other, buffer):
        view = memoryview(buffer)
        while len(view):
            count = self._sockets[other].recv_into(view)
            if not count:
                raise ConnectionError(f"process {other} has ended")
            view = view[count:]
        return buffer

    def start(self, values, operation):
        self._started.put((values, operation, None))

    def finish(self):
        done = threading.Event()
        self._started.put((None, None, done))
        done.wait()
        if self._errors:
            raise self._errors.pop()

    def _exchange(self):
        while True:
            values, operation, done = self._started.get()
            try:
                if done:
                    done.set()
                else:
                    self.all_reduce(values, operation)
            except Exception as error:
                self._errors.append(error)

    def all_reduce(self, values, operation):
        combine = np.add if operation == "sum" else np.maximum
        if values.nbytes <= SHORT and self.size & (self.size - 1) == 0:
            distance = 1
            while distance < self.size:
                self._send(self.rank ^ distance, values)
                combine(values, self._receive(self.rank ^ distance, np.empty_like(values)), out=values)
                distance *= 2
            return
        parts = np.array_split(values, self.size)
        after, before = (self.rank + 1) % self.size, (self.rank - 1) % self.size
        for step in range(2 * (self.size - 1)):
            self._send(after, parts[(self.rank - step) % self.size])
            part = parts[(self.rank - step - 1) % self.size]
            if step < self.size - 1:
                combine(part, self._receive(before, np.empty_like(part)), out=part)
            else:
                self._receive(before, part)

    def broadcast(self, data, root=0):
        if self.rank == root:
            for other in range(self.size):
                if other != root:
                    self._send(other, np.frombuffer(struct.pack("Q", len(data)) + data, np.uint8))
            return data
        size = HEADER.unpack(self._read(root, bytearray(HEADER.size)))[1]
        return bytes(self._read(root, bytearray(size))[8:])


def emulated(arguments):
    """Starts the other processes; returns the communicator in each of them."""
    size = arguments.processes
    pairs = {(a, b): socket.socketpair() for a in range(size) for b in range(a + 1, size)}
    rank = 0
    for other in range(1, size):
        if os.fork() == 0:
            rank = other
            break
    sockets = [pairs[rank, each][0] if rank < each else pairs[each, rank][1] if each < rank else None for each in range(size)]
    return Emulated(rank, sockets, arguments.gigabits, arguments.milliseconds)


def median(comm, work, rounds):
    """The median over rounds of the time of the slowest process."""
    times = []
    for _ in range(rounds):
        comm.all_reduce(np.zeros(1), "maximum")
        start = time.perf_counter()
        work()
        spent = np.array([time.perf_counter() - start])
        comm.all_reduce(spent, "maximum")
        times.append(spent[0])
    return float(np.median(times))


def fitted(points):
    """alpha and beta of the least relative errors, for (size, time)."""
    rows = np.array([[1 / t, size / t] for size, t in points])
    (alpha, beta), *_ = np.linalg.lstsq(rows, np.ones(len(rows)), rcond=None)
    return max(float(alpha), 0), float(beta)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--processes", type=int, default=0)
    parser.add_argument("--gigabits", type=float, default=1)
    parser.add_argument("--milliseconds", type=float, default=0.1)
    parser.add_argument("--rows", type=int, default=64, help="of each process")
    parser.add_argument("--most", type=int, default=SIZES[-1], help="bytes of the largest exchange")
    parser.add_argument("output", nargs="?")
    arguments = parser.parse_args()
    bp.set_thread_count(1)
    if arguments.processes:
        comm = emulated(arguments)
    elif "RANK" in os.environ:
        from torch import distributed

        distributed.init_process_group("gloo")
        comm = communicator(distributed)
    else:
        from mpi4py import MPI

        comm = communicator(MPI.COMM_WORLD)

    def exchange(size):
        values = np.ones(size // 4, np.float32)
        return median(comm, lambda: comm.all_reduce(values, "sum"), max(3, min(15, (16 << 20) // size)))

    points = [(size, exchange(size)) for size in SIZES if size <= arguments.most]
    models, errors = {}, []
    for name, chosen in (("short", [each for each in points if each[0] <= SHORT]), ("long", [each for each in points if each[0] > SHORT])):
        alpha, beta = fitted(chosen[::2])
        models[name] = {"alpha": alpha, "beta": beta}
        errors += [abs(alpha + beta * size - t) / t for size, t in chosen[1::2]]
    result = {"processes": comm.size, "models": models, "largest error": max(errors), "median error": float(np.median(errors)),
              "exchanges": dict(points), "steps": {}}
    for name, layers in NETWORKS.items():
        network = bp.Network(layers, activation="relu", loss="cross_entropy", optimizer="momentum", gradient_reduction="mean")
        if 4 * network.parameter_count > 2 * arguments.most:
            continue
        x = np.random.default_rng(comm.rank).random((arguments.rows, layers[0]), np.float32)
        y = np.zeros((arguments.rows, 10), np.float32)
        y[:, 0] = 1
        alone = []
        for rank in range(comm.size):  # one after the other: the processors may be fewer than the processes
            if rank == comm.rank:
                for _ in range(6):
                    start = time.perf_counter()
                    network.train_minibatch(x, y, 1e-4)
                    alone.append(time.perf_counter() - start)
            comm.all_reduce(np.zeros(1), "maximum")
        with DataParallel(network, comm):
            together = median(comm, lambda: network.train_minibatch(x, y, 1e-4), 5)  # noqa: B023
        size, short, long = 4 * network.parameter_count, models["short"], models["long"]
        agreement = short["alpha"] + short["beta"] * 8 * (comm.size + 10)
        result["steps"][name] = {"alone": min(alone), "together": together,
                                 "predicted": min(alone) + agreement + long["alpha"] + long["beta"] * size}
        network.close()
    if comm.rank == 0:
        text = json.dumps(result, indent=1)
        print(text, flush=True)
        if arguments.output:
            with open(arguments.output, "w") as file:
                file.write(text + "\n")
    time.sleep(1)  # until the last messages have left


if __name__ == "__main__":
    main()
