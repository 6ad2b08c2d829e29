"""Texts to tokens."""

import argparse
import json
import os

from ..tokenizer import Tokenizer
from . import shared


def add_parser(commands) -> argparse.ArgumentParser:
    """Describe the arguments."""
    parser = commands.add_parser(
        "tokenize",
        help="cut texts into the tokens of a model",
        description="Print the tokens of each line, special tokens included, separated by spaces. "
        f"A text: {shared.PAIR_HELP}.",
    )
    files_help = "a vocabulary file (vocab.txt, spiece.model, tokenizer.json), or "
    shared.add_model_argument(parser, files_help)
    shared.add_texts_argument(parser)
    parser.add_argument("--ids", action="store_true", help="print ids instead of tokens")
    json_help = 'print {"tokens": …, "ids": …, "segments": …} for each line'
    parser.add_argument("--json", action="store_true", help=json_help)
    shared.add_tokenizer_arguments(parser)
    return parser


def run(options: argparse.Namespace) -> None:
    """Tokenize."""
    if os.path.isfile(options.model) and not options.model.endswith((".zip", ".gz", ".tgz")):
        path = options.model
    else:
        path = shared.model_paths(options.model)[1].vocab
    tokenizer = shared.make_tokenizer(options, path)
    with shared.open_texts(options.file) as stream:
        for line in shared.lines(stream, options.file):
            shared.write(_describe(tokenizer, shared.as_pair(line), options))


def _describe(tokenizer: Tokenizer, text: str | tuple[str, str], options) -> str:
    pair = (text,) if isinstance(text, str) else text
    if options.json:
        ids, segments = tokenizer.encode(*pair)
        tokens = tokenizer.tokenize(*pair)
        return json.dumps({"tokens": tokens, "ids": ids, "segments": segments}, ensure_ascii=False)
    if options.ids:
        return " ".join(map(str, tokenizer.encode(*pair)[0]))
    return " ".join(tokenizer.tokenize(*pair))
