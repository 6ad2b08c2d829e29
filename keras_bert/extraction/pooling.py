"""What users call the poolings of features."""

import difflib
from collections.abc import Iterable

from ..arguments import describe

POOL_NSP = "POOL_NSP"
POOL_MAX = "POOL_MAX"
POOL_AVE = "POOL_AVE"
POOL_SENTENCE = "POOL_SENTENCE"

# What `TextPooling` calls those that any model can have.
LAYER_NAMES = {POOL_NSP: "cls", POOL_MAX: "max", POOL_AVE: "mean"}


def check_poolings(poolings) -> list[str] | None:
    """Return one pooling or several as a list, None as None; refuse unknown ones and no pooling."""
    if poolings is None or poolings == POOL_SENTENCE:
        return None if poolings is None else [POOL_SENTENCE]
    listed = list(poolings) if isinstance(poolings, (list, tuple)) else [poolings]
    if listed == [POOL_SENTENCE]:
        return listed
    if not listed or not all(isinstance(each, str) and each in LAYER_NAMES for each in listed):
        raise ValueError(
            f"`poolings` must be one of {', '.join(LAYER_NAMES)}, a list of them, or "
            f"{POOL_SENTENCE} alone, which are names in keras_bert. "
            f"Unknown pooling method: {describe(poolings)}.{_nearest(listed)}"
        )
    return listed


def _nearest(poolings: Iterable) -> str:
    """The question whether a pooling is meant, where the name of one is near."""
    words = {name.removeprefix("POOL_").lower(): name for name in (*LAYER_NAMES, POOL_SENTENCE)}
    words |= {word: name for name, word in LAYER_NAMES.items()}
    for each in poolings:
        if isinstance(each, str) and each not in words.values():
            word = each.lower().removeprefix("pool_")
            if nearest := difflib.get_close_matches(word, words, n=1):
                return f" Is {words[nearest[0]]} meant?"
    return ""
