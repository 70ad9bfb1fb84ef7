"""Makes results.md and results.png from a results.json of bench.py, in the same folder.

    python3 Benchmarks/report.py Benchmarks/results.json
"""
import json
import os
import sys

NAMES = {"backprop": "libbackprop", "backprop_fit": "libbackprop, fit", "backprop_swift": "libbackprop, Swift package",
         "backprop_python": "libbackprop, Python", "torch": "PyTorch", "jax": "JAX", "sklearn": "scikit-learn",
         "numpy": "NumPy", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "onednn": "oneDNN", "rltools": "RLtools",
         "rltools_blas": "RLtools, OpenBLAS", "mlx": "MLX", "tinygrad": "tinygrad", "numba": "Numba", "opencv": "OpenCV",
         "fann": "FANN"}
COLORS = {"torch": "#c8795c", "jax": "#8c7bb5", "sklearn": "#d9ab57", "numpy": "#7e9ab8", "onnxruntime": "#7fae8d",
          "openvino": "#5f9e9a", "onednn": "#6d8f4e", "rltools": "#b5838d", "rltools_blas": "#9a6570", "mlx": "#8d99ae",
          "tinygrad": "#c9ada7", "numba": "#90a4ae", "opencv": "#b0a17c", "fann": "#a8a29a"}
OURS, EDGE, INK, FAINT = "#0b5cad", 3.2, "#222222", "#777777"  # EDGE: where long bars are cut


class Results:
    def __init__(self, path):
        with open(path) as f:
            self.data = json.load(f)
        self.threads = sorted({r["threads"] for r in self.data["results"]})
        self.workloads = self.data["workloads"]

    def of(self, w, threads):
        """The results of a workload by peer; the fastest first."""
        return {r["peer"]: r for r in self.data["results"] if r["workload"] == w["name"] and r["threads"] == threads}

    def ours_and_best(self, w, threads):
        found = self.of(w, threads)
        return found.get(w["ours"]), next((r for p, r in found.items() if not p.startswith("backprop")), None)

    def probes(self, test):
        return [e for e in self.data["probes"] if e["test"] == test]

    def limit(self, **want):
        """The best round of the limits that match."""
        return max((e["max"] for e in self.data["limits"] if all(e.get(k) == v for k, v in want.items())), default=None)

    def machine_limit(self, w, threads):
        """The machine's limit in samples/s: by its FMA peak; for one row of inference, by reading the weights once (from
        L3, or split over the L2 of two cores). For the tiny networks: the rate of code written for their size."""
        if w["batch"] == 1 and w["kind"] == "train":
            return self.limit(test="hand", net=w["name"])
        if w["batch"] == 1:
            rate = self.limit(test="mem", kernel="read", level="L3 (1 MB)" if threads == 1 else "L2", threads=threads)
            return rate and 1e9 * rate / (2 * w["flops_per_sample"])  # 2 FLOP and 4 bytes a weight
        rate = self.limit(test="fma", threads=threads)
        return rate and 1e9 * rate / w["flops_per_sample"]

    def products_limit(self, w, threads):
        """Samples/s if a step were its matrix products alone, each by OpenBLAS in its fastest layout."""
        net = "mnist128" if w["name"].startswith(("mnist128", "softsign")) else w["name"]
        of_net = [e for e in self.data["limits"] if e["test"] == "gemm" and e["net"] == net and e["threads"] == threads]
        seconds = {}
        for e in of_net:
            key, took = (e["op"], e["m"], e["n"], e["k"]), 2e-9 * e["m"] * e["n"] * e["k"] / e["max"]
            seconds[key] = min(took, seconds.get(key, took))
        return w["batch"] / sum(seconds.values()) if seconds else None


def number(v):
    if v is None:
        return "-"
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if v >= size:
            return f"{v / size:.3g}{unit}"
    return f"{v:.3g}"


def table(head, rows):
    return "\n".join("| " + " | ".join(str(c) for c in row) + " |" for row in [head, ["---"] * len(head), *rows]) + "\n"


def shape(w):
    return ("-".join(str(s) for s in w["sizes"]) + f", batch {w['batch']}" + ", batch norm" * w["bn"]
            + ", dropout" * (w["dropout"] > 0) + ", Adam" * (w["optimizer"] == "adam"))


