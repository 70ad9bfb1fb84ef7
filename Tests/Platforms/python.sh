#!/usr/bin/env bash
# Runs tests of the Python package on arm64 under qemu, with Debian's Python and PyPI's wheels for arm64. Usage: python.sh BUILD
# [PYTEST-ARGUMENT...]. BUILD/aarch64-linux holds the library.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/$1 root=$PWD/$1/aarch64-linux/python
site=$root/usr/lib/python3/dist-packages
shift
if [ ! -x "$root/python" ]; then
    rm -rf "$root" && mkdir -p "$root/packages"
    depends=(--recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances)
    (cd "$root/packages" && apt-get download -qq $(apt-cache depends "${depends[@]}" libpython3-stdlib:arm64 python3-minimal:arm64 \
        libstdc++6:arm64 | grep -E '^[a-z].*:arm64$' | sort -u) 2>/dev/null)
    for package in "$root/packages"/*.deb; do dpkg -x "$package" "$root"; done
    version=$(basename "$(readlink "$root/usr/bin/python3")")
    "$build/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --platform manylinux2014_aarch64 \
        --platform manylinux_2_28_aarch64 --python-version "${version#python}" --target "$site" \
        numpy pytest pytest-timeout pluggy iniconfig packaging pygments safetensors scipy pandas python-dateutil six joblib \
        threadpoolctl scikit-learn narwhals cloudpickle tqdm cffi pycparser
    # Tests start Python again by sys.executable, which the kernel of this machine cannot run.
    echo "import sys; sys.executable = '$root/python'" >"$site/executable.pth"
    printf '#!/bin/sh\nexec qemu-aarch64 -L "%s" "%s" "$@"\n' "$root" "$root/usr/bin/$version" >"$root/python"
    chmod +x "$root/python"
fi
export LIBBACKPROP_LIBRARY=$build/aarch64-linux/libbackprop.so PYTHONPATH=$PWD/bindings/python PYTHONDONTWRITEBYTECODE=1
cd bindings/python
"$root/python" -m pytest -q -rs -p no:cacheprovider "$@"
