"""Features of texts."""

import argparse
import itertools
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

import numpy as np
from tqdm import tqdm

from . import shared
from .feature_files import FORMATS, Layers, record
from .locking import lock


def add_parser(commands) -> argparse.ArgumentParser:
    """Describe the arguments."""
    parser = commands.add_parser(
        "extract",
        help="compute features of texts",
        description="Write the features of every line of a text file, in the form of Google's "
        f"extract_features.py: one line of JSON each. A text: {shared.PAIR_HELP}. An --output that "
        "broke off is continued by the same command.",
    )
    shared.add_model_argument(parser)
    shared.add_texts_argument(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="file to write: .jsonl or .json; .npy, an array (texts, layers·D), with --pooling; "
        ".parquet, a table, which needs pyarrow. JSON on stdout by default",
    )
    parser.add_argument(
        "--layers",
        type=_layers,
        default=[-1],
        metavar="I,…",
        help="encoder layers; by default -1, the last. Google's tool has -1,-2,-3,-4 by default",
    )
    shared.add_pooling_arguments(parser)
    max_length_help = "cut texts to N tokens (default: the model's)"
    shared.add_number_argument(parser, "--max-length", max_length_help)
    batch_size_help = "the most texts at a time (default: automatic)"
    shared.add_number_argument(parser, "--batch-size", batch_size_help)
    shared.add_tokenizer_arguments(parser)
    return parser


def run(options: argparse.Namespace) -> None:
    """Extract."""
    output = Path(options.output) if options.output else None
    if output is not None:
        _check_output(output, options)
    files = shared.open_model(options)
    if options.pooling == "sentence" and options.layers != [-1]:
        raise shared.CommandError("with --pooling sentence the folder says which layer counts")
    claim = nullcontext() if output is None else _claimed(output, files, options)
    with claim, shared.open_texts(options.file) as stream:
        model = _load_model(files, options)
        texts = map(shared.as_pair, shared.lines(stream, options.file))
        features = partial(_features, model, files, texts, options)
        if output is None:
            for item in features(done=0):
                shared.write(record(*item))
        else:
            dimension = model.output.shape[-1] // len(options.layers)
            _write_file(output, dimension, features, options)


def _load_model(files: shared.ModelFolder, options: argparse.Namespace):
    from ..loader import load_sentence_model, load_trained_model_from_checkpoint

    if options.pooling == "sentence":
        return load_sentence_model(files.folder, seq_len=options.max_length)
    config, checkpoint, _ = files.paths
    return load_trained_model_from_checkpoint(
        config, checkpoint, output_layer_num=options.layers, seq_len=options.max_length
    )


def _write_file(output: Path, dimension: int, features, options) -> None:
    part = _part(output)
    file = FORMATS[output.suffix](part, options.layers, dimension, options.pooling is not None)
    try:
        for item in features(done=file.count):
            file.write(*item)
    except BaseException:
        file.close()
        if options.file != "-":
            shared.remark(options, f"{part} holds what was done; the same command continues it")
        raise
    file.finish(output)


def _check_output(output: Path, options: argparse.Namespace) -> None:
    if output.suffix not in FORMATS:
        raise shared.CommandError(f"OUT must end in {', '.join(FORMATS)}. Received: {output}")
    if output.exists():
        raise shared.CommandError(f"{output} is there already: delete it, or choose another name")
    if output.suffix == ".npy" and options.pooling is None:
        raise shared.CommandError(
            "an .npy file holds one vector per text: add --pooling, or write .jsonl or .parquet"
        )
    if output.suffix == ".parquet" and find_spec("pyarrow") is None:
        raise shared.CommandError("a .parquet file needs the package pyarrow: pip install pyarrow")


def _features(
    model, files: shared.ModelFolder, texts, options, done: int
) -> Iterator[tuple[int, list[str], Layers]]:
    """Index, tokens (none with --pooling) and layers of every text from the one after `done` on."""
    from ..extraction.embeddings import make_pipeline

    pipeline = make_pipeline(
        model,
        poolings=shared.pooling_of(options),
        vocabs=None if options.pooling == "sentence" else files.tokenizer,
        cased=files.tokenizer._cased if options.pooling == "sentence" else None,
        prompt=options.prompt,
        batch_size=options.batch_size,
    )
    results = pipeline.with_ids(itertools.islice(texts, done, None))
    total = _count_lines(options.file)
    bar = tqdm(results, "extract", total, initial=done, unit="text", disable=None)
    by_id = {index: token for token, index in files.vocabulary.items()}
    for index, (ids, features) in enumerate(bar, start=done):
        tokens = [] if options.pooling else [by_id[each] for each in ids]
        # The library concatenates them in the reverse order of the list.
        parts = np.split(features, len(options.layers), axis=-1)[::-1]
        yield index, tokens, dict(zip(options.layers, parts, strict=True))


def _count_lines(name: str) -> int | None:
    """The number of lines of a file, for the progress bar; unknown for stdin and pipes."""
    if not os.path.isfile(name) or not sys.stderr.isatty():
        return None
    with open(name, "rb") as stream:
        return sum(1 for _ in stream)


def _settings(options: argparse.Namespace, files: shared.ModelFolder) -> dict:
    """All that the features depend on."""
    config, checkpoint, vocabulary = files.paths
    index = f"{checkpoint}.index"
    read = [index if os.path.exists(index) else checkpoint, config, vocabulary]
    if options.file != "-":
        read.append(options.file)
    return {
        "files": [
            [os.path.abspath(file), os.path.getsize(file), os.stat(file).st_mtime_ns]
            for file in read
        ],
        **{name: getattr(options, name) for name in ("layers", "pooling", "prompt", "max_length")},
        "cased": files.tokenizer._cased,
        "official": options.official,
    }


@contextmanager
def _claimed(output: Path, files: shared.ModelFolder, options) -> Iterator[None]:
    """Keep other commands from a file and its part, and note beside it what it is made from."""
    part, settings = _part(output), _settings(options, files)
    note = part.with_name(f"{part.name}.json")
    with open(note, "a+b") as stream:
        try:
            lock(stream)
        except BlockingIOError:
            message = f"another command is writing {output}: wait for it, or choose another name"
            raise shared.CommandError(message) from None
        except OSError as error:
            text = f"{note} cannot be locked ({error}): let no other command write {output}"
            shared.remark(options, text)
        _check_output(output, options)  # another command may have ended since it was checked
        _check_settings(part, stream, settings, options.file)
        yield
    with suppress(PermissionError):  # on Windows, where a command that waits in vain has it open
        note.unlink()


def _check_settings(part: Path, note: BinaryIO, settings: dict, file: str) -> None:
    """Note what a file is made from; raise where a part of it was made from something else."""
    note.seek(0)
    content = json.dumps(settings).encode()
    if part.exists() and (note.read() != content or file == "-"):
        raise shared.CommandError(
            f"{part} is there from a command that broke off and had other arguments, files or "
            "stdin: run that one again to continue it, or delete the part"
        )
    note.truncate(0)
    note.write(content)
    note.flush()


def _part(output: Path) -> Path:
    return output.with_name(f"{output.name}.part")


def _layers(word: str) -> list[int]:
    layers = [int(part) for part in word.split(",")]
    if len(set(layers)) < len(layers):
        raise argparse.ArgumentTypeError(f"names a layer twice: {word}")
    return layers
