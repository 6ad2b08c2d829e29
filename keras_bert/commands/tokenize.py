"""Texts to tokens."""

import argparse
import json
import os

from ..datasets.official import is_named_as_archive
from ..tokenizer import TOKEN_MASK, Tokenizer
from ..tokenizer.unknown_tokens import UnknownTokens
from . import shared


def run(options: argparse.Namespace) -> None:
    """Tokenize."""
    is_file = os.path.isfile(options.model) and not is_named_as_archive(options.model)
    path = options.model if is_file else shared.model_paths(options.model)[1].vocab
    tokenizer = shared.make_tokenizer(options, path)
    if is_file or options.ids or options.json:  # a file may be one of texts, the model forgotten
        shared.check_special_tokens(tokenizer, path)
    unknown = UnknownTokens(tokenizer)
    says_masks = not options.official
    with shared.open_texts(options.file, options) as stream:
        for line in shared.remarked_pairs(shared.texts(stream, options), options):
            if says_masks and TOKEN_MASK in line:
                shared.remark(options, f"{TOKEN_MASK} is split like other text without --official")
                says_masks = False
            shared.write(_describe(tokenizer, shared.as_parts(line), options, unknown))
    shared.remark_count(unknown, options)
    hides_unknown = not (options.official or options.ids or options.json)
    if hides_unknown and unknown.number and not unknown.message():
        tokens = "1 token is" if unknown.number == 1 else f"{unknown.number:,} tokens are"
        shared.remark(
            options,
            f"{tokens} not in the vocabulary; the model gets {tokenizer._token_unk} instead, as "
            "--official and --ids show",
        )


def _describe(tokenizer: Tokenizer, parts: tuple[str, ...], options, unknown) -> str:
    special = len(parts) + 1
    if options.ids and not options.json:
        ids, _ = tokenizer.encode(*parts)
        unknown.count(ids, special)
        return " ".join(map(str, ids))
    tokens = tokenizer.tokenize(*parts)
    unknown.count_tokens(tokens, special)
    if options.json:
        ids, segments = tokenizer.encode(*parts)
        return json.dumps({"tokens": tokens, "ids": ids, "segments": segments}, ensure_ascii=False)
    return " ".join(tokens)
