"""ONNX models: networks for ONNX Runtime and other programs, and networks from their models.

`Network.to_onnx` and `Network.from_onnx` write and read files. This module needs the extra "onnx".
"""
from __future__ import annotations

import functools
import os
from collections import Counter
from typing import Any, Optional, TypeVar, Union

import numpy as np
from numpy.typing import NDArray

from ._arguments import Path
from ._extras import required
from ._layers import Affine, Stack, unsupported
from .errors import ModelError, Status
from .network import Network

_onnx: Any = required("onnx", "onnx")
_helper: Any = required("onnx.helper", "onnx")
_message: Any = required("google.protobuf.message", "onnx")
_numpy_helper: Any = required("onnx.numpy_helper", "onnx")
_inliner: Any = required("onnx.inliner", "onnx")
_reference: Any = required("onnx.reference", "onnx")

__all__ = ["from_model", "to_model"]

_Network = TypeVar("_Network", bound=Network)
_Node = tuple[str, tuple[Union[str, int, float], ...], dict[str, float]]  # operator, inputs, attributes
_OPSET, _IR = 17, 8  # of 2022: ONNX Runtime 1.12 and later read it


def _node(operator: str, *inputs: Union[str, int, float], **attributes: float) -> _Node:
    return operator, inputs, attributes


# The activations as operators of ONNX. An input is "z", the number of an earlier node, or a constant (a float).
_EXPRESSIONS: dict[str, list[_Node]] = {
    "identity": [_node("Identity", "z")],
    "sign": [_node("Sign", "z")],
    "logistic": [_node("Sigmoid", "z")],
    "tanh": [_node("Tanh", "z")],
    "relu": [_node("Relu", "z")],
    "leaky_relu": [_node("LeakyRelu", "z", alpha=0.01)],
    "elu": [_node("Elu", "z", alpha=1.0)],
    "softplus": [_node("Softplus", "z")],
    "softsign": [_node("Softsign", "z")],
    "silu": [_node("Sigmoid", "z"), _node("Mul", "z", 0)],
    "gelu": [_node("Mul", "z", 0.5 ** 0.5), _node("Erf", 0), _node("Add", 1, 1.0), _node("Mul", "z", 2), _node("Mul", 3, 0.5)],
    "selu": [_node("Selu", "z", alpha=1.6732632423543772, gamma=1.0507009873554805)],
    "mish": [_node("Softplus", "z"), _node("Tanh", 0), _node("Mul", "z", 1)],
    "hard_sigmoid": [_node("HardSigmoid", "z", alpha=1 / 6, beta=0.5)],
    "hard_swish": [_node("HardSwish", "z")],
    "relu6": [_node("Clip", "z", 0.0, 6.0)],
    "sine": [_node("Sin", "z")],
    "gaussian": [_node("Mul", "z", "z"), _node("Neg", 0), _node("Exp", 1)],
    "softmax": [_node("Softmax", "z", axis=1)],
}


# Writing


