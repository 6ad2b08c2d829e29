"""From texts to features: tokenizer, batches of about one length, model, pooling.

Legend: B texts of a batch, T their tokens after padding, D features of a token.
"""

from __future__ import annotations

import warnings
import weakref
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sized
from functools import partial

import numpy as np
from tqdm import tqdm

from ..arguments import describe
from ..backend import COMPILES_EVERY_SHAPE, models, on_accelerator, ops, predictor, static_shape
from ..backend.kept import is_patched, made_once
from ..layers import TextPooling
from ..loader.sentence_models import vector_dtype
from ..tokenizer import Tokenizer
from ..tokenizer.cut_texts import CutTexts
from ..tokenizer.unknown_tokens import UnknownTokens
from . import any_length, batching
from .batching import Batch, Row
from .pooling import LAYER_NAMES, POOL_NSP, POOL_SENTENCE


class Pipeline:
    """A model with its tokenizer, which gives features of any number of texts, any number of times.

    Arguments are those of `extract_embeddings`, with a Model and with a list of poolings or None;
    and `full_length`, the length of the features with `cut_embed=False`. None means the length that
    the model was built for or, if it was built for any, that of the longest text. A tokenizer that
    is given as vocabulary has its own settings. `max_length` is the most tokens of a text, `prefix`
    is put before every text, and with `lower_case` both are put in lower case first, whatever the
    tokenizer does.
    """

    def __init__(
        self,
        model,
        vocabulary,
        *,
        poolings=None,
        cased=False,
        official=False,
        batch_size=None,
        cut_embed=True,
        full_length=None,
        max_length=None,
        prefix="",
        lower_case=False,
    ):
        _check_model(model, poolings)
        _check_vocabulary(model, vocabulary)
        self.tokenizer = _tokenizer(model, vocabulary, bool(cased), bool(official))
        built_for = static_shape(model.inputs[0])[1]
        lengths = (built_for or any_length.position_num(model), max_length)
        self.limit = min((each for each in lengths if each is not None), default=None)
        self.cut_texts: CutTexts | None = None  # which counts, for those who want to know
        self._prefix, self._lower_case = prefix, lower_case
        self._segment_num = any_length.segment_num(model)
        self._batch_size = batch_size
        self._cut = cut_embed or poolings is not None
        self._reads_first_token = poolings is not None and set(poolings) == {POOL_NSP}
        full_length = full_length or built_for
        self._pads_to_longest_text = not self._cut and full_length is None
        if not self._cut or not any_length.runs_at_any_length(model):
            self._pad_length_of = batching.pad_to(full_length) if full_length else None
        else:
            bucket = batching.pad_to_bucket(self.limit)
            self._pad_length_of = bucket if COMPILES_EVERY_SHAPE else batching.pad_to_longest
            if built_for:
                model = any_length.any_length_twin(model)
        # Vectors come from the model, or from a layer of what it gives, or are not asked for.
        self._gives_vectors, self._pooling = poolings == [POOL_SENTENCE], None
        if poolings is not None and not self._gives_vectors:
            pooling = TextPooling(
                [LAYER_NAMES[each] for each in poolings], dtype=vector_dtype(model)
            )
            if self._may_have_pooling(model):
                kept = _models_with_pooling[tuple(poolings)]
                model = made_once(kept, model, model, partial(_append, pooling))
                self._gives_vectors = True
            else:
                self._pooling = pooling
        self._predictor = predictor(model, any_length.consists_of_known_layers(model))
        self._width = model.outputs[0].shape[-1]
        if self._pooling is not None:
            self._width *= len(poolings)

    def _may_have_pooling(self, model) -> bool:
        """Whether a model with the pooling behind it would compute what the two do in turn."""
        known = any_length.consists_of_known_layers(model)
        if not known or is_patched(model) or model.run_eagerly:
            return False
        # Of the other poolings `_check_features` refuses its first batch.
        return self._reads_first_token or not any_length.gives_first_tokens_only(model)

    def __call__(self, texts: Iterable, progress: bool = False) -> Iterator[np.ndarray]:
        """Compute an array for every text or pair of texts."""
        for _, features in self.with_ids(texts, progress):
            yield features

    def stack(self, vectors: list[np.ndarray]) -> np.ndarray:
        """Put vectors of texts into one array (number of texts, D), even if there are none."""
        return np.stack(vectors) if vectors else np.zeros((0, self._width), "float32")

    def with_ids(
        self, texts: Iterable, progress: bool = False
    ) -> Iterator[tuple[list[int], np.ndarray]]:
        """Compute for every text the ids of its tokens, special tokens included, and its array."""
        unknown = UnknownTokens(self.tokenizer)
        rows: Iterable[Row] = self._encode(texts, unknown)
        pad_length_of = self._pad_length_of
        if self._pads_to_longest_text:
            rows = list(rows)
            pad_length_of = batching.pad_to(max((len(ids) for ids, _, _ in rows), default=0))
        total = len(texts) if isinstance(texts, Sized) else None
        bar = tqdm(desc="extract_embeddings", unit="text", total=total, disable=not progress)

        begin, budget, ahead = self._in_turn, batching.CPU, 0
        if on_accelerator():
            budget = batching.ACCELERATOR
            if self._gives_vectors:
                begin, ahead = self._all_at_once, 1

        def compute(batches: Iterable[Batch]) -> Iterator[list[np.ndarray]]:
            """Begin at once, as no generator would, and count what is taken."""
            return counted(begin(batches))

        def counted(computed: Iterable[list[np.ndarray]]) -> Iterator[list[np.ndarray]]:
            for results in computed:
                bar.update(len(results))
                yield results

        with bar:
            for (ids, _, _), features in batching.map_in_batches(
                *(compute, rows, pad_length_of, self._batch_size, COMPILES_EVERY_SHAPE),
                *(budget, ahead),
            ):
                yield ids, features
        if message := unknown.message():
            warnings.warn(message[0].upper() + message[1:], stacklevel=2)

    def _in_turn(self, batches: Iterable[Batch]) -> Iterator[list[np.ndarray]]:
        """Results of batches, of which the next is begun when one has been taken."""
        predict = self._predictor
        return batching.map_in_threads(
            self._compute, batches, predict.threads(), predict.begin_thread()
        )

    def _all_at_once(self, batches: Iterable[Batch]) -> Iterator[list[np.ndarray]]:
        """Vectors of batches that are all begun here, before any is waited for."""
        given = list(batches)
        begun = [self._predictor.call([each.token_ids, each.segment_ids]) for each in given]

        def fetch():
            for batch, vectors in zip(given, self._predictor.fetch(begun), strict=True):
                yield list(vectors[: len(batch.lengths)])

        return fetch()

    def _encode(self, texts: Iterable, unknown: UnknownTokens) -> Iterator[Row]:
        """Token ids of every text, cut to the model's length but not padded."""
        for index, text in enumerate(texts):
            first, second = _as_pair(text, index)
            if second is not None and self._segment_num == 1:
                raise ValueError(
                    f"Text {index} is a pair, and the model knows one segment only "
                    "(type_vocab_size=1 in its configuration). Pass single texts."
                )
            first = self._prefix + first
            if self._lower_case:
                first, second = first.lower(), None if second is None else second.lower()
            row = self.tokenizer._encode(first, second, self.limit)
            if self.cut_texts is not None:
                self.cut_texts.count(row[0], first, second)
            unknown.count(row[0], special=3 if row[2] else 2)
            yield row

    def _compute(self, batch: Batch) -> list[np.ndarray]:
        """A result for each row of a batch; it keeps nothing else of the batch in memory."""
        output = self._predictor.call([batch.token_ids, batch.segment_ids])
        (output,) = self._predictor.fetch([output])
        if not self._gives_vectors:
            self._check_features(output, batch)
        if self._pooling is not None:
            output = ops.convert_to_numpy(self._pooling([output, batch.token_ids]))
        if self._gives_vectors or self._pooling is not None:
            return [each.copy() for each in output[: len(batch.lengths)]]
        features = output
        if features.dtype.itemsize < 4:  # a 16-bit policy
            features = features.astype("float32")
        lengths = batch.lengths.tolist() if self._cut else [None] * len(batch.lengths)
        return [each[:length].copy() for each, length in zip(features, lengths, strict=False)]

    def _check_features(self, features, batch: Batch) -> None:
        length = 1 if self._reads_first_token else batch.token_ids.shape[1]
        if features.shape[1] < length:
            raise ValueError(
                "`model` must give features of every token; built with `output_len` it does not. "
                f"Received: features of {features.shape[1]} of {batch.token_ids.shape[1]} tokens."
            )


