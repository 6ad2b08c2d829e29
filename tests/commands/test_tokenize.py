"""Tokens of lines."""

import json
import sys

import pytest
from command_line import as_json
from tokenizer_texts import PIECES

from keras_bert import Tokenizer, load_vocabulary


@pytest.fixture
def folder(tmp_path):
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##aff", "##able", "é", "\u2028"]
    (tmp_path / "vocab.txt").write_text("\n".join(tokens) + "\n", "utf-8")
    (tmp_path / "bert_config.json").write_text("{}")
    return tmp_path


ONE_UNKNOWN = (
    "keras-bert tokenize: 1 token is not in the vocabulary; the model gets [UNK] instead, as "
    "--official and --ids show\n"
)
TEXT = "\ufeffunaffable\r\n\né ||| unaffable\nun\u2028un"


def test_lines_from_stdin(command, folder):
    code, out, err = command("tokenize", folder, stdin=TEXT)
    assert (code, err) == (0, ONE_UNKNOWN)
    assert out.split("\n") == [
        "[CLS] un ##aff ##able [SEP]",
        "[CLS] [SEP]",
        "[CLS] e [SEP] un ##aff ##able [SEP]",
        "[CLS] un un [SEP]",
        "",
    ]


@pytest.mark.parametrize("model", ["", "vocab.txt"])
def test_lines_of_a_file_with_a_folder_or_a_vocabulary(command, folder, tmp_path, model):
    (tmp_path / "texts").write_text(TEXT, "utf-8")
    code, out, _ = command("tokenize", folder / model, tmp_path / "texts", "--ids")
    assert (code, out) == (0, "2 5 6 7 3\n2 3\n2 1 3 5 6 7 3\n2 5 5 3\n")


@pytest.mark.parametrize("option", ["", "--ids", "--json"])
def test_most_tokens_being_unknown_is_said_once_at_the_end(command, folder, option):
    words = ["tokenize", folder, *filter(None, [option])]
    code, out, err = command(*words, stdin="中文\n中 ||| 文\nun\n")
    assert (code, out.count("\n"), err.count("\n")) == (0, 3, 1)
    assert err.startswith("keras-bert tokenize: most tokens of the texts are not in the vocab")
    assert command(*words, stdin="un 中\n")[2] == ("" if option else ONE_UNKNOWN)
    assert "2 tokens are not in" in command("tokenize", folder, stdin="un un 中\n文\n")[2]
    assert command("tokenize", folder, "--official", stdin="un 中\n")[2] == ""


@pytest.mark.parametrize("special", ["[CLS]", "[SEP]"])
def test_a_vocabulary_without_a_special_token(command, folder, special):
    path = folder / "vocab.txt"
    path.write_text(path.read_text("utf-8").replace(special, special.lower()), "utf-8")
    assert command("tokenize", folder, stdin="un\n")[:2] == (0, "[CLS] un [SEP]\n")
    for option in ("--ids", "--json"):
        code, out, err = command("tokenize", folder, option, stdin="un\n")
        assert (code, out) == (1, "")
        assert f"{path} has no '{special}', which every text needs, but '{special.lower()}'" in err
        assert "token_dict" not in err


def test_a_file_of_texts_is_no_vocabulary(command, tmp_path):
    (tmp_path / "sentences.txt").write_text("un film\nune fin\n", "utf-8")
    code, out, err = command("tokenize", tmp_path / "sentences.txt")
    assert (code, out) == (1, "")
    assert "sentences.txt has no '[CLS]', which every text needs: is it the model's?" in err


def test_a_vocabulary_without_an_unknown_token(command, tmp_path):
    (tmp_path / "words.txt").write_text("[CLS]\n[SEP]\nun\n", "utf-8")
    out = command("tokenize", tmp_path / "words.txt", stdin="un ?\n")[1]
    assert out == "[CLS] un ? [SEP]\n"


