"""Sentences that belong together."""

from __future__ import annotations

import argparse
import sys

import numpy as np

from .shared import (
    MODEL_HELP,
    CommandError,
    add_tokenizer_arguments,
    as_pair,
    decide_case,
    lines,
    model_paths,
    open_texts,
    positive,
    read_vocabulary,
    texts_argument,
    write,
)


def add_parser(commands) -> argparse.ArgumentParser:
    """Describe the arguments."""
    parser = commands.add_parser(
        "similar",
        help="find the most similar sentences",
        description="Print the lines that are most similar to each other, or to a query: cosine, "
        "tab, text. Without --query each line of the file is printed, followed by those nearest to "
        "it. A text's vector is the mean over its tokens, or what --pooling says. The vectors of "
        "plain BERT are a weak measure; models trained for it, such as all-MiniLM-L6-v2, are good.",
    )
    parser.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    texts_argument(parser)
    parser.add_argument("--query", metavar="TEXT", help="rank the lines by similarity to this text")
    parser.add_argument(
        "--top", type=positive, metavar="N", help="how many (default 1; with --query all)"
    )
    parser.add_argument("--pooling", choices=("ave", "max", "nsp"), default="ave")
    add_tokenizer_arguments(parser)
    return parser


def run(options: argparse.Namespace) -> None:
    """Compare."""
    folder, paths = model_paths(options.model)
    cased = decide_case(options, folder, read_vocabulary(options, paths))
    with open_texts(options.file) as stream:
        texts = [line for line in lines(stream, options.file) if line.strip()]
    needed = 1 if options.query is not None else 2
    if len(texts) < needed:
        raise CommandError(f"{needed} or more lines with text are needed, {len(texts)} were given")
    if options.query is not None:
        vectors = _vectors(folder, [options.query, *texts], options, cased)
        cosines = vectors[1:] @ vectors[0]
        for place in np.argsort(-cosines, kind="stable")[: options.top]:
            write(f"{cosines[place]:.4f}\t{texts[place]}")
        return
    vectors = _vectors(folder, texts, options, cased)
    for place, text in enumerate(texts):
        cosines = vectors @ vectors[place]
        cosines[place] = -np.inf
        write(text)
        for other in np.argsort(-cosines, kind="stable")[: min(options.top or 1, len(texts) - 1)]:
            write(f"{cosines[other]:.4f}\t{texts[other]}")


def _vectors(folder: str, texts: list[str], options, cased: bool) -> np.ndarray:
    """Vectors of length 1, one row per text."""
    from ..extraction.embeddings import extract_embeddings

    vectors = np.stack(
        extract_embeddings(
            folder,
            [as_pair(text) for text in texts],
            poolings=f"POOL_{options.pooling.upper()}",
            cased=cased,
            official=options.official,
            progress=sys.stderr.isatty(),
        )
    )
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
