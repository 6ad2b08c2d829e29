"""Scripts of 2018–2021, as they stand."""

import argparse
import os
import runpy
import sys
import warnings
import zipfile
from pathlib import Path
from types import TracebackType

from .shared import CommandError
from .starting import quietly

_GRAPH = (
    "keras-bert run: the script was executed eagerly, and this looks as if it was written for "
    "graph mode, in which `python -m keras_bert run --graph SCRIPT` runs it."
)
_EAGER = (
    "keras-bert run: the script was executed in graph mode, and this looks as if it needs eager "
    "execution, which `python -m keras_bert run --eager SCRIPT` gives it."
)


def run(options: argparse.Namespace) -> None:
    """Run the script as `python SCRIPT` would, with the old names in place."""
    if os.path.isdir(options.script):
        raise CommandError(f"{options.script} is a folder, not a script")
    if not os.path.isfile(options.script):
        raise CommandError(f"there is no script {options.script!r}")
    source = Path(options.script).read_bytes()
    _check_syntax(source, options.script)
    from .. import keras_2019
    from ..keras_2019.graph_names import graph_name

    name = graph_name(source) if options.graph is None else None
    with quietly(options):
        keras_2019.install(True if name else options.graph)
        keras_2019.report.note_graph_name(name)
    sys.argv = [options.script, *options.arguments]
    if not sys.flags.safe_path:  # then `-m` has put the working directory there
        sys.path[0] = os.path.dirname(os.path.abspath(options.script))
    try:
        runpy.run_path(options.script, run_name="__main__")
    except Exception as error:
        # An error of the script, and no message of this command, whose frames are not shown.
        error.with_traceback(_from_script_on(error.__traceback__, options.script))
        sys.excepthook(type(error), error, error.__traceback__)
        if keras_2019.needs_graph_mode(error):
            print(_GRAPH, file=sys.stderr)  # noqa: T201
        if keras_2019.needs_eager_execution(error):
            print(_EAGER, file=sys.stderr)  # noqa: T201
        raise SystemExit(1) from None


def _from_script_on(traceback: TracebackType | None, script: str) -> TracebackType | None:
    """The part of a traceback from the script on; all of it where the script is not in it."""
    part = traceback
    while part is not None and part.tb_frame.f_code.co_filename != script:
        part = part.tb_next
    return part or traceback


def _check_syntax(source: bytes, script: str) -> None:
    """End as Python does with a file that is no Python, before Keras is imported for it."""
    if script.endswith(".pyc") or zipfile.is_zipfile(script):  # which Python runs as well
        return
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(source, script, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:  # the latter of bytes that are no text
        sys.excepthook(type(error), error.with_traceback(None), None)
        raise SystemExit(1) from None
