"""The one family of errors that reading a checkpoint raises."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

# What the standard library's parsers raise when the bytes are not what they expect: zipfile
# alone is known for struct.error, NotImplementedError (a RuntimeError) and EOFError.
_PARSING_ERRORS = (ValueError, LookupError, OverflowError, EOFError, RuntimeError, struct.error)


class CheckpointError(ValueError):
    """A checkpoint is damaged, refused, or lacks what was asked of it.

    No other error comes from damaged input. A file that is missing or that the system cannot read
    is an `OSError`, a tensor name that the checkpoint does not hold a `KeyError`.
    """


@contextmanager
def parsing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn whatever parsing `path` raises into a `CheckpointError` that names the file."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error.__cause__
    except (*_PARSING_ERRORS, zipfile.BadZipFile) as error:
        raise CheckpointError(
            f"{path} is damaged or not what its name says ({type(error).__name__}: {error})"
        ) from error
