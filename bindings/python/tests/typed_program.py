"""A fully typed program that uses the package. test_types.py runs it, and type checkers check it in strict mode."""
from __future__ import annotations

import copy
import ctypes
import os
import pickle
import tempfile
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt

import libbackprop as bp

Floats = npt.NDArray[np.float32]


def my_tanh_backward(z: Floats, a: Floats, da: Floats) -> npt.NDArray[np.floating]:
    return da * (1 - a * a)


@bp.activation.vector(backward=my_tanh_backward, replace=True)
def my_tanh(z: Floats) -> npt.NDArray[np.floating]:
    return np.tanh(z)


@bp.activation.vector(backward=lambda z, a, da: da * a, name="my.exp")
def my_exp(z: np.ndarray) -> np.ndarray:
    result: np.ndarray = np.exp(z)
    return result


def square_derivative(z: float, a: float) -> float:
    return 2 * z


@bp.activation.scalar(derivative=square_derivative)
def square(z: float) -> float:
    return z * z


@bp.activation.scalar()
def half(z: float) -> np.float32:
    return np.float32(z / 2)


def third_of(z: float) -> float:
    return z / 3


def activations() -> list[bp.Activation]:
    prototype = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)
    third: bp.Activation = bp.activation.from_pointer(prototype(third_of), name="third", thread_safe=False)
    erf = bp.activation.from_library("libm.so.6", "erf", "d(d)", thread_safe=True, replace=True)
    quarter = bp.activation.from_library("libm.so.6", "ldexp", "d(d,i)", constants=[-2], name="quarter")
    report: bp.activation.Report = bp.activation.examine(erf)
    kind: bp.activation.Kind = bp.activation.kind("relu")
    print(report.worst_error < bp.activation.check("tanh") + 1, kind is bp.activation.Kind.BUILT_IN)
    return [my_tanh, my_exp, square, half, third, erf, quarter]


