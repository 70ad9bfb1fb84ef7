#!/bin/sh
# run.sh BUILD_FOLDER [SET...]: compiles the programs here against BUILD_FOLDER/libbackprop.so with the strictest ordinary flags,
# runs them once for each instruction set, and counts their claims. Ends with "N passed, M failed"; the exit status is 0 when M is.
# SET is a value of BACKPROP_INSTRUCTION_SET, or "native" for the processor's; the default is that of the environment.
# Environment: CC, CXX, CFLAGS, CXXFLAGS, LDFLAGS and RUSTC; LINK, the linker's words in place of those for the shared library.
# ONLY="files handles" runs only these programs, EXCEPT="files handles" all others; WRAPPER="valgrind" runs them under valgrind.
# PROGRAMS is the folder of the compiled programs. A program that runs longer than TIMEOUT seconds is stopped and fails: tests that
# wait for another thread or process have no time limit of their own.
set -u
if [ $# -lt 1 ] || { [ -z "${LINK:-}" ] && [ ! -e "$1/libbackprop.so" ]; }; then
    echo "usage: run.sh BUILD_FOLDER [SET...]; the folder holds libbackprop.so" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "$1" && pwd)
shift
sets=${*:-${BACKPROP_INSTRUCTION_SET:-native}}
mkdir -p "${PROGRAMS:=$build/ctests}"
programs=$(cd "$PROGRAMS" && pwd)
work=$(mktemp -d) # each program runs in its own folder in here, and may write there
export CORPUS="$root/Tests/Corpus"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
python3 "$root/Fuzz/signatures.py" "$root/include/backprop.h" >"$programs/signatures.h"

strict="-Wall -Wextra -pedantic -Werror"
export LIBBACKPROP_LIBRARY=$build/libbackprop.so # for programs that open it with dlopen
# The programs find the library in the build folder by an absolute run path.
link="${LINK:--Wl,--as-needed -L $build -Wl,-rpath,$build -lbackprop -lm -lpthread} ${LDFLAGS:-}"
passed=0
failed=0

claim() { # claim NAME COMMAND...: a claim that holds when the command succeeds
    claimed=$1
    shift
    if "$@"; then
        echo "ok $claimed"
        passed=$((passed + 1))
    else
        echo "not ok $claimed"
        failed=$((failed + 1))
    fi
}

compile_c() { # compile_c SOURCE PROGRAM
    ${CC:-cc} -std=c99 $strict -O1 -g ${CFLAGS:-} -I "$root/include" -I "$root/Fuzz" -I "$programs" "$1" -o "$2" $link
}

compile_c11() { (CFLAGS="${CFLAGS:-} -std=c11" && compile_c "$1" "$2"); }

compile_cxx() {
    ${CXX:-c++} -std=c++17 $strict -O1 -g ${CXXFLAGS:-} -I "$root/include" -x c++ -c "$1" -o "$2.o" &&
        ${CXX:-c++} "$2.o" -o "$2" $link
}

use() { # use SET: the programs started from here use that instruction set
    if [ "$1" = native ]; then unset BACKPROP_INSTRUCTION_SET; else export BACKPROP_INSTRUCTION_SET="$1"; fi
}

run() { # run PROGRAM SET: prints its output and adds its claims to the counts
    base=$(basename "$1").$2
    mkdir "$work/$base"
    (use "$2" && cd "$work/$base" && timeout --kill-after=5 "${TIMEOUT:-1200}" ${WRAPPER:-} "$1") >"$work/$base.out" 2>&1
    status=$?
    grep -v '^[0-9]* passed, [0-9]* failed$' "$work/$base.out"
    passed=$((passed + $(grep -c '^ok ' "$work/$base.out")))
    failed=$((failed + $(grep -c '^not ok ' "$work/$base.out")))
    # A program that crashes, hangs or exits early does not print its last line.
    if ! tail -n 1 "$work/$base.out" | grep -q '^[0-9]* passed, [0-9]* failed$'; then
        echo "not ok $base runs to its end (status $status)"
        failed=$((failed + 1))
    fi
}

shared() { # shared SOURCE LIBRARY FLAGS...: compiles a shared library that is not linked with libbackprop
    source=$1 library=$2
    shift 2
    ${CC:-cc} -std=c99 $strict -O1 -g ${CFLAGS:-} -I "$root/include" -shared -fPIC "$@" "$source" -o "$library" -lm -lpthread
}

