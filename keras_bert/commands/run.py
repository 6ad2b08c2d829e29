"""Scripts of 2018–2021, as they stand."""

import argparse
import os
import runpy
import sys

from .shared import CommandError


def add_parser(commands) -> argparse.ArgumentParser:
    """Describe the arguments."""
    parser = commands.add_parser(
        "run",
        help="run a script of 2018-2021 as it stands, on Keras 2",
        description="Run a Python script that was written for Keras 2.1 to 2.6 and TensorFlow 1 or "
        "2 on tf_keras: old module paths, names and arguments are put in place (see "
        "keras_bert.keras_2019.install). When it ends, a line on stderr says what it has used.",
    )
    modes = parser.add_mutually_exclusive_group()
    graph_help = "graph mode (default for scripts that import keras or use tf.Session)"
    modes.add_argument("--graph", action="store_const", const=True, help=graph_help)
    eager_help = "eager execution (default for other scripts)"
    modes.add_argument("--eager", dest="graph", action="store_const", const=False, help=eager_help)
    parser.add_argument("script", metavar="SCRIPT", help="the script")
    arguments_help = "its own arguments"
    parser.add_argument(
        "arguments", metavar="ARGUMENTS", nargs=argparse.REMAINDER, help=arguments_help
    )
    return parser


def run(options: argparse.Namespace) -> None:
    """Run the script as `python SCRIPT` would, with the old names in place."""
    if not os.path.isfile(options.script):
        raise CommandError(f"there is no script {options.script!r}")
    from .. import keras_2019

    keras_2019.install(options.graph)
    sys.argv = [options.script, *options.arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(options.script))
    try:
        runpy.run_path(options.script, run_name="__main__")
    except Exception:
        sys.excepthook(*sys.exc_info())  # an error of the script, and no message of this command
        raise SystemExit(1) from None
