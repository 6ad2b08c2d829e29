"""Whatever goes wrong in reading a file is one kind of error, which names the file."""

import struct
import zipfile

import pytest
from runtimes import once

from keras_bert.checkpoints import CheckpointError
from keras_bert.checkpoints.errors import parsing

pytestmark = once


@pytest.mark.parametrize(
    "error",
    [
        struct.error("unpack requires a buffer of 4 bytes"),
        KeyError("weight_map"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        zipfile.BadZipFile("File is not a zip file"),
        NotImplementedError("compression type 9"),
        RecursionError("maximum recursion depth exceeded"),
    ],
)
def test_what_parsers_raise(error):
    with (
        pytest.raises(
            CheckpointError, match=rf"model\.bin is damaged.*{type(error).__name__}"
        ) as e,
        parsing("model.bin"),
    ):
        raise error
    assert e.value.__cause__ is error


def test_a_message_gets_the_name_of_the_file():
    says = r"^model\.bin: its header is missing$"
    with pytest.raises(CheckpointError, match=says), parsing("model.bin"):
        raise CheckpointError("its header is missing")


@pytest.mark.parametrize("error", [FileNotFoundError, MemoryError, KeyboardInterrupt])
def test_what_is_no_damage_passes(error):
    with pytest.raises(error), parsing("model.bin"):
        raise error


def test_it_is_a_value_error():
    assert issubclass(CheckpointError, ValueError)
