#!/usr/bin/env bash
# Tests scripts/test.sh with the parts of the Makefile in this folder. Ends with "N passed, M failed".
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/scripts"
cp "$here/../../scripts/test.sh" "$work/scripts"
cp "$here/Makefile" "$work"
cd "$work"
passed=0 failed=0

claim() { # claim NAME COMMAND...: holds when the command succeeds
    local name=$1 && shift
    if "$@"; then
        passed=$((passed + 1)) && echo "ok $name"
    else
        sed 's/^/#   /' out
        failed=$((failed + 1)) && echo "not ok $name"
    fi
}

run() { # run STATUS LAST TARGET...: checks the exit status and the last line
    local status=$1 last=$2 && shift 2
    scripts/test.sh "$@" >out 2>&1
    [ $? -eq "$status" ] && [ "$(tail -n 1 out)" = "$last" ]
}
summary() { sed -n '/^== summary/,$p' out; }
ended() { # the process does not exist, or is a zombie that init has not reaped yet
    [ -s process ] && ! grep -qs '^State:.[^Z]' "/proc/$(cat process)/status"
}

claim "parts that pass give status 0" run 0 "2 passed, 0 failed" good good
claim "a part that fails does not stop the next one" run 1 "2 passed, 1 failed" good bad good
claim "the summary names the failed part and its failure" eval 'summary | grep -qE "^bad .*FAILED$" && summary | grep -q "^    not ok bad$"'
claim "a failed build stops the run" run 1 "0 passed, 1 failed" bad good
claim "the summary lists the tests that a part could not run" eval \
    'run 0 "1 passed, 0 failed" partial && summary | grep -q "^    # not tried: the rest$"'
export TIME_LIMIT=2
claim "a part that hangs is stopped" run 1 "0 passed, 1 failed" hangs
unset TIME_LIMIT
claim "all its processes have ended" ended
rm -f process
claim "a part that leaves a process ends, and so does the process" eval 'run 0 "1 passed, 0 failed" leaves && ended'
interrupt() { # once the part is running
    local runner
    rm -f process
    env --default-signal=INT scripts/test.sh hangs >out 2>&1 &
    runner=$!
    until [ -s process ]; do sleep 0.1; done
    kill -INT $runner
    wait $runner
    [ $? -eq 130 ] && ended
}
claim "an interrupted run ends all its processes" interrupt
claim "SIGINT interrupts a process of a part when the caller ignores SIGINT" eval \
    '(trap "" INT; run 1 "0 passed, 1 failed" interrupted) && ! grep -q "^not ok" out'

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
