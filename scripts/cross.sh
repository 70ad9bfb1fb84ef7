#!/usr/bin/env bash
# Builds the library for another system or processor into BUILD/TARGET. Usage: cross.sh TARGET BUILD
#   aarch64-linux   libbackprop.so.1 for Linux on arm64
#   riscv64-linux   libbackprop.so.1 for Linux on riscv64, without libffi
#   i686-linux      libbackprop.so.1 for Linux on 32-bit x86 with SSE2
#   x86_64-linux-gnu.2.17, aarch64-linux-gnu.2.17, x86_64-linux-musl, aarch64-linux-musl
#                   libbackprop.so.1 for glibc 2.17 and later, or for musl, with libffi in it; with PyPI's ziglang
#   wasm            backprop.wasm for browsers, and libbackprop.a for programs that are linked with it
#   wasm-threads    backprop-threads.wasm for browsers, with a memory that workers share
#   armv7em-none    libbackprop.a for microcontrollers: Cortex-M4 and M7 with an FPU, and newlib
#   arm64-apple, x86_64-apple
#                   libbackprop.1.dylib and libbackprop.a for macOS, with the headers and stubs of PyPI's ziglang
#   arm64-ios, arm64-ios-simulator
#                   libbackprop.a for iOS and for its simulator, without libffi and plug-in files
# The toolchain has the standard library of Embedded Swift for systems without an operating system ("none"). So Swift compiles for
# such a triple, and sees the C headers of the real one.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$1 build=$2/$1 venv=$2/venv scratch=.build/$1
tools=$(dirname "$(readlink -f "$(command -v swift)")")
unset CC # SwiftPM would compile with it

case $target in
aarch64-linux) swift=aarch64-none-none-elf c=aarch64-unknown-linux-gnu gcc=aarch64-linux-gnu ;;
riscv64-linux) swift=riscv64-none-none-eabi c=riscv64-unknown-linux-gnu gcc=riscv64-linux-gnu ;;
i686-linux) swift=i686-unknown-none-elf c=i686-unknown-linux-gnu gcc=i686-linux-gnu ;;
x86_64-linux-gnu.2.17 | aarch64-linux-gnu.2.17 | x86_64-linux-musl | aarch64-linux-musl) cpu=${target%%-*} ;;
wasm | wasm-threads) swift=wasm32-unknown-none-wasm c=wasm32-unknown-wasi ;;
armv7em-none) swift=armv7em-none-none-eabi c=armv7em-none-none-eabi ;;
arm64-apple) swift=arm64-apple-none-macho c=arm64-apple-macosx13.0 ;;
x86_64-apple) swift=x86_64-unknown-none-elf c=x86_64-apple-macosx13.0 ;;
arm64-ios*) swift=arm64-apple-none-macho c=arm64-apple-ios16.0${target#arm64-ios} ;;
*) sed -n '2,/^#   arm64-ios/s/^# //p' "$0" >&2 && echo "unknown target: $target" >&2 && exit 2 ;;
esac

zig() { "$venv/bin/python" -c 'import os, ziglang; print(os.path.dirname(ziglang.__file__))'; }
case $target in # flags for C, also when Swift reads headers
riscv64-linux) flags=(-fPIC -march=rv64gc -mabi=lp64d -DCP_HAS_FOREIGN_CALLS=0 -isystem "/usr/$gcc/include") ;;
i686-linux) flags=(-fPIC -msse2 -D_FILE_OFFSET_BITS=64 -isystem "/usr/$gcc/include" -isystem /usr/include/i386-linux-gnu) ;; # the second one has libffi
*-linux-*) # the compiler has the C library's headers; libffi's are Debian's
    mkdir -p "$build"/{ffi,objects} && cp "/usr/include/$cpu-linux-gnu"/ffi*.h "$build/ffi"
    flags=(-O2 -fPIC -fvisibility=hidden -ffunction-sections -fno-sanitize=all -DBACKPROP_EMBEDDED -I "$build/ffi")
    ;;
