"""Models as files and bytes."""
import copy
import errno
import json
import os
import pickle
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

import libbackprop as bp

X = np.random.default_rng(5).normal(size=(6, 3)).astype(np.float32)
Y = np.random.default_rng(6).random((6, 2)).astype(np.float32)


@pytest.fixture
def network():
    """A trained network with non-default settings."""
    network = bp.Network([3, 4, 2], seed=1)
    network.set_activation(1, "gelu")
    network.set_activation(2, "softmax")
    network.set_batchnorm(1)
    network.set_loss("cross_entropy")
    for name, value in OPTIONS.items():
        network.set_option(name, value)
    for _ in range(3):
        network.train_minibatch(X, Y, 0.1)
    return network


OPTIONS = {"gradient_reduction": "mean", "initialization": "lecun", "batchnorm_epsilon": 0.1 / 3,
           "batchnorm_momentum": 0.7 / 3, "batchnorm_update": "gamma_first"}


@pytest.mark.parametrize("kind", [str, Path, os.fsencode])
def test_saved_and_loaded_network_is_bit_exact(network, tmp_path, kind):
    path = kind(str(tmp_path / "modèle.safetensors"))
    network.save(path)
    for loaded in (bp.load(path), bp.Network.load(path), bp.Network.from_bytes(network.to_bytes())):
        assert loaded.layers == network.layers
        assert {name: loaded.get_option(name) for name in OPTIONS} == OPTIONS
        assert loaded.parameters.tobytes() == network.parameters.tobytes()
        assert loaded.predict(X).tobytes() == network.predict(X).tobytes()
        assert loaded.evaluate(X, Y) == network.evaluate(X, Y)
        assert loaded.to_bytes() == network.to_bytes()


def test_training_continues_after_loading_with_the_same_bits(network):
    loaded = bp.Network.from_bytes(network.to_bytes())
    for each in (network, loaded):
        each.train_minibatch(X, Y, 0.1)
        each.train_step(X[0], Y[0], 0.1)
    assert loaded.to_bytes() == network.to_bytes()


