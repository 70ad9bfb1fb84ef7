"""Writes pytorch.json: small networks trained by PyTorch, with which the library's tests compare.

    python3 -m venv venv && venv/bin/pip install torch numpy
    venv/bin/python make_fixtures.py

README.md describes the file. All random numbers come from NumPy's PCG64, seeded by SEED, the number of the case and the
number of the draw. PyTorch's generator is not used.

A draw becomes a case when it is well conditioned (`accept`): the loss drops, every weight changes, no unit comes near the
kink of relu or leaky_relu, and single precision gives the same numbers to TOLERANCE. Otherwise it is drawn again.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

SEED = 20240611
STEPS = 50
TOLERANCE = 1e-5  # float32 against float64, see `disagreement`
KINK_MARGIN = 1e-5  # |z| of a relu or leaky_relu unit never comes closer to 0
EPSILON, MOMENTUM = 1e-5, 0.1  # of batch normalization
DRAWS = 2000

ACTIVATIONS = {
    "identity": nn.Identity,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.01),
    "elu": lambda: nn.ELU(1.0),
    "softplus": lambda: nn.Softplus(threshold=50),  # above its threshold PyTorch returns z
    "softsign": nn.Softsign,
    "silu": nn.SiLU,
    "gelu": lambda: nn.GELU(approximate="none"),
    "softmax": lambda: nn.Softmax(dim=1),
}


class Function(nn.Module):
    """An activation that PyTorch has as a function, or whose module computes with 1/6 in single precision."""

    def __init__(self, function):
        super().__init__()
        self.forward = function


# Activations that were added after pytorch.json was written. Only make_derivatives.py draws them.
LATER_ACTIVATIONS = {
    "selu": nn.SELU,
    "mish": nn.Mish,
    "hard_sigmoid": lambda: Function(lambda z: nn.functional.relu6(z + 3) / 6),
    "hard_swish": lambda: Function(lambda z: z * nn.functional.relu6(z + 3) / 6),
    "relu6": nn.ReLU6,
    "sine": lambda: Function(torch.sin),
    "gaussian": lambda: Function(lambda z: torch.exp(-z * z)),
}
KINKS = {"relu": [0], "leaky_relu": [0], "selu": [0], "hard_sigmoid": [-3, 3], "hard_swish": [-3, 3], "relu6": [0, 6]}
SQUARED, BINARY, CROSS = "squared_error", "binary_cross_entropy", "cross_entropy"
SUM, MEAN = 0, 1


class Redraw(Exception):
    """The draw is not suitable; the message is the reason."""


# ---- Cases ----------------------------------------------------------------------------------------------------------


@dataclass
class Plan:
    """The properties that a case must have. None: chosen by the draw."""

    loss: str
    reduction: int
    batchnorm: bool | list[int]  # False: no layer; True: a random subset of layers; a list: one flag for each layer
    sizes: list[int] | None = None
    output: str | None = None
    hidden: list[str] | None = None
    batch: int | None = None
    targets: str | None = None  # "weights": cross_entropy targets that do not sum to 1
    input_scale: float = 1.0
    bias_scale: float = 0.3


@dataclass
class Case:
    sizes: list[int]
    activations: list[str]
    batchnorm: list[int]
    loss: str
    reduction: int
    learning_rate: float
    batch: int
    inputs: np.ndarray
    targets: np.ndarray
    parameters: np.ndarray


PLANS = [
    # Without batch normalization.
    Plan(SQUARED, SUM, False, sizes=[2, 4, 1], hidden=["logistic"], output="logistic", batch=4),
    Plan(SQUARED, SUM, False, sizes=[10, 3], output="identity", batch=1),
    Plan(SQUARED, SUM, False, sizes=[5, 17, 3], output="tanh", batch=1),
    Plan(SQUARED, SUM, False, batch=2),
    Plan(SQUARED, SUM, False, sizes=[3, 10, 17, 2]),
    Plan(SQUARED, MEAN, False, sizes=[1, 10, 10, 10, 1], output="identity", batch=32),
    Plan(SQUARED, MEAN, False, sizes=[7, 24, 16, 8, 5, 2], output="identity"),
    Plan(SQUARED, MEAN, False),
    Plan(SQUARED, MEAN, False, sizes=[9, 33, 17]),
    Plan(BINARY, SUM, False, sizes=[3, 1], output="logistic", batch=1),
    Plan(BINARY, SUM, False, output="logistic"),
    Plan(BINARY, MEAN, False, sizes=[17, 10, 3], output="logistic"),
    Plan(BINARY, MEAN, False, output="logistic"),
    Plan(CROSS, SUM, False, sizes=[8, 5], output="softmax"),
    Plan(CROSS, SUM, False, sizes=[16, 16, 16, 16], output="softmax", batch=16),
    Plan(CROSS, MEAN, False, output="softmax", batch=1),
    Plan(CROSS, MEAN, False, sizes=[10, 33, 10], output="softmax", batch=32),
    Plan(CROSS, MEAN, False, output="softmax", targets="weights"),
    Plan(SQUARED, MEAN, False, sizes=[6, 9, 4], output="softmax"),
    Plan(SQUARED, SUM, False, sizes=[4, 8, 3], hidden=["softmax"], output="identity"),
    Plan(BINARY, SUM, False, sizes=[5, 12, 4], output="softmax"),
    Plan(CROSS, MEAN, False, sizes=[6, 7, 3], output="logistic"),
    # With it.
    Plan(SQUARED, SUM, [1], sizes=[10, 3], output="identity"),
    Plan(SQUARED, SUM, [1, 0], sizes=[5, 6, 2], output="identity", batch=2, input_scale=0.02, bias_scale=0.1),
    Plan(SQUARED, SUM, True, batch=3),
    Plan(SQUARED, SUM, True, sizes=[3, 10, 17, 3]),
    Plan(SQUARED, MEAN, [1, 1, 1, 1, 1], sizes=[4, 11, 9, 7, 5, 3], batch=32),
    Plan(SQUARED, MEAN, True),
    Plan(SQUARED, MEAN, [0, 1, 0], sizes=[6, 33, 10, 1]),
    Plan(SQUARED, MEAN, [1, 0], sizes=[2, 1, 1]),
    Plan(BINARY, SUM, [0, 1], sizes=[9, 13, 5], output="logistic"),
    Plan(BINARY, SUM, True, output="logistic"),
    Plan(BINARY, MEAN, True, output="logistic", batch=31),
    Plan(BINARY, MEAN, [1, 0], sizes=[24, 24, 2], output="logistic"),
    Plan(CROSS, SUM, True, sizes=[10, 17, 33, 3], output="softmax"),
    Plan(CROSS, SUM, True, output="softmax"),
    Plan(CROSS, MEAN, [1, 1], sizes=[12, 20, 6], output="softmax"),
    Plan(CROSS, MEAN, True, output="softmax", batch=17),
    Plan(CROSS, MEAN, [1, 1, 0], sizes=[8, 16, 16, 4], hidden=["relu", "relu"], output="softmax"),
    Plan(SQUARED, MEAN, [1, 1, 0], sizes=[5, 8, 6, 2], hidden=["softmax", "gelu"], output="identity"),
]


class Deck:
    """Returns every activation once before it returns any of them again."""

    def __init__(self, random):
        self.random, self.cards = random, []

    def deal(self, count):
        while len(self.cards) < count:
            names = [name for name in ACTIVATIONS if name != "softmax"]
            self.cards += [names[i] for i in self.random.permutation(len(names))]
        dealt, self.cards = self.cards[:count], self.cards[count:]
        return dealt


def settle(plan, random, deck):
    """Makes the choices of a plan that all its draws share: number of layers, activations, batch normalization."""
    if plan.sizes:
        layers = len(plan.sizes) - 1
    elif isinstance(plan.batchnorm, list):
        layers = len(plan.batchnorm)
    else:
        layers = int(random.integers(2, 6))
    hidden = plan.hidden or deck.deal(layers - 1)
    output = plan.output or deck.deal(1)[0]
    if isinstance(plan.batchnorm, list):
        batchnorm = plan.batchnorm
    elif plan.batchnorm:
        batchnorm = [int(flag) for flag in random.random(layers) < 0.6]
        batchnorm[int(random.integers(layers))] = 1
    else:
        batchnorm = [0] * layers
    return hidden + [output], batchnorm


def draw(plan, activations, batchnorm, random):
    """A case of this plan. All its numbers are exact in single precision."""
    uniform = lambda shape, low, high: (low + (high - low) * random.random(shape, dtype=np.float32)).astype(np.float32)
    output = activations[-1]
    sizes = plan.sizes or [int(n) for n in random.integers(1, 25, len(activations) + 1)]
    if not plan.sizes and output == "softmax":
        sizes[-1] = max(sizes[-1], 2)
    batch = plan.batch or int(random.integers(4 if any(batchnorm) else 2, 33))
    rows = batch * max(int(random.integers(2, 5)), math.ceil(8 / batch))

    parameters = []
    for inputs, outputs, normalized in zip(sizes, sizes[1:], batchnorm):
        reach = math.sqrt(float(random.uniform(2, 5)) / inputs)
        parameters.append(uniform(inputs * outputs, -reach, reach))
        parameters.append(uniform(outputs, -plan.bias_scale, plan.bias_scale))
        if normalized:
            parameters.append(uniform(outputs, 0.7, 1.3))
            parameters.append(uniform(outputs, -0.3, 0.3))

    inputs = random.standard_normal((rows, sizes[0]), dtype=np.float32)
    teacher = inputs @ random.standard_normal((sizes[0], sizes[-1]), dtype=np.float32) / math.sqrt(sizes[0])
    teacher = (teacher + 0.3 * random.standard_normal(teacher.shape, dtype=np.float32)).astype(np.float32)
    learning_rate = float(np.float32(f"{math.exp(random.uniform(math.log(0.01), math.log(0.5))):.2g}"))
    if plan.reduction == SUM:
        learning_rate = float(np.float32(f"{learning_rate / batch:.2g}"))
    return Case(sizes, activations, batchnorm, plan.loss, plan.reduction, learning_rate, batch,
                (inputs * np.float32(plan.input_scale)).astype(np.float32),
                targets_for(plan, output, teacher, uniform), np.concatenate(parameters))


def targets_for(plan, output, teacher, uniform):
    """Targets close to the range of the output activation."""
    if plan.loss == CROSS or output == "softmax":
        one_hot = np.eye(teacher.shape[1], dtype=np.float32)[teacher.argmax(axis=1)]
        if plan.targets == "weights":
            return (one_hot * uniform(teacher.shape, 0.5, 1.5) + uniform(teacher.shape, 0, 0.1)).astype(np.float32)
        return one_hot
    if plan.loss == BINARY:
        hard = (teacher > 0).astype(np.float32)
        soft = uniform(teacher.shape, 0, 1)
        return np.where(uniform(teacher.shape, 0, 1) < 0.9, hard, soft)
    low, high = {"tanh": (-0.8, 0.8), "softsign": (-0.7, 0.7), "logistic": (0.1, 0.9)}.get(output, (-1, 1))
    if output in ("relu", "leaky_relu", "elu", "softplus", "silu", "gelu"):
        low, high = 0.2, 1.8
    return (low + (high - low) * (np.tanh(teacher) + 1) / 2).astype(np.float32)


# ---- Training -------------------------------------------------------------------------------------------------------


@dataclass
class Run:
    losses: np.ndarray
    gradient: np.ndarray
    parameters: np.ndarray
    running_mean: list[np.ndarray]
    running_var: list[np.ndarray]
    predictions: np.ndarray
    kink_distance: float = math.inf


class Network(nn.Module):
    def __init__(self, case, dtype):
        super().__init__()
        self.linear, self.norm, self.activation = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for inputs, outputs, name, normalized in zip(case.sizes, case.sizes[1:], case.activations, case.batchnorm):
            self.linear.append(nn.Linear(inputs, outputs))
            self.norm.append(nn.BatchNorm1d(outputs, EPSILON, MOMENTUM) if normalized else nn.Identity())
            self.activation.append((ACTIVATIONS | LATER_ACTIVATIONS)[name]())
        self.names, self.kink_distance = case.activations, math.inf
        self.to(dtype)
        nn.utils.vector_to_parameters(torch.tensor(case.parameters, dtype=dtype), self.flat())

    def flat(self):
        """The parameters in the library's order."""
        return [p for linear, norm in zip(self.linear, self.norm)
                for p in (linear.weight, linear.bias, *norm.parameters())]

    def forward(self, a):
        """(z, a) of the last layer."""
        for name, linear, norm, activation in zip(self.names, self.linear, self.norm, self.activation):
            z = norm(linear(a))
            for kink in KINKS.get(name, []):
                self.kink_distance = min(self.kink_distance, (z.detach() - kink).abs().min().item())
            a = activation(z)
        return z, a


