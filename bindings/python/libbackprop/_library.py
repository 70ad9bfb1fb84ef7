"""Finds, checks and loads the shared library; `library` is the result."""
from __future__ import annotations

import ctypes
import os

from ._prototypes import ABI_VERSION, PROTOTYPES, USES_ERRNO

__all__ = ["VARIABLE", "find", "library", "load", "path"]

VARIABLE = "LIBBACKPROP_LIBRARY"


def find() -> str:
    """The path of the library: the environment variable's, else the package's own; never the system's."""
    own = os.path.join(os.path.dirname(__file__), "libbackprop.so")
    return os.path.abspath(os.environ.get(VARIABLE) or own)


def load(path: str) -> ctypes.CDLL:
    """Loads the library and declares its functions. ImportError when it is not there, or not of this version."""
    try:
        loaded = ctypes.CDLL(path)
        found = loaded.bp_abi_version()
        if found != ABI_VERSION:
            raise ImportError(f"{path} has ABI version {found}, and this package needs {ABI_VERSION}")
        with_errno = ctypes.CDLL(path, use_errno=True)  # keeps errno for ctypes.get_errno, which takes time
        for name, (restype, *argtypes) in PROTOTYPES.items():
            function = getattr(with_errno if name in USES_ERRNO else loaded, name)
            function.restype, function.argtypes = restype, argtypes
            setattr(loaded, name, function)
    except OSError as error:
        raise ImportError(f"cannot load libbackprop ({VARIABLE} may tell where it is): {error}") from error
    except AttributeError as error:
        raise ImportError(f"{path} is not this package's libbackprop: {error}") from error
    return loaded


path = find()
library = load(path)
