#!/usr/bin/env bash
# Installs what is missing to build the library and to run the demo, and what else a purpose needs.
# Usage: setup.sh VENV [docs | test | all-hosts | cross | wasm | browser | compilers | wheel | wheels | dist]: the documentation; the
# tests; the examples in all languages; scripts/cross.sh; its target wasm; tests in Chromium; the compilers of test-export-all; the wheel
# for this machine; all wheels and their tests; a release.
# Debian packages when run as root, otherwise one line that names them; Python packages into the virtual environment.
# The Swift toolchain itself is not installed: its version is checked, and the libraries that its programs need are.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1 purpose=${2:-}
oldest_swift=6.2
case $purpose in
test | all-hosts) python_packages="requirements requirements-docs requirements-test requirements-cross" ;;
compilers | wasm) python_packages=requirements ;;
wheel | wheels) python_packages="requirements requirements-cross" ;;
*) python_packages="requirements${purpose:+ requirements-$purpose}" ;;
esac

missing=() # Debian packages
need() { # need TEST-COMMAND PACKAGE
    eval "$1" >/dev/null 2>&1 || missing+=("$2")
}
fail() {
    echo "setup: $*" >&2
    exit 1
}

need "command -v cc" gcc
need "echo '#include <stdio.h>' | cc -E -" libc6-dev
need "command -v c++" g++
need "command -v strip" binutils
need "command -v ld.gold" binutils-gold # the linker that swiftc calls
need "command -v pkg-config" pkg-config
need "echo '#include <ffi.h>' | cc -E -" libffi-dev
need "command -v python3" python3
need "python3 -c 'import ensurepip, venv'" python3-venv
if [ "$purpose" = browser ]; then
    need "command -v chromium" chromium
fi
if [ "$purpose" = test ]; then
    need "command -v abidw" abigail-tools
    need "command -v cmake" cmake
    need "command -v valgrind" valgrind
    need "command -v rustc" rustc # one plug-in of the tests is in Rust
    need "command -v mpirun" openmpi-bin # trainings by several processes
    need "command -v mpicc" libopenmpi-dev
    need "command -v groff" groff-base # checks of the man pages
    need "command -v mandoc" mandoc
elif [ "$purpose" = dist ]; then
    need "command -v dpkg-buildpackage" dpkg-dev
    need "command -v dh" debhelper
    need "command -v lintian" lintian
    need "command -v debootstrap" debootstrap
    need "command -v musl-gcc" musl-tools
fi

# Languages of examples. Tests/Hosts/languages.sh does not try an example whose language is missing.
optional=() # Debian packages
want() { # want TEST-COMMAND PACKAGE
    eval "$1" >/dev/null 2>&1 || optional+=("$2")
}
if [ "$purpose" = test ] || [ "$purpose" = all-hosts ]; then
    want "command -v go" golang-go
    want "command -v javac" default-jdk-headless
    want "[ -e /usr/share/java/jna.jar ]" libjna-java
    want "command -v luajit" luajit
    want "command -v php" php-cli
    want "command -v gfortran" gfortran
fi
# scripts/cross.sh and Tests/Platforms, which does not try a target whose packages are missing
case $purpose in cross | wasm | wheels) cross=need ;; test) cross=want ;; *) cross= ;; esac
if [ "$purpose" = cross ] || [ "$purpose" = test ] || [ "$purpose" = wheels ]; then
    $cross "command -v aarch64-linux-gnu-gcc" gcc-aarch64-linux-gnu
    $cross "test -e /usr/aarch64-linux-gnu/include/stdio.h" libc6-dev-arm64-cross
    $cross "test -e /usr/lib/aarch64-linux-gnu/libffi.so" libffi-dev:arm64
    $cross "command -v qemu-aarch64" qemu-user
fi
if [ "$purpose" = cross ] || [ "$purpose" = test ]; then
    $cross "command -v i686-linux-gnu-gcc" gcc-i686-linux-gnu
    $cross "test -e /usr/i686-linux-gnu/include/stdio.h" libc6-dev-i386-cross
    $cross "test -e /usr/lib/i386-linux-gnu/libffi.so" libffi-dev:i386
fi
if [ "$purpose" = cross ]; then
    need "command -v riscv64-linux-gnu-gcc" gcc-riscv64-linux-gnu
    need "test -e /usr/riscv64-linux-gnu/include/stdio.h" libc6-dev-riscv64-cross
    need "command -v arm-none-eabi-gcc" gcc-arm-none-eabi
    need "test -e /usr/lib/arm-none-eabi/include/stdio.h" libnewlib-arm-none-eabi
    need "command -v qemu-system-arm" qemu-system-arm
    need "command -v x86_64-w64-mingw32-g++" g++-mingw-w64-x86-64
