#!/usr/bin/env python3
"""Finds words in docs, comments, messages and test names that a hurried reader of technical English stumbles over.

The list holds phrases that crept in before. It does not make a sentence plain: subject, verb, object, one idea.
"""
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Phrase: what to write instead.
PHRASES = {
    r"\bone's own\b": "custom, or name the owner",
    r"\bby heart\b": "memorize, overfit, cache",
    r"\btells?\b": "returns, says, shows, reports",
    r"\btold\b": "said, reported, given",
    r"\bstands? once\b": "is written once",
    r"\bgoes there\b": "is stored there",
    r"\bmade up for\b": "replaced by, approximated by",
    r"\bin more words\b": "with details",
    r"\b[Ii]t is luck\b": "does not reliably",
    r"\bwhoever\b": "name the caller",
    r"(?:^[^\w]*|[.;:] )[Ww]ho \w+s\b": "name the subject: callers, programs, users",
    r"\bso many\b": "give the number, or its name",
    r"\bhow .{1,20} came\b": "was registered, was made",
    r"\bis there already\b": "exists already, is already registered",
    r"\bat a time of its\b": "by itself",
    r"\bthe like\b": "similar",
}
BUILT = {".git", ".build", "build", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
SKIPPED = re.compile(
    r"^(Tests/Corpus/|Tests/abi/(first/|backprop\.abi)|Benchmarks/results|LICENSE|scripts/plain_english\.py|.*\.(json|csv|png|safetensors)$)")


def files(folder: Path):
    """The text files of the project: no links, no build folders, no caches."""
    for root, folders, names in os.walk(folder):
        folders[:] = [each for each in folders
                      if each not in BUILT and not each.endswith(".egg-info") and not (Path(root) / each).is_symlink()]
        yield from (Path(root) / name for name in names if not name.endswith(".pyc") and not (Path(root) / name).is_symlink())


def main() -> int:
    found = 0
    for path in sorted(files(ROOT)):
        name = str(path.relative_to(ROOT))
        if SKIPPED.match(name):
            continue
        for number, line in enumerate(path.read_text(errors="replace").split("\n"), 1):
            for phrase, instead in PHRASES.items():
                match = re.search(phrase, line)
                if match:
                    found += 1
                    print(f'{name}:{number}: "{match[0]}": {instead}')
    print(f"{found} phrases" if found else "ok")
    return 1 if found else 0


sys.exit(main())
