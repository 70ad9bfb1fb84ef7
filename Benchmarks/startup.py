"""How long a library takes from the start of a process to a result: import, compilation and training included."""
import statistics
import time

from workers import Worker
from workloads import WORKLOADS, prep

# The ways of each worker; "-" is the only one.
VARIANTS = {
    "backprop": ["-"], "backprop_fit": ["-"], "backprop_python": ["fit"], "torch": ["eager-fused", "compile-loss-fused"],
    "jax": ["jit-scan", "jit-step"], "sklearn": ["MLPClassifier"], "rltools": ["-"], "rltools_blas": ["-"], "onednn": ["-"],
    "mlx": ["eager", "compile"], "tinygrad": ["jit"], "numba": ["loops"],
}
# Name: (workload, rows trained on or None for one minibatch, accuracy on the other rows, most epochs)
RESULTS = {
    "first step, digits_adam": ("digits_adam", None, 0, 1),
    "first step, mnist_adam": ("mnist_adam", None, 0, 1),
    "97 % of digits": ("digits_adam", 1440, 0.97, 200),
}
# Each process compiles anew: a kept result would be that of an earlier process.
FRESH = {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1", "CACHELEVEL": "0"}


def startup(commands, threads, folder, rounds):
    """Seconds of each worker and way, for each result."""
    found = []
    for result, (name, rows, accuracy, epochs) in RESULTS.items():
        print(f"{result}, {threads} thread{'s' * (threads > 1)}", flush=True)
        w = next(w for w in WORKLOADS if w["name"] == name)
        for peer, variant in [(p, v) for p in commands for v in VARIANTS.get(p, [])]:
            times = []
            line = prep(w, threads, rows or w["batch"], folder).split(" ", 1)[1]
            for _ in range(rounds):
                start = time.perf_counter()
                worker = Worker(peer, commands[peer], threads, environment=FRESH)
                answer = worker.ask(f"start {variant} {accuracy} {epochs} {line}").split()
                times.append(time.perf_counter() - start)
                worker.close()
                if answer[0] != "ok" or float(answer[2]) < accuracy:
                    break
            else:
                found.append(dict(result=result, threads=threads, peer=peer, variant=variant, seconds=statistics.median(times),
                                  min=min(times), max=max(times), epochs=int(answer[1]), accuracy=float(answer[2])))
                print(f"  {peer:16} {statistics.median(times):9.4f} s  [{min(times):.4f} .. {max(times):.4f}]  "
                      f"{answer[1]} epochs  {variant}", flush=True)
                continue
            print(f"  {peer}, {variant}: {' '.join(answer)}", flush=True)
    return found
