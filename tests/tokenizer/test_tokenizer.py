"""The tokenizer against keras-bert 0.89, against its own rules, and under everything users do."""

import copy
import json
import os
import pickle
import subprocess
import sys
import threading
import tracemalloc
from collections import OrderedDict, defaultdict
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_bert.tokenizer import Tokenizer, text_lookup

ORACLE = json.loads(
    Path(__file__)
    .parents[1]
    .joinpath("data")
    .joinpath("tokenizer_oracle.json")
    .read_text(encoding="ascii")
)
ORACLE_DICT = {token: index for index, token in enumerate(ORACLE["vocabulary"].split())}
README_DICT = {"[CLS]": 0, "[SEP]": 1, "un": 2, "##aff": 3, "##able": 4, "[UNK]": 5}
HOOKS_DICT = {
    token: index
    for index, token in enumerate(
        "[PAD] [UNK] [CLS] [SEP] a b ab ##b ##x axb x - ##- a-b c ##c".split()  # noqa: SIM905
    )
}

# Texts in which the rules, and the ways around them, have something to do.
odd_texts = st.text(
    st.one_of(
        st.sampled_from("  abcxyzABC.,#-的中Σσςİé\u0301\u0327\u302e\U0001d165\U0001d16d각\u2028"),
        st.sampled_from("\x00\t\n\r\x0b\x1c\x85\xa0\xad\u200b\u3000\ufeff\ufffd\ud800"),
        st.characters(),
    ),
    max_size=40,
)


class ByTheRules(Tokenizer):
    """Overrides a hook without changing it, which rules out every shortcut."""

    @staticmethod
    def _is_space(ch):
        return Tokenizer._is_space(ch)

    def _word_piece_tokenize(self, word):
        return word_pieces.greedy_pieces(word, self._token_dict)


# Numbers and results.


def test_results_of_the_readme():
    tokenizer = Tokenizer(README_DICT)
    assert tokenizer.tokenize("unaffable") == ["[CLS]", "un", "##aff", "##able", "[SEP]"]
    assert tokenizer.encode("unaffable") == ([0, 2, 3, 4, 1], [0, 0, 0, 0, 0])
    assert tokenizer.tokenize(first="unaffable", second="钢") == [
        *("[CLS]", "un", "##aff", "##able", "[SEP]"),
        *("钢", "[SEP]"),
    ]
    ids, segments = tokenizer.encode(first="unaffable", second="钢", max_len=10)
    assert ids == [0, 2, 3, 4, 1, 5, 1, 0, 0, 0]
    assert segments == [0, 0, 0, 0, 0, 1, 1, 0, 0, 0]
    # 0.89 gave only the first text here, since [CLS] and padding are both 0.
    assert tokenizer.decode(ids) == (["un", "##aff", "##able"], ["[UNK]"])
    assert tokenizer.decode(tokenizer.encode("unaffable", max_len=10)[0]) == [
        *("un", "##aff", "##able")
    ]


@pytest.mark.parametrize("tokenizer_class", [Tokenizer, ByTheRules])
@pytest.mark.parametrize("cased", [False, True])
def test_same_as_old_library(tokenizer_class, cased):
    tokenizer = tokenizer_class(ORACLE_DICT, cased=cased)
    texts = ORACLE["texts"]
    compared = 0
    for old_cased, i, tokens, max_len, alone, pair in ORACLE["results"]:
        if old_cased is not cased:
            continue
        assert " ".join(tokenizer.tokenize(texts[i])) == tokens
        assert tokenizer.encode(texts[i], max_len=max_len)[0] == alone
        assert list(tokenizer.encode(texts[i], texts[i - 1], max_len=max_len)) == pair
        compared += 1
    assert compared == len(texts)


def test_rematch_same_as_old_library():
    for text, tokens, cased, places in ORACLE["rematch"]:
        found = Tokenizer.rematch(text, tokens, cased=cased)
        assert [list(place) for place in found] == places, (text, tokens)


