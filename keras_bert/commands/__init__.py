"""The command line: `python -m keras_bert` and `keras-bert`.

Each command is a module with `add_parser`, which describes its arguments, and `run`, which does its
work. Nothing that needs Keras is imported before a command runs that does.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from .. import __version__
from . import classify, convert, extract, fill, info, run, show, similar, tokenize
from .shared import CommandError

_COMMANDS = (extract, classify, fill, similar, show, tokenize, convert, info, run)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, by default that of the process' own command line.

    Returned is the exit code: 0, or 1 after an error that the user can do something about, whose
    message is on stderr. Words that make no command end the process with 2.
    """
    parser = _parser()
    words = _joined(sys.argv[1:] if arguments is None else list(arguments))
    options, unknown = parser.parse_known_args(words)
    if unknown:  # parse_args would show the usage of no command
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    # TensorFlow's greetings are no messages of a command; its errors come as exceptions too.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")
    try:
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who read the output has seen enough; nor shall Python complain when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("keras-bert: interrupted", file=sys.stderr)  # noqa: T201
        return 130
    except (CommandError, OSError, ValueError, ImportError) as error:
        if options.debug:
            raise
        print(f"keras-bert {options.command}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="keras-bert",
        description="BERT on the command line: features, classification, masked words, "
        "similarity, tokens, conversion of checkpoints.",
        epilog="KERAS_BACKEND=tensorflow, jax or torch chooses what computes; TF_KERAS=1 chooses "
        "Keras 2. Exit codes: 0 done, 1 error, 2 wrong usage.",
    )
    parser.add_argument("--version", action="version", version=f"keras-bert {__version__}")
    parser.add_argument("--debug", action="store_true", help="show where in the code an error is")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in _COMMANDS:
        command = module.add_parser(commands)
        command.set_defaults(run=module.run, parser=command)
    return parser


def _joined(words: list[str]) -> list[str]:
    """Let `--layers -1,-2` be written like `--layers=-1,-2`, which argparse alone understands."""
    command = next((word for word in words if not word.startswith("-")), None)
    if command != "extract":  # whose option it is; `run` has words of another program
        return words
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] == "--layers":
            joined[-1] = f"--layers={word}"
        else:
            joined.append(word)
    return joined
