#!/usr/bin/env bash
# Writes the documentation of the Swift module Backprop, BUILD/Backprop.doccarchive: docc.sh BUILD [MODULES]. A warning is an error.
# MODULES is a folder in which SwiftPM has built the module; without it, the script builds it.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$1 products=${2:-}
work=$build/docc
tools=$(dirname "$(readlink -f "$(command -v swift)")")
mkdir -p "$work"

if [ -z "$products" ]; then
    products=$work/swift/debug
    swift build --disable-automatic-resolution --target Backprop --scratch-path "$work/swift" >"$work/log" || { cat "$work/log"; exit 1; }
fi
triple=$(swift -print-target-info | sed -n 's/.*"triple": "\(.*\)",.*/\1/p' | head -n 1)
maps=()
for name in CKernels CPlatform; do maps+=(-Xcc "-fmodule-map-file=$products/$name.build/module.modulemap"); done
rm -rf "$work/symbols"
mkdir "$work/symbols"
"$tools/swift-symbolgraph-extract" -module-name Backprop -minimum-access-level public -output-dir "$work/symbols" -target "$triple" \
    -I "$products/Modules" "${maps[@]}"
"$tools/docc" convert Sources/Backprop/Backprop.docc --fallback-display-name Backprop --fallback-bundle-identifier backprop \
    --additional-symbol-graph-dir "$work/symbols" --output-path "$build/Backprop.doccarchive" --warnings-as-errors
