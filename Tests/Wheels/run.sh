#!/usr/bin/env bash
# Tests the wheels that `make wheels` has made, on the oldest Debian that can be had (glibc 2.31) and with musl: on x86-64 in a root of
# its own, for arm64 under qemu. As root; needs a network connection. Usage: run.sh BUILD VERSION. Ends with "N passed, M failed".
#   BUILD    holds the library of this machine, the wheels, and the libraries in them
set -uo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/$1 version=$2 python=$PWD/$1/venv/bin/python
work=$build/wheels-test
rm -rf --one-file-system "$work" && mkdir -p "$work"
unset LIBBACKPROP_LIBRARY LD_LIBRARY_PATH PYTHONPATH
export PIP_DISABLE_PIP_VERSION_CHECK=1
. Tests/claims.sh
debian=bullseye
archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
zig=$("$python" -c 'import os, ziglang; print(os.path.dirname(ziglang.__file__))')/zig

root() { # root NAME ARCHITECTURE PACKAGES: $work/NAME with the files of these packages and of those that they need
    mmdebstrap --quiet --variant=extract --architectures="$2" --include="$3" "$debian" "$work/$1" "$archive"
    mkdir -p "$work/$1/test"
}
within() { # within NAME PROGRAM ARGUMENT...: runs a program of the root NAME; $inside is the root's path for it
    local root=$work/$1 program=$2
    shift 2
    if [ "$cpu" = "$(uname -m)" ]; then chroot "$root" "$program" "$@"; else "qemu-$cpu" -L "$root" "$root$program" "$@"; fi
}
unpack() { # unpack WHEEL FOLDER
    "$python" -m zipfile -e "$1" "$2"
}

# ---- Form

fits() { # fits WHEEL PLATFORM
    "$python" -m auditwheel show "$1" | tr '\n' ' ' | grep "consistent with the following platform tag: \"$2\""
}
needs_only() { # needs_only WHEEL PATTERN...: shared libraries
    unpack "$1" "$work/form" && readelf --dynamic --wide "$work/form/libbackprop/libbackprop.so" >"$work/dynamic"
    sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' "$work/dynamic" >"$work/needed"
    [ -s "$work/needed" ] && ! grep -vxE "$2" "$work/needed"
}
exports_the_same() { # after needs_only
    nm --dynamic --defined-only --format=posix "$build/libbackprop.so" | awk '{ print $1 }' | sort >"$work/expected"
    nm --dynamic --defined-only --format=posix "$work/form/libbackprop/libbackprop.so" | awk '{ print $1 }' | sort | diff "$work/expected" -
}
old_symbols() { # after needs_only: each symbol that must be found has a version, none of which is later than glibc 2.17
    local library=$work/form/libbackprop/libbackprop.so
    nm --dynamic --undefined-only "$library" | awk '$1 == "U" { print $2 }' >"$work/symbols"
    [ -s "$work/symbols" ] && ! grep -v '@GLIBC_' "$work/symbols"
    [ "$(sed 's/.*@GLIBC_//' "$work/symbols" | cat - <(echo 2.17) | sort -V | tail -n 1)" = 2.17 ]
}

# ---- Bits

bits_here() { BACKPROP_INSTRUCTION_SET=$1 "$work/bits" 20 2>"$work/set" >"$work/bits.$1"; grep "instruction set" "$work/set"; }
native=$(LD_LIBRARY_PATH=$build "$python" -c "
import ctypes
library = ctypes.CDLL('$build/libbackprop.so')
library.bp_instruction_set.restype = ctypes.c_char_p
print(library.bp_instruction_set().decode())")
best() { case $cpu in x86_64) echo "$native" ;; aarch64) echo neon ;; esac; } # of the target
bits_of() { # bits_of SET: those expected
    case $1 in neon) echo avx2 ;; *) echo "$1" ;; esac
}
claim "the program for bits compiles" cc -std=c99 -O1 -I include Tests/Platforms/bits.c -o "$work/bits" -L "$build" \
    -Wl,-rpath,"$build" -lbackprop
for set in baseline avx2 "$native"; do [ -s "$work/bits.$set" ] || claim "the trainings run here with \"$set\"" bits_here $set; done

# ---- Python on the oldest Debian

