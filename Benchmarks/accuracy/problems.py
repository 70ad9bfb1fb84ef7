"""The problems: data of training, validation and held-out rows, and a network for each."""
import dataclasses
from typing import Callable

import numpy as np


@dataclasses.dataclass(frozen=True)
class Problem:
    name: str
    kind: str  # "smooth": noise-free regression; "regression"; "classification"
    draw: Callable  # rows(random): inputs [rows × inputs] and targets [rows × outputs]
    sizes: tuple  # layers, inputs first; hidden layers have tanh
    seconds: float  # processor time of a run
    rows: tuple = ()  # of training, validation and held-out rows; empty for 60, 20 and 20 %

    @property
    def loss(self):
        if self.kind != "classification":
            return "squared"
        return "logistic" if self.sizes[-1] == 1 else "softmax"


class Split:
    """The rows of a seed. Inputs and targets of regressions are standardized by the training rows, and rounded to float32."""

    def __init__(self, problem, seed):
        random = np.random.default_rng((1, seed))
        x, y = problem.draw(random, sum(problem.rows))
        order, count = random.permutation(len(x)), len(x)
        first, second = (problem.rows[0], sum(problem.rows[:2])) if problem.rows else (count * 6 // 10, count * 8 // 10)
        train, valid, test = np.split(order, [first, second])

        def standardized(values):
            values = (values - values[train].mean(0)) / values[train].std(0)
            return np.float64(np.float32(values))
        x = standardized(x)
        y = np.float64(y) if problem.kind == "classification" else standardized(y)
        self.train, self.valid, self.test = ((x[part], y[part]) for part in (train, valid, test))


def initial_parameters(problem, seed):
    """scikit-learn's rule: uniform in ±√(6 / (inputs + outputs)) for weights and biases. Layer by layer, weights [outputs ×
    inputs] first."""
    draw = np.random.default_rng((2, seed)).uniform
    ranges = [((i + 1) * o, (6 / (i + o)) ** 0.5) for i, o in zip(problem.sizes, problem.sizes[1:])]
    return np.concatenate([np.float32(draw(-bound, bound, count)) for count, bound in ranges])


# ---- Smooth functions ----

def column(values):
    return np.asarray(values, float)[:, None]


def sinc(random, rows):
    x = random.uniform(-10, 10, rows)
    return column(x), column(np.sinc(x / np.pi))


def chirp(random, rows):
    x = random.uniform(0, 1, rows)
    return column(x), column(np.cos(2 * np.pi * (x + 2 * x**2)))  # three periods


def friedman(number):
    def draw(random, rows):
        from sklearn import datasets
        make = getattr(datasets, f"make_friedman{number}")
        x, y = make(rows, noise=0, random_state=int(random.integers(2**31)))
        return x, column(y)
    return draw


def piston(random, rows):
    """The cycle time of a piston (Kenett and Zacks 1998)."""
    low = np.array([30, 0.005, 0.002, 1000, 90000, 290, 340])
    high = np.array([60, 0.020, 0.010, 5000, 110000, 296, 360])
    x = random.uniform(low, high, (rows, 7))
    mass, surface, volume, spring, pressure, ambient, filling = x.T
    force = pressure * surface + 19.62 * mass - spring * volume / surface
    gas = pressure * volume / filling * ambient
    position = surface / (2 * spring) * (np.sqrt(force**2 + 4 * spring * gas) - force)
    return x, column(2 * np.pi * np.sqrt(mass / (spring + surface**2 * gas / position**2)))


# ---- Noisy regressions and classifications ----

def body_fat(random, rows):
    """Like the body-fat data: the percentage by Siri's equation from a density that depends on thirteen correlated measures."""
    size, fat = random.standard_normal((2, rows, 1))
    shares = np.linspace(0.9, 0.2, 13)
    x = shares * size + shares[::-1] * fat + 0.4 * random.standard_normal((rows, 13))
    density = 1.056 - 0.014 * fat[:, 0] + 0.003 * size[:, 0] * fat[:, 0] + 0.005 * random.standard_normal(rows)
    return x, column(495 / density - 450)


def spirals(random, rows):
    angle, label = 3 * np.pi * np.sqrt(random.uniform(0.03, 1, rows)), random.integers(2, size=rows)
    x = np.column_stack([np.cos(angle), np.sin(angle)]) * (angle * (2 * label - 1))[:, None]
    return x + 0.2 * random.standard_normal(x.shape), column(label)


def bundled(name, classes=0):
    """A data set of scikit-learn."""
    def draw(random, rows):
        from sklearn import datasets
        x, y = getattr(datasets, "load_" + name)(return_X_y=True)
        return x, np.eye(classes)[y] if classes > 2 else column(y)
    return draw


SMOOTH, NOISY = 1.0, 0.3  # seconds
PROBLEMS = [
    Problem("sinc", "smooth", sinc, (1, 15, 1), SMOOTH, (300, 100, 1000)),
    Problem("chirp", "smooth", chirp, (1, 25, 1), SMOOTH, (300, 100, 1000)),
    Problem("friedman1", "smooth", friedman(1), (10, 20, 1), SMOOTH, (600, 200, 1000)),
    Problem("friedman2", "smooth", friedman(2), (4, 40, 1), SMOOTH, (600, 200, 1000)),
    Problem("friedman3", "smooth", friedman(3), (4, 40, 1), SMOOTH, (600, 200, 1000)),
    Problem("piston", "smooth", piston, (7, 40, 1), SMOOTH, (600, 200, 1000)),
    Problem("body_fat", "regression", body_fat, (13, 8, 1), NOISY, (150, 50, 1000)),
    Problem("diabetes", "regression", bundled("diabetes"), (10, 8, 1), NOISY),
    Problem("spirals", "classification", spirals, (2, 12, 12, 1), NOISY, (400, 150, 1000)),
    Problem("iris", "classification", bundled("iris", 3), (4, 8, 3), NOISY),
    Problem("breast_cancer", "classification", bundled("breast_cancer", 2), (30, 8, 1), NOISY),
    Problem("wine", "classification", bundled("wine", 3), (13, 8, 3), NOISY),
]
