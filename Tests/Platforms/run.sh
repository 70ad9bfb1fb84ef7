#!/usr/bin/env bash
# Tests the library of another system, made by scripts/cross.sh: the bits of trainings, model files in both directions, the C
# tests, and the inputs of the fuzzer. Usage: run.sh TARGET BUILD [all]
#   BUILD    holds the library of this machine, and BUILD/TARGET that of the target
#   all      all C tests; otherwise those that take less than three minutes
# Ends with "N passed, M failed". "# not tried:" lines name the tests that cannot run here, and why.
set -uo pipefail
cd "$(dirname "$0")/../.."
target=$1 build=$PWD/$2 library=$PWD/$2/$1 extent=${3:-quick}
work=$build/$target/tests
tools=$(dirname "$(readlink -f "$(command -v swift)")")
rm -rf "$work" && mkdir -p "$work/programs"
passed=0 failed=0

claim() { # claim NAME COMMAND...: a claim that holds when the command succeeds; otherwise prints the end of its output
    local name=$1 && shift
    if "$@" >"$work/log" 2>&1; then
        passed=$((passed + 1)) && echo "ok $name"
    else
        tail -n 40 "$work/log" | sed 's/^/#   /'
        failed=$((failed + 1)) && echo "not ok $name"
    fi
}

# How programs for the target are compiled and run, the instruction set of this machine with the same bits, and the C tests that
# are left out.
export CC WRAPPER LINK= PROGRAMS=$work/programs RUSTC=
case $target in
aarch64-linux)
    CC=aarch64-linux-gnu-gcc WRAPPER=qemu-aarch64 twin=avx2
    quick="handles arguments instructions options settings counts tensors losses custom_losses names batchnorm dropout score
        transaction rows trainer_errors resume stratify activations foreign plugins files metadata saving targets weights corpus
        environment"
    left_out="predictor predictor_realtime team fork faults memory limits allocations hygiene cplusplus"
    why="predictor_realtime, hygiene: qemu makes system calls of its own; fork: its children of processes with threads crash;
        predictor, team, faults, memory, limits, allocations: too slow under qemu; cplusplus: the header is the same"
    ;;
i686-linux)
    CC="i686-linux-gnu-gcc -msse2 -mfpmath=sse -D_FILE_OFFSET_BITS=64" twin=baseline
    WRAPPER="/usr/i686-linux-gnu/lib/ld-linux.so.2 --library-path /usr/i686-linux-gnu/lib"
    quick="handles arguments instructions options settings counts tensors names rows trainer trainer_errors finetuning stream
        files metadata mutations saving targets weights corpus threads fork limits"
    left_out="foreign derivatives sharing plugins universal environment memory allocations predictor_realtime cplusplus"
    why="foreign, derivatives, sharing, plugins, universal, memory: they need libffi; environment: functions return floats in the x87
        of the host; allocations, predictor_realtime: their numbers are for 64 bits; cplusplus: the header is the same"
    ;;
wasm)
    CC="$tools/clang --target=wasm32-unknown-wasi --sysroot=/usr -nodefaultlibs -Qunused-arguments" twin=baseline
    LINK="-Wl,--wrap=posix_memalign,--wrap=free,--stack-first,-z,stack-size=1048576 $library/libbackprop.a -lm -lc
        $(echo /usr/lib/llvm-*/lib/clang/*/lib/wasi/libclang_rt.builtins-wasm32.a)"
    WRAPPER="node --no-warnings $PWD/Tests/Platforms/wasi.mjs"
    quick="handles instructions options settings tensors training losses trainable names batchnorm fold dropout scaling score trainer
        resume stratify metadata weights corpus"
    left_out="arguments counts custom_losses transaction rows trainer_errors restarts finetuning sharing plugins files mutations saving
        targets predictor predictor_realtime threads team fork memory faults environment limits hygiene cplusplus activations foreign
        derivatives universal allocations"
    why="programs with threads, signals, mapped memory or shared libraries, which WASI lacks; foreign functions: no libffi"
    ;;
*) sed -n '2,/^set/s/^# //p' "$0" >&2 && exit 2 ;;
esac

# ---- Bits

compile() { # compile SOURCE NAME: as $work/NAME for this machine and as $work/NAME.TARGET
    cc -std=c99 -O1 -I include "$1" -o "$work/$2" -L "$build" -Wl,-rpath,"$build" -lbackprop &&
        $CC -std=c99 -O1 -I include "$1" -o "$work/$2.$target" ${LINK:--L "$library" -Wl,-rpath,"$library" -lbackprop}
}
same_bits() {
    BACKPROP_INSTRUCTION_SET=$twin "$work/bits" >"$work/bits.here" 2>"$work/set" && grep -q "instruction set $twin" "$work/set" &&
        $WRAPPER "$work/bits.$target" >"$work/bits.there" && [ "$(wc -l <"$work/bits.here")" -gt 100 ] &&
        diff "$work/bits.here" "$work/bits.there"
}
# A training in three parts: here, there and here again. Each part continues with the model file of the part before.
relay() { # relay STEP STEP LAST: ends of the parts
    local here=(env "BACKPROP_INSTRUCTION_SET=$twin" "$work/host") there=($WRAPPER "$work/host.$target")
    (cd "$work" && "${here[@]}" whole 0 "$3" && "${here[@]}" 1 0 "$1" && "${there[@]}" 2 "$1" "$2" 1.safetensors &&
        "${here[@]}" 3 "$2" "$3" 2.safetensors && cmp 3.safetensors whole.safetensors && cmp 3.predictions whole.predictions)
}
if grep -q ' fma ' /proc/cpuinfo || [ $twin = baseline ]; then
    claim "the program for bits compiles" compile Tests/Platforms/bits.c bits
    claim "trainings of all kinds have the bits of $twin" same_bits
    claim "the program for model files compiles" compile Tests/Hosts/host.c host
    claim "a training goes through model files from here to there and back, with the same bits" relay 20 40 60
else
    echo "# not tried: the bits of $target, because this processor has no $twin"
fi

# ---- Claims

programs() { # the C tests to be run
    local name
    [ "$extent" = all ] || { echo $quick && return; }
    for name in $(sed -n '/^all="/,/^"/p' Tests/CTests/run.sh | grep -v '"'); do
        case " $(echo $left_out) " in *" $name "*) ;; *) echo "$name" ;; esac
    done
}
c_tests() {
    ONLY=$(echo $(programs)) Tests/CTests/run.sh "$library" >"$work/ctests"
    grep -v '^ok ' "$work/ctests"
    tail -n 1 "$work/ctests" | grep -qE '^[1-9][0-9]* passed, 0 failed$'
}
replay() { FUZZ=$work/fuzz Fuzz/run.sh replay "$library"; }

echo "# not tried: $(echo $why)"
claim "the C tests pass" c_tests
echo "# C tests: $(tail -n 1 "$work/ctests")"
grep '^# not tried' "$work/ctests"
[ "$target" = wasm ] || claim "the inputs of the fuzzer pass" replay

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
