"""Labels of classes, and the rows of targets that stand for them."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._convert import as_array

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

__all__ = ["Label", "are_labels", "checked", "distinct", "encode", "one_hot", "read", "written"]

Label: TypeAlias = Union[str, int, float]


def one_hot(labels: ArrayLike, classes: Union[int, Iterable[Label], None] = None) -> NDArray[np.float32]:
    """Rows of targets for labels: 1 in the column of the row's class, and 0 in the others.

    This is the rule for all targets of shape (rows,) of a network with several outputs. The columns are those of
    `Network.classes`, or of the class numbers 0, 1, ... if the network has none.

    Parameters
    ----------
    labels : array of shape (rows,)
        Strings or numbers.
    classes : int or sequence of labels, optional
        The classes, one for each column; an int for the class numbers from 0 to classes - 1. None for the distinct labels,
        sorted.

    Returns
    -------
    float32 array of shape (rows, classes)

    Examples
    --------
    >>> import libbackprop as bp
    >>> bp.one_hot(["cat", "dog", "cat"])
    array([[1., 0.],
           [0., 1.],
           [1., 0.]], dtype=float32)
    >>> bp.one_hot([2, 0], classes=3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    array = as_array(labels, "labels")
    if array.ndim != 1:
        raise ValueError(f"labels: expected shape (rows,), got {array.shape}")
    if classes is None:
        known = distinct(array, "labels")
    elif isinstance(classes, (int, np.integer)):
        if classes < 1:
            raise ValueError(f"classes: expected 1 or more, got {classes}")
        known = tuple(range(classes))
    else:
        known = checked(classes)
    return encode(array, known, len(known), "labels")


def are_labels(values: NDArray[Any]) -> bool:
    """Whether an array holds strings."""
    return values.dtype.kind in "UT" or (values.dtype.kind == "O" and any(isinstance(each, str) for each in values))


def checked(classes: Any) -> tuple[Label, ...]:
    """Distinct labels as Python objects."""
    if isinstance(classes, (str, bytes)) or not isinstance(classes, Iterable):
        raise TypeError(f"classes: expected a sequence of labels, got {classes!r}")
    found = tuple(each.item() if isinstance(each, np.generic) else each for each in classes)
    for each in found:
        if not isinstance(each, (str, int, float)):
            raise TypeError(f"classes: expected strings or numbers, got {each!r}")
        if each != each:
            raise ValueError("classes: expected no NaN")
    if len(set(found)) != len(found):
        raise ValueError(f"classes: expected distinct labels, got {list(found)}")
    return found


def distinct(labels: NDArray[Any], what: str) -> tuple[Label, ...]:
    """The distinct labels, sorted."""
    rows = labels.tolist()
    found = set(rows)
    for each in found:
        if not isinstance(each, (str, int, float)) or each != each:
            raise ValueError(f"{what}: row {rows.index(each)}: expected a label, got {each!r}: remove rows without a label")
    try:
        return checked(sorted(found))
    except TypeError:
        kinds = sorted({type(each).__name__ for each in found})
        raise TypeError(f"{what}: expected strings or numbers, not both, got {' and '.join(kinds)}") from None


def encode(labels: NDArray[Any], classes: Sequence[Label], columns: int, what: str, low: float = 0) -> NDArray[np.float32]:
    """Rows of targets for labels. One column: `low` for the first of two classes, and 1 for the second."""
    places = {each: place for place, each in enumerate(classes)}
    numbers = np.fromiter((places.get(each, -1) for each in labels.tolist()), np.intp, len(labels))
    if len(numbers) and numbers.min() < 0:
        row = int(numbers.argmin())
        known = ", ".join(map(repr, classes[:20])) + (", ..." if len(classes) > 20 else "")
        raise ValueError(f"{what}: row {row}: {labels[row].item() if isinstance(labels[row], np.generic) else labels[row]!r} "
                         f"is not one of the classes {known}")
    if columns == 1:
        return np.where(numbers == 1, 1, low).astype(np.float32)[:, np.newaxis]
    array = np.zeros((len(numbers), columns), np.float32)
    array[np.arange(len(numbers)), numbers] = 1
    return array


def read(text: Optional[str]) -> Optional[tuple[Label, ...]]:
    """The classes in a network's metadata; None if the text is not a list of labels."""
    if text is None:
        return None
    import json  # here, because it takes long to import

    try:
        return checked(found) if isinstance(found := json.loads(text), list) else None
    except (TypeError, ValueError):
        return None


def written(classes: Sequence[Label]) -> str:
    """The text for the metadata."""
    import json

    return json.dumps(list(classes), ensure_ascii=False)
