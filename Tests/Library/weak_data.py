#!/usr/bin/env python3
"""Checks that weak data of the same name are equal in all object files, because the linker keeps any one of them.

Usage: weak_data.py RELEASE_FOLDER MODULE... The compiler names the constant arrays of a function by numbers. A copy of the function in
another module can have the same names for other arrays.
"""
import sys
from collections import defaultdict
from pathlib import Path

from elftools.elf.elffile import ELFFile  # a dependency of auditwheel


def weak_data(path: Path):
    """The name, bytes and relocations of each weak data symbol that the file defines."""
    with path.open("rb") as stream:
        file = ELFFile(stream)
        symbols = file.get_section_by_name(".symtab")
        relocations = defaultdict(list)
        for section in file.iter_sections():
            if section.header.sh_type == "SHT_RELA":
                relocations[section.header.sh_info] += [
                    (each["r_offset"], symbols.get_symbol(each["r_info_sym"]).name, each["r_addend"])
                    for each in section.iter_relocations()]
        for symbol in symbols.iter_symbols():
            index, start, size = symbol["st_shndx"], symbol["st_value"], symbol["st_size"]
            if symbol["st_info"]["bind"] == "STB_WEAK" and symbol["st_info"]["type"] == "STT_OBJECT" and isinstance(index, int):
                yield symbol.name, file.get_section(index).data()[start:start + size], tuple(
                    (at - start, name, addend) for at, name, addend in relocations[index] if start <= at < start + size)


def main() -> int:
    folder, modules = Path(sys.argv[1]), sys.argv[2:]
    found = defaultdict(lambda: defaultdict(list))
    for module in modules:
        for path in sorted((folder / f"{module}.build").glob("**/*.o")):
            for name, *contents in weak_data(path):
                found[name][tuple(contents)].append(f"{module}/{path.name}")
    different = {name: list(files.values()) for name, files in found.items() if len(files) > 1}
    for name, files in different.items():
        print(f"{name} differs: {files}")
    print(f"{len(found)} weak data symbols, {len(different)} with different contents")
    return 1 if different or not found else 0


if __name__ == "__main__":
    sys.exit(main())
