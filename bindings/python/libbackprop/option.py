"""What options there are: the library's own table."""
from __future__ import annotations

import ctypes
from ctypes import byref
from typing import NamedTuple

from ._call import check
from ._library import library
from ._prototypes import bp_option_description
from .errors import Status

_OWNERS = ("network", "trainer")


class Option(NamedTuple):
    """A setting that is a number; choices are small whole numbers."""

    owner: str  # "network" or "trainer"
    name: str
    meaning: str
    default: float
    minimum: float
    maximum: float
    whole: bool  # whether only whole numbers are taken


def options() -> dict[str, Option]:
    """Every option by name, with its meaning, default and bounds; those of networks come first."""
    found = {}
    description = bp_option_description()
    while True:
        description.struct_size = ctypes.sizeof(description)
        status = library.bp_option_info(len(found), byref(description))
        if status == Status.ERROR_UNKNOWN_NAME:
            return found
        check(status)
        option = Option(_OWNERS[description.owner], description.name.decode(), description.meaning.decode(),
                        description.default_value, description.minimum, description.maximum,
                        bool(description.whole_numbers))
        found[option.name] = option
