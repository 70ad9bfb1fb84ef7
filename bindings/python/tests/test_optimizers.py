"""Optimizers, step by step, against results of PyTorch (Tests/Fixtures/README.md)."""
import json
from pathlib import Path

import numpy as np
import pytest

import libbackprop as bp

FIXTURES = json.loads((Path(__file__).parents[3] / "Tests" / "Fixtures" / "optimizers.json").read_text())
NAMES = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "irprop_minus")


def prepared(case):
    network = bp.Network(FIXTURES["sizes"])
    network.set_activation(1, "tanh")
    network.set_batchnorm(1, case["batchnorm"])
    network.set_optimizer(case["optimizer"])
    for name, value in case["options"].items():
        network.set_option(name, value)
    network.parameters = case["initial_parameters"]
    return network


def minibatch(case, step):
    start = step % 2 * FIXTURES["rows"] if case["alternates"] else 0
    rows = slice(start, start + FIXTURES["rows"])
    return np.float32(case["inputs"][rows]), np.float32(case["targets"][rows])


def compared(case):
    """The indices of all parameters except biases before batch normalization, which have no effect."""
    inputs, units = FIXTURES["sizes"][:2]
    without = range(inputs * units, (inputs + 1) * units) if case["batchnorm"] else ()
    return [index for index in range(len(case["initial_parameters"])) if index not in without]


def title(case):
    options = ",".join(f"{name}={value}" for name, value in case["options"].items())
    return f"{case['optimizer']}{'+norm' * case['batchnorm']}({options})"


@pytest.mark.parametrize("case", FIXTURES["cases"], ids=title)
@pytest.mark.parametrize("way", ["train_minibatch", "apply_gradient"])
def test_every_step_equals_the_step_of_pytorch(case, way):
    network = prepared(case)
    for step, expected in enumerate(case["parameters"]):
        x, y = minibatch(case, step)
        if way == "train_minibatch":
            network.train_minibatch(x, y, case["learning_rates"][step])
        else:
            network.apply_gradient(network.gradient(x, y)[0], case["learning_rates"][step])
        difference = np.abs(network.parameters - expected)[compared(case)].max()
        assert difference < 5e-6, f"step {step}"


def test_every_optimizer_has_a_fixture():
    assert {case["optimizer"] for case in FIXTURES["cases"]} == set(NAMES)