def test_rematch_examples_of_the_contract():
    rematch = Tokenizer.rematch
    tokens = ["[UNK]", "righs", "[UNK]", "ser", "[UNK]", "[UNK]"]
    expected = [(0, 3), (4, 10), (11, 13), (13, 16), (16, 19), (19, 20)]
    assert rematch("All rights reserved.", tokens) == expected
    assert (
        rematch("All rights reserved.", [t.replace("[UNK]", "<u>") for t in tokens], False, "<u>")
        == expected
    )
    assert rematch("#hash tag ##", ["#", "hash", "tag", "##"]) == [(0, 1), (1, 5), (6, 9), (10, 12)]
    tokens = ["[UNK]", "呢", "，", "[UNK]", "了", "吗", "？"]
    assert rematch("嘛呢，吃了吗？", tokens) == [(i, i + 1) for i in range(7)]
    tokens = ["吃", "了", "吗", "？"]
    assert rematch("  吃了吗？    ", tokens) == [(2, 3), (3, 4), (4, 5), (5, 6)]
    assert rematch("", []) == []


def test_rematch_of_long_text_keeps_memory_low():
    # 10,000 characters: the whole table would have two hundred million cells.
    text = "天气很好，我在酒店吃了。word unaffable " * 313
    tokenizer = Tokenizer(ORACLE_DICT)
    tokens = tokenizer.tokenize(text)[1:-1]
    tracemalloc.start()
    places = tokenizer.rematch(text, tokens)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [text[a:b] for a, b in places] == [token.removeprefix("##") for token in tokens]
    assert peak < 20e6


@settings(deadline=None, max_examples=150)
@given(odd_texts, odd_texts, st.booleans())
def test_shortcuts_change_nothing(first, second, cased):
    fast, slow = (kind(ORACLE_DICT, cased=cased) for kind in (Tokenizer, ByTheRules))
    assert fast.tokenize(first, second) == slow.tokenize(first, second)
    # Once more, now from the caches, and in other surroundings.
    assert fast.tokenize(second + " " + first) == slow.tokenize(second + " " + first)
    assert fast.encode(first, second, max_len=16) == slow.encode(first, second, max_len=16)


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 12), st.none() | st.integers(0, 12), st.integers(0, 12))
def test_truncation_takes_from_the_longer_text(first_length, second_length, room):
    first = [f"a{i}" for i in range(first_length)]
    second = None if second_length is None else [f"b{i}" for i in range(second_length)]
    expected_first, expected_second = list(first), list(second or [])
    while len(expected_first) + len(expected_second) > room:
        longer = expected_first if len(expected_first) > len(expected_second) else expected_second
        longer.pop()
    assert Tokenizer._truncate(first, second, room + (2 if second is None else 3)) is None
    assert first == expected_first
    assert second == (None if second_length is None else expected_second)


@settings(deadline=None, max_examples=60)
@given(odd_texts, st.none() | odd_texts, st.none() | st.integers(3, 24))
def test_encode_has_the_length_asked_for_and_decode_returns_the_tokens(first, second, max_len):
    tokenizer = Tokenizer(ORACLE_DICT)
    ids, segments = tokenizer.encode(first, second, max_len=max_len)
    assert len(ids) == len(segments)
    if max_len is not None:
        assert len(ids) == max_len
        return
    known = [
        [t if t in ORACLE_DICT else "[UNK]" for t in tokenizer._tokenize(text)]
        for text in (first, second)
        if text is not None
    ]
    assert tokenizer.decode(ids) == (known[0] if second is None else tuple(known))


def test_long_word_is_cut_like_a_short_one():
    word = "unaffable" * 1200
    expected = ["un", "##aff", "##able"] + ["##u", "##n", "##aff", "##able"] * 1199
    assert Tokenizer({**README_DICT, "##u": 6, "##n": 7})._tokenize(word) == expected


