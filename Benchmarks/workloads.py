"""The workloads of bench.py, and their data. README.md describes them."""
import os

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Sizes of the networks of each data set.
DATA_SIZES = {
    "xor": (2, 4, 1),
    "digits": (64, 32, 10),
    "mnist": (784, 256, 128, 10),
    "wide": (1024, 2048, 2048, 1024, 16),
    "digits_adam": (64, 64, 10),
    "mnist_adam": (784, 128, 10),
    "mnist_deep": (784, 512, 512, 10),
    "higgs": (28, 300, 300, 300, 300, 300, 1),
    "rl": (4, 64, 64, 2),
    "simplechains": (4, 32, 16, 4),
    "online_adam": (16, 32, 32, 4),
}
RANDOM_ROWS = {"mnist_adam": 8192, "mnist_deep": 8192, "higgs": 8000, "rl": 6400, "simplechains": 10000, "online_adam": 2000}


def workload(name, data, batch, eta, aims, hidden="tanh", output="logistic", bn=0, kind="train", loss="squared",
             optimizer="sgd", dropout=0.0):
    """aims: our rate over that of the best peer, with one thread and with two."""
    sizes = DATA_SIZES[data]
    weights = [i * o for i, o in zip(sizes, sizes[1:])]
    # 6 FLOP a weight for the three matrix products, less the first layer's input gradient.
    flops = 2 * sum(weights) if kind == "infer" else 6 * sum(weights) - 2 * weights[0]
    return dict(name=name, data=data, sizes=sizes, batch=batch, eta=eta, hidden=hidden, output=output, bn=bn, kind=kind,
                loss=loss, optimizer=optimizer, dropout=dropout, flops_per_sample=flops, aims=aims,
                ours="backprop_python" if hidden == "softsign_numpy" else "backprop")


def adam(name, batch, aims, data=None, classes=False, **how):
    hidden, output, loss = ("relu", "softmax", "cross_entropy") if classes else ("tanh", "linear", "squared")
    return workload(name, data or name, batch, 0.001, aims, hidden, output, loss=loss, optimizer="adam", **how)


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
    adam("digits_adam", 32, (1.5, 1.5), classes=True),
    adam("mnist_adam", 64, (1.5, 1.5), classes=True),
    adam("mnist_deep", 128, (1.1, 1.1), classes=True),
    adam("bn_dropout", 128, (1.1, 1.1), data="mnist_deep", classes=True, bn=1, dropout=0.2),
    adam("higgs", 100, (1.1, 1.1)),
    adam("rl", 64, (1.5, 1.5)),
    adam("simplechains", 10000, (1.1, 1.1)),
    adam("online_adam", 1, (1.5, 1.5)),
]


def tolerance(w, worker):
    """How far a loss may be from ours, as a part of it; None if the work is known to be different."""
    if w["optimizer"] == "sgd" and worker in ("sklearn", "opencv"):
        return None
    # Units that are dropped at random, and rows that are shuffled, are others in each library.
    shuffled = worker == "backprop_fit" or worker == "backprop_python" and w["optimizer"] == "adam"
    return 0.05 if w["dropout"] or shuffled else 1e-3


def prep(w, threads, rows, folder):
    """The line of the protocol that prepares a worker: see worker.h."""
    return " ".join(str(v) for v in (
        "prep", w["name"], w["kind"], w["batch"], threads, w["eta"], w["hidden"], w["output"], w["bn"], w["loss"],
        w["optimizer"], w["dropout"], rows, os.path.join(folder, w["data"]), *w["sizes"]))


def write_data(folder, quick):
    """Inputs, targets and initial weights of each data set as raw float32; the number of rows of each."""
    import numpy as np
    rng = np.random.default_rng(1)
    large, small = (2048, 512) if quick else (8192, 1024)
    digits = np.loadtxt(os.path.join(ROOT, "Examples", "data", "digits.csv"), delimiter=",")
    x, wide = rng.random((large, 784)), rng.standard_normal((small, 1024))
    mixed = np.random.default_rng(3).permutation(len(digits))
    sets = {
        "xor": (np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0], [1], [1], [0]])),
        "digits": (digits[:, :64] / 16, np.eye(10)[digits[:, 64].astype(int)]),
        "mnist": (x, np.eye(10)[(x[:, :10] + 0.1 * rng.random((large, 10))).argmax(1)]),
        "wide": (wide, np.tanh(wide[:, :16])),
        "digits_adam": (digits[mixed, :64] / 16, np.eye(10)[digits[mixed, 64].astype(int)]),
    }
    for name, count in RANDOM_ROWS.items():
        inputs, outputs = DATA_SIZES[name][0], DATA_SIZES[name][-1]
        x = rng.standard_normal((count, inputs))
        sets[name] = (x, np.eye(10)[x[:, :10].argmax(1)] if outputs == 10 else np.tanh(x[:, :1]).repeat(outputs, 1))
    for name, (x, y) in sets.items():
        rng, sizes, w = np.random.default_rng(2), DATA_SIZES[name], []
        for i, o in zip(sizes, sizes[1:]):  # xor: wide enough a start to leave the plateau
            w += ([rng.uniform(-1, 1, (o, i)), rng.uniform(-1, 1, o)] if name == "xor"
                  else [rng.uniform(-1, 1, (o, i)) * (3 / i) ** 0.5, np.zeros(o)])
        for key, a in (("x", x), ("y", y), ("w", np.concatenate([a.ravel() for a in w]))):
            np.ascontiguousarray(a, np.float32).tofile(os.path.join(folder, f"{name}_{key}.f32"))
    # Whole minibatches: a worker may count on them.
    return {w["name"]: len(sets[w["data"]][0]) // w["batch"] * w["batch"] if w["optimizer"] == "adam"
            else len(sets[w["data"]][0]) for w in WORKLOADS}
