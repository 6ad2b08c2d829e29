"""Features of texts in one call."""

from __future__ import annotations

import os
import warnings
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..arguments import as_integer, check_is_no_table, describe
from ..checkpoints.paths import get_checkpoint_paths
from ..datasets.folders import model_folder
from ..loader import load_trained_model_from_checkpoint
from ..loader.text_settings import settings_of
from ..tokenizer import Tokenizer, load_tokenizer
from ..tokenizer.vocabulary import find_case
from .any_length import position_num
from .pipeline import Pipeline, check_vocabs
from .pooling import POOL_NSP, POOL_SENTENCE, check_poolings
from .sentences import sentence_model

Texts = Iterable[str | tuple[str, str]]


def extract_embeddings(
    model: Any,
    texts: Texts,
    poolings: str | Sequence[str] | None = None,
    vocabs: Mapping[str, int] | Tokenizer | None = None,
    cased: bool | None = None,
    batch_size: int | None = None,
    cut_embed: bool = True,
    output_layer_num: int | Sequence[int] = 1,
    *,
    progress: bool = False,
    official: bool = False,
    prompt: str | None = None,
    stacked: bool = False,
) -> Any:
    """Compute features of texts, or pooled features.

    Args:
        model: Path of a model folder in Google's or Hugging Face's layout (see
            `get_checkpoint_paths`), or what else `get_pretrained` takes, such as "tiny" or
            "hf://org/name"; or a Model of token ids and segment ids (B, T) with one output
            (B, T, D), or with `POOL_SENTENCE` one of `load_sentence_model`.
        texts: Texts and pairs of texts: str or (str, str). What is too long for the model is cut.
        poolings: None for the features of every token; or one of `POOL_NSP` (the first token),
            `POOL_MAX` and `POOL_AVE` (over ids that are not 0, special tokens included), or a list
            of them, whose results are concatenated; or `POOL_SENTENCE` for the vectors of a
            sentence model, as its folder of sentence-transformers describes them, with the folder's
            maximal length and prompts, and always with official tokens.
        vocabs: The vocabulary of a Model, token to id, or a tokenizer, such as a
            `SentencePieceTokenizer`, whose own `cased` and `official` hold. A folder has its own
            vocabulary, which is used in place of another that is given, with a warning (but with
            `POOL_SENTENCE`, where the given one is used). The id 0 is padding, whatever it is
            called, and is not looked at.
        cased: Whether texts keep their case and accents. None means False, with a warning where the
            folder, or else a vocabulary with capital letters, says that they do; with
            `POOL_SENTENCE` what the sentence model's folder says.
        batch_size: The most texts in a batch; None leaves it to their number of tokens. (On CPUs,
            TensorFlow computes two batches at a time, in twice the memory.)
        cut_embed: Whether features of tokens are cut to the text's length. Otherwise they have the
            model's full length: the number of positions of a folder's model, the length a Model was
            built for, or, built for any, the length of the longest of all texts.
        output_layer_num: With a folder, which of its last layers to concatenate, as in `get_model`:
            a number above that of its layers means all of them.
        progress: Whether to show a progress bar.
        official: Whether texts are cut exactly as by BERT's own tokenizer, see `Tokenizer`.
        prompt: With `POOL_SENTENCE`, the name of one of the folder's prompts, such as "query",
            which is put before every text. None for the folder's default, if it has one; "" for
            none.
        stacked: With a pooling, whether to return one array.

    Returns:
        A list with an array for every text, in the order of the texts: (T_i, D) or, pooled,
        (D·number of poolings,); `stacked`, an array (number of texts, D·number of poolings).

    Raises:
        TypeError: If an argument or a text has the wrong type.
        ValueError: If a pooling is unknown, or a Model does not fit, comes without `vocabs` or with
            one that is larger than its table, or a text is a pair and the model knows one segment.

    Example:
        >>> from keras_bert import POOL_AVE, extract_embeddings
        >>> texts = ["all work and no play", "makes jack a dull boy~"]
        >>> vectors = extract_embeddings(
        ...     "tiny", texts, poolings=POOL_AVE, stacked=True, progress=True
        ... )
        >>> vectors.shape
        (2, 128)
        >>> [features.shape for features in extract_embeddings("tiny", texts)]
        [(7, 128), (8, 128)]
    """
    _check_texts(texts)
    if stacked and poolings is None:
        raise ValueError(
            "`stacked` needs `poolings`: texts differ in their numbers of tokens. "
            "Received: stacked=True, poolings=None."
        )
    extract = make_pipeline(
        model, poolings, vocabs, cased, batch_size, cut_embed, output_layer_num, official, prompt
    )
    vectors = list(extract(texts, progress))
    return extract.stack(vectors) if stacked else vectors


def extract_embeddings_generator(
    model: Any,
    texts: Texts,
    poolings: str | Sequence[str] | None = None,
    vocabs: Mapping[str, int] | Tokenizer | None = None,
    cased: bool | None = None,
    batch_size: int | None = None,
    cut_embed: bool = True,
    output_layer_num: int | Sequence[int] = 1,
    *,
    progress: bool = False,
    official: bool = False,
    prompt: str | None = None,
) -> Iterator[np.ndarray]:
    """`extract_embeddings` for texts without end: at most 2,048 are read ahead.

    Arguments are those of `extract_embeddings`. They are checked, and a folder is loaded, before
    the first text is read. (All texts are read where `cut_embed=False` makes the length depend on
    them.)

    Returns:
        An iterator over the arrays.

    Example:
        >>> from keras_bert import PretrainedList, extract_embeddings_generator
        >>> lines = (f"sentence {number}" for number in range(3))
        >>> for vector in extract_embeddings_generator(PretrainedList.tiny, lines, "POOL_NSP"):
        ...     print(vector.shape)
        (128,)
        (128,)
        (128,)
    """
    _check_texts(texts)
    extract = make_pipeline(
        model, poolings, vocabs, cased, batch_size, cut_embed, output_layer_num, official, prompt
    )
    return extract(texts, progress)