# ---- Markdown ----

def against_peers(r):
    rows = []
    for w in r.workloads:
        for t in r.threads:
            ours, best = r.ours_and_best(w, t)
            if not ours:
                continue
            aim = w["aims"][min(t, 2) - 1]
            ratio = ours["samples_per_s"] / best["samples_per_s"] if best else None
            machine, products = r.machine_limit(w, t), r.products_limit(w, t)
            share = lambda bound: f"{100 * ours['samples_per_s'] / bound:.0f} %" if bound else "-"
            rows.append([
                w["name"], t, number(ours["samples_per_s"]), f"{number(ours['min'])} – {number(ours['max'])}",
                f"{NAMES[best['peer']]} {number(best['samples_per_s'])}" if best else "-",
                f"**{ratio:.2f}**" if best else "-", aim, "-" if not best else "yes" if ratio >= aim else "no",
                share(machine), share(products)])
    return table(["workload", "threads", "libbackprop, samples/s", "spread", "best peer", "ratio", "aim", "reached",
                  "of the machine's limit", "of OpenBLAS's products alone"], rows)


def all_rates(r, threads):
    peers = [p for p in NAMES if any(p in r.of(w, threads) for w in r.workloads)]
    rows = []
    for w in r.workloads:
        found = r.of(w, threads)
        rows.append([w["name"]] + [
            "" if p not in found else
            f"{number(found[p]['samples_per_s'])} ±{50 * (found[p]['max'] - found[p]['min']) / found[p]['samples_per_s']:.0f} %"
            + ("" if found[p]["equal"] else " †") for p in peers])
    return table(["samples/s", *(NAMES[p] for p in peers)], rows)


def startup(r):
    results = list(dict.fromkeys(e["result"] for e in r.data["startup"]))
    found = {(e["peer"], e["variant"], e["result"]): e for e in r.data["startup"]}
    ways = dict.fromkeys((peer, variant) for peer, variant, _ in found)

    def cell(e):
        return "" if e is None else f"{e['seconds']:.3g}" + (f" ({e['epochs']} epochs)" if e["accuracy"] else "")
    rows = [[NAMES[p] + ("" if v == "-" else f", {v}"), *(cell(found.get((p, v, x))) for x in results)] for p, v in ways]
    return table(["", *results], rows)


def swift_build(r):
    rows = []
    for w in r.workloads:
        cells = []
        for t in r.threads:
            found = r.of(w, t)
            if "backprop" in found and "backprop_swift" in found:
                cells.append(f"{found['backprop_swift']['samples_per_s'] / found['backprop']['samples_per_s']:.2f}")
        if cells:
            rows.append([w["name"], *cells, *["-"] * (len(r.threads) - len(cells))])
    return rows and table(["Swift package / shared library", *(f"{t} threads" if t > 1 else "1 thread" for t in r.threads)], rows)


def sweep(r, kind, threads):
    rate = {(e["rows"], e["width"]): e["gflop_per_s"] for e in r.probes("sweep")
            if e["kind"] == kind and e["threads"] == threads}
    if not rate:
        return ""
    rows, widths = (sorted({key[i] for key in rate}) for i in (0, 1))
    # A cliff: much slower than a shape that is smaller in rows and width.
    relative = {(h, v): rate[h, v] / max(rate[a, b] for a in rows for b in widths if a <= h and b <= v) for h, v in rate}
    worst = min(relative, key=relative.get)
    cell = lambda key: f"**{rate[key]:.3g}**" if relative[key] < 0.8 else f"{rate[key]:.3g}"
    text = table([f"{kind}, {threads} thread{'s' * (threads > 1)}", *(f"width {v}" for v in widths)],
                 [[f"{h} rows" if h > 1 else "1 row", *(cell((h, v)) for v in widths)] for h in rows])
    if threads > 1:
        one = {(e["rows"], e["width"]): e["gflop_per_s"] for e in r.probes("sweep") if e["kind"] == kind and e["threads"] == 1}
        slow = min(one, key=lambda key: rate[key] / one[key], default=None)
        text += f"\nAgainst one thread, at the worst {rate[slow] / one[slow]:.2f} at {slow[0]} × {slow[1]}.\n" if slow else ""
    return text + f"\nThe deepest step down from a smaller shape: to {relative[worst]:.2f}, at {worst[0]} × {worst[1]}.\n"


