"""Whether texts keep their case, by the folder or by the vocabulary."""

import json

import pytest

from keras_bert.tokenizer.case import declared_lower_case, is_cased

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


@pytest.mark.parametrize("lower", [True, False])
def test_what_the_folder_declares_holds(tmp_path, lower):
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lower}))
    assert declared_lower_case(tmp_path) is lower
    assert is_cased(tmp_path, {"The": 0, "the": 1}) is not lower


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"do_lower_case": "yes"}'])
def test_a_file_that_declares_nothing(tmp_path, text):
    (tmp_path / "tokenizer_config.json").write_text(text)
    assert declared_lower_case(tmp_path) is None
