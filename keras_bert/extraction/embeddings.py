"""Features of texts: text -> tokenizer -> batches of about one length -> model -> arrays."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from functools import partial

import numpy as np
from tqdm import tqdm

from ..arguments import as_integer, describe
from ..backend import COMPILES_EVERY_SHAPE, on_accelerator, predictor
from ..checkpoints.paths import get_checkpoint_paths
from ..loader import load_trained_model_from_checkpoint, load_vocabulary
from ..tokenizer.case import declared_lower_case
from ..tokenizer.tokenizer import Tokenizer
from .any_length import (
    any_length_twin,
    consists_of_known_layers,
    position_num,
    runs_at_any_length,
    segment_num,
    token_num,
)
from .batching import (
    ACCELERATOR,
    CPU,
    Batch,
    Row,
    map_in_batches,
    pad_to,
    pad_to_bucket,
    pad_to_longest,
)
from .threads import map_in_threads

POOL_NSP = "POOL_NSP"
POOL_MAX = "POOL_MAX"
POOL_AVE = "POOL_AVE"

# Features (T, D) of a text and a mask (T,) of its ids that are not 0 -> (D,).
_POOLINGS = {
    POOL_NSP: lambda features, mask: features[0],
    POOL_MAX: lambda features, mask: features[mask].max(axis=0),
    POOL_AVE: lambda features, mask: features[mask].mean(axis=0),
}


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
    official=False,
) -> list[np.ndarray]:
    """Compute features of texts, or pooled features.

    Args:
        model: Path of a model folder in Google's or Hugging Face's layout (see
            `get_checkpoint_paths`), or a Model of token ids and segment ids (B, T) with one output
            (B, T, D).
        texts: Iterable of texts and pairs of texts: str or (str, str). What is too long for the
            model is cut.
        poolings: None for the features of every token; or one of `POOL_NSP` (the first token),
            `POOL_MAX` and `POOL_AVE` (over ids that are not 0, special tokens included), or a list
            of them, whose results are concatenated.
        vocabs: The vocabulary of a Model, token -> id. A folder has its own. The id 0 is padding,
            whatever it is called, and is not looked at.
        cased: Whether the vocabulary distinguishes upper and lower case.
        batch_size: The most texts in a batch; None leaves it to their number of tokens. (On CPUs,
            TensorFlow computes two batches at a time, in twice the memory.)
        cut_embed: Whether features of tokens are cut to the text's length. Otherwise they have the
            model's full length: the number of positions of a folder's model, the length a Model was
            built for, or, built for any, the longest of all texts.
        output_layer_num: With a folder, which of its last layers to concatenate, as in `get_model`.
        progress: Whether to show a progress bar.
        official: Whether texts are cut exactly as by BERT's own tokenizer, see `Tokenizer`.

    Returns:
        An array for every text, in the order of the texts: (T_i, D) or, pooled,
        (D·number of poolings,).

    Raises:
        TypeError: If an argument or a text has the wrong type.
        ValueError: If a pooling is unknown, or a Model does not fit, comes without `vocabs` or with
            one that is larger than its table, or a text is a pair and the model knows one segment.
    """
    _check_texts(texts)
    extract = prepare(
        model, poolings, vocabs, cased, batch_size, cut_embed, output_layer_num, official
    )
    return list(extract(texts, progress))


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
    official=False,
) -> Iterator[np.ndarray]:
    """`extract_embeddings` for texts without end: at most 2,048 are read ahead.

    Arguments are those of `extract_embeddings`. They are checked, and a folder is loaded, before
    the first text is read. (All texts are read where `cut_embed=False` makes the length depend on
    them.)

    Returns:
        An iterator over the arrays.
    """
    _check_texts(texts)
    extract = prepare(
        model, poolings, vocabs, cased, batch_size, cut_embed, output_layer_num, official
    )
    return extract(texts, progress)


def prepare(
    model, poolings, vocabs, cased, batch_size, cut_embed, output_layer_num, official
) -> Callable[..., Iterator[np.ndarray]]:
    """All that `extract_embeddings` does before it looks at texts: checks, model, how to pad.

    Returns:
        A function of texts and `progress`. It may be called any number of times, with the same
        model and the same tokenizer, which remembers words.
    """
    poolings = _check_poolings(poolings)
    batch_size = _check_batch_size(batch_size)
    is_folder = isinstance(model, (str, os.PathLike))
    # How many of the first tokens are needed; None for all.
    output_len = 1 if poolings is not None and set(poolings) == {POOL_NSP} else None
    if is_folder:
        _warn_of_case(model, cased)
        model, vocabs = _load(model, output_layer_num, output_len)
    _check_model(model)
    _check_vocabulary(model, vocabs)

    def finish(features: np.ndarray, ids: np.ndarray, length: int) -> np.ndarray:
        """Make a result of a padded row; it keeps nothing else of its batch in memory."""
        if poolings is None:
            return (features[:length] if cut_embed else features).copy()
        features, mask = features[:length], ids[:length] != 0
        return np.concatenate([_POOLINGS[each](features, mask) for each in poolings])

    built_for = model.inputs[0].shape[1]
    limit = built_for or position_num(model)
    segments_known = segment_num(model)
    tokenizer = Tokenizer(vocabs, cased=cased, official=official)
    full_length = limit if is_folder else built_for
    whole = poolings is None and not cut_embed
    if whole or not runs_at_any_length(model):
        padded_length = pad_to(full_length) if full_length else None
    else:
        padded_length = pad_to_bucket(limit) if COMPILES_EVERY_SHAPE else pad_to_longest
        if built_for:
            model = any_length_twin(model)
    run_all = _run_at_longest if whole and not full_length else _run

    def extract(texts: Iterable, progress: bool = False) -> Iterator[np.ndarray]:
        rows = _encode(texts, tokenizer, limit, segments_known)
        count = len(texts) if isinstance(texts, Sized) else None
        bar = partial(
            tqdm, desc="extract_embeddings", unit="text", total=count, disable=not progress
        )
        return run_all(model, finish, bar, batch_size, output_len, padded_length, rows)

    return extract


def _run(model, finish, bar, batch_size, output_len, padded_length, rows) -> Iterator[np.ndarray]:
    """Compute and finish all rows."""
    predict = predictor(model, consists_of_known_layers(model))

    def compute(batch: Batch) -> list[np.ndarray]:
        features = np.asarray(predict.call([batch.token_ids, batch.segment_ids]))
        if features.shape[1] < (output_len or batch.token_ids.shape[1]):
            raise ValueError(
                "`model` must give features of every token; built with `output_len` it does not. "
                f"Received: features of {features.shape[1]} of {batch.token_ids.shape[1]} tokens."
            )
        if features.dtype.itemsize < 4:  # a 16-bit policy
            features = features.astype("float32")
        # The batch may have more rows than there are lengths.
        return list(map(finish, features, batch.token_ids, batch.lengths))

    def compute_all(batches: Iterable[Batch]) -> Iterator[list[np.ndarray]]:
        for results in map_in_threads(compute, batches, predict.threads):
            shown.update(len(results))
            yield results

    with bar() as shown:
        yield from map_in_batches(
            compute_all,
            rows,
            padded_length,
            batch_size,
            few_shapes=COMPILES_EVERY_SHAPE,
            budget=ACCELERATOR if on_accelerator() else CPU,
        )


def _run_at_longest(model, finish, bar, batch_size, output_len, _, rows) -> Iterator[np.ndarray]:
    rows = list(rows)
    length = pad_to(max((len(ids) for ids, _ in rows), default=0))
    yield from _run(model, finish, bar, batch_size, output_len, length, rows)


def _encode(
    texts, tokenizer: Tokenizer, limit: int | None, segments_known: int | None
) -> Iterator[Row]:
    """Token ids and segment ids of every text, cut to the model's length but not padded."""
    for index, text in enumerate(texts):
        pair = _as_pair(text, index)
        if segments_known is not None and len(pair) > segments_known:
            raise ValueError(
                f"Text {index} is a pair, and the model knows one segment only (type_vocab_size=1 "
                "in its configuration). Pass single texts."
            )
        ids, segments = tokenizer.encode(*pair)
        if limit is not None and len(ids) > limit:
            ids, segments = tokenizer.encode(*pair, max_len=limit)
        yield ids, segments


