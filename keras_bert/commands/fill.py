"""Masked words."""

import argparse
import json
import re
import unicodedata
from typing import NamedTuple

import numpy as np

from ..checkpoints import open_checkpoint
from ..families import family_of
from ..families.fitting import UNTRAINED_HEAD, has_untrained_head, unwarned_of_head
from ..families.translation import heads_of
from ..families.weights import find_weights
from ..tokenizer import TOKEN_MASK, Tokenizer
from ..tokenizer.unknown_tokens import UnknownTokens
from . import shared
from .progress import closing_line
from .starting import import_keras

# How else a mask may be written; full-width forms are these after NFKC.
_OTHER_MASK = re.compile(r"[\[<【〔]\s*mask\s*[\]>】〕]", re.IGNORECASE)


def run(options: argparse.Namespace) -> None:
    """Guess."""
    for text in options.text:
        shared.check_is_utf8(text)
    files = shared.open_model(options)
    paths, vocabulary, tokenizer = files.paths, files.vocabulary, files.tokenizer
    if TOKEN_MASK not in vocabulary:
        raise shared.CommandError(f"the vocabulary {paths.vocab} has no {TOKEN_MASK}")
    hint = ""
    if len(options.text) > 1 and not any(" " in text for text in options.text):
        hint = "; a text of several words stands in quotes"
    for text in options.text:
        _check_mask(text, hint)
    _check_head(files, options)
    keep_masks(tokenizer)
    import_keras(options)
    from ..loader import load_trained_model_from_checkpoint

    with unwarned_of_head():  # `_check_head` says it
        model = load_trained_model_from_checkpoint(
            paths.config, paths.checkpoint, training=True, seq_len=None, allow_missing_heads=True
        )
    limit = files.config["max_position_embeddings"]
    unknown = UnknownTokens(tokenizer)
    for text in shared.remarked_pairs(options.text, options):
        _fill(model, tokenizer, text, limit, options, unknown)
    count, wrong = len(options.text), 0
    if not options.text:
        with shared.open_texts("-", options) as stream:
            texts = shared.remarked_pairs(shared.lines(stream, "-"), options)
            lines = shared.numbered_without_blanks(texts, options)
            for number, text in lines:
                try:
                    _fill(model, tokenizer, text, limit, options, unknown)
                    count += 1
                except shared.CommandError as error:
                    shared.remark(options, f"line {number}: {error}")
                    wrong += 1
    shared.remark_count(unknown, options)
    closing_line(options, count)
    if wrong:
        raise shared.CommandError(f"lines without guesses: {wrong}")


def _check_mask(text: str, hint: str = "") -> None:
    if TOKEN_MASK not in text:
        message = f"there is no {TOKEN_MASK} in the text {text!r}"
        if _OTHER_MASK.search(unicodedata.normalize("NFKC", text)):
            message += f"; it is written {TOKEN_MASK}"
        raise shared.CommandError(message + hint)


def _check_head(files: shared.ModelFolder, options: argparse.Namespace) -> None:
    """Raise unless the checkpoint has the head for masked words; the other is not needed here."""
    head = word_head(files, options)
    if not head.exists:
        raise shared.CommandError(
            f"{head.path} has no head for masked words; extract and similar need none"
        )


class WordHead(NamedTuple):
    """Whether a checkpoint has a head for masked words, and whether that has been trained."""

    path: str
    exists: bool
    is_trained: bool


def word_head(files: shared.ModelFolder, options: argparse.Namespace) -> WordHead:
    """Look at the head for masked words, and say so if it has never been trained."""
    with open_checkpoint(files.paths.checkpoint) as checkpoint:
        family = family_of(files.config, checkpoint)
        found = find_weights(family, files.config, checkpoint, heads="any")
        exists = "masked words" in heads_of(family, found)
        is_trained = exists and not has_untrained_head(family, checkpoint, found)
        head = WordHead(str(checkpoint.path), exists, is_trained)
    if exists and not is_trained:
        shared.remark(options, f"{head.path}: {UNTRAINED_HEAD}")
    return head


def keep_masks(tokenizer: Tokenizer) -> None:
    """Keep masks whole, which are otherwise split like any other text."""
    tokenize = tokenizer._tokenize

    def tokenize_around_masks(text: str) -> list[str]:
        first, *others = map(tokenize, text.split(TOKEN_MASK))
        return first + [token for part in others for token in (TOKEN_MASK, *part)]

    tokenizer._tokenize = tokenize_around_masks  # type: ignore[method-assign]


def _fill(model, tokenizer, text: str, limit: int, options, unknown: UnknownTokens) -> None:
    _check_mask(text)
    parts = shared.as_parts(text)
    ids, segments = tokenizer.encode(*parts)
    if len(ids) > limit:
        raise shared.CommandError(
            f"the text has {len(ids)} tokens, the model takes {limit}: {text!r}"
        )
    batch = np.zeros((3, 1, shared.padded_length(len(ids), limit)), "int32")
    batch[0, 0, : len(ids)], batch[1, 0, : len(ids)] = ids, segments
    batch[2] = batch[0] == tokenizer._token_dict[TOKEN_MASK]
    masked = batch[2, 0] == 1
    unknown.count(ids, special=len(parts) + 1 + int(masked.sum()))
    outputs = model.predict_on_batch(list(batch))
    words = outputs[0] if len(model.outputs) > 1 else outputs  # a family may have no other head
    probabilities = np.asarray(words)[0][masked]
    tokens = tokenizer._token_dict_inv
    guesses = [
        [(tokens.get(index, ""), row[index]) for index in np.argsort(-row)[: options.top].tolist()]
        for row in probabilities.astype("float64")
    ]
    if options.json:
        listed = [
            [{"token": token, "probability": shared.rounded(value)} for token, value in each]
            for each in guesses
        ]
        shared.write(json.dumps({"text": text, "masks": listed}, ensure_ascii=False))
        return
    for number, each in enumerate(guesses, start=1):
        shared.write(text if len(guesses) == 1 else f"{text} (mask {number} of {len(guesses)})")
        for token, probability in each:
            shared.write(f"{probability:.6f}\t{token}")