def test_combining_marks_that_are_kept_are_reordered():
    # Not of category Mn, so no accents; normalization puts class 216 before 224 and 226.
    stem, tone, dot = "\U0001d165", "\u302e", "\U0001d16d"
    for marks in (dot + stem, tone + stem, stem + tone):
        tokens = Tokenizer(README_DICT)._tokenize("x" + marks)
        assert tokens == ["x", *("##" + mark for mark in sorted(marks, reverse=tone in marks))]
        assert Tokenizer(README_DICT, cased=True)._tokenize("x" + marks) == [
            "x",
            *("##" + mark for mark in marks),
        ]


# decode.


def test_decode_takes_arrays():
    tokenizer = Tokenizer(ORACLE_DICT)
    ids, _ = tokenizer.encode("unaffable film", "天气", max_len=12)
    expected = (["un", "##aff", "##able", "film"], ["天", "气"])
    assert tokenizer.decode(ids) == expected
    for kind in (np.int32, np.int64, np.float32):
        assert tokenizer.decode(np.array(ids, dtype=kind)) == expected
    assert tokenizer.decode(tuple(ids)) == expected
    assert tokenizer.decode([np.int64(index) for index in ids]) == expected


def test_decode_where_the_padding_index_is_a_token():
    tokenizer = Tokenizer({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3})
    assert tokenizer.decode(tokenizer.encode("a b a", max_len=8)[0]) == ["a", "[UNK]", "a"]
    assert tokenizer.decode(tokenizer.encode("b", "a", max_len=8)[0]) == (["[UNK]"], ["a"])


def test_decode_of_a_pair_with_an_empty_text():
    tokenizer = Tokenizer(ORACLE_DICT)
    assert tokenizer.decode(tokenizer.encode("", "", max_len=8)[0]) == ([], [])
    assert tokenizer.decode(tokenizer.encode("", max_len=8)[0]) == []
    assert tokenizer.decode(tokenizer.encode("a", "")[0]) == (["a"], [])


def test_decode_knows_tokens_added_later():
    token_dict = dict(README_DICT)
    tokenizer = Tokenizer(token_dict)
    token_dict["钢"] = 6
    assert tokenizer.decode(tokenizer.encode("un钢")[0]) == ["un", "钢"]


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ([2, 5, 6], ValueError, r"`ids` must hold the id of '\[SEP\]', 3"),
        ([], ValueError, r"`ids` must hold"),
        ([2, 99999, 3], ValueError, "ids of the vocabulary. Received: .99999"),
        (None, TypeError, "`ids` must be a list"),
        ("23", TypeError, "`ids` must be a list"),
        ([2, "a", 3], TypeError, "`ids` must be a list"),
        ([2, 4.5, 3], TypeError, "`ids` must be a list"),
        ([2, float("inf"), 3], TypeError, "`ids` must be a list"),
        (np.array([[2, 3], [2, 3]]), TypeError, "one-dimensional"),
    ],
)
def test_decode_errors(ids, error, message):
    with pytest.raises(error, match=message):
        Tokenizer(ORACLE_DICT).decode(ids)


# Hooks: each is replaced in a subclass, on an instance and in the class itself.

