#!/usr/bin/env bash
# Tests the files that `make dist` has made in BUILD/dist: makes them again in another folder, checks their form, and installs the
# packages in a Debian without a Swift toolchain, as root. Usage: run.sh BUILD VERSION PYTHON. Ends with "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD dist=$PWD/$1/dist version=$2 python=$3
tools=$root/$(dirname "$python")
release=libbackprop-$version-linux-$(uname -m)
work=$(mktemp -d)
debian=$work/debian
unset LIBBACKPROP_LIBRARY LD_LIBRARY_PATH

clean_up() {
    mountpoint -q "$debian/proc" && umount "$debian/proc"
    rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

. Tests/claims.sh

# ---- The same bytes in another folder

echo "# reproducible"
again() {
    local other=$work/a/folder/with/a/longer/name
    git clone --quiet . "$other"
    mkdir "$other/build"
    ln -s "$root/$(dirname "$(dirname "$python")")" "$other/build/venv"
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u SOURCE_DATE_EPOCH make -C "$other" --no-print-directory dist
    diff "$dist/SHA256SUMS" "$other/build/dist/SHA256SUMS"
}
claim "the same commit gives the same bytes in another folder" again

# ---- Form

echo "# form"
listed() {
    cd "$dist"
    sha256sum --check --strict SHA256SUMS
    [ "$(wc -l <SHA256SUMS)" -eq $(($(ls | wc -l) - 1)) ]
}
claim "SHA256SUMS has the sum of every file" listed
for file in "$release.tar.gz" "$release.spdx.json" "libbackprop-$version.tar.gz" libbackprop{1,-dev}_"$version"-1_amd64.deb \
    backprop_"$version"-1_amd64.deb \
    libbackprop-"$version"-py3-none-{manylinux2014,musllinux_1_2}_{x86_64,aarch64}.whl; do
    claim "there is $file" test -s "$dist/$file"
done
claim "the bill of materials is valid SPDX 2.3" "$tools/pyspdxtools" --infile "$dist/$release.spdx.json" --version SPDX-2.3
claim "lintian finds no error in the Debian packages" lintian --allow-root --fail-on error "$dist"/*.deb

# ---- The tarball, unpacked anywhere

echo "# tarball"
source=$root/Examples/c/xor.c
unpacked() {
    mkdir "$work/unpacked"
    tar -xzf "$dist/$release.tar.gz" -C "$work/unpacked"
    export PKG_CONFIG_PATH=$work/unpacked/$release/lib/pkgconfig LD_LIBRARY_PATH=$work/unpacked/$release/lib
    cc -std=c99 "$source" -o "$work/xor" $(pkg-config --cflags --libs backprop)
    "$work/xor" >"$work/expected"
}
claim "the quickstart compiles and runs from the unpacked tarball" unpacked
with_musl() { # with_musl SOURCE PROGRAM
    musl-gcc -std=c99 -static "$1" -o "$2" -I include "$work/unpacked/$release/lib/musl/libbackprop.a" -lm
}
musl() { # also files, custom activations and trainers
    with_musl "$source" "$work/xor.musl"
    "$work/xor.musl" | diff - "$work/expected"
    with_musl Tests/Hosts/host.c "$work/host.musl"
    cc -std=c99 Tests/Hosts/host.c -o "$work/host" -I include "$work/unpacked/$release/lib/libbackprop.a" -lffi -lm
    local program end
    for program in host host.musl; do "$work/$program" "$work/out.$program" fit 60; done
    for end in parameters predictions safetensors; do cmp "$work/out.host.$end" "$work/out.host.musl.$end"; done
}
claim "static programs for musl end with the same bits" musl

# ---- Debian packages, in a Debian that has only its base

echo "# Debian packages"
in_debian() { chroot "$debian" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"; }
apt() { in_debian apt-get -qq -y --no-install-recommends "$@"; }
contents() { (cd "$debian" && find . -xdev \( -path ./proc -o -path ./tmp -o -path ./var/cache -o -path ./var/log -o -path ./var/lib/apt \
    -o -path ./var/lib/dpkg \) -prune -o -print | sort); }

bootstrapped() {
    local archive
    archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
    debootstrap --variant=minbase "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$debian" "$archive"
    mount -t proc proc "$debian/proc"
    apt install gcc libc6-dev pkg-config
    cp "$dist"/*.deb "$source" Examples/data/iris.csv "$debian/tmp/"
    contents >"$work/before"
}
claim "a Debian with a C compiler and without Swift is made" bootstrapped
installed() {
    in_debian sh -c 'apt-get -qq -y --no-install-recommends install /tmp/*.deb'
    ! in_debian sh -c 'command -v swift'
    [ -s "$debian/usr/share/man/man1/backprop.1.gz" ]
}
claim "apt-get installs the packages" installed
program() {
    in_debian sh -euc 'cd /tmp
        cc -std=c99 xor.c $(pkg-config --cflags --libs backprop) -o xor && ./xor
        cc -std=c99 -static xor.c $(pkg-config --cflags --libs --static backprop) -o xor_static && ./xor_static'
}
claim "the quickstart compiles through pkg-config and runs, also as a static program" program
iris() {
    in_debian sh -euc 'cd /tmp
        backprop train iris.csv --target species --validation 0.2 -o iris.safetensors
        backprop predict iris.safetensors iris.csv >predictions.csv'
    [ "$(wc -l <"$debian/tmp/predictions.csv")" -eq 151 ]
}
claim "the program trains on the iris data and predicts them" iris
purged() {
    apt purge backprop libbackprop-dev libbackprop1
    apt autoremove --purge
    contents | diff "$work/before" -
}
claim "a purge leaves no file" purged

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
