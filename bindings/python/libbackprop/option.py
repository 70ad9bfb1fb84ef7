"""The table of options, read from the library."""
from __future__ import annotations

import ctypes
import functools
from ctypes import byref
from typing import NamedTuple, SupportsFloat, Union

from ._arguments import number
from ._call import check
from ._library import library
from ._prototypes import bp_option_description
from .errors import Status

__all__ = ["Option", "decoded", "encoded", "options"]

_OWNERS = ("network", "trainer")


class Option(NamedTuple):
    """An option of a network or trainer: its value is a number or, for a choice, a word.

    Examples
    --------
    >>> [momentum] = [each for each in bp.options() if each.name == "momentum"]
    >>> momentum.owner, momentum.default, momentum.maximum, momentum.choices
    ('network', 0.9, 0.9999, ())
    """

    owner: str  # "network" or "trainer"
    name: str
    meaning: str
    default: float
    minimum: float
    maximum: float
    whole: bool  # whether the value must be an integer
    choices: tuple[str, ...]  # the words for the numbers 0, 1, ...; empty if the option is not a choice


def options() -> list[Option]:
    """All options with their meaning, default and bounds, first those of networks, then those of trainers.

    Examples
    --------
    >>> [each.choices for each in bp.options() if each.name == "gradient_reduction"]
    [('sum', 'mean')]
    """
    return list(_table().values())


@functools.cache
def _table() -> dict[str, Option]:
    found: dict[str, Option] = {}
    description = bp_option_description()
    while True:
        description.struct_size = ctypes.sizeof(description)
        status = library.bp_option_info(len(found), byref(description))
        if status == Status.ERROR_UNKNOWN_NAME:
            return found
        check(status)
        name = description.name.decode()
        found[name] = Option(_OWNERS[description.owner], name, description.meaning.decode(), description.default_value,
                             description.minimum, description.maximum, bool(description.whole_numbers),
                             tuple((description.choices or b"").decode().split()))


def encoded(name: str, value: Union[SupportsFloat, str]) -> float:
    """The number for a value of an option. ValueError for an unknown word, TypeError for another type."""
    option = _table().get(name)
    if option is None:
        return 0  # the library refuses the name
    if not isinstance(value, str) or not option.choices:
        return number(value, name)
    if value not in option.choices:
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, option.choices))}, got {value!r}")
    return option.choices.index(value)


def decoded(name: str, value: float) -> Union[float, str]:
    """The value of an option for a number: a word if the option is a choice."""
    option = _table().get(name)
    return option.choices[int(value)] if option is not None and option.choices else value
