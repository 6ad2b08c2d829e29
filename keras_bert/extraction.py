"""Features of texts, computed in batches of texts of about one length."""

from __future__ import annotations

import json
import os
import warnings
import weakref
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from tqdm import tqdm

from .backend import TF_KERAS, layers, models, utils
from .checkpoint_paths import get_checkpoint_paths
from .custom_objects import get_custom_objects
from .layers import (
    Add,
    FeedForward,
    LayerNormalization,
    MultiHeadAttention,
    PositionEmbedding,
    TokenEmbedding,
)
from .layers.embedding import Embedding
from .loader import load_trained_model_from_checkpoint, load_vocabulary
from .tokenizer import Tokenizer

POOL_NSP = "POOL_NSP"
POOL_MAX = "POOL_MAX"
POOL_AVE = "POOL_AVE"

_LOOK_AHEAD = 2048  # texts that are sorted by length together
_TOKENS = 4096  # tokens of a batch, padding included


def extract_embeddings(
    model,
    texts,
    poolings=None,
    vocabs=None,
    cased=False,
    batch_size=None,
    cut_embed=True,
    output_layer_num=1,
    *,
    progress=False,
):
    """Features of texts, or pooled features, as a list in the order of the texts.

    Args:
        model: Path of a model folder in Google's or Hugging Face's layout (see
            `get_checkpoint_paths`), or a Model of token ids and segment ids with one output
            (B, T, D).
        texts: Iterable of texts and pairs of texts: str or (str, str).
        poolings: None for the features of every token; or one of `POOL_NSP` (the first token),
            `POOL_MAX` and `POOL_AVE` (over ids that are not 0, special tokens included), or a list
            of them, whose results are concatenated.
        vocabs: The vocabulary, token -> id, of a Model; not used with a folder, which has its own.
        cased: Whether the vocabulary distinguishes upper and lower case.
        batch_size: The most texts in a batch; None leaves it to the number of tokens.
        cut_embed: Whether token features are cut to the text's length. Otherwise they have the
            model's full length: the number of positions of a folder's model, the length a Model was
            built for, or, built for any, the longest of all texts.
        output_layer_num: With a folder, how many of the last layers to concatenate, as in
            `get_model`.
        progress: Whether to show a progress bar.

    Returns:
        A list of float arrays: (T_i, D) or, pooled, (D·number of poolings,).

    Raises:
        TypeError: If an argument or a text has the wrong type.
        ValueError: If a pooling is unknown, a Model does not fit or comes without `vocabs`, or a
            token has no row in the model's table.
    """
    return list(
        extract_embeddings_generator(
            model,
            texts,
            poolings,
            vocabs,
            cased,
            batch_size,
            cut_embed,
            output_layer_num,
            progress=progress,
        )
    )


def extract_embeddings_generator(
    model,
    texts,
    poolings=None,
    vocabs=None,
    cased=False,
    batch_size=None,
    cut_embed=True,
    output_layer_num=1,
    *,
    progress=False,
):
    """`extract_embeddings` one text after the other, reading at most 2,048 texts ahead.

    Arguments are those of `extract_embeddings`; they are checked at once, before the first text.

    Returns:
        An iterator of arrays.
    """
    poolings = _check_poolings(poolings)
    if isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable):
        raise TypeError(
            "`texts` must be an iterable of texts, such as a list. "
            f"Received: {texts!r:.60} (a {type(texts).__name__})."
        )
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"`batch_size` must be positive or None. Received: {batch_size}.")
    if isinstance(model, (str, os.PathLike)):
        paths = get_checkpoint_paths(model)
        _warn_of_case(model, cased)
        vocabs = load_vocabulary(paths.vocab)
        model = load_trained_model_from_checkpoint(
            paths.config, paths.checkpoint, output_layer_num=output_layer_num, seq_len=None
        )
        full_length = _position_num(model)
    else:
        _check_model(model, vocabs)
        full_length = model.outputs[0].shape[1]
    extractor = _Extractor(model, Tokenizer(vocabs, cased=cased), batch_size)
    bar = tqdm(texts, desc="extract_embeddings", unit="text", disable=not progress)
    if poolings is None and not cut_embed:
        if full_length is None:
            texts = extractor.encode(enumerate(bar))
            full_length = max((len(ids) for ids, _ in texts), default=0)
            return extractor.run(iter(texts), full_length, lambda features, *_: features)
        return extractor.stream(bar, full_length, lambda features, *_: features)
    if poolings is None:
        return extractor.stream(bar, None, lambda features, ids, length: features[:length])
    return extractor.stream(bar, None, lambda *row: _pool(poolings, *row))


