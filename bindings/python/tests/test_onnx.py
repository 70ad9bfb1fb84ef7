"""ONNX: written models run in ONNX Runtime as the network predicts; models that exporters wrote are read."""
import itertools
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

import libbackprop as bp  # noqa: E402
from conversions import BUILT_IN, near, trained  # noqa: E402
from libbackprop.onnx import from_model, to_model  # noqa: E402

EXPORTED = dict(np.load(Path(__file__).resolve().parents[3] / "Tests" / "Fixtures" / "exported.npz"))
NAMES = [name.partition("/")[2] for name in EXPORTED if name.startswith("onnx/")]
REFUSED = {"script_slope": "(LeakyRelu)", "script_tanh_gelu": "(Tanh)", "script_log_softmax": "(LogSoftmax) is not supported",
           "script_layer_norm": "(LayerNormalization) is not supported"}


def run(model, x, output=None):
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None if output is None else [output], {session.get_inputs()[0].name: x.astype(np.float32)})[0]


@pytest.mark.parametrize("batchnorm, output", list(itertools.product(((), (1, 2)), ("tanh", "identity", "softmax"))))
@pytest.mark.parametrize("activation", BUILT_IN)
def test_a_written_model_is_valid_and_predicts_the_same_in_onnx_runtime_and_after_reading(activation, batchnorm, output, rng):
    network, x = trained(activation, rng, batchnorm=batchnorm, output=output)
    network.metadata["author"] = "tests"
    model = to_model(network)
    onnx.checker.check_model(model, full_check=True)
    assert near(run(model, x), network.predict(x))
    again = from_model(model)
    assert near(again.predict(x), network.predict(x))
    assert (again.activations, again.batchnorm, again.layers) == (network.activations, network.batchnorm, network.layers)
    assert again.metadata == {"author": "tests"} and again.scaling.inputs == "standard"


def test_files_are_written_and_read_by_the_network(tmp_path, rng):
    class Mine(bp.Network):
        pass

    network, x = trained("tanh", rng, batchnorm=(1, 2))
    network.to_onnx(tmp_path / "caf\xe9.onnx")
    again = Mine.from_onnx(str(tmp_path / "caf\xe9.onnx"))
    assert type(again) is Mine and near(again.predict(x), network.predict(x))
    with pytest.raises(FileNotFoundError):
        bp.Network.from_onnx(tmp_path / "missing.onnx")
    (tmp_path / "other").write_bytes(b"no model at all")
    with pytest.raises(bp.ModelError, match="other: not an ONNX model"):
        bp.Network.from_onnx(tmp_path / "other")


def test_a_network_without_batch_normalization_has_only_gemms_and_activations(rng):
    network, _ = trained("relu", rng, batchnorm=(1, 2), output="tanh")
    folded = network.clone()
    folded.fold_batchnorm()
    count = [[node.op_type for node in to_model(each).graph.node].count("BatchNormalization") for each in (network, folded)]
    assert count == [2, 0]


def test_custom_activations_are_refused_by_name_and_layer():
    bp.activation.register_scalar("cube", lambda z: z ** 3, lambda z, a: 3 * z * z)
    network = bp.Network([2, 3, 1])
    network.set_activation(1, "cube")
    for _ in range(2):
        with pytest.raises(bp.UnsupportedError, match="layer 1: the custom activation 'cube'"):
            to_model(network)
        if "cube" in bp.activation.names():
            bp.activation.unregister("cube")  # the network keeps it


# Models of exporters


@pytest.mark.parametrize("name", [name for name in NAMES if name not in REFUSED])
def test_a_model_of_an_exporter_predicts_what_its_program_computes(name):
    model = onnx.load_from_string(EXPORTED["onnx/" + name].tobytes())
    output = "out_activations_result" if name == "sklearn_labels" else None  # the output itself has 3 dimensions
    network = from_model(model, output)
    assert near(network.predict(EXPORTED["x"]), EXPORTED["outputs/" + name])
    activation = name.partition("_")[2]
    if activation in BUILT_IN:
        assert network.activations == (activation, activation, "softmax") and network.loss == "cross_entropy"


