"""Classes of other packages, for type checkers that do not know these packages."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["Untyped"]


class Untyped:
    """For type checkers, a base class of another package, whose attributes have no known types."""

    if TYPE_CHECKING:
        def __call__(self, *arguments: Any, **options: Any) -> Any: ...
        def __getattr__(self, name: str) -> Any: ...
