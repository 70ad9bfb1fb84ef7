#!/usr/bin/env bash
# Builds the library for another system (scripts/cross.sh) and tests it: the bits of trainings, model files in both directions, the
# C tests, and the inputs of the fuzzer. Usage: run.sh TARGET BUILD [all]
#   BUILD    holds the library of this machine; BUILD/TARGET will hold that of the target
#   all      all C tests that can run; otherwise those that take less than two minutes together
# Ends with "N passed, M failed". "# not tried:" lines name the tests that cannot run here, and why.
set -uo pipefail
cd "$(dirname "$0")/../.."
target=$1 build=$PWD/$2 library=$PWD/$2/$1 extent=${3:-quick}
work=$build/$target/tests
tools=$(dirname "$(readlink -f "$(command -v swift)")")
rm -rf "$work" && mkdir -p "$work/programs"
. Tests/claims.sh

# What the target needs, how its programs are compiled and run, its instruction sets, and the C tests: a few that reach most of the
# library, and those that cannot run, each line with its reason.
export CC WRAPPER LINK= PROGRAMS=$work/programs RUSTC=
case $target in
aarch64-linux)
    needs="/usr/bin/aarch64-linux-gnu-gcc /usr/bin/qemu-aarch64 /usr/lib/aarch64-linux-gnu/libffi.so"
    CC=aarch64-linux-gnu-gcc WRAPPER=qemu-aarch64 sets="native baseline"
    quick="handles arguments instructions settings tensors losses custom_losses batchnorm transaction rows resume activations foreign
        plugins files metadata weights corpus"
    left_out="
        qemu makes system calls of its own: predictor_realtime hygiene
        children of a process with threads crash under qemu: fork
        too slow under qemu: predictor team faults memory limits allocations all_reduce_overlap
        the header is the same: cplusplus"
    ;;
riscv64-linux)
    needs="/usr/bin/riscv64-linux-gnu-gcc /usr/bin/qemu-riscv64 /usr/riscv64-linux-gnu/include/stdio.h"
    CC=riscv64-linux-gnu-gcc WRAPPER="qemu-riscv64 -L /usr/riscv64-linux-gnu" sets=native
    export LACKING="bp_activation_register_foreign bp_activation_register_library" # which need libffi
    quick="handles arguments instructions settings tensors losses custom_losses batchnorm transaction rows resume activations files
        metadata weights corpus"
    left_out="
        no libffi: foreign derivatives sharing plugins universal environment
        qemu makes system calls of its own: predictor_realtime hygiene
        children of a process with threads crash under qemu: fork
        too slow under qemu: predictor team faults memory limits allocations all_reduce_overlap
        the header is the same: cplusplus"
    ;;
i686-linux)
    needs="/usr/bin/i686-linux-gnu-gcc /usr/i686-linux-gnu/include/stdio.h /usr/lib/i386-linux-gnu/libffi.so"
    CC="i686-linux-gnu-gcc -msse2 -mfpmath=sse -D_FILE_OFFSET_BITS=64" WRAPPER= sets=native
    quick="handles arguments instructions options settings counts tensors names rows trainer trainer_errors finetuning stream
        foreign plugins files metadata saving targets weights corpus threads fork"
    left_out="
        the header is the same: cplusplus"
    ;;
