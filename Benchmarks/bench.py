"""Runs libbackprop and its peers in turns. See README.md.

    python3 Benchmarks/bench.py            everything: Benchmarks/results.json, .md and .png
    python3 Benchmarks/bench.py --quick    without the big peers: build/bench/results.*

Every worker is a process of its own that gets the same data and the same weights (protocol: worker.h).
"""
import argparse
import ctypes.util
import datetime
import importlib.metadata
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import venv

import startup
from workers import BUILD, HERE, LEFT_OUT, LIBRARY, Worker, commands, compiled, library_flags, run_workload
from workloads import ROOT, WORKLOADS, tolerance, write_data

VENV = os.path.join(ROOT, "build", "bench-venv")
# MLX, tinygrad and Numba are pinned to nothing: each run states its versions.
PACKAGES = ["numpy", "scikit-learn", "torch", "jax", "onnx", "onnxruntime", "matplotlib", "openvino", "numba", "mlx[cpu]",
            "tinygrad", "rltools", "opencv-contrib-python-headless<5"]
# oneDNN with GNU's OpenMP. Without what these packages require, which is another OpenMP.
ALONE = ["onednn-cpu-gomp", "onednn-devel-cpu-gomp"]
QUICK_WORKERS = ["backprop", "backprop_fit", "backprop_python", "numpy", "fann"]


# ---- Setting up ----

def install():
    """What the peers need: Debian packages when root, and Python packages in a separate environment."""
    needed = {
        "libfann-dev": os.path.exists("/usr/include/floatfann.h"),
        "libopenblas-dev": ctypes.util.find_library("openblas"),
        "valgrind": shutil.which("valgrind"),
        "g++": shutil.which("g++"),  # torch.compile compiles C++ that includes Python.h
        "python3-dev": os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")),
    }
    missing = [name for name, found in needed.items() if not found]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        subprocess.run(["apt-get", "update", "-qq"], env=environment)
        subprocess.run(["apt-get", "install", "-y", "-qq", *missing], env=environment, stdout=subprocess.DEVNULL)
    elif missing:
        print("going on without these Debian packages:", *missing)
    stamp, python = os.path.join(VENV, "packages"), os.path.join(VENV, "bin", "python")
    if not os.path.exists(stamp):
        print("installing", *PACKAGES, "in", os.path.relpath(VENV, ROOT), flush=True)
        venv.create(VENV, clear=True, with_pip=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # One by one: a package that cannot be installed here is named, and the others are measured.
        for words in [[p] for p in PACKAGES] + [["--no-deps", p] for p in ALONE]:
            if subprocess.run(pip + words).returncode:
                print("going on without", words[-1], flush=True)
        open(stamp, "w").close()
    os.execv(python, [python, os.path.abspath(sys.argv[0]), "--installed", *sys.argv[1:]])


# ---- Other measurements ----

def json_lines(*command):
    print(" ", os.path.basename(command[0]), *command[1:], flush=True)
    out = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def instructions_per_step(probe, network):
    """By callgrind: the difference of two runs, so that the start does not count."""
    count = []
    for steps in (1000, 3000):
        done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", probe, "steps", network,
                               str(steps)], stderr=subprocess.PIPE, text=True)
        found = re.search(r"Collected : (\d+)", done.stderr)
        if not found:
            return None
        count.append(int(found[1]))
    return (count[1] - count[0]) / 2000


def probes(probe, load, thread_counts):
    entries = json_lines(probe, "memory")
    for threads in thread_counts:
        entries += json_lines(probe, "sweep", str(threads))
    for network in ("xor", "digits"):
        count = instructions_per_step(probe, network) if shutil.which("valgrind") else None
        if count:
            entries.append(dict(test="instructions", network=network, per_step=count))
    times = [float(subprocess.run([load, LIBRARY], stdout=subprocess.PIPE, check=True).stdout) for _ in range(101)]
    entries.append(dict(test="load", median_us=statistics.median(times), min=min(times), max=max(times),
                        library_bytes=os.path.getsize(LIBRARY)))
    return entries


def limits(program, thread_counts, quick):
    entries = []
    for threads in thread_counts if program else []:
        for test in ("fma", "mem") if quick else ("fma", "mem", "gemm"):
            entries += json_lines(program, test, str(threads))
    return entries + (json_lines(program, "hand") if program else [])


# ---- Results ----

def machine():
    name = platform.processor()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as f:
            name = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), name)
    return dict(cpu=name, processors=os.cpu_count(), system=platform.system(), arch=platform.machine(), caches=caches())


def caches():
    """Sizes as Linux states them, such as {"L1 data": "32K"}."""
    found, folder = {}, "/sys/devices/system/cpu/cpu0/cache"
    for index in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        if index.startswith("index"):
            level, kind, size = (open(os.path.join(folder, index, v)).read().strip() for v in ("level", "type", "size"))
            if kind != "Instruction":
                found[f"L{level}" + " data" * (kind == "Data")] = size
    return found


