"""Metadata of a network as a mapping. The safetensors package can read them from the file."""
import pytest

import libbackprop as bp

safetensors = pytest.importorskip("safetensors")


@pytest.fixture
def network():
    return bp.Network([2, 1])


def test_metadata_is_a_mutable_mapping(network):
    assert dict(network.metadata) == {}
    network.metadata["classes"] = "ham,spam"
    network.metadata.update(features="größe,€,😀", empty="")
    assert network.metadata == {"classes": "ham,spam", "features": "größe,€,😀", "empty": ""}
    assert list(network.metadata) == sorted(network.metadata) and len(network.metadata) == 3
    assert "classes" in network.metadata and "other" not in network.metadata
    assert network.metadata.get("other") is None and network.metadata.pop("classes") == "ham,spam"
    del network.metadata["empty"]
    assert repr(network.metadata) == "{'features': 'größe,€,😀'}"
    network.metadata.clear()
    assert not network.metadata


def test_metadata_is_copied_and_saved(network, tmp_path):
    text = '"quotes", \\ and\nlines ' + "x" * 100_000
    network.metadata["note"] = text
    network.save(tmp_path / "noted.safetensors")
    assert network.clone().metadata["note"] == text
    assert bp.load(tmp_path / "noted.safetensors").metadata == {"note": text}
    with safetensors.safe_open(tmp_path / "noted.safetensors", "numpy") as file:
        assert file.metadata()["metadata.note"] == text


def test_bad_keys_and_values_are_refused(network):
    for key, value, expected in [("", "v", bp.InvalidValueError), ("k" * 257, "v", bp.InvalidValueError),
                                 ("k", "v" * 2**20, bp.LimitError), (3, "v", TypeError), ("k", 3, TypeError),
                                 ("k\0", "v", ValueError), ("k", "v\0", ValueError), ("\ud800", "v", UnicodeError)]:
        with pytest.raises(expected):
            network.metadata[key] = value
    with pytest.raises(KeyError):
        network.metadata["other"]
    with pytest.raises(KeyError):
        del network.metadata["other"]
    assert network.metadata == {}