# By poolings and model, the model with the pooling behind it.
_models_with_pooling: defaultdict = defaultdict(weakref.WeakKeyDictionary)


def _append(pooling: TextPooling, model: models.Model) -> models.Model:
    """A model of the vectors that the pooling makes of a model's features."""
    return models.Model(model.inputs, pooling([model.outputs[0], model.inputs[0]]))


def _as_pair(text, index: int) -> tuple[str, str | None]:
    if isinstance(text, str):
        return text, None
    is_pair = isinstance(text, (tuple, list)) and len(text) == 2
    if not is_pair or not all(isinstance(part, str) for part in text):
        raise TypeError(f"Text {index} must be a str or a pair of str. Received: {describe(text)}.")
    return text[0], text[1]


# For each model the last vocabulary, a copy, with its options and its tokenizer.
_tokenizers: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def _tokenizer(model, vocabulary, cased: bool, official: bool) -> Tokenizer:
    """The tokenizer of a model's last vocabulary: making one takes longer than encoding a text.

    What is a tokenizer already, is taken as it is.
    """
    if not isinstance(vocabulary, Mapping):
        return vocabulary
    options = {"cased": cased, "official": official}
    try:
        kept = _tokenizers.get(model)
    except TypeError:  # what stands in for a model may be no key
        return Tokenizer(vocabulary, **options)
    if type(vocabulary) is not dict:  # another mapping may not compare by its contents
        return Tokenizer(vocabulary, **options)
    if kept is None or kept[0] != (vocabulary, options):
        copy = dict(vocabulary)
        kept = _tokenizers[model] = (copy, options), Tokenizer(copy, **options)
    return kept[1]