def test_file_contains_the_result_of_to_bytes(network, tmp_path):
    network.save(tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").read_bytes() == network.to_bytes()
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_from_bytes_accepts_every_bytes_like_object(network):
    data = network.to_bytes()
    for given in (data, bytearray(data), memoryview(data), np.frombuffer(data, np.uint8)):
        assert bp.Network.from_bytes(given).to_bytes() == data
    for wrong in ("text", 7, None, [1, 2]):
        with pytest.raises(TypeError):
            bp.Network.from_bytes(wrong)


def test_safetensors_package_can_read_the_file(network, tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    network.save(tmp_path / "model.safetensors")
    tensors = safetensors.load_file(tmp_path / "model.safetensors")
    assert {name: tensor.shape for name, tensor in tensors.items()} == {
        "layers.1.weight": (4, 3), "layers.1.bias": (4,), "layers.1.norm.weight": (4,), "layers.1.norm.bias": (4,),
        "layers.1.norm.running_mean": (4,), "layers.1.norm.running_var": (4,),
        "layers.2.weight": (2, 4), "layers.2.bias": (2,)}
    assert all(tensor.dtype == np.float32 for tensor in tensors.values())
    flat = [tensors[name].ravel() for name in (
        "layers.1.weight", "layers.1.bias", "layers.1.norm.weight", "layers.1.norm.bias", "layers.2.weight",
        "layers.2.bias")]
    assert np.concatenate(flat).tobytes() == network.parameters.tobytes()


def test_header_of_the_file_is_plain_json(network):
    data = network.to_bytes()
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    assert all(isinstance(value, str) for value in header.pop("__metadata__").values())
    ends = sorted(tuple(tensor["data_offsets"]) for tensor in header.values())
    assert ends[0][0] == 0 and ends[-1][1] == len(data) - 8 - length
    assert all(end == start for (_, end), (start, _) in zip(ends, ends[1:]))


# Paths that are not UTF-8


@pytest.mark.parametrize("name", [b"caf\xe9.safetensors", b"\xff\xfe", "modèle".encode()])
def test_paths_can_be_any_bytes(network, tmp_path, name):
    path = os.path.join(os.fsencode(tmp_path), name)
    for each in (path, os.fsdecode(path), Path(os.fsdecode(path))):  # fsdecode replaces invalid UTF-8 by surrogates
        network.save(each)
        assert os.listdir(os.fsencode(tmp_path)) == [name]
        assert bp.load(each).to_bytes() == network.to_bytes()
        other = network.clone()
        other.load_weights(each)
        assert other.parameters.tobytes() == network.parameters.tobytes()
        os.remove(path)
        with pytest.raises(FileNotFoundError, match="No such file") as caught:
            bp.load(each)
        assert caught.value.filename == os.fspath(each)
        str(caught.value).encode()  # the message can be printed, even for a path that is not UTF-8


class PathLike:
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


def test_path_like_objects_are_accepted(network, tmp_path):
    for path in (PathLike(str(tmp_path / "a")), PathLike(os.fsencode(tmp_path / "b"))):
        network.save(path)
        assert bp.load(path).to_bytes() == network.to_bytes()


# Errors of reading and writing


def test_missing_file_is_an_os_error_with_its_name(tmp_path):
    with pytest.raises(bp.FileError, match="missing") as caught:
        bp.load(tmp_path / "missing.safetensors")
    assert isinstance(caught.value, OSError) and caught.value.status_name == "BP_ERROR_IO"


def load_weights(path):
    bp.Network([3, 2]).load_weights(path)


def test_io_errors_are_of_the_built_in_class_with_errno_and_filename(network, tmp_path):
    (tmp_path / "file").write_bytes(b"text")
    missing, below_file = tmp_path / "missing" / "model", tmp_path / "file" / "model"
    for call, path, builtin, number in [
            (bp.load, missing, FileNotFoundError, errno.ENOENT), (network.save, missing, FileNotFoundError, errno.ENOENT),
            (load_weights, missing, FileNotFoundError, errno.ENOENT),
            (bp.load, tmp_path, IsADirectoryError, errno.EISDIR),
            (bp.load, below_file, NotADirectoryError, errno.ENOTDIR),
            (network.save, below_file, NotADirectoryError, errno.ENOTDIR),
            (bp.load, tmp_path / ("a" * 300), OSError, errno.ENAMETOOLONG)]:
        for given in (path, str(path), os.fsencode(path)):
            with pytest.raises(bp.FileError) as caught:
                call(given)
            error = caught.value
            assert isinstance(error, builtin) and type(error).__name__ in (builtin.__name__, "FileError")
            assert (error.errno, error.strerror, error.filename) == (number, os.strerror(number), os.fspath(given))
            assert error.status == bp.Status.ERROR_IO
            assert os.strerror(number) in str(error)


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
def test_file_without_read_permission_is_a_permission_error(network, tmp_path):
    network.save(tmp_path / "secret")
    os.chmod(tmp_path / "secret", 0)
    with pytest.raises(PermissionError) as caught:
        bp.load(tmp_path / "secret")
    assert caught.value.errno == errno.EACCES


def test_io_errors_survive_pickle_and_copy(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        bp.load(tmp_path / "missing")
    error = caught.value
    error.add = "an attribute of the program"
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error) and str(twin) == str(error) and twin.add == error.add
        assert (twin.errno, twin.strerror, twin.filename, twin.status) == (
            error.errno, error.strerror, error.filename, error.status)


@pytest.mark.parametrize("number, builtin", [
    (errno.ENOENT, FileNotFoundError), (errno.EACCES, PermissionError), (errno.EPERM, PermissionError),
    (errno.EISDIR, IsADirectoryError), (errno.ENOTDIR, NotADirectoryError), (errno.EEXIST, FileExistsError),
    (errno.ENOSPC, OSError), (errno.EROFS, OSError), (0, OSError)])
def test_class_of_an_io_error_matches_its_errno(number, builtin):
    error = bp.errors.from_status(bp.Status.ERROR_IO, "cannot write x", number, "x")
    assert str(error) == "cannot write x"
    assert isinstance(error, bp.FileError) and isinstance(error, builtin)
    assert error.errno == (number or None) and error.filename == "x"


def test_each_thread_has_its_own_errno(tmp_path):
    """Two threads that fail at the same time for different reasons."""
    seen = set()

    def fail(path):
        for _ in range(300):
            try:
                bp.load(path)
            except OSError as error:
                seen.add((path, error.errno))

    paths = {tmp_path / "missing": errno.ENOENT, tmp_path: errno.EISDIR}
    threads = [threading.Thread(target=fail, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == set(paths.items())


def test_folder_is_refused_as_a_file(network, tmp_path):
    for call in (lambda: bp.load(tmp_path), lambda: network.save(tmp_path)):
        with pytest.raises(bp.FileError):
            call()
    assert os.listdir(tmp_path) == []


def test_missing_folder_is_an_os_error(network, tmp_path):
    with pytest.raises(OSError):
        network.save(tmp_path / "nowhere" / "model.safetensors")


@pytest.mark.parametrize("path, expected", [
    ("", bp.InvalidValueError), ("a\0b", ValueError), (b"a\0b", ValueError), (None, TypeError), (3, TypeError)])
def test_bad_paths_are_refused(network, path, expected):
    for call in (bp.load, network.save, network.load_weights):
        with pytest.raises(expected):
            call(path)
    assert not os.path.exists("a")


def test_file_without_write_permission_is_not_replaced(network, run_script, tmp_path):
    network.save(tmp_path / "model.safetensors")
    os.chmod(tmp_path / "model.safetensors", 0o444)
    os.chmod(tmp_path, 0o777)
    done = run_script("""
import libbackprop as bp, os
network = bp.Network([3, 4, 2])
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
try:
    network.save("model.safetensors")
except OSError as error:
    print(error)
""")
    assert "the old file may not be written: Permission denied" in done.stdout and done.stderr == ""
    assert (tmp_path / "model.safetensors").read_bytes() == network.to_bytes()


def test_pipe_is_refused_and_the_message_says_so(network, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for call in (bp.load, network.save, network.load_weights):
        with pytest.raises(bp.FileError, match="it is a pipe, not a regular file"):
            call(tmp_path / "pipe")


def test_failed_save_leaves_the_old_file_and_nothing_else(network, run_script, tmp_path):
    pytest.importorskip("resource")
    network.save(tmp_path / "model.safetensors")
    done = run_script("""
import libbackprop as bp, resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    bp.Network([30, 40]).save("model.safetensors")
except OSError as error:
    print(error.status_name)
""")
    assert (done.returncode, done.stdout, done.stderr) == (0, "BP_ERROR_IO\n", "")
    assert (tmp_path / "model.safetensors").read_bytes() == network.to_bytes()
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_every_truncation_is_refused(network, tmp_path):
    data = network.to_bytes()
    for length in (*range(0, 64), *range(64, len(data), 37), len(data) - 1):
        with pytest.raises(bp.ModelError):
            bp.Network.from_bytes(data[:length])
    (tmp_path / "cut").write_bytes(data[:len(data) // 2])
    with pytest.raises(bp.ModelError) as caught:
        bp.load(tmp_path / "cut")
    assert caught.value.status == bp.Status.ERROR_CORRUPT


def test_every_changed_byte_is_refused(network):
    data = network.to_bytes()
    for index in range(0, len(data)):
        changed = bytearray(data)
        changed[index] ^= 1 << index % 8
        with pytest.raises((bp.ModelError, bp.UnknownNameError)):
            bp.Network.from_bytes(changed)


def test_appended_bytes_are_refused(network):
    with pytest.raises(bp.ModelError):
        bp.Network.from_bytes(network.to_bytes() + b"\0")


def test_newer_format_version_is_refused_with_a_version_error(network):
    data = network.to_bytes()
    assert data.count(b'"format_version":"1"') == 1
    with pytest.raises(bp.ModelError) as caught:
        bp.Network.from_bytes(data.replace(b'"format_version":"1"', b'"format_version":"2"'))
    assert caught.value.status == bp.Status.ERROR_VERSION


@pytest.mark.parametrize("content", [
    b"", b"\0", b"not a model at all", b"\x89PNG\r\n\x1a\n" + bytes(100), bytes(1000), b"\xff" * 1000,
    struct.pack("<Q", 2) + b"{}", struct.pack("<Q", 2**63) + b"{}", struct.pack("<Q", 10) + b'{"a": [1]}'],
    ids=lambda content: repr(content[:9]))
def test_file_of_another_kind_is_refused(tmp_path, content):
    path = tmp_path / "other"
    path.write_bytes(content)
    for call in (lambda: bp.load(path), lambda: bp.Network.from_bytes(content)):
        with pytest.raises(bp.ModelError) as caught:
            call()
        assert caught.value.status in (bp.Status.ERROR_NOT_A_MODEL, bp.Status.ERROR_CORRUPT)


def test_safetensors_file_of_another_program_is_no_model(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "other.safetensors"
    safetensors.save_file({"layers.1.weight": np.zeros((2, 3), np.float32)}, path, metadata={"format": "pt"})
    with pytest.raises(bp.ModelError) as caught:
        bp.load(path)
    assert caught.value.status == bp.Status.ERROR_NOT_A_MODEL


def test_message_lists_missing_activations_and_loading_succeeds_after_they_are_registered():
    for name in ("first.one", "second_one"):
        bp.activation.register_scalar(name, lambda z: z / 2, lambda z, a: 0.5)
    network = bp.Network([3, 4, 2], seed=1)
    network.set_activation(1, "first.one")
    network.set_activation(2, "second_one")
    data, expected = network.to_bytes(), network.predict(X)
    for name in ("first.one", "second_one"):
        bp.activation.unregister(name)
    assert network.to_bytes() == data
    with pytest.raises(bp.UnknownNameError, match=r"first\.one") as caught:
        bp.Network.from_bytes(data)
    assert "second_one" in str(caught.value)
    bp.activation.register_scalar("first.one", lambda z: z / 2, lambda z, a: 0.5)
    with pytest.raises(bp.UnknownNameError, match="second_one"):
        bp.Network.from_bytes(data)
    bp.activation.register_scalar("second_one", lambda z: z / 2, lambda z, a: 0.5)
    assert (bp.Network.from_bytes(data).predict(X) == expected).all()


def test_model_saved_by_another_process_is_the_same(run_script, tmp_path):
    done = run_script("""
import libbackprop as bp
network = bp.Network([3, 4, 2], seed=5)
network.train_step([1, 2, 3], [0, 1], 0.5)
network.save("theirs.safetensors")
""")
    assert (done.returncode, done.stderr) == (0, "")
    network = bp.Network([3, 4, 2], seed=5)
    network.train_step([1, 2, 3], [0, 1], 0.5)
    assert (tmp_path / "theirs.safetensors").read_bytes() == network.to_bytes()


def test_message_for_a_file_of_another_program_names_the_methods_for_it():
    weights = Path(__file__).parents[3] / "Tests" / "Fixtures" / "weights.safetensors"
    with pytest.raises(bp.ModelError, match=r"not a model of this library; Network.load_weights and Network.load_layer load"):
        bp.load(weights)
