#!/usr/bin/env bash
# Builds the library for microcontrollers (scripts/cross.sh), links it with Examples/microcontroller, and runs the training on a
# Cortex-M4 and a Cortex-M7 under qemu. Usage: microcontroller.sh BUILD: holds the library of this machine. Ends with "N passed, M
# failed".
set -uo pipefail
cd "$(dirname "$0")/../.."
build=$1 library=$1/armv7em-none work=$1/armv7em-none/tests example=Examples/microcontroller
rm -rf "$work" && mkdir -p "$work"
. Tests/claims.sh
for file in /usr/bin/arm-none-eabi-gcc /usr/bin/qemu-system-arm /usr/lib/arm-none-eabi/include/stdio.h; do
    [ -e "$file" ] || { echo "# not tried: microcontrollers, because $file is missing" && exit 0; }
done

compiler=(arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 -std=c99 -Wall -Wextra -Werror -Os
    -ffunction-sections -I include)
link() { # link PROGRAM SOURCE MEMORY FLAG...
    local program=$work/$1 source=$2 memory=$3
    shift 3
    "${compiler[@]}" --specs=nosys.specs -nostartfiles -T "$memory" -Wl,--gc-sections,--no-warnings "$source" $example/board.c "$@" \
        "$library/libbackprop.a" -lm -o "$program"
}
here() { # here PROGRAM SOURCE ARGUMENT...: prints what it prints
    local program=$1
    cc -std=c99 -Wall -Wextra -Werror -pedantic -O1 -I include "$2" -o "$work/$1" -L "$build" -Wl,-rpath,"$PWD/$build" -lbackprop
    shift 2
    BACKPROP_INSTRUCTION_SET=baseline "$work/$program" "$@" | tee "$work/$program.here"
}
run() { # run MACHINE PROGRAM
    timeout 600 qemu-system-arm -M "$1" -nographic -semihosting-config enable=on,target=native -kernel "$2" </dev/null 2>&1
}
trains_here() { here train $example/train.c | grep "32 of 32 right"; }
there() { # there MACHINE PROGRAM
    run "$1" "$work/$2.elf" >"$work/$2.$1"
    grep -v '^#' "$work/$2.$1" | diff "$work/$2.here" -
}
all_kinds() { # the same bits on both processors, and no more stack than the training of 16-16-4 needs
    here bits Tests/Platforms/bits.c 100
    [ "$(wc -l <"$work/bits.here")" -gt 100 ]
    "${compiler[@]}" -Dmain=bits -c Tests/Platforms/bits.c -o "$work/bits.o"
    echo 'int bits(int, char **); int main(void) { return bits(2, (char *[]){"bits", "100"}); }' >"$work/start.c"
    sed 's/96K/4M/' $example/board.ld >"$work/large.ld"
    link bits.elf "$work/start.c" "$work/large.ld" "$work/bits.o" -DARENA=2000000
    there mps2-an386 bits
    there mps2-an500 bits
    [ "$(sed -n 's/.*stack \([0-9]*\) bytes/\1/p' "$work/bits.mps2-an386")" -lt 12000 ]
}

small_arenas() { # the training ends, or a call reports that memory is exhausted
    local bytes ended=0 refused=0
    for bytes in $(seq 1024 1024 49152); do
        link small.elf $example/train.c $example/board.ld -DARENA="$bytes"
        run mps2-an386 "$work/small.elf" >"$work/small" || true
        if grep -q "out of memory" "$work/small"; then refused=$((refused + 1))
        else
            grep "32 of 32 right" "$work/small"
            ended=$((ended + 1))
        fi
    done
    [ $ended -gt 0 ] && [ $refused -gt 10 ]
}

claim "the library for armv7em compiles" scripts/cross.sh armv7em-none "$build"
claim "a program that trains 16-16-4 fits 512 KB of flash and 96 KB of memory" link train.elf $example/train.c $example/board.ld
claim "the training runs on this machine with the baseline" trains_here
claim "a Cortex-M4 computes the same bits" there mps2-an386 train
claim "a Cortex-M7 computes the same bits" there mps2-an500 train
claim "with any smaller arena, the training ends or a call reports that memory is exhausted" small_arenas
claim "trainings of all kinds, and of layers of 100 and 144 units, have the same bits, with a small stack" all_kinds
arm-none-eabi-size "$work/train.elf" | sed 's/^/# /'
grep -h '^#' "$work/train.mps2-an386" "$work/bits.mps2-an386"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
