"""Texts that are saved with a network."""
from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, Callable

from ._arguments import text
from ._call import call, text_of, texts_of
from ._library import library
from .errors import UnknownNameError

__all__ = ["Metadata"]


class Metadata(MutableMapping[str, str]):
    """The metadata of a network: a mutable mapping of str to str, sorted by key, which is saved in the file.

    A key has 1 to 256 bytes of UTF-8. There can be at most 1024 entries of 1 MiB in total. InvalidValueError for a key of
    another length, LimitError for too many or too large entries, KeyError for an unknown key.

    Examples
    --------
    >>> network = bp.Network([2, 1])
    >>> network.metadata["units"] = "mm"
    >>> bp.Network.from_bytes(network.to_bytes()).metadata
    {'units': 'mm'}
    """

    __slots__ = ("_network",)  # another attribute would be lost: network.metadata creates new objects

    def __init__(self, network: Any) -> None:
        self._network = network

    def __getitem__(self, key: str) -> str:
        found: str = self._known(key, lambda name: text_of(library.bp_network_get_metadata, self._network._handle, name))
        return found

    def __setitem__(self, key: str, value: str) -> None:
        call(library.bp_network_set_metadata, self._network._handle, text(key, "key"), text(value, "value"))
        self._network._read_classes()

    def __delitem__(self, key: str) -> None:
        self._known(key, lambda name: call(library.bp_network_remove_metadata, self._network._handle, name))
        self._network._read_classes()

    def __iter__(self) -> Iterator[str]:
        return iter(texts_of(library.bp_network_metadata_key, self._network._handle))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))

    def _known(self, key: str, use: Callable[[bytes], Any]) -> Any:
        try:
            return use(text(key, "key"))
        except UnknownNameError:
            raise KeyError(key) from None
