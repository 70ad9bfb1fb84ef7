"""One exception class for each group of errors, every one also of the built-in class a Python programmer expects."""
from __future__ import annotations

import enum


class Status(enum.IntEnum):
    """The library's status codes, named as in backprop.h without their "BP_"."""

    OK = 0
    STOPPED = 1
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


class Error(Exception):
    """Whatever the library reports. `status` is its number, `status_name` the number's name."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = int(status)

    @property
    def status_name(self) -> str:
        try:
            return "BP_" + Status(self.status).name
        except ValueError:
            return "BP_ERROR_UNKNOWN_STATUS"


class InvalidValueError(Error, ValueError):
    """A value outside what the function accepts."""


class InvalidHandleError(Error, ValueError):
    """A network or trainer that was closed."""


class BusyError(Error, RuntimeError):
    """An activation function called into the network that was calling it; or it is being fitted."""


class UnknownNameError(Error, LookupError):
    """No activation, loss or option of that name."""


class UnsupportedError(Error, NotImplementedError):
    """Meaningful, but not possible here."""


class OutOfMemoryError(Error, MemoryError):
    """There was not enough memory."""


class LimitError(Error, OverflowError):
    """A size beyond what the library can count or hold."""


class FileError(Error, OSError):
    """The operating system refused to read or write."""


class ModelError(Error, ValueError):
    """A file of another kind, cut, changed, of an unknown version, or not fitting: `status_name` tells which."""


class NotFiniteError(Error, ArithmeticError):
    """A NaN or an infinity in the data, the loss or the gradient."""


class CallbackError(Error, RuntimeError):
    """A callback reported a failure."""


class LibraryError(Error, OSError):
    """A shared library that cannot be opened, or lacks a function."""


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
}


def from_status(status: int, message: str) -> Error:
    """The exception for an error status."""
    return _CLASSES.get(status, Error)(message, status)