def loss_of(case, z, a, y):
    if case.loss == SQUARED:
        total = 0.5 * functional.mse_loss(a, y, reduction="sum")
    elif case.loss == BINARY and case.activations[-1] == "logistic":
        total = functional.binary_cross_entropy_with_logits(z, y, reduction="sum")
    elif case.loss == BINARY:
        total = functional.binary_cross_entropy(a, y, reduction="sum")
    elif case.activations[-1] == "softmax":
        total = functional.cross_entropy(z, y, reduction="sum")
    else:
        total = -(y * a.log()).sum()
    return total / len(y) if case.reduction == MEAN else total


def train(case, dtype, jitter=None):
    """STEPS steps of gradient descent. `jitter`, a generator, moves every parameter by up to half a unit of single
    precision after each step, like another order of summation could."""
    network = Network(case, dtype)
    inputs, targets = torch.tensor(case.inputs, dtype=dtype), torch.tensor(case.targets, dtype=dtype)
    parameters = network.flat()
    optimizer = torch.optim.SGD(parameters, lr=case.learning_rate)
    batches = len(inputs) // case.batch
    losses, first = [], None
    for step in range(STEPS):
        rows = slice(step % batches * case.batch, (step % batches + 1) * case.batch)
        optimizer.zero_grad()
        loss = loss_of(case, *network(inputs[rows]), targets[rows])
        loss.backward()
        if first is None:
            first = torch.cat([p.grad.flatten() for p in parameters]).numpy().copy()
        optimizer.step()
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise Redraw("not finite")
        if jitter is not None:
            with torch.no_grad():
                for p in parameters:
                    p.mul_(1 + torch.tensor(jitter.uniform(-0.5, 0.5, p.shape) * 2.0**-23, dtype=dtype))
    network.eval()
    with torch.no_grad():
        predictions = network(inputs[:8])[1].numpy()
    norms = [norm if isinstance(norm, nn.BatchNorm1d) else None for norm in network.norm]
    return Run(np.array(losses), first, nn.utils.parameters_to_vector(parameters).detach().numpy(),
               [norm.running_mean.numpy() if norm else np.zeros(0) for norm in norms],
               [norm.running_var.numpy() if norm else np.zeros(0) for norm in norms],
               predictions, network.kink_distance)