def test_json(command, folder):
    tokenizer = Tokenizer(load_vocabulary(folder / "vocab.txt"))
    code, out, _ = command("tokenize", folder, "--json", stdin="un ||| é")
    ids, segments = tokenizer.encode("un", "é")
    (line,) = as_json(out)
    assert code == 0
    assert line == {"tokens": tokenizer.tokenize("un", "é"), "ids": ids, "segments": segments}


def test_case_is_what_the_user_the_folder_or_the_vocabulary_says(command, folder):
    def tokens(*words):
        return command("tokenize", folder, *words, stdin="é UN")[1].split()[1:-1]

    assert tokens() == ["e", "un"]
    assert tokens("--cased") == ["é", "U", "##N"]
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    assert tokens() == ["é", "U", "##N"]
    assert tokens("--uncased") == ["e", "un"]
    (folder / "tokenizer_config.json").unlink()
    with open(folder / "vocab.txt", "a", encoding="utf-8") as file:
        file.write("UN\n")
    assert tokens() == ["é", "UN"]


def test_official_tokens(command, folder):
    assert command("tokenize", folder, stdin="[SEP] unable")[1] == (
        "[CLS] [ s ##e ##p ] un ##able [SEP]\n"
    )
    # A word whose rest is in no piece is one [UNK]; a special token is kept.
    assert command("tokenize", folder, "--official", stdin="[SEP] unable un-x unx")[1] == (
        "[CLS] [SEP] un ##able un [UNK] [UNK] [UNK] [SEP]\n"
    )


def test_a_mask_that_is_split_is_remarked_once(command, folder):
    code, _, err = command("tokenize", folder, stdin="[MASK] unable\nun [MASK] unable unable\n")
    assert (code, err.count("[MASK] is split"), "--official" in err) == (0, 1, True)
    assert command("tokenize", folder, "--official", stdin="[MASK] unable\n")[2] == ""


def test_a_separator_that_makes_no_pair_is_remarked(command, folder):
    out, err = command("tokenize", folder, "--official", stdin="un|||un\n")[1:]
    assert out == "[CLS] un [UNK] [UNK] [UNK] un [SEP]\n"
    told = "'un|||un' is taken as one text; a pair is written 'first ||| second'"
    assert err.splitlines()[0] == f"keras-bert tokenize: {told}"


def test_texts_that_are_not_utf_8(command, folder, tmp_path):
    (tmp_path / "texts").write_bytes(b"un\n\xff\n")
    code, _, err = command("tokenize", folder, tmp_path / "texts")
    assert code == 1
    assert "texts is not UTF-8" in err


def test_a_folder_without_vocabulary(command, folder):
    (folder / "vocab.txt").unlink()
    code, _, err = command("tokenize", folder, stdin="un")
    assert code == 1
    assert "has no vocabulary" in err
    assert str(folder / "vocab.txt") in err


@pytest.mark.parametrize("name", ["spiece.model", "tokenizer.json"])
def test_sentencepiece_vocabularies(command, name):
    code, out, err = command("tokenize", PIECES / name, stdin="A film, naïve\n[MASK]\n")
    assert (code, "[MASK] is split" in err) == (0, True)
    assert out.splitlines() == [
        "[CLS] ▁a ▁film , ▁ na ive [SEP]",
        "[CLS] ▁ [ ma s k ] [SEP]",
    ]
    out = command("tokenize", PIECES / name, "--official", stdin="a [MASK]\n")[1]
    assert out == "[CLS] ▁a [MASK] [SEP]\n"


def test_a_folder_with_a_sentencepiece_vocabulary(command, pieces):
    ids = command("tokenize", pieces, "--ids", stdin="a film")[1]
    assert ids == command("tokenize", PIECES / "spiece.model", "--ids", stdin="a film")[1]


def test_a_missing_library_is_named(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    code, _, err = command("tokenize", PIECES / "spiece.model", stdin="a")
    assert code == 1
    assert "pip install sentencepiece\n" in err
