#!/usr/bin/env bash
# Builds the library for macOS on arm64 (scripts/cross.sh), checks its form, and compiles the C for Apple's other systems. Nothing is
# run. Usage: apple.sh BUILD [all]. Ends with "N passed, M failed".
#   all      also the library for macOS on x86-64, the static libraries for iOS and its simulator, and backprop.xcframework
set -uo pipefail
cd "$(dirname "$0")/../.."
build=$1 work=$1/arm64-apple/tests
tools=$(dirname "$(readlink -f "$(command -v swift)")")
headers=$("$build/venv/bin/python" -c 'import os, ziglang; print(os.path.dirname(ziglang.__file__))')/lib/libc/include/any-darwin-any
rm -rf "$work" && mkdir -p "$work"
. Tests/claims.sh

exports_the_header() { # exports_the_header LIBRARY: its functions, and nothing else but two symbols of zig's linker
    case $1 in
    *.dylib) "$tools/llvm-objdump" --macho --exports-trie "$1" | sed -n 's/^0x[0-9A-F]* *//p' | grep -vxE '__mh_dylib_header|___dso_handle' ;;
    *) "$tools/llvm-nm" --defined-only --extern-only --format=just-symbols "$1" | grep '^_' ;;
    esac | sed 's/^_//' | sort >"$work/exported"
    cc -E -P -x c include/backprop.h | tr '\n' ' ' | tr ';' '\n' | grep -v typedef | grep -oE '\bbp_[a-z0-9_]+ ?\(' | tr -d ' (' |
        sort -u | diff - "$work/exported"
}
is_named_and_linked() { # is_named_and_linked LIBRARY
    "$tools/llvm-objdump" --macho --dylib-id --dylibs-used "$1" | sed -nE 's/^\s*([^ :]*\.dylib).*/\1/p' |
        grep -vx "$1" | sort -u |
        diff <(printf '%s\n' /usr/lib/libSystem.B.dylib /usr/lib/libffi.dylib @rpath/libbackprop.1.dylib) -
}
finds_all_symbols() { # finds_all_symbols LIBRARY: of the undefined ones, libSystem has all but libffi's
    "$tools/llvm-nm" --undefined-only --format=just-symbols "$1" | grep '^[_d]' | sort -u >"$work/undefined"
    grep -q '^_malloc$' "$work/undefined"
    grep -oE "[_a-z][_A-Za-z0-9\$]+" "$headers/../../darwin/libSystem.tbd" | sort -u | comm -23 "$work/undefined" - >"$work/missing"
    ! grep -vE '^_ffi_(call|prep_cif|type_(double|float|sint32|sint64|uint32))$' "$work/missing"
}
names_a_library_for_each_symbol() { # names_a_library_for_each_symbol LIBRARY: that dyld looks into, at load or at the first call
    "$tools/llvm-objdump" --macho --bind --lazy-bind --weak-bind "$1" | grep '^__DATA' >"$work/bound"
    grep -q 'libSystem *_malloc$' "$work/bound"
    grep -q 'libffi *_ffi_type_double$' "$work/bound"
    ! grep -vE ' (libSystem|libffi) ' "$work/bound"
}
is_smaller_than() { [ "$(stat -c %s "$2")" -lt "$1" ]; } # is_smaller_than BYTES FILE
asks_the_processor() { # zig's library, which would be linked for the compiler's function, reports no AVX2
    "$tools/llvm-objdump" -d "$build/x86_64-apple/libbackprop.1.dylib" >"$work/code"
    grep -q cpuid "$work/code" && grep -q xgetbv "$work/code"
    ! "$tools/llvm-nm" "$build/x86_64-apple/libbackprop.1.dylib" | grep __cpu_
}
compiles() { # compiles TRIPLE FLAG...: all C of the library
    local file triple=$1
    shift
    for file in Sources/CPlatform/*.c Sources/CPlatform/*/*.c Sources/CKernels/*.c; do
        "$tools/clang" --target="$triple" -nostdlibinc -idirafter "$headers" -DBACKPROP_EMBEDDED -Wall -Wextra -Werror "$@" \
            -I Sources/CPlatform/include -I Sources/CKernels/include -fsyntax-only "$file"
    done
}

[ "${2:-}" = all ] && processors="arm64 x86_64" || processors=arm64
for processor in $processors; do
    library=$build/$processor-apple/libbackprop.1.dylib
    claim "the library for macOS on $processor compiles and links" scripts/cross.sh $processor-apple "$build"
    claim "it exports the functions of the header and nothing else" exports_the_header "$library"
    claim "it is named @rpath/libbackprop.1.dylib and needs only libSystem and libffi" is_named_and_linked "$library"
    claim "these have all symbols that it needs" finds_all_symbols "$library"
    claim "it names one of them for each symbol" names_a_library_for_each_symbol "$library"
    claim "it is smaller than 1,000,000 bytes" is_smaller_than 1000000 "$library"
    [ $processor = arm64 ] || claim "it asks the processor for its instruction sets" asks_the_processor
done
mkdir -p "$work/ffi" && cp /usr/include/x86_64-linux-gnu/ffi*.h "$work/ffi"
claim "the C compiles for macOS on x86-64" compiles x86_64-apple-macosx13.0 -I "$work/ffi"
claim "the C compiles for iOS, without libffi" compiles arm64-apple-ios16.0

# ---- Static libraries

links() { # links PROCESSOR LIBRARY: a program for macOS with the static library, whose unused functions are kept
    "$(dirname "$headers")"/../../../zig cc -target "${1/arm64/aarch64}-macos.13.0" -std=c99 -I include \
        Examples/microcontroller/train.c "$2" "$build/$1-apple/libffi.tbd" -o "$work/program"
}
is_for() { # is_for PLATFORM TARGET: all objects of the library
    "$tools/llvm-objdump" --macho --private-headers "$build/$2/libbackprop.a" | awk '$1 == "platform" { print $2 }' | sort -u |
        diff <(echo "$1") -
}
needs_no_other_code() { # needs_no_other_code TARGET
    "$tools/llvm-nm" --undefined-only --format=just-symbols "$build/$1/libbackprop.a" >"$work/undefined"
    grep -q '^_malloc$' "$work/undefined"
    ! grep -E '^_(ffi_|dlopen)' "$work/undefined"
}
names_what_it_has() {
    python3 - "$build/backprop.xcframework" <<'END'
import pathlib, plistlib, sys

framework = pathlib.Path(sys.argv[1])
contents = plistlib.loads((framework / "Info.plist").read_bytes())
assert contents["CFBundlePackageType"] == "XFWK" and contents["XCFrameworkFormatVersion"] == "1.0"
libraries = contents["AvailableLibraries"]
for library in libraries:
    folder = framework / library["LibraryIdentifier"]
    assert (folder / library["LibraryPath"]).stat().st_size > 100_000, folder
    headers = {file.name for file in (folder / library["HeadersPath"]).iterdir()}
    assert headers == {"backprop.h", "module.modulemap"}, headers
named = {(library["SupportedPlatform"], library.get("SupportedPlatformVariant")) for library in libraries}
assert named == {("macos", None), ("ios", None), ("ios", "simulator")}, named
assert {tuple(library["SupportedArchitectures"]) for library in libraries} == {("arm64", "x86_64"), ("arm64",)}
assert {file.name for file in framework.iterdir()} == {"Info.plist"} | {library["LibraryIdentifier"] for library in libraries}
END
}
has_both() {
    local both=$build/backprop.xcframework/macos-arm64_x86_64/libbackprop.a processor
    "$tools/llvm-objdump" --macho --universal-headers "$both" | grep "^architecture" | diff <(printf 'architecture %s\n' arm64 x86_64) -
    for processor in $processors; do
        "$tools/llvm-nm" --arch=$processor --defined-only "$both" >"$work/both"
        "$tools/llvm-nm" --defined-only "$build/$processor-apple/libbackprop.a" | diff <(grep -c _bp_ "$work/both") <(grep -c _bp_)
    done
}
imports() { # imports TRIPLE IDENTIFIER: Objective-C imports the module
    echo '@import CBackprop; int main(void) { return bp_set_thread_count(1); }' >"$work/import.m"
    "$tools/clang" --target="$1" -nostdlibinc -idirafter "$headers" -fmodules -fmodules-cache-path="$work/modules" -Wall -Werror \
        -I "$build/backprop.xcframework/$2/Headers" -fsyntax-only "$work/import.m"
}
for processor in $processors; do
    library=$build/$processor-apple/libbackprop.a
    claim "the static library for macOS on $processor has the functions of the header, and no other global symbols" exports_the_header "$library"
    claim "libSystem and libffi have all symbols that it needs" finds_all_symbols "$library"
    claim "a program for macOS on $processor links with it" links $processor "$library"
done
if [ "${2:-}" = all ]; then
    for target in arm64-ios arm64-ios-simulator; do
        claim "the library for $target compiles" scripts/cross.sh $target "$build"
        claim "it has the functions of the header, and no other global symbols" exports_the_header "$build/$target/libbackprop.a"
        claim "libSystem has all symbols that it needs" finds_all_symbols "$build/$target/libbackprop.a"
        claim "it loads and calls no other code: no libffi, no dlopen" needs_no_other_code $target
    done
    for processor in $processors; do claim "the objects for macOS on $processor are for macOS" is_for macos $processor-apple; done
    claim "the objects for iOS are for iOS" is_for ios arm64-ios
    claim "the objects for the simulator are for the simulator" is_for iossimulator arm64-ios-simulator
    claim "the .xcframework is assembled" scripts/xcframework.sh "$build"
    claim "its Info.plist names the libraries that it has" names_what_it_has
    claim "its library for macOS has the objects of both processors" has_both
    for processor in $processors; do
        claim "its module for macOS on $processor can be imported" imports $processor-apple-macosx13.0 macos-arm64_x86_64
    done
    claim "its module for iOS can be imported" imports arm64-apple-ios16.0 ios-arm64
    claim "its module for the simulator can be imported" imports arm64-apple-ios16.0-simulator ios-arm64-simulator
fi

echo "# not tried: running anything on Apple's systems"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
