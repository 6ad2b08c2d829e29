"""Pretraining by masked language modelling and next sentence prediction: batches and loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..arguments import as_size
from ..layers import EmbeddingSimilarity
from ..optimizers import AdamWarmup
from ..tokenizer.special_tokens import (
    PADDING_TOKENS,
    SPECIAL_TOKENS,
    TOKEN_CLS,
    TOKEN_MASK,
    TOKEN_PAD,
    TOKEN_SEP,
    TOKEN_UNK,
)
from ..tokenizer.vocabulary import in_other_case
from .losses import MaskedCrossentropy

# Biases and normalizations are left alone, as in Google's training.
DECAYED_WEIGHTS = ("embeddings", "kernel", "Wq", "Wk", "Wv", "Wo", "W1", "W2")

_DRAWS = 1 << 32  # numbers that a draw of 32 random bits has to choose from


def compile_model(
    model: Any,
    weight_decay: float = 0.01,
    decay_steps: int = 100000,
    warmup_steps: int = 10000,
    learning_rate: float = 1e-4,
) -> None:
    """Compile a model of `get_model(training=True)` for pretraining.

    The loss of each output is `MaskedCrossentropy` with the label ids, that of the MLM output
    computed from logits where the model was built with `max_predictions`. Embeddings and kernels
    are subject to weight decay, biases and normalizations are not.

    Args:
        model: The model, compiled in place.
        weight_decay: Factor of the weight decay.
        decay_steps: Step at which the learning rate reaches 0.
        warmup_steps: Number of steps during which the learning rate rises.
        learning_rate: Peak of the learning rate.

    Raises:
        ValueError: If the model has other heads than MLM and NSP.

    Example:
        >>> from keras_bert import compile_model, get_model
        >>> model = get_model(100, embed_dim=8, transformer_num=1, head_num=2, feed_forward_dim=16)
        >>> compile_model(model, decay_steps=1000, warmup_steps=100)
        >>> type(model.optimizer).__name__
        'AdamWarmup'
    """
    heads = ["MLM", "NSP"]
    if len(model.outputs) == 1:
        heads = [layer.name for layer in model.layers if layer.name in heads]
    if len(heads) != len(model.outputs):
        raise ValueError(
            "`model` must have the heads MLM and NSP, or one of them, and no other output. "
            f"Received: outputs of {[output.name for output in model.outputs]}."
        )
    optimizer = AdamWarmup(
        decay_steps=decay_steps,
        warmup_steps=warmup_steps,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        weight_decay_pattern=list(DECAYED_WEIGHTS),
    )
    from_logits = any(
        isinstance(layer, EmbeddingSimilarity) and layer.return_logits for layer in model.layers
    )
    losses = [MaskedCrossentropy(from_logits=from_logits and head == "MLM") for head in heads]
    model.compile(optimizer=optimizer, loss=losses if len(losses) > 1 else losses[0])


def get_base_dict() -> dict[str, int]:
    """The special tokens with their ids, to begin a vocabulary with.

    Returns:
        A new dict, token to id.

    Example:
        >>> from keras_bert import get_base_dict
        >>> get_base_dict()
        {'': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3, '[MASK]': 4}
    """
    tokens = (TOKEN_PAD, TOKEN_UNK, TOKEN_CLS, TOKEN_SEP, TOKEN_MASK)
    return {token: index for index, token in enumerate(tokens)}


def gen_batch_inputs(
    sentence_pairs: Sequence[tuple[Sequence[str], Sequence[str]]],
    token_dict: Mapping[str, int],
    token_list: Sequence[str],
    seq_len: int = 512,
    mask_rate: float = 0.15,
    mask_mask_rate: float = 0.8,
    mask_random_rate: float = 0.1,
    swap_sentence_rate: float = 0.5,
    force_mask: bool = True,
    *,
    max_predictions: int | None = None,
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Make a batch for pretraining from pairs of consecutive sentences.

    A row reads `[CLS] first [SEP] second [SEP]`, cut to `seq_len`. Numbers are drawn from numpy's
    global generator: after the same `np.random.seed`, the same sentences are swapped as in
    keras-bert 0.89, while the positions to predict are drawn in another order, all at once.

    Args:
        sentence_pairs: Pairs of token lists, B of them.
        token_dict: Token to id, with `[UNK]`, `[CLS]`, `[SEP]`, `[MASK]` and, as padding, the empty
            token or `[PAD]` (with both, the one whose id is 0, which models take for padding).
            Tokens it lacks become `[UNK]`.
        token_list: The tokens that replace others at random; special ones are passed over.
        seq_len: Length T of the rows.
        mask_rate: Probability of a token, special ones excepted, to be one to predict.
        mask_mask_rate: Probability of a token to predict to be replaced by `[MASK]`.
        mask_random_rate: Probability of a token to predict to be replaced by a random one; the
            others stay as they are.
        swap_sentence_rate: Probability of a row to be among those whose second sentences are
            shuffled. Some of them may get their own back.
        force_mask: Whether to mark position 1, unreplaced, in rows that have nothing to predict.
        max_predictions: For a model with the same `max_predictions` K: rows get at most K marks, a
            random choice of those drawn, and the original ids of the marked positions only are
            returned. None for no limit.

    Returns:
        Inputs and outputs for `fit`, two tuples: token ids, segment ids and marks of the positions
        to predict, (B, T) each, 1 where there is one; and the original token ids (B, T, 1) and
        whether the second sentence is another row's (B, 1). All int64, the last float64. With
        `max_predictions` the original ids are (B, K, 1): those of the row's marked positions, from
        left to right, then padding.

    Raises:
        ValueError: If the vocabulary lacks a special token, `token_list` has no others, a sentence
            is a string, `seq_len` leaves no position to force, or `max_predictions` is below 1.

    Example:
        >>> from keras_bert import gen_batch_inputs, get_base_dict
        >>> token_dict = get_base_dict() | {"all": 5, "work": 6, "no": 7, "play": 8}
        >>> pairs = [(["all", "work"], ["no", "play"])]
        >>> inputs, outputs = gen_batch_inputs(pairs, token_dict, list(token_dict), seq_len=10)
        >>> [array.shape for array in inputs], [array.shape for array in outputs]
        ([(1, 10), (1, 10), (1, 10)], [(1, 10, 1), (1, 1)])
        >>> outputs[0][0, :, 0].tolist()
        [2, 5, 6, 3, 7, 8, 3, 0, 0, 0]

    Reference:
        Devlin et al., BERT, https://arxiv.org/abs/1810.04805, section 3.1
    """
    if seq_len < 2:
        raise ValueError(f"`seq_len` must be at least 2. Received: seq_len={seq_len}.")
    if max_predictions is not None:
        max_predictions = as_size("max_predictions", max_predictions)
    padding_id = token_dict[_check_vocabulary(token_dict)]

    second_rows = _shuffled_rows(len(sentence_pairs), swap_sentence_rate)
    labels = np.full((len(second_rows), seq_len), padding_id, dtype=np.int64)
    for row, (first, _), second_row in zip(labels, sentence_pairs, second_rows, strict=True):
        ids = _row_ids(first, sentence_pairs[second_row][1], seq_len, token_dict)
        row[: len(ids)] = ids
    special_ids = [token_dict[token] for token in SPECIAL_TOKENS if token in token_dict]
    drawn = np.random.randint(_DRAWS, size=labels.shape, dtype=np.uint32)
    limit = np.multiply(mask_rate, _DRAWS, dtype=np.float64)  # of a rate in few bits, too
    marked = (drawn < limit) & ~np.isin(labels, special_ids)
    labels[labels == -1] = token_dict[TOKEN_UNK]
    if max_predictions is not None:
        marked = _at_most(max_predictions, marked, drawn)

    tokens = labels.copy()
    tokens[marked] = _replaced(
        labels[marked], mask_mask_rate, mask_random_rate, token_dict, token_list
    )
    if force_mask:
        marked[~marked.any(axis=1), 1] = True
    if max_predictions is not None:
        # Like the model, count no position that holds the id 0, which is padding to it.
        labels = _in_slots(max_predictions, labels, marked & (tokens != 0), padding_id)

    segments = ~_first_positions([len(first) + 2 for first, _ in sentence_pairs], seq_len)
    swapped = second_rows != np.arange(len(second_rows))
    return (
        (tokens, segments.astype(np.int64), marked.astype(np.int64)),
        (labels[..., None], swapped.astype(np.float64)[:, None]),
    )