def train(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> bp.Network:
    network = bp.Network([x.shape[1], 8, y.shape[1]], seed=1)
    network.set_activation(1, my_tanh)
    network.set_activation(np.int64(2), "identity")
    network.set_optimizer("adam")
    network.set_option("gradient_reduction", "mean")
    network.set_option("weight_decay", np.float32(1e-4))
    reduction: str = network.get_option("gradient_reduction")
    decay: float = network.get_option("weight_decay")
    network.fit_scaling(x, y, target_scaling="min_max")
    scaling: bp.Scaling = network.scaling
    names: tuple[str, ...] = network.activations
    print(names, network.batchnorm[0] or network.loss in bp.loss_names(), scaling.targets, network.step_count + 1)
    bias: Floats = network.tensors["layers.1.bias"]
    network.tensors["layers.1.bias"] = bias * 2
    network.tensors["layers.1.bias"] = [0.0] * 8
    network.check_settings(y)
    network.metadata["reduction"] = f"{reduction} {decay:g}"

    losses: list[float] = []

    def report(progress: bp.Progress) -> bool:
        losses.append(progress.loss)
        return progress.loss < 1e-6

    trainer = bp.Trainer(epochs=5, batch_size=16, learning_rate=np.float64(0.01), schedule="cosine", drop_last=True)
    result: bp.FitResult = trainer.fit(network, x, y, progress=report, validation=(x[:5], y[:5].tolist()))
    schedule: str = trainer.get_option("schedule")
    epochs: float = trainer.get_option("epochs")
    again: bp.Trainer = pickle.loads(pickle.dumps(trainer))
    again.fit(copy.copy(network), x, y, sample_weight=np.ones(len(x)), progress=lambda progress: None)
    print(schedule, epochs, result.loss == losses[-1], result.stopped, len(result.history))
    streams: list[bp.Batches] = [[(x, y), (x, y, [1.0] * len(x))], lambda epoch, row: [(x[row:], y[row:])], iter([(x, y)])]
    for batches in streams:
        bp.Trainer(epochs=2).fit_stream(network, batches, progress=lambda progress: progress.epoch > 1)
    return network


def learn(x: npt.NDArray[np.float64], labels: list[str]) -> bp.History:
    network = bp.Network([4, 5, 3], activation=[my_tanh], output="softmax", loss="cross_entropy", batchnorm=True, dropout=0.1,
                         optimizer="adam", seed=1, weight_decay=1e-4, gradient_reduction="mean")
    history: bp.History = network.fit(x, labels, epochs=3, validation=0.2, patience=2, progress=lambda now: now.epoch > 2,
                                      schedule="cosine")
    network.fit(x, labels, validation=(x, labels), epochs=1, progress=False, class_weight={"a": 2.0, "b": 1, "c": 1})
    classes: Optional[tuple[Union[str, int, float], ...]] = network.classes
    network.classes = ["c", "b", "a"]
    layer: bp.Layer = network.layers[1]
    layer.weight = layer.weight * 2
    layer.activation, layer.dropout = "relu", 0.25
    targets: Floats = bp.one_hot(labels, classes)
    text: str = network.summary()
    print(len(text), targets.shape, network.predict_classes(x).shape, layer + 1, layer.bias.sum(), history.loss.mean())
    return history


def classify(x: npt.ArrayLike, classes: Union[list[int], npt.NDArray[np.int64]]) -> float:
    network = bp.Network((4, 5, 3))
    network.set_activation(2, "softmax")
    network.set_loss("cross_entropy")
    bp.Trainer(epochs=2).fit(network, x, classes, class_weight="balanced")
    bp.Trainer(epochs=2).fit(network, x, classes, class_weight={0: 1, 1: 2.5, 2: 1})
    return network.score(x, classes, measure="accuracy")


def use(network: bp.Network, x: npt.ArrayLike, folder: Union[str, os.PathLike[str]]) -> Optional[int]:
    with bp.Predictor(network) as predictor:
        row: Floats = predictor.run(np.zeros(predictor.inputs))
        predictor.update(network)
        print(predictor(x, out=np.empty((len(np.asarray(x)), predictor.outputs), np.float32)).shape, row.shape)
    path = Path(folder) / "model.safetensors"
    network.save(path)
    with bp.load(str(path)) as loaded, bp.Network.load(os.fsencode(path)) as other:
        outputs: Floats = loaded.predict(x)
        other.predict(x, out=outputs)
        gradient, loss = loaded.gradient(x, outputs)
        loaded.apply_gradient(gradient, learning_rate=0.1)
        loaded.parameters = [0.0] * loaded.parameter_count
        parameters: Floats = loaded.parameters
        print(outputs.shape, loss >= 0, parameters.any(), loaded.layers, loaded.clone())
    network.load_weights(path)
    network.load_weights_from_bytes(network.to_bytes())
    network.load_layer(1, path, "layers.1.weight", bias=None)
    network.load_layer_from_bytes(1, network.to_bytes(), "layers.1.weight", "layers.1.bias")
    network.set_trainable(1, False)
    frozen: tuple[bool, ...] = network.trainable
    network.set_trainable(1)
    wider: bp.Network = network.replace_output(network.layers[-1] + len(frozen), seed=1)
    wider.close()
    bp.Network.from_bytes(network.to_bytes())
    options: dict[str, bp.Option] = {option.name: option for option in bp.options()}
    print(options["schedule"].choices, [option.default for option in bp.options() if option.whole])
    bp.set_thread_count(bp.thread_count())
    print(bp.library_version(), bp.library_path(), bp.instruction_set(), bp.__version__)
    try:
        bp.load(Path(folder) / "missing")
    except FileNotFoundError as error:
        return error.errno
    except (bp.FileError, bp.ModelError) as error:
        print(error.status_name, error.status == bp.Status.ERROR_IO)
    return None


class Classifier(bp.Network):
    """A network with the names of its classes."""

    names: dict[int, str]

    def name(self, row: npt.ArrayLike) -> str:
        return self.names[int(self.predict(row).argmax())]


def main(*arguments: Any) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 4))
    network = train(x, x[:, :2])
    print(learn(x, list("abcb" * 10)).end)
    print([activation.name for activation in activations()], classify(x, rng.integers(3, size=40)))
    with tempfile.TemporaryDirectory() as folder:
        print(use(network, x, folder))
    classifier = Classifier([4, 2], seed=1)
    classifier.names = {0: "first", 1: "second"}
    print(classifier.name(x[0]), classifier.clone().layers, square(3), repr(half))


if __name__ == "__main__":
    main()
