#!/usr/bin/env bash
# Tests the examples in other languages. Each trains the same network, prints what it predicts and the errors that it meets, and
# saves the network: its file must have the bytes of the one that Tests/Hosts/xor.c saves.
# Usage: languages.sh BUILD PYTHON [all], where BUILD, relative to the repository, holds libbackprop.so. Without "all", only the
# languages of small toolchains. Ends with "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD build=$root/$1 python=$2
[ -x "$python" ] && python=$(cd "$(dirname "$python")" && pwd)/$(basename "$python")
work=$build/languages
rm -rf "$work"
mkdir -p "$work"
. Tests/claims.sh
export LD_LIBRARY_PATH=$build${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} LC_ALL=C.UTF-8
export CPATH=$root/include:$root/bindings/cpp LIBRARY_PATH=$build # for gcc, g++ and what calls them
declarations=$build/backprop_ffi.h

# ---- The languages. NAME_needs prints what is missing; NAME_builds makes the example in the current folder, which is empty, and
# NAME_runs runs it there.

missing() { # missing COMMAND...: prints the commands that this machine lacks
    local command
    for command in "$@"; do command -v "$command" >/dev/null || echo "$command"; done
}

strict=(-O2 -Wall -Wextra -Werror)

cpp_needs() { missing c++; }
cpp_builds() { c++ -std=c++17 -pedantic "${strict[@]}" "$root/Examples/cpp/xor.cpp" -o xor -lbackprop; }
cpp_runs() { ./xor; }

rust_needs() { missing rustc; }
rust_builds() {
    rustc --edition 2021 -O -D warnings --crate-type rlib --crate-name backprop "$root/bindings/rust/src/lib.rs" -L "$build"
    rustc --edition 2021 -O -D warnings --extern backprop=libbackprop.rlib "$root/bindings/rust/examples/xor.rs" -L "$build"
}
rust_runs() { ./xor; }

go_needs() { missing go cc; }
go_builds() {
    (cd "$root/Examples/go" && [ -z "$(gofmt -l .)" ] && go vet . && go build -o "$work/go/xor" .)
}
go_runs() { GODEBUG=cgocheck=2 ./xor; }
export GOCACHE=$build/go-cache GOTOOLCHAIN=local GOFLAGS=-mod=mod GOPROXY=off