HOOKS = {
    "_tokenize": (
        lambda self, text: list(text),
        lambda t: t.tokenize("a b", "b"),
        ["[CLS]", "a", " ", "b", "[SEP]", "b", "[SEP]"],
    ),
    "_word_piece_tokenize": (
        lambda self, word: [word[:1], "##x"],
        lambda t: t.tokenize("ab c"),
        ["[CLS]", "a", "##x", "c", "##x", "[SEP]"],
    ),
    "_is_punctuation": (
        staticmethod(lambda ch: ch == "x"),
        lambda t: t.tokenize("axb a-b"),
        ["[CLS]", "a", "x", "b", "a-b", "[SEP]"],
    ),
    "_is_cjk_character": (
        staticmethod(lambda ch: ch in "xc"),
        lambda t: t.tokenize("axb中c"),
        ["[CLS]", "a", "x", "b", "##中", "c", "[SEP]"],
    ),
    "_is_space": (
        staticmethod(lambda ch: ch == "x"),
        lambda t: t.tokenize("axb"),
        ["[CLS]", "a", "b", "[SEP]"],
    ),
    "_is_control": (
        staticmethod(lambda ch: ch == "x"),
        lambda t: t.tokenize("axb"),
        ["[CLS]", "ab", "[SEP]"],
    ),
    "_pack": (
        lambda self, first, second=None: (first, len(first), 0),
        lambda t: t.encode("ab", max_len=3),
        ([6, 0, 0], [0, 0, 0]),
    ),
    "_truncate": (
        staticmethod(lambda first, second=None, max_len=None: first.reverse()),
        lambda t: t.encode("a b"),
        ([2, 5, 4, 3], [0, 0, 0, 0]),
    ),
    "_convert_tokens_to_ids": (
        lambda self, tokens: [7] * len(tokens),
        lambda t: t.encode("ab", max_len=4),
        ([7, 7, 7, 0], [0, 0, 0, 0]),
    ),
}


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_of_a_subclass(hook):
    replacement, public, expected = HOOKS[hook]
    tokenizer = type("Mine", (Tokenizer,), {hook: replacement})(HOOKS_DICT)
    assert public(tokenizer) == expected
    assert public(Tokenizer(HOOKS_DICT)) != expected


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_of_an_instance(hook):
    replacement, public, expected = HOOKS[hook]
    tokenizer = Tokenizer(HOOKS_DICT)
    usual = public(tokenizer)
    assert usual != expected
    # After first use, so that caches are there to be ignored.
    setattr(tokenizer, hook, replacement.__get__(tokenizer, Tokenizer))
    assert public(tokenizer) == expected
    delattr(tokenizer, hook)
    assert public(tokenizer) == usual


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_patched_into_the_class(hook, monkeypatch):
    replacement, public, expected = HOOKS[hook]
    tokenizer = Tokenizer(HOOKS_DICT)
    usual = public(tokenizer)
    with monkeypatch.context() as patch:
        patch.setattr(Tokenizer, hook, replacement)
        assert public(tokenizer) == expected
    assert public(tokenizer) == usual


def test_hook_may_be_the_method_of_another_tokenizer():
    tokenizer, other = Tokenizer(HOOKS_DICT), Tokenizer({"##b": 0})
    assert tokenizer._tokenize("axb") == ["axb"]
    tokenizer._word_piece_tokenize = other._word_piece_tokenize
    assert tokenizer._tokenize("axb") == ["a", "##x", "##b"]


def test_rematch_asks_the_space_hook():
    class Mine(Tokenizer):
        @staticmethod
        def _is_space(ch):
            return ch == "x"

    tokenizer = Tokenizer(HOOKS_DICT)
    for rematch in (Mine.rematch, Mine(HOOKS_DICT).rematch):
        assert rematch("xxab cd", ["ab", "cd"]) == [(2, 4), (5, 7)]
        assert rematch("abxcd", ["zz", "cd"]) == [(0, 2), (3, 5)]
    assert tokenizer.rematch("abxcd", ["zz", "cd"]) == [(0, 3), (3, 5)]
    tokenizer._is_space = Mine._is_space
    assert tokenizer.rematch("abxcd", ["zz", "cd"]) == [(0, 2), (3, 5)]


def test_character_rules():
    yes = {
        "_is_punctuation": "!-/:@[`{~$^+|，。「﹏—\u00bf",
        "_is_cjk_character": "一龥㐀豈𠀀𪜀",
        "_is_space": " \t\n\r\u00a0\u3000\u2003",
        "_is_control": "\x00\x0b\x1f\x7f\x85\u00ad\u200b\u202e\ufeff\t\n",
    }
    no = {
        "_is_punctuation": "a1中 €©\u0301",
        "_is_cjk_character": "aかカ한。々",
        "_is_space": "a\x0b\x1c\x85\u2028\u200b",
        "_is_control": "a \u3000\u2028\ufffd\ud800",
    }
    for name in yes:
        rule = getattr(Tokenizer, name)
        assert all(rule(character) is True for character in yes[name]), name
        assert not any(rule(character) for character in no[name]), name


