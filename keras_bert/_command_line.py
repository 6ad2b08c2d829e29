"""Whether this process is the command line, which imports only what its command needs."""

import os
import sys


def runs_a_command() -> bool:
    """Tell whether Python was started as `python -m keras_bert` or by the script `keras-bert`.

    In doubt the answer is no, and the package is imported as a whole.
    """
    started = sys.argv[0] if sys.argv else ""
    if started == "-m":  # Python's sign that it is still locating the module
        words = sys.orig_argv
        return "-m" in words and words[words.index("-m") + 1 :][:1] == ["keras_bert"]
    return os.path.basename(started) in ("keras-bert", "keras-bert.exe")
