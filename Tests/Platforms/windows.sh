#!/usr/bin/env bash
# Compiles the header, and the C of CPlatform, for Windows by mingw-w64. The Swift toolchain has no standard library for Windows, so
# that there is no library. Usage: windows.sh BUILD. Ends with "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../.."
work=$1/windows
rm -rf "$work" && mkdir -p "$work"
. Tests/claims.sh
command -v x86_64-w64-mingw32-g++ >/dev/null || { echo "# not tried: Windows, because x86_64-w64-mingw32-g++ is missing" && exit 0; }

# Files that need what Windows lacks, as docs/platforms.md lists them
lacking="decimal_text.c foreign.c memory.c posix/file_reason.c posix/files.c posix/libraries.c posix/replace.c
    posix/threads.c reserve.c"
strict="-pedantic -Wall -Wextra -Werror"

c_header() { for standard in c99 c11 c17; do x86_64-w64-mingw32-gcc -std=$standard $strict -fsyntax-only -x c include/backprop.h; done; }
cxx_header() {
    local header
    for header in include/backprop.h bindings/cpp/backprop.hpp; do
        x86_64-w64-mingw32-g++ -std=c++17 $strict -I include -fsyntax-only -x c++ $header
    done
}
seam() { # the files that do not compile with all parts are the listed ones
    local file
    for file in $(cd Sources/CPlatform && echo *.c posix/*.c); do
        x86_64-w64-mingw32-gcc -std=gnu11 -Werror=implicit-function-declaration -DBACKPROP_EMBEDDED -DCP_HAS_THREADS=1 \
            -DCP_HAS_FILES=1 -DCP_HAS_LIBRARIES=1 -DCP_HAS_FOREIGN_CALLS=1 -I Sources/CPlatform/include -fsyntax-only \
            "Sources/CPlatform/$file" 2>>"$work/errors" || echo "$file"
    done | sort >"$work/lacking"
    printf '%s\n' $lacking | sort | diff - "$work/lacking"
    for file in Sources/CKernels/*.c; do x86_64-w64-mingw32-gcc -std=gnu11 -I Sources/CKernels/include -fsyntax-only "$file"; done
}

claim "the header compiles for Windows as C99, C11 and C17" c_header
claim "the header and that for C++ compile for Windows as C++17" cxx_header
claim "the C of the library compiles for Windows except for the files that docs/platforms.md lists" seam

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
