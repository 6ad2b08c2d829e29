"""The model and tokenizer of commands that compute features."""

import pytest
from sentence_folders import write_sentence_folder

from keras_bert.tokenizer import loading


@pytest.mark.parametrize("command_words", [["extract", "--pooling", "sentence"], ["similar"]])
def test_a_vocabulary_is_read_once(command, tmp_path, monkeypatch, command_words):
    write_sentence_folder(tmp_path / "model", ["cls"], [(7, "Tanh")])
    read = []
    load = loading.load_vocabulary
    monkeypatch.setattr(loading, "load_vocabulary", lambda path: read.append(path) or load(path))
    first, *others = command_words
    code, out, err = command(first, tmp_path / "model", *others, stdin="a b\nd e\n")
    assert (code, err, len(read)) == (0, "", 1)
    assert out