class _Extractor:
    """A model with its tokenizer."""

    def __init__(self, model, tokenizer: Tokenizer, batch_size: int | None):
        self.tokenizer = tokenizer
        self.batch_size = batch_size
        self.fixed_length = model.outputs[0].shape[1]
        self.limit = self.fixed_length or _position_num(model)
        if self.fixed_length is not None and _runs_at_any_length(model):
            model = _any_length_twin(model)
            self.fixed_length = None
        self.model = model
        self.token_num = next(
            (each.input_dim for each in model.layers if isinstance(each, TokenEmbedding)), None
        )

    def encode(self, numbered_texts) -> list[tuple[list[int], list[int]]]:
        """Token and segment ids of texts, cut to the model's positions but not padded."""
        encoded = []
        for index, text in numbered_texts:
            pair = _first_and_second(text, index)
            ids, segments = self.tokenizer.encode(*pair)
            if self.limit is not None and len(ids) > self.limit:
                ids, segments = self.tokenizer.encode(*pair, max_len=self.limit)
            if self.token_num is not None and max(ids) >= self.token_num:
                raise ValueError(
                    f"Text {index} has the token id {max(ids)}, but the model's table holds "
                    f"{self.token_num} tokens. Pass the vocabulary that belongs to this model."
                )
            encoded.append((ids, segments))
        return encoded

    def stream(self, texts, length, finish) -> Iterator[np.ndarray]:
        numbered = enumerate(texts)
        while window := self.encode(islice(numbered, _LOOK_AHEAD)):
            yield from self.run(iter(window), length, finish)

    def run(self, encoded, length, finish) -> Iterator[np.ndarray]:
        """Results in order; `finish` makes one of a row's features, ids and length."""
        while window := list(islice(encoded, _LOOK_AHEAD)):
            results: list = [None] * len(window)
            order = sorted(range(len(window)), key=lambda index: -len(window[index][0]))
            start = 0
            while start < len(order):
                padded = length or self.fixed_length or _bucket(len(window[order[start]][0]))
                if self.limit is not None:
                    padded = min(padded, self.limit)
                count = max(1, _TOKENS // padded)
                if self.batch_size is not None:
                    count = min(count, self.batch_size)
                batch = order[start : start + count]
                start += count
                ids, segments = (
                    _pad([window[index][part] for index in batch], padded) for part in (0, 1)
                )
                features = np.asarray(self.model.predict_on_batch([ids, segments]))
                if features.dtype.itemsize < 4:
                    features = features.astype("float32")
                for row, index in enumerate(batch):
                    results[index] = finish(features[row], ids[row], len(window[index][0]))
            yield from results


def _pad(rows, length: int) -> np.ndarray:
    padded = np.zeros((len(rows), length), "int32")
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = row
    return padded


def _bucket(length: int) -> int:
    """The next of a few lengths, since every shape of a batch is compiled once."""
    step = 8 if length <= 64 else 16 if length <= 128 else 32
    return -(-length // step) * step


def _pool(poolings, features, ids, length):
    mask = ids[:length] != 0
    pooled = []
    for pooling in poolings:
        if pooling == POOL_NSP:
            pooled.append(features[0])
        elif pooling == POOL_MAX:
            lowered = features[:length] - np.where(mask, 0, 1e6).astype("float32")[:, None]
            pooled.append(lowered.max(axis=0))
        else:
            pooled.append(features[:length][mask].mean(axis=0))
    return np.concatenate(pooled)


def _check_poolings(poolings):
    if poolings is None:
        return None
    listed = [poolings] if isinstance(poolings, str) else list(poolings)
    unknown = [each for each in listed if each not in (POOL_NSP, POOL_MAX, POOL_AVE)]
    if unknown or not listed:
        raise ValueError(
            "`poolings` must be POOL_NSP, POOL_MAX, POOL_AVE or a list of them. "
            f"Unknown pooling method: {poolings!r}."
        )
    return listed


def _check_model(model, vocabs) -> None:
    if not hasattr(model, "predict_on_batch"):
        raise TypeError(
            f"`model` must be the path of a folder or a Model. Received: {type(model).__name__}."
        )
    if vocabs is None:
        raise ValueError("`vocabs` is needed with a Model: a dict of its tokens and their ids.")
    if len(model.inputs) != 2 or len(model.outputs) != 1 or len(model.outputs[0].shape) != 3:
        raise ValueError(
            "`model` must take token ids and segment ids and give one output (B, T, D), as models "
            "built with training=False do. Received: "
            f"{len(model.inputs)} inputs and outputs of shapes "
            f"{[tuple(output.shape) for output in model.outputs]}."
        )


def _first_and_second(text, index: int):
    if isinstance(text, str):
        return (text,)
    is_pair = isinstance(text, (tuple, list)) and len(text) == 2
    if is_pair and all(isinstance(part, str) for part in text):
        return tuple(text)
    raise TypeError(
        f"Text {index} must be a str or a pair of str. "
        f"Received: {text!r:.60} (a {type(text).__name__})."
    )


def _warn_of_case(folder, cased: bool) -> None:
    """Hugging Face's folders say whether their vocabulary is lower-cased."""
    try:
        with open(os.path.join(folder, "tokenizer_config.json"), encoding="utf-8") as reader:
            lower = json.load(reader).get("do_lower_case")
    except (OSError, ValueError, AttributeError):
        return
    if isinstance(lower, bool) and lower == cased:
        warnings.warn(
            f"{folder}/tokenizer_config.json says do_lower_case={lower}, `cased` is {cased}: the "
            f"tokens are not those that the model knows. Pass cased={not lower}.",
            stacklevel=3,
        )


def _position_num(model) -> int | None:
    tables = (each for each in model.layers if isinstance(each, PositionEmbedding))
    return next((table.input_dim for table in tables), None)


def _runs_at_any_length(model) -> bool:
    """Whether it has only layers of which we know that the length doesn't matter to them."""
    known = (
        layers.InputLayer,
        layers.Dropout,
        layers.Concatenate,
        Add,
        Embedding,
        PositionEmbedding,
        LayerNormalization,
        MultiHeadAttention,
        FeedForward,
    )
    return all(isinstance(layer, known) for layer in model.layers)


_TWINS: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def _any_length_twin(model):
    """A model for any length with the weights of a model for one length.

    On Keras 3 it is made of the very layers, once for each model. On Keras 2 a further call of a
    layer would make its `output` ambiguous to the user, so there the layers are copied.
    """
    if model in _TWINS:
        return _TWINS[model]
    inputs = [
        layers.Input(shape=(None,), dtype=each.dtype, name=f"{each.name.split(':')[0]}-Any")
        for each in model.inputs
    ]
    if TF_KERAS:
        with utils.custom_object_scope(get_custom_objects()):
            twin = models.clone_model(model, input_tensors=inputs)
        twin.set_weights(model.get_weights())
        return twin
    twin = models.clone_model(model, input_tensors=inputs, clone_function=lambda layer: layer)
    return _TWINS.setdefault(model, twin)
