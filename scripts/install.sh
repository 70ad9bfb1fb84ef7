#!/bin/sh
# Installs the files that make has built, or removes them. Builds nothing: it often runs as root.
# Usage: install.sh install|uninstall BUILD VERSION. Environment: PREFIX, LIBDIR, DESTDIR
set -eu
cd "$(dirname "$0")/.."
action=$1 build=$2 version=$3
prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
root=${DESTDIR:-}

put() { # put MODE SOURCE FILE
    case $action in
    check) [ -e "$2" ] || { echo "$2 is missing: run make first" >&2; exit 1; } ;;
    install) install -D -m "$1" "$2" "$root$3" ;;
    uninstall) rm -f "$root$3" ;;
    esac
}

fill() { # fill TEMPLATE FILE: replaces names between @
    put 644 "$1" "$2"
    [ "$action" != install ] || sed "s|@PREFIX@|$prefix|; s|@LIBDIR@|$libdir|; s|=$prefix/|=\${prefix}/|; s|@VERSION@|$version|
        s|@INCLUDE@|$(realpath -m -s --relative-to="$libdir/cmake/backprop" "$prefix/include")|" "$1" >"$root$2"
}

files() {
    put 644 include/backprop.h "$prefix/include/backprop.h"
    put 644 "$build/backprop_ffi.h" "$prefix/include/backprop_ffi.h"
    put 644 bindings/cpp/backprop.hpp "$prefix/include/backprop.hpp"
    put 644 include/installed.modulemap "$prefix/include/backprop/module.modulemap"
    put 755 "$build/libbackprop.so.1" "$libdir/libbackprop.so.1"
    put 644 "$build/libbackprop.a" "$libdir/libbackprop.a"
    fill include/backprop.pc.in "$libdir/pkgconfig/backprop.pc"
    fill include/backprop-config.cmake.in "$libdir/cmake/backprop/backprop-config.cmake"
    fill include/backprop-config-version.cmake.in "$libdir/cmake/backprop/backprop-config-version.cmake"
    put 755 "$build/backprop" "$prefix/bin/backprop"
    put 644 "$build/backprop.1" "$prefix/share/man/man1/backprop.1"
    for page in "$build"/man/man3/*.3; do put 644 "$page" "$prefix/share/man/man3/${page##*/}"; done
    put 644 "$build/backprop.bash" "$prefix/share/bash-completion/completions/backprop"
    put 644 "$build/backprop.zsh" "$prefix/share/zsh/site-functions/_backprop"
    put 644 "$build/backprop.fish" "$prefix/share/fish/vendor_completions.d/backprop.fish"
    for page in LICENSE THIRD-PARTY.md docs/hosts.md; do put 644 $page "$prefix/share/doc/backprop/${page##*/}"; done
}

case $action in
install)
    action=check && files # before the first file is copied
    action=install && files
    ln -sf libbackprop.so.1 "$root$libdir/libbackprop.so"
    ;;
uninstall)
    files
    rm -f "$root$libdir/libbackprop.so"
    for folder in "$prefix/include/backprop" "$libdir/cmake/backprop" "$prefix/share/doc/backprop"; do
        [ ! -d "$root$folder" ] || rmdir --ignore-fail-on-non-empty "$root$folder"
    done
    ;;
esac
