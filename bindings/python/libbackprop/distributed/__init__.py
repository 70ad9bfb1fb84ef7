"""One training by several processes: by MPI (mpi4py), torch.distributed, Ray or Dask.

    from mpi4py import MPI
    import libbackprop as bp

    network = bp.Network([64, 32, 10], loss="cross_entropy", optimizer="adam")
    history = network.fit(x, y, epochs=20, comm=MPI.COMM_WORLD)  # all processes pass the same rows

    mpirun -n 4 python program.py

A communicator is an mpi4py communicator, a process group of torch.distributed or that module, or an object of a subclass of
Communicator. `libbackprop.distributed.ray` and `libbackprop.distributed.dask` start the processes themselves.
"""
from __future__ import annotations

from ._bfloat16 import BFloat16
from ._communicator import Communicator, communicator
from ._parallel import DataParallel, sweep

__all__ = ["BFloat16", "Communicator", "DataParallel", "communicator", "sweep"]