# ---- Suitable draws -------------------------------------------------------------------------------------------------


def tensors(case, vector):
    """(layer, name, values) of the tensors in a flat vector."""
    at = 0
    for layer, (inputs, outputs, normalized) in enumerate(zip(case.sizes, case.sizes[1:], case.batchnorm), 1):
        names = [("weight", inputs * outputs), ("bias", outputs)]
        names += [("gamma", outputs), ("beta", outputs)] if normalized else []
        for name, count in names:
            yield layer, name, vector[at:at + count]
            at += count


def is_idle(case, layer, name):
    """Whether batch normalization subtracts a bias or beta again, in its layer or after identity activations. Its gradient is
    then 0 up to rounding."""
    if name == "bias" and case.batchnorm[layer - 1]:
        return True
    passes_on = case.activations[layer - 1] == "identity" and layer < len(case.activations)
    return name in ("bias", "beta") and passes_on and is_idle(case, layer + 1, "bias")


def disagreement(case, exact, other):
    """The largest difference of each kind of result, relative to the largest value of its tensor; of a loss, relative to that
    loss; of an idle gradient, relative to the largest value in its layer's gradient."""
    relative = lambda a, b, scale: float(np.max(np.abs(a - b)) / scale) if len(a) else 0.0
    largest = lambda a: np.max(np.abs(a)) if len(a) else 1.0
    gradient, parameters = [], []
    of_layer = {}
    for layer, _, values in tensors(case, exact.gradient):
        of_layer[layer] = max(of_layer.get(layer, 0), largest(values))
    for (layer, name, a), (_, _, b) in zip(tensors(case, exact.gradient), tensors(case, other.gradient)):
        gradient.append(relative(a, b, of_layer[layer] if is_idle(case, layer, name) else largest(a)))
    for (_, _, a), (_, _, b) in zip(tensors(case, exact.parameters), tensors(case, other.parameters)):
        parameters.append(relative(a, b, largest(a)))
    return {
        "losses": float(np.max(np.abs(exact.losses - other.losses) / exact.losses)),
        "gradient": max(gradient),
        "parameters": max(parameters),
        "running_mean": max(relative(a, b, largest(a)) for a, b in zip(exact.running_mean, other.running_mean)),
        "running_var": max(relative(a, b, largest(a)) for a, b in zip(exact.running_var, other.running_var)),
        "predictions": relative(exact.predictions, other.predictions, largest(exact.predictions)),
    }


