"""Tokens that are kept whole, by hand; test_text_rules.py compares with Hugging Face's."""

import pytest
from runtimes import once

from keras_bert.tokenizer.kept_tokens import NO_TOKENS, KeptToken, KeptTokens

pytestmark = once


def parts(kept, text):
    return [token or (text[start:end],) for start, end, token in kept.split(text)]


def test_the_longest_token_counts():
    kept = KeptTokens(map(KeptToken, ["[A]", "", "[A][B]", "."]))
    text = "x[A][B][A].y"
    assert parts(kept, text) == [("x",), "[A][B]", "[A]", ".", ("y",)]
    assert kept.are_in(text)
    assert not kept.are_in("[B]")
    assert list(kept.split("")) == []


@pytest.mark.parametrize("kept", [NO_TOKENS, KeptTokens(map(KeptToken, ["", ""]))])
def test_no_tokens(kept):
    assert list(kept.split("a.b")) == [(0, 3, None)]
    assert not kept.are_in("a.b")


@pytest.mark.parametrize(("cased", "found"), [(True, [("COVID x",)]), (False, ["Covid", (" x",)])])
def test_normalized_tokens_are_found_in_capitals_where_case_is_lost(cased, found):
    kept = KeptTokens([KeptToken("Covid", normalized=True), KeptToken("X")], cased)
    assert parts(kept, "COVID x") == found
    assert parts(kept, "CovidX") == ["Covid", "X"]


@pytest.mark.parametrize("text", ["cıty", "ſtop", "cİty"])
def test_letters_that_only_look_alike_are_others(text):
    kept = KeptTokens([KeptToken("city", True), KeptToken("stop", True)], cased=False)
    assert parts(kept, text) == [(text,)]
    assert parts(kept, "CiTY") == ["city"]


@pytest.mark.parametrize("text", ["ασ", "ΑΣ", "Ασ", "αΣ"])
def test_a_capital_sigma_is_the_same_letter_at_the_end_of_a_word(text):
    kept = KeptTokens([KeptToken("ΑΣ", normalized=True)], cased=False)
    assert parts(kept, f"x {text} y") == [("x ",), "ΑΣ", (" y",)]
    assert parts(kept, "ας") == [("ας",)]


@pytest.mark.parametrize(("token", "text"), [("ǆ", "ǅ"), ("ᾀ", "ᾈ"), ("Ǆ", "ǅ"), ("é", "É")])
def test_letters_with_title_case(token, text):
    kept = KeptTokens([KeptToken(token, normalized=True)], cased=False)
    assert parts(kept, text) == [token]


def test_of_tokens_that_differ_in_case_alone_the_last_counts():
    for contents in (["ABC", "abc"], ["abc", "ABC"]):
        kept = KeptTokens([KeptToken(each, normalized=True) for each in contents], cased=False)
        assert parts(kept, "Abc") == [contents[1]]
        assert parts(kept, "abcABC") == ["abc", "ABC"]


def test_single_words():
    kept = KeptTokens([KeptToken("<a>"), KeptToken("ab", single_word=True)])
    assert parts(kept, "ab abc_ab-ab<a>ab") == [
        *("ab", (" abc_ab-",), "ab", "<a>", "ab"),
    ]
