#!/usr/bin/env bash
# Checks that the binary interface is unchanged, or was extended as CONTRIBUTING.md allows.
#   run.sh check BUILD    compares the interface with the recorded one, and runs a program compiled with the first header
#   run.sh record BUILD   records the current interface, unless it is incompatible with the recorded one
# The types come from the header, because the compiler checks the Swift functions against it. The library's debug
# information describes Swift types.
set -uo pipefail
cd "$(dirname "$0")/../.."
mode=${1:-} build=${2:-}
[ -n "$build" ] || { echo "usage: run.sh check|record BUILD" >&2; exit 2; }
here=Tests/abi
work=$build/abi
passed=0 failed=0
mkdir -p "$work"

check() { # check CLAIM STATUS [DETAIL]
    if [ "$2" -eq 0 ]; then passed=$((passed + 1)); echo "ok $1"; else failed=$((failed + 1)); echo "not ok $1: ${3:-}"; fi
}

nm -D --defined-only "$build/libbackprop.so" | awk '{print $3}' | sort >"$work/symbols"
python3 Fuzz/signatures.py include/backprop.h --stubs >"$work/stubs.c" &&
    cc -std=c99 -O0 -g -fdebug-prefix-map="$PWD=." -shared -fPIC -I include "$work/stubs.c" -o "$work/libbackprop.so" \
        -Wl,-soname,libbackprop.so.1 &&
    abidw --no-corpus-path --no-show-locs --no-comp-dir-path "$work/libbackprop.so" >"$work/backprop.abi"
check "the header's types can be read" $?

# Only additions are compatible: no function is removed, no type of a function changes, and structs get new members only at
# the end.
breaks() { ! abidiff --no-added-syms --suppressions $here/growth.suppr $here/backprop.abi "$work/backprop.abi" >"$work/difference"; }

case $mode in
record)
    if [ -e $here/backprop.abi ] && breaks; then
        cat "$work/difference"
        echo "not recorded: compiled programs would break. If the interface was never released, remove $here/backprop.abi first" >&2
        exit 1
    fi
    cp "$work/backprop.abi" "$work/symbols" $here/
    echo "recorded $(wc -l <$here/symbols) functions"
    ;;
check)
    breaks
    [ $? -ne 0 ]; check "the recorded interface is unchanged" $? "$(cat "$work/difference")"
    gone=$(comm -23 $here/symbols "$work/symbols")
    [ -z "$gone" ]; check "no recorded function is removed" $? "$gone"
    new=$(comm -13 $here/symbols "$work/symbols")
    [ -z "$new" ] && cmp -s $here/backprop.abi "$work/backprop.abi"
    check "additions are recorded" $? "run make abi and commit $here: ${new:-a type}"
    cc -std=c99 -pedantic -Wall -Wextra -Werror -I include -c $here/offsets.c -o "$work/offsets.o"
    check "members of structs have their recorded offsets" $?
    cc -std=c99 -pedantic -Wall -Wextra -Werror -I $here/first $here/client.c -o "$work/client" -L "$build" \
        -Wl,-rpath,"$(realpath "$build")" -lbackprop && (cd "$work" && ./client)
    check "a program compiled with the first header runs with the current library" $?
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    ;;
esac