jna=/usr/share/java/jna.jar
java_needs() { missing javac java; [ -e "$jna" ] || echo "JNA"; }
java_builds() { javac -Xlint:all,-serial -Werror -cp "$jna" -d . "$root"/Examples/java/*.java; }
java_runs() { java -cp "$jna:." Xor; }

luajit_needs() { missing luajit; }
luajit_builds() { :; }
luajit_runs() { luajit "$root/Examples/luajit/xor.lua" "$declarations"; }

php_needs() { php -r 'exit(class_exists("FFI") ? 0 : 1);' 2>/dev/null || echo "PHP with FFI"; }
php_builds() { :; }
php_runs() { php "$root/Examples/php/xor.php" "$declarations"; }

fortran_needs() { missing gfortran; }
fortran_builds() {
    gfortran -std=f2018 -pedantic "${strict[@]}" -Wno-unused-dummy-argument -fcheck=all -ffpe-trap=invalid,zero,overflow \
        "$root"/Examples/fortran/{backprop,xor}.f90 -o xor -lbackprop
}
fortran_runs() { ./xor; }

csharp_needs() { missing mcs mono; }
csharp_builds() { mcs -warnaserror -out:xor.exe "$root"/Examples/csharp/*.cs; }
csharp_runs() { mono xor.exe; }

pascal_needs() { missing fpc; }
pascal_builds() { fpc -O2 -Fl"$build" -FU. -FE. "$root/Examples/pascal/xor.pas"; }
pascal_runs() { ./xor; }

perl_needs() { perl -e 'use FFI::Platypus 2.00' 2>/dev/null || echo "Perl with FFI::Platypus"; }
perl_builds() { perl -I"$root/Examples/perl" -wc "$root/Examples/perl/xor.pl"; }
perl_runs() { perl -I"$root/Examples/perl" "$root/Examples/perl/xor.pl"; }

ruby_needs() { missing ruby; }
ruby_builds() { ruby -wc "$root/Examples/ruby/xor.rb"; }
ruby_runs() { ruby -w "$root/Examples/ruby/xor.rb"; }

r_needs() { missing Rscript cc make; }
r_builds() {
    cp "$root/Examples/r/backprop.c" .
    PKG_LIBS=-lbackprop R CMD SHLIB backprop.c
}
r_runs() { BACKPROP_SHIM=./backprop.so Rscript "$root/Examples/r/xor.R"; }

octave_needs() { missing octave-cli mkoctfile; }
octave_builds() {
    cp "$root"/Examples/octave/*.m .
    mkoctfile -Wall "$root/Examples/octave/backprop_call.cc" -lbackprop
}
octave_runs() { octave-cli --quiet --no-init-file xor_example.m; }

# ---- The claims

expected() { # a regular expression for each line; a function can fail by a number, and the library can check the sizes
    cat <<'END_OF_LINES'
0 xor 0 = 0\.0[0-9]
0 xor 1 = (0\.9[0-9]|1\.00)
1 xor 0 = (0\.9[0-9]|1\.00)
1 xor 1 = 0\.0[0-9]
a failing callback: (no derivative|activation "broken" .* 7\b.*)
a wrong size: (3 numbers are not rows of 2|.*\b3 columns\b.*)
a missing file: .*none\.safetensors.*No such file or directory.*
saved and loaded, it predicts the same: yes
END_OF_LINES
}

prints_it() { # prints_it COMMAND...: the output has the expected lines, and no other
    "$@" >output
    cat output
    mapfile -t lines <output
    mapfile -t patterns < <(expected)
    [ ${#lines[@]} -eq ${#patterns[@]} ]
    for i in "${!lines[@]}"; do [[ ${lines[i]} =~ ^(${patterns[i]})$ ]] || { echo "line $((i + 1)) is unexpected"; return 1; }; done
}

in_folder() { cd "$work/$1" && shift && "$@"; }

example() { # example NAME: builds and runs the example, unless something is missing
    local name=$1 lacks
    lacks=$("${name}_needs" | paste -sd, | sed 's/,/, /g')
    if [ -n "$lacks" ]; then
        echo "# not tried: the example in Examples/$name, without $lacks"
        return
    fi
    mkdir "$work/$name"
    claim "the $name example compiles" in_folder "$name" "${name}_builds"
    claim "the $name example learns, gets an error from the library and one from a callback, saves and loads" \
        in_folder "$name" prints_it "${name}_runs"
    claim "the $name example saves the same bytes as C" cmp "$work/c/xor.safetensors" "$work/$name/xor.safetensors"
}

mkdir "$work/c" "$work/cffi" "$work/wrapper" "$work/crate"
claim "the C program compiles" cc -std=c99 -pedantic "${strict[@]}" Tests/Hosts/xor.c -o "$work/c/xor" -lbackprop -lm
claim "the C program trains" in_folder c ./xor
cffi() { "$python" "$root/Tests/Hosts/xor_cffi.py" "$declarations" "$build/libbackprop.so"; }
claim "cffi parses the declarations" in_folder cffi cffi
claim "cffi saves the same bytes as C" cmp "$work/c/xor.safetensors" "$work/cffi/xor.safetensors"

languages=(cpp rust go java luajit php fortran)
[ "${3:-}" = all ] && languages+=(csharp pascal perl ruby r octave)
for language in "${languages[@]}"; do example "$language"; done

learns_sine() { # learns_sine COMMAND...: a stream teaches a sine, and an ensemble knows where it has no data
    diff <("$@") <(printf '%s\n' "from a stream: sin(1) = 0.8" "at 1 the networks agree" "at 6 the networks disagree")
}
cpp_sine() {
    c++ -std=c++17 -pedantic "${strict[@]}" "$root/Examples/cpp/sine.cpp" -o sine -lbackprop
    learns_sine ./sine
}
rust_sine() {
    rustc --edition 2021 -O -D warnings --extern backprop=libbackprop.rlib "$root/bindings/rust/examples/sine.rs" -L "$build"
    learns_sine ./sine
}
claim "in C++, a stream and an ensemble of 50 networks learn a sine" in_folder cpp cpp_sine
if [ -z "$(rust_needs)" ]; then claim "in Rust, a stream and an ensemble of 50 networks learn a sine" in_folder rust rust_sine; fi

# ---- backprop.hpp and the Rust crate

wrapper() { # wrapper FLAG...
    c++ -std=c++17 -pedantic "${strict[@]}" "$@" "$root"/Tests/Hosts/cpp/*.cpp -o wrapper -pthread -lbackprop
    ./wrapper "$root/Examples/data/iris.csv"
}
claim "backprop.hpp throws what calls and callbacks throw" in_folder wrapper wrapper -O0 -fsanitize=address,undefined
claim "backprop.hpp works without exceptions and run-time types" in_folder wrapper wrapper -fno-exceptions -fno-rtti
if [ -z "$(missing clang++)" ]; then
    clang_accepts() { clang++ -std=c++17 -pedantic "${strict[@]}" -fsyntax-only "$@" "$root"/Tests/Hosts/cpp/*.cpp; }
    claim "clang accepts backprop.hpp, with and without exceptions" eval 'clang_accepts && clang_accepts -fno-exceptions -fno-rtti'
fi
crate() {
    local test
    for test in "$root"/bindings/rust/tests/*.rs; do
        rustc --edition 2021 -D warnings --test --extern backprop="$work/rust/libbackprop.rlib" "$test" -L "$build" -o crate
        ./crate --quiet
    done
}
if [ -z "$(rust_needs)" ]; then claim "the tests of the Rust crate pass" in_folder crate crate; fi

claim "backprop.hpp and the crate wrap all functions of the header" "$root/Tests/Hosts/wrapped.py"
claim "docs/hosts.md quotes the examples" "$root/Tests/Hosts/snippets.py"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
