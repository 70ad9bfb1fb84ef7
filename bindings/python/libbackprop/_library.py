"""Finds, loads and checks the shared library. `library` is the result."""
from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

from ._prototypes import ABI_VERSION, PROTOTYPES, USES_ERRNO

__all__ = ["VARIABLE", "find", "library", "load", "path", "undeclared"]

VARIABLE = "LIBBACKPROP_LIBRARY"


def find() -> str:
    """The path of the library: from the environment variable, otherwise in the folder of the package. Never a system folder."""
    own = os.path.join(os.path.dirname(__file__), "libbackprop.dylib" if sys.platform == "darwin" else "libbackprop.so")
    return os.path.abspath(os.environ.get(VARIABLE) or own)


def _refuse_subinterpreter() -> None:
    """ImportError in a subinterpreter: ctypes would run callbacks in the main interpreter. Without this check, NumPy fails there
    with an error that does not name the reason, or only warns."""
    api: Any = getattr(ctypes, "pythonapi", None)  # PyPy has neither
    if api is None:
        return
    interpreter = ctypes.PYFUNCTYPE(ctypes.c_void_p)
    if interpreter(("PyInterpreterState_Get", api))() != interpreter(("PyInterpreterState_Main", api))():
        raise ImportError("libbackprop can only be imported in the main interpreter, not in a subinterpreter: use a process or "
                          "a thread, and in mod_wsgi WSGIApplicationGroup %{GLOBAL}")


def load(path: str) -> ctypes.CDLL:
    """Loads the library and declares its functions. ImportError for a missing library or another ABI version."""
    try:
        loaded = ctypes.CDLL(path)
        found = loaded.bp_abi_version()
        if found != ABI_VERSION:
            raise ImportError(f"{path} has ABI version {found}, but this package needs {ABI_VERSION}")
        with_errno = ctypes.CDLL(path, use_errno=True)  # stores errno for ctypes.get_errno, at some cost per call
        for name, (restype, *argtypes) in PROTOTYPES.items():
            function = getattr(with_errno if name in USES_ERRNO else loaded, name)
            function.restype, function.argtypes = restype, argtypes
            setattr(loaded, name, function)
    except OSError as error:
        raise ImportError(f"cannot load libbackprop (set {VARIABLE} to its path): {error}") from error
    except AttributeError as error:
        raise ImportError(f"{path} is not the libbackprop that this package needs: {error}") from error
    return loaded


_refuse_subinterpreter()
path = find()
library = load(path)

# The same functions for short calls. ctypes does not check or convert their arguments, which would take longer than the call:
# each must be an object of ctypes with the type in PROTOTYPES, bytes for a string, or None. The result is an int32_t.
undeclared = ctypes.CDLL(path)
