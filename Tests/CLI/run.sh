#!/usr/bin/env bash
# Tests the program backprop. Usage: run.sh BUILD PYTHON, where BUILD holds the program and libbackprop.so.
set -uo pipefail
cd "$(dirname "$0")/../.."
export BACKPROP=$PWD/$1/backprop LIBBACKPROP_LIBRARY=$PWD/$1/libbackprop.so PYTHONPATH=$PWD/bindings/python PYTHONDONTWRITEBYTECODE=1
exec "$2" -m pytest -q -rs -p no:cacheprovider Tests/CLI