def test_attributes_that_subclasses_read():
    tokenizer = Tokenizer(README_DICT, "C", "S", "U", 7, True)
    assert tokenizer._token_dict is README_DICT
    assert tokenizer._token_dict_inv == {index: token for token, index in README_DICT.items()}
    assert (tokenizer._token_cls, tokenizer._token_sep, tokenizer._token_unk) == ("C", "S", "U")
    assert (tokenizer._pad_index, tokenizer._cased) == (7, True)
    assert tokenizer._pack(["a"], ["b"]) == (["C", "a", "S", "b", "S"], 3, 2)
    assert Tokenizer(README_DICT)._convert_tokens_to_ids(["un", "other"]) == [2, 5]
    assert Tokenizer(README_DICT)._word_piece_tokenize("unx") == ["un", "##x"]
    assert Tokenizer(README_DICT)._word_piece_tokenize("") == []
    assert Tokenizer({"": 0})._word_piece_tokenize("") == [""]


# The vocabulary changes after first use.


def large_vocabulary():
    return {**README_DICT, **{f"token{i}": 6 + i for i in range(1000)}}


CHANGES = {
    "added": lambda d: d.update({"unaff": 9999}),
    "removed": lambda d: d.pop("##able"),
    "exchanged": lambda d: d.update({"##ff": d.pop("##aff")}),
    "exchanged whole word": lambda d: d.update({"unaffable": d.pop("un")}),
    "emptied": lambda d: d.clear(),
}


@pytest.mark.parametrize("make", [lambda: dict(README_DICT), large_vocabulary])
@pytest.mark.parametrize("kind", [dict, OrderedDict, lambda d: defaultdict(int, d)])
@pytest.mark.parametrize("change", CHANGES)
def test_changes_of_the_vocabulary_show(make, kind, change):
    token_dict = kind(make())
    tokenizer = Tokenizer(token_dict)
    before = tokenizer._tokenize("unaffable aff")
    assert before[:3] == ["un", "##aff", "##able"]
    CHANGES[change](token_dict)
    after = tokenizer._tokenize("unaffable aff")
    assert after == ByTheRules(token_dict)._tokenize("unaffable aff")
    assert after != before
    assert (
        tokenizer._word_piece_tokenize("unaffable")
        == after[: len(after) - len(tokenizer._tokenize("aff"))]
    )


def test_small_vocabulary_rebuilt_in_place():
    token_dict = dict(README_DICT)
    tokenizer = Tokenizer(token_dict)
    tokenizer.tokenize("unaffable")
    renamed = {token.replace("##aff", "##af"): index for token, index in token_dict.items()}
    token_dict.clear()
    token_dict.update(renamed)
    assert tokenizer._tokenize("unaffable") == ["un", "##af", "##f", "##able"]


def test_changed_ids_show():
    token_dict = dict(README_DICT)
    tokenizer = Tokenizer(token_dict)
    assert tokenizer.encode("un")[0] == [0, 2, 1]
    token_dict["un"] = 77
    assert tokenizer.encode("un")[0] == [0, 77, 1]


def test_assigned_attributes_show():
    tokenizer = Tokenizer(ORACLE_DICT)
    assert tokenizer._tokenize("Film") == ["film"]
    tokenizer._cased = True
    assert tokenizer._tokenize("Film") == ["Film"]
    tokenizer._token_dict = README_DICT
    assert tokenizer._tokenize("Film") == ["F", "##i", "##l", "##m"]


def test_any_mapping_will_do():
    tokenizer = Tokenizer(MappingProxyType(README_DICT))
    assert tokenizer.encode("unaffable")[0] == [0, 2, 3, 4, 1]
    assert tokenizer._word_piece_tokenize("unx") == ["un", "##x"]


# Caches, copies, threads.


