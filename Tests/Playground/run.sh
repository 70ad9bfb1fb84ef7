#!/usr/bin/env bash
# Tests the page docs/playground: its parts under Node.js, and the page in headless Chromium. Usage: run.sh BUILD PYTHON, where BUILD
# holds libbackprop.so and playground. Ends with "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../.."
build=$1 python=$2 work=$1/playground-tests
mkdir -p "$work"
. Tests/claims.sh

in_node() { # in a copy, where Node.js takes .js for modules as browsers do
    rm -rf "$work/node" && mkdir -p "$work/node"
    cp --parents docs/playground/*.js Tests/Playground/*.js "$work/node"
    echo '{ "type": "module" }' >"$work/node/package.json"
    node --test "$work/node/Tests/Playground"
}
claim "the formulas and the data sets are right" in_node
in_chromium() { BUILD=$PWD/$build "$python" -m pytest -q -p no:cacheprovider Tests/Playground >"$work/chromium"; }
claim "the page works in Chromium" in_chromium
tail -n 1 "$work/chromium" | sed 's/^/# /'

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
