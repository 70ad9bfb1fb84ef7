"""Fits by workers of Dask and actors of Ray: the same as in one process, and continued when a worker is lost. `make test-python`
makes the quick tests with Dask; `make test-distributed-all` makes all, also with Ray."""
import contextlib
import functools
import importlib
import os
from pathlib import Path

import numpy as np
import pytest

import libbackprop as bp
from workers import OPTIMIZERS, distance, network, problem, register_faulty, x, y

pytestmark = pytest.mark.skipif(os.environ.get("BACKPROP_INSTRUCTION_SET", "") != "",
                                reason="engines do not depend on the instruction set")
slow = pytest.mark.skipif("ALL_ENGINES" not in os.environ, reason="slow: make test-distributed-all")
OPTIONS = {"batch_size": 20, "seed": 3, "learning_rate": 0.02}


@pytest.fixture(scope="module", params=["dask", "ray"])
def fit(request):
    """A function that fits a network by `workers` processes."""
    patch = pytest.MonkeyPatch()
    folders = [str(Path(__file__).parent), str(Path(bp.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, folders)))  # of the processes
    if request.param == "dask":
        distributed = pytest.importorskip("distributed")
        engine = importlib.import_module("libbackprop.distributed.dask")

        @contextlib.contextmanager
        def cluster():
            with distributed.LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=None) as cluster, \
                    distributed.Client(cluster) as client:
                yield client

        with cluster() as client:
            def fit(*arguments, **options):
                if "setup" not in options:
                    return engine.fit(*arguments, client=client, **options)
                with cluster() as own:  # of which a worker may be lost
                    return engine.fit(*arguments, client=own, **options)

            yield fit
    else:
        ray = pytest.importorskip("ray")
        engine = importlib.import_module("libbackprop.distributed.ray")
        ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        yield engine.fit
        ray.shutdown()
    patch.undo()


@pytest.fixture
def faulty(tmp_path):
    """A function of a fault that returns a setup function. The activation "faulty" of this process has no fault."""
    register_faulty(0, "", tmp_path)
    return lambda fault: functools.partial(register_faulty, fault=fault, folder=str(tmp_path))


@pytest.mark.parametrize(("optimizer", "workers"), [
    ("momentum", 3), *(pytest.param(name, 3, marks=slow) for name in OPTIMIZERS if name != "momentum"), ("momentum", 1),
    ("momentum", 2)])
def test_a_fit_of_200_steps_is_that_of_one_process(fit, optimizer, workers):
    # Epochs of 3 steps; those of lbfgs always have one.
    options = {"epochs": 200 if optimizer == "lbfgs" else 67, **OPTIONS, "learning_rate": OPTIMIZERS[optimizer]}
    alone, y = problem(optimizer)
    trained = alone.clone()
    expected = alone.fit(x, y, **options)
    history = fit(trained, x, y, workers=workers, **options)
    assert history.epochs == expected.epochs
    assert distance(alone, trained) <= 1e-5
    assert np.allclose(history.loss, expected.loss, rtol=1e-4)


@slow
@pytest.mark.parametrize("fault", ["killed", "stalled"])
def test_a_fit_continues_without_a_worker_that_is_lost(fit, faulty, tmp_path, fault):
    alone, trained = network(output="faulty"), network(output="faulty")
    alone.fit(x, y, epochs=8, **OPTIONS)
    history = fit(trained, x, y, workers=3, timeout=5, setup=faulty(fault), epochs=8, **OPTIONS)
    assert (tmp_path / "failed").exists() and history.epochs == 8
    assert distance(alone, trained) <= 1e-5


@pytest.mark.parametrize(("fault", "error"), [("raises", KeyError), ("nan", bp.NotFiniteError)])
def test_an_error_of_one_worker_ends_the_fit(fit, faulty, fault, error):
    trained = network(output="faulty")
    before = trained.to_bytes()
    with pytest.raises(error):
        fit(trained, x, y, workers=2, setup=faulty(fault), epochs=8, **OPTIONS)
    assert trained.to_bytes() == before


def test_a_fit_without_workers_is_refused(fit):
    with pytest.raises(ValueError, match="workers: expected 1 or more"):
        fit(network(), x, y, workers=0, epochs=1)


@slow
def test_a_fit_without_retries_ends_when_a_worker_is_lost(fit, faulty):
    trained = network(output="faulty")
    before = trained.to_bytes()
    with pytest.raises(RuntimeError, match="lost its processes"):
        fit(trained, x, y, workers=2, timeout=5, retries=0, setup=faulty("killed"), epochs=8, **OPTIONS)
    assert trained.to_bytes() == before


def test_progress_is_that_of_rank_0(fit, tmp_path):
    def note(now):
        with open(tmp_path / f"epochs.{os.getpid()}", "a") as file:
            file.write(f"{now.epoch}\n")
        return now.epoch == 3

    history = fit(network(), x, y, workers=2, progress=note, epochs=8, **OPTIONS)
    assert history.epochs == 3 and history.end == "stopped"
    assert [file.read_text() for file in tmp_path.iterdir()] == ["1\n2\n3\n"]
