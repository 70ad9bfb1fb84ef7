"""What networks and trainers have in common: a handle of the library's, and its end."""
from __future__ import annotations

import sys
from typing import Any, Callable

from .errors import InvalidHandleError, Status


class Owner:
    """Has a handle, and ends it."""

    _pointer: Any = None
    _free: Callable  # the library's function
    _noun: str

    @property
    def _handle(self) -> Any:
        if self._pointer is None:
            raise InvalidHandleError(f"the {self._noun} is closed", Status.ERROR_INVALID_HANDLE)
        return self._pointer

    def close(self) -> None:
        """Ends it, after calls in progress on other threads. Closing twice does nothing."""
        handle, self._pointer = self._pointer, None
        if handle is not None:
            self._free(handle)

    def __del__(self, finalizing: Any = sys.is_finalizing) -> None:
        if not finalizing():  # at exit the memory goes with the process
            self.close()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()
