"""What commands share: models by name, lines of text, arguments. It needs no Keras."""

import argparse
import io
import json
import os
import shutil
import sys

import numpy as np
import pytest
from archives import make_archive
from model_folders import CONFIG
from runtimes import once

from keras_bert.checkpoints import write_tensor_bundle
from keras_bert.commands import shared
from keras_bert.commands.shared import CommandError
from keras_bert.datasets import PretrainedList

pytestmark = once


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n", "utf-8")
    write_config(folder, vocab_size=5)
    write_tensor_bundle(folder / "bert_model.ckpt", {"kernel": np.zeros(3)})
    return folder


def write_config(folder, **changes):
    (folder / "bert_config.json").write_text(json.dumps({**CONFIG, **changes}), "utf-8")


def options(model="", cased=None):
    return argparse.Namespace(command="extract", model=str(model), cased=cased, official=False)


# Models


def test_names_are_models_of_the_list_and_paths_stay(monkeypatch, tmp_path):
    assert str(shared.file_or_folder("tiny")) == PretrainedList.tiny
    assert str(shared.file_or_folder("some/folder")) == "some/folder"
    (tmp_path / "prefix.index").touch()
    monkeypatch.chdir(tmp_path)
    assert str(shared.file_or_folder("prefix")) == "prefix"
    with pytest.raises(FileNotFoundError, match="Is 'tiny' meant"):
        shared.file_or_folder("tinny")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    archive = make_archive(tmp_path / "archive.zip", "archive/")
    for name in (str(archive), archive.as_uri(), f"file:{archive}"):
        assert shared.file_or_folder(name) == tmp_path / "datasets" / "archive"
    assert str(shared.file_or_folder("some/model.bin")) == "some/model.bin"
    with pytest.raises(FileNotFoundError, match="no model 'some/gone"):
        shared.file_or_folder("some/gone.zip")


def test_a_vocabulary_without_a_special_token(google, tmp_path):
    folder = shutil.copytree(google, tmp_path / "model")
    path = folder / "vocab.txt"
    path.write_text(path.read_text("utf-8").replace("[SEP]", "[EOS]"), "utf-8")
    with pytest.raises(CommandError) as error:
        shared.open_model(options(folder))
    assert f"the vocabulary {path} has no '[SEP]', which every text needs: is it" in str(
        error.value
    )


@pytest.mark.parametrize("gone", ["vocab.txt", "bert_config.json"])
def test_a_folder_without_a_file_is_named_with_it(folder, gone):
    found, paths = shared.model_paths(str(folder))
    assert (found, paths.vocab) == (str(folder), str(folder / "vocab.txt"))
    (folder / gone).unlink()
    with pytest.raises(CommandError, match=r"the model folder .* is missing$") as error:
        shared.model_paths(str(folder))
    assert str(folder) in str(error.value)
    assert {"vocab.txt": "vocabulary", "bert_config.json": "configuration"}[gone] in str(
        error.value
    )


def test_a_vocabulary_of_another_size_is_remarked(folder, capsys):
    files = shared.open_model(options(folder))
    assert files.vocabulary["a"] == 4
    assert capsys.readouterr().err == ""
    write_config(folder, vocab_size=7)
    shared.open_model(options(folder))
    err = capsys.readouterr().err
    assert err.startswith("keras-bert extract: ")
    assert "has 5 tokens, the model 7" in err


@pytest.mark.parametrize("lower", [None, True, False])
@pytest.mark.parametrize("capitals", [False, True])
@pytest.mark.parametrize("said", [None, True, False])
def test_case_is_what_the_user_or_else_the_folder_or_the_vocabulary_says(
    folder, lower, capitals, said
):
    if lower is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lower}))
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("a\nB\n" if capitals else "a\nb\n")
    expected = capitals if lower is None else not lower
    found = shared.make_tokenizer(options(cased=said), str(vocabulary))
    assert found._cased == (expected if said is None else said)


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_a_saved_model_is_no_folder(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(ValueError, match=r"is a saved model of Keras.*load_model"):
        shared.model_paths(str(tmp_path / name))


# Texts


def test_lines_end_at_line_feeds_alone(tmp_path, monkeypatch):
    content = "\ufeffone\r\n\ntwo\u2028too\x0b\rthree\nfour".encode()
    expected = ["one", "", "two\u2028too\x0b\rthree", "four"]
    (tmp_path / "texts").write_bytes(content)
    with shared.open_texts(str(tmp_path / "texts"), options()) as stream:
        assert list(shared.lines(stream, "texts")) == expected
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), "latin-1"))
    with shared.open_texts("-", options()) as stream:
        assert list(shared.lines(stream, "-")) == expected


def test_the_line_that_is_not_utf_8_is_named(tmp_path, monkeypatch):
    content = "\ufeffé\n".encode() + b"fine\n" * 7 + b"two \xff\n" + b"fine\n" * 3
    (tmp_path / "texts").write_bytes(content)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    for name in (str(tmp_path / "texts"), "-"):
        with shared.open_texts(name, options()) as stream:
            read = shared.lines(stream, "texts")
            assert [next(read) for _ in range(8)] == ["é", *["fine"] * 7]
            with pytest.raises(CommandError, match=r"^texts is not UTF-8 \(line 9: invalid start"):
                next(read)


