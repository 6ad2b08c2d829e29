"""Tokenizers whose folder says more than vocabulary and case, against Hugging Face's."""

import json
import pickle

import pytest

from keras_bert.saving.conversion import read_vocabulary
from keras_bert.tokenizer import VocabularyError, load_tokenizer
from keras_bert.tokenizer.text_rules import as_settings, read_text_rules

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [*"Éée中文한<>#", "中文", "e中", "url", "na", "##ï", "##i", "na\u0308", "naïve", "ive"]
VOCABULARY = [*SPECIAL, *WORDS, "naive"]
TEXTS = ["É é e E", "中文 e中 中", "naïve Naïve NAÏVE", "[MASK] 한 <url> <url>e", "na\u0308 e"]


def folder(tmp_path, settings=None, **files):
    (tmp_path / "vocab.txt").write_text("\n".join(VOCABULARY), "utf-8")
    if settings is not None:
        files["tokenizer_config"] = {"tokenizer_class": "BertTokenizer"} | settings
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path / "vocab.txt"


@pytest.mark.slow
@pytest.mark.parametrize("chinese", [None, True, False])
@pytest.mark.parametrize("strip", [None, True, False])
@pytest.mark.parametrize("lower", [True, False])
def test_accents_and_chinese_characters_as_the_folder_says(tmp_path, lower, strip, chinese):
    transformers = pytest.importorskip("transformers")
    settings = {"do_lower_case": lower, "strip_accents": strip}
    if chinese is not None:
        settings["tokenize_chinese_chars"] = chinese
    tokenizer = load_tokenizer(folder(tmp_path, settings), official=True)
    reference = transformers.BertTokenizer.from_pretrained(tmp_path)
    for text in TEXTS:
        assert tokenizer.encode(text)[0] == reference(text)["input_ids"]
        ids, _, offsets = pickle.loads(pickle.dumps(tokenizer)).encode_with_offsets(text)
        assert ids == reference(text)["input_ids"]
        assert len(offsets) == len(ids)


def test_the_rules_of_keras_bert_0_89_know_none_of_it(tmp_path):
    settings = {"do_lower_case": True, "strip_accents": False, "tokenize_chinese_chars": False}
    tokenizer = load_tokenizer(folder(tmp_path, settings))
    assert tokenizer.tokenize("Naïve 中文") == ["[CLS]", "naive", "中", "文", "[SEP]"]


@pytest.mark.parametrize("place", ["added_tokens", "decoder", "special_tokens_map"])
def test_added_tokens_are_kept_whole(tmp_path, place):
    count = len(VOCABULARY)
    if place == "added_tokens":
        path = folder(tmp_path, added_tokens={"<url>": count})
    elif place == "decoder":
        entries = {"0": {"content": "[PAD]"}, str(count): {"content": "<url>"}}
        path = folder(tmp_path, {"added_tokens_decoder": entries})
    else:
        path = folder(tmp_path, special_tokens_map={"additional_special_tokens": ["naïve"]})
    tokenizer = load_tokenizer(path, official=True)
    if place == "special_tokens_map":
        assert tokenizer.tokenize("naïvee naïve") == ["[CLS]", "naïve", "e", "naïve", "[SEP]"]
        return
    ids, _, offsets = tokenizer.encode_with_offsets("e<url>e <url>")
    e = VOCABULARY.index("e")
    assert ids[1:-1] == [e, count, e, count]
    assert offsets[1:-1] == [(0, 1), (1, 6), (6, 7), (8, 13)]
    assert read_vocabulary(path)["<url>"] == count
    # The same from a tokenizer.json, which holds all of them.
    document = {
        "model": {"type": "WordPiece", "vocab": {t: i for i, t in enumerate(VOCABULARY)}},
        "added_tokens": [{"id": count, "content": "<url>"}],
    }
    (tmp_path / "tokenizer.json").write_text(json.dumps(document))
    other = load_tokenizer(tmp_path / "tokenizer.json", cased=tokenizer._cased, official=True)
    assert other.encode("e<url>e <url>")[0] == ids


