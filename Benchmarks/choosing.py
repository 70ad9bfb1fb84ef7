"""Measures what docs/choosing.md advises: accuracies and numbers of epochs, no times.

    PYTHONPATH=bindings/python LIBBACKPROP_LIBRARY=build/libbackprop.so build/venv/bin/python Benchmarks/choosing.py docs/choosing.md

Needs NumPy. Each figure is a mean over seeds, and each seed draws weights and row orders. Replaces each table of the page, which follows
the line <!-- NAME: Benchmarks/choosing.py -->. With names as further arguments, only these tables.
"""
import re
import sys
from pathlib import Path

import numpy as np

import libbackprop as bp

ROOT = Path(__file__).resolve().parent.parent
SEEDS = range(10)


def digits():
    """1438 images to train with and 359 to test, as rows and digits. Every fifth image is held out."""
    table = np.loadtxt(ROOT / "Examples/data/digits.csv", delimiter=",", dtype=np.float32)
    x, y = table[:, :64], bp.one_hot(table[:, 64].astype(int), 10)
    held_out = np.arange(len(x)) % 5 == 4
    return (x[~held_out], y[~held_out]), (x[held_out], y[held_out])


def friedman(rows, seed, noise=1.0):
    """Friedman's first function (1991) of 5 of 10 inputs."""
    draw = np.random.default_rng(seed)
    x = draw.uniform(size=(rows, 10))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return x, (y + noise * draw.normal(size=rows))[:, None]


def fit(data, hidden, seed, scaled=True, batchnorm=False, rate=0.003, epochs=30, progress=None, trainer=None, **settings):
    """A network, trained on rows. Defaults are those that the page advises."""
    x, y = data
    is_classes = y.shape[1] > 1
    settings = {"activation": "tanh", "loss": "cross_entropy" if is_classes else "squared_error", "optimizer": "adam",
                "gradient_reduction": "mean", **settings}
    if not is_classes:
        settings.setdefault("output", "identity")
    if settings["optimizer"] in ("levenberg_marquardt", "lbfgs", "bayesian_regularization", "irprop_minus"):
        trainer = {"batch_size": 0, **(trainer or {})}
    network = bp.Network([x.shape[1], *hidden, y.shape[1]], seed=seed + 1, batchnorm=batchnorm, **settings)
    if scaled:
        network.fit_scaling(x, y)
    bp.Trainer(**{"epochs": epochs, "learning_rate": rate, "seed": seed, **(trainer or {})}).fit(network, x, y, progress=progress)
    return network


def epochs_until(reached, limit):
    """A progress function that stops a fit when reached(report) is true, and its list of the epoch."""
    found = []

    def progress(report):
        if not found and reached(report):
            found.append(report.epoch)
        return bool(found)

    return progress, lambda: found[0] if found else limit


def mean(values, digits):
    values = list(values)
    return f"{np.mean(values):.{digits}f} ± {np.std(values):.{digits}f}"


def percent(values):
    return mean((100 * value for value in values), 1)


TRAIN, TEST = digits()


def accuracy(**options):
    return [fit(TRAIN, options.get("hidden", [32]), seed, **{k: v for k, v in options.items() if k != "hidden"}).score(*TEST)
            for seed in SEEDS]


def r2(rows=500, hidden=(32,), data=friedman, **options):
    """Of 2000 rows without noise."""
    test = friedman(2000, 1000, noise=0)
    return [fit(data(rows, seed), hidden, seed, **{"epochs": 200, **options}).score(*test, "r2") for seed in SEEDS]


def activations():
    yield "| hidden activation | digits: accuracy, % | epochs until 95 % | Friedman 1: R² |"
    for name in ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "softsign", "logistic", "sine"):
        epochs = []
        for seed in SEEDS:
            network = bp.Network([64, 32, 10], activation=name, loss="cross_entropy", optimizer="adam", gradient_reduction="mean", seed=seed + 1)
            network.fit_scaling(TRAIN[0])
            progress, epoch = epochs_until(lambda report: network.score(*TEST) >= 0.95, 100)
            bp.Trainer(epochs=100, learning_rate=0.003, seed=seed).fit(network, *TRAIN, progress=progress)
            epochs.append(epoch())
        yield f"| `{name}` | {percent(accuracy(activation=name))} | {np.mean(epochs):.1f} | {mean(r2(activation=name), 3)} |"


