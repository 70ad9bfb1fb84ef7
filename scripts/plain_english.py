#!/usr/bin/env python3
"""Finds words in docs, comments, messages and test names that a hurried reader of technical English stumbles over.

The list holds phrases that crept in before. It does not make a sentence plain: subject, verb, object, one idea.
"""
import re
import subprocess
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
SKIPPED = re.compile(
    r"^(Tests/Corpus/|Tests/abi/(first/|backprop\.abi)|Benchmarks/results|LICENSE|scripts/plain_english\.py|.*\.(json|csv|png|safetensors)$)")


def main() -> int:
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    found = 0
    for name in names:
        path = ROOT / name
        if not name or SKIPPED.match(name) or path.is_symlink() or not path.is_file():
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