def test_caches_are_bounded(monkeypatch):
    monkeypatch.setattr(text_lookup, "CACHE_ENTRIES", 50)
    tokenizer = Tokenizer(README_DICT)
    for i in range(0, 2000, 3):
        assert tokenizer._tokenize(f"un{i} ab{i}")[0] == "un"
        assert tokenizer._tokenize(chr(0x4E00 + i)) == [chr(0x4E00 + i)]
    tokenizer._tokenize("x" * 1000)
    cached = tokenizer._cache
    assert 0 < len(cached._pieces) <= 50
    chunks = cached._token_texts.chunks
    assert 0 < len(chunks) <= 50
    assert max(map(len, chunks)) <= text_lookup.CACHE_KEY_CHARACTERS


def test_results_are_lists_of_ones_own():
    tokenizer = Tokenizer(README_DICT)
    for call in (tokenizer.tokenize, tokenizer._tokenize, tokenizer._word_piece_tokenize):
        first = call("unaffable")
        first.append("more")
        assert call("unaffable") == first[:-1]


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))]
)
def test_copies_and_pickles(duplicate):
    tokenizer = Tokenizer(dict(README_DICT), pad_index=9, cased=True)
    tokenizer.tokenize("unaffable")
    again = duplicate(tokenizer)
    assert again.encode("unaffable Un", max_len=9) == tokenizer.encode("unaffable Un", max_len=9)
    again._token_dict = {**README_DICT, "unaffable": 6}
    assert again._tokenize("unaffable") == ["unaffable"]
    assert tokenizer._tokenize("unaffable") == ["un", "##aff", "##able"]


def test_pickle_leaves_the_caches_out():
    tokenizer = Tokenizer(README_DICT)
    size = len(pickle.dumps(tokenizer))
    tokenizer.tokenize(" ".join(f"un{i}" for i in range(1000)))
    assert len(pickle.dumps(tokenizer)) < size + 100


def test_instance_pickled_by_the_old_library():
    # Its instances have these attributes and no more.
    old = Tokenizer.__new__(Tokenizer)
    old.__dict__.update(
        _token_dict=README_DICT,
        _token_dict_inv={0: "[CLS]"},
        _token_cls="[CLS]",
        _token_sep="[SEP]",
        _token_unk="[UNK]",
        _pad_index=0,
        _cased=False,
    )
    assert old.encode("unaffable")[0] == [0, 2, 3, 4, 1]