fi
if [ "$purpose" = wheels ]; then
    need "command -v mmdebstrap" mmdebstrap
elif [ -n "$cross" ]; then
    $cross "test -e /usr/include/wasm32-wasi" wasi-libc
    $cross "test -e /usr/lib/llvm-*/lib/clang/*/lib/wasi/libclang_rt.builtins-wasm32.a" libclang-rt-dev-wasm32
    $cross "command -v node" nodejs
    $cross "command -v wasm-opt" binaryen
    $cross "command -v tsc" node-typescript
fi
if [ "$purpose" = all-hosts ]; then
    want "command -v mcs" mono-mcs
    want "command -v mono" mono-runtime
    want "command -v fpc" fp-compiler
    want "perl -e 'use FFI::Platypus 2.00'" libffi-platypus-perl
    want "command -v ruby" ruby
    want "command -v R" r-base-dev
    want "command -v octave-cli" octave
    want "command -v mkoctfile" octave-dev
fi
want_compiler() { # want_compiler PREFIX PACKAGE C-LIBRARY
    want "command -v $1-gcc" "$2"
    want "echo '#include <stdio.h>' | $1-gcc -E -" "$3"
}
if [ "$purpose" = compilers ]; then # Tests/Export compiles exported files for these processors
    want_compiler i686-linux-gnu gcc-i686-linux-gnu libc6-dev-i386-cross
    want_compiler aarch64-linux-gnu gcc-aarch64-linux-gnu libc6-dev-arm64-cross
    want "command -v qemu-aarch64" qemu-user
    want_compiler arm-linux-gnueabihf gcc-arm-linux-gnueabihf libc6-dev-armhf-cross
    want_compiler arm-none-eabi gcc-arm-none-eabi libnewlib-arm-none-eabi
    want_compiler avr gcc-avr avr-libc
fi

# A toolchain unpacked on a bare system cannot start before these shared libraries are there.
swift=$(command -v swift || true)
if [ -n "$swift" ]; then
    toolchain=$(dirname "$(readlink -f "$swift")")
    unresolved=$(ldd "$toolchain"/{swift-driver,swift-frontend,swift-build,lld} 2>/dev/null | sed -n 's/ => not found$//p' || true)
    while read -r library package; do
        need "! grep -q '$library' <<<'$unresolved'" "$package"
    done <<'END'
libcurl libcurl4
libncurses libncurses6
libsqlite3 libsqlite3-0
libstdc++ libstdc++6
libtinfo libtinfo6
libuuid libuuid1
libxml2 libxml2
libz zlib1g
END
fi

[ -n "$swift" ] && no_swift= || no_swift="the Swift toolchain, $oldest_swift or later, from swift.org"
update_lists() {
    local name
    for name in arm64 i386; do
        case " ${missing[*]} ${optional[*]} " in *":$name "*) dpkg --add-architecture "$name" ;; esac
    done
    # A list that cannot be downloaded, such as that of a mirror during its update, matters only to the packages in it.
    apt-get update -qq || echo "setup: not all lists of packages were downloaded"
}
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        fail "missing packages; as root: apt-get install ${missing[*]}${no_swift:+; and $no_swift}"
    fi
    echo "setup: installing ${missing[*]}"
    update_lists
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
if [ ${#optional[@]} -gt 0 ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "setup: installing ${optional[*]}"
    update_lists
    for package in "${optional[@]}"; do # each by itself: another distribution may not have one
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 ||
            echo "setup: $package cannot be installed"
    done
fi
[ -z "$no_swift" ] || fail "missing: $no_swift"
said=$(swift --version 2>&1) || fail "$swift does not start: $(head -n 1 <<<"$said")"
version=$(sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' <<<"$said" | head -n 1)
printf '%s\n' "$oldest_swift" "$version" | sort -CV || fail "$swift is version ${version:-unknown}; $oldest_swift or later is needed"

[ -x "$venv/bin/pip" ] || python3 -m venv --clear "$venv" # without pip: an earlier run was interrupted
for requirements in $python_packages; do
    if ! cmp -s "scripts/$requirements.txt" "$venv/$requirements.txt"; then
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r "scripts/$requirements.txt"
        cp "scripts/$requirements.txt" "$venv/$requirements.txt"
    fi
done
