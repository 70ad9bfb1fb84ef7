"""The exceptions of the library: one class for each group of status codes, each also of the matching built-in class."""
from __future__ import annotations

import enum
import os
from typing import Any, Optional, Union

__all__ = [
    "BusyError", "CallbackError", "Error", "FileError", "InvalidHandleError", "InvalidValueError", "LibraryError", "LimitError",
    "MissingClassWarning", "ModelError", "NotFiniteError", "OutOfMemoryError", "Status", "UnknownNameError", "UnsupportedError",
    "from_status",
]


class Status(enum.IntEnum):
    """The status codes of the library, named as in backprop.h without the prefix "BP_".

    Examples
    --------
    >>> bp.Status.ERROR_IO, int(bp.Status.OK)
    (<Status.ERROR_IO: -100>, 0)
    """

    OK = 0
    STOPPED = 1
    WARNING_MISSING_CLASS = 2
    ERROR_NULL_ARGUMENT = -1
    ERROR_INVALID_VALUE = -2
    ERROR_INVALID_HANDLE = -3
    ERROR_BUSY = -4
    ERROR_UNKNOWN_NAME = -5
    ERROR_UNSUPPORTED = -6
    ERROR_BUFFER_TOO_SMALL = -7
    ERROR_OUT_OF_MEMORY = -50
    ERROR_LIMIT = -51
    ERROR_IO = -100
    ERROR_NOT_A_MODEL = -101
    ERROR_CORRUPT = -102
    ERROR_VERSION = -103
    ERROR_MISMATCH = -104
    ERROR_NOT_FINITE = -200
    ERROR_CALLBACK = -300
    ERROR_LIBRARY = -301
    ERROR_WORKER = -302


