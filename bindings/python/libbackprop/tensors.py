"""The tensors of a network by name."""
from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping
from ctypes import byref
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._arguments import Array, floats, pointer, text
from ._call import call, texts_of
from ._library import library
from .errors import UnknownNameError

__all__ = ["Tensors"]


class Tensors(Mapping[str, Array]):
    """The tensors of a network: a mapping of names, such as "layers.1.weight", to float32 arrays, which are copies.

    The names are the same as in the file of the network. They include running statistics, scaling and the state of the
    optimizer. Weights have the shape (outputs, inputs), and remainders of a scaling (columns, 2); other tensors have one
    dimension. KeyError for an unknown name.

    Assigning an array of the same shape replaces a tensor: ValueError for another shape, NotFiniteError for a NaN or an
    infinity, InvalidValueError for a negative variance or a scale that is not positive, UnsupportedError for the state of
    the optimizer.

    Examples
    --------
    >>> network = bp.Network([2, 1])
    >>> network.tensors["layers.1.bias"] = [0.5]
    >>> network.tensors
    {'layers.1.weight': (1, 2), 'layers.1.bias': (1,)}
    """

    __slots__ = ("_network",)  # another attribute would be lost: network.tensors creates new objects

    def __init__(self, network: Any) -> None:
        self._network = network

    def __getitem__(self, name: str) -> Array:
        array = np.empty(self._shape(name), np.float32)
        call(library.bp_network_get_tensor, self._network._handle, text(name, "name"), pointer(array), array.size)
        return array

    def __setitem__(self, name: str, values: ArrayLike) -> None:
        array, shape = floats(values, name), self._shape(name)
        if array.shape != shape:
            raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")
        call(library.bp_network_set_tensor, self._network._handle, text(name, "name"), pointer(array), array.size)

    def __contains__(self, name: object) -> bool:
        return name in self._names()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __repr__(self) -> str:
        return repr({name: array.shape for name, array in self.items()})

    def _names(self) -> list[str]:
        return texts_of(library.bp_network_tensor_name, self._network._handle)

    def _shape(self, name: str) -> tuple[int, ...]:
        rows, columns = ctypes.c_size_t(), ctypes.c_size_t()
        try:
            call(library.bp_network_tensor_shape, self._network._handle, text(name, "name"), byref(rows), byref(columns))
        except UnknownNameError:
            raise KeyError(name) from None
        # The library gives a vector one row.
        is_matrix = name.endswith((".weight", ".remainder")) and not name.endswith(".norm.weight")
        return (rows.value, columns.value) if is_matrix else (columns.value,)