*-linux) flags=(-fPIC -isystem "/usr/$gcc/include" -isystem "/usr/include/$gcc") ;; # the second one has libffi
wasm) flags=(-msimd128 -isystem /usr/include/wasm32-wasi -I "$PWD/Sources/CPlatform/single_thread") ;;
wasm-threads) flags=(-msimd128 -matomics -mbulk-memory -I "$PWD/Sources/CPlatform/wasm_threads" -isystem /usr/include/wasm32-wasi) ;;
armv7em-none)
    flags=(-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 -Wno-atomic-alignment -DCP_SMALL_STACK
        -I "$PWD/Sources/CPlatform/single_thread" -isystem /usr/lib/arm-none-eabi/include)
    ;;
arm64-apple | x86_64-apple | arm64-ios*)
    [ "$target" = x86_64-apple ] && cpu=x86_64 || cpu=aarch64
    mkdir -p "$build/ffi" && cp "/usr/include/$cpu-linux-gnu"/ffi*.h "$build/ffi"
    flags=(-nostdlibinc -idirafter "$(zig)/lib/libc/include/any-darwin-any" -I "$PWD/$build/ffi")
    mkdir -p "$build/tools" && ln -sf "$tools/llvm-ar" "$build/tools/libtool" # SwiftPM asks for it, and does not call it
    PATH=$PWD/$build/tools:$PATH
    ;;
esac

# compile: compiles by SwiftPM. Sets what the functions below read.
compile() {
    local words=(-Xcc "--target=$c" -Xswiftc -clang-target -Xswiftc "$c") flag lock
    local lto=(-Xswiftc -lto=llvm-full -Xswiftc -num-threads -Xswiftc 0)
    for flag in "${flags[@]}"; do words+=(-Xcc "$flag"); done
    clang=("$tools/clang" "--target=$c" "${flags[@]}" -Wno-override-module -Wno-unused-command-line-argument -O2 -x ir)
    unoptimized=(-Xclang -disable-llvm-passes)
    case $target in
    riscv64-*) words+=("${lto[@]}") ;; # for compile_changed
    *-apple | *-ios*) words+=("${lto[@]}" -Xcc -flto) ;; # for compile_merged
    # Without two faults of LLVM for 32-bit x86: a merged function expects that functions it calls leave the address of their result
    # on the stack, which they remove; and an instruction that computes the address of data is wrong when it is outlined.
    i686-*) words+=(-Xswiftc -Xllvm -Xswiftc -swiftmergefunc-threshold=0 -Xswiftc -Xllvm -Xswiftc -enable-machine-outliner=never) ;;
    wasm*) words+=(-Xswiftc -Xfrontend -Xswiftc -disable-stack-protector) ;; # its stack has no return addresses
    esac
    # With -lto, SwiftPM leaves the LLVM code of the modules that changed in this folder: for one target at a time.
    [[ ${words[*]} == *-lto* ]] && mkdir -p .build && exec {lock}>.build/llvm-code.lock && flock "$lock"
    swift build -c release --disable-automatic-resolution --traits Embedded --triple "$swift" --scratch-path "$scratch" \
        --target BackpropC "${words[@]}"
    [ -z "${lock-}" ] || find . -maxdepth 1 -name '*.bc' -exec mv -t "$build" {} +
    objects=()
    for module in CKernels CPlatform Kernels KernelsNEON Backprop BackpropC; do
        objects+=($(find "$scratch/$swift/release/$module.build" -name '*.o'))
    done
}

# llvm_code MODULE: prints the LLVM code of a Swift module.
llvm_code() { "${clang[@]}" "${unoptimized[@]}" -S -emit-llvm "$build/$1.bc" -o -; }

# compile_changed SED-COMMANDS: compiles the Swift modules with changes before and after their LLVM code is optimized.
compile_changed() {
    local module
    for module in Kernels{,NEON} Backprop{,C}; do
        llvm_code $module | sed "$1" | "${clang[@]}" -S -emit-llvm - -o - | sed "$1" |
            "${clang[@]}" "${unoptimized[@]}" -ffunction-sections -fdata-sections -c - -o "$build/$module.o"
        objects+=("$build/$module.o")
    done
}

