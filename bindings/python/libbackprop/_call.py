"""The way into the library, and the way of exceptions out of its callbacks.

An exception cannot pass through C. A callback that raises leaves it with `remember` and tells the library to fail; the
`call` that led there raises it again. Ctrl-C needs more care: Python delivers it at the first instruction of whatever
Python function runs next, and when that is the callback itself, no `try` in it is early enough, and ctypes would print
and forget the exception. So while a call may run callbacks, SIGINT goes by `_on_interrupt`, which remembers what the
program's own handler raises wherever raising would lose it.
"""
from __future__ import annotations

import ctypes
import _signal  # signal wraps it in Python functions, in which Ctrl-C could strike
import itertools
import threading
from typing import Any, Callable, Optional

from . import errors
from ._library import library


class _Thread(threading.local):
    error: Optional[BaseException] = None  # raised in a callback of the call in progress


_thread = _Thread()
_sheltered: set[Any] = set()  # code that no exception of a signal handler may leave
_handler: Any = None  # the program's own, while _on_interrupt stands in for it

# user_data: what it stands for; an activation until the library's destroy callback, a progress function during its fit
plugins: dict[int, Any] = {}
keys = itertools.count(1)  # for it


def shelter(function: Callable) -> Callable:
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
    global _handler
    if threading.current_thread() is not threading.main_thread():
        return False  # Python runs signal handlers on the main thread only
    handler = _signal.getsignal(_signal.SIGINT)
    if handler is _on_interrupt or not callable(handler):
        return False
    _handler = handler
    _signal.signal(_signal.SIGINT, _on_interrupt)
    return True


@shelter
def _release_interrupts() -> None:
    if _signal.getsignal(_signal.SIGINT) is _on_interrupt:
        _signal.signal(_signal.SIGINT, _handler)


def for_ever(prototype: Any) -> Callable[[Callable], Any]:
    """What C calls must outlive Python's own end: a daemon thread may be in the library while modules are taken down."""

    def make(function: Callable) -> Any:
        callback = prototype(function)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(callback))
        return callback

    return make


def check(status: int) -> None:
    """Raises the exception that an error status stands for."""
    if status < 0:
        raise errors.from_status(status, library.bp_last_error_message().decode("utf-8", "replace"))


@shelter
def call(function: Callable, *arguments: Any) -> int:
    """Calls a function of the library. Raises what a callback raised, else what its status stands for; returns a status
    that is no error."""
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
    check(status)
    return status
