#!/usr/bin/env bash
# Builds the library for macOS on arm64 (scripts/cross.sh), checks its form, and compiles the C for Apple's other systems. Nothing is
# run. Usage: apple.sh BUILD. Ends with "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../.."
build=$1 library=$1/arm64-apple/libbackprop.1.dylib work=$1/arm64-apple/tests
tools=$(dirname "$(readlink -f "$(command -v swift)")")
headers=$("$build/venv/bin/python" -c 'import os, ziglang; print(os.path.dirname(ziglang.__file__))')/lib/libc/include/any-darwin-any
rm -rf "$work" && mkdir -p "$work"
. Tests/claims.sh

exports_the_header() {
    "$tools/llvm-nm" --defined-only --extern-only --format=just-symbols "$library" | sed -n 's/^_\(bp_\)/\1/p' | sort >"$work/exported"
    cc -E -P -x c include/backprop.h | tr '\n' ' ' | tr ';' '\n' | grep -v typedef | grep -oE '\bbp_[a-z0-9_]+ ?\(' | tr -d ' (' |
        sort -u | diff - "$work/exported"
}
is_named_and_linked() {
    "$tools/llvm-objdump" --macho --dylib-id --dylibs-used "$library" | sed -nE 's/^\s*([^ :]*\.dylib).*/\1/p' |
        grep -vx "$library" | sort -u |
        diff <(printf '%s\n' /usr/lib/libSystem.B.dylib @rpath/libbackprop.1.dylib) -
}
compiles() { # compiles TRIPLE FLAG...: all C of the library
    local file triple=$1
    shift
    for file in Sources/CPlatform/*.c Sources/CPlatform/*/*.c Sources/CKernels/*.c; do
        "$tools/clang" --target="$triple" -nostdlibinc -idirafter "$headers" -DBACKPROP_EMBEDDED -Wall -Wextra -Werror "$@" \
            -I Sources/CPlatform/include -I Sources/CKernels/include -fsyntax-only "$file"
    done
}

claim "the library for macOS on arm64 compiles and links" scripts/cross.sh arm64-apple "$build"
claim "it exports the functions of the header" exports_the_header
claim "it is named @rpath/libbackprop.1.dylib and needs only libSystem and libffi" is_named_and_linked
mkdir -p "$work/ffi" && cp /usr/include/x86_64-linux-gnu/ffi*.h "$work/ffi"
claim "the C compiles for macOS on x86-64" compiles x86_64-apple-macosx13.0 -I "$work/ffi"
claim "the C compiles for iOS, without libffi" compiles arm64-apple-ios16.0

echo "# not tried: Swift for macOS on x86-64, because the toolchain has no standard library for it; running anything on Apple's systems"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
