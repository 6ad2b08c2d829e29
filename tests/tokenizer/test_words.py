"""Texts to words by both sets of rules, and where their characters stand in the text."""

import pytest
from runtimes import once
from tokenizer_texts import OLD

from keras_bert.tokenizer.kept_tokens import KeptToken, KeptTokens
from keras_bert.tokenizer.words import (
    CharacterRules,
    space_out,
    split_words,
)

pytestmark = once


def words(text, cased=False, official=False, **arguments):
    return [word.text for word in split_words(text, cased, official, **arguments)]


def test_same_as_old_library():
    for cased, i, tokens, *_ in OLD["results"]:
        # Nothing is lost in pieces: unknown ones are single characters.
        expected = tokens.replace(" ##", "").split(" ")[1:-1]
        assert words(OLD["texts"][i], cased) == expected, OLD["texts"][i]


@pytest.mark.parametrize("official", [False, True])
def test_positions_of_characters(official):
    for text in OLD["texts"]:
        for word in split_words(text, True, official):
            assert [text[position] for position in word.positions] == list(word.text)


def test_positions_of_characters_that_change():
    found = list(split_words("Éa e\u0301中", False, False))
    assert [(word.text, list(word.positions)) for word in found] == [
        *(("ea", [0, 1]), ("e", [3]), ("中", [5]))
    ]


def test_where_the_rules_differ():
    assert words("ΟΔΟΣ ΑΣ.") == ["οδος", "ας", "."]
    assert words("ΟΔΟΣ ΑΣ.", official=True) == ["οδοσ", "ασ", "."]
    assert words("a\ue000b") == ["a\ue000b"]
    assert words("a\ue000b\ud800", official=True) == ["ab"]
    kept = KeptTokens([KeptToken("[SEP]")])
    assert words("a[SEP]B", official=True, kept=kept) == ["a", "[SEP]", "b"]
    assert words("a[SEP]B") == ["a", "[", "sep", "]", "b"]


def test_combining_marks_that_are_kept_are_reordered():
    # Not of category Mn, so no accents; normalization puts class 216 before 224 and 226.
    stem, tone, dot = "\U0001d165", "\u302e", "\U0001d16d"
    for marks in (dot + stem, tone + stem, stem + tone):
        (word,) = split_words("x" + marks, False, False)
        assert word.text == "x" + "".join(sorted(marks, reverse=tone in marks))
        assert [("x" + marks)[position] for position in word.positions] == list(word.text)
        assert words("x" + marks, cased=True) == ["x" + marks]


def test_rules_of_ones_own():
    rules = CharacterRules(
        is_punctuation="x".__eq__,
        is_cjk_character="c".__eq__,
        is_space="s".__eq__,
        is_control="d".__eq__,
    )
    for official in (False, True):
        assert words("a-xbcbsad b", official=official, rules=rules) == [
            *("a-", "x", "b", "c", "b", "a", "b")
        ]


def test_words_end_at_blanks_of_the_spaced_text():
    spaced, positions = space_out("aÉ,b", False, False)
    assert (spaced, positions) == ("ae , b", [0, 1, 2, 2, 2, 3])
