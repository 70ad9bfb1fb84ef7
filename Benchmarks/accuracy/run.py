"""Errors against processor time of libbackprop and its peers on small problems. See ../README.md.

    python3 Benchmarks/accuracy/run.py              everything: Benchmarks/accuracy.json, .md and .png
    python3 Benchmarks/accuracy/run.py --quick      two problems, three seeds: build/bench/accuracy.*

What is complete in build/bench/accuracy is not run again; --fresh starts anew.
"""
import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import statistics
import sys

for name in ("OMP", "OPENBLAS", "MKL"):  # before NumPy is loaded
    os.environ[name + "_NUM_THREADS"] = "1"
HERE = os.path.dirname(os.path.abspath(__file__))
BENCHMARKS, ROOT = os.path.dirname(HERE), os.path.dirname(os.path.dirname(HERE))
sys.path += [BENCHMARKS, os.path.join(ROOT, "bindings", "python")]
os.environ.setdefault("LIBBACKPROP_LIBRARY", os.path.join(ROOT, "build", "libbackprop.so"))

from bench import install, machine, write_json  # noqa: E402

PARTS = os.path.join(ROOT, "build", "bench", "accuracy")
FIRST_GRID_SEED = 1000  # not among the seeds of the results


def measure(problem, split, loss):
    """A function of parameters: the training and the validation loss, and (held-out loss, held-out error)."""
    from network import Network
    network = Network(problem.sizes)

    def errors(parameters):
        train, valid = (network.loss(parameters, *rows, loss) for rows in (split.train, split.valid))
        held_out = network.loss(parameters, *split.test, loss)
        is_wrong = problem.kind == "classification"
        return train, valid, (held_out, network.wrong(parameters, *split.test, loss) if is_wrong else held_out)
    return errors


def run(method, problem, seed, setting):
    """The records of a run: see Clock."""
    from clock import Clock, TimeUp
    from methods import Job
    from problems import Split, initial_parameters
    split, start, loss = Split(problem, seed), initial_parameters(problem, seed), method.loss(problem)
    clock = Clock(problem.seconds, measure(problem, split, loss))
    clock.start(start)
    try:
        clock.finish(method.run(Job(problem, split, start, loss), clock, **setting))
    except TimeUp:
        pass
    return clock.records


def best_setting(method, problem):
    """By the median training error at the end of smooth problems, and validation error of the others."""
    which = 1 if problem.kind == "smooth" else 2
    seeds = 2 if problem.kind == "smooth" else 4  # a few dozen rows to validate by need more
    scores = [(statistics.median(run(method, problem, FIRST_GRID_SEED + k, setting)[-1][which] for k in range(seeds)), n)
              for n, setting in enumerate(method.grid(problem))]
    return method.grid(problem)[min(scores)[1]]


def run_problem(problem, methods, seeds, part, path):
    """Adds to a part the best setting of each method and its records by seed, and saves it after each seed. The methods take
    turns."""
    def missing(seed):
        return [method for method in methods if len(part.get(method.name, {"records": []})["records"]) <= seed]

    for method in missing(seeds - 1):
        run(method, problem, FIRST_GRID_SEED, method.grid(problem)[0])  # loads and compiles what it needs
        if method.name not in part:
            part[method.name] = dict(setting=best_setting(method, problem), records=[])
        print(f"{problem.name}, {method.label}: {part[method.name]['setting']}", flush=True)
    for seed in range(seeds):
        for method in missing(seed):
            part[method.name]["records"].append(run(method, problem, seed, part[method.name]["setting"]))
        with open(path, "w") as f:
            json.dump(part, f)
    for name, each in part.items():
        train, error = (statistics.median(records[-1][k] for records in each["records"]) for k in (1, 4))
        print(f"  {name:16} training loss {train:.2e}, held-out error {error:.2e}", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--quick", action="store_true", help="two problems and three seeds, with the peers of this Python")
    p.add_argument("--installed", action="store_true", help="install nothing: use this Python and what it has")
    p.add_argument("--problems", help="only these, comma-separated")
    p.add_argument("--methods", help="only these, comma-separated")
    p.add_argument("--seeds", type=int, help="the number of seeds (20)")
    p.add_argument("--fresh", action="store_true", help="run again what is complete")
    p.add_argument("--output", help="folder of the results (Benchmarks; for a part of the run, build/bench)")
    args = p.parse_args()
    if not (args.quick or args.installed):
        install()
    import libbackprop as bp
    import profiles
    from methods import available
    from problems import PROBLEMS

    methods, missing = available()
    for each in missing:
        print("going on without", each, flush=True)
    names = args.problems.split(",") if args.problems else ["sinc", "iris"] if args.quick else None
    problems = [problem for problem in PROBLEMS if names is None or problem.name in names]
    if args.methods:
        methods = [method for method in methods if method.name in args.methods.split(",")]
    seeds = args.seeds or (3 if args.quick else 20)
    os.makedirs(PARTS, exist_ok=True)
    parts = {}
    for problem in problems:
        path = os.path.join(PARTS, f"{problem.name}.json")
        parts[problem.name] = {}
        if os.path.exists(path):
            with open(path) as f:
                parts[problem.name] = json.load(f)
        for method in methods if args.fresh else ():
            parts[problem.name].pop(method.name, None)
        run_problem(problem, methods, seeds, parts[problem.name], path)
    whole = names is None and not args.methods and seeds >= 20
    output = os.path.join(args.output or (BENCHMARKS if whole else os.path.dirname(PARTS)), "accuracy")
    versions = {package: importlib.metadata.version(package) for package in ("numpy", "scikit-learn", "torch", "scipy")
                if not any(package in each for each in missing)}
    data = dict(date=datetime.date.today().isoformat(), library=f"{bp.library_version()} ({bp.instruction_set()})",
                machine=machine(), versions={"python": platform.python_version(), **versions}, left_out=missing,
                **profiles.summary(problems, methods, parts))
    write_json(output + ".json", data)
    profiles.write(output)


if __name__ == "__main__":
    main()
