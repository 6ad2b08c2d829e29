"""The official mode, offsets and batches, against Hugging Face's Rust tokenizer and their rules."""

import copy
import json
import pickle
import random
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtimes import once
from tokenizers import BertWordPieceTokenizer

from keras_bert.tokenizer import Tokenizer, text_lookup, words

pytestmark = once

DATA = Path(__file__).parents[1].joinpath("data")
ORACLE = json.loads(DATA.joinpath("tokenizer_oracle.json").read_text(encoding="ascii"))
VOCABULARY = {token: index for index, token in enumerate(ORACLE["vocabulary"].split())}
TEXTS = [text for text in ORACLE["texts"] if not any("\ud800" <= c <= "\udfff" for c in text)]
TEXTS += [
    *("a[SEP]b [MASK]film[UNK] [CLS[PAD]", "[mask] [ MASK ]", "[[SEP]]", "[SEP]" * 3, "[SEP]é"),
    *("a" * 100, "a" * 101, "the" + "a" * 10_000 + " film", "ΑΣ ΟΔΟΣ.", "天" * 200 + "film"),
    *("x\u0301\u0327y", "é\u0301 e\u0301", "각 힣", "\ud7ff\ue000", "a\ue000b", "İstanbul"),
]
LISTED = json.loads(DATA.joinpath("official_differences.json").read_text(encoding="ascii"))
odd_texts = st.text(
    st.one_of(
        st.sampled_from("  abcxyzABC.,#-的中Σσςİé\u0301\u0327\u302e\U0001d165각\u2028[]"),
        st.characters(),
    ),
    max_size=40,
)


def rust(cased=False, vocabulary=VOCABULARY):
    return BertWordPieceTokenizer(dict(vocabulary), lowercase=not cased)


def listed_code_points():
    found = set()
    for ranges in LISTED.values():
        for part in ranges.split():
            first, _, last = part.partition("-")
            found.update(range(int(first, 16), int(last or first, 16) + 1))
    return found


def fuzzed_texts(count):
    rng = random.Random(5)
    blocks = [range(33, 127), range(97, 123), range(160, 592), range(0x300, 0x530)]
    blocks += [range(0x590, 0x1000), range(0x2000, 0x2100), range(0x3000, 0x3100)]
    blocks += [range(0x4E00, 0x4F00), range(0xAC00, 0xD7FF), range(0x110000), range(0x10000)]
    texts = []
    for _ in range(count):
        codes = [rng.choice(rng.choice(blocks)) for _ in range(rng.randrange(40))]
        texts.append("".join(rng.choice([chr(c), chr(c), chr(c), " ", "a"]) for c in codes))
    return ["".join(c for c in text if not "\ud800" <= c <= "\udfff") for text in texts]


# The official mode.


@pytest.mark.parametrize("cased", [False, True])
def test_same_as_rust(cased):
    ours, theirs = Tokenizer(VOCABULARY, cased=cased, official=True), rust(cased)
    for text in TEXTS:
        expected = theirs.encode(text)
        assert ours.tokenize(text) == expected.tokens, text
        assert ours.encode(text)[0] == expected.ids, text
        pair = theirs.encode(text, TEXTS[1])
        assert ours.encode(text, TEXTS[1]) == (pair.ids, pair.type_ids)


@pytest.mark.parametrize("cased", [False, True])
def test_same_as_rust_on_random_texts(cased):
    ours, theirs = Tokenizer(VOCABULARY, cased=cased, official=True), rust(cased)
    listed = listed_code_points()
    texts = fuzzed_texts(3000)
    # Character by character first: what differs there must be in the list of differences, made
    # with Unicode 14. Another Unicode brings a few more.
    differing = {
        character
        for character in set("".join(texts))
        if ours.tokenize(f"a{character}b") != theirs.encode(f"a{character}b").tokens
    }
    if unicodedata.unidata_version == "14.0.0":
        assert differing <= set(map(chr, listed))
    left_out = differing | set(map(chr, listed))
    for text in texts:
        text = "".join(character for character in text if character not in left_out)
        expected = theirs.encode(text)
        ids, _, offsets = ours.encode_with_offsets(text)
        assert (ours.tokenize(text), ids, offsets) == (
            expected.tokens,
            expected.ids,
            expected.offsets,
        ), text


def test_listed_code_points_differ_for_the_reason_given():
    reasons = {reason: len(ranges.split()) for reason, ranges in LISTED.items()}
    assert all(reasons.values())
    ours, theirs = Tokenizer(VOCABULARY, official=True), rust()
    # Google's range of Extension E, which Rust's begins later.
    assert ours.tokenize("a\U0002b820a")[1:-1] == ["a", "[UNK]", "a"]
    assert theirs.encode("a\U0002b820a").tokens[1:-1] == ["[UNK]"]
    # The second mark belongs before the first; both are kept.
    text = "x\u302e\U0001d165"
    vocabulary = {**VOCABULARY, "x": 9000, "##\U0001d165": 9001, "##\u302e": 9002}
    ids, _, offsets = Tokenizer(vocabulary, official=True).encode_with_offsets(text)
    assert ids[1:-1] == [9000, 9001, 9002]
    assert offsets[1:-1] == [(0, 1), (2, 3), (1, 2)]
    expected = rust(vocabulary=vocabulary).encode(text)
    assert (expected.ids, expected.offsets[2]) == (ids, (1, 2))