def limits(r):
    rows = []

    def row(name, unit, **want):
        found = [r.limit(threads=t, **want) for t in r.threads]
        if any(found):
            rows.append([name, *("-" if v is None else f"{number(v)} {unit}" for v in found)])
    row("clock (chain of adds)", "GHz", test="clock")
    row("FMA in registers, AVX2", "GFLOP/s", test="fma")
    for level in ("L1", "L2", "L3 (1 MB)", "L3 (8 MB)", "DRAM"):
        for kernel in ("triad", "read"):
            row(f"{kernel}, {level} a thread", "GB/s", test="mem", kernel=kernel, level=level)
    for net, sizes in (("xor", "2-4-1"), ("digits", "64-32-10")):
        row(f"online SGD written out for {sizes}", "steps/s", test="hand", net=net)
    products = sorted({(e["net"], e["op"], e["m"], e["n"], e["k"]) for e in r.data["limits"] if e["test"] == "gemm"})
    for net, op, m, n, k in products:
        row(f"OpenBLAS, {net}, {op}, {m}×{n}×{k}", "GFLOP/s", test="gemm", net=net, op=op, m=m, n=n, k=k)
    return table(["limit", *(f"{t} threads" if t > 1 else "1 thread" for t in r.threads)], rows)


def markdown(r):
    d = r.data
    yield (f"# Benchmark\n\nlibbackprop {d['library']['version']} ({d['library']['instruction_set']}), {d['date']}. "
           f"{d['machine']['cpu']}, {d['machine']['processors']} processors, {d['machine']['system']} {d['machine']['arch']}"
           + "".join(f", {k} {v}" for k, v in d["machine"]["caches"].items()) + ". "
           + f"Medians of {d['rounds']} rounds of {d['seconds']} s, in turns. "
           + ("A quick run: less data, without the big peers. " if d["quick"] else "")
           + "What is measured and how: README.md.\n\n" + ", ".join(f"{k} {v}" for k, v in d["versions"].items()) + ".\n"
           + "".join(f"\nLeft out: {reason}.\n" for reason in d["left_out"]))
    yield "![results](results.png)\n"
    yield "## Against the best peer\n\n" + against_peers(r)
    for t in r.threads:
        yield f"## All rates, {t} thread{'s' * (t > 1)}\n\n" + all_rates(r, t)
    yield "† not the same loss after one epoch, so not the same work. scikit-learn's output layer is always linear.\n"
    if d["startup"]:
        yield ("## From the start of a process to a result\n\nSeconds, with import and compilation; no compiled code is kept "
               "from an earlier process. A first step is one minibatch.\n\n" + startup(r))
    swift = swift_build(r)
    if swift:
        yield "## The ordinary Swift build\n\nThe aim is 0.9 or more.\n\n" + swift
    steps = {e["network"]: e["per_step"] for e in r.probes("instructions")}
    if steps:
        sizes = {"xor": "2-4-1", "digits": "64-32-10"}
        yield "## Instructions of a training step on one row\n\n" + table(
            ["network", "instructions"], [[sizes[n], f"{v:.0f}"] for n, v in steps.items()])
    yield "## Memory of a network\n\nBytes that malloc has given out.\n\n" + table(
        ["network", "parameters", "created", "trained on 1 row", "trained on a minibatch", "of rows"],
        [[e["network"]] + [f"{e[k]:,}" for k in ("parameter_bytes", "created", "trained_1_row", "trained_rows", "rows")]
         for e in r.probes("memory")])
    for e in r.probes("load"):
        yield (f"## Loading\n\n`dlopen` and the first call take {e['median_us']:.0f} µs ({e['min']:.0f} – {e['max']:.0f}); "
               f"the library has {e['library_bytes'] / 1024:.0f} KiB.\n")
    yield ("## Odd sizes\n\nGFLOP/s of networks of two layers of equal width. Bold: less than 0.8 of what a shape no larger "
           "reaches.\n\n" + "\n".join(sweep(r, kind, t) for kind in ("train", "predict") for t in r.threads))
    yield "## The machine\n\n" + limits(r)


# ---- Picture ----

