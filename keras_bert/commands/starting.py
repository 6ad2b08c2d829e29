"""The start of a command's process, in which imports take most of the time."""

import _thread
import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module


def import_keras(options: argparse.Namespace, saves: bool = False) -> None:
    """Import Keras and its engine, with what `quietly` does.

    Args:
        options: The command's.
        saves: Whether models are saved or read: there Keras imports TensorFlow on any engine.
    """
    from .. import backend

    with quietly(options):
        backend.keras  # noqa: B018
        if saves:
            with suppress(ImportError):
                import_module("tensorflow")


@contextmanager
def quietly(options: argparse.Namespace | None = None) -> Iterator[None]:
    """Hold back stderr in this block, and show what came if it fails, or with --debug.

    TensorFlow's C++ code greets there before TF_CPP_MIN_LOG_LEVEL counts for it.
    """
    if options is not None and options.debug:
        yield
        return
    import tempfile

    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        stderr = os.dup(2)
        try:
            with ended_by_ctrl_c(stderr), _shown_while(stderr, "starting Keras …"):
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


_at_ctrl_c: list[Callable[[], None]] = []


@contextmanager
def at_ctrl_c(clean_up: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C call this function where it ends the process at once during a block."""
    _at_ctrl_c.append(clean_up)
    try:
        yield
    finally:
        _at_ctrl_c.remove(clean_up)


@contextmanager
def ended_by_ctrl_c(stderr: int = 2) -> Iterator[None]:
    """Let Ctrl-C end the process at once during a block, if it would raise KeyboardInterrupt.

    While modules are imported, some turn KeyboardInterrupt into another error, or into nothing.
    """

    def end(signum, frame):
        for clean_up in _at_ctrl_c:
            clean_up()
        os.write(stderr, b"\n" * os.isatty(stderr) + b"keras-bert: interrupted\n")
        os._exit(130)

    is_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT)
    if not is_main or before is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def heard_ctrl_c() -> Iterator[None]:
    """Let no Ctrl-C go unheard during a block.

    Python prints and forgets what is raised while an object is deleted, or in a callback of a weak
    reference or of the garbage collector, of which JAX has one. A forgotten KeyboardInterrupt is
    raised again a moment later.
    """
    before = sys.unraisablehook
    waits = False

    def interrupt():
        nonlocal waits
        waits = False
        _thread.interrupt_main()

    def raise_again(forgotten):
        nonlocal waits
        if forgotten.exc_type is not KeyboardInterrupt:
            before(forgotten)
        elif not waits:
            waits = True
            threading.Timer(0.01, interrupt).start()

    sys.unraisablehook = raise_again
    try:
        yield
    finally:
        sys.unraisablehook = before