plugins() { # the plug-ins that plugins.c loads
    for variant in GOOD FAILING BADLY_NAMED BUILT_IN TWICE EMPTY OVERTAKEN NO_ENTRY NO_FUNCTION KEEPING LOSS LOSS_TWICE; do
        shared "$here/plugins/plugin.c" "$PLUGINS/$(echo $variant | tr A-Z a-z).so" -DVARIANT=$variant || return 1
    done
    shared "$here/plugins/formulas.c" "$PLUGINS/formulas.so"
}
static_tls() { # the library that hygiene.c loads
    shared "$here/plugins/static_tls.c" "$PLUGINS/static_tls.so"
}
export PLUGINS=$programs/shared # the folder of the shared libraries that programs load
rm -rf "$PLUGINS" && mkdir "$PLUGINS"
case " ${ONLY:-plugins} " in *" plugins "* | *" universal "*)
    claim "plug-ins compile as C99" plugins
    claim "the example of a plug-in in C compiles as C99" \
        shared "$root/Examples/plugin-c/activations.c" "$PLUGINS/example_c.so"
    [ "${RUSTC-rustc}" = "" ] || claim "the example of a plug-in in Rust compiles" \
        "${RUSTC-rustc}" -O --crate-type cdylib -D warnings "$root/Examples/plugin-rust/activations.rs" -o "$PLUGINS/example_rust.so" ;;
esac

case " ${ONLY:-hygiene} " in *" hygiene "*)
    claim "a library with initial-exec thread-local memory compiles as C99" static_tls ;;
esac

# One line for each part of the library.
all="
reference handles arguments instructions options settings counts tensors
training large_minibatches backpropagation initialization losses custom_losses trainable names batchnorm fold optimizers second_order dropout
scaling score
transaction finite rows
trainer trainer_errors restarts ensemble finetuning resume resumed_fits stream stratify
activations subnormal foreign derivatives sharing plugins universal
files exporting metadata mutations saving targets weights corpus
predictor predictor_realtime
all_reduce all_reduce_fits all_reduce_overlap
threads team fork memory faults environment
limits hygiene allocations
cplusplus
"
all_are_run() { # each program here is in the list
    for source in "$here"/*.c; do
        case $(echo " $all " | tr '\n' ' ') in *" $(basename "$source" .c) "*) ;; *) echo "not in the list: $source" && return 1 ;; esac
    done
}
[ -n "${ONLY:-}" ] || claim "all programs are run" all_are_run
for name in ${ONLY:-$all}; do
    case " ${EXCEPT:-} " in *" $name "*) continue ;; esac
    rm -f "$programs/$name" # so that no program of an earlier run is used
    if [ "$name" = cplusplus ]; then
        claim "$name compiles as C++17" compile_cxx "$here/$name.cpp" "$programs/$name"
    else
        claim "$name compiles as C99" compile_c "$here/$name.c" "$programs/$name"
    fi
    [ -x "$programs/$name" ] || continue
    for set in $sets; do
        echo "# $name, $set"
        run "$programs/$name" "$set"
    done
done

if [ -z "${ONLY:-}" ]; then
    echo "# examples"
    for name in xor digits activations cartpole; do
        rm -f "$programs/$name"
        claim "$name.c compiles as C++17" compile_cxx "$root/Examples/c/$name.c" "$programs/$name.cxx"
        claim "$name.c compiles as C99" compile_c "$root/Examples/c/$name.c" "$programs/$name"
    done
    rm -f "$programs/control"
    claim "control.c compiles as C11" compile_c11 "$root/Examples/c/control.c" "$programs/control"
    for set in $sets; do
        use "$set"
        claim "xor learns ($set)" ${WRAPPER:-} "$programs/xor"
        claim "the agent learns to balance the pole ($set)" ${WRAPPER:-} "$programs/cartpole"
        claim "control follows its target within 0.02 rad, also after the world has changed ($set)" ${WRAPPER:-} "$programs/control"
        claim "digits reads 96 % of the held-out images ($set)" sh -c '
            ${WRAPPER:-} "$1" "$2" "$3" 20 | tee "$3/out"
            awk "/^held-out accuracy/ { good = \$3 >= 96 } END { exit !good }" "$3/out"' \
            sh "$programs/digits" "$root/Examples/data/digits.csv" "$work"
        claim "activations registered in all ways learn the curve, also plug-ins in C and Rust ($set)" sh -c '
            ${WRAPPER:-} "$1" "$2/example_c.so" serf "$2/example_rust.so" snake | tee "$3/out"
            awk "\$8 < 0.1 && \$6 < 0.01 { good++ } END { exit good != 7 }" "$3/out"' \
            sh "$programs/activations" "$PLUGINS" "$work"
    done
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