def accept(case, random):
    """The exact run of a suitable draw, and the error of single precision."""
    exact = train(case, torch.float64)
    cycle = len(case.inputs) // case.batch
    drop = max(exact.losses[-1] / exact.losses[0], exact.losses[-cycle:].mean() / exact.losses[:cycle].mean())
    if not drop < 0.7:
        raise Redraw("the loss does not drop")
    if exact.losses.max() > 3 * exact.losses[:cycle].max():
        raise Redraw("unstable")
    if exact.kink_distance < KINK_MARGIN:
        raise Redraw("near a kink")
    for (layer, name, old), (_, _, new) in zip(tensors(case, case.parameters), tensors(case, exact.parameters)):
        if not is_idle(case, layer, name) and np.max(np.abs(new - old)) < 3e-3 * np.max(np.abs(old)):
            raise Redraw("a parameter hardly moves")
    single = disagreement(case, exact, train(case, torch.float32))
    jittered = disagreement(case, exact, train(case, torch.float64, jitter=random))
    if max(*single.values(), *jittered.values()) > TOLERANCE:
        raise Redraw("badly conditioned")
    return exact, single


# ---- Writing --------------------------------------------------------------------------------------------------------


def numbers(values, digits):
    """Compact JSON of a number or nested lists of them."""
    if isinstance(values, (list, tuple)) or getattr(values, "ndim", 0) > 0:
        return "[" + ",".join(numbers(v, digits) for v in values) + "]"
    text = f"{float(values):.{digits}g}"
    return "0" if text == "-0" else text


