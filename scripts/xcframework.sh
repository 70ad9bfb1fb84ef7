#!/usr/bin/env bash
# Assembles BUILD/backprop.xcframework from the static libraries of scripts/cross.sh for Apple's systems. Usage: xcframework.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 framework=$1/backprop.xcframework
rm -rf "$framework"

add() { # add TARGET IDENTIFIER LINK: a library with its headers; LINK is a line of the module map
    local folder=$framework/$2
    mkdir -p "$folder/Headers"
    cp "$build/$1/libbackprop.a" "$folder"
    cp include/backprop.h "$folder/Headers"
    printf 'module CBackprop {\n    header "backprop.h"\n%s    export *\n}\n' "$3" >"$folder/Headers/module.modulemap"
}
add arm64-apple macos-arm64 $'    link "ffi"\n'
add arm64-ios ios-arm64 ""
add arm64-ios-simulator ios-arm64-simulator ""

python3 - "$framework" <<'END'
import pathlib, plistlib, sys

def library(identifier):
    platform, architecture, *variant = identifier.split("-")
    return {
        "LibraryIdentifier": identifier,
        "LibraryPath": "libbackprop.a",
        "HeadersPath": "Headers",
        "SupportedArchitectures": [architecture],
        "SupportedPlatform": platform,
    } | ({"SupportedPlatformVariant": variant[0]} if variant else {})

framework = pathlib.Path(sys.argv[1])
contents = {
    "AvailableLibraries": [library(folder.name) for folder in sorted(framework.iterdir())],
    "CFBundlePackageType": "XFWK",
    "XCFrameworkFormatVersion": "1.0",
}
(framework / "Info.plist").write_bytes(plistlib.dumps(contents))
END
