#!/usr/bin/env bash
# Tests C, Python and Swift programs together, the programs of README.md, and the result of `make wheel`.
# Usage: run.sh BUILD PYTHON, where BUILD, relative to the repository, holds libbackprop.so. Ends with "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD build=$1 python=$2
work=$root/$build/hosts
swift=$root/$build/example-swift # shared with the example, so that the library is compiled once
export LIBBACKPROP_LIBRARY=${LIBBACKPROP_LIBRARY:-$root/$build/libbackprop.so}
export PYTHONPATH=$root/bindings/python PYTHONDONTWRITEBYTECODE=1
[ -x "$python" ] && python=$(cd "$(dirname "$python")" && pwd)/$(basename "$python")
rm -rf "$work" "$swift"/release/{host,xor} # so that no file of an earlier run is used
mkdir -p "$work"
. Tests/claims.sh

strict() { cc -std=c99 -O2 -Wall -Wextra -pedantic -Werror "$@"; }
swift_build() { swift build -c release --disable-automatic-resolution --package-path "$1" --scratch-path "$swift"; }
# The nested make must not use the flags and job slots of the make that runs this script.
make_target() { env -u MAKEFLAGS -u MFLAGS make --no-print-directory BUILD="$build" PYTHON="$python" "$@"; }

# ---- The three hosts: the same run gives the same bits

echo "# hosts"
claim "host.c compiles" strict -I include Tests/Hosts/host.c -o "$work/host" -L "$build" -Wl,-rpath,"$root/$build" -lbackprop
claim "the Swift host compiles" swift_build Tests/Hosts/swift

host() { # host LANGUAGE OUT FIRST LAST [MODEL]
    local language=$1 && shift
    case $language in
    c) timeout --kill-after=5 600 "$work/host" "$@" ;;
    python) timeout --kill-after=5 600 "$python" Tests/Hosts/host.py "$@" ;;
    swift) timeout --kill-after=5 600 "$swift/release/host" "$@" ;;
    esac
}

same() { # same END OUT OUT...: the files with that ending exist, are not empty, and are equal
    local end=$1 first=$2 other && shift 2
    [ -s "$first.$end" ]
    for other in "$@"; do cmp "$first.$end" "$other.$end"; done
}

relay() { # relay OUT LANGUAGE LANGUAGE LANGUAGE: three hosts with a third of the steps each, through files, equal one host
    host "$2" "$1.1" 0 20
    host "$3" "$1.2" 20 40 "$1.1.safetensors"
    host "$4" "$1.3" 40 60 "$1.2.safetensors"
    same parameters "$1.3" "$work/$set.c"
    same predictions "$1.3" "$work/$set.c"
    same safetensors "$1.3" "$work/$set.c"
}

fit_relay() { # fit_relay KIND OUT LANGUAGE LANGUAGE LANGUAGE: a fit stopped within epochs and resumed by other hosts equals one fit
    host "$3" "$2.1" "$1" 13
    host "$4" "$2.2" "$1" 14 "$2.1.safetensors"
    host "$5" "$2.3" "$1" 60 "$2.2.safetensors"
    same parameters "$2.3" "$work/$set.$1"
    same safetensors "$2.3" "$work/$set.$1"
}

moved() { # moved OUT: the run changed the network, so that the comparison of files is not trivial
    host c "$1" 0 0
    ! cmp -s "$1.parameters" "$work/$set.c.parameters"
    ! cmp -s "$1.predictions" "$work/$set.c.predictions"
}

