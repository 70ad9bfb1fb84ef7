"""The examples in docstrings, the tour in README.md and the gallery: all of them run."""
import doctest
import importlib.util
import inspect
import os
import pkgutil
import re
import runpy
import types
from pathlib import Path

import numpy as np
import pytest

import libbackprop as bp

pytestmark = pytest.mark.skipif(os.environ.get("BACKPROP_INSTRUCTION_SET", "") != "",
                                reason="examples do not depend on the instruction set")
pytest.importorskip("matplotlib").use("Agg")
README = Path(__file__).parents[1] / "README.md"
DOCS = Path(__file__).parents[3] / "docs"
PACKAGES = ("dask", "jax", "onnx", "ray", "sklearn", "torch")  # each has a module of its name, which needs it
MODULES = [importlib.import_module(found.name) for found in pkgutil.walk_packages(bp.__path__, "libbackprop.")
           if (name := found.name.rpartition(".")[2]) not in PACKAGES or importlib.util.find_spec(name)]
# Type aliases have no docstring of their own. The modules are checked by their own members.
WITHOUT = {"Batches", "Path", "activation", "plot", "Backward", "Forward", "ScalarDerivative", "ScalarFunction"}


def members(cls):
    """The public methods and properties of a class, those of the package's base classes included."""
    for base in cls.__mro__[:-1]:
        for name, member in vars(base).items():
            if not name.startswith("_") and base.__module__.startswith("libbackprop"):
                function = getattr(member, "fget", None) or getattr(member, "__func__", member)
                if isinstance(function, types.FunctionType):
                    yield f"{cls.__name__}.{name}", function


def public():
    """Every public name with its object."""
    for module in (bp, bp.activation, bp.plot, *(each for each in MODULES if each.__name__.rpartition(".")[2] in PACKAGES)):
        yield from ((f"{module.__name__}.{name}", getattr(module, name)) for name in module.__all__ if name not in WITHOUT)
    for cls in (bp.Network, bp.Trainer, bp.Predictor):
        yield from members(cls)


def test_every_public_name_has_an_example():
    missing = [name for name, member in public() if ">>> " not in (inspect.getdoc(member) or "")]
    assert missing == []


def test_constructors_have_docstrings():
    for cls in (bp.Network, bp.Trainer, bp.Predictor):
        assert vars(cls)["__init__"].__doc__


def test_dir_lists_the_public_names():
    assert sorted(bp.__all__) == [name for name in dir(bp) if name != "__version__"]


@pytest.mark.parametrize("module", [bp, *MODULES], ids=lambda module: module.__name__)
def test_examples_of_a_module_run(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    losses = set(bp.loss_names())
    failed, _ = doctest.testmod(module, globs={"bp": bp, "np": np}, optionflags=doctest.FAIL_FAST)
    for name in set(bp.loss_names()) - losses:
        bp.unregister_loss(name)
    assert failed == 0


def test_programs_of_the_readme_run_one_after_the_other(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for package in ("jax", "numba", "sklearn", "pandas"):
        pytest.importorskip(package)
    text = README.read_text()
    namespace = {}
    losses = set(bp.loss_names())
    for block in re.finditer(r"^```python\n(.*?)^```$", text, flags=re.M | re.S):
        line = text[:block.start()].count("\n") + 1
        exec(compile("\n" * line + block[1], str(README), "exec"), namespace)  # an error names the line of the page
        if "accuracy" in namespace:
            namespace.setdefault("summary", str(namespace["network"].summary()))
    assert namespace["network"].loss == "weighted"  # the last loss of the page
    assert bp.check_loss("weighted", namespace["rows"][:, 1:], namespace["rows"]) < 1e-2
    for name in set(bp.loss_names()) - losses:
        bp.unregister_loss(name)
    assert round(namespace["accuracy"], 2) == 0.97
    layers, steps, scaling = re.split(r"(, [0-9,]+ steps)", namespace["summary"])  # the number may depend on the processor
    assert layers in text and scaling.strip() in text and steps.endswith(" steps")
    assert 0.42 < namespace["r2"] < 0.47 and 30 < namespace["error"] < 60
    assert capsys.readouterr().out.count("\n") == 5  # one line for each epoch


INTERCHANGE = re.split(r"^## (.*)\n", (DOCS / "interchange.md").read_text(), flags=re.M)


@pytest.mark.parametrize(("heading", "packages"), [
    ("scikit-learn", ["sklearn", "pandas"]), ("PyTorch", ["torch"]), ("JAX", ["jax"]), ("ONNX", ["onnx", "onnxruntime"])])
@pytest.mark.filterwarnings("ignore:.*hasn't converged")
def test_programs_of_the_interchange_page_run(heading, packages, tmp_path, monkeypatch):
    for package in packages:
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    section, namespace = INTERCHANGE[INTERCHANGE.index(heading) + 1], {"bp": bp, "np": np}
    for program in re.findall(r"^```python\n(.*?)^```$", section, flags=re.M | re.S):
        exec(compile(program, f"interchange.md, {heading}", "exec"), namespace)
    if heading == "scikit-learn":
        assert namespace["model"].predict(namespace["people"][:2]).tolist() == ["yes", "no"]
    if heading in ("JAX", "ONNX"):
        assert np.asarray(namespace["outputs"]).shape == (5, 10)


def test_gallery_shows_every_picture(tmp_path):
    pytest.importorskip("sklearn")
    runpy.run_path(str(DOCS.parent / "Examples" / "python" / "gallery.py"))["main"](str(tmp_path))
    assert {path.stem for path in tmp_path.iterdir()} == set(bp.plot.__all__)
    gallery = (DOCS / "gallery.md").read_text()
    for name in bp.plot.__all__:
        assert f"](pictures/{name}.png)" in gallery and f"bp.plot.{name}(" in gallery, name
        picture = (DOCS / "pictures" / f"{name}.png").read_bytes()
        assert picture.startswith(b"\x89PNG") and len(picture) < 40_000, name
