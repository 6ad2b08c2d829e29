"""Vectors of texts in batches of a table: the worker of an engine such as Ray or Spark."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ..arguments import as_size, check_is_no_table, describe
from ..backend import limit_threads
from ..checkpoints.paths import get_checkpoint_paths
from ..datasets.folders import model_folder
from ..tokenizer import load_tokenizer
from .embeddings import make_pipeline
from .pooling import POOL_AVE, POOL_SENTENCE


class Extractor:
    """A model that adds a column of vectors to batches of a table, one worker's copy of it.

    For engines that give every worker process an object of a class and batches to call it with:
    `map_batches` of Ray Data takes the class, and `mapInPandas` of Spark the function
    `lambda frames: map(Extractor("MODEL"), frames)`. It needs neither of them itself. The numbers
    are those of `extract_embeddings`, whatever the batches are.

    Args:
        folder: Path of a model folder, see `get_checkpoint_paths`, on every worker's machine, or
            what else `get_pretrained` takes.
        poolings: As of `extract_embeddings`, but not None: one vector per text. `POOL_SENTENCE` for
            a folder of sentence-transformers.
        columns: Name of the column of texts, or a pair of names, for pairs of texts.
        into: Name of the column that is added.
        cased: Whether texts keep their case. None for what the folder says, or else for whether its
            vocabulary has words with capital letters.
        official: Whether texts are cut exactly as by BERT's own tokenizer, see `Tokenizer`.
        output_layer_num: Which of the last layers to concatenate, as in `get_model`.
        batch_size: The most texts that are computed at a time; None leaves it to their length.
        prompt: As of `extract_embeddings`, with `POOL_SENTENCE`.
        threads: Number of threads to compute with, so that several workers on one machine do not
            fight for its cores. None leaves it to the runtime, which takes all cores.

    Call args:
        batch: A mapping of names and columns, such as numpy arrays of N elements, or a pandas
            DataFrame of N rows. At 2,048 rows and more there is least padding.

    Returns:
        The batch with the new column: a mapping gets an array (N, D·number of poolings), a
        DataFrame a column of arrays.

    Raises:
        ValueError: If the folder or an option does not fit, or a column is missing.
        TypeError: If a column is one str, or an element of it is no str, such as a missing value.
        RuntimeError: If `threads` comes too late: TensorFlow has already computed with others.

    Example:
        >>> from keras_bert import Extractor, PretrainedList
        >>> extract = Extractor(PretrainedList.tiny)
        >>> batch = extract({"text": ["all work", "and no play"]})
        >>> batch["vector"].shape
        (2, 128)
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        poolings: str | Sequence[str] = POOL_AVE,
        *,
        columns: str | Sequence[str] = "text",
        into: str = "vector",
        cased: bool | None = None,
        official: bool = False,
        output_layer_num: int | Sequence[int] = 1,
        batch_size: int | None = None,
        prompt: str | None = None,
        threads: int | None = None,
    ):
        if not isinstance(folder, (str, os.PathLike)):
            raise TypeError(f"`folder` must be a path. Received: {describe(folder)}.")
        if poolings is None:
            raise ValueError("`poolings` must not be None: a table gets one vector per text.")
        self.columns = (columns,) if isinstance(columns, str) else tuple(columns)
        if len(self.columns) not in (1, 2):
            raise ValueError(f"`columns` must be one name or two. Received: {describe(columns)}.")
        self.into = into
        if threads is not None:
            _limit_threads(as_size("threads", threads))
        folder = model_folder(folder)
        if cased is None and poolings != POOL_SENTENCE:
            cased = load_tokenizer(get_checkpoint_paths(folder).vocab)._cased
        self._extract = make_pipeline(
            folder,
            poolings,
            cased=cased,
            batch_size=batch_size,
            output_layer_num=output_layer_num,
            official=official,
            prompt=prompt,
        )

    def __call__(self, batch):
        parts = [self._texts(batch, name) for name in self.columns]
        texts = parts[0] if len(parts) == 1 else list(zip(*parts, strict=True))
        vectors = self._extract.stack(list(self._extract(texts)))
        if isinstance(batch, Mapping):
            return {**batch, self.into: vectors}
        return batch.assign(**{self.into: list(vectors)})

    def _texts(self, batch, name: str) -> list[str]:
        if name not in batch:
            raise ValueError(
                f"`columns` must name columns of the table. Received: {name!r}; the table has "
                f"{', '.join(map(repr, batch))}."
            )
        if isinstance(batch[name], (str, bytes)):
            raise TypeError(
                f"Column {name!r} must be a column of texts, such as a list. Received: "
                f"{describe(batch[name])}."
            )
        check_is_no_table(f"Column {name!r}", batch[name])
        texts = list(batch[name])
        for row, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(
                    f"Column {name!r} must hold a str in every row. Received: {describe(text)} in "
                    f"row {row} of a batch. Drop such rows first, or fill them."
                )
        return texts


def _limit_threads(count: int) -> None:
    try:
        limit_threads(count)
    except RuntimeError as error:
        raise RuntimeError(
            "`threads` comes too late: TensorFlow has already computed with another number. Make "
            "the Extractor first in the process, before anything else that computes, or leave "
            f"`threads` out. Received: threads={count}."
        ) from error
