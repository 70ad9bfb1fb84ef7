"""libbackprop: multilayer neural networks trained by backpropagation.

    import libbackprop as bp

    network = bp.Network([2, 4, 1], seed=1)
    for epoch in range(5000):
        network.train_minibatch(inputs, targets, learning_rate=1.0)
    network.predict(inputs)
    network.save("xor.safetensors")
"""
from . import _arguments, _call, _library, activation
from ._arguments import Path
from .activation import Activation, load_plugin
from .errors import (
    BusyError, CallbackError, Error, FileError, InvalidHandleError, InvalidValueError, LibraryError, LimitError, ModelError,
    NotFiniteError, OutOfMemoryError, Status, UnknownNameError, UnsupportedError,
)
from .metadata import Metadata
from .network import Network, Scaling
from .option import Option, options
from .tensors import Tensors
from .trainer import FitResult, Progress, Trainer

__all__ = [
    "Activation", "BusyError", "CallbackError", "Error", "FileError", "FitResult", "InvalidHandleError", "InvalidValueError",
    "LibraryError", "LimitError", "Metadata", "ModelError", "Network", "NotFiniteError", "Option", "OutOfMemoryError", "Path",
    "Progress", "Scaling", "Status", "Tensors", "Trainer", "UnknownNameError", "UnsupportedError", "activation",
    "instruction_set", "library_path", "library_version", "load", "load_plugin", "loss_names", "optimizer_names", "options",
    "scaling_names", "score_names", "set_thread_count", "thread_count",
]

__version__ = "0.2.0"


def load(path: Path) -> Network:
    """Makes a network from a file: Network.load."""
    return Network.load(path)


def loss_names() -> list[str]:
    """The names that Network.set_loss takes."""
    return _call.texts_of(_library.library.bp_loss_name)


def optimizer_names() -> list[str]:
    """The names that Network.set_optimizer takes."""
    return _call.texts_of(_library.library.bp_optimizer_name)


def scaling_names() -> list[str]:
    """The names that Network.fit_scaling takes."""
    return _call.texts_of(_library.library.bp_scaling_name)


def score_names() -> list[str]:
    """The names of the measures that Network.score takes."""
    return _call.texts_of(_library.library.bp_score_name)


def library_version() -> str:
    """The version of the shared library in use, such as "0.2.0"."""
    version: bytes = _library.library.bp_version_string()
    return version.decode()


def library_path() -> str:
    """Where the shared library was loaded from."""
    return _library.path


def set_thread_count(count: int) -> None:
    """How many threads one call may use, at most 256; 0 lets the library choose. Results do not depend on it."""
    _call.call(_library.library.bp_set_thread_count, _arguments.unsigned(count, "count"))


def thread_count() -> int:
    """The number of threads in force."""
    return int(_library.library.bp_thread_count())


def instruction_set() -> str:
    """The instructions the library computes with on this processor, such as "avx2"."""
    name: bytes = _library.library.bp_instruction_set()
    return name.decode()
