"""The command `show`: one page of HTML on what a model makes of texts."""

import argparse
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from .. import __version__
from ..arguments import shorten
from ..checkpoints.paths import is_sentence_folder
from ..datasets.folders import model_folder
from ..families.fitting import unwarned_of_head
from ..tokenizer import TOKEN_MASK
from ..tokenizer.unknown_tokens import UnknownTokens
from . import output_files, shared
from .fill import keep_masks, word_head
from .progress import time_taken
from .starting import import_keras
from .task_outputs import softmax

_PAGE = Path(__file__).with_name("show_page.html")
_DATA = "{{data}}"  # where the page takes its data
_MOST_PROBABILITIES = 20_000_000  # of attention in a page, with two characters for each
_ROWS = 16  # computed at a time
_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def run(options: argparse.Namespace) -> None:
    """Compute, and write the page."""
    output = Path(options.output)
    _check_output(output)
    _check_texts(options.text, options)
    is_sentences = is_sentence_folder(model_folder(options.model))
    options.official = options.official or is_sentences  # as their vectors always have it
    files = shared.open_model(options)
    if any(TOKEN_MASK in text for text in options.text):
        keep_masks(files.tokenizer)
    config, reason = files.config, _why_no_guesses(files, options)
    positions = config["max_position_embeddings"]
    if options.max_length is not None and options.max_length > positions:
        raise shared.CommandError(
            f"--max-length must be at most {positions}, the model's number of positions. "
            f"Received: {options.max_length}"
        )
    length = options.max_length or min(128, positions)
    texts = [_read(text, files.tokenizer, length) for text in options.text]
    _check_size(config, texts, length)
    import_keras(options)
    loaded = _load(files, is_sentences, guesses=reason is None)
    page = _PAGE.read_text("utf-8")
    data = _describe(files, texts, loaded, reason, options)
    content = page.replace(_DATA, _embeddable(data)).encode()
    output.write_bytes(content)
    for text in texts:
        if text.count > len(text.ids):
            told = f"the page shows the first {len(text.ids)} of {text.count} tokens of"
            shared.remark(options, f"{told} {shorten(text.parts[0])}")
    _remark_unknown(files.tokenizer, texts, options)
    size = max(1, len(content) // 1000)
    taken = time_taken(options)
    shared.remark(options, f"{output} is written{taken}, {size} kB: open it in a browser")


class Text(NamedTuple):
    """A text or a pair of texts and its tokens; `count` is how many it has without being cut."""

    parts: tuple[str, ...]
    ids: list[int]
    segments: list[int]
    offsets: list[tuple[int, int]]
    count: int


class Loaded(NamedTuple):
    """What computes: a model for attention and guesses, and the arguments for vectors of texts."""

    model: Any
    vectors: dict[str, Any]


def _check_output(output: Path) -> None:
    if output.suffix not in (".html", ".htm"):
        raise shared.CommandError(f"OUT must end in .html. Received: {output}")
    output_files.check_is_new(output)


def _check_texts(texts: list[str], options: argparse.Namespace) -> None:
    for text in shared.remarked_pairs(texts, options):
        if os.path.isfile(text):
            told = f"{text!r} is taken as a text, though there is a file of that name"
            shared.remark(options, told)
        if not text.strip():
            raise shared.CommandError(f"a text must not be empty. Received: {text!r}")
        shared.check_is_utf8(text)


def _why_no_guesses(files: shared.ModelFolder, options) -> str | None:
    """Why the model cannot guess masked words; None if it can."""
    head = word_head(files, options)
    if not head.exists:
        return "The model’s file has no head for masked words."
    if TOKEN_MASK not in files.vocabulary:
        return f"The vocabulary has no {TOKEN_MASK}."
    if not head.is_trained:
        return "The model’s head for masked words has never been trained."
    return None


def _check_size(config: dict[str, Any], texts: list[Text], length: int) -> None:
    count = config["num_hidden_layers"] * config["num_attention_heads"]
    count *= sum(len(text.ids) ** 2 for text in texts)
    if count > _MOST_PROBABILITIES:
        raise shared.CommandError(
            f"the page would hold {count:,} probabilities of attention, more than "
            f"{_MOST_PROBABILITIES:,}: give fewer texts, or a smaller --max-length than {length}"
        )


def _read(text: str, tokenizer, length: int) -> Text:
    parts = shared.as_parts(text)
    ids, segments, offsets = tokenizer.encode_with_offsets(*parts)
    count = len(ids)
    if count > length:
        ids, segments, offsets = tokenizer.encode_with_offsets(*parts, max_len=length)
    return Text(parts, ids, segments, offsets, count)


def _remark_unknown(tokenizer, texts: list[Text], options: argparse.Namespace) -> None:
    unknown = UnknownTokens(tokenizer)
    for text in texts:
        masks = text.ids.count(tokenizer._token_dict.get(TOKEN_MASK))
        unknown.count(text.ids, special=len(text.parts) + 1 + masks)
    shared.remark_count(unknown, options)


def _load(files: shared.ModelFolder, is_sentences: bool, guesses: bool) -> Loaded:
    """Load the model once; a sentence model that guesses as well is two."""
    from ..backend import first_input, models
    from ..loader import load_sentence_model, load_trained_model_from_checkpoint

    config, checkpoint, _ = files.paths
    vectors: dict[str, Any] = {"poolings": "POOL_AVE", "vocabs": files.tokenizer}
    if is_sentences:
        # With all positions in the last layer, also where the vector is that of the first.
        model = encoder = load_sentence_model(files.folder, output_len=None)
        vectors = {"poolings": "POOL_SENTENCE"}
    if guesses:
        options = {"training": True, "heads": ("MLM",), "max_predictions": 1}
        with unwarned_of_head():
            model = load_trained_model_from_checkpoint(
                config, checkpoint, seq_len=None, allow_missing_heads=True, **options
            )
        if not is_sentences:
            features, _ = first_input(model.get_layer("MLM-Extract"))
            encoder = models.Model(model.inputs[:2], features)
    elif not is_sentences:
        model = encoder = load_trained_model_from_checkpoint(config, checkpoint, seq_len=None)
    return Loaded(model, {"model": encoder, **vectors})


def _describe(files, texts: list[Text], loaded: Loaded, reason, options) -> dict[str, Any]:
    """All that the page shows."""
    tokens = {index: token for token, index in files.vocabulary.items()}
    maps = _attention(loaded.model, texts)
    guesses = None if reason else _guesses(loaded.model, texts, tokens, files, options)
    heads = maps[0].shape[:2]
    return {
        "version": __version__,
        "model": Path(options.model).name or options.model,
        "layers": heads[0],
        "heads": heads[1],
        "vocabulary": len(files.vocabulary),
        "no_guesses": reason,
        "vectors": "sentence" if loaded.vectors["poolings"] == "POOL_SENTENCE" else "mean",
        "cosines": _cosines(loaded, texts),
        "texts": [
            {
                "parts": text.parts,
                "count": text.count,
                "tokens": [
                    [tokens.get(index, ""), index, segment, *offsets]
                    for index, segment, offsets in zip(
                        text.ids, text.segments, text.offsets, strict=True
                    )
                ],
                "guesses": guesses and guesses[number],
                "attention": [list(map(_packed, layer)) for layer in maps[number]],
            }
            for number, text in enumerate(texts)
        ],
    }


def _attention(model, texts: list[Text]) -> list[np.ndarray]:
    """The attention of each text, (layers, heads, T, T)."""
    from ..extraction.attention_maps import get_attention_maps

    shown = []
    for start in range(0, len(texts), _ROWS):
        some = texts[start : start + _ROWS]
        batch = np.zeros((len(model.inputs), len(some), max(map(_length, some))), "int32")
        for row, text in enumerate(some):
            batch[0, row, : _length(text)], batch[1, row, : _length(text)] = text.ids, text.segments
        maps = get_attention_maps(model, list(batch))
        for row, n in enumerate(map(_length, some)):
            shown.append(np.stack([layer[row, :, :n, :n] for layer in maps]))
    return shown


def _length(text: Text) -> int:
    return len(text.ids)


def _packed(probabilities: np.ndarray) -> str:
    """Probabilities as numbers from 0 to 4095, of two digits to the base 64 each."""
    numbers = np.rint(probabilities.ravel() * 4095).astype("int32")
    digits = np.stack([numbers >> 6, numbers & 63], axis=-1)
    return np.frombuffer(_DIGITS, "uint8")[digits].tobytes().decode()


def _guesses(model, texts: list[Text], tokens, files, options) -> list[list[dict | None]]:
    """For each token of each text what the model guesses in its place, None where it was not asked.

    Asked are the masks of a text that has any, otherwise all tokens but those that were added.
    """
    from ..extraction.any_length import position_num

    mask, limit = files.vocabulary[TOKEN_MASK], position_num(model)
    results: list[list[dict | None]] = [[None] * len(text.ids) for text in texts]
    asked = [_asked(text, mask) for text in texts]
    with tqdm(desc="show", total=sum(map(len, asked)), unit="token", disable=None) as bar:
        for text, positions, result in zip(texts, asked, results, strict=True):
            for start in range(0, len(positions), _ROWS):
                some = positions[start : start + _ROWS]
                batch = _masked(text, some, mask, limit)
                logits = np.asarray(model.predict_on_batch(batch))[:, 0]
                for position, row in zip(some, logits.astype("float64"), strict=False):
                    own = text.ids[position]
                    result[position] = _guess(row, own, tokens, own == mask, options.top)
                bar.update(len(some))
    return results


def _asked(text: Text, mask: int) -> list[int]:
    if mask in text.ids:
        return [position for position, index in enumerate(text.ids) if index == mask]
    return [position for position, (start, end) in enumerate(text.offsets) if end > start]


def _masked(text: Text, positions: list[int], mask: int, limit: int) -> list[np.ndarray]:
    """A row of the text for each position, at which it is masked.

    There are always as many rows, for runtimes that compile each shape anew.
    """
    batch = np.zeros((3, _ROWS, shared.padded_length(len(text.ids), limit)), "int32")
    batch[0, :, : len(text.ids)], batch[1, :, : len(text.ids)] = text.ids, text.segments
    rows = np.arange(len(positions))
    batch[0, rows, positions], batch[2, rows, positions] = mask, 1
    return list(batch)


def _guess(logits: np.ndarray, own: int, tokens, is_open: bool, top: int) -> dict[str, Any]:
    """The most probable tokens; of the text's own one, if it is known, probability and rank."""
    probabilities = softmax(logits)
    best = np.argsort(-probabilities, kind="stable")[:top].tolist()
    guess: dict[str, Any] = {
        "top": [[tokens.get(each, ""), shared.rounded(probabilities[each], 4)] for each in best]
    }
    if not is_open:
        guess["own"] = shared.rounded(probabilities[own], 4)
        guess["rank"] = 1 + int(np.sum(probabilities > probabilities[own]))
    return guess


def _cosines(loaded: Loaded, texts: list[Text]) -> list[list[float]] | None:
    """The cosines of the texts' vectors, of the whole texts as far as the model takes them."""
    if len(texts) < 2:
        return None
    from ..extraction.embeddings import extract_embeddings

    whole = [text.parts[0] if len(text.parts) == 1 else text.parts for text in texts]
    vectors = extract_embeddings(texts=whole, stacked=True, **loaded.vectors)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.round((vectors @ vectors.T).astype("float64"), 4).tolist()


def _embeddable(data: dict[str, Any]) -> str:
    """JSON that can stand inside a script element, which no text in it can end."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
