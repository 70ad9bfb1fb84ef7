"""What tests of trainings by several processes share: a network and its rows, a distance of networks, and faults."""
import os
import signal
import threading
from pathlib import Path

import numpy as np

import libbackprop as bp

OPTIMIZERS = {"sgd": 0.05, "momentum": 0.02, "adam": 0.002, "lbfgs": 1}  # with learning rates
ROWS = 60
numbers = np.random.default_rng(1)
x = numbers.normal(size=(ROWS, 6)).astype(np.float32)
y = np.tanh(x @ numbers.normal(size=(6, 2))).astype(np.float32)


def network(optimizer="momentum", **settings):
    return bp.Network([6, 12, 2], optimizer=optimizer, gradient_reduction="mean",
                      **{"activation": "tanh", "output": "identity", "batchnorm": True, "seed": 1, **settings})


def problem(optimizer):
    """A network and targets of x for 200 steps. Rounding errors grow along the path of lbfgs until it reaches a minimum, which it
    does here in some tens of steps. Lengths of weights below batch normalization keep the errors: it begins near the minimum."""
    if optimizer != "lbfgs":
        return network(optimizer), y
    features = np.tanh(x @ [[1, 0], [2, 0], [-1, 0], [0, 2], [0, -1], [0, -1]])
    targets = features @ [[1, 1], [1, -1]] + 0.1 * np.random.default_rng(2).normal(size=(ROWS, 2))
    trained = bp.Network([6, 2, 2], activation="tanh", output="identity", batchnorm=True, optimizer="adam",
                         gradient_reduction="mean", seed=1)
    for _ in range(1000):
        trained.train_minibatch(x, targets, 0.01)
    trained.set_optimizer("lbfgs")
    return trained, targets.astype(np.float32)


def distance(one, other):
    """The largest difference of two networks' parameters, relative to the largest parameter. Without the biases below batch
    normalization: they have no effect, and their gradient is a rounding error, along which some optimizers make whole steps."""
    a, b = one.parameters.astype(float), other.parameters.astype(float)
    counted, at = np.ones(len(a), bool), 0
    for inputs, outputs, normalized in zip(one.layers, one.layers[1:], one.batchnorm):
        at += inputs * outputs
        counted[at:at + outputs] = not normalized
        at += outputs * (3 if normalized else 1)
    return np.abs(a - b)[counted].max() / np.abs(a)[counted].max()


def register_faulty(rank, fault, folder):
    """Registers the activation "faulty", which fails once, on rank 1."""
    calls, once = [], Path(folder) / "failed"

    @bp.activation.vector(name="faulty", replace=True, backward=lambda z, a, da: da)
    def identity(z):
        calls.append(z)
        if rank != 1 or len(calls) < 10 or once.exists():
            return z
        once.touch()
        if fault == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if fault == "stalled":
            threading.Event().wait()
        if fault == "raises":
            raise KeyError("on rank 1")
        return z * np.nan
