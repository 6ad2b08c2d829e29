"""The start of Keras and its engine in the process of a command, which takes seconds."""

import argparse
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def import_keras(options: argparse.Namespace) -> None:
    """Import Keras and its engine as `quietly` does."""
    from .. import backend

    with quietly(options):
        backend.keras  # noqa: B018


@contextmanager
def quietly(options: argparse.Namespace) -> Iterator[None]:
    """Hold back stderr in this block, and show what came if it fails, or with --debug.

    TensorFlow's C++ code greets there before TF_CPP_MIN_LOG_LEVEL counts for it. Ctrl-C ends the
    process at once: not all modules that are being imported would pass KeyboardInterrupt on.
    """
    if options.debug:
        yield
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        stderr = os.dup(2)
        try:
            with _interrupted_at_once(stderr), _shown_while(stderr, "starting Keras …"):
                os.dup2(held.fileno(), 2)
                yield
        except BaseException:
            sys.stderr.flush()
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)


@contextmanager
def _shown_while(stderr: int, text: str) -> Iterator[None]:
    """Show a text on a terminal during a block."""
    if not os.isatty(stderr):
        yield
        return
    os.write(stderr, text.encode())
    try:
        yield
    finally:
        os.write(stderr, b"\r\033[K")


@contextmanager
def _interrupted_at_once(stderr: int) -> Iterator[None]:
    """Let Ctrl-C end the process during a block, if it would raise KeyboardInterrupt."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def end(signum, frame):
        os.write(stderr, b"\n" * os.isatty(stderr) + b"keras-bert: interrupted\n")
        os._exit(130)

    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
