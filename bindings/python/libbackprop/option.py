"""What options there are: the library's own table."""
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
    """A setting that is a number, or one of a few words."""

    owner: str  # "network" or "trainer"
    name: str
    meaning: str
    default: float
    minimum: float
    maximum: float
    whole: bool  # whether only whole numbers are taken
    choices: tuple[str, ...]  # the words for the numbers 0, 1, ...; none for a number


def options() -> list[Option]:
    """Every option, with its meaning, default and bounds; those of networks come first."""
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
    """The number that the library takes for a value of an option."""
    option = _table().get(name)
    if option is None:
        return 0  # the library refuses the name
    if not isinstance(value, str) or not option.choices:
        return number(value, name)
    if value not in option.choices:
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, option.choices))}, got {value!r}")
    return option.choices.index(value)


def decoded(name: str, value: float) -> Union[float, str]:
    """The value of an option for the library's number: a word where it is a choice."""
    option = _table().get(name)
    return option.choices[int(value)] if option is not None and option.choices else value
