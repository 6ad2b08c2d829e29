"""The start of a command's process, in which imports take most of the time."""

import _thread
import argparse
import gc
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

    with _handled_by(end):
        yield


@contextmanager
def heard_ctrl_c() -> Iterator[None]:
    """Let no Ctrl-C go unheard during a block, if it would raise KeyboardInterrupt.

    Python prints and forgets what is raised in a callback of its garbage collector, of which JAX
    has one, or while an object is deleted.
    """
    with _handled_by(_interrupt):
        yield


@contextmanager
def _handled_by(handler: Callable) -> Iterator[None]:
    """Let Ctrl-C call a handler during a block, if it would raise KeyboardInterrupt."""
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT)
    if not is_main or before not in (signal.default_int_handler, _interrupt):
        yield
        return
    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt(signum, frame):
    """Raise KeyboardInterrupt; a moment later where it would be forgotten."""
    callbacks = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None:
        if frame.f_code in callbacks or frame.f_code.co_name == "__del__":
            threading.Timer(0.01, _thread.interrupt_main).start()
            return
        frame = frame.f_back
    raise KeyboardInterrupt
