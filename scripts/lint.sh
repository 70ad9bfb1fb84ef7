#!/usr/bin/env bash
# Checks the form of the sources: formatting, types of the Python package, arrows between folders, version, and words that
# docs and comments do without. Usage: lint.sh PYTHON. Changes nothing; lint.sh PYTHON --fix formats Swift and C.
set -uo pipefail
cd "$(dirname "$0")/.."
python=$(realpath -s "$1") tools=$(dirname "$(realpath -s "$1")")
passed=0 failed=0

check() { # check CLAIM COMMAND...: prints what the command says when it fails
    local claim=$1 said
    shift
    if said=$("$@" 2>&1); then
        passed=$((passed + 1)); echo "ok $claim"
    else
        failed=$((failed + 1)); echo "$said" | tail -n 60; echo "not ok $claim"
    fi
}

# Without build folders, the links between the kernels' folders, and the frozen first header.
sources() { # sources PATTERN...: files whose names match
    local names=() pattern
    for pattern in "$@"; do names+=(-o -name "$pattern"); done
    find . \( -name .git -o -name .build -o -name build \) -prune -o -path ./Tests/abi/first -prune -o -type f \( "${names[@]:1}" \) -print | sort
}
mapfile -t swift_files < <(sources '*.swift')
mapfile -t c_files < <(sources '*.c' '*.h' '*.cpp' '*.hpp' '*.cc')

if [ "${2:-}" = --fix ]; then
    swift format format --in-place --parallel "${swift_files[@]}"
    "$tools/clang-format" -i "${c_files[@]}"
    exit
fi

in_package() { (cd bindings/python && "$@"); }

check "Swift is formatted as .swift-format says" swift format lint --strict --parallel "${swift_files[@]}"
check "C is formatted as .clang-format says" "$tools/clang-format" --dry-run --Werror "${c_files[@]}"
check "ruff finds nothing in Python" "$tools/ruff" check --quiet .
check "mypy --strict accepts the Python package and a program that uses it" \
    in_package "$tools/mypy" --strict --no-error-summary libbackprop tests/typed_program.py
check "pyright accepts them" in_package "$tools/pyright" --pythonpath "$python" libbackprop tests/typed_program.py
check "the folders of Sources/Backprop use each other as CONTRIBUTING.md says" "$python" scripts/folder_arrows.py
check "the version is the same in all places" "$python" scripts/version.py
check "docs and comments are plain technical English" "$python" scripts/plain_english.py

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
