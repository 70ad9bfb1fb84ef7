"""Finds the library and the package before the tests import them."""
import importlib.util
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
BUILT = HERE.parents[2] / "build" / "libbackprop.so"

if importlib.util.find_spec("libbackprop") is None:
    sys.path.insert(0, str(HERE.parent))

packaged = Path(importlib.util.find_spec("libbackprop").origin).parent / "libbackprop.so"
if not os.environ.get("LIBBACKPROP_LIBRARY") and not packaged.exists():
    if not BUILT.exists():
        pytest.exit(f"no library: build {BUILT}, or set LIBBACKPROP_LIBRARY to one", returncode=3)
    os.environ["LIBBACKPROP_LIBRARY"] = str(BUILT)

import libbackprop as bp  # noqa: E402

# Background jobs, and jobs of some build servers, start with SIGINT ignored. Python then installs no handler.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Runs the tests that fork first: the threads of JAX and polars, which later tests start, do not survive a fork."""
    items.sort(key=lambda item: item.path.name != "test_processes.py")


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture(autouse=True)
def unregister_activations_of_the_test():
    before = set(bp.activation.names())
    yield
    for name in set(bp.activation.names()) - before:
        bp.activation.unregister(name)


@pytest.fixture
def run_script(tmp_path):
    """Runs Python source in a separate process and returns the finished process."""
    import subprocess

    def run(source, **environment):
        package = str(Path(bp.__file__).resolve().parents[1])
        variables = {**os.environ, "PYTHONPATH": package, **environment}
        return subprocess.run([sys.executable, "-c", source], env=variables, cwd=tmp_path, text=True, check=False,
                              capture_output=True)

    return run
