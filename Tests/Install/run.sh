#!/usr/bin/env bash
# Tests what `make install` installs: each way to find, compile and link the library, from a prefix of its own.
# Usage: run.sh BUILD PYTHON, where BUILD, relative to the repository, holds what make has built. Ends with "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD build=$1 python=$2
tools=$root/$(dirname "$python") # meson and ninja
work=$root/$build/install
rm -rf "$work"
mkdir -p "$work"
unset LIBBACKPROP_LIBRARY LD_LIBRARY_PATH LIBDIR DESTDIR

. Tests/claims.sh

# The nested make must not use the flags and job slots of the make that runs this script.
make_target() { env -u MAKEFLAGS -u MFLAGS make --no-print-directory BUILD="$build" "$@"; }
strict() { cc -std=c99 -O2 -Wall -Wextra -pedantic -Werror "$@"; }

# ---- make install and make uninstall

echo "# install"
nothing_built() { # without a built library, make install builds nothing and reports an error
    ! make_target install BUILD="$work/nothing" PREFIX="$work/none" 2>"$work/said"
    grep "run make first" "$work/said"
    [ ! -e "$work/nothing" ] && [ ! -e "$work/none" ]
}
claim "make install builds nothing" nothing_built

prefix=$work/prefix lib=$work/prefix/lib
staged() { # through DESTDIR, and then moved to the prefix
    make_target install PREFIX="$prefix" DESTDIR="$work/stage"
    [ ! -e "$prefix" ]
    mv "$work/stage$prefix" "$prefix"
    ! grep -rF "$work/stage" "$prefix"
}
claim "make install copies to DESTDIR, which no file contains" staged
for file in include/backprop{,_ffi}.h include/backprop.hpp include/backprop/module.modulemap lib/libbackprop.{a,so,so.1} lib/pkgconfig/backprop.pc \
    lib/cmake/backprop/backprop-config{,-version}.cmake bin/backprop share/man/man1/backprop.1 \
    share/man/man3/{backprop,bp_network_create,bp_rows}.3 \
    share/bash-completion/completions/backprop share/zsh/site-functions/_backprop share/fish/vendor_completions.d/backprop.fish \
    share/doc/backprop/{LICENSE,THIRD-PARTY.md,hosts.md}; do
    claim "installs $file" test -s "$prefix/$file"
done
claim "libbackprop.so is a link to the name in the library" [ "$(readlink "$lib/libbackprop.so")" = libbackprop.so.1 ]
claim "no file contains the path of the sources" eval '! grep -rlF "$root" "$prefix" --exclude=backprop.pc'

removed() { # with folders of a distribution; another package's files stay
    local options=(PREFIX=/usr LIBDIR=/usr/lib/triple DESTDIR="$work/other")
    make_target install "${options[@]}"
    [ -s "$work/other/usr/lib/triple/libbackprop.a" ] && [ ! -e "$work/other/usr/lib/cmake" ]
    touch "$work/other/usr/include/another.h"
    make_target uninstall "${options[@]}"
    make_target uninstall "${options[@]}" # finds nothing, which is no error
    [ "$(find "$work/other" ! -type d)" = "$work/other/usr/include/another.h" ]
    [ -z "$(find "$work/other" -name '*backprop*')" ]
}
claim "make uninstall leaves no file and no folder of the library" removed

# ---- Ways to compile and link. Each program prints the same text.

echo "# ways to link"
source=$root/Examples/c/xor.c
export PKG_CONFIG_PATH=$lib/pkgconfig
version=$(sed -n 's/.*BP_VERSION_\(MAJOR\|MINOR\|PATCH\) \([0-9]*\)$/\2/p' include/backprop.h | paste -sd.)

learns() { # learns COMMAND...: prints what the program linked with the shared library prints
    env LD_LIBRARY_PATH="$lib" "$@" >"$work/printed"
    [ -s "$work/expected" ] || cp "$work/printed" "$work/expected"
    diff "$work/printed" "$work/expected"
}
learns_alone() { # learns_alone PROGRAM: as learns, without the shared library
    ! readelf -d "$1" | grep 'NEEDED.*libbackprop'
    env -u LD_LIBRARY_PATH "$1" >"$work/printed"
    diff "$work/printed" "$work/expected"
}

plain() { strict "$source" -o "$work/plain" -I "$prefix/include" -L "$lib" -lbackprop && learns "$work/plain"; }
claim "cc -lbackprop" plain

packaged() {
    [ "$(pkg-config --modversion backprop)" = "$version" ]
    ! pkg-config --exists 'backprop >= 99'
    strict "$source" -o "$work/packaged" $(pkg-config --cflags --libs backprop)
    learns "$work/packaged"
}
claim "pkg-config, which refuses a version that is too high" packaged

without_exceptions() {
    c++ -std=c++17 -fno-exceptions -fno-rtti -O2 -Wall -Wextra -pedantic -Werror -x c++ "$source" -o "$work/cxx" \
        $(pkg-config --cflags --libs backprop)
    learns "$work/cxx"
}
claim "C++17 without exceptions and type information" without_exceptions

