"""The base class of Network, Trainer and Predictor: owns a handle of the library."""
from __future__ import annotations

import copy
import sys
from typing import TYPE_CHECKING, Any, Callable, ClassVar, TypeVar

from . import option
from .errors import InvalidHandleError, Status

__all__ = ["Owner"]

_Self = TypeVar("_Self", bound="Owner")


class Owner:
    """Owns a handle and frees it. Its state is in slots, and other attributes are refused. Only the subclasses of a program
    have a `__dict__`, for the attributes that the program adds."""

    __slots__ = ("__weakref__", "_pointer")

    _pointer: Any
    _free: ClassVar[Callable[[Any], None]]  # the function of the library that frees the handle
    _noun: ClassVar[str]

    def __new__(cls: type[_Self], *arguments: Any, **options: Any) -> _Self:
        self = object.__new__(cls)
        self._pointer = None
        return self

    if not TYPE_CHECKING:  # type checkers would accept every attribute

        def __setattr__(self, name: str, value: Any) -> None:
            try:
                super().__setattr__(name, value)
            except AttributeError:
                if getattr(getattr(type(self), name, None), "fset", None) is not None:
                    raise  # from the setter of a property
                raise AttributeError(f"cannot set {name!r} of a {self._noun}{self._remedy(name, value)}") from None

    def _remedy(self, name: str, value: Any) -> str:
        """How to set what an assignment to an attribute does not set."""
        import difflib  # here, because they take long to import
        import inspect

        setter = getattr(type(self), f"set_{name}", None)
        owners = {each.name: each.owner for each in option.options()}
        if setter is not None:
            layer = "layer, " if "layer" in inspect.signature(setter).parameters else ""
            return f": call set_{name}({layer}{value!r:.60})"
        if name in owners:
            return (f": call set_option({name!r}, {value!r:.60})" if owners[name] == self._noun
                    else f": it is an option of a {owners[name]}")
        known = [each for each in (*dir(type(self)), *owners) if not each.startswith("_")]
        close = difflib.get_close_matches(name, known, 1)
        return f": did you mean {close[0]!r}?" if close else ": only a subclass can have attributes that a program adds"

    @property
    def _added(self) -> dict[str, Any]:
        """The attributes that the program added."""
        added: dict[str, Any] = getattr(self, "__dict__", {})
        return added

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
        duplicate._added.update(self._added)
        return duplicate

    def __deepcopy__(self: _Self, memo: dict[int, Any]) -> _Self:
        duplicate = self._duplicate()
        memo[id(self)] = duplicate
        duplicate._added.update(copy.deepcopy(self._added, memo))
        return duplicate
