#!/usr/bin/env bash
# Tests the documentation: its programs, the site, the man pages, the DocC catalogue. Usage: run.sh BUILD PYTHON, where BUILD, relative
# to the repository, holds libbackprop.so. Ends with "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../.."
build=$1 python=$2 work=$1/docs
export NO_MKDOCS_2_WARNING=1 # about a later version of MkDocs
rm -rf "$work"/pages "$work"/site "$work"/man
mkdir -p "$work"
. Tests/claims.sh

echo "# site"
claim "the site builds without a warning" "$python" -m mkdocs build --quiet --site-dir "$work/site"
claim "all links and anchors of the site lead to something, and its HTML is valid" "$python" Tests/Docs/check_site.py "$work/site"

echo "# man pages"
claim "the comment of each function has a summary, Ownership, Errors, Threads and Since" python3 scripts/docs/header.py include/backprop.h
claim "the man pages are made" python3 scripts/docs/manpages.py "$work/man/man3"
claim "groff formats them without a warning" bash -c "cd $work/man && groff -ww -man -Tutf8 -z man3/*.3 2>&1 | (! grep .)"
# They have no date, so that two builds give the same bytes. Links are made by .so, so that they can be copied like pages.
claim "mandoc finds no fault" bash -c "cd $work/man && mandoc -Tlint -Wwarning man3/*.3 | grep -v 'missing date\|.so is fragile' | (! grep .)"
described() { # every declaration of the header has a page
    local name
    for name in $(grep -oE '^(#define|typedef .*\(\*|[a-z].* \*?)(bp_\w+|BP_\w+)' include/backprop.h | grep -oE '(bp|BP)_\w+$' | sort -u); do
        [ -s "$work/man/man3/$name.3" ] || { echo "no page $name"; return 1; }
    done
}
claim "every function, type and constant has a page" described

echo "# notes"
named() { # every file and every test that docs/notes.md names exists
    local name
    for name in $(grep -oE '`[A-Z][A-Za-z]*/[A-Za-z]+\.swift`' docs/notes.md docs/kernels.md | grep -oE '[A-Za-z]+/[A-Za-z]+\.swift' | sort -u); do
        [ -n "$(find Sources -path "*/$name")" ] || { echo "no file $name"; return 1; }
    done
    for name in $(grep -oE '`[a-z]+(_[a-z]+){2,}`' docs/notes.md | tr -d '`' | grep -v '^bp_' | sort -u); do
        grep -q "CLAIM($name)" Tests/CTests/*.c || { echo "no test $name"; return 1; }
    done
}
claim "the files and tests in docs/notes.md exist" named

echo "# model files"
claim "the reader of docs/file-format.md reads the files of Tests/Corpus" python3 Tests/Docs/read_corpus.py

echo "# programs"
# The tests of the Python package run interchange.md, which needs large packages; those of hosts (snippets.py) run hosts.md, and
# those of installations install.md.
pages=()
for page in docs/*.md; do [[ $page == docs/@(hosts|install|interchange).md ]] || pages+=("$page"); done
"$python" Tests/Docs/blocks.py "$work/pages" "$build" "${pages[@]}" Sources/Backprop/Backprop.docc/*.md | tee "$work/programs" | grep -v ' passed, '
counts=$(tail -n 1 "$work/programs")
[[ $counts =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] && passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) ||
    { failed=$((failed + 1)); echo "not ok the programs run to the end"; }
same_weights() { # the three programs of the tour save the same numbers; the headers differ by the names of the classes
    local language
    for language in c python swift; do
        tail -c +"$((9 + $(od -An -t u8 -N 8 "$work/pages/tour/iris-$language.safetensors")))" \
            "$work/pages/tour/iris-$language.safetensors" >"$work/pages/tour/$language.numbers"
        [ -s "$work/pages/tour/$language.numbers" ]
        cmp "$work/pages/tour/c.numbers" "$work/pages/tour/$language.numbers"
    done
}
claim "the programs of the tour in C, Python and Swift save the same weights" same_weights

echo "# Swift"
claim "the DocC archive is made without a warning" scripts/docs/docc.sh "$build" "$work/swift/debug"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