def line(name, case, run):
    given = lambda values: numbers(values, 9)  # enough for an exact round trip in single precision
    computed = lambda values: numbers(values, 10)
    fields = {
        "name": json.dumps(name),
        "layer_sizes": given(case.sizes),
        "activations": json.dumps(case.activations, separators=(",", ":")),
        "batchnorm": given(case.batchnorm),
        "loss": json.dumps(case.loss),
        "gradient_reduction": given(case.reduction),
        "learning_rate": given(case.learning_rate),
        "batch_size": given(case.batch),
        "inputs": given(case.inputs),
        "targets": given(case.targets),
        "initial_parameters": given(case.parameters),
        "losses": computed(run.losses),
        "first_gradient": computed(run.gradient),
        "final_parameters": computed(run.parameters),
        "running_mean": computed(run.running_mean),
        "running_var": computed(run.running_var),
        "predictions": computed(run.predictions),
    }
    return "{" + ",".join(f'"{key}":{value}' for key, value in fields.items()) + "}"


def name_of(number, case):
    words = [f"{number:02}", case.loss, "mean" if case.reduction == MEAN else "sum", "x".join(map(str, case.sizes)),
             f"batch{case.batch}"]
    return "-".join(words + (["batchnorm"] if any(case.batchnorm) else []))


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    decks = {flag: Deck(np.random.default_rng([SEED, 1 + flag])) for flag in (False, True)}
    lines, worst, seen = [], {}, set()
    for number, plan in enumerate(PLANS, 1):
        choices = settle(plan, np.random.default_rng([SEED, 10, number]), decks[bool(plan.batchnorm)])
        refused = {}
        for attempt in range(DRAWS):
            random = np.random.default_rng([SEED, 100, number, attempt])
            try:
                case = draw(plan, *choices, random)
                run, single = accept(case, random)
                break
            except Redraw as reason:
                refused[str(reason)] = refused.get(str(reason), 0) + 1
        else:
            raise SystemExit(f"case {number}: no good draw in {DRAWS}: {refused}")
        name = name_of(number, case)
        lines.append(line(name, case, run))
        seen |= {(activation, flag) for activation, flag in zip(case.activations, case.batchnorm)}
        worst = {key: max(value, worst.get(key, 0)) for key, value in single.items()}
        print(f"{name}: {','.join(case.activations)} batchnorm {case.batchnorm} rate {case.learning_rate:.3g}, "
              f"loss {run.losses[0]:.4g} to {run.losses[-1]:.4g}, float32 off by {max(single.values()):.1e}, "
              f"redrawn {refused}", flush=True)
    missing = {(name, flag) for name in ACTIVATIONS for flag in (0, 1)} - seen
    if missing:
        raise SystemExit(f"no case has {sorted(missing)}")
    header = f'{{"torch":"{torch.__version__.split("+")[0]}","numpy":"{np.__version__}","steps":{STEPS},"cases":[\n'
    path = Path(__file__).with_name("pytorch.json")
    path.write_text(header + ",\n".join(lines) + "\n]}\n")
    print(f"{len(lines)} cases, {path.stat().st_size} bytes; float32 against float64 at worst: "
          + ", ".join(f"{key} {value:.1e}" for key, value in worst.items()))


if __name__ == "__main__":
    main()
