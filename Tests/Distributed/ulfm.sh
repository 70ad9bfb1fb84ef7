#!/usr/bin/env bash
# Trains by processes of an MPI with fault tolerance (ULFM): Open MPI 5, from PyPI, in a virtual environment of its own. On this
# machine only. Usage: ulfm.sh BUILD PYTHON. Ends with "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD build=$1 venv=$PWD/$1/ulfm-venv work=$PWD/$1/ulfm
if ! cmp -s scripts/requirements-ulfm.txt "$venv/requirements.txt"; then
    "$2" -m venv --clear "$venv" &&
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r scripts/requirements-ulfm.txt &&
        cp scripts/requirements-ulfm.txt "$venv/requirements.txt" || exit
fi
export PATH=$venv/bin:$PATH LIBBACKPROP_LIBRARY=$root/$build/libbackprop.so PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH=$root/bindings/python:$root/bindings/python/tests
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
rm -rf "$work"
mkdir -p "$work"
. Tests/claims.sh

run() { mpirun --with-ft ulfm --map-by :OVERSUBSCRIBE -n "$1" "$venv/bin/python" Tests/Distributed/program.py mpi "$2" "$work"; }
continues() {
    run 1 whole
    run 3 shrink
    for k in 0 1; do
        grep -qx "size 2" "$work/shrink.result.$k"
        cmp "$work/shrink.0" "$work/shrink.$k"
    done
    "$venv/bin/python" Tests/Distributed/near.py 1e-5 "$work/whole.0" "$work/shrink.0"
}
claim "when one of three processes is killed, the others get an error, and continue the fit from its latest checkpoint" continues

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
