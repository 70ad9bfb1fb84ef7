"""Calls functions of the library, and passes exceptions of callbacks to the caller.

An exception cannot pass through C. A callback that raises stores the exception with `remember` and returns a failure to
the library; the `call` that ran the callback raises the exception again. Ctrl-C needs more care. Python runs the signal
handler before the first instruction of the next Python function. If that function is the callback, no `try` in it is
early enough: ctypes would print the exception and discard it. Therefore, while a call may run callbacks, `_on_interrupt`
handles SIGINT. It calls the program's handler, and stores an exception that would be lost if it were raised.
"""
from __future__ import annotations

import ctypes
import itertools
import os
import re
import threading
from typing import Any, Callable, Optional, TypeVar

import _signal  # type: ignore[import-not-found]  # functions of `signal` are in Python, where Ctrl-C could interrupt them

from . import errors
from ._arguments import Path
from ._library import library

__all__ = [
    "call", "check", "failed", "keys", "message", "never_freed", "plugins", "remember", "replaced", "stores_interrupts",
    "text_of", "texts_of",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])


_errors: dict[int, BaseException] = {}  # thread -> the exception raised in a callback of its call in progress
_storing_code: set[Any] = set()  # code objects in which exceptions of a signal handler must be stored, not raised
_storing_modules = ("_ctypes.function",)  # PyPy's ctypes, which is in Python
_handler: Any = None  # the program's SIGINT handler while _on_interrupt is installed
_holder: Optional[int] = None  # the thread whose call installed _on_interrupt

# user_data -> its object: an activation until the library calls destroy, a progress function during its fit
plugins: dict[int, Any] = {}
keys = itertools.count(1)  # keys of plugins


def stores_interrupts(function: _Function) -> _Function:
    """Decorates a function: an exception of a signal handler in its frame is stored, not raised."""
    _storing_code.add(function.__code__)
    return function


@stores_interrupts
def remember(error: BaseException) -> None:
    """Stores the first exception of the call in progress on this thread."""
    _errors.setdefault(threading.get_ident(), error)


@stores_interrupts
def failed() -> bool:
    """Whether a callback of the call in progress on this thread has already failed."""
    return threading.get_ident() in _errors


@stores_interrupts
def _on_interrupt(number: int, frame: Any) -> None:
    try:
        _handler(number, frame)
    except BaseException as error:
        if frame is None or (frame.f_code not in _storing_code and frame.f_globals.get("__name__") not in _storing_modules):
            raise
        remember(error)


@stores_interrupts
def _hold_interrupts() -> bool:
    global _handler, _holder
    if threading.current_thread() is not threading.main_thread():
        return False  # Python runs signal handlers on the main thread only
    handler = _signal.getsignal(_signal.SIGINT)
    if handler is _on_interrupt or not callable(handler):
        return False
    _handler, _holder = handler, threading.get_ident()
    _signal.signal(_signal.SIGINT, _on_interrupt)
    return True


@stores_interrupts
def _release_interrupts() -> None:
    if _signal.getsignal(_signal.SIGINT) is _on_interrupt:
        _signal.signal(_signal.SIGINT, _handler)


def _release_in_child() -> None:
    """In a child of fork, forgets the other threads: their exceptions, and the handler unless the forking thread restores it."""
    for thread in list(_errors):
        if thread != threading.get_ident():
            del _errors[thread]
    if _holder != threading.get_ident():
        _release_interrupts()


os.register_at_fork(after_in_child=_release_in_child)


def never_freed(prototype: Any) -> Callable[[Callable[..., Any]], Any]:
    """Makes a C callback that is never freed: a daemon thread may call it while Python finalizes its modules."""

    def make(function: Callable[..., Any]) -> Any:
        callback = prototype(function)
        if hasattr(ctypes, "pythonapi"):  # PyPy lacks it, and does not clear modules at exit
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(callback))
        return callback

    return make


_temporary_numbers = itertools.count(1)
_replacing = threading.Lock()


