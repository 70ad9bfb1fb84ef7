"""Type checkers accept the package and a typed program, and reject each wrong call."""
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import libbackprop as bp

pytestmark = pytest.mark.skipif(os.environ.get("BACKPROP_INSTRUCTION_SET", "") != "",
                                reason="type checkers do not depend on the instruction set")
HERE = Path(__file__).parent
PACKAGE = Path(bp.__file__).parent
CONFIGURATION = HERE.parent / "pyproject.toml"

# Each line also fails at run time, or has a result of another type.
REJECTED = """
bp.Network("32")
bp.Network([3, 2.5])
bp.Network([3, 2], seed="1")
bp.Network()
bp.Network([3, 2], activation=3)
bp.Network([3, 2], batchnorm="yes")
bp.Network([3, 2], momentum=None)
network.fit(x)
network.fit(x, y, epochs=None)
network.fit(x, y, progress=3)
network.fit(x, y).losses
network.classes = 3
network.layers[1].weight = None
network.layers[1].weigth
bp.plot.diagram(3)
bp.plot.learning_curves(network)
bp.activation.vector(autodiff="keras")
network.set_activation("relu", 1)
network.set_activation(1, 2)
network.set_dropout(1, "0.5")
network.set_optimizer(3)
network.set_option("momentum", None)
network.no_such_method()
network.predict(object())
network.predict(x, out=[1.0])
network.train_minibatch(x, y)
network.train_minibatch(x, y, "fast")
network.score("accuracy", x, y)
network.score(x, y, measure=1)
network.check_settings(object())
network.save(3)
network.layers = (1, 2)
network.loss = "squared_error"
network.tensors["layers.1.bias"] = None
network.tensors[1]
network.scaling.outputs
network.metadata[1] = "one"
trainer.fit(x, network, y)
trainer.fit(network, x, y, lambda progress: None)
trainer.fit(network, x, y, progress=3)
trainer.fit(network, x, y, progress=lambda: None)
trainer.fit(network, x, y, validation=x)
trainer.fit(network, x, y, class_weight=2)
trainer.fit(network, x, y).los
trainer.get_option("schedule").real
bp.Trainer(epochs=None)
bp.Trainer(50)
bp.Predictor(x)
bp.Predictor(network).run()
bp.Predictor(network).update(x)
bp.load(3)
bp.load("model").predict()
bp.activation.vector(lambda z: z)
bp.activation.vector(backward=lambda z: z)
bp.activation.scalar(derivative=lambda z: z)
bp.activation.register_scalar("name", 3)
bp.activation.register_vector("name", abs)
bp.activation.from_library("libm.so.6", 3, "d(d)")
bp.activation.kind(3)
bp.set_thread_count("2")
bp.options()["schedule"]
bp.numpy
bp.Networks([3, 2])
""".strip().splitlines()
SETTING = """
import numpy as np
import libbackprop as bp

x, y = np.zeros((4, 3), np.float32), np.zeros((4, 2), np.float32)
network, trainer = bp.Network([3, 2]), bp.Trainer()
""".lstrip()


def run(tool, *arguments, cwd=None):
    """Runs a type checker that can import the package and the tests. Returns its exit status and output."""
    paths = os.pathsep.join([str(PACKAGE.parent), str(HERE)])
    environment = {**os.environ, "MYPYPATH": paths, "PYTHONPATH": paths}
    done = subprocess.run([sys.executable, "-m", tool, *map(str, arguments)], env=environment, text=True,
                          capture_output=True, check=False, cwd=cwd)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def mypy(tmp_path_factory):
    pytest.importorskip("mypy")
    cache = tmp_path_factory.mktemp("mypy")
    return lambda *arguments: run("mypy", "--strict", "--cache-dir", cache, *arguments, cwd=cache)


@pytest.fixture(scope="module")
def pyright(tmp_path_factory):
    """pyright runs on Node.js. Its Python package may have to download Node.js."""
    pytest.importorskip("pyright")
    folder = tmp_path_factory.mktemp("pyright")
    status, output = run("pyright", "--version", cwd=folder)
    if status != 0:
        pytest.skip(f"pyright does not start: {output.strip().splitlines()[-1]}")

    def check(*arguments, mode="strict"):
        configuration = folder / "pyrightconfig.json"
        configuration.write_text(f'{{"typeCheckingMode": "{mode}"}}')
        return run("pyright", "--pythonpath", sys.executable, *arguments, cwd=folder)

    return check


def rejected_lines(output):
    return {int(line) for line in re.findall(r"rejected\.py:(\d+):(?:\d+ -)? error", output)}


@pytest.fixture
def rejected(tmp_path):
    """A program with all wrong lines, and the numbers of these lines."""
    path = tmp_path / "rejected.py"
    path.write_text(SETTING + "\n".join(REJECTED) + "\n")
    first = SETTING.count("\n") + 1
    return path, set(range(first, first + len(REJECTED)))


def described(lines):
    first = SETTING.count("\n") + 1
    return [REJECTED[line - first] for line in sorted(lines)]


def test_typed_program_runs_without_error(capsys):
    import typed_program  # here, because it registers activations that other tests register, too

    typed_program.main()
    assert re.search("^(first|second) ", capsys.readouterr().out, flags=re.M)


def test_mypy_accepts_the_package_and_a_typed_program(mypy):
    status, output = mypy(PACKAGE, HERE / "typed_program.py")
    assert status == 0, output


def test_mypy_rejects_each_wrong_line(mypy, rejected):
    path, expected = rejected
    status, output = mypy(path)
    assert status == 1 and described(expected - rejected_lines(output)) == [], output


def test_pyright_accepts_the_package(pyright):
    status, output = pyright("--project", CONFIGURATION)
    assert status == 0, output


def test_pyright_accepts_a_typed_program(pyright, tmp_path):
    status, output = pyright(HERE / "typed_program.py")
    assert status == 0, output


def test_pyright_rejects_each_wrong_line(pyright, rejected):
    path, expected = rejected
    status, output = pyright(path, mode="basic")
    assert status == 1 and described(expected - rejected_lines(output)) == [], output


def test_every_public_name_has_a_known_type(pyright):
    status, output = pyright("--verifytypes", "libbackprop", "--ignoreexternal")
    assert status == 0 and "Type completeness score: 100%" in output, output


def test_every_module_lists_its_exports():
    for path in PACKAGE.glob("*.py"):
        name = "libbackprop" if path.stem == "__init__" else f"libbackprop.{path.stem}"
        if path.stem in ("jax", "onnx", "sklearn", "torch") and importlib.util.find_spec(path.stem) is None:
            continue  # the module needs a package that is not installed
        module = importlib.import_module(name)
        if path.stem != "_prototypes":  # all its names are exported
            assert len(set(module.__all__)) == len(module.__all__) and all(hasattr(module, each) for each in module.__all__)
