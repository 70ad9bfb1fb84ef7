#!/usr/bin/env bash
# Runs all parts of the test suite, also after one failed, and ends with a summary. Usage: test.sh BUILD TARGET...
#   BUILD           the Makefile's target that all parts need; when it fails, the parts are not run
#   TARGET          the target of a part, such as test-c
#   TIME_LIMIT      (environment) seconds that one part may take: for a part that hangs, not for a slow machine
# Each part's output is also kept in build/test/TARGET.log. The last line is "N passed, N failed" and counts the parts,
# BUILD included; the exit status is 0 when none failed.
set -uo pipefail
cd "$(dirname "$0")/.."
limit=${TIME_LIMIT:-3600}
logs=build/test
rm -rf $logs
mkdir -p $logs

# Each part is a session, because a time limit inside a part moves processes to other process groups.
part=
end_session() { # kills the processes that remain of the part
    local left rounds
    [ -n "$part" ] || return 0
    for rounds in 1 2 3 4 5; do # a process may start another one meanwhile
        left=$(cat /proc/[0-9]*/stat 2>/dev/null |
            awk -v session="$part" '{ id = $1; sub(/^.*\) /, "") } $4 == session && $1 != "Z" { print id }')
        [ -n "$left" ] || return 0
        kill -KILL $left 2>/dev/null
        sleep 0.1 # until they have ended
    done
}
trap 'end_session; exit 130' INT
trap 'end_session; exit 143' TERM HUP

run() { # run TARGET: shows its output; the status is that of make, or of `timeout` beyond the limit
    local log=$logs/$1.log status
    : >"$log"
    # The shell ignores SIGINT in a background command, and the caller of this script may ignore it, too: the parts start with default signal handling.
    setsid env --default-signal=INT,QUIT,HUP,TERM,PIPE \
        timeout --kill-after=5 "$limit" make --no-print-directory "$1" >"$log" 2>&1 </dev/null &
    part=$!
    tail -n +1 -f --pid=$part "$log" & # not a pipe, which a process that is left over would hold open
    wait $part 2>/dev/null
    status=$?
    end_session
    part=
    wait
    return $status
}

passed=0 failed=0
: >$logs/summary
for target in "$@"; do
    printf '\n== %s\n' "$target"
    start=$SECONDS
    run "$target"
    case $? in
    0) result=passed passed=$((passed + 1)) ;;
    124 | 137) result="FAILED: stopped after $limit s" failed=$((failed + 1)) ;;
    *) result=FAILED failed=$((failed + 1)) ;;
    esac
    {
        printf '%-16s %5d s  %s\n' "$target" $((SECONDS - start)) "$result"
        # The failures, as the suites print them, and the tests that this machine cannot run.
        [ "$result" = passed ] || grep -E '^not ok |^FAILED |^ERROR |^✘ Test ' "$logs/$target.log" | sort -u | head -n 20
        grep -E '^# not tried: |^SKIPPED ' "$logs/$target.log" | sort -u
    } | sed '2,$s/^/    /' >>$logs/summary
    if [ "$target" = "$1" ] && [ "$result" != passed ]; then
        echo "$((${#} - 1)) other parts were not run" >>$logs/summary
        break
    fi
done

printf '\n== summary, after %d s\n' $SECONDS
cat $logs/summary
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
