"""The tokenizer's hooks: whoever replaces one is heard by every public method."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtimes import once
from tokenizer_texts import README_DICT, VOCABULARY

from keras_bert.tokenizer import Tokenizer

pytestmark = once

HOOKS_DICT = {
    token: index
    for index, token in enumerate(
        "[PAD] [UNK] [CLS] [SEP] a b ab ##b ##x axb x - ##- a-b c ##c".split()  # noqa: SIM905
    )
}

# Each is replaced in a subclass, on an instance and in the class itself.
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


def test_own_tokenize_may_take_what_it_likes():
    class OfWords(Tokenizer):
        def _tokenize(self, words):
            return [piece for word in words for piece in self._word_piece_tokenize(word)]

    tokens = OfWords(README_DICT).tokenize(["unaff", "钢"], ["un"])
    assert tokens == ["[CLS]", "un", "##aff", "钢", "[SEP]", "un", "[SEP]"]


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


# What they do by themselves.


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


def test_packing_counts_the_special_tokens():
    pack = Tokenizer(README_DICT)._pack
    assert pack(["un"]) == (["[CLS]", "un", "[SEP]"], 3, 0)
    assert pack(["un"], ["a", "b"]) == (["[CLS]", "un", "[SEP]", "a", "b", "[SEP]"], 3, 3)


def test_unknown_tokens_get_the_id_of_the_unknown_one():
    assert Tokenizer(README_DICT)._convert_tokens_to_ids(iter(["un", "钢"])) == [2, 5]


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