def _check_vocabulary(token_dict) -> str:
    """Refuse a vocabulary without the special tokens and return the one that pads."""
    needed = (TOKEN_UNK, TOKEN_CLS, TOKEN_SEP, TOKEN_MASK)
    paddings = [token for token in PADDING_TOKENS if token in token_dict]
    missing = [token for token in needed if token not in token_dict]
    if not paddings:
        missing += PADDING_TOKENS
    if missing:
        others = [other for token in missing for other in in_other_case(token, token_dict)]
        raise ValueError(
            f"`token_dict` must hold {', '.join(needed)} and, as padding, '' or '[PAD]'; "
            f"`get_base_dict()` begins such a dict. Missing: {missing}"
            f"{f'; it has {others} in their stead' if others else ''}."
        )
    return min(paddings, key=lambda token: token_dict[token] != 0)


def _shuffled_rows(count: int, rate: float):
    """Row numbers 0 … count − 1, of which a random choice is permuted."""
    rows = np.arange(count)
    chosen = np.flatnonzero(np.random.random(count) < rate)
    rows[chosen] = np.random.permutation(chosen)
    return rows


def _row_ids(first, second, seq_len: int, token_dict) -> list[int]:
    """Ids of a row; -1 keeps an unknown word, which may be masked, apart from a literal [UNK]."""
    for sentence in (first, second):
        if isinstance(sentence, str):
            raise ValueError(
                "`sentence_pairs` must hold pairs of token lists. "
                f"Received the string {sentence[:40]!r}. Tokenize it first."
            )
    tokens = (TOKEN_CLS, *first, TOKEN_SEP, *second, TOKEN_SEP)[:seq_len]
    return [token_dict.get(token, -1) for token in tokens]


