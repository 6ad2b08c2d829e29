"""Damaged HDF5 files that libhdf5 would read without end, in ever more memory or time.

`tests/fuzz` found both rings.
"""

import shutil
import struct

import h5py
import pytest
from checkpoint_files import DATA, numbers
from runtimes import once

from keras_bert.checkpoints import CheckpointError
from keras_bert.checkpoints import hdf5_rings as rings
from keras_bert.checkpoints.hdf5 import read_hdf5

pytestmark = once

BERT = DATA.parent / "transformers_tf" / "bert" / "tf_model.h5"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tf_model.h5"


def damage(path, word, place, value):
    """Write a number behind a word, and return the file's content."""
    with h5py.File(path, "w") as file:
        file["a"] = numbers(2)
    content = bytearray(path.read_bytes())
    found = content.index(word)
    struct.pack_into("<Q", content, found + place, found if value is None else value)
    path.write_bytes(content)
    return content, found


def refuse(path, match):
    with pytest.raises(CheckpointError, match=match) as error:
        read_hdf5(path)
    assert str(path) in str(error.value)


def test_free_blocks(path):
    content, heap = damage(path, b"HEAP", 0, int.from_bytes(b"HEAP", "little"))
    free, address = struct.unpack_from("<QQ", content, heap + 16)
    struct.pack_into("<Q", content, address + free, free)
    path.write_bytes(content)
    refuse(path, "a list in its directory makes a ring")


def test_neighbours_in_a_tree(path):
    damage(path, b"TREE", 16, None)
    refuse(path, "a list in its directory makes a ring")


@pytest.mark.parametrize("size", [40, 1 << 20])
def test_words_are_found_wherever_a_piece_ends(path, monkeypatch, size):
    monkeypatch.setattr(rings, "_SEARCHED_AT_ONCE", size)
    shutil.copy(BERT, path)
    with open(path, "rb") as stream:
        found = {position for position, _ in rings._words(stream)}
    content = path.read_bytes()
    expected = {at for at in range(len(content)) if content[at : at + 4] in (b"HEAP", b"TREE")}
    assert found == expected
    assert len(found) > 50
    rings.check_rings(path)


@pytest.mark.parametrize("place", [13, 14])
def test_addresses_of_another_size(path, place):
    content = bytearray(BERT.read_bytes())
    content[place] = 4
    path.write_bytes(content)
    refuse(path, "other than 8 bytes")
