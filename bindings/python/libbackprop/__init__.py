"""libbackprop: multilayer neural networks trained by backpropagation.

    import libbackprop as bp

    network = bp.Network([2, 4, 1], seed=1)
    for epoch in range(5000):
        network.train_minibatch(inputs, targets, learning_rate=1.0)
    network.predict(inputs)
    network.save("xor.safetensors")
"""
from . import _arguments, _call, _library, activation
from .activation import Activation, load_plugin
from .errors import (
    BusyError, CallbackError, Error, FileError, InvalidHandleError, InvalidValueError, LibraryError, LimitError, ModelError,
    NotFiniteError, OutOfMemoryError, Status, UnknownNameError, UnsupportedError,
)
from .network import Network, Path
from .option import Option, options
from .trainer import FitResult, Progress, Trainer

__version__ = "0.2.0"


def load(path: Path) -> Network:
    """Makes a network from a file: Network.load."""
    return Network.load(path)


def library_version() -> str:
    """The version of the shared library in use, such as "0.2.0"."""
    return _library.library.bp_version_string().decode()


def library_path() -> str:
    """Where the shared library was loaded from."""
    return _library.path


def set_thread_count(count: int) -> None:
    """How many threads one call may use, at most 256; 0 lets the library choose. Results do not depend on it."""
    _call.call(_library.library.bp_set_thread_count, _arguments.unsigned(count, "count"))


def thread_count() -> int:
    """The number of threads in force."""
    return _library.library.bp_thread_count()


def instruction_set() -> str:
    """The instructions the library computes with on this processor, such as "avx2"."""
    return _library.library.bp_instruction_set().decode()
