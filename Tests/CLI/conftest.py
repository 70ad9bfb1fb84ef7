"""Runs the program."""
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("BACKPROP", str(ROOT / "build" / "backprop"))
IRIS = str(ROOT / "Examples" / "data" / "iris.csv")
DIGITS = str(ROOT / "Examples" / "data" / "digits.csv")


@dataclass
class Result:
    status: int
    out: str
    error: str


def backprop(*arguments, text=b"", status=0, env=None, folder=None):
    """Runs the program. `status`: the expected exit status; None for any."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], input=text if isinstance(text, bytes) else text.encode(),
                          capture_output=True, env={**os.environ, **(env or {})}, cwd=folder)
    result = Result(done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace"))
    assert done.returncode >= 0 or status == done.returncode, f"ended by signal {-done.returncode}: {result.error}"
    if status is not None:
        assert done.returncode == status, result
    if status in (1, 2):
        last = result.error.splitlines()[-1]
        assert last.startswith("backprop: "), result.error
    return result


@pytest.fixture
def table(tmp_path):
    """Writes a file."""
    def write(text, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path
    return write


@pytest.fixture(scope="session")
def iris_model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "iris.safetensors"
    backprop("train", IRIS, "--target", "species", "--validation", "0.2", "--epochs", "50", "-q", "-o", path)
    return path


def scores(out):
    """The table of scores: {rows: {measure: number}}."""
    lines = out.splitlines()
    first = next(i for i, line in enumerate(lines) if line.split()[:2] == ["rows", "loss"])
    found = {}
    for line in lines[first + 1:]:
        if not line:
            break
        words = line.replace(" %", "").split()
        found[words[0]] = dict(zip(("rows", "loss", *lines[first].replace("mean absolute error", "mae").split()[2:]),
                                   map(float, words[1:])))
    return found


def confusion(out):
    """The confusion table as rows of numbers, and the names of its classes."""
    lines = out.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("actual"))
    names = lines[first].split()[1:]
    return names, [[int(n) for n in line.split()[-len(names):]] for line in lines[first + 1:first + 1 + len(names)]]
