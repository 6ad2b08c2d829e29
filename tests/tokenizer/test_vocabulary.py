"""Vocabulary files: line ends, ids, errors with line numbers, damaged files, and case."""

import json
import random
from pathlib import Path
from pipes import make_pipe, refused

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text_damage import damaged
from tokenizer_texts import DATA

from keras_bert.datasets.folders import get_checkpoint_paths
from keras_bert.tokenizer import load_tokenizer
from keras_bert.tokenizer.vocabulary import (
    VocabularyError,
    declared,
    find_case,
    is_cased,
    load_tokens,
    load_vocabulary,
    save_vocabulary,
)

TOKENS = [
    "[PAD]",
    "[unused1]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "un",
    "##aff",
    "的",
    "##的",
    "é",
]


@pytest.fixture
def write(tmp_path):
    def write(content, name="vocab.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


def tokenizer_json(**changes):
    """Make a document with the members that the Hugging Face tokenizers write for BERT."""
    vocabulary = {token: index for index, token in enumerate(TOKENS)}
    special = {"single_word": False, "lstrip": False, "rstrip": False, "special": True}
    document = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": index, "content": token, "normalized": False, **special}
            for token, index in vocabulary.items()
            if token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
        ],
        "normalizer": {"type": "BertNormalizer", "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": None,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": vocabulary,
        },
    }
    document["model"].update(changes)
    return document


# Text files.


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_ids_are_the_numbers_of_the_lines(write, end, last, mark):
    path = write(mark + end.join(TOKENS) + (end if last else ""))
    expected = {token: index for index, token in enumerate(TOKENS)}
    assert load_vocabulary(path) == expected
    assert list(load_vocabulary(str(path))) == TOKENS


def test_lines_end_at_line_feeds_only(write):
    # The official Chinese vocabulary holds U+2028 and ##U+2028; 0.89 lost them.
    tokens = [
        "[PAD]",
        "\u2028",
        "##\u2028",
        "\u2029",
        "\x85",
        "\x0b",
        "\x0c",
        "\x1c",
        "\u3000",
        "a\rb",
    ]
    assert load_vocabulary(write("\n".join(tokens) + "\n")) == {
        token: index for index, token in enumerate(tokens)
    }


def test_blanks_around_tokens_are_dropped(write):
    assert load_vocabulary(write(" a\nb \r\n\tc\n")) == {"a": 0, "b": 1, "c": 2}


def test_empty_lines_are_the_empty_token(write):
    # The first line of this library's own vocabularies, for padding.
    assert load_vocabulary(write("\n[UNK]\n[CLS]\n")) == {"": 0, "[UNK]": 1, "[CLS]": 2}
    # Google's and Hugging Face's readers count an empty last line too.
    assert load_vocabulary(write("a\nb\n\n")) == {"a": 0, "b": 1, "": 2}
    with pytest.raises(VocabularyError, match=r"Line 4 repeats '', which is in line 2\."):
        load_vocabulary(write("a\n\nb\n\nc\n"))


def test_blank_lines_in_a_list_of_tokens_are_none(write):
    assert load_tokens(write(b"\na\r\n\r\n  \nb\n\n")) == ["a", "b"]
    with pytest.raises(VocabularyError, match="Line 3 repeats 'a', which is in line 1"):
        load_tokens(write(b"a\n\na\n"))
    with pytest.raises(VocabularyError, match="holds no tokens"):
        load_tokens(write(b"\n\n"))


def test_duplicate_line(write):
    path = write("a\nb\nc\r\nb\r\nd\n")
    with pytest.raises(VocabularyError, match=r"vocab\.txt .*Line 4 repeats 'b', .*in line 2\."):
        load_vocabulary(path)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"a\nb\n\xff\xfe\nc", 3),
        (b"\xe4\xb8", 1),
        (b"a\r\n\xed\xa0\x80\r\n", 2),  # a surrogate, which UTF-8 does not have
        ("的\n一\n".encode("gb18030"), 1),
        ("a\nb\n".encode("utf-16"), 1),
    ],
)
def test_line_that_is_not_utf8(write, content, line):
    with pytest.raises(VocabularyError, match=rf"must be UTF-8\. Line {line} is not"):
        load_vocabulary(write(content))


