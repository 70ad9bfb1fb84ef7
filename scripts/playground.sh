#!/usr/bin/env bash
# Makes BUILD/playground, a folder that any web server can serve: the page, the JavaScript package and the digits. Usage: playground.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/.."
page=$1/playground
rm -rf "$page"
mkdir -p "$page/library"
cp docs/playground/* Examples/data/digits.csv "$page"
cp bindings/javascript/*.js bindings/javascript/backprop.wasm bindings/javascript/LICENSE bindings/javascript/THIRD-PARTY.md "$page/library"
