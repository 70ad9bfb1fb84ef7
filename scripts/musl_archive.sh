#!/usr/bin/env bash
# As static_archive.sh, for musl: the C sources are compiled again, with the headers of musl-tools. Swift objects need no C library's
# headers. Usage: musl_archive.sh ARCHIVE LIST: the list of the objects of the shared library
set -euo pipefail
cd "$(dirname "$0")/.."
archive=$1 list=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
clang=$(dirname "$(readlink -f "$(command -v swift)")")/clang
flags=(--target="$(uname -m)-linux-musl" -nostdlibinc -isystem "/usr/include/$(uname -m)-linux-musl"
    -idirafter /usr/include -idirafter "/usr/include/$(uname -m)-linux-gnu" # of Linux and libffi
    -Werror -O2 -fPIC -fvisibility=hidden -ffunction-sections -DBACKPROP_EMBEDDED)

for target in CKernels CPlatform; do
    while read -r source; do
        "$clang" "${flags[@]}" -I "Sources/$target/include" -c "$source" -o "$work/${source//\//_}.o"
    done < <(find "Sources/$target" -name '*.c')
done
mapfile -t swift_objects < <(grep '\.swift\.o$' "$list")
scripts/static_archive.sh "$archive" "${swift_objects[@]}" "$work"/*.o
