"""The official mode, against Hugging Face's Rust tokenizers: their numbers, and they themselves."""

import copy
import json
import pickle
import unicodedata

import pytest
from runtimes import once
from tokenizer_texts import DATA, VOCABULARY, code_points_that_differ, random_texts

from keras_bert.tokenizer import Tokenizer

pytestmark = once

OFFICIAL = json.loads(DATA.joinpath("official_oracle.json").read_text(encoding="ascii"))
TEXTS = OFFICIAL["texts"]
TOKENS = {index: token for token, index in VOCABULARY.items()}


def flat(offsets):
    return [each for pair in offsets for each in pair]


@pytest.mark.parametrize("name", ["cased", "uncased"])
def test_same_as_rust(name):
    tokenizer = Tokenizer(VOCABULARY, cased=name == "cased", official=True)
    for text, (ids, offsets) in zip(TEXTS, OFFICIAL[name], strict=True):
        assert tokenizer.tokenize(text) == [TOKENS[index] for index in ids], text
        assert tokenizer.encode(text) == (ids, [0] * len(ids)), text
        if offsets is not None:
            assert flat(tokenizer.encode_with_offsets(text)[2]) == offsets, text
    for i, (ids, segments, offsets) in enumerate(OFFICIAL[f"{name} pairs"]):
        pair = TEXTS[i + 1], TEXTS[i]
        assert tokenizer.encode(*pair) == (ids, segments), pair
        if offsets is not None:
            assert flat(tokenizer.encode_with_offsets(*pair)[2]) == offsets, pair


def test_where_it_differs_on_purpose():
    tokenizer = Tokenizer(VOCABULARY, official=True)
    # Google's range of Extension E, which Rust's begins later.
    assert tokenizer.tokenize("a\U0002b820a")[1:-1] == ["a", "[UNK]", "a"]
    # A mark since Unicode 10, which Rust's table of marks does not have.
    assert tokenizer.tokenize("a\u0afba")[1:-1] == tokenizer.tokenize("aa")[1:-1]
    # The second mark belongs before the first; both are kept, and offsets are those of each.
    vocabulary = {**VOCABULARY, "x": 9000, "##\U0001d165": 9001, "##\u302e": 9002}
    tokenizer = Tokenizer(vocabulary, official=True)
    ids, _, offsets = tokenizer.encode_with_offsets("x\u302e\U0001d165")
    assert ids[1:-1] == [9000, 9001, 9002]
    assert offsets[1:-1] == [(0, 1), (2, 3), (1, 2)]


def test_the_documentation_names_what_differs():
    text = " ".join(Tokenizer.__doc__.split())
    assert "U+2B820 to U+2B91F is a word" in text
    assert "the mark U+0AFB is dropped" in text


def test_rules_where_they_differ_from_those_of_the_old_library():
    old, official = Tokenizer(VOCABULARY), Tokenizer(VOCABULARY, official=True)
    assert old._tokenize("filmqq") == ["film", "##q", "##q"]
    assert official._tokenize("filmqq") == ["[UNK]"]
    assert old._tokenize("a[SEP]b")[:2] == ["a", "["]
    assert official._tokenize("a[SEP]b") == ["a", "[SEP]", "b"]
    assert official._word_piece_tokenize("a" * 101) == ["[UNK]"]
    assert official._tokenize("un\ue000affable\ud800") == official._tokenize("unaffable")


def test_names_of_special_tokens_are_ones_own():
    vocabulary = {"<s>": 0, "</s>": 1, "<u>": 2, "a": 3}
    tokenizer = Tokenizer(vocabulary, "<s>", "</s>", "<u>", official=True)
    assert tokenizer.tokenize("a</s>aa[SEP]") == [
        *("<s>", "a", "</s>", "<u>", "<u>", "<u>", "<u>", "</s>")
    ]


def test_official_is_keyword_only_and_survives_copies():
    with pytest.raises(TypeError):
        Tokenizer(VOCABULARY, "[CLS]", "[SEP]", "[UNK]", 0, False, True)
    for again in (
        copy.deepcopy(Tokenizer(VOCABULARY, official=True)),
        pickle.loads(pickle.dumps(Tokenizer(VOCABULARY, official=True))),
    ):
        assert again._tokenize("filmqq") == ["[UNK]"]


# The library itself, where it is installed.


@pytest.fixture
def rust():
    tokenizers = pytest.importorskip("tokenizers")
    return lambda cased=False, vocabulary=VOCABULARY: tokenizers.BertWordPieceTokenizer(
        dict(vocabulary), lowercase=not cased
    )


@pytest.mark.slow
@pytest.mark.parametrize("cased", [False, True])
def test_same_as_the_installed_library(rust, cased):
    ours, theirs = Tokenizer(VOCABULARY, cased=cased, official=True), rust(cased)
    listed = code_points_that_differ()
    for text in [*TEXTS, "the" + "a" * 10_000 + " film"]:
        expected = theirs.encode(text)
        assert ours.tokenize(text) == expected.tokens, text
        assert ours.encode(text)[0] == expected.ids, text
        pair = theirs.encode(text, TEXTS[1])
        assert ours.encode(text, TEXTS[1]) == (pair.ids, pair.type_ids)
        if listed.isdisjoint(text):
            assert ours.encode_with_offsets(text)[2] == expected.offsets, text
            pair = theirs.encode(TEXTS[1], text)
            assert ours.encode_with_offsets(TEXTS[1], text)[2] == pair.offsets


@pytest.mark.slow
@pytest.mark.parametrize("cased", [False, True])
def test_same_as_the_installed_library_on_random_texts(rust, cased):
    ours, theirs = Tokenizer(VOCABULARY, cased=cased, official=True), rust(cased)
    listed = code_points_that_differ()
    texts = random_texts(3000)
    # Character by character first: what differs there must be in the list of differences, made
    # with Unicode 14. Another Unicode brings a few more.
    differing = {
        character
        for character in set("".join(texts))
        if ours.tokenize(f"a{character}b") != theirs.encode(f"a{character}b").tokens
    }
    if unicodedata.unidata_version == "14.0.0":
        assert differing <= listed
    for text in texts:
        text = "".join(c for c in text if c not in differing and c not in listed)
        expected = theirs.encode(text)
        ids, _, offsets = ours.encode_with_offsets(text)
        assert (ours.tokenize(text), ids, offsets) == (
            expected.tokens,
            expected.ids,
            expected.offsets,
        ), text


@pytest.mark.slow
def test_the_installed_library_differs_as_listed(rust):
    assert rust().encode("a\U0002b820a").tokens[1:-1] == ["[UNK]"]
    assert rust().encode("a\u0afba").tokens != rust().encode("aa").tokens
    vocabulary = {**VOCABULARY, "x": 9000, "##\U0001d165": 9001, "##\u302e": 9002}
    expected = rust(vocabulary=vocabulary).encode("x\u302e\U0001d165")
    assert (expected.ids[1:-1], expected.offsets[2]) == ([9000, 9001, 9002], (1, 2))
