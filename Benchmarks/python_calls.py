"""The time of calls from Python beside the same calls in C, and the time of the import beside NumPy's.

    python Benchmarks/python_calls.py [PROBE]       needs libbackprop; PROBE is the compiled probe.c

Times are processor time on one thread: the least of many loops, which run in turns, so that other work on the machine has little
effect. The import is measured in new processes; its time is without that of starting the interpreter.
"""
import json
import os
import resource
import statistics
import subprocess
import sys
import timeit
from time import thread_time

import numpy as np

import libbackprop as bp

CALLS, LOOPS, IMPORTS = 200, 300, 15

bp.set_thread_count(1)
network, random = bp.Network([2, 4, 1], seed=1), np.random.default_rng(0)
predictor = bp.Predictor(network)
x, y, out = random.random((32, 2), np.float32), random.random((32, 1), np.float32), np.empty(1, np.float32)
x_row, y_row, x_table, x_read_only = x[0].copy(), y[0].copy(), x[:1].copy(), x[0].copy()
x_read_only.flags.writeable = False
x64, y64, x_row64, y_row64 = (each.astype(np.float64) for each in (x, y, x_row, y_row))
numbers = x_row.tolist()

# What is called: (the call in C and its rows, the call in Python)
MEASURED = {
    "predict, 1 row": ("predict", 1, lambda: network.predict(x_row)),
    "predict, 1 row, out=": ("predict", 1, lambda: network.predict(x_row, out)),
    "predict, 1 row, shape (1, 2)": ("predict", 1, lambda: network.predict(x_table)),
    "predict, 1 row, read-only": ("predict", 1, lambda: network.predict(x_read_only)),
    "predict, 1 row, float64": ("predict", 1, lambda: network.predict(x_row64)),
    "predict, 1 row, list": ("predict", 1, lambda: network.predict(numbers)),
    "predict, 32 rows": ("predict", 32, lambda: network.predict(x)),
    "predict, 32 rows, float64": ("predict", 32, lambda: network.predict(x64)),
    "Predictor.run, 1 row": ("predict", 1, lambda: predictor.run(x_row)),
    "Predictor.run, 32 rows": ("predict", 32, lambda: predictor.run(x)),
    "train_step": ("train_step", 1, lambda: network.train_step(x_row, y_row, 0.001)),
    "train_step, float64": ("train_step", 1, lambda: network.train_step(x_row64, y_row64, 0.001)),
    "train_minibatch, 32 rows": ("train_minibatch", 32, lambda: network.train_minibatch(x, y, 0.001)),
    "train_minibatch, 32 rows, float64": ("train_minibatch", 32, lambda: network.train_minibatch(x64, y64, 0.001)),
    "evaluate, 32 rows": ("evaluate", 32, lambda: network.evaluate(x, y)),
}


def calls():
    """Nanoseconds of each call."""
    timers = {what: timeit.Timer(call, timer=thread_time) for what, (_, _, call) in MEASURED.items()}
    best = dict.fromkeys(timers, float("inf"))
    for _ in range(LOOPS):
        for what, timer in timers.items():
            best[what] = min(best[what], timer.timeit(CALLS) / CALLS * 1e9)
    return best


def calls_in_c(probe):
    """Nanoseconds of each call in C, by its name and rows."""
    lines = subprocess.run([probe, "calls"], capture_output=True, text=True, check=True).stdout.splitlines()
    return {(each["call"], each["rows"]): each["ns"] for each in map(json.loads, lines)}


def processor_time(statement, environment):
    """Milliseconds of a new process that executes a statement."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def imports():
    """Milliseconds of the imports of NumPy and of libbackprop, which imports NumPy."""
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(bp.__file__))}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    statements = ("pass", "import numpy", "import libbackprop")
    for statement in statements:
        processor_time(statement, environment)  # compiles the modules
    times = [[processor_time(statement, environment) for statement in statements] for _ in range(IMPORTS)]
    start, numpy, libbackprop = (statistics.median(each) for each in zip(*times))
    return numpy - start, libbackprop - start


in_c = calls_in_c(sys.argv[1]) if len(sys.argv) > 1 else {}
print(f"{'µs of a call on 2-4-1':36} {'Python':>8} {'C':>8} {'more':>8}")
for what, taken in calls().items():
    c = in_c.get(MEASURED[what][:2])
    print(f"{what:36} {taken / 1e3:8.2f}" + ("" if c is None else f" {c / 1e3:8.2f} {(taken - c) / 1e3:8.2f}"))
numpy, libbackprop = imports()
print(f"import: numpy {numpy:.0f} ms, libbackprop {libbackprop:.0f} ms, {libbackprop / numpy:.2f} times as long")
