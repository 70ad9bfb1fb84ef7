"""Predictions that wait for no other thread."""
from __future__ import annotations

from ctypes import byref, c_size_t
from typing import Any, Optional, TypeVar

from numpy.typing import ArrayLike

from . import _prototypes
from ._arguments import Array, pointer, predicted
from ._call import call
from ._handle import Owner
from ._library import library, undeclared
from .network import Network

__all__ = ["Predictor"]

_Self = TypeVar("_Self", bound="Predictor")


class Predictor(Owner):
    """An immutable copy of a network in its form for predictions, with batch normalization folded into the weights.

        predictor = bp.Predictor(network)
        predictor.run(inputs)       # or predictor(inputs), on any thread
        predictor.update(network)   # the network's present weights, from another thread that trains

    Outputs have the bits of Network.predict after Network.fold_batchnorm. The library's part of a run takes no lock and no
    memory, and waits for no thread; Python itself has its own locks. NotFiniteError if folded weights would not be finite.

    Examples
    --------
    >>> network = bp.Network([2, 3, 1], seed=1)
    >>> predictor = bp.Predictor(network)
    >>> bool(predictor.run([1, 2]) == network.predict([1, 2]))
    True
    """

    __slots__ = ("_sizes",)

    _free = library.bp_predictor_free
    _noun = "predictor"
    _sizes: tuple[int, int]

    def __init__(self, network: Network) -> None:
        """Copies a network."""
        handle = _prototypes.Predictor()
        call(library.bp_predictor_create, Network._checked(network)._handle, byref(handle))
        self.close()  # if __init__ is called a second time
        self._pointer = handle
        inputs, outputs = c_size_t(), c_size_t()
        call(library.bp_predictor_sizes, handle, byref(inputs), byref(outputs))
        self._sizes = inputs.value, outputs.value

    def _duplicate(self: _Self) -> _Self:
        raise TypeError("a predictor cannot be copied: make another one from the network")

    def __reduce__(self) -> Any:
        raise TypeError("a predictor cannot be pickled: pickle the network")

    @property
    def inputs(self) -> int:
        """The number of inputs of a row.

        Examples
        --------
        >>> bp.Predictor(bp.Network([2, 3, 1])).inputs
        2
        """
        return self._sizes[0]

    @property
    def outputs(self) -> int:
        """The number of outputs of a row.

        Examples
        --------
        >>> bp.Predictor(bp.Network([2, 3, 1])).outputs
        1
        """
        return self._sizes[1]

    def run(self, inputs: ArrayLike, out: Optional[Array] = None) -> Array:
        """The outputs, float32: shape (rows, outputs) for inputs of shape (rows, inputs), (outputs,) for shape (inputs,).

        out: an array that receives the outputs, as for Network.predict. Exceptions of activation functions are raised again.

        Examples
        --------
        >>> bp.Predictor(bp.Network([2, 3, 1])).run([[1, 2], [3, 4]]).shape
        (2, 1)
        """
        x, rows, outputs = predicted(inputs, self._sizes[0], self._sizes[1:], out)
        call(undeclared.bp_predictor_run, self._handle, pointer(x), rows, pointer(outputs))
        return outputs

    __call__ = run

    def update(self, network: Network) -> None:
        """Replaces the copy by the present parameters and settings of a network with the same layer sizes.

        A run uses the old copy or the new one, never a mixture. The call waits for the runs in progress, and then frees the
        old copy. ModelError for other layer sizes, NotFiniteError as for the constructor; the old copy then stays.

        Examples
        --------
        >>> network = bp.Network([1, 1], output="identity")
        >>> predictor = bp.Predictor(network)
        >>> network.parameters = [2, 1]
        >>> predictor.update(network)
        >>> predictor.run([3])
        array([7.], dtype=float32)
        """
        call(library.bp_predictor_update, self._handle, Network._checked(network)._handle)
