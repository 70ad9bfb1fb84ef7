"""ONNX Runtime (inference)."""
from job import THREADS


def variants(job):
    if job.train:
        return
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    op = {"logistic": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}
    nodes, consts, name = [], [], "x"
    for k, (w, b) in enumerate(job.layers):
        consts += [numpy_helper.from_array(w, f"w{k}"), numpy_helper.from_array(b, f"b{k}")]
        nodes.append(helper.make_node("Gemm", [name, f"w{k}", f"b{k}"], [f"z{k}"], transB=1))
        nodes.append(helper.make_node(op[job.act(k)], [f"z{k}"], [f"a{k}"]))
        name = f"a{k}"
    graph = helper.make_graph(
        nodes, "mlp", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", job.size[0]])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", job.size[-1]])], consts)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def run(n):
        for _ in range(n):
            session.run(None, {"x": job.next_rows()})
    yield "run", run, lambda x: session.run(None, {"x": x})[0]