prepare_python() { # prepare_python WHEEL
    root "python-$cpu" "$1" python3,python3-pip
    "$python" -m pip download --quiet --no-deps --only-binary=:all: --platform manylinux2014_"$cpu" --python-version 3.9 \
        --dest "$work/python-$cpu/test" numpy
    cp "$wheel" Tests/Wheels/smoke.py "$work/python-$cpu/test/"
}
installs() { # by Debian's pip, of 2020, into a folder of the root
    within "python-$cpu" /usr/bin/python3.9 -m pip install --quiet --no-index --no-compile --no-cache-dir --find-links "$inside/test" \
        --target "$inside/test/site" libbackprop
}
trains() { # trains SET
    PYTHONPATH=$inside/test/site BACKPROP_INSTRUCTION_SET=$1 within "python-$cpu" /usr/bin/python3.9 "$inside/test/smoke.py" \
        "$inside/test/site" "$inside/test/model" >"$work/there"
    LIBBACKPROP_LIBRARY=$build/libbackprop.so PYTHONPATH=bindings/python BACKPROP_INSTRUCTION_SET=$(bits_of "$1") \
        "$python" Tests/Wheels/smoke.py "$build" "$work/model" >"$work/here"
    sed "s/^$(bits_of "$1") /$1 /" "$work/here" | diff - "$work/there"
    cmp "$work/model" "$work/python-$cpu/test/model"
}

# ---- Programs with musl, which open the library with dlopen

prepare_musl() { # prepare_musl ARCHITECTURE
    local name root=$work/musl-$cpu compile="$zig cc -target $cpu-linux-musl -dynamic -std=c99 -O1 -fno-sanitize=all -I include"
    root "musl-$cpu" "$1" musl
    unpack "$wheel" "$root/test/site" && mv "$root/test/site/libbackprop/libbackprop.so" "$root/test/libbackprop.so.1"
    $compile Tests/Wheels/open.c -o "$root/test/open"
    for name in Tests/Platforms/bits Examples/c/activations; do
        $compile -shared -fPIC $name.c -o "$root/test/$(basename $name).so" "$root/test/libbackprop.so.1" -lm -Wl,-rpath,'$ORIGIN'
    done
}
opened() { within "musl-$cpu" /test/open "$inside/test/$1" "${@:2}"; } # opened PROGRAM ARGUMENT...
has_bits() { # has_bits SET
    BACKPROP_INSTRUCTION_SET=$1 opened bits.so 20 | diff "$work/bits.$(bits_of "$1")" -
}
learns() { opened activations.so | awk '$8 < 0.1 && $6 < 0.01 { good++ } END { exit good != 5 }'; }

for cpu in x86_64 aarch64; do
    case $cpu in x86_64) architecture=amd64 ;; *) architecture=arm64 ;; esac
    [ "$cpu" = "$(uname -m)" ] && inside= || inside=$work/python-$cpu
    echo "# manylinux2014_$cpu"
    wheel=$build/wheels/libbackprop-$version-py3-none-manylinux2014_$cpu.whl
    claim "auditwheel agrees that the wheel is manylinux2014" fits "$wheel" "manylinux_2_17_$cpu"
    claim "it needs only the C library" needs_only "$wheel" '(libc|libm)\.so\.6|libpthread\.so\.0|libdl\.so\.2|ld-linux-aarch64\.so\.1'
    claim "it needs no function later than glibc 2.17" old_symbols
    claim "it exports what the library of this machine exports" exports_the_same
    claim "a root of Debian 11, glibc 2.31, is made" prepare_python $architecture
    claim "its pip installs the wheel" installs
    for set in $(best) baseline; do
        claim "its Python trains with \"$set\" and the bits of this machine: callbacks, libffi, files" trains "$set"
    done

    echo "# musllinux_1_2_$cpu"
    [ "$cpu" = "$(uname -m)" ] && inside= || inside=$work/musl-$cpu
    wheel=$build/wheels/libbackprop-$version-py3-none-musllinux_1_2_$cpu.whl
    claim "auditwheel agrees that the wheel is musllinux_1_2" fits "$wheel" "musllinux_1_2_$cpu"
    claim "it needs only the C library" needs_only "$wheel" "libc\.musl-$cpu\.so\.1"
    claim "it exports what the library of this machine exports" exports_the_same
    claim "a root with musl only is made" prepare_musl $architecture
    for set in $(best) baseline; do
        claim "a program that opens its library has the bits of this machine with \"$set\"" has_bits "$set"
    done
    claim "activations learn there: callbacks, libffi, functions by name" learns
done
echo "# not tried: CPython with musl, because no package of Debian or PyPI has it"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