for set in native baseline; do
    if [ "$set" = baseline ]; then export BACKPROP_INSTRUCTION_SET=baseline; fi
    for language in c python swift; do
        claim "$language trains ($set)" host $language "$work/$set.$language" 0 60
    done
    claim "training changed the network ($set)" moved "$work/$set.start"
    for what in parameters predictions safetensors; do
        claim "C, Python and Swift end with the same $what ($set)" \
            same $what "$work/$set.c" "$work/$set.python" "$work/$set.swift"
    done
    claim "C to Python to Swift through files equals one run ($set)" relay "$work/$set.cps" c python swift
    claim "Swift to C to Python through files equals one run ($set)" relay "$work/$set.scp" swift c python
    for kind in fit stream; do
        claim "C fits ($kind, $set)" host c "$work/$set.$kind" $kind 60
        claim "a fit in C, resumed in Python and in Swift, equals one fit ($kind, $set)" \
            fit_relay $kind "$work/$set.$kind.cps" c python swift
        claim "a fit in Swift, resumed in C and in Python, equals one fit ($kind, $set)" \
            fit_relay $kind "$work/$set.$kind.scp" swift c python
        claim "a fit in Python, resumed in Swift and in C, equals one fit ($kind, $set)" \
            fit_relay $kind "$work/$set.$kind.psc" python swift c
    done
done
unset BACKPROP_INSTRUCTION_SET

# ---- Examples in Python; make demo runs the others

echo "# examples"
export MPLCONFIGDIR=$work/matplotlib
claim "the input gradients of a learned simulator lead to the wanted results" "$python" Examples/python/inverse_design.py
autoencoder() {
    "$python" Examples/python/autoencoder.py Examples/data/digits.csv "$work/autoencoder.png"
    test -s "$work/autoencoder.png"
}
claim "the autoencoder has a lower error than principal components, and draws its latent layer" autoencoder

bands() {
    "$python" Examples/python/quantile_bands.py "$work/bands.png"
    test -s "$work/bands.png"
}
claim "the networks of an ensemble agree where there are data, and disagree elsewhere" "$python" Examples/python/ensemble.py
claim "nine tenths of new data lie between the learned quantiles, also by parts, and a picture shows them" bands

# ---- Installed files; Tests/Install tests them

echo "# install"
prefix=$work/prefix
claim "make install" make_target install PREFIX="$prefix"

echo "# wheel"
wheel() { # without network access: the build tools are in the virtual environment
    rm -rf "$build/wheel"
    PIP_NO_BUILD_ISOLATION=0 PIP_NO_INDEX=1 make_target -o lib wheel # other parts use the library
    "$python" -m venv "$work/venv"
    env -u PYTHONPATH "$work/venv/bin/pip" install --quiet --no-index --no-deps "$build"/wheel/libbackprop-*.whl
    # NumPy is found in the virtual environment of the build; libbackprop is found before it.
    "$python" -c 'import numpy, os; print(os.path.dirname(os.path.dirname(numpy.__file__)))' \
        >"$("$work/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/numpy.pth"
}
in_venv() { env -u LIBBACKPROP_LIBRARY -u PYTHONPATH "$work/venv/bin/python" "$@"; }
claim "make wheel makes a wheel that installs" wheel
claim "the wheel contains its own library" in_venv -c \
    "import libbackprop as bp; assert bp.library_path().startswith('$work/venv/'), bp.library_path()"
claim "the wheel is for glibc 2.17 and later, and any Python 3" test -e "$build"/wheel/libbackprop-*-py3-none-manylinux2014_"$(uname -m)".whl
claim "the wheel contains libffi, hidden" in_venv -c "
import libbackprop as bp
bp.activation.from_library('libm.so.6', 'erf', 'd(d)')
assert not [line for line in open('/proc/self/maps') if line.split()[-1].startswith('$work/venv/') and 'libffi' in line]"
claim "the wheel predicts" in_venv -c \
    "import libbackprop as bp; assert bp.Network([2, 3, 1], seed=1).predict([[0, 1], [1, 0]]).shape == (2, 1)"
