"""Generates the tables of options in backprop.h from the table of the library. To update the header, set
LIBBACKPROP_LIBRARY, put the package on the path and run:

    python option_table.py
"""
import re
import textwrap
from pathlib import Path

import libbackprop as bp

WIDTH = 120
NAME, VALUES, DEFAULT = 22, 16, 10  # columns


def number(value):
    return re.sub(r"e([+-])0?(\d)", lambda found: "e" + found[1].strip("+") + found[2], f"{value:g}")


def values(option):
    between = ", " if option.whole and option.maximum - option.minimum == 1 else " ... "
    return number(option.minimum) + between + number(option.maximum)


def row(name, values, default, meaning):
    margin = f" *     {name:{NAME}}{values:{VALUES}}{default:{DEFAULT}}"
    lines = textwrap.wrap(meaning, WIDTH - len(margin), break_on_hyphens=False)
    blank = " *".ljust(len(margin))
    return [margin + lines[0]] + [blank + line for line in lines[1:]]


def table(owner):
    """The lines of the table for networks or for trainers."""
    lines = row("name", "values", "default", "meaning")
    for option in bp.options():
        if option.owner == owner:
            lines += row(option.name, values(option), number(option.default), option.meaning)
    return "\n".join(lines)


def update(text):
    """The header with updated tables: first the options of networks, then those of trainers."""
    owners = iter(("network", "trainer"))
    return re.sub(r"^ \*     name +values +default +meaning\n(?: \*.+\n)*", lambda _: table(next(owners)) + "\n", text,
                  flags=re.M)


if __name__ == "__main__":
    header = Path(__file__).resolve().parents[3] / "include" / "backprop.h"
    header.write_text(update(header.read_text(encoding="utf-8")), encoding="utf-8")
