"""What holds for every text, vocabulary and length, in both modes of the tokenizer."""

import unicodedata
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtimes import once
from tokenizer_texts import VOCABULARY, odd_texts

from keras_bert.tokenizer import Tokenizer

pytestmark = once

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

modes = st.fixed_dictionaries({"cased": st.booleans(), "official": st.booleans()})
texts_and_pairs = st.tuples(odd_texts, st.none() | odd_texts)


@st.composite
def vocabularies(draw):
    """All characters of a small alphabet, alone and inside words, and some longer pieces."""
    longer = draw(st.lists(st.text("abcd", min_size=2, max_size=5), max_size=12))
    pieces = [*"abcd的中", *longer]
    tokens = dict.fromkeys([*SPECIAL, *pieces, *draw(st.permutations([f"##{p}" for p in pieces]))])
    return {token: index for index, token in enumerate(tokens)}


words = st.lists(st.text("abcd", min_size=1, max_size=9) | st.sampled_from("的中"), max_size=8)


def spelled(tokens):
    """The words that tokens were cut from."""
    return " ".join(tokens).replace(" ##", "").split()


@settings(deadline=None, max_examples=150)
@given(vocabularies(), words, st.none() | words, modes)
def test_decoding_what_was_encoded_gives_the_words_back(vocabulary, first, second, mode):
    tokenizer = Tokenizer(vocabulary, **mode)
    pair = [None if each is None else " ".join(each) for each in (first, second)]
    ids, _ = tokenizer.encode(*pair)
    decoded = tokenizer.decode(ids)
    parts = [decoded] if second is None else list(decoded)
    given_words = [first] if second is None else [first, second]
    assert [spelled(part) for part in parts] == given_words
    assert all(token in vocabulary for part in parts for token in part)
    # And once around: no id changes, whatever is padded.
    again = [" ".join(spelled(part)) for part in parts]
    assert tokenizer.encode(*again) == tokenizer.encode(*pair)
    assert tokenizer.decode(tokenizer.encode(*pair, max_len=len(ids) + 3)[0]) == decoded


@settings(deadline=None, max_examples=150)
@given(st.lists(texts_and_pairs, min_size=1, max_size=3), st.integers(3, 24), modes)
def test_no_length_exceeds_the_one_asked_for_and_no_id_the_vocabulary(texts, max_len, mode):
    tokenizer = Tokenizer(VOCABULARY, **mode)
    ids, segments, lengths = tokenizer.encode_batch(texts, max_len)
    assert ids.shape == segments.shape
    assert ids.shape[1] == lengths.max() <= max_len
    assert 0 <= ids.min() <= ids.max() < len(VOCABULARY)
    for pair, row, row_segments, length in zip(texts, ids, segments, lengths, strict=True):
        single_ids, single_segments, offsets = tokenizer.encode_with_offsets(*pair, max_len=max_len)
        assert len(single_ids) == len(single_segments) == len(offsets) == max_len
        assert single_ids[:length] == row[:length].tolist()
        assert single_segments[:length] == row_segments[:length].tolist()
        # What is cut is the end of each text, and no more than has to be.
        whole_ids, whole_segments = tokenizer.encode(*pair)
        assert length == min(max_len, len(whole_ids))
        for segment in {0} if pair[1] is None else {0, 1}:
            kept = row[:length][row_segments[:length] == segment].tolist()
            all_ids = [i for i, s in zip(whole_ids, whole_segments, strict=True) if s == segment]
            assert kept[:-1] == all_ids[: len(kept) - 1]
            assert kept[-1] == VOCABULARY["[SEP]"]


@settings(deadline=None, max_examples=60)
@given(odd_texts, st.none() | odd_texts, modes)
def test_decode_returns_the_tokens(first, second, mode):
    tokenizer = Tokenizer(VOCABULARY, **mode)
    known = [
        [token if token in VOCABULARY else "[UNK]" for token in tokenizer._tokenize(text)]
        for text in (first, second)
        if text is not None and "[SEP]" not in text
    ]
    if len(known) == 1 + (second is not None):
        expected = known[0] if second is None else tuple(known)
        assert tokenizer.decode(tokenizer.encode(first, second)[0]) == expected


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(odd_texts, st.none() | odd_texts, st.none() | st.integers(3, 24), modes)
def test_offsets_go_with_encode(first, second, max_len, mode):
    tokenizer = Tokenizer(VOCABULARY, **mode)
    ids, segments, offsets = tokenizer.encode_with_offsets(first, second, max_len)
    assert (ids, segments) == tokenizer.encode(first, second, max_len)
    assert len(offsets) == len(ids)
    assert max_len is None or len(ids) == max_len
    assert all(0 <= index < len(VOCABULARY) for index in ids)


@pytest.mark.slow
@settings(deadline=None, max_examples=75)
@given(odd_texts, st.none() | odd_texts, st.booleans())
def test_offsets_slice_back_to_the_very_piece_where_case_is_kept(first, second, official):
    tokenizer = Tokenizer(VOCABULARY, cased=True, official=official)
    tokens = tokenizer.tokenize(first, second)
    _, segments, offsets = tokenizer.encode_with_offsets(first, second)
    for token, segment, (start, end) in zip(tokens, segments, offsets, strict=True):
        if start == end:
            assert token in ("[CLS]", "[SEP]")
        elif token != "[UNK]":
            piece = "".join(filter(is_kept, (first, second)[segment][start:end]))
            assert token in (piece, "##" + piece)


def is_kept(character):
    category = unicodedata.category(character)
    return character != "\ufffd" and category not in ("Cc", "Cf")


def test_offsets_of_characters_that_change():
    tokenizer = Tokenizer({**VOCABULARY, "cafe": 9000})
    assert tokenizer.encode_with_offsets("CAFÉ cafe\u0301,中 ", max_len=8) == (
        tokenizer.encode("CAFÉ cafe\u0301,中 ", max_len=8)[0],
        [0] * 8,
        [(0, 0), (0, 4), (5, 9), (10, 11), (11, 12), (0, 0), (0, 0), (0, 0)],
    )


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(odd_texts, modes)
def test_offsets_slice_back_to_the_piece(text, mode):
    tokenizer = Tokenizer(VOCABULARY, **mode)
    tokens = tokenizer.tokenize(text)[1:-1]
    offsets = tokenizer.encode_with_offsets(text)[2][1:-1]
    assert len(tokens) == len(offsets)
    for token, (start, end) in zip(tokens, offsets, strict=True):
        assert 0 <= start < end <= len(text)
        if token != "[UNK]" and token != text[start:end]:
            piece = token if len(token) < 3 else token.removeprefix("##")
            # A character may be made of several, which marks and pieces divide between them.
            assert Counter(plain(piece)) <= Counter(plain(text[start:end])), (token, start, end)
    if any(map(unicodedata.combining, unicodedata.normalize("NFD", text))):
        return  # normalization may change the order of marks
    for (_, end), (start, _) in pairwise(offsets):
        # Pieces share a character only if it is made of several.
        shared = unicodedata.normalize("NFD", text[start:end])
        assert start >= end or (start == end - 1 and len(shared) > 1)


def plain(text):
    """Without what normalization in any mode changes: accents, case and the final sigma."""
    stripped = (c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
    return "".join(stripped).lower().replace("ς", "σ").replace("\u0307", "")
