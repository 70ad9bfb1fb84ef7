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
import time
import venv

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BUILD = os.path.join(ROOT, "build", "bench")
VENV = os.path.join(ROOT, "build", "bench-venv")
LIBRARY = os.path.join(ROOT, "build", "libbackprop.so")
PACKAGES = ["numpy", "scikit-learn", "torch", "jax", "onnx", "onnxruntime", "matplotlib"]
PYTHON_WORKERS = ["backprop_python", "torch", "jax", "sklearn", "numpy", "onnxruntime"]
QUICK_WORKERS = ["backprop", "backprop_python", "numpy", "fann"]

MNIST, WIDE = (784, 256, 128, 10), (1024, 2048, 2048, 1024, 16)
DATA_SIZES = {"xor": (2, 4, 1), "digits": (64, 32, 10), "mnist": MNIST, "wide": WIDE}


def workload(name, data, batch, eta, aims, hidden="tanh", output="logistic", bn=0, kind="train"):
    """aims: our rate over that of the best peer, with one thread and with two."""
    sizes = DATA_SIZES[data]
    weights = [i * o for i, o in zip(sizes, sizes[1:])]
    # 6 FLOP a weight for the three matrix products, less the first layer's input gradient.
    flops = 2 * sum(weights) if kind == "infer" else 6 * sum(weights) - 2 * weights[0]
    return dict(name=name, data=data, sizes=sizes, batch=batch, eta=eta, hidden=hidden, output=output, bn=bn, kind=kind,
                flops_per_sample=flops, aims=aims, ours="backprop_python" if hidden == "softsign_numpy" else "backprop")


WORKLOADS = [
    workload("xor", "xor", 1, 0.5, (1.15, 1.15), "logistic"),
    workload("digits", "digits", 1, 0.1, (3.5, 3.5), "logistic"),
    workload("mnist32", "mnist", 32, 0.1, (1.5, 1.8)),
    workload("mnist128", "mnist", 128, 0.1, (1.35, 1.8)),
    workload("mnist512", "mnist", 512, 0.1, (1.35, 1.6)),
    workload("mnist128_bn", "mnist", 128, 0.1, (1.4, 2), bn=1),
    workload("wide", "wide", 256, 0.001, (1.2, 1.35), "relu", "linear"),
    workload("infer1", "mnist", 1, 0, (1.8, 2.5), kind="infer"),
    workload("infer1024", "mnist", 1024, 0, (1.15, 1.25), kind="infer"),
    workload("softsign_ops", "mnist", 128, 0.1, (1.25, 1.8), "softsign_ops"),
    workload("softsign_numpy", "mnist", 128, 0.1, (2, 2.5), "softsign_numpy"),
    workload("softsign_scalar", "mnist", 128, 0.1, (1.4, 1.6), "softsign_scalar"),
]


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
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES], check=True)
        open(stamp, "w").close()
    os.execv(python, [python, os.path.abspath(__file__), "--installed", *sys.argv[1:]])