def _as_pair(text, index: int) -> tuple[str, ...]:
    if isinstance(text, str):
        return (text,)
    is_pair = isinstance(text, (tuple, list)) and len(text) == 2
    if not is_pair or not all(isinstance(part, str) for part in text):
        raise TypeError(f"Text {index} must be a str or a pair of str. Received: {describe(text)}.")
    return tuple(text)


def _load(folder, output_layer_num, output_len):
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            "`model` must be the path of a model folder, or a Model. "
            f"Received: {os.fspath(folder)!r}, which is no folder."
        )
    paths = get_checkpoint_paths(folder)
    model = load_trained_model_from_checkpoint(
        paths.config,
        paths.checkpoint,
        output_layer_num=output_layer_num,
        seq_len=None,
        output_len=output_len,
    )
    return model, load_vocabulary(paths.vocab)


def _warn_of_case(folder, cased: bool) -> None:
    """Hugging Face's folders say whether their vocabulary is lower-cased."""
    lower = declared_lower_case(folder)
    if lower == bool(cased):
        warnings.warn(
            f"{folder}/tokenizer_config.json says do_lower_case={lower}, `cased` is {cased}: the "
            f"tokens are not those that the model knows. Pass cased={not lower}.",
            stacklevel=4,  # the caller of extract_embeddings
        )


