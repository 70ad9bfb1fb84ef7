#!/usr/bin/env bash
# Checks the form of the shared library: dependencies, exports, size and instructions. Usage: run.sh BUILD RELEASE
#   BUILD holds libbackprop.so and libbackprop.debug.so (the same library with symbols)
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

# All libraries that a process opens with dlopen share a few hundred bytes of initial-exec thread-local memory.
local=$((16#$(readelf -lW "$library" | awk '$1 == "TLS" { print substr($6, 3) }')))
[ "$local" -gt 0 ] && [ "$local" -le 64 ]; check "has at most 64 bytes of thread-local memory, being $local" $? "$local bytes"
! readelf -rW "$library" | grep -qE 'DTPMOD|TLSDESC'; check "allocates no thread-local memory after a thread's start" $?

size=$(stat -L -c %s "$library")
[ "$size" -le 700000 ]; check "is at most 700 KB, being $size bytes" $? "$size bytes"

different=$("$build/venv/bin/python" Tests/Library/weak_data.py "$2" Kernels KernelsAVX2 KernelsAVX512 Backprop BackpropC)
check "weak data of the same name are equal in all object files" $? "$different"

exported=$(nm -D --defined-only "$library" | awk '{print $3}' | sort)
others=$(grep -v '^bp_' <<<"$exported")
[ -z "$others" ]; check "exports only bp_*" $? "$others"

declared=$(cc -E -P -x c include/backprop.h | tr '\n' ' ' | tr ';' '\n' | grep -v typedef |
    grep -oE '\bbp_[a-z0-9_]+ ?\(' | tr -d ' (' | sort -u)
count=$(wc -w <<<"$declared") # not in the claim: it would change $?
[ "$declared" = "$exported" ]; check "exports exactly the $count functions of the header" $? \
    "$(diff <(echo "$declared") <(echo "$exported"))"

glibc=$(objdump -T "$library" | grep -oE 'GLIBC_[0-9.]+' | sort -uV | tail -1)
[ "$(printf 'GLIBC_2.34\n%s\n' "$glibc" | sort -V | tail -1)" = GLIBC_2.34 ]; check "needs glibc 2.34 at most ($glibc)" $? "$glibc"

# Only the AVX2 and AVX-512 kernels use wide instructions: the rest must run on every x86-64 processor.
if [ "$(uname -m)" = x86_64 ]; then
    wide=$(objdump -d --no-show-raw-insn "$debug" |
        awk '/^[0-9a-f]+ <.*>:$/ { name = $2 } /%ymm|%zmm|\tv[a-z0-9]+ .*%xmm|\t(shlx|sarx|shrx|andn|rorx|bextr|mulx|pdep|pext|tzcnt|lzcnt) / { print name }' |
        sort -u)
    [ "$(grep -c KernelsAVX2 <<<"$wide")" -gt 5 ]; check "has AVX2 kernels" $?
    [ "$(grep -c KernelsAVX512 <<<"$wide")" -gt 3 ]; check "has AVX-512 kernels" $?
    stray=$(grep -v -e KernelsAVX2 -e KernelsAVX512 -e cp_kernels_avx <<<"$wide")
    [ -z "$stray" ]; check "uses AVX2 and AVX-512 only in their kernels" $? "$stray"
    stray=$(objdump -d --no-show-raw-insn "$debug" | awk '/^[0-9a-f]+ <.*>:$/ { name = $2 } /%zmm|%k[0-7]|%ymm(1[6-9]|2[0-9]|3[01])/ { print name }' |
        sort -u | grep -v -e KernelsAVX512 -e cp_kernels_avx512)
    [ -z "$stray" ]; check "uses AVX-512 only in the AVX-512 kernels" $? "$stray"

    # A processor of qemu, also without one feature of the level x86-64-v3 each.
    if command -v qemu-x86_64 >/dev/null; then
        cc -I include -x c - -o "$build/instruction_set" -L "$build" -Wl,-rpath,"$PWD/$build" -lbackprop <<<'
            #include <stdio.h>
            #include "backprop.h"
            int main(void) { return puts(bp_instruction_set()) < 0; }'
        set_of() { env -u BACKPROP_INSTRUCTION_SET qemu-x86_64 -cpu "$1" "$build/instruction_set" 2>/dev/null; }
        [ "$(set_of Haswell)" = avx2 ] && [ "$(set_of Nehalem)" = baseline ]; check "uses AVX2 on a Haswell, not on a Nehalem" $?
        different=
        for feature in pni ssse3 fma cx16 sse4.1 sse4.2 movbe popcnt xsave avx f16c bmi1 avx2 bmi2 lahf-lm abm; do
            [ "$(set_of "Haswell,-$feature")" = baseline ] || different+=" $feature"
        done
        [ -z "$different" ]; check "uses AVX2 only where the processor has all of x86-64-v3" $? "$different"
    else
        echo "# not tried: other processors, because qemu-x86_64 is missing"
    fi
fi

# A trap would end the host's process. (The standard library has some, in code that is never reached.)
if [ "$(uname -m)" = x86_64 ]; then
    traps=$(objdump -d --no-show-raw-insn "$debug" | awk '/^[0-9a-f]+ <.*>:$/ { name = $2 } /\tud2/ { print name }' |
        grep -E 'Backprop|Kernels|<bp_' | sort -u)
    [ -z "$traps" ]; check "has no trap in the library's code" $? "$traps"
fi

version=$(sed -n 's/.*BP_VERSION_\(MAJOR\|MINOR\|PATCH\) \([0-9]*\)$/\2/p' include/backprop.h | paste -sd.)
said=$(python3 -c "import ctypes; f = ctypes.CDLL('$library').bp_version_string; f.restype = ctypes.c_char_p; print(f().decode())")
[ "$said" = "$version" ]; check "has the header's version, $version" $?
grep -q "^__version__ = \"$version\"" bindings/python/libbackprop/__init__.py; check "the Python package has the header's version" $?
grep -q "^Version $version\." README.md; check "README.md has the header's version" $?

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