def built(name, command, path):
    """The path of a program made by the command, or None where that fails."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        failure = done.returncode and next((line for line in done.stdout.splitlines() if "error" in line), "not compiled")
    except OSError as error:
        failure = error
    if failure:
        print(f"going on without {name}: {failure}", flush=True)
    return None if failure else path


def compiled(name, *words):
    path = os.path.join(BUILD, name)
    return built(name, ["cc", "-O3", "-Wall", os.path.join(HERE, name + ".c"), "-o", path, *words], path)


def swift_worker():
    scratch = os.path.join(BUILD, "swift")
    return built("backprop_swift", ["swift", "build", "-c", "release", "--disable-automatic-resolution", "--package-path",
                                    os.path.join(HERE, "swift"), "--scratch-path", scratch],
                 os.path.join(scratch, "release", "worker"))


def write_data(folder, quick):
    """Inputs, targets and initial weights of each data set as raw float32; the number of rows of each."""
    import numpy as np
    rng = np.random.default_rng(1)
    large, small = (2048, 512) if quick else (8192, 1024)
    digits = np.loadtxt(os.path.join(ROOT, "Examples", "data", "digits.csv"), delimiter=",")
    x, wide = rng.random((large, 784)), rng.standard_normal((small, 1024))
    sets = {
        "xor": (np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0], [1], [1], [0]])),
        "digits": (digits[:, :64] / 16, np.eye(10)[digits[:, 64].astype(int)]),
        "mnist": (x, np.eye(10)[(x[:, :10] + 0.1 * rng.random((large, 10))).argmax(1)]),
        "wide": (wide, np.tanh(wide[:, :16])),
    }
    for name, (x, y) in sets.items():
        rng, sizes, w = np.random.default_rng(2), DATA_SIZES[name], []
        for i, o in zip(sizes, sizes[1:]):  # xor: wide enough a start to leave the plateau
            w += ([rng.uniform(-1, 1, (o, i)), rng.uniform(-1, 1, o)] if name == "xor"
                  else [rng.uniform(-1, 1, (o, i)) * (3 / i) ** 0.5, np.zeros(o)])
        for key, a in (("x", x), ("y", y), ("w", np.concatenate([a.ravel() for a in w]))):
            np.ascontiguousarray(a, np.float32).tofile(os.path.join(folder, f"{name}_{key}.f32"))
    return {name: len(x) for name, (x, _) in sets.items()}


# ---- Workers ----

class Worker:
    def __init__(self, name, command, threads):
        env = dict(os.environ, LIBBACKPROP_LIBRARY=LIBRARY, PYTHONPATH=os.path.join(ROOT, "bindings", "python"),
                   PYTHONDONTWRITEBYTECODE="1", CUDA_VISIBLE_DEVICES="", JAX_PLATFORMS="cpu")
        env.update({v: str(threads) for v in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")})

        def bind():  # to as many processors as threads: the one way that holds every peer
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env,
                                        preexec_fn=bind if hasattr(os, "sched_setaffinity") else None)

    def ask(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        return answer.strip() or "skip died"

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()


def machine_seconds():
    """Processor seconds of the whole machine since boot, stolen ones included; None where unknown."""
    try:
        with open("/proc/stat") as f:
            t = [int(v) / os.sysconf("SC_CLK_TCK") for v in f.readline().split()[1:9]]
        return t[0] + t[1] + t[2] + t[5] + t[6] + t[7]
    except OSError:
        return None


def measured(worker, threads, args):
    """One measurement, repeated while others use the processors, at most args.retries times: the quietest.

    With one thread the rate is per second of the worker's processor time: the rate of a quiet machine, even if other programs are
    scheduled. With more it is per second of wall-clock time.
    """
    tries = []
    for _ in range(1 + args.retries):
        time.sleep(0.06)  # for the spinning threads of the one before
        before = machine_seconds()
        answer = worker.ask(f"run {args.seconds}")
        after = machine_seconds()
        if answer.startswith("skip"):
            return None
        count, wall, cpu, us = (float(v) for v in answer.split())
        others = max(0.0, (after - before - cpu) / wall) if before else 0.0
        tries.append(dict(rate=count / (cpu if threads == 1 else wall), us=us, others=others))
        if others <= (args.noise if threads > 1 else 0.5 + args.noise):
            break
    return min(tries, key=lambda m: m["others"])


def run_workload(w, threads, workers, rows, folder, args):
    line = " ".join(str(v) for v in (
        "prep", w["name"], w["kind"], w["batch"], threads, w["eta"], w["hidden"], w["output"], w["bn"], rows[w["data"]],
        os.path.join(folder, w["data"]), *w["sizes"]))
    ready, results = [], []
    for worker in workers:
        answer = worker.ask(line).split(maxsplit=3)
        if answer[0] == "ok":
            ready.append((worker, answer, []))
        elif worker.name == w["ours"]:
            print(f"  {worker.name}: {' '.join(answer)}")
    for _ in range(args.rounds):
        for worker, _, runs in ready:
            runs.append(measured(worker, threads, args))
    reference = next((float(a[1]) for v, a, _ in ready if v.name == w["ours"]), None)
    for worker, answer, runs in ready:
        if None in runs:
            print(f"  {worker.name} died")
            continue
        rates, loss = [m["rate"] for m in runs], float(answer[1])
        result = dict(
            workload=w["name"], threads=threads, peer=worker.name, variant=answer[2],
            samples_per_s=statistics.median(rates), min=min(rates), max=max(rates), rates=rates,
            loss=loss, equal=reference is not None and abs(loss - reference) <= 1e-3 * reference,
            others=max(m["others"] for m in runs), variants=json.loads(answer[3]) if len(answer) > 3 else {})
        if w["kind"] == "infer":
            result["us_per_call"] = statistics.median(m["us"] for m in runs)
        results.append(result)
    results.sort(key=lambda r: -r["samples_per_s"])
    for r in results:
        print(f"  {r['peer']:16} {r['samples_per_s']:11.5g}/s  [{r['min']:.4g} .. {r['max']:.4g}]  loss {r['loss']:.6g}"
              f"{'' if r['equal'] else ' differs'}  others {r['others']:.2f}  {r['variant']}", flush=True)
    return results


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
    return dict(cpu=name, processors=os.cpu_count(), system=platform.system(), arch=platform.machine())


def versions():
    found = {"python": platform.python_version()}
    for package in PACKAGES + ["jaxlib"]:
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
    p.add_argument("--workloads", help="only these, comma-separated")
    p.add_argument("--workers", help="only these, comma-separated")
    p.add_argument("--threads", default="1,2")
    p.add_argument("--rounds", type=int)
    p.add_argument("--seconds", type=float, help="length of one measurement")
    p.add_argument("--noise", type=float, default=0.06,
                   help="processors that others may use before a measurement is repeated")
    p.add_argument("--retries", type=int, help="how often a disturbed measurement is repeated")
    args = p.parse_args()
    if not (args.quick or args.installed):
        install()
    rounds, seconds, retries = (3, 0.1, 0) if args.quick else (7, 0.5, 3)
    args.rounds, args.seconds = args.rounds or rounds, args.seconds or seconds
    args.retries = retries if args.retries is None else args.retries
    whole = not (args.quick or args.workloads or args.workers)
    output = args.output or (HERE if whole else BUILD)
    chosen = [w for w in WORKLOADS if not args.workloads or w["name"] in args.workloads.split(",")]
    thread_counts = [int(t) for t in args.threads.split(",")]
    os.makedirs(BUILD, exist_ok=True)
    os.makedirs(output, exist_ok=True)

    ours = ["-I", os.path.join(ROOT, "include"), "-L", os.path.dirname(LIBRARY), "-Wl,-rpath," + os.path.dirname(LIBRARY),
            "-lbackprop", "-lm"]
    # The probe runs in valgrind, which does not know every instruction there is.
    probe, load = compiled("probe", *ours), compiled("load", "-ldl")
    commands = {n: [sys.executable, os.path.join(HERE, "peers.py"), n] for n in PYTHON_WORKERS}
    wanted = args.workers.split(",") if args.workers else QUICK_WORKERS if args.quick else None
    for name, build in (("backprop", lambda: compiled("backprop_worker", "-march=native", *ours)),
                        ("backprop_swift", swift_worker),
                        ("fann", lambda: compiled("fann_worker", "-march=native", "-lfloatfann", "-lm"))):
        program = build() if wanted is None or name in wanted else None
        if program:
            commands = {name: [program], **commands}
    commands = {n: c for n, c in commands.items() if wanted is None or n in wanted}
    if not probe or not load or "backprop" not in commands and not args.workers:
        sys.exit("nothing to measure: run make lib first")
    blas = ["-DOPENBLAS", "-lopenblas"] if ctypes.util.find_library("openblas") else []
    limits_program = compiled("limits", "-march=native", "-ffast-math", "-fopenmp", *blas, "-lm")

    data = dict(date=datetime.date.today().isoformat(), library=json_lines(probe, "library")[0], machine=machine(),
                versions=versions(), quick=args.quick, rounds=args.rounds, seconds=args.seconds, workloads=chosen)
    data["limits"] = limits(limits_program, thread_counts, args.quick)
    data["probes"] = probes(probe, load, thread_counts)
    data["results"] = []
    with tempfile.TemporaryDirectory() as folder:
        rows = write_data(folder, args.quick)
        for threads in thread_counts:
            workers = [Worker(n, c + [str(threads)], threads) for n, c in commands.items()]
            for w in chosen:
                print(f"{w['name']}, {threads} thread{'s' * (threads > 1)}", flush=True)
                data["results"] += run_workload(w, threads, workers, rows, folder, args)
            for worker in workers:
                worker.close()
    path = os.path.join(output, "results.json")
    write_json(path, data)
    subprocess.run([sys.executable, os.path.join(HERE, "report.py"), path], check=True)
    differ = [r for r in data["results"] if not r["equal"] and r["peer"] != "sklearn"]
    for r in differ:
        print(f"not the same work: {r['workload']}, {r['threads']} threads, {r['peer']}: loss {r['loss']:.6g}")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
