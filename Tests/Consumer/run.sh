#!/usr/bin/env bash
# Tests a Swift package that uses the product Backprop by version: SwiftPM then refuses unsafe flags (Package.swift). Compiles the
# engine. Usage: run.sh BUILD, relative to the repository, which holds libbackprop.so. Ends with "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD build=$1
work=$root/$build/consumer
rm -rf "$work"
mkdir -p "$work"/{package/Sources,repository}

. Tests/claims.sh

tagged() { # the working tree as the commit of a version, in a repository of its own
    export GIT_AUTHOR_NAME=test GIT_COMMITTER_NAME=test EMAIL=test@example.org
    git init --quiet "$work/repository"
    export GIT_DIR=$work/repository/.git
    git --work-tree="$root" add --all
    git --work-tree="$root" commit --quiet --message "A version"
    git tag v1.2.3
}
claim "the working tree is a version in a repository" tagged

ln -s "$root/Tests/Hosts/swift/Sources/host" "$work/package/Sources/host"
cat >"$work/package/Package.swift" <<END
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "consumer",
    dependencies: [.package(url: "$work/repository", from: "1.0.0")],
    targets: [.executableTarget(name: "host", dependencies: [.product(name: "Backprop", package: "repository")])])
END
built() { # without what SwiftPM knows of other versions with this number
    swift build -c release --package-path "$work/package" --cache-path "$work/cache" --security-path "$work/security"
    [ -e "$work/package/.build/checkouts/repository/Package.swift" ]
}
claim "a package uses the product Backprop by version" built

cc -std=c99 -O2 -I include Tests/Hosts/host.c -o "$work/host" -L "$build" -Wl,-rpath,"$root/$build" -lbackprop
same_bits() { # same_bits MODE LAST
    BACKPROP_INSTRUCTION_SET=baseline "$work/host" "$work/c.$1" "$1" "$2"
    "$work/package/.build/release/host" "$work/swift.$1" "$1" "$2"
    for end in parameters predictions safetensors; do
        [ -s "$work/c.$1.$end" ] && cmp "$work/c.$1.$end" "$work/swift.$1.$end"
    done
}
for mode in 0 fit stream; do
    claim "it ends with the bits of the shared library's baseline ($mode)" same_bits $mode 60
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
