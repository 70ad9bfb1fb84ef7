#!/usr/bin/env bash
# Tests the thread team: its protocol as a model, of which every state is explored, and its code with delays between the
# steps, without and with ThreadSanitizer. Ends with "N passed, M failed". Usage: run.sh
set -uo pipefail
cd "$(dirname "$0")/../.."
passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The compiler of the Swift toolchain: the sources use Swift's calling convention, and it has the sanitizers.
swift=$(dirname "$(readlink -f "$(command -v swift)")")
runtime=$(swiftc -print-target-info | python3 -c 'import json, sys; print(json.load(sys.stdin)["paths"]["runtimeLibraryPaths"][0])')
sources=Sources/CPlatform

check() { # check CLAIM COMMAND...
    claim=$1
    shift
    if "$@"; then passed=$((passed + 1)); echo "ok $claim"; else failed=$((failed + 1)); echo "not ok $claim"; fi
}

stress() { # stress FLAGS...: compiles and runs the team with delays
    "$swift/clang" -std=gnu11 -O1 -g -Wall -Wextra -Werror -I "$sources/include" -include Tests/Models/team_stress.h \
        Tests/Models/team_stress.c "$sources"/{threads,this_thread,gate,environment,{posix,linux}/threads,posix/atomics}.c \
        -o "$work/stress" -lpthread "$@" &&
        "$work/stress"
}

check "the model of the team is correct, and the checker finds faults" python3 Tests/Models/team.py
check "the team runs each share once with delays between its steps" stress
check "ThreadSanitizer reports nothing about the team with delays between its steps" \
    stress -fsanitize=thread -fuse-ld=lld "-L$runtime" "-Wl,-rpath,$runtime" -ldispatch -lBlocksRuntime

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
