"""The Python package, the header and the library have the same declarations, constants and versions."""
import re
from pathlib import Path

import pytest

import header
import libbackprop as bp
from libbackprop import _library, _prototypes


def test_all_declarations_of_the_header_are_parsed():
    assert len(header.FUNCTIONS) == len(re.findall(r"\bbp_\w+ ?\(", header.INTERFACE))
    assert len(header.CALLBACKS) == 11 and len(header.STATUSES) == 21 and len(header.STRUCTS) == 6


def test_prototypes_are_exactly_the_functions_of_the_header():
    assert set(_prototypes.PROTOTYPES) == set(header.FUNCTIONS)


@pytest.mark.parametrize("name", header.FUNCTIONS)
def test_function_has_the_types_of_the_header(name):
    result, parameters = header.FUNCTIONS[name]
    expected = [header.TYPES[result], *(header.TYPES[c_type.strip()] for c_type, _ in parameters)]
    assert list(_prototypes.PROTOTYPES[name]) == expected


@pytest.mark.parametrize("name", header.CALLBACKS)
def test_callback_has_the_types_of_the_header(name):
    assert getattr(_prototypes, name) is header.CALLBACKS[name]


@pytest.mark.parametrize("name", header.STRUCTS)
def test_struct_has_the_members_of_the_header(name):
    expected = [(member, header.TYPES[c_type]) for c_type, member in header.STRUCTS[name]]
    assert getattr(_prototypes, name)._fields_ == expected


@pytest.mark.parametrize("name", header.FUNCTIONS)
def test_library_exports_function_with_declared_types(name):
    function = getattr(_library.library, name)
    assert (function.restype, *function.argtypes) == _prototypes.PROTOTYPES[name]


def test_statuses_equal_those_of_the_header_and_of_the_library():
    assert {"BP_" + status.name: status.value for status in bp.Status} == header.STATUSES
    for name, value in header.STATUSES.items():
        assert _library.library.bp_status_name(value).decode() == name
        assert bp.Error("", value).status_name == name
    assert _library.library.bp_status_name(12345) == b"BP_ERROR_UNKNOWN_STATUS"
    assert bp.Error("", 12345).status_name == "BP_ERROR_UNKNOWN_STATUS"


def test_versions_agree():
    major, minor, patch = (header.CONSTANTS["BP_VERSION_" + part] for part in ("MAJOR", "MINOR", "PATCH"))
    assert bp.library_version() == bp.__version__ == f"{major}.{minor}.{patch}"
    assert _library.library.bp_version_number() == major * 10000 + minor * 100 + patch
    assert _library.library.bp_abi_version() == _prototypes.ABI_VERSION == header.CONSTANTS["BP_ABI_VERSION"]


def test_library_reports_its_path_and_instruction_set():
    assert Path(bp.library_path()).is_file()
    assert bp.instruction_set() in ("avx512", "avx2", "neon", "baseline")


def test_missing_library_is_an_import_error_with_the_path(run_script):
    done = run_script("import libbackprop", LIBBACKPROP_LIBRARY="nowhere/libbackprop.so")
    assert done.returncode == 1 and "ImportError" in done.stderr
    assert "nowhere/libbackprop.so" in done.stderr and "LIBBACKPROP_LIBRARY" in done.stderr


def test_another_library_is_an_import_error(run_script):
    import _ctypes  # any other shared library

    done = run_script("import libbackprop", LIBBACKPROP_LIBRARY=_ctypes.__file__)
    assert done.returncode == 1 and "ImportError" in done.stderr and _ctypes.__file__ in done.stderr


def test_another_abi_version_is_an_import_error(monkeypatch):
    monkeypatch.setattr(_library, "ABI_VERSION", 99)
    with pytest.raises(ImportError) as caught:
        _library.load(bp.library_path())
    assert str(caught.value) == f"{bp.library_path()} has ABI version 1, but this package needs 99"
