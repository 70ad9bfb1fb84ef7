"""Makes accuracy.md and accuracy.png from accuracy.json, in the same folder.

    python3 Benchmarks/accuracy/profiles.py Benchmarks/accuracy.json
"""
import json
import os
import sys

import numpy as np

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from report import INK, FAINT, table  # noqa: E402

COLORS = {"backprop_lm": "#0b5cad", "backprop_br": "#12a1c0", "backprop_lbfgs": "#5b6fd6", "backprop_adam": "#8fb3dd",
          "sklearn_adam": "#d9ab57", "sklearn_lbfgs": "#b8741a", "torch_adam": "#e39a7c", "torch_lbfgs": "#b04a2a",
          "scipy_lm": "#4f8f5a"}
START, POINTS = 3e-4, 24  # of a profile: seconds
AIM = 100


# ---- Summary ----

def at(records, times):
    """[times × (training loss, held-out loss, held-out error)]: of the latest record at each time."""
    latest = np.searchsorted([record[0] for record in records], times, side="right") - 1
    return np.array([[records[i][1], records[i][3], records[i][4]] for i in latest])


def summary(problems, methods, parts):
    """The results of each seed at the end, and quartiles over the seeds at some times."""
    results, profiles, described = [], [], []
    for problem in problems:
        times = np.geomspace(START, problem.seconds, POINTS)
        seeds = min(len(parts[problem.name][method.name]["records"]) for method in methods)
        described.append(dict(name=problem.name, kind=problem.kind, sizes=problem.sizes, seeds=seeds, seconds=problem.seconds,
                              times=list(times)))
        for method in methods:
            part = parts[problem.name][method.name]
            values = np.array([at(records, times) for records in part["records"][:seeds]])
            end = values[:, -1].T
            results.append(dict(problem=problem.name, method=method.name, setting=part["setting"],
                                **{name: list(each) for name, each in zip(("train", "loss", "error"), end)}))
            quartiles = np.quantile(values, (0.25, 0.5, 0.75), axis=0, method="nearest")
            profiles.append(dict(problem=problem.name, method=method.name, train=quartiles[..., 0].tolist(),
                                 error=quartiles[..., 2].tolist()))
    named = [dict(name=m.name, label=m.label, order=m.order, least_squares=m.least_squares) for m in methods]
    return dict(problems=described, methods=named, results=results, profiles=profiles)


class Results:
    def __init__(self, data):
        self.data, self.methods = data, {m["name"]: m for m in data["methods"]}
        self.ours = [m for m in self.methods if m.startswith("backprop")]
        self.peers = [m for m in self.methods if m not in self.ours]
        self.found = {(r["problem"], r["method"]): r for r in data["results"]}
        self.profiles = {(r["problem"], r["method"]): r for r in data["profiles"]}

    def of(self, *kinds):
        return [p for p in self.data["problems"] if p["kind"] in kinds]

    def median(self, problem, method, what):
        return float(np.median(self.found[problem["name"], method][what]))

    def best(self, problem, methods, what):
        """(its median, name) of the method with the lowest median."""
        return min((self.median(problem, m, what), m) for m in methods)

    def seconds_to(self, problem, method, error):
        """Until the median training error is not above `error`; None for never."""
        median = self.profiles[problem["name"], method]["train"][1]
        return next((t for t, value in zip(problem["times"], median) if value <= error), None)


# ---- Markdown ----

def label(r, method):
    return r.methods[method]["label"].replace("libbackprop ", "")


def small(value):
    return f"{value:.1e}"


