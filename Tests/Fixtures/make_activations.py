"""Writes activations.json: values and derivatives of the built-in activations, computed by PyTorch in float64.

    python3 -m venv venv && venv/bin/pip install torch numpy
    venv/bin/python make_activations.py

PyTorch's derivatives lose digits where they are computed as 1 - a for a near 1: logistic and tanh for large z. So does the
value of gelu for large -z. The derivatives of hardsigmoid and hardswish contain 1/6 in single precision. There the same
function is written so that PyTorch computes it accurately. `check` compares every number with 40-digit arithmetic (mpmath,
which PyTorch installs).
"""

import json
import math
from pathlib import Path

import mpmath
import numpy as np
import torch
from torch.nn import functional
from mpmath import mpf

ACCURACY = 1e-12  # relative
SMALLEST = 1e-300  # smaller numbers may be 0

MAGNITUDES = [1e-30, 1e-8, 1e-6, 1e-4, 1e-3, 0.01, 0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9,
              10, 12.5, 15, 17.5, 20, 25, 30]


def differentiated(function):
    """z -> (function(z), its derivative by autograd)."""
    def both(z):
        z = z.clone().requires_grad_()
        a = function(z)
        a.sum().backward()
        return a.detach(), z.grad
    return both


def differentiated_left(function, even_derivative_of):
    """Like the function above. The derivative is even, and computed at -|z| from `even_derivative_of`."""
    def both(z):
        return function(z), differentiated(even_derivative_of)(-z.abs())[1]
    return both


def differentiated_at_kinks(function, kinks):
    """The same, the derivative at a kink being the one from the left, which PyTorch does not always give."""
    def both(z):
        left = z.clone()
        for kink in kinks:
            left[z == kink] = kink - 1e-13
        return function(z), differentiated(function)(left)[1]
    return both


ACTIVATIONS = {
    "identity": differentiated(lambda z: z * 1),
    "logistic": differentiated_left(torch.sigmoid, torch.sigmoid),
    "tanh": differentiated_left(torch.tanh, lambda z: 2 * torch.sigmoid(2 * z)),
    "relu": differentiated(functional.relu),
    "leaky_relu": differentiated(lambda z: functional.leaky_relu(z, 0.01)),
    "elu": differentiated(functional.elu),
    "softplus": differentiated(lambda z: functional.softplus(z, threshold=50)),
    "softsign": differentiated(functional.softsign),
    "silu": differentiated(functional.silu),
    "gelu": differentiated(lambda z: z * 0.5 * torch.special.erfc(-z / math.sqrt(2))),
    "selu": differentiated(functional.selu),
    "mish": differentiated(functional.mish),
    "hard_sigmoid": differentiated_at_kinks(lambda z: functional.relu6(z + 3) / 6, [-3, 3]),
    "hard_swish": differentiated_at_kinks(lambda z: z * functional.relu6(z + 3) / 6, [-3, 3]),
    "relu6": differentiated_at_kinks(functional.relu6, [0, 6]),
    "sine": differentiated(torch.sin),
    "gaussian": differentiated(lambda z: torch.exp(-z * z)),
}


def definitions(z):
    """f(z) and f'(z) by the formulas of backprop.h, with the left-hand derivative at a kink."""
    e = mpmath.exp
    s = 1 / (1 + e(-z))
    t = mpmath.tanh(z)
    phi = mpmath.ncdf(z) if z > 0 else mpmath.erfc(-z / mpmath.sqrt(2)) / 2
    plus = mpmath.tanh(mpmath.log1p(e(z)))
    scale, alpha = mpf("1.0507009873554804934193349852946"), mpf("1.6732632423543772848170429916717")
    hard = min(max(mpf(0), z + 3), mpf(6)) / 6
    return {
        "identity": (z, 1),
        "logistic": (s, s * (1 - s)),
        "tanh": (t, 1 - t * t),
        "relu": (z, 1) if z > 0 else (0, 0),
        "leaky_relu": (z, 1) if z > 0 else (z / 100, mpf(1) / 100),
        "elu": (z, 1) if z > 0 else (mpmath.expm1(z), e(z)),
        "softplus": (mpmath.log1p(e(z)), s),
        "softsign": (z / (1 + abs(z)), 1 / (1 + abs(z)) ** 2),
        "silu": (z * s, s + z * s * (1 - s)),
        "gelu": (z * phi, phi + z * mpmath.npdf(z)),
        "selu": (scale * z, scale) if z > 0 else (scale * alpha * mpmath.expm1(z), scale * alpha * e(z)),
        "mish": (z * plus, plus + z * s * (1 - plus * plus)),
        "hard_sigmoid": (hard, mpf(1) / 6 if -3 < z <= 3 else mpf(0)),
        "hard_swish": (z * hard, (2 * z + 3) / 6 if -3 < z <= 3 else mpf(1 if z > 3 else 0)),
        "relu6": (min(max(mpf(0), z), mpf(6)), mpf(1 if 0 < z <= 6 else 0)),
        "sine": (mpmath.sin(z), mpmath.cos(z)),
        "gaussian": (e(-z * z), -2 * z * e(-z * z)),
    }


def check(name, z, a, derivative):
    for at, *found in zip(z.tolist(), a.tolist(), derivative.tolist()):
        for what, value, exact in zip(("value", "derivative"), found, definitions(mpf(at))[name]):
            if abs(value - exact) > ACCURACY * abs(exact) + SMALLEST:
                raise SystemExit(f"{name}: {what} at {at} is {value}, should be {mpmath.nstr(exact, 17)}")


def main():
    torch.set_num_threads(1)
    mpmath.mp.dps = 40
    magnitudes = np.array(MAGNITUDES, dtype=np.float32).astype(np.float64)
    z = torch.tensor(np.concatenate([-magnitudes[::-1], [0.0], magnitudes]))
    lines = [f'"torch":"{torch.__version__.split("+")[0]}"', f'"z":[{",".join(f"{v:.9g}" for v in z.tolist())}]']
    listed = lambda values: "[" + ",".join(f"{v:.16g}" for v in values.tolist()).replace("-0,", "0,") + "]"
    for name, function in ACTIVATIONS.items():
        a, derivative = function(z)
        check(name, z, a, derivative)
        lines.append(f'{json.dumps(name)}:{{"value":{listed(a)},\n"derivative":{listed(derivative)}}}')
    text = "{" + ",\n".join(lines) + "}\n"
    json.loads(text)
    path = Path(__file__).with_name("activations.json")
    path.write_text(text)
    print(f"{len(ACTIVATIONS)} activations at {len(z)} points, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
