#!/usr/bin/env bash
# The C programs again, with somebody watching: all but the slow ones under AddressSanitizer, with Swift's own checks on,
# and the threads' ones under ThreadSanitizer. A report fails the program that gets it. Usage: run.sh
set -uo pipefail
cd "$(dirname "$0")/../.."
passed=0 failed=0

watch() { # watch KIND VARIABLE=PROGRAMS: runs ONLY or all EXCEPT these with the library of that kind
    Tests/Sanitizers/build.sh "$1" || { echo "not ok builds for the $1 sanitizer"; failed=$((failed + 1)); return; }
    . ".build/$1/environment"
    output=$(env "$2" Tests/CTests/run.sh ".build/$1/release" 2>&1)
    if tail -n 1 <<<"$output" | grep -qE '^[1-9][0-9]* passed, 0 failed$' && ! grep -q 'ERROR: .*Sanitizer\|WARNING: Thread\|runtime error:' <<<"$output"; then
        passed=$((passed + 1)); echo "ok $1 sanitizer: $(tail -n 1 <<<"$output"), nothing reported"
    else
        failed=$((failed + 1)); echo "$output"; echo "not ok $1 sanitizer"
    fi
}

# "memory" and "hygiene" look at the process, which is mostly the sanitizer's; programs with a heap of their own take its.
watch address EXCEPT="memory hygiene $(grep -l '"heap.h"' Tests/CTests/*.c | sed 's|.*/||; s|\.c$||' | tr '\n' ' ')"
watch thread ONLY="threads team sharing trainer_errors restarts resume plugins"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
