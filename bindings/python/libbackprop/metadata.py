"""Texts that go with a network."""
from __future__ import annotations

import ctypes
from ctypes import byref
from typing import Any, Callable, Iterator, MutableMapping

from ._arguments import text
from ._call import call, check
from ._library import library
from .errors import Status, UnknownNameError


class Metadata(MutableMapping[str, str]):
    """A network's metadata, as a dict: keys of 1 to 256 bytes of UTF-8, sorted; at most 1024, and 1 MiB in all."""

    def __init__(self, network: Any) -> None:
        self._network = network

    def __getitem__(self, key: str) -> str:
        return self._known(key, lambda name: self._read(library.bp_network_get_metadata, name))

    def __setitem__(self, key: str, value: str) -> None:
        call(library.bp_network_set_metadata, self._network._handle, text(key, "key"), text(value, "value"))

    def __delitem__(self, key: str) -> None:
        self._known(key, lambda name: call(library.bp_network_remove_metadata, self._network._handle, name))

    def __iter__(self) -> Iterator[str]:
        keys: list[str] = []
        while True:
            try:
                keys.append(self._read(library.bp_network_metadata_key, len(keys)))
            except UnknownNameError:
                return iter(keys)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))

    def _known(self, key: str, use: Callable) -> Any:
        try:
            return use(text(key, "key"))
        except UnknownNameError:
            raise KeyError(key) from None

    def _read(self, function: Any, which: Any) -> str:
        """What a function that fills a buffer gives."""
        needed, capacity = ctypes.c_size_t(), 257
        while True:
            buffer = ctypes.create_string_buffer(capacity)
            status = function(self._network._handle, which, buffer, capacity, byref(needed))
            if status != Status.ERROR_BUFFER_TOO_SMALL:
                check(status)
                return buffer.value.decode()
            capacity = needed.value