def smooth_aim(r):
    first = [m for m in r.peers if r.methods[m]["order"] == 1]
    second = [m for m in r.ours if r.methods[m]["order"] == 2]
    rows = []
    for p in r.of("smooth") if first and second else ():
        limit, peer = r.best(p, first, "train")
        shares = {m: np.mean(np.array(r.found[p["name"], m]["train"]) <= limit / AIM) for m in second}
        took = {m: r.seconds_to(p, m, limit) for m in second}
        fastest = min((t for t in took.values() if t is not None), default=None)
        rows.append([p["name"], f"{small(limit)} {label(r, peer)}", *(f"{100 * shares[m]:.0f} %" for m in second),
                     "yes" if max(shares.values()) >= 0.95 else "no", f"{p['seconds'] / fastest:.0f} ×" if fastest else "-"])
    return table(["", "best first-order peer", *(label(r, m) for m in second), "95 % reached", "sooner"], rows)


def medians(r, kinds, what, methods):
    rows = []
    for p in r.of(*kinds):
        best = r.best(p, methods, what)[0]
        cells = [r.median(p, m, what) for m in methods]
        show = (lambda v: f"{100 * v:.1f} %") if p["kind"] == "classification" and what == "error" else (
            lambda v: f"{v:.3f}") if p["kind"] != "smooth" else small
        rows.append([p["name"], *(f"**{show(v)}**" if v == best else show(v) for v in cells)])
    return table(["", *(label(r, m) if m in r.peers else "our " + label(r, m) for m in methods)], rows)


def noisy_aim(r):
    rows = []
    for p in r.of("regression", "classification") if r.ours and r.peers else ():
        ours, our_name = r.best(p, r.ours, "error")
        best, peer = r.best(p, r.peers, "error")
        difference = np.subtract(*(r.found[p["name"], m]["error"] for m in (our_name, peer)))
        error = difference.std(ddof=1) / len(difference) ** 0.5 if len(difference) > 1 else 0
        show = (lambda v: f"{100 * v:.1f} %") if p["kind"] == "classification" else lambda v: f"{v:.3f}"
        rows.append([p["name"], f"{show(ours)} {label(r, our_name)}", f"{show(best)} {label(r, peer)}",
                     "yes" if ours <= best else "no", f"{show(difference.mean())} ± {show(2 * error)}"])
    return table(["", "our lowest median", "the peers' lowest median", "not worse", "mean difference ± 2 standard errors"], rows)


def settings(r):
    def words(setting):
        return ", ".join(f"{k} {v}" for k, v in setting.items()) or "-"
    return table(["", *(m["label"] for m in r.data["methods"])],
                 [[p["name"], *(words(r.found[p["name"], m]["setting"]) for m in r.methods)] for p in r.data["problems"]])


def seeds(r):
    most = max(p["seeds"] for p in r.data["problems"])
    fewer = [f"{p['name']} {p['seeds']}" for p in r.data["problems"] if p["seeds"] < most]
    return f"{most} seeds" + (f" ({', '.join(fewer)})" if fewer else "")


def markdown(r):
    d = r.data
    yield (f"# Errors against time\n\nlibbackprop {d['library']}, {d['date']}. {d['machine']['cpu']}, one thread, "
           f"{d['machine']['system']} {d['machine']['arch']}. {seeds(r)}. What is measured and how: README.md.\n\n"
           + ", ".join(f"{k} {v}" for k, v in d["versions"].items()) + ".\n"
           + "".join(f"\nLeft out: {each}.\n" for each in d["left_out"]))
    yield "![errors against time](accuracy.png)\n"
    if r.of("smooth"):
        seconds = r.of("smooth")[0]["seconds"]
        yield (f"## Smooth regressions\n\nErrors are mean squared errors, as parts of the targets' variance, after {seconds} s. "
               "First column: the lowest median training error of the first-order peers. Next: the part of our starts whose error is "
               f"{AIM} times lower. `sooner`: how many times sooner the fastest of our second-order optimizers has that median "
               "error of the peer.\n\n" + smooth_aim(r))
        yield "Median training error:\n\n" + medians(r, ["smooth"], "train", r.methods)
        yield "Median held-out error:\n\n" + medians(r, ["smooth"], "error", r.methods)
    if r.of("regression", "classification"):
        yield ("## Noisy regressions and classifications\n\nHeld-out errors: the mean squared error as a part of the variance, and "
               "the part of wrong classes.\n\n" + noisy_aim(r))
        yield "Median held-out error:\n\n" + medians(r, ["regression", "classification"], "error", r.methods)
    logistic = [m for m in r.methods if not r.methods[m]["least_squares"]]
    if r.of("classification") and logistic:
        yield "Median held-out cross-entropy:\n\n" + medians(r, ["classification"], "loss", logistic)
    yield "## Settings\n\n" + settings(r)