def classes():
    yield "| last layer | loss | accuracy after 5 epochs, % | after 30 epochs, % |"
    for output, loss in (("softmax", "cross_entropy"), ("logistic", "binary_cross_entropy"), ("logistic", "squared_error"),
                         ("identity", "squared_error")):
        first, last = ([f"{percent(accuracy(output=output, loss=loss, epochs=epochs))}"] for epochs in (5, 30))
        yield f"| `{output}` | `{loss}` | {first[0]} | {last[0]} |"


def spoiled(rows, seed):
    """Every twentieth target is wrong by 100."""
    x, y = friedman(rows, seed)
    y[::20] += 100
    return x, y


def outliers():
    yield "| loss | R², all targets right | R², every twentieth wrong by 100 |"
    for loss in ("squared_error", "huber", "log_cosh", "absolute_error"):
        options = {"huber_delta": 0.3} if loss == "huber" else {}
        yield (f"| `{loss}` | {mean(r2(loss=loss, epochs=100, **options), 3)} | "
               f"{mean(r2(loss=loss, epochs=100, data=spoiled, **options), 3)} |")


def optimizers():
    yield "| optimizer | best rate | epochs until the loss is below 0.05 | accuracy then, % | rates with at most twice as many epochs |"
    rates = (3, 1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
    for name in ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "irprop_minus", "lbfgs"):
        best, epochs_of = None, {}
        for rate in rates if name != "lbfgs" else (1,):
            epochs, scores = [], []
            for seed in SEEDS:
                progress, epoch = epochs_until(lambda report: report.loss < 0.05, 200)
                try:
                    scores.append(fit(TRAIN, [32], seed, optimizer=name, rate=rate, epochs=200, progress=progress).score(*TEST))
                    epochs.append(epoch())
                except bp.NotFiniteError:
                    epochs.append(200)
            epochs_of[rate] = np.mean(epochs)
            if best is None or np.mean(epochs) < np.mean(best[1]):
                best = rate, epochs, scores
        good = [rate for rate in epochs_of if epochs_of[rate] <= 2 * np.mean(best[1])]
        words = ("none", "") if name == "lbfgs" else (f"{best[0]:g}", f"{min(good):g} … {max(good):g}")
        yield f"| `{name}` | {words[0]} | {np.mean(best[1]):.1f} | {percent(best[2])} | {words[1]} |"


def curve(x):
    return np.exp(x) * np.sin(4 * x)


def points(count, seed, noise):
    x = np.linspace(-1, 1, count)[:, None]
    return x, curve(x) + noise * np.random.default_rng(seed).normal(size=x.shape)


def error(network):
    """The root mean square of the differences from the function, at points between those of the training."""
    x = np.linspace(-1, 1, 1001)[:, None]
    return float(np.sqrt(np.mean((network.predict(x) - curve(x)) ** 2)))


def smooth():
    yield "| optimizer | epochs | error: median of 10 seeds |"
    for name, rate, epochs in (("sgd", 0.1, 2000), ("adam", 0.01, 2000), ("irprop_minus", 0.01, 2000), ("lbfgs", 1, 500),
                               ("levenberg_marquardt", 1, 100)):
        errors = [error(fit(points(100, seed, 0), [10], seed, optimizer=name, rate=rate, epochs=epochs)) for seed in SEEDS]
        yield f"| `{name}` | {epochs} | {np.median(errors):.1e} |"


def noisy():
    yield "| training | error | effective parameters |"
    cases = (
        ("`adam`, 2000 epochs", {"rate": 0.01, "epochs": 2000}),
        ("`adam`, a quarter held out, patience 100", {
            "rate": 0.01, "epochs": 2000, "trainer": {"validation_fraction": 0.25, "patience": 100}}),
        ("`adamw`, weight decay 0.1", {"optimizer": "adamw", "weight_decay": 0.1, "rate": 0.01, "epochs": 2000}),
        ("`levenberg_marquardt`, 100 epochs", {"optimizer": "levenberg_marquardt", "epochs": 100}),
        ("`bayesian_regularization`, 100 epochs", {"optimizer": "bayesian_regularization", "epochs": 100}),
    )
    for title, options in cases:
        networks = [fit(points(40, seed, 0.3), [20], seed, **options) for seed in SEEDS]
        effective = [network.effective_parameters for network in networks] if "bayesian" in title else []
        yield f"| {title} | {mean(map(error, networks), 3)} | {f'{np.mean(effective):.1f} of 61' if effective else ''} |"


