"""Pieces of partitioned variables, in a checkpoint that TensorFlow wrote."""

import pytest
from checkpoint_files import DATA
from runtimes import once

from keras_bert.checkpoints import CheckpointError
from keras_bert.checkpoints.tensor_bundle.layout import Entry
from keras_bert.checkpoints.tensor_bundle.slices import read_slice, splitting_axis
from keras_bert.checkpoints.tensor_bundle.table import read_table
from keras_bert.checkpoints.tensor_bundle.wire import field, messages, read_message

pytestmark = once

ENTRIES = dict(read_table((DATA / "model.ckpt-7.index").read_bytes()))


def slices_of(name, shape):
    entry = read_message(ENTRIES[name])
    return [read_slice(message, name, shape) for message in messages(entry, Entry.SLICES)]


@pytest.mark.parametrize(
    ("name", "shape", "axis", "starts", "shapes"),
    [
        (b"rows", (100, 3), 0, [(0, 0), (34, 0), (67, 0)], [(34, 3), (33, 3), (33, 3)]),
        (b"columns", (2, 5), 1, [(0, 0), (0, 3)], [(2, 3), (2, 2)]),
    ],
)
def test_pieces_along_one_axis(name, shape, axis, starts, shapes):
    slices = slices_of(name, shape)
    assert splitting_axis(slices, name, shape) == axis
    assert [piece.starts for piece in slices] == starts
    assert [piece.shape for piece in slices] == shapes
    assert all(piece.key in ENTRIES for piece in slices)


def test_pieces_along_two_axes_are_refused():
    slices = slices_of(b"rows", (100, 3))
    smaller = slices[0]._replace(shape=(34, 2))
    with pytest.raises(CheckpointError, match="partitioned along 2 axes"):
        splitting_axis([smaller, *slices[1:]], b"rows", (100, 3))


def test_a_slice_with_another_number_of_axes():
    message = read_message(field(1, b""))  # one extent, for a tensor of two axes
    with pytest.raises(CheckpointError, match=r"a slice of tensor b'rows' has the wrong number"):
        read_slice(message, b"rows", (100, 3))
