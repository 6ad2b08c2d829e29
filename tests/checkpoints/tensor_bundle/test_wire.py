"""Protocol buffers, against the examples in their documentation (Encoding) and TensorFlow's own."""

import pytest
from runtimes import once

from keras_bert.checkpoints import CheckpointError
from keras_bert.checkpoints.tensor_bundle.wire import (
    field,
    fixed32_field,
    integer,
    messages,
    read_message,
    read_varint,
    varint,
)

pytestmark = once


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (1, b"\x01"),
        (150, b"\x96\x01"),
        (86942, b"\x9e\xa7\x05"),
        (-2, b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
    ],
)
def test_numbers(value, encoded):
    assert varint(value) == encoded
    assert read_varint(b"?" + encoded + b"?", 1) == (value % 2**64, 1 + len(encoded))


def test_messages():
    # Test1 {a: 150}, Test2 {b: "testing"} and Test3 {c: {a: 150}}
    assert field(1, 150) == bytes.fromhex("08 96 01")
    assert field(2, b"testing") == bytes.fromhex("12 07 74 65 73 74 69 6e 67")
    assert field(3, field(1, 150)) == bytes.fromhex("1a 03 08 96 01")
    assert read_message(bytes.fromhex("12 07 74 65 73 74 69 6e 67")) == {2: [b"testing"]}
    assert messages(read_message(bytes.fromhex("1a 03 08 96 01")), 3) == [{1: [150]}]


def test_fields_of_fixed_size():
    assert fixed32_field(6, 2**32 - 1) == bytes.fromhex("35 ff ff ff ff")
    assert read_message(bytes.fromhex("35 02 00 00 00 39 03 00 00 00 00 00 00 00")) == {
        6: [2],
        7: [3],
    }


def test_the_last_of_several_numbers_counts():
    fields = read_message(field(1, 5) + field(1, -7))
    assert integer(fields, 1) == -7
    assert integer(fields, 2, default=3) == 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x08", "a number is cut off"),
        (b"\x08" + b"\xff" * 11, "more than 64 bits"),
        (b"\x12\x07test", "a message is cut off"),
        (b"\x35\x00", "a message is cut off"),
        (b"\x0b", "unknown kind 3"),
    ],
)
def test_damage(data, message):
    with pytest.raises(CheckpointError, match=message):
        read_message(data)


def test_fields_of_another_kind():
    with pytest.raises(CheckpointError, match="field 1 of a message is not a number"):
        integer({1: [b"text"]}, 1)
    with pytest.raises(CheckpointError, match="field 1 of a message is not a message"):
        messages({1: [5]}, 1)
