"""The object graph of a checkpoint of TensorFlow 2 against TensorFlow's own decoder."""

import shutil

import pytest
from checkpoint_files import DATA
from runtimes import once

from keras_bert.checkpoints import CheckpointError, open_checkpoint
from keras_bert.checkpoints.tensor_bundle import read_tensor_bundle
from keras_bert.checkpoints.tensor_bundle.object_graph import read_full_names
from keras_bert.checkpoints.tensor_bundle.wire import field

pytestmark = once

GARDEN = DATA.parent / "model_garden"
PREFIXES = [
    GARDEN / "checkpoint" / "bert_model.ckpt-1",
    GARDEN / "saved_model" / "variables" / "variables",
    DATA / "object_based",
]


@pytest.mark.parametrize("prefix", PREFIXES, ids=lambda prefix: prefix.name)
def test_full_names_are_those_that_tensorflow_finds(prefix):
    tensorflow = pytest.importorskip("tensorflow", reason="TensorFlow is the oracle here")
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    graph = trackable_object_graph_pb2.TrackableObjectGraph()
    reader = tensorflow.train.load_checkpoint(str(prefix))
    graph.ParseFromString(reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"))
    expected = {
        attribute.checkpoint_key: attribute.full_name
        for node in graph.nodes
        for attribute in node.attributes
    }
    tensors, full_names = read_tensor_bundle(prefix)
    assert full_names == {key: name for key, name in expected.items() if name}
    assert tensors.keys() == expected.keys()


def test_a_checkpoint_by_names_has_none():
    assert read_tensor_bundle(DATA / "model.ckpt-7")[1] == {}


def attribute(key, full_name):
    return field(1, field(2, field(2, full_name) + field(3, key)))


def test_graphs_that_cannot_be(tmp_path):
    assert read_full_names(attribute(b"key", b"name") * 2) == {"key": "name"}
    assert read_full_names(b"") == {}
    for graph, match in [
        (attribute(b"key", b"a") + attribute(b"key", b"b"), "two names for 'key'"),
        (field(1, 7), "is a number"),
        (field(1, field(2, field(2, 7))), "is a number"),
        (field(1, b"\x0a"), "cut off"),
    ]:
        with pytest.raises(CheckpointError, match=match):
            read_full_names(graph)


def test_damage_in_the_graph_is_seen(tmp_path):
    name = "object_based.data-00000-of-00001"
    shutil.copy(DATA / "object_based.index", tmp_path)
    whole = (DATA / name).read_bytes()
    for place in range(16, len(whole)):  # after the one tensor of four numbers
        content = bytearray(whole)
        content[place] ^= 1
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CheckpointError, match=r"wrong CRC32C|wrong length|64 bits"):
            open_checkpoint(tmp_path / "object_based")