# compile_merged: compiles the LLVM code of all modules as one. Only the functions bp_* are global, so that
# LLVM removes what they do not need: of the standard library, functions that need Unicode tables.
compile_merged() {
    local module file words=()
    for module in Kernels{,AVX2,AVX512,NEON} Backprop; do
        llvm_code $module | "${clang[@]}" "${unoptimized[@]}" -c -emit-llvm - -o "$build/$module.linked.bc"
        words+=(-Xclang -mlink-bitcode-file -Xclang "$build/$module.linked.bc")
    done
    for file in $(find "$scratch/$swift/release"/C{Kernels,Platform}.build -name '*.o' | sort); do
        words+=(-Xclang -mlink-bitcode-file -Xclang "$file")
    done
    llvm_code BackpropC | "${clang[@]}" "${unoptimized[@]}" -S -emit-llvm - "${words[@]}" -o - | sed -E '
        /^define ([^@]*@bp_|private |internal )/b
        s/^define ((linkonce|weak)(_odr)? )?(dso_local )?((hidden|protected) )?/define internal /
        s/^(@[^=]+ = )((linkonce|weak)(_odr)? |common )?(dso_local )?((hidden|protected) )?((thread_local|(local_)?unnamed_addr|global|constant|alias)\>)/\1internal \8/' |
        "${clang[@]}" -c - -o "$build/merged.o"
    "$tools/llvm-objcopy" --strip-debug "$build/merged.o" "$build/backprop.o"
    objects=("$build/backprop.o")
}

