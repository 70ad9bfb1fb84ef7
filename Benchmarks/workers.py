"""The worker programs of bench.py: building, starting and timing them. The protocol is in worker.h."""
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time

from workloads import ROOT, prep, tolerance

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(ROOT, "build", "bench")
LIBRARY = os.path.join(ROOT, "build", "libbackprop.so")
# Python package that a worker imports: it is not started without it.
PYTHON_WORKERS = {
    "backprop_python": "numpy", "torch": "torch", "jax": "jax", "sklearn": "sklearn", "numpy": "numpy",
    "onnxruntime": "onnxruntime", "openvino": "openvino", "numba": "numba", "opencv": "cv2", "mlx": "mlx",
    "tinygrad": "tinygrad",
}


# ---- Building ----

LEFT_OUT = []  # and why


def left_out(name, reason):
    LEFT_OUT.append(f"{name}: {reason}")
    print(f"going on without {name}: {reason}", flush=True)


def built(name, command, path):
    """The path of a program made by the command, or None where that fails."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        failure = done.returncode and next((line for line in done.stdout.splitlines() if "error" in line), "not compiled")
    except OSError as error:
        failure = error
    if failure:
        left_out(name, failure)
    return None if failure else path


def compiled(name, *words, source=None):
    path = os.path.join(BUILD, name)
    source = os.path.join(HERE, source or name + ".c")
    compiler = ["c++", "-std=c++17"] if source.endswith(".cpp") else ["cc"]
    return built(name, [*compiler, "-O3", "-Wall", "-I", HERE, source, "-o", path, *words], path)


def library_flags(folder=os.path.dirname(LIBRARY)):
    return ["-I", os.path.join(ROOT, "include"), "-L", folder, "-Wl,-rpath," + folder, "-Wl,-z,lazy", "-lbackprop",
            "-lm"]


def swift_worker():
    scratch = os.path.join(BUILD, "swift")
    return built("backprop_swift", ["swift", "build", "-c", "release", "--disable-automatic-resolution", "--package-path",
                                    os.path.join(HERE, "swift"), "--scratch-path", scratch],
                 os.path.join(scratch, "release", "worker"))


def rltools_worker(*words):
    """RLtools is headers in a Python package."""
    package = importlib.util.find_spec("rltools")
    if not package:
        return left_out("rltools", "the Python package rltools is not installed")
    headers = os.path.join(os.path.dirname(package.origin), "external", "rl_tools", "include")
    name = "rltools_blas" if words else "rltools"
    return compiled(name, "-march=native", "-ffast-math", "-DNDEBUG", "-w", "-I", headers, *words, source="peers/rltools.cpp")


def onednn_worker():
    """oneDNN is a library and headers in two Python packages."""
    headers, library = os.path.join(sys.prefix, "include"), os.path.join(sys.prefix, "lib")
    if not os.path.exists(os.path.join(headers, "oneapi", "dnnl", "dnnl.hpp")):
        return left_out("onednn", "the Python package onednn-devel-cpu-gomp is not installed")
    return compiled("onednn", "-march=native", "-fopenmp", "-I", headers, os.path.join(library, "libdnnl.so.3"),
                    "-Wl,-rpath," + library, source="peers/onednn.cpp")


def commands(wanted):
    """The command of each worker that can be started here. wanted: names, or None for all."""
    program = {
        "backprop": lambda: compiled("backprop_worker", "-march=native", *library_flags()),
        "backprop_fit": lambda: compiled("backprop_fit", "-march=native", "-DFIT", *library_flags(), source="backprop_worker.c"),
        "backprop_swift": swift_worker,
        "fann": lambda: compiled("fann_worker", "-march=native", "-lfloatfann", "-lm"),
        "rltools": rltools_worker,
        "rltools_blas": lambda: rltools_worker("-DRL_TOOLS_BACKEND_ENABLE_OPENBLAS", "-lopenblas"),
        "onednn": onednn_worker,
    }
    found = {}
    for name, build in program.items():
        path = build() if wanted is None or name in wanted else None
        if path:
            found[name] = [path]
    for name, package in PYTHON_WORKERS.items():
        if wanted is None or name in wanted:
            if importlib.util.find_spec(package):
                found[name] = [sys.executable, os.path.join(HERE, "peers", "worker.py"), name]
            else:
                left_out(name, f"the Python package {package} is not installed")
    return found


# ---- Starting and timing ----

class Worker:
    def __init__(self, name, command, threads, root=ROOT, environment=None):
        """root: the tree whose library is used."""
        env = dict(os.environ, LIBBACKPROP_LIBRARY=os.path.join(root, "build", "libbackprop.so"),
                   PYTHONPATH=os.path.join(root, "bindings", "python"), LD_LIBRARY_PATH=os.path.join(root, "build"),
                   PYTHONDONTWRITEBYTECODE="1", CUDA_VISIBLE_DEVICES="", JAX_PLATFORMS="cpu", DEV="CPU")
        env.update(environment or {})
        env.update({v: str(threads) for v in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "CPU_COUNT",
                                              "NUMBA_NUM_THREADS")})

        def bind():  # to as many processors as threads: the one way that holds every peer
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
        self.name = name
        self.start = lambda: subprocess.Popen(
            [*command, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env,
            preexec_fn=bind if hasattr(os, "sched_setaffinity") else None)
        self.process = self.start()

    def ask(self, line):
        if self.process.poll() is not None:  # died in an earlier workload
            self.process = self.start()
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
    line = prep(w, threads, rows[w["name"]], folder)
    ready, results = [], []
    for worker in workers:
        answer = worker.ask(line).split(maxsplit=3)
        if answer[0] == "ok":
            ready.append((worker, answer, []))
        elif worker.name == w["ours"] or answer[1] == "died":
            print(f"  {worker.name}: {' '.join(answer)}")
    for _ in range(args.rounds):
        for worker, _, runs in ready:
            runs.append(measured(worker, threads, args))
    reference = next((float(a[1]) for v, a, _ in ready if v.name == w["ours"]), None)
    for worker, answer, runs in ready:
        if None in runs:
            print(f"  {worker.name} died")
            continue
        rates, loss, allowed = [m["rate"] for m in runs], float(answer[1]), tolerance(w, worker.name)
        result = dict(
            workload=w["name"], threads=threads, peer=worker.name, variant=answer[2],
            samples_per_s=statistics.median(rates), min=min(rates), max=max(rates), rates=rates, loss=loss,
            equal=reference is not None and abs(loss - reference) <= (allowed or 1e-3) * reference,
            others=max(m["others"] for m in runs), variants=json.loads(answer[3]) if len(answer) > 3 else {})
        if w["kind"] == "infer":
            result["us_per_call"] = statistics.median(m["us"] for m in runs)
        results.append(result)
    results.sort(key=lambda r: -r["samples_per_s"])
    for r in results:
        print(f"  {r['peer']:16} {r['samples_per_s']:11.5g}/s  [{r['min']:.4g} .. {r['max']:.4g}]  loss {r['loss']:.6g}"
              f"{'' if r['equal'] else ' differs'}  others {r['others']:.2f}  {r['variant']}", flush=True)
    return results