def versions():
    found = {"python": platform.python_version()}
    for package in [re.match("[a-z-]+", p)[0] for p in PACKAGES] + ALONE + ["jaxlib"]:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            pass
    for package in ("libfann-dev", "libopenblas-dev") if shutil.which("dpkg-query") else ():
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
        if done.stdout:
            found[package] = done.stdout
    return found


def write_json(path, data):
    """One entry of a list a line, numbers to five digits."""
    def short(v):
        if isinstance(v, dict):
            return {k: short(e) for k, e in v.items()}
        return [short(e) for e in v] if isinstance(v, (list, tuple)) else float(f"{v:.5g}") if isinstance(v, float) else v

    def text(v):
        v = short(v)
        return "[\n" + ",\n".join(json.dumps(e) for e in v) + "\n]" if isinstance(v, list) else json.dumps(v)
    with open(path, "w") as f:
        f.write("{\n" + ",\n".join(f"{json.dumps(k)}: {text(v)}" for k, v in data.items()) + "\n}\n")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--quick", action="store_true", help="without the big peers, on less data")
    p.add_argument("--installed", action="store_true", help="install nothing: use this Python and what it has")
    p.add_argument("--output", help="folder of the results (Benchmarks; with --quick or a part of the run, build/bench)")
    p.add_argument("--workloads", help="only these, comma-separated; startup for the tables of startup")
    p.add_argument("--workers", help="only these, comma-separated")
    p.add_argument("--threads", default="1,2")
    p.add_argument("--rounds", type=int)
    p.add_argument("--seconds", type=float, help="length of one measurement")
    p.add_argument("--startups", type=int, help="processes started for each row of the tables of startup; 0 for none")
    p.add_argument("--noise", type=float, default=0.06,
                   help="processors that others may use before a measurement is repeated")
    p.add_argument("--retries", type=int, help="how often a disturbed measurement is repeated")
    args = p.parse_args()
    if not (args.quick or args.installed):
        install()
    rounds, seconds, retries, startups = (3, 0.1, 0, 3) if args.quick else (7, 0.5, 3, 3)
    args.startups = startups if args.startups is None else args.startups
    args.rounds, args.seconds = args.rounds or rounds, args.seconds or seconds
    args.retries = retries if args.retries is None else args.retries
    output = args.output or (BUILD if args.quick or args.workloads or args.workers else HERE)
    chosen = [w for w in WORKLOADS if not args.workloads or w["name"] in args.workloads.split(",")]
    thread_counts = [int(t) for t in args.threads.split(",")]
    os.makedirs(BUILD, exist_ok=True)
    os.makedirs(output, exist_ok=True)

    # The probe runs in valgrind, which does not know every instruction there is.
    probe, load = compiled("probe", *library_flags()), compiled("load", "-ldl")
    wanted = args.workers.split(",") if args.workers else QUICK_WORKERS if args.quick else None
    programs = commands(wanted)
    if not probe or not load or "backprop" not in programs and not args.workers:
        sys.exit("nothing to measure: run make lib first")
    blas = ["-DOPENBLAS", "-lopenblas"] if ctypes.util.find_library("openblas") else []
    limits_program = compiled("limits", "-march=native", "-ffast-math", "-fopenmp", *blas, "-lm")

    data = dict(date=datetime.date.today().isoformat(), library=json_lines(probe, "library")[0], machine=machine(),
                versions=versions(), quick=args.quick, rounds=args.rounds, seconds=args.seconds, workloads=chosen)
    whole = not args.workloads  # a part of the rows does without the rest
    data["limits"] = limits(limits_program, thread_counts, args.quick) if whole else []
    data["probes"] = probes(probe, load, thread_counts) if whole else []
    data["results"], data["startup"] = [], []
    with tempfile.TemporaryDirectory() as folder:
        rows = write_data(folder, args.quick)
        for threads in thread_counts:
            workers = [Worker(n, c, threads) for n, c in programs.items()]
            for w in chosen:
                print(f"{w['name']}, {threads} thread{'s' * (threads > 1)}", flush=True)
                data["results"] += run_workload(w, threads, workers, rows, folder, args)
            for worker in workers:
                worker.close()
        if args.startups and (not args.workloads or "startup" in args.workloads.split(",")):
            data["startup"] = startup.startup(programs, max(thread_counts), folder, args.startups)
    data["left_out"] = LEFT_OUT
    path = os.path.join(output, "results.json")
    write_json(path, data)
    subprocess.run([sys.executable, os.path.join(HERE, "report.py"), path], check=True)
    by_name = {w["name"]: w for w in WORKLOADS}
    differ = [r for r in data["results"] if not r["equal"] and tolerance(by_name[r["workload"]], r["peer"])]
    for r in differ:
        print(f"not the same work: {r['workload']}, {r['threads']} threads, {r['peer']}: loss {r['loss']:.6g}")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