def _check_poolings(poolings) -> list[str] | None:
    if poolings is None:
        return None
    listed = list(poolings) if isinstance(poolings, (list, tuple)) else [poolings]
    if not listed or not all(isinstance(each, str) and each in _POOLINGS for each in listed):
        raise ValueError(
            f"`poolings` must be one of {', '.join(_POOLINGS)}, or a list of them. "
            f"Unknown pooling method: {describe(poolings)}."
        )
    return listed


def _check_batch_size(batch_size) -> int | None:
    if batch_size is None:
        return None
    if as_integer("batch_size", batch_size) < 1:
        raise ValueError(f"`batch_size` must be positive or None. Received: {batch_size}.")
    return int(batch_size)


def _check_texts(texts) -> None:
    if isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable):
        raise TypeError(
            f"`texts` must be an iterable of texts, such as a list. Received: {describe(texts)}."
        )


def _check_model(model) -> None:
    if not hasattr(model, "predict_on_batch"):
        raise TypeError(f"`model` must be a folder's path or a Model. Received: {describe(model)}.")
    inputs = [tuple(each.shape) for each in getattr(model, "inputs", None) or []]
    outputs = [tuple(each.shape) for each in getattr(model, "outputs", None) or []]
    fits = len(inputs) == 2 and len(outputs) == 1 and len(outputs[0]) == 3
    if not fits or outputs[0][1] not in (None, inputs[0][1]):
        raise ValueError(
            "`model` must take token ids and segment ids (B, T) and nothing else, such as task ids "
            "or places to mask, and give one output (B, T, D), as models built with training=False "
            f"do. Received: inputs of shapes {inputs}, outputs of shapes {outputs}."
        )


def _check_vocabulary(model, vocabs) -> None:
    if vocabs is None:
        raise ValueError("`vocabs` is needed with a Model: a dict of its tokens and their ids.")
    if not isinstance(vocabs, Mapping) or not vocabs:
        raise TypeError(
            f"`vocabs` must be a dict of tokens and their ids. Received: {describe(vocabs)}."
        )
    rows, largest = token_num(model), max(vocabs.values())
    if rows is not None and largest >= rows:
        raise ValueError(
            f"The vocabulary does not belong to the model: it has the id {largest}, the model's "
            f"table holds {rows} tokens."
        )
