"""What is written is there as a whole or not at all."""

import errno
import os

import pytest
from runtimes import once

from keras_bert.saving.new_files import new_file, new_folder

pytestmark = once


def test_a_folder_appears_when_it_is_complete(tmp_path):
    with new_folder(tmp_path / "a" / "new") as unfinished:
        (unfinished / "file").touch()
        assert not (tmp_path / "a" / "new").exists()
    assert [path.name for path in (tmp_path / "a" / "new").iterdir()] == ["file"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["new"]


def test_a_file_that_cannot_be_written_leaves_nothing_and_is_named(tmp_path):
    path = tmp_path / "a" / "model.keras"

    def write():
        with new_file(path) as file:
            file.write_text("half of it")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match=r"No space left.*a/model\.keras'$"):
        write()
    assert list(path.parent.iterdir()) == []
    with new_file(path) as file:
        file.write_text("all")
        assert not path.exists()
    assert [each.read_text() for each in path.parent.iterdir()] == ["all"]
    with pytest.raises(FileExistsError, match="is there already"), new_file(path):
        pass
