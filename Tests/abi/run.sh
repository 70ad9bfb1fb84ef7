#!/usr/bin/env bash
# The binary interface is what it was, or has grown as CONTRIBUTING.md allows.
#   run.sh check BUILD    compares with what is recorded here, and runs a program of the first header
#   run.sh record BUILD   records the interface of today, unless it breaks that of before
# The library's types are taken from the header, which the compiler holds the Swift functions to: what it writes for a
# debugger about them is Swift.
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

# Additions apart, nothing may differ: no function gone, none with other types, no struct with other members than new ones
# at its end.
breaks() { ! abidiff --no-added-syms --suppressions $here/growth.suppr $here/backprop.abi "$work/backprop.abi" >"$work/difference"; }

case $mode in
record)
    if [ -e $here/backprop.abi ] && breaks; then
        cat "$work/difference"
        echo "not recorded: programs compiled before would break. What was never released may: remove $here/backprop.abi first" >&2
        exit 1
    fi
    cp "$work/backprop.abi" "$work/symbols" $here/
    echo "recorded $(wc -l <$here/symbols) functions"
    ;;
check)
    breaks
    [ $? -ne 0 ]; check "nothing that was recorded has changed" $? "$(cat "$work/difference")"
    gone=$(comm -23 $here/symbols "$work/symbols")
    [ -z "$gone" ]; check "no recorded function is gone" $? "$gone"
    new=$(comm -13 $here/symbols "$work/symbols")
    [ -z "$new" ] && cmp -s $here/backprop.abi "$work/backprop.abi"
    check "additions are recorded" $? "run make abi and commit $here: ${new:-a type}"
    cc -std=c99 -pedantic -Wall -Wextra -Werror -I include -c $here/offsets.c -o "$work/offsets.o"
    check "members of structs are where they were" $?
    cc -std=c99 -pedantic -Wall -Wextra -Werror -I $here/first $here/client.c -o "$work/client" -L "$build" \
        -Wl,-rpath,"$(realpath "$build")" -lbackprop && (cd "$work" && ./client)
    check "a program of the first header runs with the library of today" $?
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    ;;
esac