def make_pipeline(
    model,
    poolings=None,
    vocabs=None,
    cased=None,
    batch_size=None,
    cut_embed=True,
    output_layer_num=1,
    official=False,
    prompt=None,
) -> Pipeline:
    """All that `extract_embeddings` does before it looks at texts, by the same arguments."""
    poolings = check_poolings(poolings)
    if vocabs is not None:
        check_vocabs(vocabs)
    if batch_size is not None:
        if as_integer("batch_size", batch_size) < 1:
            raise ValueError(f"`batch_size` must be positive or None. Received: {batch_size}.")
        batch_size = int(batch_size)
    if poolings == [POOL_SENTENCE]:
        pipeline = _sentence_pipeline(model, vocabs, cased, batch_size, output_layer_num, prompt)
        is_open = cased is None and isinstance(vocabs, Mapping)
        if is_open and not isinstance(model, (str, os.PathLike)) and settings_of(model) is None:
            _warn_of_case(None, pipeline.tokenizer)
        return pipeline
    if prompt is not None:
        raise ValueError(
            f"`prompt` is for poolings={POOL_SENTENCE!r}. Received: prompt={prompt!r}, "
            f"poolings={describe(poolings)}."
        )
    folder, full_length, tokenizer = None, None, vocabs
    if isinstance(vocabs, Tokenizer):
        _check_settings(vocabs, cased, official)
        cased = vocabs._cased
    if isinstance(model, (str, os.PathLike)):
        folder = model_folder(model)
        # A model that is asked for the first token alone computes less.
        output_len = 1 if poolings is not None and set(poolings) == {POOL_NSP} else None
        model, tokenizer = _load(folder, output_layer_num, output_len, bool(cased), official)
        _warn_of_vocabs(vocabs, folder, tokenizer)
        full_length = position_num(model)
    pipeline = Pipeline(
        model,
        tokenizer,
        poolings=poolings,
        cased=bool(cased),
        official=official,
        batch_size=batch_size,
        cut_embed=cut_embed,
        full_length=full_length,
    )
    if cased is None:
        _warn_of_case(folder, pipeline.tokenizer)
    return pipeline


def _sentence_pipeline(model, vocabs, cased, batch_size, output_layer_num, prompt) -> Pipeline:
    if output_layer_num != 1:
        raise ValueError(
            f"With {POOL_SENTENCE} the folder says which layer counts: leave out "
            f"`output_layer_num`. Received: {describe(output_layer_num)}."
        )
    model, settings = sentence_model(model, vocabs, cased)
    return Pipeline(
        model,
        settings.tokenizer,
        poolings=[POOL_SENTENCE],
        batch_size=batch_size,
        max_length=settings.max_length,
        prefix=settings.prompt(prompt),
        lower_case=settings.lower_case,
    )


def _check_settings(tokenizer: Tokenizer, cased: bool | None, official: bool) -> None:
    """Refuse what contradicts a tokenizer that was given."""
    for name, asked, has in (
        ("cased", cased, tokenizer._cased),
        ("official", official or None, tokenizer._official),
    ):
        if asked is not None and bool(asked) != bool(has):
            raise ValueError(
                f"`{name}` must be that of the tokenizer that is given as `vocabs`, or be left "
                f"out. Received: {name}={asked}, and a tokenizer with {name}={has}."
            )


def _load(folder, output_layer_num, output_len, cased, official):
    paths = get_checkpoint_paths(folder)
    model = load_trained_model_from_checkpoint(
        paths.config,
        paths.checkpoint,
        output_layer_num=output_layer_num,
        seq_len=None,
        output_len=output_len,
    )
    return model, load_tokenizer(paths.vocab, cased, official=official)


def _warn_of_vocabs(given, folder, used: Tokenizer) -> None:
    """Warn of `vocabs` that a folder has no use for, unless they are the folder's."""
    if given is None:
        return
    tokens = given._token_dict if isinstance(given, Tokenizer) else given
    # The folder's files may add tokens to those of its vocabulary.
    is_same = all(used._token_dict.get(token) == index for token, index in tokens.items())
    if isinstance(given, Tokenizer):
        is_same = is_same and type(given) is type(used) and given._official == used._official
    if not is_same:
        warnings.warn(
            f"`vocabs` is for a Model: the folder {folder} has its own vocabulary, which is used. "
            "Load the model, by load_trained_model_from_checkpoint, to use another, or pass "
            "official=True for official tokens.",
            stacklevel=4,  # the caller of extract_embeddings
        )


# By tokenizer, what `find_case` found: reading all tokens takes a while.
_cases: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def _warn_of_case(folder, tokenizer: Tokenizer) -> None:
    """Warn of texts in lower case for a model that knows others, if nobody has asked for them."""
    if tokenizer not in _cases:
        _cases[tokenizer] = find_case(folder, tokenizer._token_dict)
    is_cased, reason = _cases[tokenizer]
    if is_cased:
        warnings.warn(
            f"{reason}, and `cased` was not given: texts are put in lower case, which gives other "
            "tokens than those that the model knows. Pass cased=True, or cased=False if this is "
            "meant.",
            stacklevel=4,  # the caller of extract_embeddings
        )


def _check_texts(texts) -> None:
    if isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable):
        raise TypeError(
            f"`texts` must be an iterable of texts, such as a list. Received: {describe(texts)}."
        )
    check_is_no_table("`texts`", texts)
