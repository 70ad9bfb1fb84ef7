"""What the processes of run.sh do: program.py ENGINE TASK FOLDER. ENGINE is mpi or gloo."""
import datetime
import os
import signal
import sys
import time

if sys.argv[2] == "baseline" and os.environ.get("OMPI_COMM_WORLD_RANK", os.environ.get("RANK")) == "1":
    os.environ["BACKPROP_INSTRUCTION_SET"] = "baseline"  # before the library is loaded

import numpy as np

import libbackprop as bp
import workers
from libbackprop.distributed import BFloat16, DataParallel, communicator, sweep
from workers import distance, x, y

engine, task, folder = sys.argv[1:4]
if engine == "mpi":
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
else:
    from torch import distributed as comm

    limit = datetime.timedelta(seconds=10 if task == "stalled" else 600)
    comm.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", timeout=limit, rank=int(os.environ["RANK"]),
                            world_size=int(os.environ["WORLD_SIZE"]))
rank, size = communicator(comm).rank, communicator(comm).size
bp.set_thread_count(1 + rank)  # which has no effect on the bits
options = {"epochs": 8, "batch_size": 16, "learning_rate": 0.01, "seed": 3}


def network(seed=1, **settings):
    return workers.network(seed=seed, **{"dropout": 0.1, **settings})


def report(name, **values):
    with open(os.path.join(folder, f"{name}.{rank}"), "w") as file:
        file.write("\n".join(f"{key} {value}" for key, value in values.items()) + "\n")


def save(trained, name):
    """Each rank writes its file, so that the caller can compare their bits."""
    trained.save(os.path.join(folder, f"{name}.{rank}"))


if task == "fit":  # from different networks: that of rank 0 counts
    trained = network(seed=1 + rank)
    history = trained.fit(x, y, validation=0.25, comm=comm, **options)
    save(trained, f"fit{size}")
    report(f"course{size}", losses=" ".join(f"{loss:.9g}" for loss in history.validation_loss), end=history.end)

