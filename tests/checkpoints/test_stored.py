"""Where tensors lie in a file, and how their bytes become arrays."""

import sys
import zlib
from pipes import make_pipe, refused

import numpy as np
import pytest
from checkpoint_files import is_same, numbers
from runtimes import once

from keras_bert.checkpoints import CheckpointError
from keras_bert.checkpoints.stored import (
    ChangedTensor,
    Checksum,
    PartitionedTensor,
    StoredTensor,
    UnreadableTensor,
    check_shape,
    have_equal_content,
    map_bytes,
)

pytestmark = once

FLOAT = np.dtype(np.float32)


@pytest.fixture
def file(tmp_path):
    """Three bytes, then 24 numbers."""
    path = tmp_path / "data"
    path.write_bytes(b"abc" + numbers(4, 6).tobytes())
    return path


def test_mapped_bytes_are_private(file):
    region = map_bytes(file, 1, 2)
    region[:] = 0
    assert map_bytes(file, 0, 3).tobytes() == b"abc"


def test_a_pipe_is_refused_at_once(tmp_path):
    with refused():
        map_bytes(make_pipe(tmp_path / "model.ckpt.data-00000-of-00001"), 0, 3)


def test_a_region_past_the_end(file):
    with pytest.raises(CheckpointError, match="bytes 90 to 100 are needed, but it has 99"):
        map_bytes(file, 90, 10)


def test_a_checksum_is_compared_once(file):
    count = []

    def compute(data):
        count.append(1)
        return zlib.crc32(data)

    checksum = Checksum(0, 3, zlib.crc32(b"abc"), compute)
    checksum.verify(file)
    checksum.verify(file)
    assert len(count) == 1
    with pytest.raises(CheckpointError, match=r"its bytes in .* are damaged"):
        Checksum(0, 3, 7, compute).verify(file)


def test_views_of_the_bytes(file):
    assert is_same(StoredTensor(file, 3, FLOAT, (4, 6)).read(), numbers(4, 6))
    turned = StoredTensor(file, 3, FLOAT, (6, 4), strides=(1, 6))
    assert is_same(turned.read(), numbers(4, 6).T)
    part = StoredTensor(file, 3 + 4 * 8, FLOAT, (2, 3), strides=(6, 1))
    assert is_same(part.read(), numbers(4, 6)[1:3, 2:5])
    assert part.size == 4 * 9


def test_the_other_byte_order(file):
    other = {"little": "big", "big": "little"}[sys.byteorder]
    array = StoredTensor(file, 3, FLOAT, (4, 6), byte_order=other).read()
    assert is_same(array.byteswap(), numbers(4, 6))


def test_pieces_are_put_together(file):
    pieces = [StoredTensor(file, 3 + 24 * row, FLOAT, (1, 6)) for row in range(4)]
    whole = PartitionedTensor(FLOAT, (4, 6), 0, tuple(pieces))
    assert is_same(whole.read(), numbers(4, 6))


def test_what_cannot_be_read_says_why():
    with pytest.raises(CheckpointError, match=r"^it holds strings$"):
        UnreadableTensor((), "it holds strings").read()


def test_a_tensor_read_through_a_change(file):
    source = StoredTensor(file, 3, FLOAT, (4, 6))
    changed = ChangedTensor(source, (2, 6), lambda array: array[[3, 0]])
    assert changed.dtype == FLOAT
    assert is_same(changed.read(), numbers(4, 6)[[3, 0]])


def test_equality_is_that_of_types_shapes_and_bits(file):
    plain = StoredTensor(file, 3, FLOAT, (4, 6))
    turned = StoredTensor(file, 3, FLOAT, (6, 4), strides=(1, 6))
    twice_turned = ChangedTensor(turned, (4, 6), np.transpose)
    assert have_equal_content(plain, StoredTensor(file, 3, FLOAT, (4, 6)))
    assert have_equal_content(plain, twice_turned)
    assert not have_equal_content(plain, turned)
    assert not have_equal_content(plain, StoredTensor(file, 3, np.dtype(np.int32), (4, 6)))


@pytest.mark.parametrize("shape", [(-1,), (2**31,), (2**30, 2**30), (0, 2**62), (1,) * 33])
def test_shapes_that_cannot_be_right(shape):
    with pytest.raises(CheckpointError, match="cannot be right"):
        check_shape(shape)


@pytest.mark.parametrize("shape", [(), (0, 3), (30522, 1024), (1,) * 32])
def test_shapes_that_can(shape):
    check_shape(shape)