class _Graph:
    """The nodes and constants of a model, appended one after the other."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.latest = "inputs"

    def constant(self, name: str, values: Any) -> str:
        self.constants.append(_numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def append(self, operator: str, name: str, *inputs: str, **attributes: float) -> str:
        self.nodes.append(_helper.make_node(operator, inputs, [name], name, **attributes))
        self.latest = name
        return name

    def affine(self, name: str, affine: Optional[Affine]) -> None:
        """Appends (x - offset) * factor + shift, without the operations that change nothing."""
        if affine is None:
            return
        for operator, part, values, neutral in (("Sub", "offset", affine.offset, 0), ("Mul", "factor", affine.factor, 1),
                                                ("Add", "shift", affine.shift, 0)):
            if (values != neutral).any():
                self.append(operator, f"{name}.{part}.applied", self.latest, self.constant(f"{name}.{part}", values))

    def expression(self, name: str, nodes: list[_Node]) -> None:
        """Appends an activation of the latest result."""
        z = self.latest
        results: list[str] = []
        for number, (operator, operands, attributes) in enumerate(nodes):
            inputs = [z if operand == "z" else
                      self.constant(f"{name}.constant{number}.{place}", operand) if isinstance(operand, float) else
                      results[int(operand)] for place, operand in enumerate(operands)]
            results.append(self.append(operator, f"{name}.{operator}{number}", *inputs, **attributes))


def to_model(network: Network) -> Any:
    """Make an ONNX model of a network.

    The model has one input, "inputs", float32 of shape (rows, inputs), and one output, "outputs", which is what `predict`
    returns. Scaling, batch normalization and metadata are part of the model. For a model without batch normalization,
    convert a clone after `fold_batchnorm`.

    Parameters
    ----------
    network : Network
        The network. Its activations must be built in: otherwise UnsupportedError names the layer and the activation.

    Returns
    -------
    onnx.ModelProto
        The model, of operator set 17.

    Examples
    --------
    >>> import libbackprop as bp
    >>> from libbackprop.onnx import to_model
    >>> [node.op_type for node in to_model(bp.Network([4, 8, 3])).graph.node]
    ['Gemm', 'Sigmoid', 'Gemm', 'Sigmoid', 'Identity']
    """
    stack, graph = Stack.of(network), _Graph()
    graph.affine("scaling.inputs", stack.inputs)
    for number, layer in enumerate(stack.layers, 1):
        name = f"layers.{number}"
        graph.append("Gemm", name, graph.latest, graph.constant(name + ".weight", layer.weight),
                     graph.constant(name + ".bias", layer.bias), transB=1)
        if layer.norm is not None:
            parts = [graph.constant(f"{name}.norm.{part}", values) for part, values in
                     (("weight", layer.norm.gamma), ("bias", layer.norm.beta), ("running_mean", layer.norm.mean),
                      ("running_var", layer.norm.variance))]
            graph.append("BatchNormalization", name + ".norm", graph.latest, *parts, epsilon=layer.norm.epsilon)
        if layer.activation != "identity":
            graph.expression(name, _EXPRESSIONS[layer.activation])
    graph.affine("scaling.targets", stack.outputs)
    graph.append("Identity", "outputs", graph.latest)
    sizes, float32 = network.layers, _onnx.TensorProto.FLOAT
    made = _helper.make_graph(
        graph.nodes, "network", [_helper.make_tensor_value_info("inputs", float32, ["rows", sizes[0]])],
        [_helper.make_tensor_value_info("outputs", float32, ["rows", sizes[-1]])], graph.constants)
    model = _helper.make_model(made, producer_name="libbackprop", ir_version=_IR,
                               opset_imports=[_helper.make_opsetid("", _OPSET)])
    _helper.set_model_props(model, dict(network.metadata))
    return model


# Reading

_PASSED_ON = {"Identity", "Cast", "CastLike", "Dropout", "Flatten", "Reshape"}  # of rows of numbers
_ELEMENTWISE = {
    "Abs", "Add", "Celu", "Clip", "Div", "Elu", "Erf", "Exp", "Gelu", "Greater", "GreaterOrEqual", "HardSigmoid", "HardSwish",
    "LeakyRelu", "Less", "LessOrEqual", "Log", "Max", "Min", "Mish", "Mul", "Neg", "PRelu", "Pow", "Reciprocal", "Relu", "Selu",
    "Sigmoid", "Sign", "Sin", "Softplus", "Softsign", "Sqrt", "Sub", "Sum", "Swish", "Tanh", "ThresholdedRelu", "Where",
}
_POINTS = np.concatenate([[0.0, 1.0], np.linspace(-8.05, 8.05, 60), [-30.0, 30.0]])  # where functions are compared
_NO_MATCH = 1e-5  # larger relative differences are those of another function

_FLOATS = (_onnx.TensorProto.FLOAT, _onnx.TensorProto.DOUBLE, _onnx.TensorProto.FLOAT16, _onnx.TensorProto.BFLOAT16)
_Doubles = NDArray[np.float64]


class _Reader:
    """Follows the nodes of a model from its input to one output.

    The value of a tensor is the values [points][units] of an elementwise function at z = _POINTS, where z are the results
    of the latest step of the stack. A step that needs the function itself, such as the next weights, compares these values
    with those of the activations. So it does not matter with which operators a program writes an activation.
    """

    def __init__(self, model: Any, output: Optional[str]) -> None:
        self.model = _inliner.inline_local_functions(model)
        graph = self.model.graph
        self.opsets = {each.domain: each.version for each in self.model.opset_import}
        self.constants: dict[str, Any] = {each.name: _doubled(_numpy_helper.to_array(each)) for each in graph.initializer}
        inputs = [each for each in graph.input if each.name not in self.constants]
        if len(inputs) != 1:
            raise unsupported(f"expected a model with 1 input, got {len(inputs)}: {', '.join(each.name for each in inputs)}")
        self.input = inputs[0]
        self.output = _chosen(graph, output)
        self.nodes = _needed(graph.node, self.output)
        self.uses = Counter([self.output, *(name for node in self.nodes for name in node.input)])
        self.values: dict[str, _Doubles] = {}  # of the tensors that depend on z only
        self.base = ""  # the tensor that is z
        self.units = 0
        self.pending: list[str] = []  # the nodes since then
        self.stack = Stack()

    def read(self) -> Stack:
        for node in self.nodes:
            if all(name in self.constants or not name for name in node.input):
                self.constants[node.output[0]] = self.evaluated(node, self.constants)
            else:
                self.follow(node)
        self.resolve(self.output)
        return self.stack

    def follow(self, node: Any) -> None:
        """Appends a node that depends on the input."""
        operator, output = node.op_type, node.output[0]
        data = [name for name in dict.fromkeys(node.input) if name and name not in self.constants]
        if not self.base and self.input.name in data:
            self.begin(self.input.name, self.width(node))
        attributes = {each.name: _helper.get_attribute_value(each) for each in node.attribute}
        if node.domain == "ai.onnx.ml" and operator == "Scaler":
            self.resolve(data[0])
            self.affine(output, attributes["offset"], attributes["scale"], 0.0)
        elif node.domain not in ("", "ai.onnx"):
            raise self.refused(node)
        elif operator in _PASSED_ON and data == [node.input[0]]:
            if operator == "Flatten" and attributes.get("axis", 1) not in (1, -1):
                raise self.refused(node, "with this axis")
            if operator == "Reshape" and self.constants[node.input[1]].tolist()[1:] not in ([self.units], [-1]):
                raise self.refused(node, f"to shape {self.constants[node.input[1]].tolist()} of {self.units} units")
            if operator == "Cast" and attributes["to"] not in _FLOATS:
                raise self.refused(node, "to integers")
            self.values[output] = self.value(node, data[0])
            if self.base == data[0] and self.uses[data[0]] == 1:
                self.base = output
        elif operator in ("Gemm", "MatMul") and data == [node.input[0]]:
            self.linear(node, attributes)
        elif operator == "BatchNormalization" and data == [node.input[0]] and not attributes.get("training_mode", 0):
            self.resolve(data[0])
            gamma, beta, mean, variance = (self.constants[name] for name in node.input[1:5])
            self.stack.norm(gamma, beta, mean, variance, attributes.get("epsilon", 1e-5))
            self.begin(output, self.units)
        elif operator == "Softmax" and attributes.get("axis", -1 if self.opsets.get("", 1) >= 13 else 1) in (1, -1):
            self.resolve(data[0])
            self.stack.activation("softmax")
            self.begin(output, self.units)
        elif operator == "Concat" and len(data) == 2 and output == self.output:
            self.two_classes(node, *data)
        elif operator in _ELEMENTWISE:
            self.elementwise(node, data)
        else:
            raise self.refused(node)

    def begin(self, name: str, units: int) -> None:
        """Makes a tensor of that number of units the z of what follows."""
        self.values = {name: np.repeat(_POINTS[:, None], units, axis=1)}
        self.base, self.units, self.pending = name, units, []

    def width(self, node: Any) -> int:
        """The number of inputs: of the shape of the input, or of the first weights."""
        shape = self.input.type.tensor_type.shape.dim
        if len(shape) == 2 and shape[1].dim_value:
            return int(shape[1].dim_value)
        for each in self.nodes:
            if each.op_type in ("Gemm", "MatMul") and each.input[1] in self.constants:
                transposed = any(attribute.name == "transB" and attribute.i for attribute in each.attribute)
                return int(self.constants[each.input[1]].shape[1 if transposed else 0])
        raise self.refused(node, "for an input of unknown size")

    def linear(self, node: Any, attributes: dict[str, Any]) -> None:
        if attributes.get("transA", 0):
            raise self.refused(node, "with transA for rows")
        weight = self.constants[node.input[1]]
        weight = weight if attributes.get("transB", 0) else weight.T
        bias = self.constants[node.input[2]] if len(node.input) > 2 and node.input[2] else 0.0
        if weight.ndim != 2 or np.size(bias) not in (1, len(weight)):
            raise self.refused(node, f"with weights of shape {weight.shape} and biases of shape {np.shape(bias)}")
        self.resolve(node.input[0])
        self.stack.linear(attributes.get("alpha", 1.0) * weight,
                          np.broadcast_to(np.ravel(attributes.get("beta", 1.0) * bias), len(weight)))
        self.begin(node.output[0], len(weight))

    def affine(self, name: str, offset: Any, factor: Any, shift: Any) -> None:
        """Appends (x - offset) * factor + shift, of numbers or arrays [units]."""
        parts = (np.broadcast_to(np.ravel(part), self.units).astype(float) for part in (offset, factor, shift))
        self.stack.affine(Affine(*parts))
        self.begin(name, self.units)

    def elementwise(self, node: Any, data: list[str]) -> None:
        values = self.evaluated(node, {**self.constants, **{name: self.value(node, name) for name in data}})
        if values.shape != (len(_POINTS), self.units):
            raise self.refused(node, "with constants of another size than the units")
        output = node.output[0]
        if data == [self.base] and self.uses[self.base] == 1:
            shift, factor = values[0], values[1] - values[0]
            if node.op_type == "Sub" and node.input[0] == self.base:
                return self.affine(output, self.constants[node.input[1]], 1.0, 0.0)  # exact also for a large offset
            if _near(values, shift + factor * _POINTS[:, None]):
                return self.affine(output, 0.0, factor, shift)
        self.values[output] = values
        self.pending.append(_described(node))
        return None

    def value(self, node: Any, name: str) -> _Doubles:
        if name not in self.values:
            raise self.refused(node, f"here: {name!r} is not a result of the layer before")
        return self.values[name]

    def two_classes(self, node: Any, first: str, second: str) -> None:
        """The probabilities 1 - p and p of two classes, for p = logistic(z): the softmax of 0 and z."""
        p, other = self.value(node, second), self.value(node, first)
        if p.shape[1] != 1 or not _near(p, _activation("logistic")) or not _near(other, 1 - p) or self.stack.layers == []:
            raise self.refused(node)
        last = self.stack.layers.pop()
        self.stack.linear(np.vstack([0 * last.folded().weight, last.folded().weight]), np.array([0.0, last.folded().bias[0]]))
        self.stack.activation("softmax")
        self.begin(node.output[0], 2)

    def resolve(self, name: str) -> None:
        """Appends to the stack the activation that the values of a tensor are those of."""
        if name not in self.values:
            raise unsupported(f"tensor {name!r} is not a function of the results of one layer")
        values = self.values[name]
        for activation in _EXPRESSIONS:
            if activation == "softmax":
                continue
            a = _activation(activation)
            spread = int(np.argmax(abs(a - a[0])))
            factor = (values[spread] - values[0]) / (a[spread] - a[0])
            shift = values[0] - factor * a[0]
            if _near(values, factor * a + shift):
                self.stack.activation(activation)
                if not (_near(factor, 1) and _near(shift, 0)):
                    self.stack.affine(Affine(np.zeros_like(factor), factor, shift))
                return
        raise unsupported(f"{', '.join(self.pending)}: together they are no built-in activation")

    def evaluated(self, node: Any, values: dict[str, Any]) -> Any:
        try:
            return _evaluated(node, values, self.model.opset_import)
        except Exception as error:  # of any class: what the operator's implementation raises
            raise self.refused(node, f"with these constants: {error}") from error

    def refused(self, node: Any, reason: str = "") -> Exception:
        return unsupported(f"{_described(node)} is not supported{' ' + reason if reason else ''}")


def _described(node: Any) -> str:
    domain = "" if node.domain in ("", "ai.onnx") else node.domain + "."
    return f"node {node.name or node.output[0]!r} ({domain}{node.op_type})"


def _doubled(array: Any) -> Any:
    """float64 for numbers of any floating-point type."""
    return array.astype(np.float64) if array.dtype.kind == "f" or array.dtype.name == "bfloat16" else array


def _near(a: Any, b: Any) -> bool:
    return bool((abs(a - b) <= _NO_MATCH * np.maximum(1, abs(a))).all())


def _chosen(graph: Any, name: Optional[str]) -> str:
    """The tensor of that name, or the only output that holds floating-point numbers."""
    names = [each.name for each in graph.output]
    if name is None:
        numbers = [each.name for each in graph.output if each.type.tensor_type.elem_type in _FLOATS]
        if len(numbers) != 1:
            raise unsupported(f"the model has the outputs {', '.join(map(repr, names))}: choose one by output=")
        return str(numbers[0])
    if not any(name in node.output for node in graph.node):
        raise ValueError(f"output: {name!r} is no tensor of the model, whose outputs are {', '.join(map(repr, names))}")
    return name


def _needed(nodes: Any, output: str) -> list[Any]:
    """The nodes that an output depends on, in their order."""
    wanted, needed = {output}, []
    for node in reversed(nodes):
        if wanted & set(node.output):
            wanted |= set(node.input)
            needed.append(node)
    return needed[::-1]


def _evaluated(node: Any, values: dict[str, Any], opsets: Any) -> Any:
    """The result of one node."""
    feeds = {name: values[name] for name in node.input if name}
    inputs = [_helper.make_tensor_value_info(name, _helper.np_dtype_to_tensor_dtype(value.dtype), None)
              for name, value in feeds.items()]
    output = _helper.make_tensor_value_info(node.output[0], _onnx.TensorProto.UNDEFINED, None)
    model = _helper.make_model(_helper.make_graph([node], "node", inputs, [output]), opset_imports=opsets)
    return _doubled(_reference.ReferenceEvaluator(model).run(None, feeds)[0])


@functools.cache
def _activation(name: str) -> _Doubles:
    """The values [points][1] of an activation at _POINTS."""
    graph = _Graph()
    values = {graph.latest: _POINTS[:, None]}
    graph.expression("a", _EXPRESSIONS[name])
    values.update({each.name: _doubled(_numpy_helper.to_array(each)) for each in graph.constants})
    for node in graph.nodes:
        values[node.output[0]] = _evaluated(node, values, [_helper.make_opsetid("", _OPSET)])
    return np.asarray(values[graph.latest])


def from_model(model: Any, output: Optional[str] = None) -> Network:
    """Make a network of an ONNX model of a multilayer network.

    The model must have one input, of rows of numbers, and layers one after the other: Gemm, or MatMul and Add, with
    constants; BatchNormalization; built-in activations, as one operator or as several; Softmax; and additions and
    multiplications by constants. Models of PyTorch's and scikit-learn's exporters are such models.

    Parameters
    ----------
    model : onnx.ModelProto
        The model.
    output : str, optional
        The name of the output, or of a tensor within the model. None for the only output that has floating-point numbers.

    Returns
    -------
    Network
        A network that predicts the same, to float32 accuracy. UnsupportedError names the first node, with its operator,
        that has no counterpart.

    Examples
    --------
    >>> import libbackprop as bp
    >>> from libbackprop.onnx import from_model, to_model
    >>> from_model(to_model(bp.Network([4, 8, 3]))).activations
    ('logistic', 'logistic')
    """
    return _made(Network, model, output)


def _made(cls: type[_Network], model: Any, output: Optional[str]) -> _Network:
    if not isinstance(model, _onnx.ModelProto):
        raise TypeError(f"model: expected an onnx.ModelProto, got {type(model).__name__}")
    network = _Reader(model, output).read().network(cls)
    network.metadata.update({each.key: each.value for each in model.metadata_props if each.key})
    return network


def write(network: Network, path: Path) -> None:
    """Network.to_onnx."""
    _onnx.save(to_model(network), os.fsdecode(path))


def read(cls: type[_Network], path: Path, output: Optional[str]) -> _Network:
    """Network.from_onnx."""
    try:
        model = _onnx.load(os.fsdecode(path))
    except _message.DecodeError as error:
        raise ModelError(f"{os.fsdecode(path)}: not an ONNX model: {error}", Status.ERROR_NOT_A_MODEL) from None
    return _made(cls, model, output)
