"""The cached way to tokens: it follows its vocabulary, stays bounded and serves many threads."""

import pickle
import sys
import threading
from collections import Counter, OrderedDict, defaultdict
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from runtimes import once
from tokenizer_texts import OLD, README_DICT, VOCABULARY, ByTheRules, odd_texts

from keras_bert.tokenizer import Tokenizer, text_lookup
from keras_bert.tokenizer.token_cache import Settings, TokenCache

pytestmark = once

DEFAULT = Settings(False, False, "[UNK]", "[CLS]", "[SEP]")


@once
@pytest.mark.parametrize("cased", [False, True])
@pytest.mark.parametrize("official", [False, True])
def test_caches_change_nothing(cased, official):
    fast, slow = (
        kind(VOCABULARY, cased=cased, official=official) for kind in (Tokenizer, ByTheRules)
    )

    @settings(deadline=None, max_examples=50)
    @given(odd_texts, odd_texts)
    def compare(first, second):
        assert fast.tokenize(first, second) == slow.tokenize(first, second)
        assert fast.encode(first, second, 16) == slow.encode(first, second, 16)
        # Once more, now from the caches, and in other surroundings.
        for text in (second + " " + first, second + "的" + first, second + "、" + first + "的"):
            assert fast.tokenize(text) == slow.tokenize(text)
            assert fast.encode(text) == slow.encode(text)
            assert fast.encode_with_offsets(text) == slow.encode_with_offsets(text)

    compare()


# Changes of what it was made from.


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
    tokenizer = Tokenizer(VOCABULARY)
    assert tokenizer._tokenize("Film") == ["film"]
    tokenizer._cased = True
    assert tokenizer._tokenize("Film") == ["Film"]
    assert tokenizer.encode("Film")[0][1] == VOCABULARY["Film"]
    tokenizer._token_dict = README_DICT
    assert tokenizer._tokenize("Film") == ["F", "##i", "##l", "##m"]


def test_any_mapping_will_do():
    mapping = MappingProxyType(README_DICT)
    assert not TokenCache.serves(mapping)
    assert all(map(TokenCache.serves, (README_DICT, Counter(a=1), OrderedDict(a=1))))
    tokenizer = Tokenizer(mapping)
    assert tokenizer.encode("unaffable")[0] == [0, 2, 3, 4, 1]
    assert tokenizer._word_piece_tokenize("unx") == ["un", "##x"]


def test_a_cache_is_for_one_dict_and_one_set_of_rules():
    token_dict = dict(README_DICT)
    cache = TokenCache(token_dict, DEFAULT)
    assert cache.settings == DEFAULT
    assert cache.settings != DEFAULT._replace(cased=True)
    assert cache.is_current(token_dict)
    assert not cache.is_current(dict(token_dict))


def test_special_tokens_that_are_kept_whole():
    text = "[PAD]</s>[UNK] [CLS][MASK][SEP]"
    assert not DEFAULT.kept_whole(VOCABULARY).are_in(text)
    official = DEFAULT._replace(official=True, separator="</s>")
    kept = official.kept_whole({**VOCABULARY, "</s>": 9, "": 10})
    assert [token for _, _, token in kept.split(text) if token is not None] == [
        *("[PAD]", "</s>", "[UNK]", "[CLS]", "[MASK]")
    ]
    assert not official.kept_whole({"a": 0}).are_in(text)


# What callers and threads share.


def test_results_are_lists_of_ones_own():
    tokenizer = Tokenizer(README_DICT)
    for call in (tokenizer.tokenize, tokenizer._tokenize, tokenizer._word_piece_tokenize):
        first = call("unaffable")
        first.append("more")
        assert call("unaffable") == first[:-1]


def test_pickle_leaves_the_caches_out():
    tokenizer = Tokenizer(README_DICT)
    size = len(pickle.dumps(tokenizer))
    tokenizer.tokenize(" ".join(f"un{i}" for i in range(1000)))
    assert len(pickle.dumps(tokenizer)) < size + 100


def test_threads_share_a_tokenizer(monkeypatch):
    monkeypatch.setattr(text_lookup, "CACHE_ENTRIES", 40)
    token_dict = dict(VOCABULARY)
    tokenizer = Tokenizer(token_dict)
    texts = OLD["texts"]
    expected = [ByTheRules(VOCABULARY)._tokenize(text) for text in texts]
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