def sizes():
    yield "| hidden layers | parameters | digits: accuracy, % | parameters | Friedman 1: R² |"
    stop = {"validation_fraction": 0.2, "patience": 20}
    for hidden in ([2], [4], [8], [16], [32], [64], [128], [256], [32, 32], [32, 32, 32]):
        counts = [sum((a + 1) * b for a, b in zip([inputs, *hidden], [*hidden, outputs])) for inputs, outputs in ((64, 10), (10, 1))]
        yield (f"| {', '.join(map(str, hidden))} | {counts[0]:,} | {percent(accuracy(hidden=hidden, epochs=200, trainer=stop))} | "
               f"{counts[1]:,} | {mean(r2(hidden=hidden, epochs=500, trainer=stop), 3)} |")


def normalization():
    yield "| hidden layers of 32 | `logistic` | with batch normalization | `tanh` | with batch normalization |"
    for depth in (1, 2, 4, 8):
        cells = [percent(accuracy(hidden=[32] * depth, activation=name, batchnorm=on, epochs=20))
                 for name in ("logistic", "tanh") for on in (False, True)]
        yield f"| {depth} | {' | '.join(cells)} |"


def restarts():
    yield "| starts | XOR, 2-2-1 | XOR, 2-3-1 | parity of three bits, 3-3-1 |"
    for starts in (1, 2, 5, 10, 20):
        cells = []
        for bits, hidden in ((2, 2), (2, 3), (3, 3)):
            x = np.array([[row >> bit & 1 for bit in range(bits)] for row in range(2 ** bits)], np.float32)
            y = x.sum(axis=1, keepdims=True) % 2
            solved = 0
            for seed in range(100):
                network = bp.Network([bits, hidden, 1], seed=seed)
                bp.Trainer(epochs=2000, batch_size=0, learning_rate=2, restarts=starts, seed=seed).fit(network, x, y)
                solved += bool((np.abs(network.predict(x) - y) < 0.5).all())
            cells.append(f"{solved} %")
        yield f"| {starts} | {' | '.join(cells)} |"


def scaling():
    yield "| scaling | R² |"

    def stretched(rows, seed, noise=1.0):
        x, y = friedman(rows, seed, noise)
        return x * np.logspace(-2, 2, 10), y

    test = stretched(2000, 1000, 0)
    for title, inputs, targets in (("none", "none", "none"), ("inputs", "standard", "none"), ("inputs and targets", "standard", "standard")):
        scores = []
        for seed in SEEDS:
            x, y = stretched(500, seed)
            network = bp.Network([10, 32, 1], activation="tanh", output="identity", optimizer="adam", gradient_reduction="mean", seed=seed + 1)
            network.fit_scaling(x, y, input_scaling=inputs, target_scaling=targets)
            bp.Trainer(epochs=200, learning_rate=0.003, seed=seed).fit(network, x, y)
            scores.append(network.score(*test, "r2"))
        yield f"| {title} | {mean(scores, 3)} |"


def regularization():
    yield "| against overfitting | R² |"
    cases = (
        ("nothing", {}),
        ("a fifth held out, patience 50", {"trainer": {"validation_fraction": 0.2, "patience": 50}}),
        ("`adamw`, weight decay 0.1", {"optimizer": "adamw", "weight_decay": 0.1}),
        ("`adamw`, weight decay 1", {"optimizer": "adamw", "weight_decay": 1}),
        ("dropout 0.1", {"dropout": 0.1}),
        ("dropout 0.3", {"dropout": 0.3}),
        ("batch normalization", {"batchnorm": True}),
        ("`bayesian_regularization`, 100 epochs", {"optimizer": "bayesian_regularization", "epochs": 100}),
    )
    for title, options in cases:
        yield f"| {title} | {mean(r2(rows=100, **{'epochs': 1000, **options}), 3)} |"


TABLES = {each.__name__: each for each in (activations, classes, outliers, optimizers, smooth, noisy, sizes, normalization, restarts, scaling,
                                           regularization)}


def main(path, *names):
    page = Path(path)
    for name in names or TABLES:
        rows = list(TABLES[name]())
        rows.insert(1, "|" + "---|" * (rows[0].count("|") - 1))
        print("\n".join(rows), flush=True)
        text, count = re.subn(rf"(<!-- {name}: Benchmarks/choosing.py -->\n\n).*?(?=\n\n|\Z)", lambda match: match[1] + "\n".join(rows),
                              page.read_text(), flags=re.S)
        assert count == 1, name
        page.write_text(text)


main(*sys.argv[1:])