def picture(r, path):
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch
    from matplotlib.lines import Line2D

    peers = [p for p in COLORS if any(x["peer"] == p for x in r.data["results"])]
    y, places = 0.0, []  # (workload, its bars from the top, y of the first)
    for w in r.workloads:
        bars = [p for p in [w["ours"], *peers] if any(p in r.of(w, t) for t in r.threads)]
        places.append((w, bars, y))
        y += len(bars) + 1.1
    plt.rcParams.update({"font.family": "DejaVu Sans", "font.size": 9, "text.color": INK})
    fig, axes = plt.subplots(1, len(r.threads), sharey=True, squeeze=False,
                             figsize=(2.2 + 5.6 * len(r.threads), 1.7 + 0.175 * y), layout="constrained")
    for axis, t in zip(axes[0], r.threads):
        for w, bars, top in places:
            found, (ours, best) = r.of(w, t), r.ours_and_best(w, t)
            unit = (best or ours or {}).get("samples_per_s")
            aim = w["aims"][min(t, 2) - 1] if best else 0
            for i, peer in enumerate(bars):
                if peer not in found:
                    continue
                rate, own = found[peer]["samples_per_s"], peer == w["ours"]
                length = min(rate / unit, EDGE)
                axis.barh(top + i, length, height=0.84, color=OURS if own else COLORS[peer], zorder=2)
                text = f"{number(rate)}/s" if own else f"{NAMES[peer]}   {number(rate)}/s"
                text = f"{rate / unit:.2f}×   " * (own and best is not None) + text
                inside = length > (0.66 if own else 0.6)
                place = 0.03 if inside else 0.07 + aim if own and length < aim < length + 0.65 else length + 0.03
                axis.text(place, top + i, text, va="center_baseline", fontsize=8 if own else 7, zorder=4,
                          weight="bold" if own else "normal", color="white" if own and inside else OURS if own else INK)
                if length == EDGE:
                    axis.text(EDGE - 0.02, top + i, "▸", va="center_baseline", ha="right", color="white", zorder=4)
            bound = unit and r.machine_limit(w, t)
            if bound and bound / unit <= EDGE:
                axis.plot([bound / unit] * 2, [top - 0.5, top + len(bars) - 0.5], color=INK, lw=1.6, zorder=3,
                          solid_capstyle="butt")
            elif bound:
                axis.text(EDGE, top - 0.62, f"limit {bound / unit:.1f}× ▸", ha="right", va="bottom", fontsize=7, color=INK)
            if best:
                axis.plot(aim, top, marker="D", ms=4, mfc="white", mec=OURS, mew=1.2, zorder=5)
        axis.axvline(1, color=FAINT, lw=0.8, ls=(0, (4, 3)), zorder=1)
        axis.set(xlim=(0, EDGE), ylim=(y - 0.6, -1.3), xticks=[0, 1, 2, 3], xticklabels=["0", "best peer", "2×", "3×"])
        axis.set_title(f"{t} thread{'s' * (t > 1)}", fontsize=11, weight="bold", loc="left")
        axis.tick_params(length=0, labelsize=8, labelcolor=FAINT)
        for side in ("top", "right", "bottom"):
            axis.spines[side].set_visible(False)
        axis.spines["left"].set_color("#bbbbbb")
    axes[0][0].set_yticks([top + (len(bars) - 1) / 2 for _, bars, top in places],
                          [f"{w['name']}\n{shape(w)}" for w, _, _ in places], color=INK)
    handles = [Patch(color=OURS, label="libbackprop"),
               Line2D([], [], color=INK, lw=1.6, label="machine limit"),
               Line2D([], [], color="none", marker="D", ms=4, mfc="white", mec=OURS, mew=1.2, label="aim")]
    fig.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False, fontsize=8.5,
               handlelength=1.2, columnspacing=1.4, title="Samples per second, relative to the best peer (longer is faster)",
               title_fontsize=12)
    fig.savefig(path, dpi=130, facecolor="white")


def main():
    r, folder = Results(sys.argv[1]), os.path.dirname(os.path.abspath(sys.argv[1]))
    with open(os.path.join(folder, "results.md"), "w") as f:
        f.write("\n".join(markdown(r)))
    picture(r, os.path.join(folder, "results.png"))


if __name__ == "__main__":
    main()
