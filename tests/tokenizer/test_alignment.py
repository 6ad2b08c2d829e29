"""Alignment of tokens with texts, against keras-bert 0.89 and the textbook's edit distance."""

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtimes import once
from tokenizer_texts import OLD, VOCABULARY

from keras_bert.tokenizer import Tokenizer
from keras_bert.tokenizer.alignment import _align, align_tokens
from keras_bert.tokenizer.characters import is_space

pytestmark = once


def test_same_as_old_library():
    for text, tokens, cased, offsets in OLD["rematch"]:
        found = align_tokens(text, tokens, cased, "[UNK]", is_space)
        assert [list(span) for span in found] == offsets, (text, tokens)


@pytest.mark.parametrize(
    ("text", "tokens", "offsets"),
    [
        ("", [], []),
        ("", ["a"], [(0, 0)]),
        ("ab", ["a", "##b"], [(0, 1), (1, 2)]),
        ("#hash tag ##", ["#", "hash", "tag", "##"], [(0, 1), (1, 5), (6, 9), (10, 12)]),
        # What takes the place of a word, or of a part of one, takes in the rest of it.
        ("all rights", ["all", "righs"], [(0, 3), (4, 10)]),
        ("all rights", ["[UNK]", "[UNK]"], [(0, 3), (4, 10)]),
        ("  all  ", ["all"], [(2, 5)]),
    ],
)
def test_wrong_tokens(text, tokens, offsets):
    assert align_tokens(text, tokens, True, "[UNK]", is_space) == offsets


def distance(first, second):
    """The edit distance, a row of the table at a time."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        above, row = row, [i]
        for j, b in enumerate(second, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b)))
    return row[-1]


short_texts = st.text("abc", max_size=12)


@pytest.mark.slow
@settings(deadline=None, max_examples=200)
@given(short_texts, short_texts)
def test_no_alignment_costs_less(text, target):
    aligned = _align(text, target)
    cost = aligned[0] + len(text) - aligned[-1]
    for character, (start, end) in zip(target, pairwise(aligned), strict=True):
        # The last character of the text is the pair, the others are deleted; or an insertion.
        cost += end - 1 - start + (text[end - 1] != character) if end > start else 1
    assert cost == distance(text, target)


def test_long_text_keeps_memory_low():
    # 10,000 characters: the whole table would have two hundred million cells.
    text = "天气很好，我在酒店吃了。word unaffable " * 313
    tokens = Tokenizer(VOCABULARY).tokenize(text)[1:-1]
    tracemalloc.start()
    offsets = align_tokens(text, tokens, False, "[UNK]", is_space)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [text[a:b] for a, b in offsets] == [token.removeprefix("##") for token in tokens]
    assert peak < 20e6