def test_how_to_convert_a_vocabulary_in_another_encoding(write):
    western = r"iconv -f GBK -t UTF-8 \(Chinese\) or by iconv -f WINDOWS-1252 -t UTF-8 \(Western\)"
    for text, encoding, told in (
        ("语\n言\n", "gbk", western),
        ("né\n", "cp1252", western),
        ("语\n", "utf-16", "iconv -f UTF-16 -t"),
    ):
        with pytest.raises(VocabularyError, match=told):
            load_vocabulary(write(text.encode(encoding)))


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf"])
def test_empty_file(write, content):
    with pytest.raises(VocabularyError, match="holds no tokens"):
        load_vocabulary(write(content))


@pytest.mark.parametrize("name", ["vocab.txt", "tokenizer.json"])
def test_a_pipe_is_refused_at_once(tmp_path, name):
    with refused():
        load_vocabulary(make_pipe(tmp_path / name))


def test_missing_file_and_wrong_type(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_vocabulary(tmp_path / "none.txt")
    for value in (None, 3, {"a": 0}):
        with pytest.raises(TypeError, match="`vocab_path` must be the path"):
            load_vocabulary(value)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"])).map(
            lambda token: token.strip(" \t").removeprefix("\ufeff")
        ),
        min_size=1,
        unique=True,
    )
)
def test_any_tokens_survive(tmp_path_factory, tokens):
    path = tmp_path_factory.mktemp("any") / "vocab.txt"
    path.write_bytes(("\n".join(tokens) + "\n").encode("utf-8"))
    assert list(load_vocabulary(path).items()) == [(t, i) for i, t in enumerate(tokens)]


# Writing.


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text("ab \n\r\t\ufeff\u2028\ud800的"), unique=True, min_size=1, max_size=4))
def test_what_is_saved_is_what_is_loaded(tmp_path_factory, tokens):
    path = tmp_path_factory.mktemp("any") / "vocab.txt"
    vocabulary = {token: index for index, token in enumerate(tokens)}
    # Blanks at the ends are dropped, and a mark of the byte order at the beginning.
    lost = [token for token in tokens if token != token.removesuffix("\r").strip(" \t")]
    unwritable = [token for token in tokens if "\n" in token or "\ud800" in token]
    if lost or unwritable or tokens[0].startswith("\ufeff"):
        with pytest.raises(ValueError, match="cannot stand in lines"):
            save_vocabulary(path, vocabulary)
        assert not path.exists()
    else:
        save_vocabulary(path, dict(reversed(vocabulary.items())))
        assert list(load_vocabulary(path).items()) == list(vocabulary.items())


@pytest.mark.parametrize("vocabulary", [{"a": 0, "b": 2}, {"a": 1}, {"a": 0, "b": 0}, {"a": -1}])
def test_ids_that_are_no_numbers_of_lines(tmp_path, vocabulary):
    with pytest.raises(ValueError, match="without gaps"):
        save_vocabulary(tmp_path / "vocab.txt", vocabulary)


# tokenizer.json.


@pytest.mark.parametrize("escape", [True, False])
def test_tokenizer_json_gives_what_the_text_file_gives(write, escape):
    text = load_vocabulary(write("\n".join(TOKENS)))
    shuffled = dict(sorted(text.items()))
    document = json.dumps(tokenizer_json(vocab=shuffled), ensure_ascii=escape)
    loaded = load_vocabulary(write(document, "tokenizer.json"))
    assert list(loaded.items()) == list(text.items())


def test_tokenizer_json_of_the_reference():
    expected = {token: index for index, token in enumerate([*TOKENS, "newtoken"])}
    assert load_vocabulary(DATA / "official_tokenizer.json") == expected


