"""The base class of Network, Trainer and Predictor: owns a handle of the library."""
from __future__ import annotations

import copy
import sys
from typing import Any, Callable, ClassVar, TypeVar

from .errors import InvalidHandleError, Status

__all__ = ["Owner"]

_Self = TypeVar("_Self", bound="Owner")


class Owner:
    """Owns a handle and frees it. Its state is in slots; `__dict__` holds only attributes that the program adds."""

    __slots__ = ("__dict__", "__weakref__", "_pointer")

    _pointer: Any
    _free: ClassVar[Callable[[Any], None]]  # the function of the library that frees the handle
    _noun: ClassVar[str]

    def __new__(cls: type[_Self], *arguments: Any, **options: Any) -> _Self:
        self = object.__new__(cls)
        self._pointer = None
        return self

    @classmethod
    def _checked(cls: type[_Self], value: Any) -> _Self:
        """An argument that must be an object of this class."""
        if not isinstance(value, cls):
            remedy = ": pass its network_" if hasattr(value, "network_") else ""  # an estimator of libbackprop.sklearn
            raise TypeError(f"{cls._noun}: expected a {cls.__name__}, got {type(value).__name__}{remedy}")
        return value

    @property
    def _handle(self) -> Any:
        pointer = self._pointer  # read once: another thread may close the object
        if pointer is None:
            raise InvalidHandleError(f"the {self._noun} is closed", Status.ERROR_INVALID_HANDLE)
        return pointer

    def close(self) -> None:
        """Frees the memory, after calls in progress on other threads have returned. A second call does nothing.

        Examples
        --------
        >>> network = bp.Network([2, 1])
        >>> network.close()
        >>> network
        <closed Network [2, 1]>
        """
        handle, self._pointer = self._pointer, None
        if handle is not None:
            type(self)._free(handle)

    def __del__(self, finalizing: Any = sys.is_finalizing) -> None:
        if not finalizing():  # at exit the operating system frees the memory
            self.close()

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def _duplicate(self: _Self) -> _Self:
        """A copy with the same state, without attributes that the program added."""
        raise NotImplementedError

    def __copy__(self: _Self) -> _Self:
        duplicate = self._duplicate()
        vars(duplicate).update(vars(self))
        return duplicate

    def __deepcopy__(self: _Self, memo: dict[int, Any]) -> _Self:
        duplicate = self._duplicate()
        memo[id(self)] = duplicate
        vars(duplicate).update(copy.deepcopy(vars(self), memo))
        return duplicate
