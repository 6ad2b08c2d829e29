"""HDF5 files, written by h5py: what is read, and what is refused before anything is read."""

import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest
from checkpoint_files import DATA, is_same, numbers
from runtimes import once

from keras_bert.checkpoints import CheckpointError, open_checkpoint
from keras_bert.checkpoints.hdf5 import read_hdf5

pytestmark = once

BERT = DATA.parent / "transformers_tf" / "bert" / "tf_model.h5"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tf_model.h5"


def refuse(path, match):
    with pytest.raises(CheckpointError, match=match) as error:
        read_hdf5(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("kind", ["<f2", "<f4", ">f4", "<f8", ">i4", "<i8", "u1", ">u2"])
def test_numbers_of_every_type_and_order(path, kind):
    array = np.arange(6).reshape(2, 3).astype(kind)
    with h5py.File(path, "w") as file:
        file["group/inner/array"] = array
        file["empty"] = np.zeros((0, 3), kind)
        file["scalar"] = np.array(array[1, 1], kind)
    tensors = read_hdf5(path)
    native = array.astype(array.dtype.newbyteorder("="))
    expected = {"group/inner/array": native, "empty": native[:0], "scalar": native[1, 1]}
    assert tensors.keys() == expected.keys()
    assert all(is_same(tensors[name].read(), expected[name]) for name in expected)


def test_what_is_no_number_is_known_but_not_read(path):
    with h5py.File(path, "w") as file:
        file["words"] = ["a", "b"]
        file["truth"] = np.array([True])
        file["complex"] = np.array([1j])
        file["nothing"] = h5py.Empty("f")
        strange = h5py.h5t.IEEE_F32LE.copy()
        strange.set_ebias(100)
        space = h5py.h5s.create_simple((2,))
        h5py.h5d.create(file.id, b"strange", strange, space)
    tensors = read_hdf5(path)
    assert sorted(tensors) == ["complex", "nothing", "strange", "truth", "words"]
    for name, tensor in tensors.items():
        with pytest.raises(CheckpointError, match=r"no numbers|otherwise than"):
            tensor.read()
        assert tensor.dtype is None, name


@pytest.mark.parametrize(
    "options",
    [{"compression": "gzip"}, {"chunks": (10, 10)}, {"compression": "lzf"}, {"fletcher32": True}],
)
def test_chunks_are_refused_compressed_or_not(path, options):
    with h5py.File(path, "w") as file:
        file.create_dataset("a", data=np.zeros((1000, 1000)), **options)
    refuse(path, "'a' is stored in chunks.*save_pretrained")


def test_nothing_outside_the_file_is_followed(path, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["a"] = numbers(3)
    (tmp_path / "raw").write_bytes(bytes(12))
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "a", (3,))

    def virtual(file):
        file.create_virtual_dataset("a", layout)

    def external(file):
        file.create_dataset("a", (3,), "f4", external=[(str(tmp_path / "raw"), 0, 12)])

    def link(file):
        file["a"] = h5py.ExternalLink("other.h5", "a")

    def soft(file):
        file["a"] = h5py.SoftLink("/b")

    for make, match in [
        (virtual, "or in other files"),
        (external, "or in other files"),
        (link, "'a' is a link"),
        (soft, "'a' is a link"),
    ]:
        with h5py.File(path, "w") as file:
            make(file)
        refuse(path, match)


def test_groups_that_hold_themselves(path):
    with h5py.File(path, "w") as file:
        file["a/b"] = numbers(3)
        file["a/c"] = file["a"]
    refuse(path, "no tree: see 'a/c'")


def test_a_long_name_before_many_others_takes_no_memory(path):
    with h5py.File(path, "w") as file:
        group = file.create_group("a" * 60_000)
        for number in range(300):
            group[f"{number}"] = numbers(2)
    with pytest.raises(CheckpointError, match="names of its groups are too long"):
        open_checkpoint(path)


def test_a_tensor_without_bytes(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("a", (1 << 20, 1 << 20), "f4")  # four TB, of which none is there
    refuse(path, "'a' has no bytes")


def test_a_file_that_is_cut(path):
    whole = BERT.read_bytes()
    for length in [9, 100, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        refuse(path, "damaged|cut")


def test_two_tensors_at_one_address(path):
    with h5py.File(path, "w") as file:
        file["a"], file["b"] = numbers(100), numbers(100) + 1
        addresses = [file[name].id.get_offset().to_bytes(8, "little") for name in "ab"]
    path.write_bytes(path.read_bytes().replace(addresses[1], addresses[0]))
    refuse(path, "a tensor shares its bytes")


def test_tensors_of_different_byte_orders(path):
    with h5py.File(path, "w") as file:
        file["a"], file["b"] = numbers(3), numbers(3).astype(">f4")
    refuse(path, "different byte orders")


@pytest.mark.parametrize("name", ["dense/dense/kernel:0", "kernel:0", "a/b/c/kernel"])
def test_files_of_keras_itself(path, name):
    with h5py.File(path, "w") as file:
        file[name] = numbers(2, 2)
        file["other/own/kernel:0"] = numbers(2, 2)
    with pytest.raises(CheckpointError, match="transformers did not write: use load_model"):
        open_checkpoint(path)


def test_the_file_is_not_held_open(path):
    shutil.copy(BERT, path)
    with open_checkpoint(path) as checkpoint:
        assert len(checkpoint) == 46
        with h5py.File(path, "a") as file:  # h5py refuses to write to a file that is open
            file.attrs["a"] = 1


READ_ALL = """
import re, sys
from keras_bert.checkpoints import open_checkpoint
def highest():  # (ru_maxrss would begin with that of the process that started this one)
    return 1024 * int(re.search(r"VmHWM:\\s*([0-9]+)", open("/proc/self/status").read())[1])
before = highest()
with open_checkpoint(sys.argv[1]) as checkpoint:
    arrays = [checkpoint[name] for name in checkpoint]
print(sum(float(array.sum()) for array in arrays), highest() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_of_a_large_file(path):
    size = 25_000_000
    with h5py.File(path, "w") as file:
        for number in range(4):
            file[f"bert/tf_bert_model/bert/a{number}/kernel:0"] = np.ones((5000, 1250), "f4")
    command = [sys.executable, "-c", READ_ALL, str(path)]  # a process's highest memory never falls
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    total, grown = map(float, done.stdout.split())
    assert total == size
    assert 0.5 * 4 * size < grown < 1.3 * 4 * size
