"""Features of texts."""

import argparse
import itertools
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from . import output_files, shared
from .feature_files import FORMATS, Layers, record
from .progress import closing_line, with_bar
from .vectors import load_pipeline


def run(options: argparse.Namespace) -> None:
    """Extract."""
    output = Path(options.output) if options.output else None
    if output is not None:
        _check_output(output, options)
    files = shared.open_model(options)
    if options.pooling == "sentence" and options.layers != [-1]:
        raise shared.CommandError("with --pooling sentence the folder says which layer counts")
    shared.check_pooling(options, files.folder)
    shared.check_length(options, files.config["max_position_embeddings"])
    _check_layers(options.layers, files.config["num_hidden_layers"])
    claim = nullcontext()
    if output is not None:
        claim = output_files.claimed(output, _settings(options, files), options)
    with claim, shared.open_texts(options.file, options) as stream:
        model, pipeline = load_pipeline(
            files,
            options,
            output_layer_num=options.layers,
            seq_len=options.max_length,
            batch_size=options.batch_size,
        )
        lines = shared.remarked_pairs(shared.texts(stream, options), options)
        texts = map(shared.as_pair, lines)
        features = partial(_features, pipeline, files, texts, options)
        if output is None:
            count = shared.write_each(record(*item) for item in features(done=0))
            closing_line(options, count)
        else:
            dimension = model.output.shape[-1] // len(options.layers)
            part = output_files.part_of(output)
            pooled = options.pooling is not None
            file = FORMATS[output.suffix](part, options.layers, dimension, pooled)
            output_files.write_all(file, lambda done: features(done=done), output, options)


def _check_output(output: Path, options: argparse.Namespace) -> None:
    output_files.check_suffix(output, FORMATS)
    output_files.check_is_new(output)
    if output.suffix == ".npy" and options.pooling is None:
        raise shared.CommandError(
            "an .npy file holds one vector per text: add --pooling, or write .jsonl or .parquet"
        )
    if output.suffix == ".parquet" and find_spec("pyarrow") is None:
        raise shared.CommandError("a .parquet file needs the package pyarrow: pip install pyarrow")


def _check_layers(layers: list[int], count: int) -> None:
    wrong = [layer for layer in layers if not -count <= layer < count]
    if wrong:
        raise shared.CommandError(
            f"--layers must be from {-count} to {count - 1}, as the model has {count} layers. "
            f"Received: {','.join(map(str, wrong))}."
        )


def _features(
    pipeline, files: shared.ModelFolder, texts, options, done: int
) -> Iterator[tuple[int, list[str], Layers]]:
    """Index, tokens (none with --pooling) and layers of every text from the one after `done` on."""
    results = pipeline.with_ids(itertools.islice(texts, done, None))
    by_id = {index: token for token, index in files.vocabulary.items()}
    shown = with_bar(results, options, done, is_shown=options.output is None)
    for index, (ids, features) in enumerate(shown, start=done):
        tokens = [] if options.pooling else [by_id[each] for each in ids]
        # The library concatenates them in the reverse order of the list.
        parts = np.split(features, len(options.layers), axis=-1)[::-1]
        yield index, tokens, dict(zip(options.layers, parts, strict=True))
    shared.remark_count(pipeline.cut_texts, options)


def _settings(options: argparse.Namespace, files: shared.ModelFolder) -> dict:
    """All that the features depend on."""
    return {
        "files": output_files.files_read(files, options),
        **{name: getattr(options, name) for name in ("layers", "pooling", "prompt", "max_length")},
        "cased": files.tokenizer._cased,
        "official": options.official,
    }
