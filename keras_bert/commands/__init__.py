"""The command line: `python -m keras_bert` and `keras-bert`.

`arguments` has the arguments of all commands. The function `run` of a command's own module does its
work; the module is imported when the arguments make sense, and Keras by commands that need it.
"""

import argparse
import os
import re
import signal
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from .. import __version__
from .arguments import COMMANDS
from .starting import ended_by_ctrl_c, heard_ctrl_c


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, by default that of the process' own command line.

    Returned is the exit code: 0, 1 after an error that the user can do something about, whose
    message is on stderr, or 130 after Ctrl-C. Words that make no command end the process with 2.
    """
    try:
        return _run(sys.argv[1:] if arguments is None else list(arguments))
    except BrokenPipeError:
        # Who read the output has seen enough; nor shall Python complain when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt as error:
        if arguments is None:  # nor shall what Python does at its end be interrupted
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("keras-bert: interrupted", *error.args, file=sys.stderr, sep="; ")  # noqa: T201
        return 130


def _run(words: list[str]) -> int:
    # TensorFlow's greetings are no messages of a command; its errors come as exceptions too.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")
    started = time.monotonic()
    with ended_by_ctrl_c():
        options = _parse(words)
        command = import_module(f".{options.command}", __name__)
    options.started = started
    try:
        with _warnings_as_remarks(options), heard_ctrl_c():
            command.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError, ImportError) as error:
        if options.debug:
            raise
        print(f"keras-bert {options.command}: {_message(error)}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


@contextmanager
def _warnings_as_remarks(options: argparse.Namespace) -> Iterator[None]:
    """Show what is to be told to users without the line of code that tells it."""
    with warnings.catch_warnings():
        shown_as_ever = warnings.showwarning

        def show(message, category, *where, **others) -> None:
            if category is UserWarning:
                print(f"keras-bert {options.command}: {message}", file=sys.stderr)  # noqa: T201
            else:
                shown_as_ever(message, category, *where, **others)

        if not options.debug and options.command != "run":  # whose script warns as it likes
            warnings.showwarning = show
        yield


def _message(error: Exception) -> str:
    """An error's message; one of the system begins with the file's name, not with a number."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _parse(words: list[str]) -> argparse.Namespace:
    command = next((word for word in words if not word.startswith("-")), None)
    if command is None:
        return _parser().parse_args(words)
    before, behind = words[: words.index(command)], words[words.index(command) + 1 :]
    if command == "help":
        return _parse([*behind[:1], "--help"])
    if command not in COMMANDS:
        nearest = _nearest(command, COMMANDS)
        known = f"Commands: {', '.join(COMMANDS)}."
        _parser().error(f"there is no command {command!r}.{nearest} {known}")
    words = _joined(command, words)
    options, unknown = _parser().parse_known_args(words)
    # A text may begin with a dash, an option has no blanks.
    options_left = [word for word in unknown if re.fullmatch(r"-\S+", word) and word != "--"]
    if unknown and ("--" in unknown or not options_left):
        # An argument behind options, of a command whose earlier ones may be left out.
        own = words[words.index(command) + 1 :]
        known = argparse.Namespace(command=command, debug=options.debug)
        options, unknown = options.parser.parse_known_intermixed_args(own, known)
    if unknown:  # parse_args would show the usage of no command
        known = [each for each in options.parser._option_string_actions if each.startswith("--")]
        name = unknown[0].partition("=")[0]
        if name == "--debug":
            hint = f" --debug stands before the command: keras-bert --debug {command} …"
        elif name in known and name in before:
            hint = f" Options of a command stand behind its name: keras-bert {command} {name} …"
        else:
            hint = _nearest(name, known)
        message = f"unrecognized arguments: {' '.join(unknown)}"
        options.parser.error(f"{message}.{hint}" if hint else message)
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="keras-bert",
        description="BERT on the command line: features, classification, masked words, "
        "similarity, tokens, conversion of checkpoints.",
        epilog="KERAS_BACKEND=tensorflow, jax or torch chooses what computes; TF_KERAS=1 chooses "
        "Keras 2. Exit codes: 0 done, 1 error, 2 wrong usage, 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"keras-bert {__version__}")
    debug_help = "show where in the code an error is, and all that Keras' engine says"
    parser.add_argument("--debug", action="store_true", help=debug_help)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in COMMANDS.values():
        command = add(commands)
        command.set_defaults(parser=command)
    return parser


def _nearest(word: str, known: Iterable[str]) -> str:
    """The question whether another word is meant, where one is near."""
    import difflib

    nearest = difflib.get_close_matches(word, known, n=1)
    return f" Is {nearest[0]} meant?" if nearest else ""


def _joined(command: str, words: list[str]) -> list[str]:
    """Let `--layers -1,-2` be written like `--layers=-1,-2`, which argparse alone understands."""
    if command != "extract":  # whose option it is; `run` has words of another program
        return words
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] == "--layers":
            joined[-1] = f"--layers={word}"
        else:
            joined.append(word)
    return joined
