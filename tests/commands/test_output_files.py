"""Output files are claimed, and continued only by the same command. It needs no Keras."""

import argparse
import json
import os
import time

import pytest
from runtimes import once

from keras_bert.checkpoints.paths import CheckpointPaths
from keras_bert.commands.feature_files import Lines
from keras_bert.commands.output_files import (
    check_is_new,
    claimed,
    discard,
    files_read,
    part_of,
    write_all,
)
from keras_bert.commands.shared import CommandError, ModelFolder

pytestmark = once


@pytest.fixture
def options():
    return argparse.Namespace(file="texts", command="classify", started=time.monotonic())


def write(output, options, stop=None):
    begun = []

    def items_after(done):
        begun.append(done)
        for index in range(done, 4):
            if index == stop:
                raise KeyboardInterrupt
            yield (str(index),)

    write_all(Lines(part_of(output)), items_after, output, options)
    return begun


def test_a_file_that_broke_off_is_continued(tmp_path, options):
    output = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt, match="holds what was done; the same command"):
        write(output, options, stop=2)
    assert part_of(output).read_text() == "0\n1\n"
    with open(part_of(output), "a") as stream:
        stream.write("cut off in the mid")
    assert write(output, options) == [2]
    assert output.read_text() == "0\n1\n2\n3\n"
    assert not part_of(output).exists()


@pytest.mark.parametrize("file", ["texts", "-"])
def test_where_nothing_was_done_nothing_is_left(tmp_path, options, file):
    output = tmp_path / "out"
    options.file = file
    with (
        pytest.raises(KeyboardInterrupt, match=r"^$"),
        claimed(output, {"top": 1}, options),
    ):
        write(output, options, stop=0)
    assert list(tmp_path.iterdir()) == []
    part_of(output).mkdir()  # as of a table
    discard(part_of(output))
    assert list(tmp_path.iterdir()) == []


def test_only_one_command_has_a_file(tmp_path, options):
    output = tmp_path / "out"
    with (
        claimed(output, {"top": 1}, options),
        pytest.raises(CommandError, match="another command is writing"),
        claimed(output, {"top": 1}, options),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("settings", [{"top": 1}, {"top": 2}])
def test_a_part_of_something_else_is_refused(tmp_path, options, settings):
    output = tmp_path / "out"
    part_of(output).write_text("0\n")
    note = part_of(output).with_name("out.part.json")
    note.write_text(json.dumps({"top": 1}))
    if settings == {"top": 1}:
        with claimed(output, settings, options):
            assert json.loads(note.read_text()) == settings
            part_of(output).rename(output)
        assert not note.exists()
    else:
        with (
            pytest.raises(CommandError, match="had other arguments"),
            claimed(output, settings, options),
        ):
            pass


def test_a_file_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(CommandError, match="is there already"):
        check_is_new(tmp_path / "out")


def test_a_model_without_a_configuration(tmp_path):
    """As those of TensorFlow Hub: what it is made from is its other files."""
    (tmp_path / "vocab.txt").write_text("a")
    (tmp_path / "variables.index").write_text("b")
    paths = CheckpointPaths(None, str(tmp_path / "variables"), str(tmp_path / "vocab.txt"))
    files = ModelFolder(str(tmp_path), paths, {}, None)
    found = files_read(files, argparse.Namespace(file="-"))
    assert [os.path.basename(path) for path, _, _ in found] == ["variables.index", "vocab.txt"]
