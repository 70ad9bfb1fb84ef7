"""Writes losses.json: losses of rows, and their gradients, computed by PyTorch in float64.

    python3 -m venv venv && venv/bin/pip install torch numpy
    venv/bin/python make_losses.py

README.md describes the file. PyTorch has no function for log_cosh and quantile: they are written from their definitions, and
autograd differentiates them.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

SEED, ROWS, COLUMNS = 7, 16, 3


def quantile(q):
    return lambda a, y: torch.where(y > a, q * (y - a), (1 - q) * (a - y)).sum()


def log_cosh(a, y):
    """log cosh e = |e| + log(1 + exp(-2 |e|)) - log 2, which does not overflow."""
    e = (a - y).abs()
    return (e + torch.log1p(torch.exp(-2 * e)) - math.log(2)).sum()


def huber(delta):
    return lambda a, y: functional.huber_loss(a, y, reduction="sum", delta=delta)


CASES = [  # loss, options, activation of the outputs, function
    ("absolute_error", {}, "identity", lambda a, y: functional.l1_loss(a, y, reduction="sum")),
    ("huber", {}, "identity", huber(1)),
    ("huber", {"huber_delta": 0.25}, "tanh", huber(0.25)),
    ("log_cosh", {}, "identity", log_cosh),
    ("quantile", {}, "identity", quantile(0.5)),
    ("quantile", {"quantile": 0.875}, "identity", quantile(0.875)),
    ("poisson", {}, "softplus", lambda a, y: functional.poisson_nll_loss(a, y, log_input=False, eps=0, reduction="sum")),
]
ACTIVATIONS = {"identity": lambda z: z, "tanh": torch.tanh, "softplus": functional.softplus}


def main():
    torch.set_num_threads(1)
    row_of = lambda a, digits: "[" + ",".join(f"{v:.{digits}g}" for v in a) + "]"
    listed = lambda a, digits: "[" + ",".join(row_of(row, digits) for row in a) + "]"
    lines = []
    for number, (loss, options, activation, function) in enumerate(CASES):
        random = np.random.default_rng([SEED, number])
        inputs = (3 * random.standard_normal((ROWS, COLUMNS))).astype(np.float32)
        targets = random.standard_normal((ROWS, COLUMNS)).astype(np.float32)
        if activation == "tanh":
            targets = np.tanh(targets)
        if loss == "poisson":
            targets = random.poisson(2, (ROWS, COLUMNS)).astype(np.float32)
        losses, gradients = [], []
        for x, y in zip(inputs, targets):
            z = torch.tensor(x.astype(np.float64), requires_grad=True)
            value = function(ACTIVATIONS[activation](z), torch.tensor(y.astype(np.float64)))
            value.backward()
            losses.append(value.item())
            gradients.append(z.grad.numpy())
        lines.append(f'{{"loss":{json.dumps(loss)},"options":{json.dumps(options)},"activation":{json.dumps(activation)},'
                     f'"inputs":{listed(inputs, 9)},"targets":{listed(targets, 9)},"losses":{row_of(losses, 15)},'
                     f'"gradients":{listed(gradients, 15)}}}')
    text = f'{{"torch":"{torch.__version__.split("+")[0]}","cases":[\n' + ",\n".join(lines) + "\n]}\n"
    json.loads(text)
    path = Path(__file__).with_name("losses.json")
    path.write_text(text)
    print(f"{len(lines)} losses of {ROWS} rows, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
