"""Another vocabulary for a model: which tokens stay, which come, and what their weights are."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ..arguments import describe, shorten
from .alignment import CONTINUATION
from .characters import is_cjk_character
from .special_tokens import is_padding, is_special
from .tokenizer import Tokenizer
from .vocabulary import SPACE, fits_a_line
from .word_pieces import greedy_pieces


class VocabularyChange:
    """What to keep of a vocabulary and what to add to it, for a model to follow.

    `load_trained_model_from_checkpoint(…, vocabulary_change=change)` gives the model,
    `Tokenizer(change.vocabulary)` its tokenizer. The rows of kept tokens, in the token table and in
    the bias of the MLM head, stay bit by bit, and so do outputs for these tokens. Without added
    tokens the MLM probabilities are those from before, divided by their sum over what was kept.

    The token of id 0, which models take as padding, and the special tokens always stay, in capitals
    or not.

    Args:
        vocabulary: Token to id, the vocabulary of the checkpoint; its ids are 0, 1, 2, … without
            gaps, one for each row of the token table.
        keep: The tokens to keep besides the special ones; None for all.
        add: New tokens. Those that continue a word begin with `##`. (The tokenizer meets a new
            token only as a whole word or piece: punctuation and CJK characters do not join, and a
            warning names tokens in which a CJK character is not alone.)
        initializer: The new tokens' rows of the table: "pieces", the mean of the token's pieces or,
            where the vocabulary has none, of all tokens; "mean", that of all tokens; or a function
            that takes their shape (number of tokens, D) and returns them. The MLM bias is the mean
            of the pieces' or, with "mean" and functions, of all.

    Attributes:
        old: The vocabulary from before, in the order of the ids.
        vocabulary: The new one: kept tokens in the order of their ids, then the added ones.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If ids have gaps or padding is not 0; a token of `keep` or `add` occurs twice;
            one of `keep` is not in the vocabulary, or one of `add` is, or is padding, or cannot
            stand in a vocabulary file; or the initializer is unknown.

    Example:
        >>> vocabulary = {"[PAD]": 0, "[UNK]": 1, "the": 2, "play": 3, "##ground": 4}
        >>> change = VocabularyChange(vocabulary, keep=["play"], add=["playground"])
        >>> change.vocabulary
        {'[PAD]': 0, '[UNK]': 1, 'play': 2, 'playground': 3}
        >>> change.rows(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, 5.0]]))
        array([[0. , 0. ],
               [1. , 1. ],
               [3. , 3. ],
               [3.5, 4. ]])

    Reference:
        Hewitt, Initializing New Word Embeddings for Pretrained Language Models,
        https://nlp.stanford.edu/~johnhew/vocab-expansion.html
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        keep: Iterable[str] | None = None,
        add: Iterable[str] = (),
        *,
        initializer: Literal["pieces", "mean"] | Callable[[tuple[int, int]], ArrayLike] = "pieces",
    ):
        if initializer not in ("pieces", "mean") and not callable(initializer):
            raise ValueError(
                "`initializer` must be 'pieces', 'mean' or a function of the shape of the rows. "
                f"Received: {describe(initializer)}"
            )
        _check_ids(vocabulary)
        self.old = dict(sorted(vocabulary.items(), key=lambda entry: entry[1]))
        kept = self._kept(keep)
        self._kept_ids = np.array([self.old[token] for token in kept], "int64")
        self._added = self._checked_additions(add)
        self._initializer = initializer
        self.vocabulary = {token: index for index, token in enumerate([*kept, *self._added])}

    def rows(self, table: np.ndarray) -> np.ndarray:
        """Carry weights to the new vocabulary.

        Args:
            table: One row for each token of the old vocabulary: (V, D), or (V,) of a bias.

        Returns:
            One row for each token of the new vocabulary, of the same type.

        Raises:
            ValueError: If the table has another number of rows, or what the initializer returns
                another shape than was asked for.
        """
        self.check_size(len(table))
        kept = table[self._kept_ids]
        if not self._added:
            return kept
        return np.concatenate([kept, self._new_rows(table).astype(table.dtype)])

    def check_size(self, rows: int) -> None:
        """Raise a ValueError unless a table of so many rows belongs to the old vocabulary."""
        if rows != len(self.old):
            raise ValueError(
                "`vocabulary_change` must be made from the model's own vocabulary, with a token "
                f"for each of its {rows} rows. Received: one of {len(self.old)} tokens."
            )

    def _new_rows(self, table: np.ndarray) -> np.ndarray:
        if callable(self._initializer) and table.ndim == 2:
            wanted = (len(self._added), table.shape[1])
            made = np.asarray(self._initializer(wanted))
            if made.shape != wanted:
                raise ValueError(
                    f"`initializer` must return rows of the shape {wanted}. "
                    f"Received: the shape {made.shape}"
                )
            return made
        mean = table.mean(axis=0, dtype="float64")  # 16-bit floats would not do for sums
        if self._initializer != "pieces":
            return np.stack([mean] * len(self._added))
        return np.stack(
            [table[ids].mean(axis=0, dtype="float64") if ids else mean for ids in self._piece_ids()]
        )

    def _piece_ids(self) -> list[list[int]]:
        """Ids of the pieces of each new token that the old vocabulary has."""
        tokenizer = Tokenizer(self.old, cased=True)
        # What continues a word, also without its prefix, so that a new token may begin with it.
        later = {token for token in self.old if token.startswith(CONTINUATION)}
        later |= {token.removeprefix(CONTINUATION) for token in later}
        found = []
        for token in self._added:
            if token.startswith(CONTINUATION):
                pieces = greedy_pieces(token.removeprefix(CONTINUATION), later)
                pieces = [CONTINUATION + each.removeprefix(CONTINUATION) for each in pieces]
            else:
                pieces = tokenizer._tokenize(token)
            found.append([self.old[piece] for piece in pieces if piece in self.old])
        return found

    def _kept(self, keep: Iterable[str] | None) -> list[str]:
        if keep is None:
            return list(self.old)
        wanted = set(_listed("keep", keep))
        missing = [token for token in wanted if token not in self.old]
        if missing:
            raise ValueError(
                "`keep` must name tokens of the vocabulary. Received, besides such: "
                f"{shorten(sorted(missing))}. Intersect it with the vocabulary, or `add` them."
            )
        return [t for t, index in self.old.items() if index == 0 or t in wanted or is_special(t)]

    def _checked_additions(self, add: Iterable[str]) -> list[str]:
        listed = _listed("add", add)
        present = [token for token in listed if token in self.old]
        if present:
            raise ValueError(
                "`add` must name tokens that the vocabulary lacks. Received, besides such: "
                f"{shorten(present)}. For those, `keep` is enough."
            )
        padding = list(filter(is_padding, listed))
        if padding:
            raise ValueError(
                "`add` cannot name padding, which has to be id 0: new tokens come last. "
                f"Received: {shorten(padding)}"
            )
        unfit = [token for token in listed if not fits_a_line(token)]
        if unfit:
            raise ValueError(
                "`add` must name tokens that can stand in a line of a vocabulary file: no line "
                "breaks, no blanks at the ends, no lone surrogates. "
                f"Received: {shorten(unfit)}"
            )
        never_made = [
            token for token in listed if len(token) > 1 and any(map(is_cjk_character, token))
        ]
        if never_made:
            warnings.warn(
                "The tokenizer makes each Chinese character a token of its own, and so never one "
                f"of these that are added: {shorten(never_made)}. They are of use only where "
                "another program makes the ids, or the folder's files say that Chinese words or "
                "these tokens stay whole.",
                stacklevel=3,
            )
        return listed


