#!/usr/bin/env bash
# Trains by several processes, on this machine only. Usage: run.sh BUILD PYTHON ENGINE, where BUILD, relative to the repository,
# holds libbackprop.so, and ENGINE is mpi or gloo (of PyTorch). Ends with "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD build=$1 engine=$3
python=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
work=$root/$build/$engine
export LIBBACKPROP_LIBRARY=${LIBBACKPROP_LIBRARY:-$root/$build/libbackprop.so}
export PYTHONPATH=$root/bindings/python:$root/bindings/python/tests PYTHONDONTWRITEBYTECODE=1
# More processes than processors, as root, without a network.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl=self,vader OMPI_MCA_plm=isolated OMPI_MCA_btl_vader_single_copy_mechanism=none
rm -rf "$work"
mkdir -p "$work"
. Tests/claims.sh

run() { # run PROCESSES TASK: all processes must succeed
    local k pids=() status=0
    if [ "$engine" = mpi ]; then
        mpirun --timeout "${limit:-3600}" -n "$1" "$python" Tests/Distributed/program.py mpi "$2" "$work"
    else
        rm -f "$work/rendezvous"
        for ((k = 0; k < $1; k++)); do
            RANK=$k WORLD_SIZE=$1 "$python" Tests/Distributed/program.py gloo "$2" "$work" &
            pids+=($!)
        done
        for k in "${pids[@]}"; do wait "$k" || status=$?; done
        return $status
    fi
}
fails() { if "$@"; then return 1; fi; } # not `! "$@"`, which -e ignores
same() { # same FILE...: the bits are equal
    local file
    for file in "$@"; do cmp -s "$1" "$file" || { echo "$1 and $file differ" && return 1; }; done
}
near() { "$python" Tests/Distributed/near.py "$@"; } # near TOLERANCE FILE FILE: the parameters
holds() { grep -qx -- "$2" "$1" || { cat "$1" && false; }; }

fits_are_equal() {
    for n in 1 2 3 4; do
        run $n fit
        same "$work/fit$n".*
        near 1e-5 "$work/fit1.0" "$work/fit$n.0"
    done
}
claim "a fit of 1, 2, 3 and 4 processes is the same, except for rounding, and all processes have the same bits" fits_are_equal

steps_are_equal() {
    for n in 1 2 3 4; do
        rm -f "$work"/steps.* "$work"/loss.*
        run $n steps
        for optimizer in sgd momentum adam lbfgs; do
            same "$work/steps.$optimizer".* "$work/saved.$optimizer"
            same "$work/loss.$optimizer".*
        done
    done
}
claim "200 steps of sgd, momentum, adam and lbfgs of 1 to 4 processes on shares of unequal sizes are those of one process, and so are their scores" steps_are_equal

overlap_is_equal() {
    for n in 2 3; do
        run $n overlap
        for optimizer in momentum sgd; do same "$work/overlap.$optimizer".*; done
    done
}
claim "steps whose exchanges overlap the backward pass are those without overlap, except for rounding" overlap_is_equal

bfloat16_converges() {
    run 3 bfloat16
    same "$work"/bfloat16.*
}
claim "a fit with gradients in bfloat16 has the loss of exact gradients, and all processes have the same bits" bfloat16_converges

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

instruction_sets() {
    run 2 baseline
    for k in 0 1; do holds "$work/baseline.result.$k" "right True"; done
}
claim "processes whose instruction sets give different bits are refused" instruction_sets

interrupted() {
    run 3 interrupt
    same "$work"/interrupt.[0-9]
    for k in 0 1 2; do holds "$work/interrupt.result.$k" "steps 8"; done
    holds "$work/interrupt.result.1" "end interrupted"
}
claim "Ctrl-C on one process ends the fit on all at the same step" interrupted

lost() { # lost TASK PROCESSES OTHERS: process 1 is lost in epoch 3; another number of processes continues
    rm -f "$work/checkpoint"
    run 1 whole
    fails run "$2" "$1"
    [ "$engine" = mpi ] || holds "$work/$1.0" "error RuntimeError" # mpirun ends the others
    near 1 "$work/checkpoint" "$work/checkpoint" # it can be loaded
    run "$3" resume
    same "$work/resumed$3".*
    near 1e-5 "$work/whole.0" "$work/resumed$3.0"
}
claim "a process that is killed ends the others, and fewer resume the fit from its latest checkpoint" lost killed 3 2
limit=20 # seconds, for mpirun
claim "a process that stalls ends the others after a time limit, and three processes resume the fit" lost stalled 2 3
limit=

sweeps() {
    for n in 1 3; do
        run $n sweep
        same "$work/sweep$n".[0-9]
        same "$work/sweep$n.result".*
    done
    same "$work/sweep1.0" "$work/sweep3.0"
}
claim "a sweep spread over processes gives all of them the best network" sweeps

compile() {
    mpicc -std=c99 -O2 -Wall -Wextra -pedantic -Werror -I include "Examples/c/$1.c" -o "$work/$1" \
        -L "$build" -Wl,-rpath,"$root/$build" -lbackprop -lm
}
digits() {
    compile mpi_digits
    mpirun -n 2 "$work/mpi_digits" Examples/data/digits.csv "$work/digits.safetensors" 6
    mpirun -n 3 "$work/mpi_digits" Examples/data/digits.csv "$work/digits.safetensors" 12 | tee "$work/digits.log"
    grep -q "^continues from " "$work/digits.log"
    awk '/^3 processes, held-out accuracy/ { good = $5 >= 96 } END { exit !good }' "$work/digits.log"
}
restarts() {
    compile mpi_restarts
    for n in 1 3; do
        mpirun -n $n "$work/mpi_restarts" 10 | tee "$work/restarts$n"
        [ "$(grep -c . "$work/restarts$n")" = $n ]
        sed -i 's/^rank [0-9]*: //' "$work/restarts$n"
        [ "$(sort -u "$work/restarts$n")" = "$(head -n 1 "$work/restarts1")" ]
    done
}
overlap_example() {
    compile mpi_overlap
    for n in 1 2 3; do
        mpirun -n $n "$work/mpi_overlap" 20 | tee "$work/overlap.log"
        awk -v n=$n '
            $1 == n && $8 < 0.5 * $6 { good++ }
            /^largest difference/ { good += $6 >= 0 && (n < 3 ? $6 == 0 : $6 < 1e-5) } # for 3 processes, the orders of sums may differ
            END { exit good != 3 }' "$work/overlap.log"
    done
}
if [ "$engine" = mpi ]; then
    claim "the example of overlap in C halves the loss with 1, 2 and 3 processes, and 2 have the bits of steps without overlap" overlap_example
    claim "the example in C reads 96 % of the held-out images, begun by 2 and continued by 3 processes" digits
    claim "the example of restarts in C gives all of 1 or 3 processes the same best network" restarts
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
