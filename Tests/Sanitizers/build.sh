#!/usr/bin/env bash
# Builds the library as ordinary Swift for an analysis tool, into .build/KIND/release. Usage: build.sh KIND
#   address    AddressSanitizer, UndefinedBehaviorSanitizer in C, the fuzzer's counters. With Swift's run-time checks, which the
#              shipped library omits: undefined behavior stops the program. (Types of called functions are not checked: a
#              foreign function can have any type, and the fuzzer declares it with another type.)
#   thread     ThreadSanitizer
#   coverage   counts for llvm-cov
set -euo pipefail
cd "$(dirname "$0")/../.."
kind=$1
swift=$(dirname "$(readlink -f "$(command -v swift)")")
runtime=$(swiftc -print-target-info | python3 -c 'import json, sys; print(json.load(sys.stdin)["paths"]["runtimeLibraryPaths"][0])')

checked="-Xswiftc -O -Xswiftc -enforce-exclusivity=checked"
case $kind in
address) flags="$checked --sanitize=address -Xswiftc -sanitize=fuzzer -Xcc -fsanitize=fuzzer-no-link,address,undefined -Xcc -fno-sanitize=function" ;;
thread) flags="--sanitize=thread" ;;
coverage) flags="-Xswiftc -profile-generate -Xswiftc -profile-coverage-mapping -Xcc -fprofile-instr-generate -Xcc -fcoverage-mapping" ;;
*) echo "usage: build.sh address|thread|coverage" >&2 && exit 2 ;;
esac
swift build -c release --disable-automatic-resolution --product backprop --scratch-path ".build/$kind" $flags \
    -Xlinker -rpath="$runtime" --quiet
[ -e ".build/$kind/release/libbackprop.so.1" ] || ln -sf libbackprop.so ".build/$kind/release/libbackprop.so.1"

# For programs that use the library: the toolchain's compiler, with the same sanitizers.
case $kind in
address) words="-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize=function" ;;
thread) words="-fsanitize=thread" ;;
coverage) words="-fprofile-instr-generate" ;;
esac
cat >".build/$kind/environment.$$" <<END
export CC="$swift/clang" CXX="$swift/clang++" CFLAGS="$words" CXXFLAGS="$words"
export LDFLAGS="$words -fuse-ld=lld $([ "$kind" = thread ] && echo "-L$runtime -Wl,-rpath,$runtime -ldispatch -lBlocksRuntime")"
export SWIFT_BACKTRACE=enable=no
export ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=512:detect_leaks=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=die_after_fork=0
END
mv -f ".build/$kind/environment.$$" ".build/$kind/environment" # at once: another part may read it