@pytest.mark.skipif(sys.platform == "win32", reason="no pipe can be asked there")
def test_the_first_line_of_a_pipe_is_looked_at_before_it_is_read(monkeypatch):
    for content, told in (("中文\n", "line 1"), ("a\n中文\n", None), ("中文", None), ("", None)):
        reading, writing = os.pipe()
        monkeypatch.setattr(sys, "stdin", open(reading))  # noqa: SIM115
        with sys.stdin, open(writing, "wb") as stream:
            with shared.open_texts("-", options()):  # nothing is there yet
                pass
            stream.write(content.encode("gbk"))
            stream.flush()
            if told:
                with pytest.raises(CommandError, match=rf"^- is not UTF-8 \({told}"):
                    shared.open_texts("-", options()).__enter__()
                continue
            stream.close()
            with shared.open_texts("-", options()) as found:
                assert found.read() == content.encode("gbk")


@pytest.mark.parametrize(
    ("encoding", "command"),
    [("gbk", "iconv -f GBK -t UTF-8"), ("utf-16", "iconv -f UTF-16 -t UTF-8")],
)
def test_how_to_convert_other_encodings(encoding, command):
    with pytest.raises(CommandError, match=rf"^texts is not UTF-8 \(line 1.*{command}"):
        list(shared.lines(io.BytesIO("中文".encode(encoding)), "texts"))


def test_programs_say_of_their_files_what_commands_say(tmp_path):
    path = tmp_path / "texts"
    path.write_bytes(b"fine\n" + "中文".encode("gbk"))
    with pytest.raises(CommandError) as error, shared.open_texts(str(path), options()) as stream:
        list(shared.lines(stream, str(path)))
    assert shared.why_not_utf8(path) == str(error.value)
    assert f"{path} is not UTF-8 (line 2: " in str(error.value)


@pytest.mark.parametrize(
    ("name", "first", "is_table"),
    [
        ("a.csv", "id,text", True),
        ("a.csv", "id;text", True),
        ("A.TSV", "id\ttext", True),
        ("a.csv", "text", False),
        ("a.tsv", "a text, one a line", False),
        ("texts.txt", "id\ttext", False),
        ("tsv", "id\ttext", False),
    ],
)
def test_a_table_is_remarked_once(tmp_path, capsys, name, first, is_table):
    path = tmp_path / name
    path.write_text(f"{first}\nsecond\n", "utf-8")
    with shared.open_texts(str(path), options()) as stream:
        assert list(shared.lines(stream, str(path))) == [first, "second"]
    err = capsys.readouterr().err
    told = f"keras-bert extract: {path} looks like a table: whole lines are taken as texts, "
    assert (err.startswith(told), err.count("\n")) == ((True, 1) if is_table else (False, 0))


def test_a_text_of_the_command_line_in_another_encoding():
    shared.check_is_utf8("天气 😀", "--query")
    with pytest.raises(CommandError, match=r"^a text is not UTF-8\. Received: '\\udcb7'$"):
        shared.check_is_utf8(b"\xb7".decode("utf-8", "surrogateescape"))


def test_a_text_instead_of_a_file():
    with (
        pytest.raises(CommandError, match=r"no text file 'a text'\. To give one text: echo"),
        shared.open_texts("a text", options()),
    ):
        pass


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a b", "a b"),
        ("a ||| b", ("a", "b")),
        ("a ||| b ||| c", ("a ||| b", "c")),
        (" ||| ", ("", "")),
        ("a|||b", "a|||b"),
    ],
)
def test_pairs(line, expected):
    """The last separator counts, as in Google's tool."""
    assert shared.as_pair(line) == expected


@pytest.mark.parametrize(
    ("line", "fate"),
    [
        ("||| b", "is taken as one text"),
        ("a|||b", "is taken as one text"),
        ("a｜｜｜b", "is taken as one text"),
        ("a ||||| b", None),
        (" ||| b", "is taken as a pair with an empty text"),
        ("a ||| ", "is taken as a pair with an empty text"),
        ("a ||| b ||| c", "is divided at the last ' ||| ' alone"),
        ("a ||| b", None),
        ("a | b || c", None),
        ("", None),
    ],
)
def test_a_separator_that_makes_no_pair_is_remarked_once(capsys, line, fate):
    lines = ["a", line, line]
    assert list(shared.remarked_pairs(lines, options())) == lines
    told = f"keras-bert extract: {line!r} {fate}; a pair is written 'first ||| second'\n"
    assert capsys.readouterr().err == (told if fate else "")


# Output


def test_output_and_remarks(capsys):
    shared.write("é\u2028")
    shared.remark(options(), "so many")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("é\u2028\n", "keras-bert extract: so many\n")
