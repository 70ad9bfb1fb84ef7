"""Writes optimizers.json: one small network under every optimizer that PyTorch and the library have, with its parameters after
each step. The library's tests compare with them.

    venv/bin/python make_optimizers.py

README.md describes the file. The bias before batch normalization has no effect, and its gradient consists of rounding errors,
of which an adaptive optimizer makes steps of full size. It is not compared. A draw becomes a case when single precision
gives the same numbers to TOLERANCE.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

SEED = 20250301
STEPS = 12
TOLERANCE = 2e-6
SIZES = [3, 5, 2]
ROWS = 6
RATES = [1.0, 0.5, 2.0, 1.0]  # times a case's learning rate, one after the other: schedules


def sgd(parameters, options):
    return torch.optim.SGD(parameters, lr=1)


def momentum(parameters, options):
    return torch.optim.SGD(parameters, lr=1, momentum=options.get("momentum", 0.9))


def nesterov(parameters, options):
    return torch.optim.SGD(parameters, lr=1, momentum=options.get("momentum", 0.9), nesterov=True)


def rmsprop(parameters, options):
    return torch.optim.RMSprop(parameters, lr=1, alpha=options.get("rmsprop_alpha", 0.99), eps=options.get("epsilon", 1e-8))


def betas(options):
    return options.get("beta1", 0.9), options.get("beta2", 0.999)


def adam(parameters, options):
    return torch.optim.Adam(parameters, lr=1, betas=betas(options), eps=options.get("epsilon", 1e-8))


def adamw(parameters, options):
    return torch.optim.AdamW(parameters, lr=1, betas=betas(options), eps=options.get("epsilon", 1e-8), weight_decay=0)


def irprop_minus(parameters, options):
    return torch.optim.Rprop(parameters, lr=options["first_step"], etas=(0.5, 1.2), step_sizes=(1e-6, 50))


# (optimizer, learning rate, options)
CASES = [
    (sgd, 0.1, {"weight_decay": 0.05}),
    (sgd, 0.1, {"l1": 0.02}),
    (sgd, 0.1, {"clip_norm": 0.25}),
    (sgd, 0.1, {"clip_value": 0.05}),
    (sgd, 0.1, {"clip_norm": 0.5, "clip_value": 0.1, "weight_decay": 0.1, "l1": 0.01, "decay_biases": 1}),
    (momentum, 0.05, {}),
    (momentum, 0.05, {"momentum": 0.5, "weight_decay": 0.05, "decay_biases": 1}),
    (nesterov, 0.05, {}),
    (nesterov, 0.05, {"momentum": 0.7, "weight_decay": 0.02, "clip_norm": 0.3}),
    (rmsprop, 0.01, {}),
    (rmsprop, 0.01, {"rmsprop_alpha": 0.9, "epsilon": 1e-3, "l1": 0.01}),
    (adam, 0.02, {}),
    (adam, 0.02, {"beta1": 0.8, "beta2": 0.95, "epsilon": 1e-4}),
    (adam, 0.02, {"weight_decay": 0.1}),
    (adamw, 0.02, {"weight_decay": 0.5}),
    (adamw, 0.02, {"weight_decay": 0.5, "decay_biases": 1, "clip_value": 0.05}),
    (irprop_minus, 0.05, {}),
    (irprop_minus, 0.01, {"weight_decay": 0.01}),
]


def network(dtype, batchnorm):
    layers = []
    for number, (inputs, outputs) in enumerate(zip(SIZES, SIZES[1:]), start=1):
        layers.append(nn.Linear(inputs, outputs, dtype=dtype))
        if number == 1 and batchnorm:
            layers.append(nn.BatchNorm1d(outputs, dtype=dtype))
        layers.append(nn.Tanh() if number == 1 else nn.Sigmoid())
    return nn.Sequential(*layers)


def flat(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


def set_flat(model, values):
    at = 0
    for p in model.parameters():
        p.data.copy_(torch.as_tensor(values[at:at + p.numel()]).reshape(p.shape))
        at += p.numel()


def train(dtype, make, rate, options, batchnorm, initial, x, y):
    """Parameters after each step."""
    model = network(dtype, batchnorm)
    set_flat(model, initial)
    x, y = torch.as_tensor(x, dtype=dtype), torch.as_tensor(y, dtype=dtype)
    weights = [p for p in model.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if p.dim() != 2]
    optimizer = make([{"params": weights}, {"params": others}], {**options, "first_step": rate})
    decayed = weights + others if options.get("decay_biases") else weights
    optimizer.param_groups[0]["weight_decay"] = options.get("weight_decay", 0.0)
    optimizer.param_groups[1]["weight_decay"] = options.get("weight_decay", 0.0) if options.get("decay_biases") else 0.0
    result = []
    for step in range(STEPS):
        rows = slice(step % 2 * ROWS, (step % 2 + 1) * ROWS)
        if make is irprop_minus:
            rows = slice(0, ROWS)
        optimizer.zero_grad()
        (0.5 * (model(x[rows]) - y[rows]) ** 2).sum().backward()
        if "clip_norm" in options:
            nn.utils.clip_grad_norm_(model.parameters(), options["clip_norm"])
        if "clip_value" in options:
            nn.utils.clip_grad_value_(model.parameters(), options["clip_value"])
        for p in decayed:
            p.grad += options.get("l1", 0.0) * p.detach().sign()
            if make is irprop_minus:  # PyTorch's has no weight decay
                p.grad += options.get("weight_decay", 0.0) * p.detach()
        for group in optimizer.param_groups:
            if make is not irprop_minus:
                group["lr"] = rate * RATES[step % len(RATES)]
        optimizer.step()
        result.append(flat(model).double().numpy().copy())
    return np.array(result)


def case(index, make, rate, options):
    batchnorm = index % 2
    bias = range(SIZES[0] * SIZES[1], (SIZES[0] + 1) * SIZES[1])
    for draw in range(1000):
        random = np.random.default_rng([SEED, index, draw])
        count = sum(p.numel() for p in network(torch.float32, batchnorm).parameters())
        initial = random.uniform(-1, 1, count).astype(np.float32)
        x = random.uniform(-1, 1, (2 * ROWS, SIZES[0])).astype(np.float32)
        y = random.uniform(0, 1, (2 * ROWS, SIZES[-1])).astype(np.float32)
        exact = train(torch.float64, make, rate, options, batchnorm, initial, x, y)
        rough = train(torch.float32, make, rate, options, batchnorm, initial, x, y)
        counts = [i for i in range(count) if not (batchnorm and bias.start <= i < bias.stop)]
        if np.abs(exact - rough)[:, counts].max() < TOLERANCE and np.abs(exact[-1] - initial)[counts].min() > 1e-4:
            break
    else:
        raise SystemExit(f"case {index}: no draw will do")
    return {
        "optimizer": make.__name__, "learning_rates": [rate * RATES[t % len(RATES)] for t in range(STEPS)],
        "options": options, "batchnorm": batchnorm, "alternates": int(make is not irprop_minus),
        "initial_parameters": numbers(initial, 9), "inputs": [numbers(row, 9) for row in x],
        "targets": [numbers(row, 9) for row in y], "parameters": [numbers(row, 10) for row in exact],
    }


def numbers(values, digits):
    return [float(f"{value:.{digits}g}") for value in values]


def main():
    torch.set_num_threads(1)
    cases = [case(index, *plan) for index, plan in enumerate(CASES)]
    text = ",\n".join(json.dumps(each, separators=(",", ":")) for each in cases)
    head = json.dumps({"torch": torch.__version__.split("+")[0], "sizes": SIZES, "rows": ROWS, "steps": STEPS})[:-1]
    path = Path(__file__).with_name("optimizers.json")
    path.write_text(f'{head}, "cases": [\n{text}\n]}}\n')


if __name__ == "__main__":
    main()
