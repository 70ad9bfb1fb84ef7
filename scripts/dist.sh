#!/usr/bin/env bash
# Makes the files of a release in BUILD/dist from what make has built there. Usage: dist.sh BUILD VERSION
# The same commit and tools give the same bytes: all times are SOURCE_DATE_EPOCH, files are sorted by name, and no file contains
# the path of this folder.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 version=$2
git diff --quiet HEAD || { echo "commit the changes first: a release is made from a commit" >&2; exit 1; }
umask 022
dist=$build/dist
rm -rf "$dist" "$build/dist-work"
mkdir -p "$dist" "$build/dist-work"
work=$(cd "$build/dist-work" && pwd)

# ---- The prebuilt library and program

name=libbackprop-$version-linux-$(uname -m)
env -u LIBDIR PREFIX="/$name" DESTDIR="$work" scripts/install.sh install "$build" "$version"
install -D -m 644 "$build/$(uname -m)-linux-musl/libbackprop.a" "$work/$name/lib/musl/libbackprop.a"
# The folder can be unpacked anywhere.
sed -i 's|^prefix=.*|prefix=${pcfiledir}/../..|' "$work/$name/lib/pkgconfig/backprop.pc"
python3 scripts/sbom.py "$work/$name" "$version" >"$dist/$name.spdx.json"
cp "$dist/$name.spdx.json" "$work/$name/share/doc/backprop/libbackprop.spdx.json"
tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=ustar -C "$work" -c "$name" |
    gzip -9n >"$dist/$name.tar.gz"

# ---- The sources

git archive --prefix="libbackprop-$version/" HEAD | gzip -9n >"$dist/libbackprop-$version.tar.gz"

# ---- Debian packages

mkdir "$work/debian"
tar -xzf "$dist/libbackprop-$version.tar.gz" -C "$work/debian"
mkdir "$work/debian/libbackprop-$version/build"
cp -pr "$build"/libbackprop.{a,so.1} "$build"/backprop{,.1,.bash,.zsh,.fish} "$build"/{backprop_ffi.h,man} \
    "$work/debian/libbackprop-$version/build/"
(
    cd "$work/debian/libbackprop-$version"
    # Debian has no package of the Swift toolchain, with which the library was built.
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL dpkg-buildpackage --build=binary --no-check-builddeps --no-sign
) >"$work/debian/log" 2>&1 || { tail -n 40 "$work/debian/log" >&2; exit 1; }
cp "$work"/debian/*.deb "$dist/"

# ---- The Python wheels

cp "$build"/wheels/libbackprop-*.whl "$dist/"

(cd "$dist" && sha256sum -- * >../SHA256SUMS && mv ../SHA256SUMS .)
cat "$dist/SHA256SUMS"