elif task == "steps":  # on shares of unequal sizes; the last rank has no rows
    ends = [0, *np.linspace(5, len(x), size - 1).astype(int), len(x)] if size > 1 else [0, len(x)]
    part = slice(ends[rank], ends[rank + 1])
    for optimizer, rate in workers.OPTIMIZERS.items():
        alone, y = workers.problem(optimizer)
        trained = alone.clone()
        with DataParallel(trained, comm) as parallel:
            for _ in range(200):
                alone.train_minibatch(x, y, rate)
                trained.train_minibatch(x[part], y[part], rate)
            parallel.save(os.path.join(folder, f"saved.{optimizer}"))
            share = slice(rank * len(x) // size, (rank + 1) * len(x) // size)
            scores = {measure: parallel.score(x[part], y[part], measure) for measure in bp.score_names()}
            report(f"loss.{optimizer}", loss=parallel.evaluate(x[share], y[share]), **scores)
            assert all(abs(score - trained.score(x, y, measure)) <= 1e-6 for measure, score in scores.items())
        save(trained, f"steps.{optimizer}")
        print(f"rank {rank} of {size}, {optimizer}: relative difference {distance(alone, trained):.3g}")
        assert distance(alone, trained) <= 1e-5

elif task == "overlap":  # a network whose gradient has three parts
    numbers = np.random.default_rng(7)
    x, y = numbers.normal(size=(24, 400)).astype(np.float32), numbers.normal(size=(24, 3)).astype(np.float32)
    part = slice(24 * rank // size, 24 * (rank + 1) // size)
    for optimizer, rate in (("momentum", 0.002), ("sgd", 0.01)):  # (adam magnifies the rounding errors of gradients near 0)
        networks = [bp.Network([400, 2000, 700, 3], activation="tanh", output="identity", batchnorm=optimizer == "momentum",
                               optimizer=optimizer, gradient_reduction="mean", seed=1) for _ in range(2)]
        with DataParallel(networks[0], comm), DataParallel(networks[1], comm, overlap=True):
            for _ in range(10):
                losses = [each.train_minibatch(x[part], y[part], rate) for each in networks]
        print(f"rank {rank} of {size}, {optimizer}: losses {losses}, relative difference {distance(*networks):.3g}")
        assert distance(*networks) <= (1e-5 if size > 2 else 0)  # a sum of two numbers has one order
        save(networks[1], f"overlap.{optimizer}")

elif task == "bfloat16":
    alone, trained = network(), network()
    history = alone.fit(x, y, **{**options, "epochs": 100})
    rounded = trained.fit(x, y, comm=BFloat16(comm), **{**options, "epochs": 100})
    assert rounded.loss[-1] < 1.1 * history.loss[-1], (rounded.loss[-1], history.loss[-1])
    save(trained, "bfloat16")

elif task == "callback":  # fails on rank 1 in the third step
    @bp.activation.vector(backward=lambda z, a, da: da)
    def failing(z):
        failing.calls += 1
        if rank == 1 and failing.calls == 3:
            raise KeyError("on rank 1")
        return z

    failing.calls = 0
    trained = network()
    trained.set_activation(1, failing)
    with DataParallel(trained, comm):
        part = slice(rank * 10, rank * 10 + 10)
        try:
            for _ in range(5):
                trained.train_minibatch(x[part], y[part], 0.01)
        except (KeyError, bp.WorkerError) as error:
            report("callback.result", error=type(error).__name__, steps=trained.step_count)
    save(trained, "callback")

elif task == "arguments":  # wrong on rank 1: a shape that Python refuses, and then a NaN
    trained = network()
    names = []
    with DataParallel(trained, comm):
        for wrong in (x[:10, :3], np.full((10, 6), np.nan, np.float32), [["a"]]):
            try:
                trained.train_minibatch(wrong if rank == 1 else x[:10], y[:10], 0.01)
            except Exception as error:
                names.append(type(error).__name__)
        trained.train_minibatch(x[:10], y[:10], 0.01)
    report("arguments.result", errors=" ".join(names), steps=trained.step_count)

elif task == "baseline":  # the instruction set of rank 1
    differ, refused = communicator(comm).broadcast(bp.instruction_set().encode()) != b"baseline", False
    try:
        network().fit(x, y, comm=comm, **options)
    except bp.ModelError as error:
        refused = "instruction set" in str(error)
    report("baseline.result", right=refused == differ)

elif task in ("killed", "stalled", "shrink"):  # rank 1 does in epoch 3; rank 0 has saved after each epoch
    def progress(now):
        if rank == 0:
            trained.save(os.path.join(folder, "checkpoint"))
        if rank == 1 and now.epoch == 3 and task != "stalled":
            os.kill(os.getpid(), signal.SIGKILL)
        while rank == 1 and now.epoch == 3 and not os.path.exists(os.path.join(folder, "stalled.0")):
            time.sleep(0.1)

    trained = network()
    try:
        trained.fit(x, y, comm=comm, progress=progress, **options)
    except Exception as error:  # of the engine
        report(task, error=type(error).__name__)
        if task != "shrink":
            os._exit(1)
        comm.Revoke()  # so that no other process waits
        comm = comm.Shrink()
        rank = comm.rank
        if rank == 0:
            trained = bp.load(os.path.join(folder, "checkpoint"))
        trained.fit(x, y, comm=comm, resume=1, **options)
        save(trained, "shrink")
        report("shrink.result", size=comm.size)

elif task == "resume":
    trained = bp.load(os.path.join(folder, "checkpoint")) if rank == 0 else network(seed=9)
    history = trained.fit(x, y, comm=comm, resume=1, **options)
    save(trained, f"resumed{size}")

elif task == "whole":  # the fit of "killed" without a fault
    trained = network()
    trained.fit(x, y, comm=comm, **options)
    save(trained, "whole")

elif task == "interrupt":  # Ctrl-C on rank 1 ends the fit on all
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell lets programs in the background ignore
    trained = network()

    def interrupt(now):
        if rank == 1 and now.epoch == 2:
            os.kill(os.getpid(), signal.SIGINT)

    history = trained.fit(x, y, comm=comm, progress=interrupt, **options)
    save(trained, "interrupt")
    report("interrupt.result", end=history.end, steps=history.result.history[-1].step)

elif task == "sweep":
    def train(seed):
        candidate = network(seed)
        return candidate, candidate.fit(x, y, epochs=5, seed=seed, learning_rate=0.01).best_loss

    best, loss, index = sweep(range(7), train, comm)
    save(best, f"sweep{size}")
    report(f"sweep{size}.result", loss=loss, index=index)

else:
    sys.exit(f"no task {task}")
