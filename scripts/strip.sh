#!/usr/bin/env bash
# Strips a library or program, so that its bytes do not depend on the folder of the build. Usage: strip.sh LINKED STRIPPED
# Debugging information contains paths, and the linker's build ID and Swift's hashes of modules depend on it. The hashes are removed,
# and both files get a build ID that is made from the stripped one.
set -euo pipefail
linked=$1 stripped=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

identify() { # identify FILE ID: ID is 40 hexadecimal digits
    { head -c 16 "$work/note"; printf "$(sed 's/../\\x&/g' <<<"$2")"; } >"$work/new"
    objcopy --update-section .note.gnu.build-id="$work/new" "$1"
}

objcopy --dump-section .note.gnu.build-id="$work/note" "$linked" /dev/null
strip --strip-all --remove-section=.swift_modhash -o "$work/stripped" "$linked"
identify "$work/stripped" 0000000000000000000000000000000000000000
id=$(sha1sum <"$work/stripped" | cut -c-40)
identify "$work/stripped" "$id"
identify "$linked" "$id"
cp "$work/stripped" "$stripped.new"
mv -f "$stripped.new" "$stripped" # at once: tests may use it