class Error(Exception):
    """The base class of all errors that the library reports.

    status is the status code, an int; status_name is the name of the status code, such as "BP_ERROR_IO".

    Examples
    --------
    >>> try:
    ...     bp.Network([2])
    ... except bp.Error as error:
    ...     print(error.status_name, error.status)
    BP_ERROR_INVALID_VALUE -2
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status: int = int(status)

    @property
    def status_name(self) -> str:
        """The name of the status code, such as "BP_ERROR_IO"."""
        try:
            return "BP_" + Status(self.status).name
        except ValueError:
            return "BP_ERROR_UNKNOWN_STATUS"


class MissingClassWarning(UserWarning):
    """A split by the option stratify has a class without a training row or a validation row.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     network = bp.Network([1, 2], loss="cross_entropy")
    ...     result = bp.Trainer(epochs=1, validation_fraction=0.5, stratify=1).fit(network, [[0], [1], [2]], [0, 0, 1])
    >>> caught[0].category.__name__
    'MissingClassWarning'
    """


class InvalidValueError(Error, ValueError):
    """A value outside what the function accepts.

    Examples
    --------
    >>> try:
    ...     bp.Network([2, 3, 1]).set_dropout(1, 2)
    ... except bp.InvalidValueError as error:
    ...     print(isinstance(error, ValueError))
    True
    """


class InvalidHandleError(Error, ValueError):
    """The network or trainer is closed. In a child of fork, also: another thread was changing or fitting it.

    Examples
    --------
    >>> network = bp.Network([2, 1])
    >>> network.close()
    >>> try:
    ...     network.predict([[1, 2]])
    ... except bp.InvalidHandleError as error:
    ...     print(error)
    the network is closed
    """


class BusyError(Error, RuntimeError):
    """An activation function used the network that called it, or the network or trainer is in a fit.

    Examples
    --------
    >>> trainer, network = bp.Trainer(epochs=1), bp.Network([1, 1])
    >>> def again(progress):
    ...     trainer.fit(network, [[1]], [[1]])
    >>> try:
    ...     trainer.fit(network, [[1]], [[1]], progress=again)
    ... except bp.BusyError as error:
    ...     print(error.status_name)
    BP_ERROR_BUSY
    """


class UnknownNameError(Error, LookupError):
    """No activation, loss, optimizer, scaling, measure, tensor or option has that name.

    Examples
    --------
    >>> try:
    ...     bp.Network([2, 3, 1], activation="tahn")
    ... except bp.UnknownNameError as error:
    ...     print(str(error).partition(" libbackprop")[0])
    no activation is named "tahn": did you mean "tanh"?
    """


class UnsupportedError(Error, NotImplementedError):
    """The call is valid in general, but not supported for this object or setting.

    Examples
    --------
    >>> try:
    ...     bp.activation.unregister("tanh")
    ... except bp.UnsupportedError as error:
    ...     print(isinstance(error, NotImplementedError))
    True
    """


class OutOfMemoryError(Error, MemoryError):
    """Not enough memory.

    Examples
    --------
    >>> issubclass(bp.OutOfMemoryError, MemoryError)
    True
    """

    # tblib, with which Dask pickles errors, calls __new__. That of MemoryError refuses a class whose first base is another one.
    def __new__(cls, *arguments: object) -> OutOfMemoryError:
        return Exception.__new__(cls, *arguments)


class LimitError(Error, OverflowError):
    """A size that is larger than the library supports.

    Examples
    --------
    >>> try:
    ...     bp.Network([2**40, 2**40])
    ... except bp.LimitError as error:
    ...     print(isinstance(error, OverflowError))
    True
    """


class FileError(Error, OSError):
    """A file cannot be read or written. errno and strerror give the reason; filename is the path argument.

    The error is also of the built-in class for the errno, such as FileNotFoundError.

    Examples
    --------
    >>> try:
    ...     bp.load("missing.safetensors")
    ... except bp.FileError as error:
    ...     print(isinstance(error, FileNotFoundError), error.filename)
    True missing.safetensors
    """

    def __init__(self, message: str, status: int = Status.ERROR_IO, errno: int = 0,
                 filename: Union[str, bytes, None] = None) -> None:
        super().__init__(message, status)
        self._message: str = message
        if errno:
            OSError.__init__(self, errno, os.strerror(errno))  # sets the attributes of these names
        self.filename = filename

    def __str__(self) -> str:
        return self._message  # includes the text of the errno

    def __reduce__(self) -> tuple[Any, ...]:
        return from_status, (self.status, self._message, self.errno or 0, self.filename), vars(self)


class ModelError(Error, ValueError):
    """A file that is no model, is damaged or has an unknown version, or data that do not match the network.

    status_name distinguishes these cases.

    Examples
    --------
    >>> try:
    ...     bp.Network.from_bytes(b"no model")
    ... except bp.ModelError as error:
    ...     print(error.status_name)
    BP_ERROR_NOT_A_MODEL
    """


class NotFiniteError(Error, ArithmeticError):
    """A NaN or an infinity in the data, the loss or the gradient.

    Examples
    --------
    >>> try:
    ...     bp.Network([1, 1]).train_minibatch([[np.nan]], [[0]], 0.1)
    ... except bp.NotFiniteError as error:
    ...     print(isinstance(error, ArithmeticError))
    True
    """


class CallbackError(Error, RuntimeError):
    """A callback reported a failure.

    Examples
    --------
    >>> issubclass(bp.CallbackError, bp.Error)  # a plug-in raises it; exceptions of Python functions are raised as they are
    True
    """


class LibraryError(Error, OSError):
    """A shared library cannot be opened, or does not have the function.

    Examples
    --------
    >>> try:
    ...     bp.activation.from_library("missing.so", "f", "d(d)")
    ... except bp.LibraryError as error:
    ...     print(isinstance(error, OSError))
    True
    """


class WorkerError(Error, RuntimeError):
    """The call failed on another worker of the same training, and so on all. See Network.set_all_reduce.

    Examples
    --------
    >>> issubclass(bp.WorkerError, bp.Error)  # the worker that failed raises its own error
    True
    """


_CLASSES: dict[int, type[Error]] = {
    Status.ERROR_NULL_ARGUMENT: InvalidValueError,
    Status.ERROR_INVALID_VALUE: InvalidValueError,
    Status.ERROR_INVALID_HANDLE: InvalidHandleError,
    Status.ERROR_BUSY: BusyError,
    Status.ERROR_UNKNOWN_NAME: UnknownNameError,
    Status.ERROR_UNSUPPORTED: UnsupportedError,
    Status.ERROR_OUT_OF_MEMORY: OutOfMemoryError,
    Status.ERROR_LIMIT: LimitError,
    Status.ERROR_IO: FileError,
    Status.ERROR_NOT_A_MODEL: ModelError,
    Status.ERROR_CORRUPT: ModelError,
    Status.ERROR_VERSION: ModelError,
    Status.ERROR_MISMATCH: ModelError,
    Status.ERROR_NOT_FINITE: NotFiniteError,
    Status.ERROR_CALLBACK: CallbackError,
    Status.ERROR_LIBRARY: LibraryError,
    Status.ERROR_WORKER: WorkerError,
}


_FILE_ERRORS: dict[type[OSError], type[FileError]] = {OSError: FileError}


def _file_error(errno: int) -> type[FileError]:
    """A subclass of FileError and of the built-in class for that errno."""
    builtin = type(OSError(errno, ""))
    if builtin not in _FILE_ERRORS:
        members = {"__module__": __name__, "__doc__": FileError.__doc__}
        _FILE_ERRORS[builtin] = type(builtin.__name__, (FileError, builtin), members)
    return _FILE_ERRORS[builtin]


def from_status(status: int, message: str, errno: int = 0, filename: Optional[Union[str, bytes]] = None) -> Error:
    """The exception for an error status. errno and filename are used for ERROR_IO."""
    found = _CLASSES.get(status, Error)
    if issubclass(found, FileError):
        return _file_error(errno)(message, status, errno, filename)
    return found(message, status)
