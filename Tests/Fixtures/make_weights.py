"""Writes weights.safetensors, a state dictionary of PyTorch, and weights.json with PyTorch's results.
Needs torch and safetensors. Usage: make_weights.py"""
import json
import pathlib

import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent


class Layer(torch.nn.Module):
    def __init__(self, inputs, outputs, normalized, activation):
        super().__init__()
        linear = torch.nn.Linear(inputs, outputs)
        self.weight, self.bias, self.activation = linear.weight, linear.bias, activation
        self.norm = torch.nn.BatchNorm1d(outputs) if normalized else torch.nn.Identity()

    def forward(self, x):
        return self.activation(self.norm(torch.nn.functional.linear(x, self.weight, self.bias)))


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleDict(
            {"1": Layer(5, 8, True, torch.tanh), "2": Layer(8, 6, True, torch.relu), "3": Layer(6, 3, False, lambda z: z)})

    def forward(self, x):
        for layer in self.layers.values():
            x = layer(x)
        return x


torch.manual_seed(1)
network = Network()
optimizer = torch.optim.SGD(network.parameters(), 0.05)
for _ in range(50):
    x = torch.randn(16, 5)
    loss = ((network(x) - x[:, :3]) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
save_file(network.state_dict(), HERE / "weights.safetensors", metadata={"format": "pt"})
network.double().eval()
inputs = torch.randn(7, 5, dtype=torch.float64).float().double()
with torch.no_grad():
    outputs = network(inputs)
(HERE / "weights.json").write_text(json.dumps({"inputs": inputs.tolist(), "outputs": outputs.tolist()}, indent=1) + "\n")
