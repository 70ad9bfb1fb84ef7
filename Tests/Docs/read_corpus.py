"""Reads the files of Tests/Corpus by the reader of docs/file-format.md, and compares its outputs with those of the manifest.

The library is not used. Files whose activations the reader does not have are skipped.
"""
import math
import sys

from blocks import ROOT, blocks

reader = {}
exec(next(block.code for block in blocks((ROOT / "docs/file-format.md").read_text()) if block.language == "python"), reader)
read = wrong = 0
for line in (ROOT / "Tests/Corpus/manifest.txt").read_text().splitlines():
    if " -> " not in line:
        continue
    name, *inputs = line.split(" -> ")[0].split()
    outputs = [float(number) for number in line.split(" -> ")[1].split()]
    words, tensors = reader["read_model"](ROOT / "Tests/Corpus" / name)
    if not set(words["activations"].split(",")) <= set(reader["ACTIVATIONS"]):
        continue
    read += 1
    found = reader["predict"](words, tensors, [float(number) for number in inputs])
    if len(found) != len(outputs) or not all(math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-6) for a, b in zip(found, outputs)):
        wrong += 1
        print(f"{name}: {found}, not {outputs}")
print(f"{read} files, {wrong} wrong")
sys.exit(1 if wrong or read < 10 else 0)
