#!/usr/bin/env bash
# Makes a static archive with one object, whose only global symbols are the functions bp_*.
# Usage: static_archive.sh ARCHIVE OBJECT...: the objects of the shared library, and archives that they need
# TOOL_PREFIX is for another processor: the prefix of its nm, ld, objcopy and ar, such as aarch64-linux-gnu-
set -euo pipefail
archive=$1 prefix=${TOOL_PREFIX:-} && shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${prefix}nm" --defined-only --extern-only --format=posix "$@" 2> >(grep -v ': no symbols$' >&2) | awk '$1 ~ /^bp_/ && $2 == "T" { print $1 }' | LC_ALL=C sort -u >"$work/functions"
# The options of the shared library, too: unused sections are removed, and CPlatform/reserve.h says why two functions are wrapped.
# Groups of equal sections are resolved here. Otherwise the linker of a program would keep one of them for several archives.
sed 's/^/--undefined=/' "$work/functions" >"$work/roots"
"${prefix}ld" -r --gc-sections --force-group-allocation --wrap=posix_memalign --wrap=free "@$work/roots" -o "$work/all.o" "$@"
"${prefix}objcopy" --keep-global-symbols="$work/functions" --strip-debug --strip-unneeded \
    --remove-section=.swift1_autolink_entries --remove-section=.swift_modhash --remove-section=.comment --remove-section=.llvm_addrsig "$work/all.o" "$work/backprop.o"
rm -f "$archive"
"${prefix}ar" rcsD "$archive" "$work/backprop.o"
