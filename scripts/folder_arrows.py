#!/usr/bin/env python3
"""Checks that the folders of Sources/Backprop use each other only as the table in CONTRIBUTING.md says.

Usage: folder_arrows.py [--print]. A use is a name that one folder alone declares: a type, a free function, or a method that
is called. Prints each use against the arrows and fails; with --print, prints which folders each folder uses.
"""
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "Sources" / "Backprop"

# | `folder` | rule | may use |
ROW = re.compile(r"^\| `(\w+)` \| [^|]+ \| ([^|]*)\|$", re.M)
MAY_USE = {folder: re.findall(r"\w+", used) for folder, used in ROW.findall((ROOT.parent.parent / "CONTRIBUTING.md").read_text())}

# Methods of the standard library's types, too.
STANDARD = {"append"}

TYPE = re.compile(r"^(?:[a-z@(]\S* )*(?:class|struct|enum|protocol|typealias) (\w+)", re.M)
FUNCTION = re.compile(r"^(?:(?!private|fileprivate)[a-z@(]\S* )*func (\w+)", re.M)
METHOD = re.compile(r"^ {4}(?!private|fileprivate)(?:(?!private|fileprivate)[a-z@(]\S* )*func (\w+)", re.M)


def code(text: str) -> str:
    """Without comments and the contents of strings, but with what strings interpolate."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
    return re.sub(r'"(?:[^"\\\n]|\\.)*"', lambda m: " ".join(re.findall(r"\\\(([^()]*(?:\([^()]*\))?[^()]*)\)", m[0])), text)


def main() -> int:
    files = {path: code(path.read_text()) for path in sorted(ROOT.glob("*/*.swift"))}
    folders = sorted({path.parent.name for path in files})
    problems = [f"{folder}/ has no line in the table of CONTRIBUTING.md" for folder in folders if folder not in MAY_USE]
    order = list(MAY_USE)
    problems += [f"the table lets {folder} use {used}, which is below it" for folder in order for used in MAY_USE[folder]
                 if used not in order[:order.index(folder)]]
    problems += [f"{path.name} is in no folder" for path in ROOT.glob("*.swift")]

    owners: dict[tuple[str, str], set[str]] = defaultdict(set)  # (kind, name) -> folders
    for path, text in files.items():
        for name in TYPE.findall(text):
            owners["type", name].add(path.parent.name)
        for name in set(FUNCTION.findall(text) + METHOD.findall(text)) - STANDARD:
            owners["function", name].add(path.parent.name)

    uses: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path, text in files.items():
        folder = path.parent.name
        types = set(re.findall(r"\b[A-Z]\w*", text))
        own = set(re.findall(r"\b(?:let|var|func|case) (\w+)|\b(\w+): ", text))
        calls = set(re.findall(r"\b(\w+)\(", text)) - {name for pair in own for name in pair}
        for (kind, name), where in owners.items():
            if len(where) == 1 and folder not in where and name in (types if kind == "type" else calls):
                uses[folder][next(iter(where))].append(f"{path.name} uses {name}")

    for folder in folders:
        for used, examples in sorted(uses[folder].items()):
            if used not in MAY_USE.get(folder, []):
                problems += [f"{folder} -> {used}: {example}" for example in examples]
        if "--print" in sys.argv:
            print(f"{folder}: {' '.join(sorted(uses[folder]))}")
    print("\n".join(problems) if problems else f"ok {len(files)} files in {len(folders)} folders use each other as CONTRIBUTING.md says")
    return 1 if problems else 0


sys.exit(main())
