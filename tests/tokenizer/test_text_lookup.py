"""The two ways from a text to its tokens, against the plain rules."""

import numpy as np
import pytest
from runtimes import once
from tokenizer_texts import VOCABULARY, ByTheRules

from keras_bert.tokenizer import Tokenizer, text_lookup
from keras_bert.tokenizer.kept_tokens import NO_TOKENS, KeptToken, KeptTokens
from keras_bert.tokenizer.text_lookup import SINGLES, BoundedCache, TextLookup, runs
from keras_bert.tokenizer.words import space_out

pytestmark = once


def lookup(**changes):
    arguments = {
        "words_of": str.split,
        "pieces_of": lambda word: (word,),
        "output": tuple,
        "cased": True,
        "vocabulary": {"天"},
        "unknown": None,
        "kept": NO_TOKENS,
        "sigma_needs_context": False,
    }
    return TextLookup(**{**arguments, **changes})


@pytest.mark.parametrize("cased", [False, True])
@pytest.mark.parametrize("official", [False, True])
def test_single_characters_are_words(cased, official):
    assert set(np.flatnonzero(text_lookup._KINDS == 0)) == set(SINGLES)
    for character in map(chr, SINGLES):
        assert space_out(character, cased, official)[0] == f" {character} "


def test_a_text_with_blanks_and_one_without():
    spaced, dense = "天 ab cd é", "天地ab，cd\U0001f600。é𠀀"
    assert not lookup().goes_by_characters(spaced)
    assert lookup().of(spaced) == ["天", "ab", "cd", "é"]
    assert lookup().goes_by_characters(dense)
    assert lookup().of(dense) == ["天", "地", "ab", "，", "cd\U0001f600", "。", "é𠀀"]
    assert lookup(unknown="?").of(dense) == ["天", "?", "ab", "?", "cd\U0001f600", "?", "é𠀀"]
    assert lookup().of("") == []


def test_words_of_a_chunk_in_ascii_are_looked_up_as_chunks():
    found = lookup()
    assert found.of("ab\tcd ab é\té") == ["ab", "cd", "ab", "é", "é"]
    assert set(found.chunks) == {"ab\tcd", "ab", "cd", "é\té"}
    assert set(found.words) == {"é"}


def test_a_sigma_that_needs_its_context_is_not_cut_off():
    assert lookup().goes_by_characters("天Σ天")
    assert not lookup(sigma_needs_context=True).goes_by_characters("天Σ天")


def test_special_tokens_are_kept_whole():
    kept = KeptTokens([KeptToken("[SEP]")])
    assert lookup(kept=kept).of("ab[SEP]天。") == ["ab", "[SEP]", "天", "。"]
    lengths = lookup(
        kept=kept,
        pieces_of=lambda word: (len(word),),
        output=lambda tokens: tuple(map(len, tokens)),
    )
    assert lengths.of("ab[SEP]天") == [2, 5, 1]


def test_parts_beside_a_kept_token_hold_no_further_one():
    # "cd" is no single word here, though it stands alone when "ab" is cut off.
    kept = KeptTokens([KeptToken("ab"), KeptToken("cd", single_word=True)])
    assert lookup(kept=kept, pieces_of=lambda word: ("?",)).of("abcd") == ["ab", "?"]


def test_runs_of_other_characters():
    text = "ab天cd。\ud800 \U0001f600e"
    assert [text[start:end] for start, end in runs(text)] == ["\ud800 \U0001f600e", "cd", "ab"]
    assert runs("天。") == []


def test_a_full_cache_starts_again(monkeypatch):
    monkeypatch.setattr(text_lookup, "CACHE_ENTRIES", 3)
    computed = []
    cache = BoundedCache(lambda key: computed.append(key) or key.upper())
    assert [cache[key] for key in "abcab"] == list("ABCAB")
    assert computed == list("abc")
    assert cache["d"] == "D"
    assert dict(cache) == {"d": "D"}
    long = "x" * (text_lookup.CACHE_KEY_CHARACTERS + 1)
    assert cache[long] == long.upper()
    assert long not in cache


def test_caches_are_bounded(monkeypatch):
    monkeypatch.setattr(text_lookup, "CACHE_ENTRIES", 50)
    tokenizer = Tokenizer(VOCABULARY)
    for i in range(0, 2000, 3):
        assert tokenizer._tokenize(f"un{i} ab{i} é{i}-x")[0] == "un"
        assert tokenizer._tokenize(chr(0x4E00 + i)) == [chr(0x4E00 + i)]
    tokenizer._tokenize("x" * 1000)
    assert 0 < len(tokenizer._cache._pieces) <= 50
    chunks = tokenizer._cache._token_texts.chunks
    assert 0 < len(chunks) <= 50
    assert max(map(len, chunks)) <= text_lookup.CACHE_KEY_CHARACTERS


@pytest.mark.parametrize("official", [False, True])
def test_a_long_text_without_blanks_in_no_chinese_character(official):
    """Neither of the ways for words and for Chinese, whose runs are short, is made for it."""
    fast, slow = (kind(VOCABULARY, official=official) for kind in (Tokenizer, ByTheRules))
    thai = "\u0e01\u0e32\u0e23" * 40
    for text in (thai, f"\u6587{thai}\u6587 {thai}", thai + "\u3002" + thai):
        assert fast.encode_with_offsets(text) == slow.encode_with_offsets(text)
        assert fast.encode(text) == slow.encode(text)
