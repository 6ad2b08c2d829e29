"""One process at a time holds a lock, and none that has ended."""

import subprocess
import sys

import pytest
from runtimes import once

from keras_bert.commands.locking import lock

pytestmark = once

HOLD = """
import sys
from keras_bert.commands.locking import lock
with open(sys.argv[1], "ab") as stream:
    lock(stream)
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_who_comes_second_is_told_at_once(tmp_path):
    with open(tmp_path / "file", "ab") as first, open(tmp_path / "file", "ab") as second:
        lock(first)
        with pytest.raises(BlockingIOError):
            lock(second)
        first.close()
        lock(second)


def test_a_process_that_is_killed_leaves_no_lock(tmp_path):
    command = [sys.executable, "-c", HOLD, tmp_path / "file"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process, open(tmp_path / "file", "a+b") as stream:
        assert process.stdout.read(6) == b"locked"
        with pytest.raises(BlockingIOError):
            lock(stream)
        assert stream.read() == b""  # what is locked can be read
        process.kill()
        process.wait()
        lock(stream)
