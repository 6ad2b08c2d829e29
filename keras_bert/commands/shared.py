"""What commands have in common: models by name, texts line by line, output."""

import argparse
import math
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ..checkpoints import open_checkpoint
from ..checkpoints.paths import CheckpointPaths, get_checkpoint_paths
from ..datasets.folders import model_folder
from ..families.configuration import read_config
from ..tokenizer import Tokenizer, load_tokenizer

PAIR_SEPARATOR = " ||| "  # as in Google's extract_features.py
PAIR_HELP = f"a line 'first{PAIR_SEPARATOR}second' is a pair of sentences"


class CommandError(Exception):
    """Something that the user can do something about; the message says what."""


def write(text: str) -> None:
    """Write a line to stdout."""
    sys.stdout.write(f"{text}\n")


def remark(options: argparse.Namespace, text: str) -> None:
    """Write a line to stderr that is no error."""
    sys.stderr.write(f"keras-bert {options.command}: {text}\n")


def add_case_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --cased and --uncased."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--cased",
        action="store_true",
        default=None,
        help="keep case and accents; by default what tokenizer_config.json says, or else whether "
        "the vocabulary has capital letters",
    )
    group.add_argument("--uncased", dest="cased", action="store_false", help="drop both")


def add_tokenizer_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --cased, --uncased and --official."""
    add_case_arguments(parser)
    parser.add_argument(
        "--official",
        action="store_true",
        help="exactly the tokens of BERT's own tokenizer; by default those of keras-bert 0.89, "
        "which differ in words that the vocabulary cannot spell, and in special tokens in the text",
    )


def file_or_folder(name: str) -> Path:
    """Find a model's folder by what the user names it by; a file or a checkpoint's prefix stays."""
    is_path = os.path.dirname(name) or os.path.exists(name) or os.path.exists(f"{name}.index")
    return Path(name if is_path and "://" not in name else model_folder(name))


class ModelFolder(NamedTuple):
    """What a command needs of a model before Keras is imported."""

    folder: str
    paths: CheckpointPaths
    tokenizer: Tokenizer

    @property
    def vocabulary(self) -> Mapping[str, int]:
        """Token to id."""
        return self.tokenizer._token_dict


def model_paths(name: str) -> tuple[str, CheckpointPaths]:
    """Find a model's folder, and in it configuration, checkpoint and vocabulary."""
    folder = model_folder(name)
    paths = get_checkpoint_paths(folder)
    for what, path in (("configuration", paths.config), ("vocabulary", paths.vocab)):
        if path is not None and not os.path.exists(path):
            raise CommandError(f"the model folder {folder} has no {what}: {path} is missing")
    return folder, paths


def open_model(options: argparse.Namespace) -> ModelFolder:
    """Find a model's files and read its vocabulary; say so if its size is not that of the model."""
    folder, paths = model_paths(options.model)
    files = ModelFolder(folder, paths, make_tokenizer(options, paths.vocab))
    with open_checkpoint(paths.checkpoint) as checkpoint:
        size = read_config(paths.config, checkpoint)["vocab_size"]
    count = len(files.vocabulary)
    if count != size:
        remark(
            options,
            f"{paths.vocab} has {count} tokens, the model {size}: does it belong to it?",
        )
    return files


def make_tokenizer(options: argparse.Namespace, path: str) -> Tokenizer:
    """Make the tokenizer of a vocabulary file; the user decides about case, or else the model."""
    return load_tokenizer(path, options.cased, official=options.official)


@contextmanager
def open_texts(name: str) -> Iterator[BinaryIO]:
    """Open a text file, or stdin for '-', for `lines`."""
    if name == "-":
        yield sys.stdin.buffer
    else:
        with open(name, "rb") as stream:
            yield stream


def lines(stream: BinaryIO, name: str) -> Iterator[str]:
    r"""Yield the lines of a stream, which end at \n or \r\n; say which is not UTF-8."""
    for number, line in enumerate(stream, start=1):
        try:
            # Decoded one by one: a text stream decodes blocks, and cannot say which line is wrong.
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            message = f"{name} is not UTF-8 (line {number}: {error.reason})"
            raise CommandError(message) from None
        yield text.removesuffix("\n").removesuffix("\r")


def count_lines(name: str) -> int | None:
    """The number of lines of a file, for the progress bar; unknown for stdin and pipes."""
    if not os.path.isfile(name) or not sys.stderr.isatty():
        return None
    with open(name, "rb") as stream:
        return sum(1 for _ in stream)


def as_pair(line: str) -> str | tuple[str, str]:
    """A text, or the two texts of a line with the separator between them."""
    # Google's pattern is greedy: the last separator counts.
    first, separator, second = line.rpartition(PAIR_SEPARATOR)
    return (first, second) if separator else line


def add_model_argument(parser: argparse.ArgumentParser, prefix: str = "") -> None:
    """Add MODEL; its help may begin with what else it can be."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        help=f"{prefix}a model folder of Google's or Hugging Face's kind; or tiny, the small "
        "English model that comes with this package; or another name in PretrainedList, such as "
        "uncased_l2_h128, or hf://org/name[@revision] on Hugging Face's hub, or the URL of a .zip "
        "or .tar.gz archive, which is downloaded once",
    )


def add_texts_argument(parser: argparse.ArgumentParser) -> None:
    """Add the text file."""
    text_help = "text file, UTF-8, one text a line; stdin by default or for -"
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help=text_help)


def add_pooling_arguments(parser: argparse.ArgumentParser, default: str = "") -> None:
    """Add --pooling and --prompt; `default` says what is done without the first."""
    parser.add_argument(
        "--pooling",
        choices=("nsp", "max", "ave", "sentence"),
        help="one vector per text: of its first token, the maximum or the mean over all, or what a "
        f"folder of sentence-transformers says{default}",
    )
    parser.add_argument(
        "--prompt",
        metavar="NAME",
        help="with --pooling sentence: put the folder's prompt of this name, such as query, before "
        "every text (default: what the folder says; '' for none)",
    )


def pooling_of(options: argparse.Namespace) -> str | None:
    """What the library calls the pooling."""
    return None if options.pooling is None else f"POOL_{options.pooling.upper()}"


def add_number_argument(parser, name: str, help: str, default: int | None = None) -> None:
    """Add an option that takes a positive number."""
    parser.add_argument(name, type=positive, default=default, metavar="N", help=help)


def positive(word: str) -> int:
    """A positive number on the command line."""
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be positive, not {number}")
    return number


def rounded(value: float, digits: int = 6) -> float:
    """A number with six significant digits, as float32 has."""
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))
