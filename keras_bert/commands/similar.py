"""The command `similar`: lines ranked by the cosine of their vectors."""

import argparse
import sys

import numpy as np

from ..checkpoints.paths import is_sentence_folder
from . import shared


def add_parser(commands) -> argparse.ArgumentParser:
    """Describe the arguments."""
    parser = commands.add_parser(
        "similar",
        help="find the most similar sentences",
        description="Print the lines that are most similar to each other, or to a query: cosine, "
        "tab, text. Without --query each line of the file is printed, followed by those nearest to "
        "it. A text's vector is what a folder of sentence-transformers says, of other models the "
        "mean over its tokens, or what --pooling says. The vectors of plain BERT are a weak "
        "measure; models trained for it, such as all-MiniLM-L6-v2, are good.",
    )
    shared.add_model_argument(parser)
    shared.add_texts_argument(parser)
    parser.add_argument("--query", metavar="TEXT", help="rank the lines by similarity to this text")
    shared.add_number_argument(parser, "--top", "how many to print (default 1; with --query all)")
    shared.add_pooling_arguments(parser, " (default: sentence for such a folder, else ave)")
    shared.add_tokenizer_arguments(parser)
    return parser


def run(options: argparse.Namespace) -> None:
    """Print the most similar lines."""
    files = shared.open_model(options)
    if options.pooling is None:
        options.pooling = "sentence" if is_sentence_folder(files.folder) else "ave"
    with shared.open_texts(options.file) as stream:
        texts = [line for line in shared.lines(stream, options.file) if line.strip()]
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
        return
    vectors = _vectors(files, texts, options)
    for index, text in enumerate(texts):
        cosines = vectors @ vectors[index]
        cosines[index] = -np.inf
        shared.write(text)
        for other in np.argsort(-cosines, kind="stable")[: min(options.top or 1, len(texts) - 1)]:
            shared.write(f"{cosines[other]:.4f}\t{texts[other]}")


def _vectors(files: shared.ModelFolder, texts: list[str], options) -> np.ndarray:
    """Vectors of length 1, one row per text."""
    from ..extraction.embeddings import extract_embeddings

    vectors = np.stack(
        extract_embeddings(
            files.folder,
            [shared.as_pair(text) for text in texts],
            poolings=shared.pooling_of(options),
            prompt=options.prompt,
            cased=files.tokenizer._cased,
            official=options.official,
            progress=sys.stderr.isatty(),
        )
    )
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
