"""Words to pieces, against the definition, and the offsets of the pieces."""

import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtimes import once
from tokenizer_texts import README_DICT

from keras_bert.tokenizer.word_pieces import (
    MAX_INPUT_CHARS_PER_WORD,
    PieceSearch,
    TokenWithOffsets,
    greedy_pieces,
    piece_offsets,
)
from keras_bert.tokenizer.words import Word

pytestmark = once

vocabularies = st.sets(
    st.text("abc", min_size=1, max_size=5)
    | st.text("abc", min_size=1, max_size=5).map("##".__add__)
)


def search(vocabulary, unknown=None):
    tokens = list(vocabulary)
    pieces = PieceSearch(tokens, tokens, None if unknown is None else (unknown,), str).pieces
    return lambda word: list(pieces(word))


def by_definition(word, vocabulary, unknown):
    pieces = []
    while word:
        prefix = "##" if pieces else ""
        fitting = [n for n in range(len(word), 0, -1) if prefix + word[:n] in vocabulary]
        if not fitting and unknown is not None:
            return [unknown]
        size = fitting[0] if fitting else 1
        pieces.append(prefix + word[:size])
        word = word[size:]
    return pieces


@settings(deadline=None, max_examples=200)
@given(st.text("abcd", min_size=1, max_size=12), vocabularies, st.sampled_from([None, "[UNK]"]))
def test_the_longest_pieces_from_left_to_right(word, vocabulary, unknown):
    expected = by_definition(word, vocabulary, unknown)
    assert greedy_pieces(word, vocabulary, unknown) == expected
    assert search(vocabulary, unknown)(word) == expected


@pytest.mark.slow
def test_long_word_is_split_like_a_short_one():
    word = "unaffable" * 1200
    expected = ["un", "##aff", "##able"] + ["##u", "##n", "##aff", "##able"] * 1199
    vocabulary = {*README_DICT, "##u", "##n"}
    assert search(vocabulary)(word) == expected


def test_officially_a_word_has_a_limit_even_where_it_is_known():
    word = "a" * MAX_INPUT_CHARS_PER_WORD
    vocabulary = {word, word + "a"}
    assert greedy_pieces(word, vocabulary, "[UNK]") == [word]
    assert greedy_pieces(word + "a", vocabulary, "[UNK]") == ["[UNK]"]
    assert greedy_pieces(word + "a", vocabulary) == [word + "a"]
    assert search(vocabulary, "[UNK]")(word) == [word]
    assert search(vocabulary, "[UNK]")(word + "a") == ["[UNK]"]
    assert search(vocabulary)(word + "a") == [word + "a"]


def test_empty_word():
    assert greedy_pieces("", {""}) == [""]
    assert greedy_pieces("", {"a"}) == []
    assert search({""})("") == [""]
    assert search({"a", "##"})("") == []


def test_vocabularies_of_short_tokens():
    assert search({"a"})("aab") == greedy_pieces("aab", {"a"}) == ["a", "##a", "##b"]
    assert search(())("ab") == ["a", "##b"]


def test_a_very_long_token_costs_nothing():
    long = "a" * 1_000_000
    assert search({long, "aaaaa", "##ab", "##a"})("aaaaaab") == ["aaaaa", "##ab"]
    assert search({long})(long) == [long]


def test_what_stands_for_pieces():
    ids = {"un": 7, "##able": 8}
    search = PieceSearch(ids, ids.values(), None, len)
    assert search.pieces("unable") == (7, 8)
    assert search.pieces("xunable") == (1, 3, 3, 8)
    assert PieceSearch(ids, ids.values(), (9,), len).pieces("xunable") == (9,)


@pytest.mark.parametrize(
    ("pieces", "offsets"),
    [
        (["un", "##aff", "##able"], [(4, 6), (6, 9), (9, 13)]),
        (["[UNK]"], [(4, 13)]),
        # A first piece may begin with the characters of the prefix; these do not spell the word.
        (["un", "able"], [(4, 6), (9, 13)]),
        (["[UNK]", "##able"], [(4, 9), (9, 13)]),
    ],
)
def test_offsets_of_pieces(pieces, offsets):
    word = Word("unaffable", range(4, 13))
    assert piece_offsets(word, pieces, "[UNK]") == offsets


def test_offsets_of_characters_that_changed_their_order():
    # Of "xyz" in the text "x…zy".
    assert piece_offsets(Word("xyz", [0, 3, 2]), ["x", "##yz"], "[UNK]") == [(0, 1), (2, 4)]
    assert piece_offsets(Word("xyz", [0, 3, 2]), ["x", "##y", "##z"], "[UNK]") == [
        *((0, 1), (3, 4), (2, 3))
    ]


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))]
)
def test_tokens_keep_their_offsets(duplicate):
    token = TokenWithOffsets("film", (3, 7))
    assert token == "film"
    assert duplicate(token).offsets == (3, 7)
    assert TokenWithOffsets("[CLS]").offsets == (0, 0)
