#!/usr/bin/env python3
"""Writes the software bill of materials of an installed folder, as SPDX 2.3 in JSON: sbom.py FOLDER VERSION > OUT

It lists the files with their checksums, and the parts of others that THIRD-PARTY.md describes. SOURCE_DATE_EPOCH is its time.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import uuid
from pathlib import Path

SWIFT = "Apache-2.0 WITH Swift-exception"
GCC = "GPL-3.0-or-later WITH GCC-exception-3.1"


def said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def checksum(algorithm: str, data: bytes) -> str:
    return hashlib.new(algorithm, data).hexdigest()


def library(path: Path, name: str) -> str:
    """The version in the name of a shared library that another one needs."""
    match = re.search(rf"\[{name}\.so\.([\d.]+)\]", said("readelf", "--dynamic", "--wide", str(path)))
    if not match:
        raise SystemExit(f"{path} does not need {name}")
    return match[1]


def package(identifier: str, name: str, version: str, licence: str, text: str, **more: object) -> dict[str, object]:
    return {"SPDXID": f"SPDXRef-{identifier}", "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False, "licenseConcluded": licence, "licenseDeclared": licence, "copyrightText": text, **more}


def main() -> None:
    folder, version = Path(sys.argv[1]), sys.argv[2]
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"])))
    shared = next(folder.rglob("libbackprop.so.1"))
    found = re.search(r"Swift version ([\d.]+)", said("swift", "--version"))
    swift = found[1] if found else "NOASSERTION"

    files = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        data = path.read_bytes()
        files.append({
            "SPDXID": f"SPDXRef-File-{len(files) + 1}", "fileName": f"./{path.relative_to(folder)}",
            "checksums": [{"algorithm": "SHA1", "checksumValue": checksum("sha1", data)},
                          {"algorithm": "SHA256", "checksumValue": checksum("sha256", data)}],
            "licenseConcluded": "MIT", "licenseInfoInFiles": ["NOASSERTION"], "copyrightText": "NOASSERTION"})
    sums = sorted(each["checksums"][0]["checksumValue"] for each in files)
    code = checksum("sha1", "".join(sums).encode())

    parts = [
        (package("Swift", "Swift standard library", swift, SWIFT, "Apple Inc. and the Swift project authors"), "STATIC_LINK"),
        (package("GCC", "GCC runtime", said("cc", "-dumpfullversion").strip(), GCC, "Free Software Foundation, Inc."), "STATIC_LINK"),
        (package("libffi", "libffi", library(shared, "libffi"), "MIT", "Anthony Green, Red Hat, Inc and others"), "DYNAMIC_LINK"),
        (package("libc", "GNU C Library", library(shared, "libc"), "LGPL-2.1-or-later", "Free Software Foundation, Inc."),
         "DYNAMIC_LINK"),
    ]
    own = package(
        "libbackprop", "libbackprop", version, "MIT", "2026 the libbackprop authors", filesAnalyzed=True,
        packageVerificationCode={"packageVerificationCodeValue": code}, licenseInfoFromFiles=["NOASSERTION"],
        primaryPackagePurpose="LIBRARY")

    def relationship(one: str, kind: str, other: str) -> dict[str, str]:
        return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}

    json.dump({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"libbackprop-{version}",
        "documentNamespace": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, f'libbackprop {version} {code}')}",
        "creationInfo": {"created": created, "creators": ["Organization: the libbackprop authors", "Tool: sbom.py"]},
        "packages": [own] + [part for part, _ in parts],
        "files": files,
        "relationships": [relationship("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-libbackprop")]
        + [relationship("SPDXRef-libbackprop", "CONTAINS", each["SPDXID"]) for each in files]
        + [relationship("SPDXRef-libbackprop", kind, part["SPDXID"]) for part, kind in parts],
    }, sys.stdout, indent=1)
    print()


main()