def replaced(name: str, replace: bool, unregister: Callable[[str], Any], register: Callable[[str], Any]) -> None:
    """Calls register(name). To replace, first registers under a temporary name: if that fails, the old activation or loss
    stays registered."""
    if not replace:
        _register(name, register, "replace=True replaces it, unless it is built in")
        return
    with _replacing:  # two threads may replace the same name
        temporary = f"replacing.{next(_temporary_numbers)}"
        register(temporary)
        unregister(temporary)
        try:
            unregister(name)
        except (errors.UnknownNameError, errors.UnsupportedError):
            pass  # nothing to replace; register refuses the name of a built-in one
        _register(name, register, "it is built in and cannot be replaced")


def _register(name: str, register: Callable[[str], Any], remedy: str) -> None:
    try:
        register(name)
    except errors.InvalidValueError as error:
        if " must have 1 to 64 characters " in str(error):
            remedy = "name= sets another one"
        elif not str(error).endswith("is already registered"):
            raise
        raise errors.InvalidValueError(f"{error}; {remedy}", error.status) from None


def text_of(function: Callable[..., int], *arguments: Any) -> str:
    """The text that a function of the library writes to a buffer."""
    needed, capacity = ctypes.c_size_t(), 257
    while True:
        buffer = ctypes.create_string_buffer(capacity)
        status = function(*arguments, buffer, capacity, ctypes.byref(needed))
        if status != errors.Status.ERROR_BUFFER_TOO_SMALL:
            check(status)
            return buffer.value.decode()
        capacity = needed.value


def texts_of(function: Callable[..., int], *arguments: Any) -> list[str]:
    """The texts that a function of the library writes for the indices 0, 1, ..."""
    found: list[str] = []
    while True:
        try:
            found.append(text_of(function, *arguments, len(found)))
        except errors.UnknownNameError:
            return found


_PYTHON_NAMES = {
    "bp_activation_name": "libbackprop.activation.names()",
    "bp_loss_name": "libbackprop.loss_names()",
    "bp_option_info": "libbackprop.options()",
    "bp_network_fit_scaling": "Network.fit_scaling",
    "bp_network_initialize": "Network.initialize",
    "bp_network_load_layer": "Network.load_layer",
    "bp_network_load_weights": "Network.load_weights",
    "bp_network_set_activation": "Network.set_activation",
    "bp_network_set_batchnorm": "Network.set_batchnorm",
    "bp_network_set_dropout": "Network.set_dropout",
    "bp_network_set_loss": "Network.set_loss",
    "bp_network_set_optimizer": "Network.set_optimizer",
    "bp_network_train_minibatch": "Network.train_minibatch",
    "bp_trainer_fit": "Trainer.fit",
}  # of the functions of the C interface that messages mention


def message() -> str:
    """The message of the latest failed call on this thread, with Python's names for functions."""
    encoded: bytes = library.bp_last_error_message()
    text = encoded.decode("utf-8", "backslashreplace")  # a path need not be UTF-8
    # Handles of Python are never from elsewhere.
    text = re.sub(r"\binvalid (\w+) handle: .*?(, or used by another thread at a fork)?$", r"the \1 is closed\2", text)
    return re.sub(r"\bbp_[a-z_]+", lambda found: _PYTHON_NAMES.get(found[0], found[0]), text)


def check(status: int, path: Optional[Path] = None) -> None:
    """Raises the exception for an error status. path: the path argument of the call, if any."""
    if status < 0:
        errno = ctypes.get_errno() if status == errors.Status.ERROR_IO else 0
        raise errors.from_status(status, message(), errno, None if path is None else os.fspath(path))


@stores_interrupts
def call(function: Callable[..., int], *arguments: Any, path: Optional[Path] = None) -> int:
    """Calls a function of the library. Raises the exception of a callback, or the exception for an error status; returns
    any other status. path: the path argument of a file function, for the exception."""
    outer = _taken() if _errors else None  # this call may be within a callback of another call
    held = _hold_interrupts() if plugins else False
    try:
        status = function(*arguments)
    finally:
        if held:
            _release_interrupts()
        error = _taken() if _errors else None
        if outer is not None:
            remember(outer)
    if error is not None:
        try:
            raise error
        finally:
            del error  # its traceback refers to this frame
    if status < 0:
        check(status, path)
    return status


@stores_interrupts
def _taken() -> Optional[BaseException]:
    """Removes and returns the exception of the call in progress on this thread, if any."""
    return _errors.pop(threading.get_ident(), None)
