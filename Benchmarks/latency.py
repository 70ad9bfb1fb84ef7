"""The latency of single-row predictions from Python: libbackprop's predictor and ONNX Runtime, alone and beside training.

    python Benchmarks/latency.py [CALLS]        needs libbackprop, onnx and onnxruntime

The median, the 99.9th percentile and the worst of CALLS calls (100,000 if omitted), in nanoseconds. Both include what Python needs
for a call. Beside training: another thread trains the network and updates the predictor 1,000 times a second.
"""
import sys
import threading
import time

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import libbackprop as bp

CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
NETWORKS = [([4, 16, 16, 1], "tanh"), ([1, 8, 8, 8, 1], "tanh"), ([16, 64, 64, 1], "relu")]


def session_of(network, activation):
    """ONNX Runtime's session for the same network, on one thread."""
    nodes, constants, name, last = [], [], "x", len(network.layers) - 1
    for layer in range(1, last + 1):
        for kind in ("weight", "bias"):
            constants.append(numpy_helper.from_array(np.asarray(network.tensors[f"layers.{layer}.{kind}"]).reshape(
                (network.layers[layer], -1) if kind == "weight" else (-1,)), f"{kind}{layer}"))
        nodes.append(helper.make_node("Gemm", [name, f"weight{layer}", f"bias{layer}"], [f"z{layer}"], transB=1))
        name = f"z{layer}"
        if layer < last:
            nodes.append(helper.make_node(activation.capitalize(), [name], [f"a{layer}"]))
            name = f"a{layer}"
    graph = helper.make_graph(
        nodes, "network", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, network.layers[0]])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, network.layers[-1]])], constants)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def measure(what, call):
    times = np.empty(CALLS, np.int64)
    for i in range(CALLS):
        start = time.perf_counter_ns()
        call()
        times[i] = time.perf_counter_ns() - start
    print(f"  {what:34} p50 {np.median(times):6.0f}   p99.9 {np.quantile(times, 0.999):6.0f}   worst {times.max():8d} ns")


for sizes, activation in NETWORKS:
    network = bp.Network(sizes, seed=1)
    for layer in range(1, len(sizes)):
        network.set_activation(layer, activation if layer + 1 < len(sizes) else "identity")
    predictor, session = bp.Predictor(network), session_of(network, activation)
    x, out = np.full((1, sizes[0]), 0.5, np.float32), np.empty((1, sizes[-1]), np.float32)
    np.testing.assert_allclose(session.run(None, {"x": x})[0], predictor(x), rtol=1e-4, atol=1e-6)
    rows, targets, ended = np.zeros((16, sizes[0]), np.float32), np.zeros((16, sizes[-1]), np.float32), threading.Event()

    def train():
        while not ended.wait(0.001):
            network.train_minibatch(rows, targets, 0.001)
            predictor.update(network)

    print("-".join(map(str, sizes)), activation)
    for beside in ("", ", beside training"):
        trainer = threading.Thread(target=train)
        if beside:
            trainer.start()
        measure("Predictor.run" + beside, lambda: predictor.run(x, out=out))
        measure("ONNX Runtime" + beside, lambda: session.run(None, {"x": x}))
        ended.set()
        if beside:
            trainer.join()
        ended.clear()
