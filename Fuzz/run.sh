#!/usr/bin/env bash
# The fuzz targets: calls (sequences of calls) and loader (model files). Their inputs are in Tests/Corpus/fuzz.
#   run.sh replay BUILD     runs the inputs with BUILD/libbackprop.so, without a fuzzer
#   run.sh watched          runs the inputs under AddressSanitizer
#   run.sh fuzz SECONDS     searches for new inputs for this time per target; failing inputs go to build/fuzz/TARGET-failures
#   run.sh keep             adds the inputs found by fuzzing to the corpus and reduces it to the smallest set with the same coverage
#   run.sh coverage         reports the coverage of the Swift sources by the inputs
# TARGETS="calls" selects one target. FUZZ is the folder of the programs; CC and WRAPPER are as in Tests/CTests/run.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${FUZZ:-build/fuzz}
targets=${TARGETS:-calls loader}
strict="-std=c99 -Wall -Wextra -pedantic -Werror -g -O1 -I include -I Fuzz -I $build"
mkdir -p $build
python3 Fuzz/signatures.py include/backprop.h >$build/signatures.h

limits="-timeout=20 -rss_limit_mb=3000 -malloc_limit_mb=100000 -max_len=4096 -use_value_profile=0"
prepare() { # prepare KIND OPTION...: builds the library of that kind, and the targets with it as $build/TARGET-KIND
    kind=$1
    shift
    Tests/Sanitizers/build.sh "$kind"
    . ".build/$kind/environment"
    for target in $targets; do
        "$CC" $strict $CFLAGS "Fuzz/$target.c" "$@" -o "$build/$target-$kind" \
            -L ".build/$kind/release" -Wl,--disable-new-dtags,-rpath,"$PWD/.build/$kind/release" -lbackprop $LDFLAGS
    done
}
inputs() { find "Tests/Corpus/fuzz/$1" -type f | sort; }

case ${1:-} in
replay)
    for target in $targets; do
        ${CC:-cc} $strict "Fuzz/$target.c" Fuzz/replay.c -o "$build/$target-replay" -L "$2" -Wl,-rpath,"$(realpath "$2")" -lbackprop -lpthread
        inputs "$target" | xargs ${WRAPPER:-} "$build/$target-replay"
        echo "ok $target: $(inputs "$target" | wc -l) inputs replayed"
    done
    ;;
watched)
    prepare address -fsanitize=fuzzer
    for target in $targets; do
        "$build/$target-address" $limits -timeout=600 -runs=0 "Tests/Corpus/fuzz/$target" >"$build/$target.log" 2>&1 ||
            { cat "$build/$target.log"; exit 1; }
        echo "ok $target: $(inputs "$target" | wc -l) inputs run under AddressSanitizer"
    done
    ;;
fuzz)
    prepare address -fsanitize=fuzzer
    for target in $targets; do
        mkdir -p "$build/$target" "$build/$target-failures"
        "$build/$target-address" $limits -max_total_time="$2" -print_final_stats=1 $([ -f "Fuzz/$target.dict" ] && echo "-dict=Fuzz/$target.dict") \
            -artifact_prefix="$build/$target-failures/" "$build/$target" "Tests/Corpus/fuzz/$target" >"$build/$target.log" 2>&1 ||
            { tail -n 60 "$build/$target.log"; exit 1; }
        echo "ok $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$target.log") inputs tried in $2 s"
    done
    ;;
keep)
    prepare address -fsanitize=fuzzer
    for target in $targets; do
        rm -rf "$build/$target-kept"
        mkdir -p "$build/$target" "$build/$target-kept"
        "$build/$target-address" $limits -use_counters=0 -set_cover_merge=1 "$build/$target-kept" "Tests/Corpus/fuzz/$target" "$build/$target" 2>&1 | tail -n 1
        rm -rf "Tests/Corpus/fuzz/$target"
        cp -r "$build/$target-kept" "Tests/Corpus/fuzz/$target"
        echo "$target: $(inputs "$target" | wc -l) inputs, $(inputs "$target" | xargs cat | wc -c) bytes"
    done
    ;;
coverage)
    prepare coverage Fuzz/replay.c
    for target in $targets; do
        inputs "$target" | UNLIMITED=1 LLVM_PROFILE_FILE="$build/$target-%m.profraw" xargs "$build/$target-coverage"
        "$(dirname "$CC")/llvm-profdata" merge -o "$build/$target.profdata" "$build/$target"-*.profraw
        echo "== $target"
        "$(dirname "$CC")/llvm-cov" report .build/coverage/release/libbackprop.so -instr-profile "$build/$target.profdata" Sources
    done
    ;;
*) sed -n '2,8s/^# //p' "$0" >&2 && exit 2 ;;
esac
