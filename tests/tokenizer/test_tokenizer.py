"""The tokenizer's public methods, against keras-bert 0.89 and under everything users do."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from runtimes import once
from tokenizer_texts import OLD, README_DICT, VOCABULARY, ByTheRules

from keras_bert.tokenizer import Tokenizer

pytestmark = once

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
    tokenizer = tokenizer_class(VOCABULARY, cased=cased)
    texts = OLD["texts"]
    compared = 0
    for old_cased, i, tokens, max_len, alone, pair in OLD["results"]:
        if old_cased is not cased:
            continue
        assert " ".join(tokenizer.tokenize(texts[i])) == tokens
        assert tokenizer.encode(texts[i], max_len=max_len)[0] == alone
        assert list(tokenizer.encode(texts[i], texts[i - 1], max_len=max_len)) == pair
        compared += 1
    assert compared == len(texts)


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


def test_smallest_max_len():
    tokenizer = Tokenizer(README_DICT)
    assert tokenizer.encode("unaffable", max_len=2) == ([0, 1], [0, 0])
    assert tokenizer.encode("unaffable", "un", max_len=3) == ([0, 1, 1], [0, 0, 1])
    assert tokenizer.encode("un", max_len=np.int64(4)) == ([0, 2, 1, 0], [0, 0, 0, 0])


def test_padding_is_an_id_whatever_its_name():
    for name in ("", "[PAD]", "[pad]", "<pad>", None):
        token_dict = {"[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4}
        if name is not None:
            token_dict[name] = 0
        tokenizer = Tokenizer(token_dict)
        assert tokenizer.encode("a", max_len=5)[0] == [2, 4, 3, 0, 0]
        assert tokenizer.decode([2, 4, 3, 0, 0]) == ["a"]


# decode.


def test_decode_takes_arrays():
    tokenizer = Tokenizer(VOCABULARY)
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
    tokenizer = Tokenizer(VOCABULARY)
    assert tokenizer.decode(tokenizer.encode("", "", max_len=8)[0]) == ([], [])
    assert tokenizer.decode(tokenizer.encode("", max_len=8)[0]) == []
    assert tokenizer.decode(tokenizer.encode("a", "")[0]) == (["a"], [])


def test_decode_knows_tokens_added_later():
    token_dict = dict(README_DICT)
    tokenizer = Tokenizer(token_dict)
    token_dict["钢"] = 6
    assert tokenizer.decode(tokenizer.encode("un钢")[0]) == ["un", "钢"]


# Copies, and the import.


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


def test_module_needs_no_keras():
    script = (
        "import sys\n"
        "import keras_bert.tokenizer, keras_bert.tokenizer.vocabulary\n"
        "heavy = {'keras', 'tensorflow', 'tf_keras', 'jax', 'torch'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TF_KERAS"}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)


# Errors.


@pytest.mark.parametrize("value", [None, "vocab.txt", ["a", "b"], 3])
def test_token_dict_must_be_a_mapping(value):
    with pytest.raises(TypeError, match="`token_dict` must map tokens to ids"):
        Tokenizer(value)


@pytest.mark.parametrize("value", [None, b"text", 3, ["a"], np.array("a")])
def test_first_must_be_a_string(value):
    tokenizer = Tokenizer(README_DICT, cased=True)
    for call in (tokenizer.tokenize, tokenizer.encode, tokenizer.encode_with_offsets):
        with pytest.raises(
            TypeError, match=r"`first` must be a string. Received: .*" + type(value).__name__
        ):
            call(value)
    with pytest.raises(TypeError, match="`text` must be a string"):
        tokenizer._tokenize(value)


@pytest.mark.parametrize("value", [b"text", 3, ["a"]])
def test_second_must_be_a_string(value):
    tokenizer = Tokenizer(README_DICT)
    for call in (tokenizer.tokenize, tokenizer.encode, tokenizer.encode_with_offsets):
        with pytest.raises(TypeError, match=r"`second` must be a string. Received: "):
            call("un", value)


@pytest.mark.parametrize(("second", "max_len"), [(None, 1), (None, 0), (None, -5), ("un", 2)])
def test_max_len_without_room(second, max_len):
    with pytest.raises(
        ValueError, match=rf"`max_len` must leave room for the . special tokens.*={max_len}$"
    ):
        Tokenizer(README_DICT).encode("un", second, max_len=max_len)


@pytest.mark.parametrize("max_len", ["8", 8.0, [8]])
def test_max_len_must_be_an_integer(max_len):
    with pytest.raises(TypeError, match=r"`max_len` must be an integer. Received: "):
        Tokenizer(README_DICT).encode("un", max_len=max_len)


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
        Tokenizer(VOCABULARY).decode(ids)


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
