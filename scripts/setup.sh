#!/usr/bin/env bash
# Installs what a fresh machine lacks. Usage: setup.sh VENV
# Debian packages when root, otherwise one line that says what to install; Python packages into the virtual environment.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1

packages=()
need() { # need TEST-COMMAND PACKAGE
    eval "$1" >/dev/null 2>&1 || packages+=("$2")
}
need "command -v cc" gcc
need "command -v c++" g++
need "command -v strip" binutils
need "command -v pkg-config" pkg-config
need "command -v abidw" abigail-tools
need "command -v valgrind" valgrind
need "command -v rustc" rustc # a plug-in of the tests is in Rust
need "echo '#include <ffi.h>' | cc -E -" libffi-dev
need "command -v python3" python3
need "python3 -c 'import ensurepip, venv'" python3-venv
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

requirements=scripts/requirements.txt
if ! cmp -s "$requirements" "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
    cp "$requirements" "$venv/requirements.txt"
fi
