import json
import shutil

import pytest
from runtimes import once
from tokenizer_texts import PIECES

from keras_bert import get_checkpoint_paths
from keras_bert.datasets import PretrainedList
from keras_bert.tokenizer import (
    SentencePieceTokenizer,
    Tokenizer,
    VocabularyError,
    load_tokenizer,
    load_vocabulary,
)

pytestmark = once

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def test_the_file_decides_which_tokenizer():
    tiny = load_tokenizer(f"{PretrainedList.tiny}/vocab.txt", official=True)
    assert type(tiny) is Tokenizer
    assert tiny._official
    for name in ("spiece.model", "tokenizer.json"):
        tokenizer = load_tokenizer(PIECES / name, official=True)
        assert type(tokenizer) is SentencePieceTokenizer
        assert tokenizer._official
        assert tokenizer.tokenize("É") == ["[CLS]", "▁", "e", "[SEP]"]


@pytest.mark.parametrize("load", [load_tokenizer, load_vocabulary])
@pytest.mark.parametrize("given", ["tiny", "hf://org/name-v1.5", PretrainedList.tiny])
def test_a_model_is_no_vocabulary(load, given):
    message = rf"get_checkpoint_paths\('{given}'\)\.vocab. Received: '{given}'"
    with pytest.raises(FileNotFoundError, match=message):
        load(given)
    with pytest.raises(FileNotFoundError, match=r"No such file.*none/vocab\.txt"):
        load("none/vocab.txt")


def test_tokenizer_json_of_word_pieces(tmp_path):
    vocabulary = {token: index for index, token in enumerate([*SPECIAL, "a"])}
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"model": {"type": "WordPiece", "vocab": vocabulary}}))
    tokenizer = load_tokenizer(path)
    assert type(tokenizer) is Tokenizer
    assert tokenizer.encode("A") == ([2, 4, 3], [0, 0, 0])


@pytest.mark.parametrize("name", ["vocab.txt", "spiece.model", "tokenizer.json"])
@pytest.mark.parametrize("lower", [None, True, False])
@pytest.mark.parametrize("asked", [None, True, False])
def test_case_is_what_is_asked_for_or_else_what_the_folder_says(tmp_path, name, lower, asked):
    path = tmp_path / name
    if name == "vocab.txt":
        path.write_text("\n".join([*SPECIAL, "a"]))
    else:
        shutil.copy(PIECES / name, path)
    if lower is not None:
        config = {"do_lower_case": lower, "keep_accents": not lower}
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = load_tokenizer(path, cased=asked)
    assert tokenizer._cased == (lower is False if asked is None else asked)
    if name != "vocab.txt":
        assert tokenizer._keep_accents == (lower is False)


@pytest.mark.parametrize("name", ["spiece.model", "tokenizer.json"])
def test_added_pieces_as_tokenizer_json_names_them(tmp_path, name):
    """Expected are the pieces of transformers 5.24; the file adds the user-defined ones."""
    document = json.loads((PIECES / "tokenizer.json").read_text("utf-8"))
    document["added_tokens"].append({"id": 600, "content": "<url>", "normalized": False})
    (tmp_path / "tokenizer.json").write_text(json.dumps(document))
    if name == "spiece.model":
        shutil.copy(PIECES / name, tmp_path)
    tokenizer = load_tokenizer(tmp_path / name, official=True)
    assert tokenizer.tokenize('the "fine"-film <url>')[1:-1] == [
        *("▁the", '"', "▁f", "ine", '"', "-", "▁film", "<url>")
    ]
    ids, _, offsets = tokenizer.encode_with_offsets("a <url>film")
    assert ids[2] == 600
    assert offsets[1:-1] == [(0, 1), (2, 7), (7, 11)]
    assert tokenizer.decode(ids) == ["▁a", "<url>", "▁film"]
    assert "<url>" not in load_tokenizer(tmp_path / name).tokenize("a <url>film")


@pytest.mark.slow
@pytest.mark.parametrize("has_model", [True, False])
@pytest.mark.parametrize("adds_user_defined", [True, False])
def test_pieces_of_a_folder_are_those_of_transformers(tmp_path, adds_user_defined, has_model):
    """With added tokens as transformers writes them, or as in the files of 2020 on the hub."""
    transformers = pytest.importorskip("transformers", minversion="5")
    document = json.loads((PIECES / "tokenizer.json").read_text("utf-8"))
    if not adds_user_defined:
        document["added_tokens"] = document["added_tokens"][:5]
    (tmp_path / "tokenizer.json").write_text(json.dumps(document))
    (tmp_path / "config.json").write_text('{"model_type": "albert"}')
    if has_model:
        shutil.copy(PIECES / "spiece.model", tmp_path)
    reference = transformers.AutoTokenizer.from_pretrained(tmp_path)
    path = get_checkpoint_paths(tmp_path).vocab
    tokenizer = load_tokenizer(path, official=True)
    reviews = PIECES.with_name("reviews.tsv").read_text("utf-8").splitlines()
    for text in [*reviews, 'In the film, he was "good" (a well-made one).', "<pad>a[MASK] b"]:
        assert tokenizer.encode(text)[0] == reference(text)["input_ids"], text


def test_a_model_with_capital_letters_keeps_them(tmp_path):
    # Made by hand: every piece in capitals, in a file of the same length.
    content = (PIECES / "spiece.model").read_bytes()
    path = tmp_path / "spiece.model"
    path.write_bytes(content.replace("▁the".encode(), "▁The".encode()))
    assert not load_tokenizer(path)._cased  # one may have been added
    capitals = content
    for word in ("film", "movie", "and", "it", "is", "of", "in", "to", "that", "with"):
        capitals = capitals.replace(f"▁{word}".encode(), f"▁{word.title()}".encode())
    path.write_bytes(capitals)
    assert load_tokenizer(path)._cased
    assert not load_tokenizer(path, cased=False)._cased


def test_each_kind_of_file_under_the_name_of_another_is_named(tmp_path):
    content = (PIECES / "spiece.model").read_bytes()
    path = tmp_path / "vocab.txt"
    path.write_bytes(content)
    for load in (load_tokenizer, load_vocabulary):
        with pytest.raises(VocabularyError, match=r"is a SentencePiece model.*in \.model"):
            load(path)
    path = tmp_path / "spiece.model"
    path.write_text("\n".join([*SPECIAL, "a"]))
    with pytest.raises(VocabularyError, match=r"must be a SentencePiece model.*in \.txt"):
        load_tokenizer(path)
    with pytest.raises(VocabularyError, match=r"'Unigram'.*`load_tokenizer` reads it"):
        load_vocabulary(PIECES / "tokenizer.json")


@pytest.mark.parametrize("path", [None, 3, {"a": 0}])
def test_what_is_no_path_is_named(path):
    with pytest.raises(TypeError, match="`vocab_path` must be the path of a vocabulary file"):
        load_tokenizer(path)
