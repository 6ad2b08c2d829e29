"""Files that are pipes: whoever opens one to read it waits for ever."""

import os

import pytest


def make_pipe(path):
    """Put a pipe where a file may have been."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("pipes that have a name are Unix'")
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return path


def refused():
    """Expect the error that names what is there."""
    return pytest.raises(OSError, match=r"must be a file on disk\. Received: a pipe")
