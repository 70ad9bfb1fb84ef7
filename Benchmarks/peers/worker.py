"""A Python library, or libbackprop from Python, as a worker of bench.py (protocol: worker.h).

    python3 worker.py PEER THREADS

PEER_peer.py has a generator variants(job), whose elements are (name, run, outputs): run(n) trains n epochs (or, for an
inference job, answers n calls) and outputs(x) returns the network's outputs for rows. Each variant starts from the job's
weights. The fastest is kept, and the rates of the others are reported beside it.
"""
import importlib
import json
import os
import resource
import statistics
import sys
import time
import warnings

from job import THREADS, Job


def measure(job, run, seconds):
    """(count, wall seconds, processor seconds, median microseconds of a call)"""
    before, start, count, n, calls = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter(), 0, 1, []
    if job.train:
        while True:
            t = time.perf_counter()
            run(n)
            count += n * job.rows
            now = time.perf_counter()
            if now - start >= seconds:
                break
            if now - t < 0.02:
                n *= 2
    else:
        t = time.perf_counter_ns()
        end = t + int(1e9 * seconds)
        while t < end:
            run(1)
            now = time.perf_counter_ns()
            calls.append(now - t)
            t = now
        count = len(calls) * job.batch
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return count, wall, cpu, statistics.median(calls) / 1e3 if calls else 0


def tried(job, variants, peer):
    """[rate, name, run, loss] of each variant that works, the fastest first."""
    found = []
    while True:
        try:
            name, run, outputs = next(variants)
            if job.train:
                run(1)
            loss = job.loss_of(outputs(job.x))
            measure(job, run, 0.05)
            found.append([0, name, run, loss])
        except StopIteration:
            break
        except Exception as error:  # this variant does not work here
            print(peer, job.name, repr(error)[:300], file=sys.stderr)
            if variants.gi_frame is None:
                break
    for _ in range(3 if len(found) > 1 else 0):
        for v in found:
            count, wall, cpu, _ = measure(job, v[2], 0.2)
            v[0] = max(v[0], count / (cpu if THREADS == 1 else wall))
    return sorted(found, key=lambda v: -v[0])


def started(job, variants, name, accuracy, epochs):
    """The answer to a start line."""
    for variant, run, outputs in variants:
        if name == variant:
            for epoch in range(1, epochs + 1):
                run(1)
                reached = job.accuracy_of(outputs(job.all_x[job.rows:])) if accuracy else 0
                if reached >= accuracy:
                    break
            return f"ok {epoch} {reached:.6g}"
    return "skip no such variant"


def worker(peer):
    answer = os.fdopen(os.dup(1), "w", 1)  # what the libraries print goes to stderr
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    job = best = None
    for line in sys.stdin:
        command, *words = line.split()
        if command == "run":
            answer.write("%d %.9g %.9g %.6g\n" % measure(job, best[2], float(words[0])))
            continue
        start, words = (words[:3], words[3:]) if command == "start" else (None, words)
        job = Job(words)
        variants = importlib.import_module(peer + "_peer").variants(job)
        if start:
            answer.write(started(job, variants, start[0], float(start[1]), int(start[2])) + "\n")
            continue
        found = tried(job, variants, peer)
        best = found[0] if found else None
        others = json.dumps({v[1]: {"samples_per_s": float(f"{v[0]:.4g}"), "loss": float(f"{v[3]:.6g}")} for v in found})
        answer.write(f"ok {best[3]:.9g} {best[1]} {others}\n" if best else "skip not provided\n")


if __name__ == "__main__":
    worker(sys.argv[1])
