#!/usr/bin/env bash
# The main job on real data, from three languages. Usage: demo.sh BUILD PYTHON
# C trains and saves a network that reads digits; Python opens it, predicts the held-out images and draws what came out;
# Swift opens it, trains on and saves again. Fails when one reads less than 96 % or C and Python differ in a bit.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 python=$2
demo=$build/demo
data=Examples/data/digits.csv
export PYTHONPATH=bindings/python PYTHONDONTWRITEBYTECODE=1 MPLCONFIGDIR=$demo/matplotlib
export LIBBACKPROP_LIBRARY=${LIBBACKPROP_LIBRARY:-$PWD/$build/libbackprop.so}
mkdir -p "$demo"
rm -f "$demo"/* 2>/dev/null || true # so that no file of an earlier run stands in; folders are caches and stay

title() { printf '\n== %s\n' "$*"; }
reported() { sed -n 's/^held-out accuracy: *\([0-9.]*\) *%$/\1/p' "$1"; } # reported LOG: what a program said, in percent

title "C: trains a network and saves it"
cc -std=c99 -O2 -Wall -Wextra -pedantic -Werror -I include Examples/c/digits.c -o "$demo/digits" \
    -L "$build" -Wl,-rpath,"$PWD/$build" -lbackprop -lm
"$demo/digits" "$data" "$demo" # not through a pipe: on a terminal its progress is live
in_c=$(tail -n 1 "$demo/history.csv" | awk -F, '{ printf "%.2f", 100 * $4 }')

# A program that misses a goal fails; the summary is still to be seen then.
failed=0
title "Python: opens the file and predicts"
"$python" Examples/python/digits.py "$data" "$demo" | tee "$demo/python.log" || failed=1
"$python" Examples/python/picture.py "$data" "$demo" || failed=1

title "Swift: opens the file, trains on and saves again"
swift build -c release --disable-automatic-resolution --quiet --package-path Examples/swift --scratch-path "$build/example-swift"
"$build/example-swift/release/digits" "$data" "$demo/digits.safetensors" "$demo/digits_swift.safetensors" |
    tee "$demo/swift.log" || failed=1

in_python=$(reported "$demo/python.log") in_swift=$(reported "$demo/swift.log")
equal=no
grep -q '^[1-9][0-9]* predictions bit for bit as in C: yes$' "$demo/python.log" && equal=yes

title "Summary"
printf '%-38s C %s %%   Python %s %%   Swift, trained on, %s %%\n' "held-out accuracy:" "$in_c" "${in_python:--}" "${in_swift:--}"
printf '%-38s %s\n' "C and Python predictions bit-equal:" "$equal" \
    "network of C:" "$demo/digits.safetensors" "network of Swift:" "$demo/digits_swift.safetensors" "picture:" "$demo/digits.png"
for accuracy in "$in_c" "$in_python" "$in_swift"; do
    awk -v accuracy="${accuracy:-0}" 'BEGIN { exit !(accuracy >= 96) }' || failed=1
done
[ "$equal" = yes ] && [ -s "$demo/digits.png" ] && [ "$failed" -eq 0 ]
