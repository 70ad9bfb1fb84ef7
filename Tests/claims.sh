# Sourced by test scripts, which set `work`, the folder of their files.
passed=0 failed=0

claim() { # claim CLAIM COMMAND...: holds when the command succeeds; otherwise prints the end of its output
    local name=$1 && shift
    (set -e; "$@") >"$work/log" 2>&1 # not in a condition, in which -e would be ignored
    if [ $? -eq 0 ]; then
        passed=$((passed + 1)) && echo "ok $name"
    else
        tail -n 40 "$work/log" | sed 's/^/#   /'
        failed=$((failed + 1)) && echo "not ok $name"
    fi
}
