"""The way into the library, and the way of exceptions out of its callbacks.

An exception cannot pass through C. A callback that raises leaves it with `remember` and tells the library to fail; the
`call` that led there raises it again. Ctrl-C needs more care: Python delivers it at the first instruction of whatever
Python function runs next, and when that is the callback itself, no `try` in it is early enough, and ctypes would print
and forget the exception. So while a call may run callbacks, SIGINT goes by `_on_interrupt`, which remembers what the
program's own handler raises wherever raising would lose it.
"""
from __future__ import annotations

import ctypes
import itertools
import os
import threading
from typing import Any, Callable, Optional, TypeVar

import _signal  # type: ignore[import-not-found]  # signal wraps it in Python functions, in which Ctrl-C could strike

from . import errors
from ._arguments import Path
from ._library import library

__all__ = ["call", "check", "failed", "for_ever", "keys", "message", "plugins", "remember", "shelter", "text_of", "texts_of"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


class _Thread(threading.local):
    error: Optional[BaseException] = None  # raised in a callback of the call in progress


_thread = _Thread()
_sheltered: set[Any] = set()  # code that no exception of a signal handler may leave
_handler: Any = None  # the program's own, while _on_interrupt is in its place
_holder: Optional[int] = None  # the thread whose call put it there

# user_data: what it stands for; an activation until the library's destroy callback, a progress function during its fit
plugins: dict[int, Any] = {}
keys = itertools.count(1)  # for it


def shelter(function: _Function) -> _Function:
    """Marks a function in whose own frame Ctrl-C is remembered, not raised."""
    _sheltered.add(function.__code__)
    return function


@shelter
def remember(error: BaseException) -> None:
    """Keeps an exception for the call in progress on this thread. The first one counts."""
    if _thread.error is None:
        _thread.error = error


@shelter
def failed() -> bool:
    """Whether a callback of the call in progress on this thread has already failed."""
    return _thread.error is not None


@shelter
def _on_interrupt(number: int, frame: Any) -> None:
    try:
        _handler(number, frame)
    except BaseException as error:
        if frame is None or frame.f_code not in _sheltered:
            raise
        remember(error)


@shelter
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


@shelter
def _release_interrupts() -> None:
    if _signal.getsignal(_signal.SIGINT) is _on_interrupt:
        _signal.signal(_signal.SIGINT, _handler)


def _release_in_child() -> None:
    """A child of fork lacks the call whose end would have released them, unless that call is on the forking thread."""
    if _holder != threading.get_ident():
        _release_interrupts()


os.register_at_fork(after_in_child=_release_in_child)


def for_ever(prototype: Any) -> Callable[[Callable[..., Any]], Any]:
    """What C calls must outlive Python's own end: a daemon thread may be in the library while modules are taken down."""

    def make(function: Callable[..., Any]) -> Any:
        callback = prototype(function)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(callback))
        return callback

    return make


def text_of(function: Callable[..., int], *arguments: Any) -> str:
    """The text with which a function of the library fills a buffer."""
    needed, capacity = ctypes.c_size_t(), 257
    while True:
        buffer = ctypes.create_string_buffer(capacity)
        status = function(*arguments, buffer, capacity, ctypes.byref(needed))
        if status != errors.Status.ERROR_BUFFER_TOO_SMALL:
            check(status)
            return buffer.value.decode()
        capacity = needed.value


def texts_of(function: Callable[..., int], *arguments: Any) -> list[str]:
    """The texts that a function of the library gives for the indices 0, 1, ..."""
    found: list[str] = []
    while True:
        try:
            found.append(text_of(function, *arguments, len(found)))
        except errors.UnknownNameError:
            return found


def message() -> str:
    """What the library says about this thread's latest call that failed."""
    text: bytes = library.bp_last_error_message()
    return text.decode("utf-8", "backslashreplace")  # paths are bytes


def check(status: int, path: Optional[Path] = None) -> None:
    """Raises the exception that an error status stands for, of a call with that path."""
    if status < 0:
        errno = ctypes.get_errno() if status == errors.Status.ERROR_IO else 0
        raise errors.from_status(status, message(), errno, None if path is None else os.fspath(path))


@shelter
def call(function: Callable[..., int], *arguments: Any, path: Optional[Path] = None) -> int:
    """Calls a function of the library. Raises what a callback raised, else what its status stands for; returns a status
    that is no error. path: that of a file function, for its exception."""
    outer, _thread.error = _thread.error, None  # a callback may itself be making this call
    held = bool(plugins) and _hold_interrupts()
    try:
        status = function(*arguments)
    finally:
        if held:
            _release_interrupts()
        error, _thread.error = _thread.error, outer
    if error is not None:
        try:
            raise error
        finally:
            del error  # its traceback holds this frame
    check(status, path)
    return status