def test_official_rules_where_they_differ_from_those_of_the_old_library():
    old, official = Tokenizer(VOCABULARY), Tokenizer(VOCABULARY, official=True)
    assert old._tokenize("filmqq") == ["film", "##q", "##q"]
    assert official._tokenize("filmqq") == ["[UNK]"]
    assert old._tokenize("a[SEP]b")[:2] == ["a", "["]
    assert official._tokenize("a[SEP]b") == ["a", "[SEP]", "b"]
    assert official._word_piece_tokenize("a" * 101) == ["[UNK]"]
    assert official._tokenize("un\ue000affable\ud800") == official._tokenize("unaffable")


def test_official_names_of_special_tokens_are_ones_own():
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


class ByTheRules(Tokenizer):
    """Overrides a hook without changing it, which rules out every shortcut."""

    @staticmethod
    def _is_space(ch):
        return Tokenizer._is_space(ch)


@settings(deadline=None, max_examples=150)
@given(odd_texts, odd_texts, st.booleans(), st.booleans())
def test_shortcuts_change_nothing(first, second, cased, official):
    fast, slow = (
        kind(VOCABULARY, cased=cased, official=official) for kind in (Tokenizer, ByTheRules)
    )
    assert fast.tokenize(first, second) == slow.tokenize(first, second)
    # Once more, now from the caches, and in other surroundings.
    for text in (second + " " + first, second + "的" + first, second + "、" + first + "的"):
        assert fast.tokenize(text) == slow.tokenize(text)
        assert fast.encode(text) == slow.encode(text)
        assert fast.encode_with_offsets(text) == slow.encode_with_offsets(text)


@pytest.mark.parametrize("cased", [False, True])
@pytest.mark.parametrize("official", [False, True])
def test_characters_of_the_tables_stand_alone(cased, official):
    for code_point in np.flatnonzero(text_lookup._KINDS == 0):
        character = chr(code_point)
        assert words.space_out(character, cased, official)[0] == f" {character} "


# Offsets.


@pytest.mark.parametrize("cased", [False, True])
def test_offsets_same_as_rust(cased):
    ours, theirs = Tokenizer(VOCABULARY, cased=cased, official=True), rust(cased)
    listed = set(map(chr, listed_code_points()))
    for text in TEXTS:
        if listed.isdisjoint(text):
            assert ours.encode_with_offsets(text)[2] == theirs.encode(text).offsets, text
            pair = theirs.encode(TEXTS[1], text)
            assert ours.encode_with_offsets(TEXTS[1], text)[2] == pair.offsets


@settings(deadline=None, max_examples=150)
@given(odd_texts, st.none() | odd_texts, st.none() | st.integers(3, 24), st.booleans())
def test_offsets_go_with_encode_and_slice_back_to_the_pieces(first, second, max_len, official):
    # Cased: pieces are spelled as the text is, but for characters that are dropped.
    tokenizer = Tokenizer(VOCABULARY, cased=True, official=official)
    ids, segments, offsets = tokenizer.encode_with_offsets(first, second, max_len)
    assert (ids, segments) == tokenizer.encode(first, second, max_len)
    assert len(offsets) == len(ids)
    assert max_len is None or len(ids) == max_len
    assert all(0 <= index < len(VOCABULARY) for index in ids)
    if max_len is not None:
        return
    tokens = tokenizer.tokenize(first, second)
    for token, segment, (start, end) in zip(tokens, segments, offsets, strict=True):
        if start == end:
            assert token in ("[CLS]", "[SEP]")
        elif token != "[UNK]":
            piece = "".join(filter(_is_kept, (first, second)[segment][start:end]))
            assert token in (piece, "##" + piece)


def _is_kept(character):
    category = unicodedata.category(character)
    return character != "\ufffd" and category not in ("Cc", "Cf")


def test_offsets_of_characters_that_change():
    tokenizer = Tokenizer({**VOCABULARY, "cafe": 9000})
    assert tokenizer.encode_with_offsets("CAFÉ cafe\u0301,中 ", max_len=8) == (
        tokenizer.encode("CAFÉ cafe\u0301,中 ", max_len=8)[0],
        [0] * 8,
        [(0, 0), (0, 4), (5, 9), (10, 11), (11, 12), (0, 0), (0, 0), (0, 0)],
    )


