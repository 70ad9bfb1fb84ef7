"""Finds, loads and checks the shared library. `library` is the result."""
from __future__ import annotations

import ctypes
import os

from ._prototypes import ABI_VERSION, PROTOTYPES, USES_ERRNO

__all__ = ["VARIABLE", "find", "library", "load", "path", "undeclared"]

VARIABLE = "LIBBACKPROP_LIBRARY"


def find() -> str:
    """The path of the library: from the environment variable, otherwise in the folder of the package. Never a system folder."""
    own = os.path.join(os.path.dirname(__file__), "libbackprop.so")
    return os.path.abspath(os.environ.get(VARIABLE) or own)


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


path = find()
library = load(path)

# The same functions for short calls. ctypes does not check or convert their arguments, which would take longer than the call:
# each must be an object of ctypes with the type in PROTOTYPES, bytes for a string, or None. The result is an int32_t.
undeclared = ctypes.CDLL(path)