wasm)
    needs="/usr/bin/node /usr/bin/wasm-opt /usr/include/wasm32-wasi $(echo /usr/lib/llvm-*/lib/clang/*/lib/wasi/libclang_rt.builtins-wasm32.a)"
    CC="$tools/clang --target=wasm32-unknown-wasi --sysroot=/usr -nodefaultlibs --no-wasm-opt -Qunused-arguments" sets=native
    LINK="-Wl,--wrap=posix_memalign,--wrap=free,--stack-first,-z,stack-size=1048576 $library/libbackprop.a -lm -lc
        $(echo /usr/lib/llvm-*/lib/clang/*/lib/wasi/libclang_rt.builtins-wasm32.a)"
    WRAPPER="node --no-warnings $PWD/Tests/Platforms/wasi.mjs"
    quick="handles instructions options settings tensors training losses trainable names batchnorm fold second_order dropout scaling score
        trainer resume stratify activations metadata weights corpus"
    left_out="
        no pthread.h: arguments counts custom_losses transaction trainer_errors restarts finetuning sharing targets threads team faults
        no signals, processes or limits of memory: files mutations saving all_reduce all_reduce_fits all_reduce_overlap fork memory limits
        no shared libraries and no libffi: foreign derivatives plugins universal predictor predictor_realtime hygiene
        no floating-point environment: environment rows
        memory is counted by functions of glibc: allocations
        the header is the same: cplusplus"
    ;;
*) sed -n '2,/^set/s/^# //p' "$0" >&2 && exit 2 ;;
esac
for file in $needs; do
    [ -e "$file" ] || { echo "# not tried: $target, because $file is missing" && exit 0; }
done

claim "the library compiles and links" scripts/cross.sh "$target" "$2"

# ---- Bits

compile() { # compile SOURCE NAME: as $work/NAME for this machine and as $work/NAME.TARGET
    cc -std=c99 -O1 -I include "$1" -o "$work/$2" -L "$build" -Wl,-rpath,"$build" -lbackprop
    $CC -std=c99 -O1 -I include "$1" -o "$work/$2.$target" ${LINK:--L "$library" -Wl,-rpath,"$library" -lbackprop}
}
here() { BACKPROP_INSTRUCTION_SET=$1 "$work/bits" "$2" 2>"$work/set"; grep -q "instruction set $1$" "$work/set"; } # here SET STEPS
there() { BACKPROP_INSTRUCTION_SET=$1 $WRAPPER "$work/bits.$target" "$2"; }                                        # there SET STEPS
recorded=12a29c5a376211fb71c30d41654860afa6531198afd3eac5f126f20bbcfa80a5 # of 1,000 steps with the baseline, on all targets
portable() { here baseline 1000 | sha256sum | grep "^$recorded"; }
same_bits() { # same_bits SET SET: here and there
    here "$1" $steps >"$work/bits.here"
    there "$2" $steps >"$work/bits.there"
    [ "$(wc -l <"$work/bits.here")" -gt 100 ]
    diff "$work/bits.here" "$work/bits.there"
}
# A training in three parts: here, there and here again. Each part continues with the model file of the part before.
relay() { # relay STEP STEP LAST: ends of the parts
    cd "$work"
    export BACKPROP_INSTRUCTION_SET=baseline
    ./host whole 0 "$3"
    ./host 1 0 "$1"
    $WRAPPER "./host.$target" 2 "$1" "$2" 1.safetensors
    ./host 3 "$2" "$3" 2.safetensors
    cmp 3.safetensors whole.safetensors
    cmp 3.predictions whole.predictions
}
[ "$extent" = all ] && steps=1000 || steps=100
claim "the programs for bits and model files compile" eval 'compile Tests/Platforms/bits.c bits; compile Tests/Hosts/host.c host'
claim "1,000 steps of all kinds of trainings have the recorded bits with the baseline of this machine" portable
claim "trainings of all kinds have the same bits with the baseline ($steps steps)" same_bits baseline baseline
if [ "$target" = aarch64-linux ] && grep -q ' fma ' /proc/cpuinfo; then
    claim "trainings of all kinds have the bits of AVX2 with NEON ($steps steps)" same_bits avx2 neon
fi
claim "a training goes through model files from here to there and back, with the same bits" relay 20 40 60

# ---- Claims

excluded=$(echo "$left_out" | sed 's/.*: //')
programs() { # the C tests to be run
    local name
    [ "$extent" = all ] || { echo $quick && return; }
    for name in $(sed -n '/^all="/,/^"/p' Tests/CTests/run.sh | grep -v '"'); do
        case " $(echo $excluded) " in *" $name "*) ;; *) echo "$name" ;; esac
    done
}
c_tests() {
    ONLY=$(echo $(programs)) Tests/CTests/run.sh "$library" $sets >"$work/ctests" || grep -v '^ok ' "$work/ctests"
    tail -n 1 "$work/ctests" | grep -qE '^[1-9][0-9]* passed, 0 failed$'
}
replay() { FUZZ=$work/fuzz Fuzz/run.sh replay "$library"; }

claim "the C tests pass" c_tests
echo "# C tests: $(tail -n 1 "$work/ctests")"
echo "$left_out" | sed -nE 's/^ *(.*): (.*)/# not tried: \2: \1/p'
grep '^# not tried' "$work/ctests"
if [ "$target" = aarch64-linux ] && [ "$extent" = all ]; then
    claim "the tests of the Python package pass: network, prototypes, arrays, files, activations" \
        Tests/Platforms/python.sh "$2" tests/test_{network,prototypes,arrays,files,activations}.py
    echo "# not tried: other tests of the Python package: too slow under qemu, or without packages for arm64 here"
fi
same_large_steps() { # with 2 threads here, and with 1, 2 and 4 in WebAssembly
    local threads
    cc -std=c99 -O1 -I include Tests/Platforms/large_steps.c -o "$work/large_steps" -L "$build" -Wl,-rpath,"$build" -lbackprop
    BACKPROP_INSTRUCTION_SET=baseline "$work/large_steps" "$work/here.safetensors" 2
    for threads in 1 2 4; do
        node Tests/Platforms/large_steps.mjs "$work/there.safetensors" $threads
        cmp "$work/here.safetensors" "$work/there.safetensors"
    done
}
if [ "$target" = wasm ]; then
    claim "the library with threads compiles and links" scripts/cross.sh wasm-threads "$2"
    claim "steps on 1, 2 and 4 threads of WebAssembly have the bits of the baseline here" same_large_steps
    claim "the tests of the JavaScript package pass" eval 'cd bindings/javascript; node --test test/'
    claim "the JavaScript package works where it is installed" \
        eval "scripts/javascript_package.sh $2 && Tests/JavaScript/run.sh $2"
else
    claim "the inputs of the fuzzer pass" replay
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
