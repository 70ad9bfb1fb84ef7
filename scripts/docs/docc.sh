#!/usr/bin/env bash
# Writes the documentation of the Swift module Backprop: docc.sh BUILD makes BUILD/Backprop.doccarchive. A warning is an error.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$1 work=$1/docc
tools=$(dirname "$(readlink -f "$(command -v swift)")")

swift build -c release --disable-automatic-resolution --target Backprop --scratch-path "$work/swift" >"$work.log" || { cat "$work.log"; exit 1; }
rm -rf "$work/symbols"
mkdir -p "$work/symbols"
"$tools/swift-symbolgraph-extract" -module-name Backprop -minimum-access-level public -output-dir "$work/symbols" \
    -target "$(swift -print-target-info | sed -n 's/.*"unversionedTriple": "\(.*\)".*/\1/p' | head -n 1)" -I "$work/swift/release/Modules" 
