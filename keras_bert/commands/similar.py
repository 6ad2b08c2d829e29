"""The command `similar`: lines ranked by the cosine of their vectors."""

import argparse

import numpy as np

from ..checkpoints.paths import is_sentence_folder
from . import shared
from .progress import closing_line, with_bar
from .vectors import load_pipeline


def run(options: argparse.Namespace) -> None:
    """Print the most similar lines."""
    if options.query is not None:
        if not options.query.strip():
            raise shared.CommandError("--query is empty; it must be a text")
        shared.check_is_utf8(options.query, "--query")
    options.model = shared.folder_of(options.model)
    if options.pooling is None:
        options.pooling = "sentence" if is_sentence_folder(options.model) else "ave"
    files = shared.open_model(options)
    shared.check_pooling(options, files.folder)
    with shared.open_texts(options.file, options) as stream:
        texts = list(shared.without_blanks(shared.lines(stream, options.file), options))
    needed = 1 if options.query is not None else 2
    if len(texts) < needed:
        raise shared.CommandError(
            f"{needed} or more lines with text are needed, {len(texts)} were given"
        )
    if options.query is not None:
        vectors = _vectors(files, [options.query, *texts], options)
        cosines = vectors[1:] @ vectors[0]
        for index in np.argsort(-cosines, kind="stable")[: options.top]:
            shared.write(f"{cosines[index]:.4f}\t{texts[index]}")
        closing_line(options, len(texts))
        return
    vectors = _vectors(files, texts, options)
    for index, text in enumerate(texts):
        cosines = vectors @ vectors[index]
        cosines[index] = -np.inf
        shared.write(text)
        for other in np.argsort(-cosines, kind="stable")[: min(options.top or 1, len(texts) - 1)]:
            shared.write(f"{cosines[other]:.4f}\t{texts[other]}")
    closing_line(options, len(texts))


def _vectors(files: shared.ModelFolder, texts: list[str], options) -> np.ndarray:
    """Vectors of length 1, one row per text."""
    output_len = 1 if options.pooling == "nsp" else None  # then nothing else is computed
    _, pipeline = load_pipeline(files, options, output_len=output_len, seq_len=None)
    pairs = [shared.as_pair(text) for text in shared.remarked_pairs(texts, options)]
    vectors = np.stack(list(with_bar(pipeline(pairs), options, total=len(pairs))))
    shared.remark_count(pipeline.cut_texts, options)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
