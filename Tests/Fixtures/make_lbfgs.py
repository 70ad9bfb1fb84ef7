"""Writes lbfgs.json: small networks under torch.optim.LBFGS, with their parameters after each step. The library's tests compare
with them.

    venv/bin/python make_lbfgs.py

README.md describes the file. PyTorch and the library choose the same lengths of steps where the first length, or the minimum of
a cubic through two points, satisfies the strong Wolfe conditions. A draw becomes a case when all steps are such, some need the
cubic, and runs in single precision, from parameters that differ in the last digit, give the same numbers to TOLERANCE.
"""

import json
from pathlib import Path

import numpy as np
import torch
from make_optimizers import SIZES, flat, network, numbers, set_flat

SEED = 20261127
STEPS = 12
TOLERANCE = 2e-6
ROWS = 24

CASES = [
    {},
    {"lbfgs_history": 2},
    {"weight_decay": 0.05},
    {"lbfgs_history": 3, "weight_decay": 0.02, "decay_biases": 1},
]


def train(dtype, options, initial, x, y):
    """Parameters after each step, and the number of steps that needed the cubic; None if a length is of another kind."""
    model = network(dtype, batchnorm=0)
    set_flat(model, initial)
    x, y = torch.as_tensor(x, dtype=dtype), torch.as_tensor(y, dtype=dtype)
    decayed = [p for p in model.parameters() if p.dim() == 2 or options.get("decay_biases")]
    optimizer = torch.optim.LBFGS(
        model.parameters(), max_iter=1, max_eval=30, history_size=options.get("lbfgs_history", 10), tolerance_grad=0,
        tolerance_change=0, line_search_fn="strong_wolfe")
    state = optimizer.state[next(model.parameters())]

    def closure():
        optimizer.zero_grad()
        loss = 0.5 * ((model(x) - y) ** 2).sum()
        loss = loss + 0.5 * options.get("weight_decay", 0.0) * sum((p ** 2).sum() for p in decayed)
        loss.backward()
        return loss

    result, cubics = [], 0
    for step in range(STEPS):
        first = 1.0
        if step == 0:
            closure()
            gradient = torch.cat([p.grad.reshape(-1) for p in model.parameters()])
            first = min(1.0, 1 / gradient.norm().item())
            # PyTorch multiplies the rate of the first step by this.
            optimizer.param_groups[0]["lr"] = first / min(1.0, 1 / gradient.abs().sum().item())
        before = state.get("func_evals", 0)
        optimizer.step(closure)
        optimizer.param_groups[0]["lr"] = 1.0
        evaluations = state["func_evals"] - before - 1  # the first is at the start
        if evaluations > 2 or evaluations == 2 and not 0.15 * first < state["t"] < 0.85 * first:
            return None, 0
        cubics += evaluations == 2
        result.append(flat(model).double().numpy().copy())
    return np.array(result), cubics


def case(index, options):
    for draw in range(5000):
        random = np.random.default_rng([SEED, index, draw])
        count = sum(p.numel() for p in network(torch.float32, 0).parameters())
        initial = random.uniform(-1, 1, count).astype(np.float32)
        x = random.uniform(-1, 1, (ROWS, SIZES[0])).astype(np.float32)
        y = random.uniform(0, 1, (ROWS, SIZES[-1])).astype(np.float32)
        exact, cubics = train(torch.float64, options, initial, x, y)
        if not cubics:
            continue
        starts = [np.nextafter(initial, random.choice([-2, 2], count).astype(np.float32)) for _ in range(5)]
        rough = [train(torch.float32, options, start, x, y)[0] for start in starts]
        if all(each is not None and np.abs(exact - each).max() < TOLERANCE for each in rough):
            break
    else:
        raise SystemExit(f"case {index}: no draw will do")
    return {
        "options": options, "initial_parameters": numbers(initial, 9), "inputs": [numbers(row, 9) for row in x],
        "targets": [numbers(row, 9) for row in y], "parameters": [numbers(row, 10) for row in exact],
    }


def main():
    torch.set_num_threads(1)
    cases = [case(index, options) for index, options in enumerate(CASES)]
    text = ",\n".join(json.dumps(each, separators=(",", ":")) for each in cases)
    head = json.dumps({"torch": torch.__version__.split("+")[0], "sizes": SIZES, "steps": STEPS})[:-1]
    Path(__file__).with_name("lbfgs.json").write_text(f'{head}, "cases": [\n{text}\n]}}\n')


if __name__ == "__main__":
    main()