@pytest.mark.slow
@pytest.mark.parametrize("lower", [True, False])
def test_added_tokens_are_found_as_transformers_finds_them(tmp_path, lower):
    transformers = pytest.importorskip("transformers")
    path = folder(tmp_path, {"do_lower_case": lower})
    reference = transformers.BertTokenizerFast.from_pretrained(tmp_path)
    reference.add_tokens(["eae", "<url>"])
    reference.add_tokens([transformers.AddedToken("<one>", single_word=True)])
    reference.add_tokens(["<Special>"], special_tokens=True)
    reference.save_pretrained(tmp_path)  # to tokenizer.json; the vocabulary stays as it was
    tokenizer = load_tokenizer(path, official=True)
    for text in [
        *("e eae EAE éeae", "<url>e<URL> <url>", "<one> <One> e<one> <one>e", "<Special><special>"),
        "<one><one>, <url><Special>é",
    ]:
        ids, _, offsets = tokenizer.encode_with_offsets(text)
        expected = reference(text, return_offsets_mapping=True)
        assert ids == expected["input_ids"], text
        assert offsets == expected["offset_mapping"], text


@pytest.mark.parametrize("name", ["PreTrainedTokenizerFast", "TokenizersBackend"])
def test_without_a_class_of_its_own_the_normalizer_holds(tmp_path, name):
    settings = {"tokenizer_class": name, "do_lower_case": True, "strip_accents": None}
    normalizer = {"type": "BertNormalizer", "lowercase": False, "strip_accents": False}
    path = folder(tmp_path, settings, tokenizer={"model": {}, "normalizer": normalizer})
    assert load_tokenizer(path, official=True).tokenize("É")[1] == "É"


@pytest.mark.slow
@pytest.mark.parametrize("side", [None, "left", "right"])
def test_long_texts_lose_the_side_that_the_folder_says(tmp_path, side):
    transformers = pytest.importorskip("transformers")
    settings = {"do_lower_case": True} | ({"truncation_side": side} if side else {})
    tokenizer = load_tokenizer(folder(tmp_path, settings), official=True)
    reference = transformers.BertTokenizer.from_pretrained(tmp_path)
    long, other = "e # < > url na 中 文", "e e 한 # # # #"
    for texts in [(long,), (long, other), (long, "e"), ("e", long), ("e",)]:
        # With an odd number of tokens left for a pair, Google's code gives the first text one more.
        for length in (5, 7, 9, 30):
            expected = reference(*texts, truncation=True, max_length=length)
            ids = tokenizer.encode(*texts, max_len=length)[0]
            assert [index for index in ids if index] == expected["input_ids"], (texts, length)
            found = tokenizer.encode_with_offsets(*texts, max_len=length)
            assert found[0] == ids


def test_settings_that_are_written_are_read_again(tmp_path):
    path = folder(
        tmp_path,
        {
            "strip_accents": False,
            "tokenize_chinese_chars": False,
            "truncation_side": "left",
        },
        added_tokens={"<url>": len(VOCABULARY)},
    )
    rules, _ = read_text_rules(path)
    written = as_settings(rules, read_vocabulary(path))
    (tmp_path / "other").mkdir()
    other = folder(tmp_path / "other", written)
    assert read_text_rules(other)[0] == rules
    assert read_vocabulary(other) == read_vocabulary(path)


@pytest.mark.parametrize("added", [{"<url>": 1}, {"e": 999}, {"<url>": -1}, {"<url>": "1"}, ["a"]])
def test_added_tokens_with_wrong_ids_are_refused(tmp_path, added):
    with pytest.raises(VocabularyError, match="added token"):
        load_tokenizer(folder(tmp_path, added_tokens=added), official=True)