licences() { # licences FOLDER...: each licence file of the repository is in one of these folders
    local file
    for file in LICENSE THIRD-PARTY.md; do cmp "$file" "$(find "$@" -name "$file" | head -n 1)"; done
}
source_distribution() { # unpacked into $work/sdist
    mkdir "$work/sdist"
    (cd bindings/python && "$python" -c 'import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])' "$work/sdist")
    rm -rf bindings/python/libbackprop.egg-info
    tar -xzf "$work"/sdist/libbackprop-*.tar.gz -C "$work/sdist"
}
claim "the wheel contains the licences" licences "$work"/venv/lib/python*/site-packages/libbackprop-*.dist-info
claim "the source distribution contains the licences" eval 'source_distribution && licences "$work/sdist"'
from_source() { # from_source LIBRARY: installs the unpacked source distribution
    LIBBACKPROP_LIBRARY=$1 "$python" -m pip install --quiet --no-index --no-deps --no-build-isolation --target "$work/from_source" \
        "$work"/sdist/libbackprop-* >"$work/said" 2>&1
}
rm -f "$work"/sdist/*.tar.gz
claim "the source distribution asks for the library" eval \
    '! from_source "" && grep "set LIBBACKPROP_LIBRARY to the path of libbackprop.so" "$work/said"'
claim "the source distribution installs with the library" from_source "$root/$build/libbackprop.so"

# ---- README.md

block() { # block LANGUAGE: the only fenced block of that language
    awk -v fence="\`\`\`$1" '$0 == fence { inside = 1; found++; next } $0 == "```" { inside = 0 } inside
                             END { exit found != 1 }' README.md
}
printed() { # printed FOLDER COMMAND...: run in that folder, it prints the text of README.md and saves the model
    local folder=$1 && shift
    cd "$folder"
    "$@" >output
    diff output "$work/readme/text"
    test -s xor.safetensors
}

echo "# README.md"
mkdir -p "$work"/readme/{c,python,swift/Sources/xor}
cd "$root"
claim "README has a block of text" eval 'block text >"$work/readme/text"'
claim "README has a C quickstart" eval 'block c >"$work/readme/c/xor.c"'
claim "README has a Python quickstart" eval 'block python >"$work/readme/python/xor.py"'
claim "README has a Swift quickstart" eval 'block swift >"$work/readme/swift/Sources/xor/main.swift"'

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
claim "the C quickstart compiles through pkg-config" eval \
    'strict "$work/readme/c/xor.c" $(pkg-config --cflags --libs backprop) -lm -o "$work/readme/c/xor"'
claim "the C quickstart prints what README shows" printed "$work/readme/c" env LD_LIBRARY_PATH="$prefix/lib" ./xor
claim "the Python quickstart prints what README shows" printed "$work/readme/python" in_venv "$work/readme/python/xor.py"

# README's package lines, with the path of this repository in place of ../libbackprop.
package=$(grep -o '\.package(name: "libbackprop", path: [^)]*)' README.md | sed "s|\"\.\./libbackprop\"|\"$root\"|")
product=$(grep -o '\.product(name: "Backprop"[^)]*)' README.md)
cat >"$work/readme/swift/Package.swift" <<END
// swift-tools-version: 6.2
import PackageDescription
let package = Package(
    name: "xor", dependencies: [$package], targets: [.executableTarget(name: "xor", dependencies: [$product])])
END
claim "the Swift quickstart compiles" swift_build "$work/readme/swift"
claim "the Swift quickstart prints what README shows" printed "$work/readme/swift" "$swift/release/xor"

named() { # every file and every test in the table of the notes exists
    local table name where
    table=$(grep -E '^\| (intro|[1-5]) \|' README.md)
    [ -n "$table" ]
    for name in $(grep -oE '`[A-Za-z]+\.swift`' <<<"$table" | tr -d '`' | sort -u); do
        where=$(find Sources/Backprop Sources/Kernels -name "$name")
        [ -n "$where" ] || { echo "no file $name"; return 1; }
    done
    for name in $(grep -oE '`[a-z_]+`' <<<"$table" | tr -d '`' | sort -u); do
        grep -q "CLAIM($name)" Tests/CTests/*.c || { echo "no test $name"; return 1; }
    done
}
claim "the files and tests in README's table of the notes exist" named

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
