#!/usr/bin/env bash
# Assembles BUILD/backprop.xcframework from the static libraries of scripts/cross.sh for Apple's systems. Usage: xcframework.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 framework=$1/backprop.xcframework
rm -rf "$framework"

# Writes the libraries of a file for two processors (fat.h of macOS): a header of big-endian words, then each library.
universal() { # universal OUT ARM64 X86_64
    python3 - "$@" <<'END'
import struct, sys

libraries = [open(path, "rb").read() for path in sys.argv[2:]]
header, contents = struct.pack(">II", 0xCAFEBABE, 2), b""
for (processor, subtype), library in zip([(0x0100000C, 0), (0x01000007, 3)], libraries):
    header += struct.pack(">5I", processor, subtype, 48 + len(contents), len(library), 3)  # aligned to 2³ bytes
    contents += library + bytes(-len(library) % 8)
open(sys.argv[1], "wb").write(header + contents)
END
}

add() { # add IDENTIFIER LINK TARGET...: a library with its headers; LINK is a line of the module map
    local folder=$framework/$1
    mkdir -p "$folder/Headers"
    if [ $# -eq 3 ]; then cp "$build/$3/libbackprop.a" "$folder"; else
        universal "$folder/libbackprop.a" "$build/$3/libbackprop.a" "$build/$4/libbackprop.a"
    fi
    cp include/backprop.h "$folder/Headers"
    printf 'module CBackprop {\n    header "backprop.h"\n%s    export *\n}\n' "$2" >"$folder/Headers/module.modulemap"
}
add macos-arm64_x86_64 $'    link "ffi"\n' arm64-apple x86_64-apple
add ios-arm64 "" arm64-ios
add ios-arm64-simulator "" arm64-ios-simulator

python3 - "$framework" <<'END'
import pathlib, plistlib, re, sys

def library(identifier):
    platform, architectures, *variant = identifier.split("-")
    return {
        "LibraryIdentifier": identifier,
        "LibraryPath": "libbackprop.a",
        "HeadersPath": "Headers",
        "SupportedArchitectures": re.findall("arm64|x86_64", architectures),
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
