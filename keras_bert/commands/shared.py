"""What commands have in common: models by name, texts line by line, output."""

import argparse
import io
import math
import os
import select
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ..arguments import shorten
from ..checkpoints import open_checkpoint
from ..checkpoints.paths import CheckpointPaths, get_checkpoint_paths, is_sentence_folder
from ..datasets.folders import is_url, model_folder
from ..datasets.official import is_named_as_archive
from ..datasets.saved_models import is_named_as_saved_model
from ..families.configuration import read_config
from ..tokenizer import Tokenizer, load_tokenizer
from ..tokenizer.cut_texts import CutTexts
from ..tokenizer.unknown_tokens import UnknownTokens
from ..tokenizer.vocabulary import how_to_convert, in_other_case
from .arguments import PAIR_SEPARATOR

_SEPARATORS = {".tsv": b"\t", ".csv": b",;"}


class CommandError(ValueError):
    """Something that the user can do something about; the message says what."""


def write(text: str) -> None:
    """Write a line to stdout."""
    sys.stdout.write(f"{text}\n")


def padded_length(count: int, limit: int) -> int:
    """A length for so many tokens: a multiple of 32, as some runtimes compile each length anew."""
    return min(limit, -(-count // 32) * 32)


def write_each(texts: Iterable[str]) -> int:
    """Write texts of a line or more to stdout; return how many there were."""
    count = 0
    for text in texts:
        write(text)
        count += 1
    return count


def remark(options: argparse.Namespace, text: str) -> None:
    """Write a line to stderr that is no error."""
    sys.stderr.write(f"keras-bert {options.command}: {text}\n")


def file_or_folder(name: str) -> Path:
    """Find a model's folder by what the user names it by; a file or a checkpoint's prefix stays.

    An archive is told by its name: PyTorch's and Keras' files are zip archives, too.
    """
    if is_url(name) or is_named_as_archive(name):
        return Path(model_folder(name))
    is_path = os.path.dirname(name) or os.path.exists(name) or os.path.exists(f"{name}.index")
    return Path(name if is_path else model_folder(name))


class ModelFolder(NamedTuple):
    """What a command needs of a model before Keras is imported."""

    folder: str
    paths: CheckpointPaths
    config: Mapping[str, Any]
    tokenizer: Tokenizer

    @property
    def vocabulary(self) -> Mapping[str, int]:
        """Token to id."""
        return self.tokenizer._token_dict


def folder_of(name: str) -> str:
    """Find a model's folder; say so if it is a file inside of one."""
    is_known = is_named_as_archive(name) or is_named_as_saved_model(name)
    if os.path.isfile(name) and not (
        is_known or zipfile.is_zipfile(name) or tarfile.is_tarfile(name)
    ):
        raise CommandError(f"a model is a folder, or an archive of one. Received: the file {name}.")
    return model_folder(name)


def model_paths(name: str) -> tuple[str, CheckpointPaths]:
    """Find a model's folder, and in it configuration, checkpoint and vocabulary."""
    folder = folder_of(name)
    paths = get_checkpoint_paths(folder)
    for what, path in (("configuration", paths.config), ("vocabulary", paths.vocab)):
        if path is not None and not os.path.exists(path):
            if not os.listdir(folder):
                raise CommandError(f"the folder {folder} is empty")
            raise CommandError(f"the model folder {folder} has no {what}: {path} is missing")
    return folder, paths


def check_length(
    options: argparse.Namespace, positions: int, told: str = "texts are cut to {} tokens"
) -> None:
    """Refuse a --max-length that leaves no token of a text; say so if it is more than can be."""
    if options.max_length is None:
        return
    if options.max_length < 3:
        raise CommandError(
            "--max-length must be 3 or more, as [CLS] and [SEP] are two of the tokens. "
            f"Received: {options.max_length}."
        )
    if options.max_length > positions:
        remark(options, f"{told.format(positions)}, the most that the model takes")


def check_pooling(options: argparse.Namespace, folder: str) -> None:
    """Refuse --pooling sentence for other folders, and --prompt without it."""
    if options.pooling == "sentence" and not is_sentence_folder(folder):
        raise CommandError(
            "--pooling sentence is for folders of sentence-transformers, which hold modules.json. "
            f"Received: {folder}."
        )
    if options.prompt is not None and options.pooling != "sentence":
        raise CommandError("--prompt needs --pooling sentence")


def open_model(options: argparse.Namespace) -> ModelFolder:
    """Find a model's files and read its vocabulary; say so if its size is not that of the model."""
    folder, paths = model_paths(options.model)
    with open_checkpoint(paths.checkpoint) as checkpoint:
        config = read_config(paths.config, checkpoint)
    files = ModelFolder(folder, paths, config, make_tokenizer(options, paths.vocab))
    check_special_tokens(files.tokenizer, paths.vocab)
    remark_other_size(options, paths.vocab, len(files.vocabulary), config["vocab_size"])
    return files


def remark_other_size(
    options: argparse.Namespace, path: str | os.PathLike[str], count: int, size: int
) -> None:
    """Say so if a vocabulary has another number of tokens than the model has rows for."""
    if count != size:
        remark(
            options,
            f"{os.fspath(path)} has {count} tokens, the model {size}: does it belong to it?",
        )


def make_tokenizer(options: argparse.Namespace, path: str) -> Tokenizer:
    """Make the tokenizer of a vocabulary file; the user decides about case, or else the model.

    With --pooling sentence it is the folder's, from which --cased and --uncased may not differ.
    """
    if getattr(options, "pooling", None) == "sentence":
        return load_tokenizer(path, official=True)
    return load_tokenizer(path, options.cased, official=options.official)


def check_special_tokens(tokenizer: Tokenizer, path: str) -> None:
    """Refuse a vocabulary without the tokens that the ids of every text have."""
    known = tokenizer._token_dict
    for token in (tokenizer._token_cls, tokenizer._token_sep):
        if token not in known:
            others = "".join(f", but {other!r}" for other in in_other_case(token, known))
            raise CommandError(
                f"the vocabulary {path} has no {token!r}, which every text needs{others}: is it "
                "the model's? (In Python, `Tokenizer` takes other names of special tokens.)"
            )


def check_text_file(name: str) -> None:
    """Raise where there is no such file."""
    if not os.path.exists(name):
        raise CommandError(
            f'there is no text file {name!r}. To give one text: echo "…" | python -m keras_bert …'
        )
    if os.path.isdir(name):
        raise CommandError(f"{name} is a folder, not a text file")


@contextmanager
def open_texts(name: str, options: argparse.Namespace) -> Iterator[BinaryIO]:
    """Open a text file, or stdin for '-', for `lines`; say so if it is named as a table."""
    if name == "-":
        if sys.stdin.isatty():
            sys.stderr.write("One text a line; end with Ctrl-D.\n")
        _check_start(sys.stdin.buffer, name)
        yield sys.stdin.buffer
    else:
        check_text_file(name)
        with open(name, "rb") as stream:
            _check_start(stream, name)
            separators = _SEPARATORS.get(Path(name).suffix.lower(), b"")
            if separators and set(separators) & set(stream.peek().partition(b"\n")[0]):
                remark(
                    options,
                    f"{name} looks like a table: whole lines are taken as texts, header and all "
                    "columns included. Write the column of texts to a file of its own, a text a "
                    "line",
                )
            yield stream


def _check_start(stream: BinaryIO, name: str) -> None:
    """Raise before Keras starts if the first line, where it is there already, is not UTF-8."""
    try:
        if not select.select([stream], [], [], 0)[0]:
            return
        first, end, _ = stream.peek().partition(b"\n")
    except (OSError, ValueError, AttributeError):  # as on Windows, where no pipe can be asked
        return
    if end:
        next(lines(io.BytesIO(first + end), name))


def lines(stream: BinaryIO, name: str) -> Iterator[str]:
    r"""Yield the lines of a stream, which end at \n or \r\n; say which is not UTF-8."""
    for number, line in enumerate(stream, start=1):
        try:
            # Decoded one by one: a text stream decodes blocks, and cannot say which line is wrong.
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            start = line if number == 1 else b""
            raise CommandError(
                f"{name} is not UTF-8 (line {number}: {error.reason}); {how_to_convert(start)}"
            ) from None
        yield text.removesuffix("\n").removesuffix("\r")


def check_is_utf8(text: str, name: str = "a text") -> None:
    """Refuse a text of the command line of which Python could not decode all bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise CommandError(f"{name} is not UTF-8. Received: {text!r}") from None


def why_not_utf8(path: str | os.PathLike[str]) -> str:
    """Return what to say of a text file that cannot be decoded: which line, and what to do."""
    with open(path, "rb") as stream:
        try:
            for _ in lines(stream, os.fspath(path)):
                pass
        except CommandError as error:
            return str(error)
    return f"{os.fspath(path)} has changed while it was read"


def texts(stream: BinaryIO, options: argparse.Namespace) -> Iterator[str]:
    """Yield the lines of FILE, each of which gets its own output; blank ones only if not typed."""
    found = lines(stream, options.file)
    if options.file == "-" and sys.stdin.isatty():
        return without_blanks(found, options)
    if options.command == "tokenize":  # whose output shows what became of them
        return found
    return _remarked_blanks(found, options, "keep their place")


def without_blanks(texts: Iterable[str], options: argparse.Namespace) -> Iterator[str]:
    """Leave blank lines out, and say so at the first."""
    return (text for _, text in numbered_without_blanks(texts, options))


def numbered_without_blanks(
    texts: Iterable[str], options: argparse.Namespace
) -> Iterator[tuple[int, str]]:
    """Like `without_blanks`, with the number of each line, from 1."""
    numbered = enumerate(_remarked_blanks(texts, options, "are skipped"), start=1)
    return ((number, text) for number, text in numbered if text.strip())


def _remarked_blanks(texts: Iterable[str], options: argparse.Namespace, fate: str) -> Iterator[str]:
    """Pass lines on, and say at the first blank one what becomes of such; or that there is none."""
    is_said = False
    number = 0
    for number, text in enumerate(texts, start=1):
        if not is_said and not text.strip():
            is_said = True
            remark(options, f"line {number} is blank; blank lines {fate}")
        yield text
    if number == 0:
        remark(options, "there are no texts")


def remark_count(counted: UnknownTokens | CutTexts, options: argparse.Namespace) -> None:
    """Say so if most of the tokens of all texts were unknown, or texts were cut."""
    if message := counted.message():
        remark(options, message)


def as_pair(line: str) -> str | tuple[str, str]:
    """A text, or the two texts of a line with the separator between them."""
    # Google's pattern is greedy: the last separator counts.
    first, separator, second = line.rpartition(PAIR_SEPARATOR)
    return (first, second) if separator else line


def as_parts(line: str) -> tuple[str, ...]:
    """The one or two texts of a line."""
    pair = as_pair(line)
    return (pair,) if isinstance(pair, str) else pair


def remarked_pairs(texts: Iterable[str], options: argparse.Namespace) -> Iterator[str]:
    """Pass texts on, and say at the first whose separator makes no pair, or not the one meant."""
    is_said = False
    for text in texts:
        if not is_said and (fate := _doubtful_pair(text)):
            is_said = True
            form = f"first{PAIR_SEPARATOR}second"
            remark(options, f"{shorten(text)} {fate}; a pair is written {form!r}")
        yield text


def _doubtful_pair(text: str) -> str | None:
    """What becomes of a text that has a separator and is perhaps no pair as it was meant."""
    bare = PAIR_SEPARATOR.strip()
    if bare + "|" in text:  # a longer bar, as of a drawing
        return None
    parts = as_parts(text)
    if len(parts) == 1:
        # Full-width bars are what a Chinese keyboard writes.
        return "is taken as one text" if bare in text.replace("｜", "|") else None
    if not all(map(str.strip, parts)):
        return "is taken as a pair with an empty text"
    if any(bare in part for part in parts):
        return f"is divided at the last {PAIR_SEPARATOR!r} alone"
    return None


def pooling_of(options: argparse.Namespace) -> str | None:
    """What the library calls the pooling."""
    return None if options.pooling is None else f"POOL_{options.pooling.upper()}"


def rounded(value: float, digits: int = 6) -> float:
    """A number with six significant digits, as float32 has."""
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))
