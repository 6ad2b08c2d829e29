"""What a command's process shows while Keras starts, and how it ends there. It needs no Keras."""

import argparse
import gc
import os
import signal
import sys
import time
import weakref

import pytest
from command_line import start
from runtimes import once

from keras_bert.commands.starting import heard_ctrl_c, quietly

pytestmark = once


@pytest.mark.parametrize("debug", [False, True])
def test_what_is_written_to_the_file_descriptor_is_shown_with_debug_alone(capfd, debug):
    with quietly(argparse.Namespace(debug=debug)):
        os.write(2, b"oneDNN is on\n")
    sys.stderr.write("after\n")
    assert capfd.readouterr().err == ("oneDNN is on\n" if debug else "") + "after\n"


def test_it_is_shown_where_the_start_fails(capfd):
    def start_keras():
        with quietly(argparse.Namespace(debug=False)):
            os.write(2, b"a library is missing\n")
            raise ImportError("no such")

    with pytest.raises(ImportError, match="no such"):
        start_keras()
    assert capfd.readouterr().err == "a library is missing\n"


INTERRUPTED = """
import argparse, os, signal, time
from keras_bert.commands.starting import at_ctrl_c, quietly
def clean_up():
    os.write(1, b"cleaned up\\n")
with at_ctrl_c(clean_up), quietly(argparse.Namespace(debug=False)):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(9)
    except KeyboardInterrupt:  # as modules have it that try to import another
        pass
print("it went on")
"""


@pytest.mark.usefixtures("ctrl_c")  # a process that is started would ignore it, too
@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_ctrl_c_ends_the_process_whatever_is_being_imported():
    process = start(prefix=("-c", INTERRUPTED))
    expected = ("cleaned up\n", "keras-bert: interrupted\n")
    assert process.communicate(timeout=60) == expected
    assert process.returncode == 130


@pytest.fixture
def ctrl_c():
    """Handled as usual, also where a shell runs the tests in the background and ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize("place", ["collector", "__del__", "weak reference", "anywhere"])
def test_ctrl_c_is_heard_where_python_forgets_what_is_raised(place):
    def press(*arguments):
        if press in gc.callbacks:  # once: what it raises may come while the collector is at work
            gc.callbacks.remove(press)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0)  # here Python calls what handles the signal

    class Deleted:
        def __del__(self):
            press()

    def press_there():
        if place == "collector":
            gc.callbacks.append(press)
            gc.collect()
        elif place == "__del__":
            Deleted()
        elif place == "weak reference":
            element = {1}
            reference = weakref.ref(element, press)
            del element
            assert reference() is None
        else:
            press()
        for _ in range(900):
            time.sleep(0.01)

    hook = sys.unraisablehook
    with heard_ctrl_c(), pytest.raises(KeyboardInterrupt):
        press_there()
    assert press not in gc.callbacks
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert sys.unraisablehook is hook
