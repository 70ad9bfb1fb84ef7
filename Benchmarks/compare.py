"""Compares the library of this tree with that of another revision: our rows only, in turns. See README.md.

    python3 Benchmarks/compare.py REVISION [--workloads a,b] [--threads 1,2] [--rounds 9] [--seconds 0.3]

Both are driven by the present worker program, so that only the library differs. A row that needs a function which the older
library does not have is named and left out.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile

from workers import BUILD, Worker, commands, measured
from workloads import ROOT, WORKLOADS, prep, write_data

LOWER = 0.98  # a row is lower if its median ratio, and three quarters of its ratios, are below this


def tree_of(revision):
    """A folder with the revision, built."""
    name = subprocess.run(["git", "-C", ROOT, "rev-parse", "--verify", revision + "^{commit}"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()
    folder = os.path.join(ROOT, "build", "compare", name)
    if not os.path.exists(os.path.join(folder, "build", "libbackprop.so")):
        print("building", name, flush=True)
        os.makedirs(folder, exist_ok=True)
        archive = subprocess.Popen(["git", "-C", ROOT, "archive", name], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", folder], stdin=archive.stdout, check=True)
        subprocess.run(["make", "-C", folder, "lib", "VENV=" + os.path.join(ROOT, "build", "venv")], check=True,
                       stdout=subprocess.DEVNULL)
    return folder


def ratios_of(worker, w, threads, line, base, args):
    """The rates of the older library and the ratios of this one to it, round by round; or why there are none."""
    pair = [Worker(worker, args.commands[worker], threads, root) for root in (base, ROOT)]
    try:
        for side, which in zip(pair, ("the older library", "this library")):
            answer = side.ask(line)
            if not answer.startswith("ok"):
                return f"{which}: {answer}", None
        rates = []
        for i in range(args.rounds):
            two = {}
            for k in (0, 1) if i % 2 == 0 else (1, 0):  # either is the first in turn
                two[k] = measured(pair[k], threads, args)
            if None in two.values():
                return "died", None
            rates.append((two[0]["rate"], two[1]["rate"]))
        return [a for a, _ in rates], [b / a for a, b in rates]
    finally:
        for side in pair:
            side.close()


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("revision")
    p.add_argument("--workloads", help="only these, comma-separated")
    p.add_argument("--threads", default="1,2")
    p.add_argument("--rounds", type=int, default=9)
    p.add_argument("--seconds", type=float, default=0.3)
    p.add_argument("--noise", type=float, default=0.06)
    p.add_argument("--retries", type=int, default=1)
    args = p.parse_args()
    base = tree_of(args.revision)
    os.makedirs(BUILD, exist_ok=True)
    args.commands = commands(["backprop", "backprop_fit", "backprop_python"])
    chosen = [w for w in WORKLOADS if not args.workloads or w["name"] in args.workloads.split(",")]
    lower = []
    print("| row | threads | older, samples/s | ratio | quartiles | all |\n| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        rows = write_data(folder, quick=False)
        for w in chosen:
            for worker in [w["ours"], "backprop_fit"] if w["optimizer"] == "adam" else [w["ours"]]:
                for threads in map(int, args.threads.split(",")):
                    name = w["name"] + (" fit" if worker == "backprop_fit" else "")
                    if worker not in args.commands:
                        print(f"| {name} | {threads} | left out: no {worker} | | | |")
                        continue
                    rates, ratios = ratios_of(worker, w, threads, prep(w, threads, rows[w["name"]], folder), base, args)
                    if ratios is None:
                        print(f"| {name} | {threads} | left out: {rates} | | | |", flush=True)
                        continue
                    middle = statistics.median(ratios)
                    low, _, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else [middle] * 3
                    fell = middle < LOWER and high < LOWER
                    lower += [f"{name}, {threads} threads"] * fell
                    print(f"| {name} | {threads} | {statistics.median(rates):.4g} | **{middle:.3f}**{' lower' * fell} "
                          f"| {low:.3f} – {high:.3f} | {min(ratios):.3f} – {max(ratios):.3f} |", flush=True)
    print("lower: " + "; ".join(lower) if lower else "no row is lower")
    sys.exit(1 if lower else 0)


if __name__ == "__main__":
    main()
