"""What the processes of run.sh do: program.py TASK FOLDER. Prints only on rank 0, unless a task says so."""
import os
import signal
import sys

import numpy as np
from mpi4py import MPI

import libbackprop as bp
from libbackprop.distributed import DataParallel, sweep

task, folder = sys.argv[1:3]
comm = MPI.COMM_WORLD
rank, size = comm.Get_rank(), comm.Get_size()
numbers = np.random.default_rng(1)
x = numbers.normal(size=(60, 6)).astype(np.float32)
y = np.tanh(x @ numbers.normal(size=(6, 2))).astype(np.float32)
options = {"epochs": 8, "batch_size": 16, "learning_rate": 0.01, "seed": 3}


def network(seed=1, **settings):
    return bp.Network([6, 12, 2], activation="tanh", output="identity", batchnorm=True, dropout=0.1, optimizer="momentum",
                      gradient_reduction="mean", seed=seed, **settings)


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

elif task == "shards":  # of unequal sizes; the last rank has none
    ends = [0, *np.linspace(5, len(x), size - 1).astype(int), len(x)] if size > 1 else [0, len(x)]
    trained = network()
    with DataParallel(trained, comm) as parallel:
        for _ in range(50):
            loss = trained.train_minibatch(x[ends[rank]:ends[rank + 1]], y[ends[rank]:ends[rank + 1]], 0.01)
        parallel.save(os.path.join(folder, f"saved{size}"))
        share = slice(rank * len(x) // size, (rank + 1) * len(x) // size)
        report(f"loss{size}", loss=parallel.evaluate(x[share], y[share]))
    save(trained, f"shards{size}")

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

elif task == "killed":  # rank 1 dies in epoch 3; rank 0 has saved after each epoch
    def progress(now):
        if rank == 0:
            trained.save(os.path.join(folder, "checkpoint"))
        if rank == 1 and now.epoch == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    trained = network()
    trained.fit(x, y, comm=comm, progress=progress, **options)

elif task == "stalled":  # rank 1 stops in epoch 3; mpirun has a time limit
    def stall(now):
        if rank == 0:
            trained.save(os.path.join(folder, "checkpoint"))
        if rank == 1 and now.epoch == 3:
            signal.pause()

    trained = network()
    trained.fit(x, y, comm=comm, progress=stall, **options)

elif task == "resume":
    trained = bp.load(os.path.join(folder, "checkpoint")) if rank == 0 else network(seed=9)
    history = trained.fit(x, y, comm=comm, resume=1, **options)
    save(trained, f"resumed{size}")

elif task == "whole":  # the fit of "killed" without a fault
    trained = network()
    trained.fit(x, y, comm=comm, **options)
    save(trained, "whole")

elif task == "interrupt":  # Ctrl-C on rank 1 ends the fit on all
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
