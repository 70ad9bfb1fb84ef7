"""Copies the built shared library into the wheel, and tags the wheel for the platform and any Python 3 version. Copies the
licences of the repository, so that a source distribution contains them."""
import os
import shutil
import sys

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.dist import Distribution

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # setuptools before 70.1
    from wheel.bdist_wheel import bdist_wheel

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.join(HERE, "..", "..")
NAME = "libbackprop.dylib" if sys.platform == "darwin" else "libbackprop.so"
LIBRARY = os.environ.get("LIBBACKPROP_LIBRARY") or os.path.join(REPOSITORY, "build", NAME)
NO_LIBRARY = f"""no shared library at {LIBRARY}

A source distribution of libbackprop has no shared library. Install a wheel, which has it; or build the library in its repository
with "make", and set LIBBACKPROP_LIBRARY to the path of {NAME}:

    LIBBACKPROP_LIBRARY=/path/to/build/{NAME} pip install ...
"""

for licence in ("LICENSE", "THIRD-PARTY.md"):
    if os.path.isfile(os.path.join(REPOSITORY, licence)):
        shutil.copyfile(os.path.join(REPOSITORY, licence), os.path.join(HERE, licence))


class BuildWithLibrary(build_py):
    def run(self):
        super().run()
        if getattr(self, "editable_mode", False):
            return  # an editable install uses LIBBACKPROP_LIBRARY
        if not os.path.isfile(LIBRARY):
            raise SystemExit(NO_LIBRARY)
        shutil.copyfile(LIBRARY, os.path.join(self.build_lib, "libbackprop", NAME))


class PlatformDistribution(Distribution):
    def has_ext_modules(self):
        return True


class PlatformWheel(bdist_wheel):
    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


setup(distclass=PlatformDistribution, cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel})
