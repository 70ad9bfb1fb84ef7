"""Imports packages that only some modules need."""
from __future__ import annotations

import importlib
from typing import Any

__all__ = ["required"]


def required(module: str, extra: str) -> Any:
    """A module of another package. ImportError that gives the installation command if the package is missing."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise  # the package is installed, but something that it needs is missing
        raise ModuleNotFoundError(f"libbackprop.{extra} needs the package {package}: pip install 'libbackprop[{extra}]'",
                                  name=error.name) from None
