"""Writes derivatives.json: derivatives of random networks, computed by PyTorch's torch.func in float64.

    python3 -m venv venv && venv/bin/pip install torch numpy
    venv/bin/python make_derivatives.py

README.md describes the file. The networks, their activations and their order of parameters are those of make_fixtures.py.
Every activation occurs in a hidden layer and in an output layer. A network is drawn again if a unit is near a kink.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch.func import functional_call, jacrev, vjp

from make_fixtures import ACTIVATIONS, LATER_ACTIVATIONS, Case, Network

SEED = 20261126
ROWS = 4
KINK_MARGIN = 1e-3


def draw(hidden, output, normalized, random):
    """A network, inputs and output gradients. All numbers are exact in single precision."""
    single = lambda values: values.astype(np.float32).astype(np.float64)
    sizes = [int(n) for n in random.integers(2, 12, len(hidden) + 2)]
    flags = [int(normalized and flag) for flag in random.random(len(sizes) - 1) < 0.7]
    parameters = []
    for inputs, outputs, flag in zip(sizes, sizes[1:], flags):
        parameters += [random.normal(size=inputs * outputs) / np.sqrt(inputs), 0.3 * random.normal(size=outputs)]
        parameters += [random.uniform(0.7, 1.3, outputs), random.uniform(-0.3, 0.3, outputs)] if flag else []
    case = Case(sizes, [*hidden, output], flags, "", 0, 0, ROWS, single(random.normal(size=(ROWS, sizes[0]))),
                np.zeros(0), single(np.concatenate(parameters)))
    network = Network(case, torch.float64)
    for norm in network.norm:
        if isinstance(norm, torch.nn.BatchNorm1d):
            norm.running_mean.copy_(torch.tensor(single(random.normal(size=norm.num_features))))
            norm.running_var.copy_(torch.tensor(single(random.uniform(0.5, 2, norm.num_features))))
    return case, network, single(random.normal(size=(ROWS, sizes[-1])))


def derivatives(case, network, output_gradients):
    """The derivatives in evaluation mode and, with the rows as a minibatch, in training mode."""
    x, d = torch.tensor(case.inputs), torch.tensor(output_gradients)
    parameters = dict(network.named_parameters())
    statistics = {name: value.clone() for name, value in network.named_buffers()}
    outputs = lambda parameters, x: functional_call(network, (parameters, {k: v.clone() for k, v in statistics.items()}), (x,))[1]
    network.eval()
    jacobian = torch.stack([jacrev(lambda row: outputs(parameters, row[None])[0])(row) for row in x])
    inputs = vjp(lambda x: outputs(parameters, x), x)[1](d)[0]
    network.train()
    gradients, inputs_in_training = vjp(outputs, parameters, x)[1](d)
    names = {id(value): name for name, value in parameters.items()}
    flat = torch.cat([gradients[names[id(value)]].flatten() for value in network.flat()])
    return {"jacobian": jacobian, "input_gradients": inputs, "gradient": flat, "input_gradients_in_training": inputs_in_training}


def main():
    torch.set_num_threads(1)
    names = [*ACTIVATIONS, *LATER_ACTIVATIONS]
    # 9 significant digits identify a float; 15 are more than the comparison needs of a double.
    listed = lambda a, digits: json.dumps(json.loads(json.dumps(a.tolist()), parse_float=lambda s: float(f"{float(s):.{digits}g}")),
                                          separators=(",", ":"))
    lines = []
    for number in range(2 * len(names)):
        random = np.random.default_rng([SEED, number])
        hidden = [names[number % len(names)]] + [str(random.choice(names)) for _ in range(int(random.integers(0, 3)))]
        output = names[(number * 7 + 3) % len(names)]
        while True:
            case, network, output_gradients = draw(hidden, output, number % 2, random)
            found = derivatives(case, network, output_gradients)
            if network.kink_distance > KINK_MARGIN:
                break
        fields = [f'"layer_sizes":{listed(np.array(case.sizes), 9)}', f'"activations":{json.dumps(case.activations)}',
                  f'"batchnorm":{json.dumps(case.batchnorm)}', f'"parameters":{listed(case.parameters, 9)}']
        for name, statistic in (("running_mean", "running_mean"), ("running_var", "running_var")):
            values = [listed(getattr(norm, statistic), 9) if flag else "[]" for norm, flag in zip(network.norm, case.batchnorm)]
            fields.append(f'"{name}":[{",".join(values)}]')
        fields += [f'"inputs":{listed(case.inputs, 9)}', f'"output_gradients":{listed(output_gradients, 9)}']
        fields += [f'"{name}":{listed(values, 12)}' for name, values in found.items()]
        lines.append("{" + ",".join(fields) + "}")
    text = f'{{"torch":"{torch.__version__.split("+")[0]}","cases":[\n' + ",\n".join(lines) + "\n]}\n"
    json.loads(text)
    path = Path(__file__).with_name("derivatives.json")
    path.write_text(text)
    print(f"{len(lines)} networks, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
