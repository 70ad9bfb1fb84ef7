#!/usr/bin/env bash
# Trains a network that reads digits by several processes on this machine, with MPI. Usage: demo.sh BUILD PROCESSES
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$1 demo=$1/demo-distributed
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_plm=isolated
rm -rf "$demo"
mkdir -p "$demo"
mpicc -std=c99 -O2 -Wall -Wextra -pedantic -Werror -I include Examples/c/mpi_digits.c -o "$demo/mpi_digits" \
    -L "$build" -Wl,-rpath,"$PWD/$build" -lbackprop -lm
mpirun -n "$2" "$demo/mpi_digits" Examples/data/digits.csv "$demo/digits.safetensors"
