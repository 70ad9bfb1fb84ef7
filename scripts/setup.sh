#!/usr/bin/env bash
# Installs what a fresh machine lacks to build and to show the demo, or with "test" to run the tests as well.
# Usage: setup.sh VENV [test]
# Debian packages when root, otherwise one line that says what to install; Python packages into the virtual environment.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1 tests=${2:-}

packages=()
need() { # need TEST-COMMAND PACKAGE
    eval "$1" >/dev/null 2>&1 || packages+=("$2")
}
need "command -v cc" gcc
need "command -v c++" g++
need "command -v strip" binutils
need "command -v pkg-config" pkg-config
need "echo '#include <ffi.h>' | cc -E -" libffi-dev
need "command -v python3" python3
need "python3 -c 'import ensurepip, venv'" python3-venv
if [ "$tests" = test ]; then
    need "command -v abidw" abigail-tools
    need "command -v valgrind" valgrind
    need "command -v rustc" rustc # a plug-in of the tests is in Rust
    need "command -v luajit" luajit # hosts of the tests, as is PHP
    need "command -v php" php-cli
fi
if [ ${#packages[@]} -gt 0 ]; then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${packages[@]}" >/dev/null
    else
        echo "please install these packages first: ${packages[*]}" >&2
        exit 1
    fi
fi
if ! command -v swift >/dev/null; then
    echo "please install the Swift toolchain, 6.2 or later, first" >&2
    exit 1
fi

[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
for requirements in requirements ${tests:+requirements-test}; do
    if ! cmp -s "scripts/$requirements.txt" "$venv/$requirements.txt"; then
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r "scripts/$requirements.txt"
        cp "scripts/$requirements.txt" "$venv/$requirements.txt"
    fi
done
