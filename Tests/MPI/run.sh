#!/usr/bin/env bash
# Starts processes with mpirun, on this machine only. Usage: run.sh BUILD PYTHON, where BUILD, relative to the repository, holds
# libbackprop.so. Ends with "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD build=$1
python=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
work=$root/$build/mpi
export LIBBACKPROP_LIBRARY=${LIBBACKPROP_LIBRARY:-$root/$build/libbackprop.so}
export PYTHONPATH=$root/bindings/python PYTHONDONTWRITEBYTECODE=1
# More processes than processors, as root, without a network.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl=self,vader OMPI_MCA_plm=isolated OMPI_MCA_btl_vader_single_copy_mechanism=none
rm -rf "$work"
mkdir -p "$work"
. Tests/claims.sh

run() { # run PROCESSES TASK: the processes must succeed
    mpirun -n "$1" "$python" Tests/MPI/program.py "$2" "$work"
}
fails() { if "$@"; then return 1; fi; } # not `! "$@"`, which -e ignores
same() { # same FILE...: the bits are equal
    local file
    for file in "$@"; do cmp -s "$1" "$file" || { echo "$1 and $file differ" && return 1; }; done
}
near() { "$python" Tests/MPI/near.py "$@"; } # near TOLERANCE FILE FILE: the parameters
holds() { grep -qx -- "$2" "$1" || { cat "$1" && false; }; }

fits_are_equal() {
    for n in 1 2 3 4; do
        run $n fit
        same "$work/fit$n".*
        near 1e-5 "$work/fit1.0" "$work/fit$n.0"
    done
}
claim "a fit of 1, 2, 3 and 4 processes is the same, except for rounding, and all processes have the same bits" fits_are_equal

shards_are_equal() {
    for n in 1 3 4; do
        run $n shards
        same "$work/shards$n".* "$work/saved$n"
        near 1e-5 "$work/shards1.0" "$work/shards$n.0"
    done
    same "$work/loss3".*
}
claim "steps on shards of unequal sizes are those of one process" shards_are_equal

callback_fails() {
    run 3 callback
    holds "$work/callback.result.1" "error KeyError"
    for k in 0 2; do holds "$work/callback.result.$k" "error WorkerError"; done
}
claim "an exception of a callback on one process ends the step on all" callback_fails
claim "the step that failed has changed nothing on any process" grep -qx "steps 2" "$work"/callback.result.0

arguments_are_wrong() {
    run 2 arguments
    holds "$work/arguments.result.0" "errors WorkerError NotFiniteError WorkerError"
    holds "$work/arguments.result.1" "errors ValueError NotFiniteError TypeError"
    holds "$work/arguments.result.0" "steps 1"
}
claim "arguments that one process refuses fail the call on all, and the next call works" arguments_are_wrong

interrupted() {
    run 3 interrupt
    same "$work"/interrupt.[0-9]
    for k in 0 1 2; do holds "$work/interrupt.result.$k" "steps 8"; done
    holds "$work/interrupt.result.1" "end interrupted"
}
claim "Ctrl-C on one process ends the fit on all at the same step" interrupted

rm -f "$work/checkpoint"
killed() {
    run 1 whole
    fails run 3 killed
    near 1 "$work/checkpoint" "$work/checkpoint" # it can be loaded
    run 2 resume
    same "$work"/resumed2.*
    near 1e-5 "$work/whole.0" "$work/resumed2.0"
}
claim "a process that is killed ends the others, and fewer processes resume the fit from its latest checkpoint" killed

stalled() {
    rm -f "$work/checkpoint"
    fails mpirun --timeout 5 -n 2 "$python" Tests/MPI/program.py stalled "$work"
    run 3 resume
    near 1e-5 "$work/whole.0" "$work/resumed3.0"
}
claim "a process that stalls ends the others after the time limit of mpirun" stalled

sweeps() {
    for n in 1 3; do
        run $n sweep
        same "$work/sweep$n".[0-9]
        same "$work/sweep$n.result".*
    done
    same "$work/sweep1.0" "$work/sweep3.0"
}
claim "a sweep spread over processes gives all of them the best network" sweeps

example() {
    mpicc -std=c99 -O2 -Wall -Wextra -pedantic -Werror -I include Examples/c/mpi_digits.c -o "$work/mpi_digits" \
        -L "$build" -Wl,-rpath,"$root/$build" -lbackprop -lm
    mpirun -n 2 "$work/mpi_digits" Examples/data/digits.csv "$work/digits.safetensors" 6
    mpirun -n 3 "$work/mpi_digits" Examples/data/digits.csv "$work/digits.safetensors" 12 | tee "$work/digits.log"
    grep -q "^continues from " "$work/digits.log"
    awk '/^3 processes, held-out accuracy/ { good = $5 >= 96 } END { exit !good }' "$work/digits.log"
}
claim "the example in C reads 96 % of the held-out images, begun by 2 and continued by 3 processes" example

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