def _check_model(model, poolings) -> None:
    if not hasattr(model, "predict_on_batch"):
        raise TypeError(f"`model` must be a folder's path or a Model. Received: {describe(model)}.")
    inputs = [static_shape(each) for each in getattr(model, "inputs", None) or []]
    outputs = [static_shape(each) for each in getattr(model, "outputs", None) or []]
    fits = len(inputs) == 2 and len(outputs) == 1
    if poolings == [POOL_SENTENCE]:
        if not fits or len(outputs[0]) != 2:
            raise ValueError(
                f"With {POOL_SENTENCE}, `model` must take token ids and segment ids (B, T) and "
                "give vectors (B, D), as those of load_sentence_model do. "
                f"Received: inputs of shapes {inputs}, outputs of shapes {outputs}."
            )
        return
    if not fits or len(outputs[0]) != 3 or outputs[0][1] not in (None, inputs[0][1]):
        message = (
            "`model` must take token ids and segment ids (B, T) and nothing else, such as task ids "
            "or marks of masked positions, and give one output (B, T, D), as models built with "
            f"training=False do. Received: inputs of shapes {inputs}, outputs of shapes {outputs}."
        )
        if fits and len(outputs[0]) == 2:
            message += f" For the vectors of a sentence model, pass poolings={POOL_SENTENCE!r}."
        raise ValueError(message)


def check_vocabs(vocabs) -> None:
    """Refuse what is neither a vocabulary nor a tokenizer."""
    vocabulary = getattr(vocabs, "_token_dict", vocabs)
    if not isinstance(vocabulary, Mapping) or not vocabulary:
        raise TypeError(
            "`vocabs` must be a dict of tokens and their ids, or a tokenizer. "
            f"Received: {describe(vocabs)}."
        )


def _check_vocabulary(model, vocabulary) -> None:
    vocabulary = getattr(vocabulary, "_token_dict", vocabulary)
    if vocabulary is None:
        raise ValueError("`vocabs` is needed with a Model: a dict of its tokens and their ids.")
    check_vocabs(vocabulary)
    rows, largest = any_length.token_num(model), max(vocabulary.values())
    if min(vocabulary.values()) < 0:
        raise ValueError(
            "`vocabs` must give tokens ids of at least 0. "
            f"Received: the id {min(vocabulary.values())}."
        )
    if rows is not None and largest >= rows:
        raise ValueError(
            f"The vocabulary does not belong to the model: it has the id {largest}, the model's "
            f"table holds {rows} tokens."
        )