def _first_positions(counts, seq_len: int):
    """True at the first positions of every row, as many as its count (B, T)."""
    return np.arange(seq_len) < np.array(counts, dtype=np.int64)[:, None]


def _at_most(count: int, marked, drawn):
    """Marks (B, T) of which every row keeps those `count` whose drawn numbers are the smallest.

    Given that they are below the rate, the numbers are uniform: the choice is a random one.
    """
    if count >= marked.shape[1]:
        return marked
    smallest = np.argpartition(np.where(marked, drawn, _DRAWS - 1), count - 1, axis=1)[:, :count]
    kept = np.zeros_like(marked)
    np.put_along_axis(kept, smallest, True, axis=1)
    return marked & kept


def _in_slots(count: int, labels, used, padding_id: int):
    """Labels of the used positions of each row one after the other, then padding (B, `count`)."""
    slots = np.full((len(labels), count), padding_id, dtype=np.int64)
    slots[_first_positions(used.sum(axis=1), count)] = labels[used]
    return slots


def _replaced(ids, mask_rate: float, random_rate: float, token_dict, token_list):
    """What stands for the ids that are to be predicted."""
    replaced, fate = ids.copy(), np.random.random(len(ids))
    random = (fate >= mask_rate) & (fate < mask_rate + random_rate)
    replaced[fate < mask_rate] = token_dict[TOKEN_MASK]
    replaced[random] = _random_ids(np.count_nonzero(random), token_dict, token_list)
    return replaced


def _random_ids(count: int, token_dict, token_list) -> list[int]:
    """Ids of tokens drawn evenly from those of `token_list` that are not special."""
    if count and all(token in SPECIAL_TOKENS for token in token_list):
        raise ValueError(
            "`token_list` must hold tokens that are not special, to replace others with. "
            f"Received: {list(token_list)}."
        )
    drawn: list[str] = []
    while len(drawn) < count:
        indices = np.random.randint(len(token_list), size=count - len(drawn)).tolist()
        tokens = [token_list[index] for index in indices]
        drawn += [token for token in tokens if token not in SPECIAL_TOKENS]
    unknown_id = token_dict[TOKEN_UNK]
    return [token_dict.get(token, unknown_id) for token in drawn]