@pytest.mark.slow
def test_tokenizer_json_of_the_reference_that_is_installed(tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.BertWordPieceTokenizer({token: i for i, token in enumerate(TOKENS)})
    tokenizer.add_tokens(["newtoken"])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert load_vocabulary(tmp_path / "tokenizer.json") == tokenizer.get_vocab()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "BPE"}, "model WordPiece.*Received: 'BPE'"),
        ({"type": "Unigram", "vocab": [["a", -1.0]]}, "Received: 'Unigram'"),
        ({"continuing_subword_prefix": "@@"}, "'##'. Received: '@@'"),
        ({"vocab": None}, "'vocab' is of the type dict. Received: None"),
        ({"vocab": ["a", "b"]}, "'vocab' is of the type dict"),
        ({"vocab": {**dict.fromkeys(["a", "b"], 1)}}, "one id of its own. 'b'"),
        ({"vocab": {"[PAD]": 7}}, "one id of its own. '.PAD.'"),
        ({"vocab": {"a": "1"}}, "Received: 'a': '1'"),
        ({"vocab": {"a": -1}}, "Received: 'a': -1"),
        ({"vocab": {"a": True}}, "Received: 'a': True"),
        ({"vocab": {"a\ud800": 30}}, "whole characters"),
    ],
)
def test_tokenizer_json_errors(write, change, message):
    with pytest.raises(VocabularyError, match=message):
        load_vocabulary(write(json.dumps(tokenizer_json(**change)), "tokenizer.json"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must be JSON"),
        ("{", "must be JSON"),
        ("[" * 100_000, "must be JSON"),
        ("[1, 2]", "'model' is of the type dict"),
        ('{"a": 0, "b": 1}', "'model' is of the type dict"),
        ('{"model": {"type": "WordPiece", "vocab": {"a": 0, "a": 1}}}', "'a' occurs twice"),
        ('{"model": {"type": "WordPiece", "vocab": {}}}', "holds no tokens"),
        ('{"model": {"vocab": {}, "merges": []}}', "Received: None"),
        (b'{"model": "\n\xff"}', "Line 2 is not"),
    ],
)
def test_tokenizer_json_that_is_something_else(write, content, message):
    with pytest.raises(VocabularyError, match=message):
        load_vocabulary(write(content, "tokenizer.json"))


# Damage.


@pytest.mark.parametrize("name", ["vocab.txt", "tokenizer.json"])
def test_damaged_copies(tmp_path, name):
    """2,000 damaged copies: an error of one family, or a dict of tokens and ids."""
    document = "\n".join(TOKENS) if name == "vocab.txt" else json.dumps(tokenizer_json())
    rng = random.Random(name)
    path = tmp_path / name
    refused = 0
    for _ in range(2000):
        path.write_bytes(damaged(document.encode("utf-8"), rng))
        try:
            vocabulary = load_vocabulary(path)
        except (ValueError, OSError):
            refused += 1
            continue
        assert vocabulary
        for token, index in vocabulary.items():
            assert type(token) is str
            assert type(index) is int
            assert index >= 0
        assert len(set(vocabulary.values())) == len(vocabulary)
    assert refused > 200


# Case, by the folder or by the vocabulary.

SPECIAL = ["[PAD]", "[UNK]", "[unused1]", "<S>", "<T>", "", "##s", "1A!", "\u2028"]


@pytest.mark.parametrize(
    ("words", "cased"),
    [
        ([], False),
        (["the", "##able", "é", "ß", "\u6f22"], False),
        (["the", "The"], True),
        (["##S"], True),
        (["É"], True),
    ],
)
def test_by_the_vocabulary(tmp_path, words, cased):
    # Special tokens are those of Google's uncased Chinese and cased multilingual vocabularies.
    assert is_cased(tmp_path, dict.fromkeys([*SPECIAL, *words], 0)) is cased


