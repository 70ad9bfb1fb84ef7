#!/usr/bin/env bash
# Runs all parts of the test suite, also after one failed, and ends with a summary. Usage: test.sh "BUILD..." PART...
#   BUILD           a target of the Makefile that the parts need; when one fails, the parts are not run
#   PART            the target of a part, such as test-c; while parts run, make takes the targets BUILD as done
#   JOBS            (environment) parts that run at the same time; otherwise as many as there are processors
#   TIME_LIMIT      (environment) seconds that one part may take: for a part that hangs, not for a slow machine
# Prints the output of a part when the part ends, and keeps it in build/test/PART.log. The last line is "N passed, N failed" and
# counts the parts, the build included; the exit status is 0 when none failed.
set -uo pipefail
cd "$(dirname "$0")/.."
limit=${TIME_LIMIT:-3600}
jobs=${JOBS:-$(nproc)}
builds=$1
shift
logs=build/test
rm -rf $logs
mkdir -p $logs

# Each part is a session, because a time limit inside a part moves processes to other process groups.
declare -A part began # of each session that runs: the name, and the second of its start
end_sessions() { # end_sessions ID...: kills the processes that remain of these sessions
    local left rounds
    [ $# -gt 0 ] || return 0
    for rounds in 1 2 3 4 5; do # a process may start another one meanwhile
        left=$(cat /proc/[0-9]*/stat 2>/dev/null |
            awk -v sessions=" $* " '{ id = $1; sub(/^.*\) /, "") } index(sessions, " " $4 " ") && $1 != "Z" { print id }')
        [ -n "$left" ] || return 0
        kill -KILL $left 2>/dev/null
        sleep 0.1 # until they have ended
    done
}
trap 'exec 2>/dev/null; end_sessions "${!part[@]}"; exit 130' INT
trap 'exec 2>/dev/null; end_sessions "${!part[@]}"; exit 143' TERM HUP

start() { # start NAME ARGUMENT...: calls make with the arguments in the background
    local name=$1 && shift
    # The shell ignores SIGINT in a background command, and the caller of this script may ignore it, too: the parts start with default signal handling.
    setsid bash -c '"$@"; status=$?; times >"build/test/$0.times"; exit $status' "$name" \
        env --default-signal=INT,QUIT,HUP,TERM,PIPE \
        timeout --kill-after=5 "$limit" make --no-print-directory "$@" >"$logs/$name.log" 2>&1 </dev/null &
    part[$!]=$name began[$!]=$SECONDS
    echo "-- $name starts"
}

processors() { # processors NAME: the processor time of the part, user and system, in seconds, unless the part was killed
    awk -F '[ms ]+' 'NR == 2 { printf "%.0f", 60 * ($1 + $3) + $2 + $4 }' "$logs/$1.times" 2>/dev/null || echo -
}

passed=0 failed=0
finish() { # waits until a part ends, and reports it
    local id status name seconds result=passed
    wait -n -p id "${!part[@]}" 2>/dev/null # the status is that of make, or of `timeout` beyond the limit
    status=$?
    end_sessions "$id"
    name=${part[$id]} seconds=$((SECONDS - began[$id]))
    unset "part[$id]"
    if [ $status -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1)) result=FAILED
        case $status in 124 | 137) [ $seconds -lt "$limit" ] || result="FAILED: stopped after $limit s" ;; esac
    fi
    printf '\n== %s\n' "$name"
    cat "$logs/$name.log"
    {
        printf '%-16s %5d s  %5s s of processor time  %s\n' "$name" $seconds "$(processors "$name")" "$result"
        # The failures, as the suites print them, and the tests that this machine cannot run.
        [ "$result" = passed ] || grep -E '^not ok |^FAILED |^ERROR |^✘ Test ' "$logs/$name.log" | sort -u | head -n 20
        grep -E '^# not tried: |^SKIPPED ' "$logs/$name.log" | sort -u
    } | sed '2,$s/^/    /' >"$logs/$name.summary"
    head -n 1 "$logs/$name.summary"
}

start build -j "$jobs" --output-sync $builds
finish
if [ $failed -eq 0 ]; then
    for name in "$@"; do
        [ ${#part[@]} -lt "$jobs" ] || finish
        start "$name" $(printf -- '-o %s ' $builds) "$name"
    done
    while [ ${#part[@]} -gt 0 ]; do finish; done
fi

printf '\n== summary, after %d s\n' $SECONDS
for name in build "$@"; do cat "$logs/$name.summary" 2>/dev/null || echo "$name was not run"; done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
