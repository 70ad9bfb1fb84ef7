#!/usr/bin/env python3
"""Checks that each block of code in docs/hosts.md that follows a link to a file is a part of this file, and that each folder
of examples has one."""
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/hosts.md"


def main() -> int:
    text = PAGE.read_text()
    wrong = []
    quoted = set()
    for path, code in re.findall(r"^### .*\]\(\.\./([^)]+)\)\n(?:(?!```|#).*\n)*```\w+\n((?s:.*?))^```$", text, re.M):
        source = (ROOT / path).read_text().expandtabs(4).splitlines()
        lines = textwrap.dedent(code.expandtabs(4)).splitlines()
        spans = ("\n".join(source[i:i + len(lines)]) for i in range(len(source)))
        if textwrap.dedent("\n".join(lines)) not in map(textwrap.dedent, spans):
            wrong.append(f"docs/hosts.md: the code is not in {path}")
        quoted.add(Path(path).parts[:2])
    examples = {each.name for each in (ROOT / "Examples").iterdir() if list(each.glob("xor*"))} - {"c"}
    wrong += [f"docs/hosts.md does not quote Examples/{name}" for name in sorted(examples) if ("Examples", name) not in quoted]
    print("\n".join(wrong) or f"{len(quoted)} files are quoted")
    return 1 if wrong else 0


sys.exit(main())