def test_words_that_were_added_to_a_vocabulary_in_lower_case(tmp_path):
    words = dict.fromkeys([f"word{number}" for number in range(500)], 0)
    assert not is_cased(tmp_path, {**words, "BERT": 0, "UNK": 0})
    assert is_cased(tmp_path, {**words, "B": 0})
    assert is_cased(tmp_path, {**words, **dict.fromkeys(["Ab", "Bc", "Cd", "De", "Ef", "Fg"], 0)})


def test_what_says_so(tmp_path):
    assert find_case(None, ["a", "B", "##Cd"]) == (
        True,
        "the vocabulary has 2 words with capital letters",
    )
    assert not find_case(None, ["a", "[CLS]"])[0]
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    reason = f"{tmp_path}/tokenizer_config.json says do_lower_case=False"
    assert find_case(tmp_path, ["a"]) == (True, reason)


@pytest.mark.parametrize("lower", [True, False])
def test_what_the_folder_declares_holds(tmp_path, lower):
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lower}))
    assert declared(tmp_path, "do_lower_case") is lower
    assert is_cased(tmp_path, {"The": 0, "the": 1}) is not lower


def test_a_pipe_declares_nothing(tmp_path):
    make_pipe(tmp_path / "tokenizer_config.json")
    assert declared(tmp_path, "do_lower_case") is None


@pytest.mark.parametrize("text", ["{}", '{"do_lower_case": "yes"}'])
def test_a_file_that_declares_nothing(tmp_path, text):
    (tmp_path / "tokenizer_config.json").write_text(text)
    assert declared(tmp_path, "do_lower_case") is None


def test_a_byte_order_mark_hides_no_settings(tmp_path):
    (tmp_path / "tokenizer_config.json").write_text('\ufeff{"do_lower_case": false}', "utf-8")
    assert declared(tmp_path, "do_lower_case") is False


@pytest.mark.parametrize(
    "text", [b"", b"[]", b'{"do_lower_case": fal', b"[" * 99999, b'{"\xff": 1}']
)
def test_damaged_settings_are_no_silence(tmp_path, text):
    """Without them the tokens of texts would be others."""
    (tmp_path / "tokenizer_config.json").write_bytes(text)
    with pytest.raises(VocabularyError, match=r"tokenizer_config\.json must (be JSON|hold a JSON)"):
        declared(tmp_path, "do_lower_case")


@pytest.mark.parametrize("text", ["[]", '{"normalizer": "NFKD"}'])
def test_a_tokenizer_json_without_a_normalizer_declares_nothing(tmp_path, text):
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "TokenizersBackend"}')
    (tmp_path / "tokenizer.json").write_text(text)
    assert declared(tmp_path, "do_lower_case") is None


def test_a_vocabulary_in_the_place_of_its_path(tmp_path):
    with pytest.raises(TypeError, match=r"`vocab_path` must be a path\. Received: \{'a': 0\}"):
        save_vocabulary({"a": 0}, tmp_path / "vocab.txt")
    with pytest.raises(TypeError, match=r"`vocabulary` must map tokens to ids\. Received: \['a'\]"):
        save_vocabulary(tmp_path / "vocab.txt", ["a"])
    assert not (tmp_path / "vocab.txt").exists()


def test_a_missing_folder_is_named_with_the_nearest_name(tmp_path):
    message = r"No such file: 'tinny.vocab\.txt'\. There is no folder 'tinny'\. Is 'tiny' meant\?$"
    for path in (get_checkpoint_paths("tinny").vocab, Path("tinny/vocab.txt")):
        for load in (load_vocabulary, load_tokenizer):
            with pytest.raises(FileNotFoundError, match=message):
                load(path)
    with pytest.raises(FileNotFoundError, match=r"There is no folder '.*none'\.$"):
        load_vocabulary(tmp_path / "none" / "vocab.txt")
    for path in (tmp_path / "vocab.txt", "vocab.txt"):
        with pytest.raises(FileNotFoundError, match="No such file"):
            load_vocabulary(path)
