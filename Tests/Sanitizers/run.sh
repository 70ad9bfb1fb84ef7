#!/usr/bin/env bash
# Runs the C test programs under analysis tools: most under AddressSanitizer with Swift's run-time checks, those with threads
# under ThreadSanitizer, and some with the shipped library under valgrind. Any report fails the tool's claim. RealtimeSanitizer
# watches the shipped library's predictors (realtime.c).
# Usage: run.sh BUILD TOOL..., of address, thread, valgrind and realtime
set -uo pipefail
cd "$(dirname "$0")/../.."
build=$1
shift
passed=0 failed=0

judge() { # judge NAME OUTPUT: checks that all claims hold and nothing is reported
    if tail -n 1 <<<"$2" | grep -qE '^[1-9][0-9]* passed, 0 failed$' &&
        ! grep -qE 'ERROR: .*Sanitizer|WARNING: Thread|runtime error:|^==[0-9]+== ' <<<"$2"; then
        passed=$((passed + 1)); echo "ok $1: $(tail -n 1 <<<"$2"), nothing reported"
    else
        failed=$((failed + 1)); echo "$2"; echo "not ok $1"
    fi
}

watch() { # watch KIND VARIABLE=PROGRAMS: runs ONLY or all EXCEPT these with the library of that kind
    Tests/Sanitizers/build.sh "$1" || { echo "not ok builds for the $1 sanitizer"; failed=$((failed + 1)); return; }
    judge "$1 sanitizer" "$(. ".build/$1/environment"; env "$2" Tests/CTests/run.sh ".build/$1/release" 2>&1)"
}

claim() { # claim NAME COMMAND...: a claim that holds when the command succeeds
    if "${@:2}"; then passed=$((passed + 1)); echo "ok $1"; else failed=$((failed + 1)); echo "not ok $1"; fi
}

address() {
    # "memory" and "hygiene" measure the process, which the sanitizer changes. Programs with heap.h replace the sanitizer's heap.
    watch address EXCEPT="memory hygiene $(grep -l '"heap.h"' Tests/CTests/*.c | sed 's|.*/||; s|\.c$||' | tr '\n' ' ')"
}
thread() {
    watch thread ONLY="threads team fork sharing plugins trainer_errors restarts resume predictor custom_losses \
        second_order ensemble large_minibatches all_reduce_overlap"
}
valgrind() {
    judge valgrind "$(PROGRAMS=$build/memcheck WRAPPER="valgrind -q --leak-check=full --show-leak-kinds=definite" \
        ONLY="${MEMCHECK:-arguments activations metadata}" Tests/CTests/run.sh "$build" 2>&1)"
}
is_reported() { grep -q "RealtimeSanitizer: unsafe-library-call" <<<"$("$1" predict 2>&1)"; }
realtime() {
    local program=$build/realtime clang
    clang=$(dirname "$(readlink -f "$(command -v swift)")")/clang
    rm -f "$program"
    claim "realtime.c compiles" "$clang" -std=c23 -Wall -Wextra -Werror -O1 -g -fsanitize=realtime -I include \
        Tests/Sanitizers/realtime.c -o "$program" -L "$build" -Wl,-rpath,"$PWD/$build" -lbackprop -lm -lpthread
    claim "predictors run without memory, locks and system calls while another thread trains" "$program" run
    claim "the sanitizer reports a call that takes memory" is_reported "$program"
}

for tool in "$@"; do
    case $tool in
    address | thread | valgrind | realtime) "$tool" ;;
    *) sed -n '/^# Usage/s/^# //p' "$0" >&2 && exit 2 ;;
    esac
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