def test_threads_share_a_tokenizer(monkeypatch):
    monkeypatch.setattr(text_lookup, "CACHE_ENTRIES", 40)
    token_dict = dict(ORACLE_DICT)
    tokenizer = Tokenizer(token_dict)
    texts = ORACLE["texts"]
    expected = [ByTheRules(ORACLE_DICT)._tokenize(text) for text in texts]
    wrong = []

    def work(start):
        order = texts[start:] + texts[:start], expected[start:] + expected[:start]
        try:
            wrong.extend(t for t, e in zip(*order, strict=True) if tokenizer._tokenize(t) != e)
        except Exception as error:
            wrong.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(20 * i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for i in range(50):
            # Keys that no text has: they make the caches out of date, not the results.
            token_dict[f"[unused{i}]"] = 1000 + i
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert wrong == []


# Errors.


@pytest.mark.parametrize("value", [None, b"text", 3, ["a"], np.array("a")])
def test_first_must_be_a_string(value):
    tokenizer = Tokenizer(README_DICT, cased=True)
    for call in (tokenizer.tokenize, tokenizer.encode):
        with pytest.raises(
            TypeError, match=r"`first` must be a string. Received: .*" + type(value).__name__
        ):
            call(value)
    with pytest.raises(TypeError, match="`text` must be a string"):
        tokenizer._tokenize(value)


@pytest.mark.parametrize("value", [b"text", 3, ["a"]])
def test_second_must_be_a_string(value):
    tokenizer = Tokenizer(README_DICT)
    for call in (tokenizer.tokenize, tokenizer.encode):
        with pytest.raises(TypeError, match=r"`second` must be a string. Received: "):
            call("un", value)


def test_own_tokenize_may_take_what_it_likes():
    class OfWords(Tokenizer):
        def _tokenize(self, words):
            return [piece for word in words for piece in self._word_piece_tokenize(word)]

    tokens = OfWords(README_DICT).tokenize(["unaff", "钢"], ["un"])
    assert tokens == ["[CLS]", "un", "##aff", "钢", "[SEP]", "un", "[SEP]"]


@pytest.mark.parametrize(("second", "max_len"), [(None, 1), (None, 0), (None, -5), ("un", 2)])
def test_max_len_without_room(second, max_len):
    with pytest.raises(
        ValueError, match=rf"`max_len` must leave room for the . special tokens.*={max_len}$"
    ):
        Tokenizer(README_DICT).encode("un", second, max_len=max_len)


def test_smallest_max_len():
    tokenizer = Tokenizer(README_DICT)
    assert tokenizer.encode("unaffable", max_len=2) == ([0, 1], [0, 0])
    assert tokenizer.encode("unaffable", "un", max_len=3) == ([0, 1, 1], [0, 0, 1])
    assert tokenizer.encode("un", max_len=np.int64(4)) == ([0, 2, 1, 0], [0, 0, 0, 0])


@pytest.mark.parametrize("max_len", ["8", 8.0, [8]])
def test_max_len_must_be_an_integer(max_len):
    with pytest.raises(TypeError, match=r"`max_len` must be an integer. Received: "):
        Tokenizer(README_DICT).encode("un", max_len=max_len)


@pytest.mark.parametrize("name", ["[UNK]", "[CLS]", "[SEP]"])
def test_vocabulary_without_a_special_token(name):
    token_dict = {token: index for token, index in README_DICT.items() if token != name}
    tokenizer = Tokenizer(token_dict)
    assert tokenizer.tokenize("unaffable") == ["[CLS]", "un", "##aff", "##able", "[SEP]"]
    argument = f"token_{name[1:-1].lower()}"
    with pytest.raises(ValueError, match=rf"lacks '\[{name[1:-1]}\]'.* `{argument}`"):
        tokenizer.encode("un钢")
    if name == "[UNK]":
        # It is not needed where everything is known.
        assert tokenizer.encode("unaffable")[0] == [0, 2, 3, 4, 1]


def test_vocabulary_with_special_tokens_in_lower_case():
    token_dict = {token.lower(): index for token, index in README_DICT.items()}
    with pytest.raises(ValueError, match=r"name for it as `token_cls`: it has '\[cls\]'\."):
        Tokenizer(token_dict).encode("unaffable")
    tokenizer = Tokenizer(token_dict, "[cls]", "[sep]", "[unk]")
    assert tokenizer.encode("unaffable 钢")[0] == [0, 2, 3, 4, 5, 1]


def test_padding_is_an_id_whatever_its_name():
    for name in ("", "[PAD]", "[pad]", "<pad>", None):
        token_dict = {"[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4}
        if name is not None:
            token_dict[name] = 0
        tokenizer = Tokenizer(token_dict)
        assert tokenizer.encode("a", max_len=5)[0] == [2, 4, 3, 0, 0]
        assert tokenizer.decode([2, 4, 3, 0, 0]) == ["a"]


@pytest.mark.parametrize("value", [None, "vocab.txt", ["a", "b"], 3])
def test_token_dict_must_be_a_mapping(value):
    with pytest.raises(TypeError, match="`token_dict` must map tokens to ids"):
        Tokenizer(value)


@pytest.mark.parametrize(
    ("text", "tokens", "name"),
    [
        (None, ["a"], "text"),
        (b"a", ["a"], "text"),
        ("a", None, "tokens"),
        ("a", "a", "tokens"),
        ("a", [b"a"], "tokens"),
        ("a", 3, "tokens"),
    ],
)
def test_rematch_errors(text, tokens, name):
    with pytest.raises(TypeError, match=f"`{name}` must be"):
        Tokenizer.rematch(text, tokens)


def test_module_needs_no_keras():
    script = (
        "import sys\n"
        "import keras_bert.tokenizer, keras_bert.tokenizer.vocabulary\n"
        "heavy = {'keras', 'tensorflow', 'tf_keras', 'jax', 'torch'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TF_KERAS"}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
