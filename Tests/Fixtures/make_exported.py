"""Writes exported.npz: models of PyTorch and scikit-learn as their exporters write them, with their predictions.

    python3 -m venv /tmp/exported && /tmp/exported/bin/pip install torch==2.13.0 onnxscript==0.7.2 skl2onnx==1.20.0 \\
        scikit-learn==1.9.1 onnx==1.23.2
    /tmp/exported/bin/python Tests/Fixtures/make_exported.py

"x" are the inputs. For each model, "onnx/NAME" are the bytes of the ONNX file, and "outputs/NAME" is what PyTorch or
scikit-learn computes for x. "state/NAME/KEY" are tensors of the state dictionaries of two models.
"""
import tempfile
from pathlib import Path

import numpy as np
import onnx
import skl2onnx
import torch
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from torch import nn

HERE, FOLDER = Path(__file__).parent, Path(tempfile.mkdtemp())
torch.manual_seed(1)
x = torch.randn(20, 4) * 2 + 0.5
found = {"x": x.numpy()}


def trained(*parts):
    """A module with statistics of batch normalization that are not those of a new one."""
    module = nn.Sequential(*parts).train()
    for _ in range(5):
        module(torch.randn(32, 4) * 3 - 1)
    return module.eval()


def keep(name, model, outputs):
    found[f"onnx/{name}"] = np.frombuffer(model.SerializeToString(), np.uint8)
    found[f"outputs/{name}"] = outputs.astype(np.float32)


ACTIVATIONS = {
    "relu": nn.ReLU, "tanh": nn.Tanh, "logistic": nn.Sigmoid, "leaky_relu": nn.LeakyReLU, "elu": nn.ELU, "selu": nn.SELU,
    "softplus": nn.Softplus, "softsign": nn.Softsign, "silu": nn.SiLU, "gelu": nn.GELU, "relu6": nn.ReLU6, "mish": nn.Mish,
    "hard_sigmoid": nn.Hardsigmoid, "hard_swish": nn.Hardswish,
}
modules = {
    name: trained(nn.Flatten(), nn.Linear(4, 5), nn.BatchNorm1d(5), make(), nn.Dropout(0.1), nn.Linear(5, 5, bias=False), make(),
                  nn.BatchNorm1d(5), nn.Linear(5, 3), nn.Softmax(-1)) for name, make in ACTIVATIONS.items()}
modules["beta"] = trained(nn.Linear(4, 5), nn.Softplus(beta=2.0), nn.Linear(5, 2))
refused = {"slope": trained(nn.Linear(4, 5), nn.LeakyReLU(0.2), nn.Linear(5, 2)),
           "tanh_gelu": trained(nn.Linear(4, 5), nn.GELU("tanh"), nn.Linear(5, 2)),
           "log_softmax": trained(nn.Linear(4, 5), nn.LogSoftmax(-1)),
           "layer_norm": trained(nn.Linear(4, 5), nn.LayerNorm(5), nn.Linear(5, 2))}
for name, module in {**modules, **refused}.items():
    for exporter, settings in (("script", {"dynamo": False, "opset_version": 17, "dynamic_axes": {"x": {0: "rows"}}}),
                               ("dynamo", {"dynamo": True, "dynamic_shapes": ({0: torch.export.Dim("rows")},), "verbose": False,
                                           "external_data": False})):
        if exporter == "script" or name in ACTIVATIONS:
            torch.onnx.export(module, (torch.zeros(2, 4),), FOLDER / "model.onnx", input_names=["x"], **settings)
            model = onnx.load(FOLDER / "model.onnx")
            for node in model.graph.node:  # names of source files
                del node.metadata_props[:]
                node.doc_string = ""
            for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
                del value.metadata_props[:]
            del model.graph.metadata_props[:], model.metadata_props[:]
            keep(f"{exporter}_{name}", model, module(x).detach().numpy())
    if name in ("tanh", "gelu"):
        found.update({f"state/{name}/{key}": value.numpy() for key, value in module.state_dict().items()})

y = x.numpy()
ESTIMATORS = {
    "classes": (MLPClassifier((5,), max_iter=20, random_state=0), np.arange(20) % 3),
    "two_classes": (MLPClassifier((5, 4), "tanh", max_iter=20, random_state=0), np.arange(20) % 2),
    "labels": (MLPClassifier((5,), "logistic", max_iter=20, random_state=0), (y[:, :2] > 0).astype(int)),
    "numbers": (MLPRegressor(hidden_layer_sizes=(5,), max_iter=20, random_state=0), y[:, 0]),
    "standard": (make_pipeline(StandardScaler(), MLPClassifier((5,), max_iter=20, random_state=0)), np.arange(20) % 3),
    "min_max": (make_pipeline(MinMaxScaler(), MLPClassifier((5,), max_iter=20, random_state=0)), np.arange(20) % 3),
}
for name, (estimator, targets) in ESTIMATORS.items():
    estimator.fit(y, targets)
    classifies = hasattr(estimator, "predict_proba")
    model = skl2onnx.to_onnx(estimator, y[:1], options={"zipmap": False} if classifies else None, target_opset=17)
    keep(f"sklearn_{name}", model, estimator.predict_proba(y) if classifies else estimator.predict(y)[:, None])
np.savez_compressed(HERE / "exported.npz", **found)
