#!/usr/bin/env bash
# Checks the form of the library for macOS, made by scripts/cross.sh arm64-apple, and compiles the C for Apple's other systems. Nothing
# is run. Usage: apple.sh BUILD. Ends with "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../.."
build=$1 library=$1/arm64-apple/libbackprop.1.dylib
tools=$(dirname "$(readlink -f "$(command -v swift)")")
headers=$("$build/venv/bin/python" -c 'import os, ziglang; print(os.path.dirname(ziglang.__file__))')/lib/libc/include/any-darwin-any
passed=0 failed=0

check() { # check CLAIM STATUS [DETAIL]
    if [ "$2" -eq 0 ]; then passed=$((passed + 1)); echo "ok $1"; else failed=$((failed + 1)); echo "not ok $1: ${3:-}"; fi
}

compiles() { # compiles TRIPLE FLAG...: all C of the library
    local file triple=$1 said
    shift
    for file in Sources/CPlatform/*.c Sources/CPlatform/*/*.c Sources/CKernels/*.c; do
        said=$("$tools/clang" --target="$triple" -nostdlibinc -idirafter "$headers" -DBACKPROP_EMBEDDED -Wall -Wextra -Werror "$@" \
            -I Sources/CPlatform/include -I Sources/CKernels/include -fsyntax-only "$file" 2>&1) || { echo "$said"; return 1; }
    done
}

exported=$("$tools/llvm-nm" --defined-only --extern-only --format=just-symbols "$library" | sed 's/^_//' | grep '^bp_' | sort)
declared=$(cc -E -P -x c include/backprop.h | tr '\n' ' ' | tr ';' '\n' | grep -v typedef |
    grep -oE '\bbp_[a-z0-9_]+ ?\(' | tr -d ' (' | sort -u)
count=$(wc -w <<<"$declared") # not in the claim: it would change $?
[ "$declared" = "$exported" ]; check "exports the $count functions of the header" $? \
    "$(diff <(echo "$declared") <(echo "$exported"))"

names=$("$tools/llvm-objdump" --macho --dylib-id --dylibs-used "$library" | grep -oE '[^[:space:]:]+\.dylib' | sort -u | tr '\n' ' ')
[ "$names" = "/usr/lib/libSystem.B.dylib @rpath/libbackprop.1.dylib $library " ] ||
    [ "$names" = "/usr/lib/libSystem.B.dylib @rpath/libbackprop.1.dylib " ]
check "is named @rpath/libbackprop.1.dylib and needs only libSystem and libffi" $? "$names"

mkdir -p "$build/arm64-apple/ffi-x86_64" && cp /usr/include/x86_64-linux-gnu/ffi*.h "$build/arm64-apple/ffi-x86_64"
said=$(compiles x86_64-apple-macosx13.0 -I "$build/arm64-apple/ffi-x86_64"); check "the C compiles for macOS on x86-64" $? "$said"
said=$(compiles arm64-apple-ios16.0); check "the C compiles for iOS, without libffi" $? "$said"

echo "# not tried: Swift for macOS on x86-64, because the toolchain has no standard library for it; running anything"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
