#!/usr/bin/env python3
"""The version, which include/backprop.h states.

Usage: version.py          fails where another place states another version
       version.py 0.3.0    writes a new version to the header and to all other places
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = ROOT / "include" / "backprop.h"
PARTS = ("MAJOR", "MINOR", "PATCH")

# Where a program must have the version as text: a pattern whose group is the version.
PLACES = {
    "Sources/BackpropC/VersionAPI.swift": r'fixed\("([\d.]+)"\)',
    "bindings/python/libbackprop/__init__.py": r'^__version__ = "([\d.]+)"',
    "bindings/rust/Cargo.toml": r'^version = "([\d.]+)"',
    "bindings/javascript/package.json": r'^  "version": "([\d.]+)"',
    "README.md": r"^Version ([\d.]+)\.",
    "CHANGELOG.md": r"^## ([\d.]+)",
    "debian/changelog": r"^libbackprop \(([\d.]+)-",
}


def header_version(text: str) -> str:
    found = [re.search(rf"^#define BP_VERSION_{part} (\d+)$", text, re.M) for part in PARTS]
    return ".".join(match[1] for match in found if match)


def write(version: str) -> None:
    text = HEADER.read_text()
    for part, number in zip(PARTS, version.split("."), strict=True):
        text = re.sub(rf"^(#define BP_VERSION_{part}) \d+$", rf"\1 {number}", text, flags=re.M)
    HEADER.write_text(text)
    for name, pattern in PLACES.items():
        if name in ("CHANGELOG.md", "debian/changelog"):
            continue  # their new sections are written by hand
        path = ROOT / name
        path.write_text(re.sub(pattern, lambda match: match[0].replace(match[1], version), path.read_text(), count=1, flags=re.M))


def main() -> int:
    if len(sys.argv) > 1:
        write(sys.argv[1])
    version = header_version(HEADER.read_text())
    wrong = []
    for name, pattern in PLACES.items():
        match = re.search(pattern, (ROOT / name).read_text(), re.M)
        if not match or match[1] != version:
            wrong.append(f"{name}: {match[1] if match else 'no version'}, the header has {version}")
    print("\n".join(wrong) if wrong else f"ok {version}")
    return 1 if wrong else 0


sys.exit(main())