opened() {
    strict -I "$prefix/include" Tests/Install/opened.c -o "$work/opened" -ldl
    ! readelf -d "$work/opened" | grep 'NEEDED.*libbackprop'
    LD_LIBRARY_PATH="$lib" "$work/opened" libbackprop.so.1 "$version"
}
claim "dlopen, without linking" opened

# ---- The static archive

echo "# static"
globals() {
    nm --defined-only --extern-only --format=posix "$lib/libbackprop.a" | awk 'NF > 1 { print $1 }' | sort >"$work/globals"
    nm --dynamic --defined-only --format=posix "$lib/libbackprop.so" | awk '{ print $1 }' | sort | diff - "$work/globals"
}
claim "the archive defines the functions of the shared library, and no other global symbol" globals
claim "the archive contains no debugging information" eval '! readelf -SW "$lib/libbackprop.a" | grep -F .debug'

static() { # static NAME COMMAND...: compiles with the command and runs the program
    local program=$work/$1 && shift
    "$@" "$source" -o "$program" -I "$prefix/include" "$lib/libbackprop.a" -lffi -lm -lpthread -ldl
    learns_alone "$program"
}
for compiler in gcc "clang -fuse-ld=lld"; do
    for option in "" " -static" " -static-pie"; do
        claim "$compiler$option links the archive" static "${compiler%% *}${option# }" $compiler $option
    done
done
packaged_static() {
    strict -static "$source" -o "$work/packaged_static" $(pkg-config --cflags --libs --static backprop)
    learns_alone "$work/packaged_static"
}
claim "pkg-config --static lists the libraries that the archive needs" packaged_static

# ---- Build systems

echo "# build systems"
mkdir "$work/project"
cp "$source" "$work/project/xor.c"
cat >"$work/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.10)
project(xor C)
find_package(backprop 0.2 REQUIRED)
find_package(backprop REQUIRED COMPONENTS shared static) # again, like two libraries of one program
foreach(refused "99" "0.2;COMPONENTS;other")
    find_package(backprop ${refused} QUIET)
    if(backprop_FOUND)
        message(FATAL_ERROR "found backprop ${refused}, being ${backprop_VERSION}")
    endif()
endforeach()
add_executable(xor xor.c)
target_link_libraries(xor backprop::backprop)
add_executable(xor_static xor.c)
target_link_libraries(xor_static backprop::static)
END
with_cmake() { # with_cmake PREFIX BUILD
    cmake -S "$work/project" -B "$2" -DCMAKE_PREFIX_PATH="$1"
    cmake --build "$2"
    learns "$2/xor"
    learns_alone "$2/xor_static"
}
claim "CMake: version, components, twice, shared and static" with_cmake "$prefix" "$work/cmake"
with_other_folder() { # the folder of the libraries may be any
    make_target install PREFIX="$work/multi" LIBDIR="$work/multi/lib/x86_64-linux-gnu"
    with_cmake "$work/multi" "$work/cmake_multi"
    [ "$(PKG_CONFIG_PATH=$work/multi/lib/x86_64-linux-gnu/pkgconfig pkg-config --variable=libdir backprop)" = "$work/multi/lib/x86_64-linux-gnu" ]
    make_target uninstall PREFIX="$work/multi" LIBDIR="$work/multi/lib/x86_64-linux-gnu"
}
claim "CMake and pkg-config find the libraries in LIBDIR" with_other_folder

cat >"$work/project/meson.build" <<'END'
project('xor', 'c')
executable('xor', 'xor.c', dependencies: dependency('backprop', version: '>=0.2'))
executable('xor_static', 'xor.c', dependencies: dependency('backprop', static: true))
assert(not dependency('backprop', version: '>=99', required: false).found())
END
with_meson() {
    PATH="$tools:$PATH" meson setup "$work/meson" "$work/project"
    "$tools/ninja" -C "$work/meson"
    learns "$work/meson/xor"
    learns_alone "$work/meson/xor_static"
}
claim "meson: version, shared and static" with_meson

# ---- Swift programs on the C interface

echo "# Swift"
with_swiftc() {
    swiftc -O Tests/Install/swift/Sources/installed/main.swift -I "$prefix/include/backprop" -L "$lib" -o "$work/with_swiftc"
    [ "$(LD_LIBRARY_PATH=$lib "$work/with_swiftc")" = "$version" ]
}
claim "swiftc imports CBackprop through the installed module map, which links the library" with_swiftc
with_archive() { # both have parts of the Swift standard library
    mkdir "$work/archive"
    cp "$lib/libbackprop.a" "$work/archive/"
    swiftc -O Tests/Install/swift/Sources/installed/main.swift -I "$prefix/include/backprop" -L "$work/archive" -lffi -lm -o "$work/with_archive"
    ! readelf -d "$work/with_archive" | grep 'NEEDED.*libbackprop'
    [ "$("$work/with_archive")" = "$version" ]
}
claim "swiftc links the static archive" with_archive
with_package() {
    swift build --package-path Tests/Install/swift --scratch-path "$work/swift" --disable-automatic-resolution
    [ "$(LD_LIBRARY_PATH=$lib "$work/swift/debug/installed")" = "$version" ]
}
claim "a Swift package imports it as a system library, through pkg-config" with_package

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
