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
export JOBS=2
unset TIME_LIMIT

claim() { # claim NAME COMMAND...: holds when the command succeeds
    local name=$1 && shift
    if "$@"; then
        passed=$((passed + 1)) && echo "ok $name"
    else
        sed 's/^/#   /' out
        failed=$((failed + 1)) && echo "not ok $name"
    fi
}

run() { # run STATUS LAST BUILDS PART...: checks the exit status and the last line
    local status=$1 last=$2 && shift 2
    rm -f *.process *.begun builds
    scripts/test.sh "$@" >out 2>&1
    [ $? -eq "$status" ] && [ "$(tail -n 1 out)" = "$last" ]
}
summary() { sed -n '/^== summary/,$p' out; }
ended() { # ended PART...: the process of each part does not exist, or is a zombie that init has not reaped yet
    local part
    for part in "$@"; do
        [ -s "$part.process" ] && ! grep -qs '^State:.[^Z]' "/proc/$(cat "$part.process")/status" || return 1
    done
}

claim "parts that pass give status 0" run 0 "3 passed, 0 failed" built good better
for JOBS in 1 2; do
    claim "a part that fails does not stop the others ($JOBS at a time)" run 1 "3 passed, 2 failed" built bad good worse better
    claim "the summary names each failed part and its failure ($JOBS at a time)" eval \
        'for part in bad worse; do summary | grep -qE "^$part .*FAILED$" && summary | grep -q "^    not ok $part$" || exit; done'
done
claim "the summary has the order of the command" eval \
    '[ "$(summary | sed -nE "s/^(\w+) .* (passed|FAILED)$/\1/p" | xargs)" = "build bad good worse better" ]'
claim "a failed build stops the run" run 1 "0 passed, 1 failed" "built bad" good
claim "the summary names the parts that were not run" eval 'summary | grep -q "^good was not run$"'
claim "parts do not build again" run 0 "2 passed, 0 failed" built needs_built
claim "the summary lists the tests that a part could not run" eval \
    'run 0 "2 passed, 0 failed" built partial && summary | grep -q "^    # not tried: the rest$"'
claim "two parts run at the same time" run 0 "3 passed, 0 failed" built left right
claim "the output of each part stays together" eval \
    'for part in left right; do [ "$(grep -A 2 "^== $part$" out | sed 1d)" = "$part begins
$part ends" ] || exit; done'
JOBS=1
claim "with one job, parts run one after the other" run 0 "3 passed, 0 failed" built alone alone_too
JOBS=2
claim "a part that is killed has failed" run 1 "2 passed, 1 failed" built killed good
claim "its summary does not name the time limit" eval 'summary | grep -qE "^killed .*FAILED$"'
export TIME_LIMIT=10
claim "a part that hangs is stopped, and the others run" run 1 "3 passed, 1 failed" built hangs good better
claim "its summary names the time limit" eval 'summary | grep -qE "^hangs .*FAILED: stopped after 10 s$"'
claim "all its processes have ended" ended hangs
unset TIME_LIMIT
claim "a part that leaves a process ends, and so does the process" eval 'run 0 "2 passed, 0 failed" built leaves && ended leaves'
interrupt() { # once the parts are running
    local runner
    rm -f *.process
    env --default-signal=INT scripts/test.sh built hangs hangs_too >out 2>&1 &
    runner=$!
    until [ -s hangs.process ] && [ -s hangs_too.process ]; do sleep 0.1; done
    kill -INT $runner
    wait $runner
    [ $? -eq 130 ] && ended hangs hangs_too
}
claim "an interrupted run ends all processes of all parts" interrupt
claim "SIGINT interrupts a process of a part when the caller ignores SIGINT" eval \
    '(trap "" INT; run 1 "1 passed, 1 failed" built interrupted) && ! grep -q "^not ok" out'

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
