#!/usr/bin/env bash
# Packs bindings/javascript as npm does, into BUILD/wasm/libbackprop-VERSION.tgz. The same sources give the same bytes.
# Usage: javascript_package.sh BUILD, after cross.sh wasm BUILD and cross.sh wasm-threads BUILD.
set -euo pipefail
build=$(realpath "$1")/wasm
cd "$(dirname "$0")/../bindings/javascript"
files=$(node -p 'JSON.parse(fs.readFileSync("package.json")).files.join("\n")')
version=$(node -p 'JSON.parse(fs.readFileSync("package.json")).version')
tar --sort=name --mtime="@${SOURCE_DATE_EPOCH:-0}" --owner=0 --group=0 --numeric-owner --mode=u=rw,go=r --transform 's,^,package/,' -c \
    package.json README.md $files | gzip -9n >"$build/libbackprop-$version.tgz"