@pytest.mark.parametrize("name", REFUSED)
def test_a_part_without_counterpart_is_named_with_node_and_operator(name):
    with pytest.raises(bp.UnsupportedError) as error:
        from_model(onnx.load_from_string(EXPORTED["onnx/" + name].tobytes()))
    assert REFUSED[name] in str(error.value) and "node '" in str(error.value)


# Models written node by node, compared with ONNX Runtime

RANDOM = np.random.default_rng(5)
CONSTANTS = {
    "W": RANDOM.normal(size=(3, 4)), "Wt": RANDOM.normal(size=(4, 3)), "b": RANDOM.normal(size=3),
    "V": RANDOM.normal(size=(2, 3)), "row": RANDOM.normal(size=(1, 3)), "c": RANDOM.normal(size=4), "half": 0.5, "two": 2.0,
    "one": 1.0, "negative": -1.5, "zeros": np.zeros(3), "wrong": np.ones(7), "gamma": RANDOM.normal(size=3),
    "mean": RANDOM.normal(size=3), "variance": RANDOM.random(3) + 0.1, "minus": -np.ones(4),
}


def built(*nodes, inputs=("x",), width=4):
    """A model of nodes (operator, inputs, attributes), whose results are named 0, 1, ...; the last one is the output."""
    made = [helper.make_node(operator, names, [str(i)], f"{operator}-{i}", **attributes)
            for i, (operator, names, attributes) in enumerate(nodes)]
    used = {name for node in made for name in node.input} & set(CONSTANTS)
    constants = [numpy_helper.from_array(np.asarray(CONSTANTS[name], np.float32), name) for name in sorted(used)]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", width]) for name in inputs]
    last = helper.make_tensor_value_info(str(len(made) - 1), TensorProto.FLOAT, ["rows", "columns"])
    graph = helper.make_graph(made, "test", values, [last], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def node(operator, *names, **attributes):
    return operator, names, attributes


GEMM = node("Gemm", "x", "W", "b", transB=1)
MODELS = {
    "gemm with alpha and beta": [node("Gemm", "x", "Wt", "b", alpha=0.3, beta=-2.0), node("Tanh", "0")],
    "gemm without bias": [node("Gemm", "x", "Wt")],
    "gemm with a scalar bias": [node("Gemm", "x", "W", "two", transB=1)],
    "gemm with a transposed constant": [node("Transpose", "W", perm=[1, 0]), node("MatMul", "x", "0"), node("Add", "b", "1")],
    "a row as bias": [node("MatMul", "x", "Wt"), node("Add", "0", "row"), node("Relu", "1")],
    "scaled inputs": [node("Sub", "x", "c"), node("Div", "0", "two"), node("Gemm", "1", "W", transB=1)],
    "inputs of the other sign": [node("Mul", "x", "minus"), node("Gemm", "0", "W", transB=1), node("Sigmoid", "1")],
    "one minus the inputs": [node("Sub", "one", "x"), node("Gemm", "0", "W", transB=1)],
    "scaled outputs": [GEMM, node("Tanh", "0"), node("Mul", "1", "two"), node("Add", "2", "b")],
    "outputs of the other sign": [GEMM, node("Sigmoid", "0"), node("Mul", "1", "negative")],
    "scaled weighted sums": [GEMM, node("Mul", "0", "negative"), node("Add", "1", "b"), node("Softplus", "2")],
    "scaled activations": [GEMM, node("Relu", "0"), node("Mul", "1", "gamma"), node("Gemm", "2", "V", transB=1)],
    "two layers without activation between": [GEMM, node("Gemm", "0", "V", transB=1), node("Tanh", "1")],
    "batch normalization twice": [GEMM, node("BatchNormalization", "0", "gamma", "b", "mean", "variance", epsilon=0.01),
                                  node("BatchNormalization", "1", "gamma", "b", "mean", "variance", epsilon=0.1),
                                  node("Elu", "2")],
    "batch normalization after the activation": [
        GEMM, node("Relu", "0"), node("BatchNormalization", "1", "gamma", "b", "mean", "variance"),
        node("Gemm", "2", "V", transB=1)],
    "silu of two operators": [GEMM, node("Sigmoid", "0"), node("Mul", "1", "0"), node("Gemm", "2", "V", transB=1)],
    "tanh by exponentials": [GEMM, node("Exp", "0"), node("Neg", "0"), node("Exp", "2"), node("Sub", "1", "3"),
                             node("Add", "1", "3"), node("Div", "4", "5")],
    "logistic by tanh": [GEMM, node("Mul", "0", "half"), node("Tanh", "1"), node("Mul", "2", "half"), node("Add", "3", "half")],
    "relu by max": [GEMM, node("Max", "0", "zeros"), node("Gemm", "1", "V", transB=1)],
    "nodes without effect": [node("Identity", "x"), node("Cast", "0", to=1), node("Flatten", "1"), node("Gemm", "2", "Wt"),
                             node("Dropout", "3"), node("Softmax", "4", axis=-1), node("Identity", "5")],
}


@pytest.mark.parametrize("nodes", MODELS.values(), ids=MODELS)
def test_a_model_predicts_the_same_as_in_onnx_runtime(nodes, rng):
    model, x = built(*nodes), rng.normal(size=(20, 4)).astype(np.float32)
    onnx.checker.check_model(model, full_check=True)
    assert near(from_model(model).predict(x), run(model, x))


def test_the_size_of_the_input_may_be_that_of_the_first_weights(rng):
    model = built(node("Sub", "x", "c"), node("Gemm", "0", "Wt"), width="columns")
    x = rng.normal(size=(20, 4)).astype(np.float32)
    assert near(from_model(model).predict(x), run(model, x))


UNSUPPORTED = {
    "Conv-0": [node("Conv", "x", "W")],
    "Add-2": [GEMM, node("Relu", "0"), node("Add", "1", "x")],  # a residual connection
    "Gemm-0": [node("Gemm", "x", "W", transA=1)],
    "MatMul-0": [node("MatMul", "W", "x")],
    "Cast-1": [GEMM, node("Cast", "0", to=7)],
    "Flatten-1": [GEMM, node("Flatten", "0", axis=0)],
    "Softmax-1": [GEMM, node("Softmax", "0", axis=0)],
    "Add-1": [GEMM, node("Add", "0", "wrong")],
    "ArgMax-1": [GEMM, node("ArgMax", "0")],
    "Concat-1": [GEMM, node("Concat", "0", "0", axis=1)],
    "Abs-1": [GEMM, node("Abs", "0"), node("Gemm", "1", "V", transB=1)],
    "Tanh-1.*Relu-2.*together they are no built-in activation": [GEMM, node("Tanh", "0"), node("Relu", "1")],
    "Cos-1": [GEMM, node("Cos", "0")],
    "before the first weights": [node("Tanh", "x"), node("Gemm", "0", "Wt")],
    "a model without weights": [node("Mul", "x", "two")],
}


@pytest.mark.parametrize("named, nodes", UNSUPPORTED.items())
def test_a_model_that_is_no_multilayer_network_is_refused_with_the_node(named, nodes):
    with pytest.raises(bp.UnsupportedError, match=named):
        from_model(built(*nodes))


def test_a_model_with_several_inputs_or_outputs_needs_a_choice():
    with pytest.raises(bp.UnsupportedError, match="1 input, got 2: x, y"):
        from_model(built(node("Gemm", "x", "Wt"), node("Add", "0", "y"), inputs=("x", "y")))
    model = built(GEMM, node("Relu", "0"))
    model.graph.output.append(helper.make_tensor_value_info("0", TensorProto.FLOAT, None))
    with pytest.raises(bp.UnsupportedError, match="'1', '0': choose one by output="):
        from_model(model)
    assert from_model(model, "0").activations == ("identity",) and from_model(model, "1").activations == ("relu",)
    with pytest.raises(ValueError, match="'z' is no tensor of the model, whose outputs are '1', '0'"):
        from_model(model, "z")
    with pytest.raises(TypeError, match=r"expected an onnx\.ModelProto, got bytes"):
        from_model(model.SerializeToString())