def test_offsets_of_ones_own_hooks():
    class Characters(Tokenizer):
        def _tokenize(self, text):
            return [c if c in self._token_dict else "[UNK]" for c in text if c != " "]

    class Whole(Tokenizer):
        def _word_piece_tokenize(self, word):
            return [word[:2], word[2:]] if len(word) > 2 else ["?"]

    class FromTheFront(Tokenizer):
        @staticmethod
        def _truncate(first_tokens, second_tokens=None, max_len=None):
            del first_tokens[: len(first_tokens) + 2 - max_len]

        def _pack(self, first_tokens, second_tokens=None):
            return ["[MASK]", *first_tokens, "[SEP]"], len(first_tokens) + 2, 0

    assert Characters(VOCABULARY).encode_with_offsets("a 天é")[2] == [
        *((0, 0), (0, 1), (2, 3), (3, 4), (0, 0))
    ]
    assert Whole(VOCABULARY).encode_with_offsets("films it")[2] == [
        *((0, 0), (0, 2), (2, 5), (6, 8), (0, 0))
    ]
    tokenizer = FromTheFront(VOCABULARY)
    assert tokenizer.encode_with_offsets("the film was bad", max_len=4)[2] == [
        *((0, 0), (9, 12), (13, 16), (0, 0))
    ]


@pytest.mark.parametrize("name", ["first", "second"])
def test_offsets_need_strings(name):
    with pytest.raises(TypeError, match=f"`{name}` must be a string. Received: b'a'"):
        Tokenizer(VOCABULARY).encode_with_offsets(**{"first": "a", name: b"a"})


# Batches.


@pytest.mark.parametrize("kind", [Tokenizer, ByTheRules])
@pytest.mark.parametrize("official", [False, True])
def test_batch_holds_what_encode_gives(kind, official):
    tokenizer = kind(VOCABULARY, pad_index=7, official=official)
    inputs = [text if i % 3 else (text, TEXTS[i - 1]) for i, text in enumerate(TEXTS)]
    for max_len, padding in ((None, "longest"), (9, "longest"), (9, "max_length")):
        token_ids, segment_ids, lengths = tokenizer.encode_batch(inputs, max_len, padding)
        assert {a.dtype for a in (token_ids, segment_ids, lengths)} == {np.dtype(np.int32)}
        assert token_ids.shape == segment_ids.shape
        assert token_ids.shape[1] == (max_len or lengths.max())
        for text, row, segments, length in zip(
            inputs, token_ids, segment_ids, lengths, strict=True
        ):
            pair = text if isinstance(text, tuple) else (text,)
            expected = tokenizer.encode(*pair, max_len=token_ids.shape[1])
            assert (row.tolist(), segments.tolist()) == expected
            whole = len(tokenizer.encode(*pair)[0])
            assert length == (whole if max_len is None else min(whole, max_len))


def test_batch_of_any_iterable_and_of_none():
    tokenizer = Tokenizer(VOCABULARY)
    expected = [a.tolist() for a in tokenizer.encode_batch(["film", "a b"])]
    for texts in (iter(["film", "a b"]), np.array(["film", "a b"]), ("film", "a b")):
        assert [a.tolist() for a in tokenizer.encode_batch(texts)] == expected
    assert [a.shape for a in tokenizer.encode_batch([])] == [(0, 0), (0, 0), (0,)]
    assert tokenizer.encode_batch([], max_len=5, padding="max_length")[0].shape == (0, 5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            ("film",),
            TypeError,
            "`texts` must be texts or pairs of texts, several. Received: 'film'",
        ),
        ((5,), TypeError, "`texts` must be"),
        ((["a", b"b"],), TypeError, "`first` must be a string. Received: b'b'"),
        ((["a", ("a", 3)],), TypeError, "`second` must be a string. Received: 3"),
        ((["a", ("a", "b", "c")],), TypeError, r"`texts\[1\]` must be a text or a pair of texts"),
        ((["a"], None, "max_length"), ValueError, "needs `max_len`"),
        ((["a"], 8, True), ValueError, '`padding` must be "longest" or "max_length"'),
        ((["a"], 8.5), TypeError, "`max_len` must be an integer"),
        ((["a"], 1), ValueError, "`max_len` must leave room"),
    ],
)
def test_batch_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        Tokenizer(VOCABULARY).encode_batch(*arguments)


@pytest.mark.parametrize("official", [False, True])
def test_a_long_text_without_blanks_in_no_chinese_character(official):
    """Neither of the ways for words and for Chinese, whose runs are short, is made for it."""
    tokenizer = Tokenizer(VOCABULARY, official=official)
    thai = "\u0e01\u0e32\u0e23" * 40
    plain = type("Own", (Tokenizer,), {"_is_space": staticmethod(lambda c: c == " ")})
    for text in (thai, f"\u6587{thai}\u6587 {thai}", thai + "\u3002" + thai):
        got = tokenizer.encode_with_offsets(text)
        assert got == plain(VOCABULARY, official=official).encode_with_offsets(text)
        assert tokenizer.encode(text) == got[:2]