# ---- Picture ----

def panel(axis, r, problem, what):
    from matplotlib.ticker import NullFormatter
    for method in sorted(r.methods, key=lambda m: m in r.ours):
        profile = r.profiles[problem["name"], method][what]
        low, middle, high = (np.array(each, float) for each in profile)
        own, first = method in r.ours, r.methods[method]["order"] == 1
        axis.plot(problem["times"], middle, color=COLORS[method], lw=2.0 if own else 1.3, ls=(0, (4, 2)) if first else "-")
        if own and not first:
            axis.fill_between(problem["times"], low, high, color=COLORS[method], alpha=0.12, lw=0)
    axis.set_xscale("log")
    if what == "train" or problem["kind"] == "smooth":
        axis.set_yscale("log")
        low = min(min(r.profiles[problem["name"], m][what][1]) for m in r.methods)
        axis.set_ylim(max(low / 3, 1e-14 if problem["kind"] == "smooth" else 1e-6))
    else:
        ends = [r.profiles[problem["name"], m]["error"][1][-1] for m in r.methods]
        starts = [r.profiles[problem["name"], m]["error"][1][0] for m in r.methods]
        axis.set_ylim(0, min(2.5 * max(ends) + 0.02, max(starts)))
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.set_xlim(problem["times"][0], problem["times"][-1])
    axis.tick_params(labelsize=6.5, labelcolor=FAINT, length=2, color=FAINT)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def picture(r, path):
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    rows = [(kinds, what) for kinds in (("smooth",), ("regression", "classification")) if r.of(*kinds) for what in ("train", "error")]
    columns = max(len(r.of(*kinds)) for kinds, _ in rows)
    plt.rcParams.update({"font.family": "DejaVu Sans", "font.size": 8, "text.color": INK, "axes.edgecolor": "#bbbbbb"})
    fig, axes = plt.subplots(len(rows), columns, squeeze=False, figsize=(0.6 + 2.3 * columns, 1.1 + 2 * len(rows)), layout="constrained")
    for line, (kinds, what) in zip(axes, rows):
        problems = r.of(*kinds)
        for axis, problem in zip(line, problems):
            panel(axis, r, problem, what)
            sizes = "-".join(str(s) for s in problem["sizes"])
            axis.set_title(f"{problem['name']}  {sizes}" if what == "train" else "", fontsize=8.5, loc="left")
        for axis in line[len(problems):]:
            axis.set_visible(False)
        line[0].set_ylabel("training error" if what == "train" else "held-out error", color=INK)
    for axis in axes[-1]:
        axis.set_xlabel("seconds of processor time", fontsize=7, color=FAINT)
    handles = [Line2D([], [], color=COLORS[m], lw=2.0 if m in r.ours else 1.3, ls=(0, (4, 2)) if each["order"] == 1 else "-",
                      label=each["label"]) for m, each in r.methods.items()]
    fig.legend(handles=handles, loc="outside upper center", ncols=5, frameon=False, fontsize=8,
               title="Median error of the seeds against time (bands: our quartiles; dashed: first-order)", title_fontsize=11)
    fig.savefig(path, dpi=95, facecolor="white")


def write(base):
    """From base.json."""
    with open(base + ".json") as f:
        r = Results(json.load(f))
    with open(base + ".md", "w") as f:
        f.write("\n".join(markdown(r)))
    picture(r, base + ".png")


if __name__ == "__main__":
    write(sys.argv[1].removesuffix(".json"))
