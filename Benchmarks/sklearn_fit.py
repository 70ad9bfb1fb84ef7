"""The time of a fit of BackpropClassifier, of scikit-learn's MLPClassifier, and of a loop in PyTorch, at equal work and to equal
accuracy.

    python Benchmarks/sklearn_fit.py [REPEATS]        needs libbackprop and scikit-learn; PyTorch takes part if installed

Equal work: all make the same number of epochs with the same minibatches; with solver "lbfgs", of iterations. Equal accuracy: the
time until the accuracy on held-out digits is 0.97, with the solver's best of a few learning rates; MLPClassifier with solver
"lbfgs" takes part. All fits run in turns; times are medians of REPEATS fits (5 if omitted). All may use all processors.
"""
import statistics
import sys
import time
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import libbackprop as bp
from libbackprop.sklearn import BackpropClassifier

try:
    import torch
except ImportError:
    torch = None

REPEATS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
warnings.simplefilter("ignore", ConvergenceWarning)


class TorchLoop:
    """The loop of PyTorch's tutorials, with a fused optimizer and the rows in one tensor."""

    def __init__(self, hidden, solver, epochs):
        self.hidden, self.solver, self.epochs = hidden, solver, epochs

    def fit(self, x, y):
        x, y = torch.from_numpy(x), torch.from_numpy(y)
        network = torch.nn.Sequential(torch.nn.Linear(x.shape[1], self.hidden), torch.nn.ReLU(), torch.nn.Linear(self.hidden, 10))
        kind, settings = (torch.optim.Adam, {}) if self.solver == "adam" else (
            torch.optim.SGD, {"momentum": 0.9, "nesterov": True})
        optimizer, loss = kind(network.parameters(), lr=0.001, fused=True, **settings), torch.nn.CrossEntropyLoss()
        for _ in range(self.epochs):
            for rows in torch.randperm(len(x)).split(200):
                optimizer.zero_grad()
                loss(network(x[rows]), y[rows]).backward()
                optimizer.step()


def seconds(make, x, y):
    estimator = make()
    start = time.perf_counter()
    estimator.fit(x, y)
    return time.perf_counter() - start, estimator


def compare(title, makers, x, y):
    """The median times of fits that run in turns, and the ratio to the first."""
    times = {name: [] for name in makers}
    for _ in range(REPEATS):
        for name, make in makers.items():
            times[name].append(seconds(make, x, y)[0])
    medians = {name: statistics.median(each) for name, each in times.items()}
    first = next(iter(medians.values()))
    print(title)
    for name, median in medians.items():
        print(f"  {name:40} {median * 1e3:10.1f} ms   {median / first:6.2f} times the first")


def epochs_to(accuracy, kind, solver, data):
    """The learning rate and the epochs after which a solver first has an accuracy on held-out rows; None for never."""
    x, x_test, y, y_test = data
    found = None
    for rate in RATES:
        estimator = kind((100,), solver=solver, learning_rate_init=rate, random_state=0, batch_size=50)
        for epoch in range(1, 61):
            estimator.partial_fit(x, y, classes=np.arange(10))
            if estimator.score(x_test, y_test) >= accuracy:
                if found is None or epoch < found[1]:
                    found = rate, epoch
                break
    return found


digits = load_digits(return_X_y=True)
digits = (digits[0] / 16).astype(np.float32), digits[1]
random = np.random.default_rng(0)
large = random.random((60_000, 784), np.float32), random.integers(0, 10, 60_000)
print(f"{bp.thread_count()} threads, {bp.instruction_set()}, {REPEATS} fits each")
for data_name, (x, y), sizes, epochs in (("digits 1797 x 64", digits, (100,), 20), ("random 60,000 x 784", large, (100,), 2)):
    for solver in ("adam", "sgd", "lbfgs"):
        settings = {"hidden_layer_sizes": sizes, "solver": solver, "max_iter": epochs, "tol": 0, "n_iter_no_change": epochs,
                    "random_state": 0}
        makers = {"BackpropClassifier": lambda settings=settings: BackpropClassifier(**settings),
                  "MLPClassifier, float32": lambda settings=settings: MLPClassifier(**settings)}
        if torch and solver != "lbfgs":
            makers["PyTorch"] = lambda solver=solver, epochs=epochs: TorchLoop(*sizes, solver, epochs)
        work = "iterations" if solver == "lbfgs" else "epochs of minibatches of 200"
        compare(f"{data_name}, {sizes}, {solver}, {epochs} {work}", makers, x, y)

split = train_test_split(*digits, random_state=0)
makers = {}
for kind in (BackpropClassifier, MLPClassifier):
    for solver in ("adam", "sgd"):
        found = epochs_to(0.97, kind, solver, split)
        if found is not None:
            makers[f"{kind.__name__}, {solver}, rate {found[0]}, {found[1]} epochs"] = (
                lambda kind=kind, solver=solver, found=found: kind((100,), solver=solver, learning_rate_init=found[0], batch_size=50,
                                                                   random_state=0, max_iter=found[1], tol=0))
for steps in range(5, 200, 5):
    _, estimator = seconds(lambda steps=steps: MLPClassifier((100,), solver="lbfgs", max_iter=steps, random_state=0),
                           split[0], split[2])
    if estimator.score(split[1], split[3]) >= 0.97:
        makers[f"MLPClassifier, lbfgs, {steps} iterations"] = (
            lambda steps=steps: MLPClassifier((100,), solver="lbfgs", max_iter=steps, random_state=0))
        break
compare("digits, to an accuracy of 0.97 on held-out rows", makers, split[0], split[2])
