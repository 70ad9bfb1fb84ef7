"""libbackprop: multilayer neural networks trained by backpropagation.

`Network` creates, trains, runs, saves and loads a network. `Trainer` trains many networks, and on streams. `Predictor` predicts
without waiting for a thread that trains. The module `activation` registers custom activations, and `plot` draws pictures.
`Error` is the base class of all errors that the library reports.

Examples
--------
>>> x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["same", "different", "different", "same"]
>>> network = bp.Network([2, 8, 2], activation="tanh", loss="cross_entropy", optimizer="adam", seed=1)
>>> history = network.fit(x, y, epochs=500, learning_rate=0.05)
>>> network.predict_classes(x).tolist()
['same', 'different', 'different', 'same']
>>> network.save("xor.safetensors")
"""
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import _library  # first: it refuses a subinterpreter before NumPy fails there
from . import _arguments, _call, activation
from ._arguments import Path
from ._classes import one_hot
from ._stream import Batches
from .activation import Activation, load_plugin
from .errors import (
    BusyError, CallbackError, Error, FileError, InvalidHandleError, InvalidValueError, LibraryError, LimitError,
    MissingClassWarning, ModelError, NotFiniteError, OutOfMemoryError, Status, UnknownNameError, UnsupportedError, WorkerError,
)
from .history import History
from .layer import Layer
from .losses import Loss, check_loss, loss, unregister_loss
from .metadata import Metadata
from .network import Network, Scaling
from .option import Option, options
from .predictor import Predictor
from .summary import Summary
from .tensors import Tensors
from .trainer import FitResult, Progress, Trainer

if TYPE_CHECKING:
    from . import distributed as distributed, jax as jax, onnx as onnx, plot, sklearn as sklearn, torch as torch
else:

    def __getattr__(name: str) -> Any:
        """Imports the modules that need other packages when they are first used."""
        if name in ("distributed", "jax", "onnx", "plot", "sklearn", "torch"):
            return importlib.import_module(f"libbackprop.{name}")
        raise AttributeError(f"module 'libbackprop' has no attribute {name!r}")


__all__ = [
    "Activation", "Batches", "BusyError", "CallbackError", "Error", "FileError", "FitResult", "History", "InvalidHandleError",
    "InvalidValueError", "Layer", "LibraryError", "LimitError", "Loss", "Metadata", "MissingClassWarning", "ModelError",
    "Network", "NotFiniteError", "Option", "OutOfMemoryError", "Path", "Predictor", "Progress", "Scaling", "Status",
    "Summary", "Tensors", "Trainer", "UnknownNameError", "UnsupportedError", "WorkerError", "activation", "check_loss",
    "instruction_set", "library_path", "library_version", "load", "load_plugin", "loss", "loss_names", "one_hot",
    "optimizer_names", "options", "plot", "scaling_names", "score_names", "set_thread_count", "thread_count",
    "unregister_loss",
]

__version__ = "0.2.0"


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def load(path: Path) -> Network:
    """Creates a network from a file. The same as Network.load.

    Examples
    --------
    >>> bp.Network([2, 1], seed=1).save("model.safetensors")
    >>> bp.load("model.safetensors").layers
    (2, 1)
    """
    return Network.load(path)


def loss_names() -> list[str]:
    """The names that Network.set_loss accepts.

    Examples
    --------
    >>> bp.loss_names()[:3]
    ['squared_error', 'binary_cross_entropy', 'cross_entropy']
    """
    return _call.texts_of(_library.library.bp_loss_name)


def optimizer_names() -> list[str]:
    """The names that Network.set_optimizer accepts.

    Examples
    --------
    >>> bp.optimizer_names()[:3]
    ['sgd', 'momentum', 'nesterov']
    """
    return _call.texts_of(_library.library.bp_optimizer_name)


def scaling_names() -> list[str]:
    """The names that Network.fit_scaling accepts.

    Examples
    --------
    >>> bp.scaling_names()
    ['none', 'standard', 'min_max', 'symmetric', 'auto']
    """
    return _call.texts_of(_library.library.bp_scaling_name)


def score_names() -> list[str]:
    """The names of the measures that Network.score accepts.

    Examples
    --------
    >>> bp.score_names()
    ['accuracy', 'r2', 'mean_absolute_error']
    """
    return _call.texts_of(_library.library.bp_score_name)


def library_version() -> str:
    """The version of the loaded shared library, such as "0.2.0".

    Examples
    --------
    >>> bp.library_version() == bp.__version__
    True
    """
    version: bytes = _library.library.bp_version_string()
    return version.decode()


def library_path() -> str:
    """The path of the loaded shared library.

    Examples
    --------
    >>> ".so" in bp.library_path()
    True
    """
    return _library.path


def set_thread_count(count: int) -> None:
    """Sets the number of threads that one call may use, the calling thread included: at most 256. 0 means automatic.

    Results do not depend on the number. InvalidValueError for more than 256, ValueError for a negative number, TypeError
    for a number that is not an integer.

    Examples
    --------
    >>> bp.set_thread_count(2)
    >>> bp.thread_count()
    2
    >>> bp.set_thread_count(0)
    """
    _call.call(_library.library.bp_set_thread_count, _arguments.unsigned(count, "count"))


def thread_count() -> int:
    """The number of threads that one call may use: the number that was set, or the automatic one.

    Examples
    --------
    >>> bp.thread_count() >= 1
    True
    """
    return int(_library.library.bp_thread_count())


def instruction_set() -> str:
    """The instruction set that the library uses on this processor: "avx512", "avx2", "neon" or "baseline".

    Examples
    --------
    >>> bp.instruction_set() in ("avx512", "avx2", "neon", "baseline")
    True
    """
    name: bytes = _library.library.bp_instruction_set()
    return name.decode()