# The Swift objects are those of the library for Debian: from the C library's headers, Swift uses declarations of functions only.
compile_zig() {
    local scratch=.build/$cpu-linux module source object
    if [ "$cpu" = "$(uname -m)" ]; then
        scratch=.build/embedded
        swift build -c release --disable-automatic-resolution --traits Embedded --scratch-path "$scratch" --product backprop
    else
        scripts/cross.sh "$cpu-linux" "$1"
    fi
    objects=($(find -L "$scratch"/*/release/{Kernels*,Backprop,BackpropC}.build -name '*.swift.o' | sort))
    for module in CKernels CPlatform; do
        for source in $(find "Sources/$module" -name '*.c' | sort); do
            object=$build/objects/${source//\//_}.o
            "$(zig)/zig" cc -target "$target" "${flags[@]}" -I "Sources/$module/include" -c "$source" -o "$object"
            objects+=("$object")
        done
    done
}

link_linux() {
    "$gcc-gcc" -B "$tools" -fuse-ld=lld -shared -o "$build/libbackprop.debug.so" "${objects[@]}" \
        -Wl,--version-script=Sources/SharedLibrary/exports.map,-soname=libbackprop.so.1,-z,nodelete,--gc-sections,--icf=all \
        -Wl,--wrap=posix_memalign,--wrap=free -lm "$@"
    "$gcc-strip" --strip-all -o "$build/libbackprop.so.1" "$build/libbackprop.debug.so"
    ln -sf libbackprop.so.1 "$build/libbackprop.so"
}

# By zig, which has the symbols of each version of glibc and of musl. It does not wrap functions, so that a static archive is made
# first.
link_zig() {
    local prefix=$cpu-linux-gnu-
    TOOL_PREFIX=$prefix scripts/static_archive.sh "$build/libbackprop.a" "${objects[@]}" "/usr/lib/$cpu-linux-gnu/libffi_pic.a"
    # libffi's closures, which are not used, call a function of glibc 2.27.
    "${prefix}objcopy" --weaken-symbol=memfd_create "$build/libbackprop.a"
    "$(zig)/zig" cc -target "$target" -shared -s -o "$build/libbackprop.so.1" \
        -Wl,--whole-archive "$build/libbackprop.a" -Wl,--no-whole-archive -lm \
        -Wl,--version-script=Sources/SharedLibrary/exports.map,-soname=libbackprop.so.1,-z,nodelete,-z,defs,--gc-sections
    ln -sf libbackprop.so.1 "$build/libbackprop.so"
}

link_wasm() {
    local name exports=() threads=() module=backprop${target#wasm}.wasm
    rm -f "$build/libbackprop.a"
    "$tools/llvm-ar" qcs "$build/libbackprop.a" "${objects[@]}"
    for name in $("$tools/llvm-nm" --defined-only --format=just-symbols "$build/libbackprop.a" | grep '^bp_'); do
        exports+=("--export=$name")
    done
    # JavaScript makes the memory, and gives each thread its stack and its thread-local variables. The C library has no atomic
    # instructions: wasm_threads/allocation.c locks the functions that need them.
    if [ "$target" = wasm-threads ]; then
        threads=(--shared-memory --import-memory --export-memory --initial-memory=8388608 --max-memory=4294967296 --no-check-features
            --wrap=malloc --wrap=aligned_alloc --export=__stack_pointer --export=__wasm_init_tls --export=__tls_size)
    fi
    "$tools/clang" "--target=$c" "${flags[@]}" -O2 -I include -c bindings/javascript/callbacks.c -o "$build/callbacks.o"
    # The stack is larger than a product's work space, and an overflow traps.
    "$tools/wasm-ld" -o "$build/linked.wasm" --entry=_initialize -z stack-size=1048576 --stack-first --gc-sections --strip-all \
        --wrap=posix_memalign --wrap=free "${threads[@]}" "${exports[@]}" \
        /usr/lib/wasm32-wasi/crt1-reactor.o "$build/callbacks.o" "${objects[@]}" -L/usr/lib/wasm32-wasi -lc -lm \
        /usr/lib/llvm-*/lib/clang/*/lib/wasi/libclang_rt.builtins-wasm32.a
    wasm-opt -Os --enable-simd --enable-bulk-memory --enable-mutable-globals --enable-sign-ext --enable-nontrapping-float-to-int \
        ${threads:+--enable-threads} "$build/linked.wasm" -o "$build/$module"
    cp "$build/$module" LICENSE THIRD-PARTY.md bindings/javascript/
}

archive_apple() {
    rm -f "$build/libbackprop.a"
    "$tools/llvm-ar" --format=darwin qcs "$build/libbackprop.a" "${objects[@]}"
}

link_apple() { # by zig: the toolchain's linker does not link for macOS
    cat >"$build/libffi.tbd" <<END
--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos, x86_64-macos ]
install-name: /usr/lib/libffi.dylib
exports:
  - targets: [ arm64-macos, x86_64-macos ]
    symbols: [ _ffi_call, _ffi_prep_cif, _ffi_type_double, _ffi_type_float, _ffi_type_sint32, _ffi_type_sint64, _ffi_type_uint32 ]
...
END
    "$(zig)/zig" cc -target "$cpu-macos.13.0" -shared -s -o "$build/libbackprop.1.dylib" "${objects[@]}" "$build/libffi.tbd" \
        -Wl,-install_name,@rpath/libbackprop.1.dylib -Wl,-dead_strip
}

mkdir -p "$build"
case $target in *-linux-*) compile_zig "$2" ;; *) compile ;; esac
case $target in
aarch64-linux) link_linux -lffi ;;
riscv64-linux)
    # LLVM for RISC-V has a fault: where a function returns a struct in memory, and the result of its last call is the struct's only
    # defined part, it jumps to that call and stores nothing. A Swift function with a typed error can be such a function. Therefore
    # no call is a tail call.
    compile_changed 's/\<tail call\>/call/'
    link_linux -latomic
    ;;
i686-linux) link_linux -lffi ;;
*-linux-*) link_zig ;;
wasm*) link_wasm ;;
armv7em-none) TOOL_PREFIX=arm-none-eabi- scripts/static_archive.sh "$build/libbackprop.a" "${objects[@]}" ;;
arm64-apple | x86_64-apple) # the standard library for x86-64 is that for ELF; the LLVM code has the layout of data of Mach-O
    compile_merged
    link_apple
    archive_apple
    ;;
arm64-ios*)
    compile_merged
    archive_apple
    ;;
esac
