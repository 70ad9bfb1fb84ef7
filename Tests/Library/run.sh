#!/usr/bin/env bash
# What the shared library must be, whatever it computes. Usage: run.sh BUILD RELEASE
#   BUILD holds libbackprop.so and libbackprop.debug.so (the same with symbols)
set -uo pipefail
cd "$(dirname "$0")/../.."
build=$1
library=$build/libbackprop.so
debug=$build/libbackprop.debug.so
passed=0 failed=0

check() { # check CLAIM STATUS [DETAIL]
    if [ "$2" -eq 0 ]; then passed=$((passed + 1)); echo "ok $1"; else failed=$((failed + 1)); echo "not ok $1: ${3:-}"; fi
}

needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort | tr '\n' ' ')
foreign=$(tr ' ' '\n' <<<"$needed" | grep -vE '^$|^libc\.so\.6$|^libm\.so\.6$|^libffi\.so\.[0-9]+$|^ld-linux-')
[ -z "$foreign" ]; check "needs only libc, libm and libffi" $? "$foreign"

! grep -q swift <<<"$needed"; check "needs no Swift runtime" $? "$needed"

readelf -d "$library" | grep -q 'soname: \[libbackprop.so.1\]'; check "is named libbackprop.so.1" $?

readelf -d "$library" | grep -q NODELETE; check "stays loaded" $?

# All libraries that a process opens by dlopen share some hundred bytes of initial-exec thread-local memory.
local=$((16#$(readelf -lW "$library" | awk '$1 == "TLS" { print substr($6, 3) }')))
[ "$local" -gt 0 ] && [ "$local" -le 64 ]; check "has at most 64 bytes of thread-local memory, being $local" $? "$local bytes"
! readelf -rW "$library" | grep -qE 'DTPMOD|TLSDESC'; check "has its thread-local memory from a thread's start on" $?

size=$(stat -L -c %s "$library")
[ "$size" -le 700000 ]; check "is at most 700 KB, being $size bytes" $? "$size bytes"

exported=$(nm -D --defined-only "$library" | awk '{print $3}' | sort)
others=$(grep -v '^bp_' <<<"$exported")
[ -z "$others" ]; check "exports only bp_*" $? "$others"

declared=$(cc -E -P -x c include/backprop.h | tr '\n' ' ' | tr ';' '\n' | grep -v typedef |
    grep -oE '\bbp_[a-z0-9_]+ ?\(' | tr -d ' (' | sort -u)
[ "$declared" = "$exported" ]; check "exports what the header declares, $(wc -w <<<"$declared") functions" $? \
    "$(diff <(echo "$declared") <(echo "$exported"))"

glibc=$(objdump -T "$library" | grep -oE 'GLIBC_[0-9.]+' | sort -uV | tail -1)
[ "$(printf 'GLIBC_2.34\n%s\n' "$glibc" | sort -V | tail -1)" = GLIBC_2.34 ]; check "runs from glibc 2.34 on ($glibc)" $? "$glibc"

# Wide instructions only in the kernels made for them: the rest must run on any x86-64.
if [ "$(uname -m)" = x86_64 ]; then
    wide=$(objdump -d --no-show-raw-insn "$debug" |
        awk '/^[0-9a-f]+ <.*>:$/ { name = $2 } /%ymm|%zmm|\tv[a-z0-9]+ .*%xmm|\t(shlx|sarx|shrx|andn|rorx|bextr|mulx|pdep|pext|tzcnt|lzcnt) / { print name }' |
        sort -u)
    [ "$(grep -c KernelsAVX2 <<<"$wide")" -gt 5 ]; check "has AVX2 kernels" $?
    [ "$(grep -c KernelsAVX512 <<<"$wide")" -gt 3 ]; check "has AVX-512 kernels" $?
    stray=$(grep -v -e KernelsAVX2 -e KernelsAVX512 -e cp_kernels_avx <<<"$wide")
    [ -z "$stray" ]; check "uses AVX2 and AVX-512 in the kernels for them only" $? "$stray"
    stray=$(objdump -d --no-show-raw-insn "$debug" | awk '/^[0-9a-f]+ <.*>:$/ { name = $2 } /%zmm|%k[0-7]|%ymm(1[6-9]|2[0-9]|3[01])/ { print name }' |
        sort -u | grep -v -e KernelsAVX512 -e cp_kernels_avx512)
    [ -z "$stray" ]; check "uses AVX-512 in its AVX-512 kernels only" $? "$stray"
fi

# A trap would take the host down. (The standard library has some, on ways that are never gone.)
if [ "$(uname -m)" = x86_64 ]; then
    traps=$(objdump -d --no-show-raw-insn "$debug" | awk '/^[0-9a-f]+ <.*>:$/ { name = $2 } /\tud2/ { print name }' |
        grep -E 'Backprop|Kernels|<bp_' | sort -u)
    [ -z "$traps" ]; check "has no trap in code of its own" $? "$traps"
fi

version=$(sed -n 's/.*BP_VERSION_\(MAJOR\|MINOR\|PATCH\) \([0-9]*\)$/\2/p' include/backprop.h | paste -sd.)
said=$(python3 -c "import ctypes; f = ctypes.CDLL('$library').bp_version_string; f.restype = ctypes.c_char_p; print(f().decode())")
[ "$said" = "$version" ]; check "its version is the header's, $version" $?
grep -q "^__version__ = \"$version\"" bindings/python/libbackprop/__init__.py; check "the Python package's version is the header's" $?
grep -q "^Version $version\." README.md; check "README's version is the header's" $?

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
