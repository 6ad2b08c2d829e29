"""Texts to tokens."""

import argparse
import json
import os

from ..tokenizer import Tokenizer
from . import shared


def run(options: argparse.Namespace) -> None:
    """Tokenize."""
    if os.path.isfile(options.model) and not options.model.endswith((".zip", ".gz", ".tgz")):
        path = options.model
    else:
        path = shared.model_paths(options.model)[1].vocab
    tokenizer = shared.make_tokenizer(options, path)
    with shared.open_texts(options.file) as stream:
        for line in shared.texts(stream, options):
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
