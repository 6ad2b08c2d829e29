"""Ranking by cosine, compared with vectors of the library and a cosine by hand."""

import numpy as np
import pytest
from runtimes import once
from sentence_folders import write_sentence_folder

from keras_bert import extract_embeddings

TEXTS = ["a b c", "d e", "a b c d", "x y z ||| a"]


def cosine(first, second):
    return first @ second / np.sqrt((first @ first) * (second @ second))


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["ave", "nsp"])
def test_a_query_ranks_the_lines(command, google, pooling):
    code, out, err = command(
        "similar",
        google,
        "--query",
        "a c",
        "--pooling",
        pooling,
        stdin="\n".join([*TEXTS, "", " "]),
    )
    assert (code, err) == (0, "keras-bert similar: line 5 is blank; blank lines are skipped\n")
    texts = ["a c", *TEXTS[:3], ("x y z", "a")]
    query, *others = extract_embeddings(str(google), texts, poolings=f"POOL_{pooling.upper()}")
    expected = sorted(zip(TEXTS, others, strict=True), key=lambda item: -cosine(query, item[1]))
    lines = [line.split("\t") for line in out.splitlines()]
    assert [text for _, text in lines] == [text for text, _ in expected]
    for (value, _), (_, vector) in zip(lines, expected, strict=True):
        assert float(value) == pytest.approx(cosine(query, vector), abs=6e-5)  # four digits


@pytest.mark.slow
def test_without_a_query_every_line_finds_its_neighbour(command, google):
    code, out, _ = command("similar", google, stdin="a b c\nx y\na b c\n")
    lines = out.splitlines()
    assert code == 0
    assert lines[:2] == ["a b c", "1.0000\ta b c"]
    assert lines[2] == "x y"
    assert lines[3].split("\t")[1] == "a b c"
    assert len(command("similar", google, "--top", "9", stdin="a\nb\nc\n")[1].splitlines()) == 9


@once
def test_texts_that_are_cut(command, google):
    err = command("similar", google, stdin=f"a\n{'b ' * 99}\n{'c ' * 99}\n")[2]
    assert "keras-bert similar: 2 texts were longer than 16 tokens" in err


def test_too_few_lines(command, google):
    code, out, err = command("similar", google, stdin="a\n\n")
    assert (code, out) == (1, "")
    assert "2 or more lines with text are needed, 1 were given" in err
    assert "line 2 is blank; blank lines are skipped\n" in err


@pytest.mark.parametrize("query", ["", " "])
def test_an_empty_query(command, google, query):
    code, out, err = command("similar", google, "--query", query, stdin="a\n")
    assert (code, out) == (1, "")
    assert err == "keras-bert similar: --query is empty; it must be a text\n"


def test_a_query_in_another_encoding(command, google):
    code, out, err = command("similar", google, "--query", "a\udcb7", stdin="a\n")
    assert (code, out) == (1, "")
    assert err == "keras-bert similar: --query is not UTF-8. Received: 'a\\udcb7'\n"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Most tokens")
def test_official_tokens(command, google):
    # "ab" is one [UNK], as is "yz"; by the rules of 0.89 they are "a" and "y", [UNK] each.
    words = ("similar", google, "--query", "ab")
    assert command(*words, "--official", stdin="yz\n")[1] == "1.0000\tyz\n"
    assert command(*words, stdin="yz\n")[1] != "1.0000\tyz\n"


@pytest.mark.slow
def test_a_sentencepiece_vocabulary(command, pieces):
    code, out, _ = command("similar", pieces, "--query", "a film", stdin="a film\nthe best of it")
    assert code == 0
    assert out.splitlines()[0] == "1.0000\ta film"


@pytest.mark.slow
def test_a_folder_of_sentence_transformers(command, tmp_path):
    settings = {"prompts": {"query": "q: "}}
    write_sentence_folder(tmp_path / "model", ["lasttoken"], [(7, "Tanh")], settings=settings)
    words = ("similar", tmp_path / "model", "--query", "a c")
    for further, options in [
        ([], {}),
        (["--pooling", "sentence", "--prompt", "query"], {"prompt": "query"}),
    ]:
        code, out, err = command(*words, *further, stdin="a b\nd e\n")
        assert (code, err) == (0, "")
        query, *others = extract_embeddings(
            tmp_path / "model", ["a c", "a b", "d e"], "POOL_SENTENCE", **options
        )
        expected = {
            text: cosine(query, vector) for text, vector in zip(["a b", "d e"], others, strict=True)
        }
        lines = [line.split("\t") for line in out.splitlines()]
        assert [text for _, text in lines] == sorted(expected, key=expected.get, reverse=True)
        for value, text in lines:
            assert float(value) == pytest.approx(expected[text], abs=6e-5)
