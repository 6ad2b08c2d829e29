"""One process at a time writes a file."""

from typing import IO

_BEYOND = 1 << 30  # Windows lets nobody else read what is locked: so it is a byte past the end


def lock(stream: IO[bytes]) -> None:
    """Lock a file that is open for writing, until it is closed or its process ends in any way.

    Raises:
        BlockingIOError: If it is locked already.
        OSError: If the file system has no locks.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        stream.seek(_BEYOND)
        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(*error.args) from error
    else:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
