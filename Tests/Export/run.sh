#!/usr/bin/env bash
# Tests exported source code: networks of all kinds are exported, compiled for several processors, and compared with the library.
# Usage: run.sh BUILD, where BUILD, relative to the repository, holds libbackprop.so. Ends with "N passed, M failed".
# Processors other than x86 run in qemu. A compiler that is missing is reported as not tried; make test-export-all installs all.
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD build=$1
here=$root/Tests/Export
work=$root/$build/export
rm -rf "$work" && mkdir -p "$work"
. Tests/claims.sh
cd "$work" || exit 1
has() { # has PROGRAM...: otherwise reports that exported files were not tried with it
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || { echo "# not tried: exported files, without $program"; return 1; }
    done
}

strict="-Wall -Wextra -pedantic -Werror"
claim "the program that exports networks compiles" cc -std=c99 $strict -O1 -I "$root/include" -I "$root/Tests/CTests" \
    "$here/networks.c" -o networks -L "$root/$build" -Wl,-rpath,"$root/$build" -lbackprop -lm
claim "networks of all kinds are exported" env BACKPROP_INSTRUCTION_SET=baseline ./networks
mkdir baseline && cp ./*.c ./*.swift baseline
claim "networks of all kinds are exported, with the processor's instruction set" ./networks
[ -e one.rows.fused ] && fused=fused || { fused= && echo "# not tried: exported files with fused multiply-add"; }
unmeasured() { sed 's/by at most [0-9.e-]*, for/for/' "$1"; } # without the difference that 8 bits made here
same() { for file in baseline/*; do diff <(unmeasured "$file") <(unmeasured "${file#baseline/}"); done; }

files=$(ls ./*.c) || exit 1
for file in $files; do echo "#include \"$file\""; done >all.inc
echo '#include "all.inc"' >all.c

# ---- C. All files are in one translation unit, which some programs make of all their sources.

equals() { # equals SET TOLERANCE COMPILER FLAGS...: compiles all networks, and compares their predictions with the library's
    local set=$1 tolerance=$2 && shift 2
    rm -f program
    "$@" -I "$here" -I . "$here/predictions.c" all.c -o program -lm
    [ -x program ] && $emulator ./program "$set" $tolerance
}
compile_each() { for file in $files; do "$@" -c "$file" -o one.o || return 1; done; }

emulator=
for compiler in gcc clang; do
    has $compiler || continue
    c99="$compiler -std=c99 $strict"
    claim "$compiler compiles each file as C99 without a warning" compile_each $c99 -O0
    claim "$compiler: the library's bits, without optimization" equals baseline "" $c99 -O0
    claim "$compiler: the library's bits (-O3)" equals baseline "" $c99 -O3
    [ -z "$fused" ] && continue
    claim "$compiler: the library's bits, with fused multiply-add" equals fused "" $c99 -O3 -mavx2 -mfma
    claim "$compiler: the library's bits, as GNU C, which may fuse other sums" equals fused "" $compiler -O3 -march=native
done
for compiler in g++ clang++; do
    has $compiler || continue
    claim "$compiler: the library's bits as C++" equals baseline "" $compiler -std=c++17 $strict -O1 -x c++
done
vectorized() { gcc -std=c99 -O3 -S with_tanh.c -o - | grep divps; }
[ "$(uname -m)" = x86_64 ] && claim "gcc divides in vectors, without flags for the processor" vectorized
no_libm() { # only sin needs it
    for file in with_tanh with_softmax normalized; do gcc -O1 -shared -fPIC -nostdlib -Wl,-z,defs "$file.c" -o one.so -lc || return 1; done
}
claim "tanh, softmax and batch normalization do not need the mathematical library" no_libm

# Compilers for other processors: claim, set, tolerance, emulator, compiler and flags.
other() {
    local name=$1 set=$2 tolerance=$3
    emulator=$4
    shift 4
    has "$1" ${emulator%% *} && claim "$name" equals "$set" "$tolerance" "$@" -static
    emulator=
}
other "32-bit x86 with SSE: the library's bits" baseline "" "" i686-linux-gnu-gcc -std=c99 $strict -O2 -msse2 -mfpmath=sse
other "32-bit x86, which sums in 80 bits: within 1e-5" baseline 1e-5 "" i686-linux-gnu-gcc -std=c99 $strict -O2
[ -z "$fused" ] || other "arm64: the library's bits" fused "" qemu-aarch64 aarch64-linux-gnu-gcc -std=c99 $strict -O3
other "32-bit x86, which sums in 80 bits, as GNU C: within 1e-5" baseline 1e-5 "" i686-linux-gnu-gcc -O3
other "arm: the library's bits" baseline "" qemu-arm arm-linux-gnueabihf-gcc -std=c99 $strict -O2
[ -z "$fused" ] || other "arm with fused multiply-add: the library's bits" fused "" qemu-arm arm-linux-gnueabihf-gcc -O2 -mfpu=vfpv4

size() { # size NAME COMPILER FLAGS...: prints the bytes of code and constants
    local name=$1 compiler=$2 && shift 2
    for file in small small8; do
        $compiler "$@" -Wall -Wextra -Werror -Os -ffunction-sections -c $file.c -o one.o || return 1
        ${compiler%gcc}size one.o | awk -v name="$name, 4-16-16-1 as $file.c" 'NR == 2 { print "# " name ": " $1 + $2, "bytes" }'
    done | tee -a sizes
}
: >sizes
has arm-none-eabi-gcc && claim "Cortex-M4 compiles" size Cortex-M4 arm-none-eabi-gcc -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard
has avr-gcc && claim "ATmega328 compiles" size ATmega328 avr-gcc -mmcu=atmega328p
cat sizes

# ---- Swift

swift_equals() { # swift_equals SET FLAGS...
    local set=$1 && shift
    rm -f program
    swiftc -O -parse-as-library "$@" "$here/predictions.swift" ./*.swift -o program && ./program "$set"
}
if has swiftc; then
    claim "Swift: the library's bits" swift_equals baseline -warnings-as-errors
    [ -z "$fused" ] || claim "Swift: the library's bits, with fused multiply-add" swift_equals fused -D FMA -Xcc -mfma
fi

claim "exported files do not depend on the processor, except for the measured difference of 8 bits" same
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
