"""OpenVINO (inference)."""
import numpy as np
from job import THREADS


def variants(job):
    if job.train:
        return
    import openvino as ov
    import openvino.opset13 as op
    function = {"logistic": op.sigmoid, "tanh": op.tanh, "relu": op.relu}
    x = h = op.parameter([-1, job.size[0]], np.float32)
    for k, (w, b) in enumerate(job.layers):
        h = function[job.act(k)](op.add(op.matmul(h, op.constant(w.T.copy()), False, False), op.constant(b[None])))

    def request(hint):
        compiled = ov.Core().compile_model(ov.Model([h], [x], "mlp"), "CPU", {
            "PERFORMANCE_HINT": hint, "INFERENCE_NUM_THREADS": THREADS, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"})
        return compiled.create_infer_request()

    def answer(request, rows):
        request.set_input_tensor(ov.Tensor(rows, shared_memory=True))
        request.infer()
        return request.get_output_tensor().data

    for hint in ("LATENCY", "THROUGHPUT"):
        made = request(hint)

        def run(n, made=made):
            for _ in range(n):
                answer(made, job.next_rows())
        yield hint.lower(), run, lambda x, made=made: answer(made, x).copy()