def _check_ids(vocabulary: Mapping[str, int]) -> None:
    if not isinstance(vocabulary, Mapping):
        raise TypeError(f"`vocabulary` must map tokens to ids. Received: {describe(vocabulary)}")
    if sum(token.startswith(SPACE) for token in vocabulary) * 10 > len(vocabulary):
        raise ValueError(
            "`vocabulary` must be a WordPiece vocabulary. A SentencePiece model, as English ALBERT "
            "models have, cannot be changed: its pieces have probabilities, which would have to be "
            f"learned anew. Received: {shorten(list(vocabulary))}"
        )
    if sorted(vocabulary.values()) != list(range(len(vocabulary))):
        raise ValueError(
            "`vocabulary` must give each row of the model's table one token: ids from 0 to "
            f"{len(vocabulary) - 1} for {len(vocabulary)} tokens, without gaps. Name rows that "
            f"have no token, such as '[unused1]'. Received: {shorten(vocabulary)}"
        )
    paddings = {token: index for token, index in vocabulary.items() if is_padding(token)}
    if paddings and 0 not in paddings.values():
        raise ValueError(
            f"`vocabulary` must have padding as id 0, as models have. Received: {paddings}"
        )


def _listed(name: str, tokens: Iterable[str]) -> list[str]:
    listed = list(tokens) if isinstance(tokens, Iterable) else [tokens]
    if isinstance(tokens, str) or not all(isinstance(token, str) for token in listed):
        raise TypeError(f"`{name}` must be tokens, several strings. Received: {describe(tokens)}")
    twice = [token for token, count in Counter(listed).items() if count > 1]
    if twice:
        raise ValueError(f"`{name}` must name each token once. Received twice: {shorten(twice)}")
    return listed
