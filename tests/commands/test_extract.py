"""Features in files: their form, their numbers, and what becomes of a file that broke off."""

import errno
import re
import signal
import sys
import time

import numpy as np
import pytest
from command_line import as_json, start
from runtimes import once
from sentence_folders import write_sentence_folder

from keras_bert import extract_embeddings
from keras_bert.commands import extract, output_files
from keras_bert.commands.locking import lock

TEXTS = ["a b c", "", "d ||| e f", "z", "a " * 30, *"abcdefgh"]
PAIRS = ["a b c", "", ("d", "e f"), "z", "a " * 30, *"abcdefgh"]
# Six digits, and batches of other texts.
CLOSE = {"atol": 2e-6, "rtol": 0}
BLANK = "keras-bert extract: line 2 is blank; blank lines keep their place\n"
CUT = (
    "keras-bert extract: 1 text was longer than {} tokens, [CLS] and [SEP] included; what is "
    "beyond was cut off\n"
)


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(TEXTS) + "\n", "utf-8")
    return path


def values(line, index):
    """(T, D) of the layer that stands at a place of the lists, or (D,) of pooled features."""
    if "features" in line:
        return np.array([each["layers"][index]["values"] for each in line["features"]])
    return np.array(line["layers"][index]["values"])


@pytest.mark.slow
def test_lines_of_json_are_those_of_googles_tool(command, google, texts):
    code, out, err = command("extract", google, texts, "--layers", "-1,-2")
    assert (code, err) == (0, BLANK + CUT.format(16))
    lines = as_json(out)
    last = extract_embeddings(str(google), PAIRS)
    before = extract_embeddings(str(google), PAIRS, output_layer_num=[-2])
    for place, line in enumerate(lines):
        assert list(line) == ["linex_index", "features"]
        assert line["linex_index"] == place
        assert [list(each) for each in line["features"]] == [["token", "layers"]] * len(last[place])
        first = line["features"][0]
        assert first["token"] == "[CLS]"
        assert [list(each) for each in first["layers"]] == [["index", "values"]] * 2
        assert [each["index"] for each in first["layers"]] == [-1, -2]
        assert all(round(value, 6) == value for value in first["layers"][0]["values"])
        np.testing.assert_allclose(values(line, 0), last[place], **CLOSE)
        np.testing.assert_allclose(values(line, 1), before[place], **CLOSE)
    tokens = [[each["token"] for each in line["features"]] for line in lines]
    assert tokens[:4] == [
        ["[CLS]", "a", "b", "c", "[SEP]"],
        ["[CLS]", "[SEP]"],
        ["[CLS]", "d", "[SEP]", "e", "f", "[SEP]"],
        ["[CLS]", "[UNK]", "[SEP]"],
    ]
    # Cut to the model's 16 positions.
    assert tokens[4] == ["[CLS]", *"a" * 14, "[SEP]"]


@pytest.mark.slow
@once
def test_shorter_texts_and_another_pooling(command, google, texts):
    code, out, err = command("extract", google, "--max-length", "4", stdin="a b c d\na b\n")
    assert [each["token"] for each in as_json(out)[0]["features"]] == ["[CLS]", "a", "b", "[SEP]"]
    assert err == CUT.format(4)
    code, out, _ = command("extract", google, texts, "--pooling", "max", "--layers=0,-1")
    expected = extract_embeddings(str(google), PAIRS, "POOL_MAX", output_layer_num=[0])
    assert code == 0
    for line, vector in zip(as_json(out), expected, strict=True):
        assert list(line) == ["linex_index", "layers"]
        np.testing.assert_allclose(values(line, 0), vector, **CLOSE)


def test_official_tokens(command, google):
    # The vocabulary has single letters and no pieces that continue a word.
    code, out, _ = command("extract", google, "--official", stdin="ab [MASK]\n")
    (line,) = as_json(out)
    tokens = [each["token"] for each in line["features"]]
    assert (code, tokens) == (0, ["[CLS]", "[UNK]", "[MASK]", "[SEP]"])
    (expected,) = extract_embeddings(str(google), ["ab [MASK]"], official=True)
    np.testing.assert_allclose(values(line, 0), expected, **CLOSE)


def read(path):
    """Index, tokens and the values of each layer for every text of a file."""
    if path.suffix == ".npy":
        return [(place, None, np.split(row, 2)) for place, row in enumerate(np.load(path))]
    if path.suffix == ".jsonl":
        return [
            (
                line["linex_index"],
                [each["token"] for each in line["features"]],
                [values(line, 0), values(line, 1)],
            )
            for line in as_json(path.read_text("utf-8"))
        ]
    parquet = pytest.importorskip("pyarrow.parquet")
    return [
        (row["linex_index"], row["tokens"], [np.array(row["layer_-1"]), np.array(row["layer_-2"])])
        for row in parquet.read_table(path).to_pylist()
    ]


@pytest.mark.slow
@once
@pytest.mark.parametrize("suffix", ["jsonl", "npy", "parquet"])
@pytest.mark.parametrize("cut", [0, 5])
def test_a_file_that_broke_off_is_continued(command, google, texts, monkeypatch, suffix, cut):
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    output = texts.with_name(f"out.{suffix}")
    pooling = ["--pooling", "ave"] if suffix == "npy" else []
    words = ["extract", google, texts, "--layers=-1,-2", *pooling, "-o", output]
    whole = extract._features

    def interrupted(*arguments, **options):
        for index, item in enumerate(whole(*arguments, **options)):
            if index == 6:
                raise KeyboardInterrupt
            yield item

    monkeypatch.setattr(extract, "_features", interrupted)
    part = output.with_name(f"{output.name}.part")
    code, _, err = command(*words)
    assert code == 130
    assert f"{part} holds what was done; the same command continues it" in err
    assert part.exists()
    assert not output.exists()
    if cut and part.is_file():
        part.write_bytes(part.read_bytes()[:-cut])  # as a machine that loses its power leaves it
    done = []

    def counted(*arguments, **options):
        done.append(options["done"])
        return whole(*arguments, **options)

    monkeypatch.setattr(extract, "_features", counted)
    assert command(*words) == (0, "", BLANK)
    assert done == [6 if suffix == "parquet" or not cut else 5]
    assert sorted(path.name for path in output.parent.iterdir()) == [output.name, "texts.txt"]

    poolings = "POOL_AVE" if suffix == "npy" else None
    expected = [
        extract_embeddings(str(google), PAIRS, poolings, output_layer_num=[layer])
        for layer in (-1, -2)
    ]
    rows = read(output)
    assert [index for index, _, _ in rows] == list(range(len(TEXTS)))
    for index, tokens, layers in rows:
        assert suffix == "npy" or len(tokens) == len(layers[0])
        for layer, array in zip(layers, expected, strict=True):
            np.testing.assert_allclose(layer, array[index], **CLOSE)


@once
@pytest.mark.parametrize("change", ["arguments", "texts", "stdin"])
def test_a_part_of_something_else_is_not_continued(command, google, texts, monkeypatch, change):
    output = texts.with_name("out.jsonl")
    stdin = change == "stdin"
    words = ["extract", google, "-" if stdin else texts, "-o", output]

    def interrupted(*_, **__):
        yield 0, ["a"], {-1: np.zeros((1, 12))}
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(extract, "_features", interrupted)
        with pytest.raises(ZeroDivisionError):
            command(*words, stdin="a\n")
    if change == "arguments":
        words += ["--layers=-2"]
    if change == "texts":
        texts.write_text("other\n")
    code, _, err = command(*words, stdin="a\n")
    assert code == 1
    assert f"{output}.part is there from a command that broke off" in err


@pytest.mark.slow
@once
@pytest.mark.parametrize("suffix", ["jsonl", "npy", "parquet"])
def test_two_commands_with_one_output(command, google, tmp_path, suffix):
    """The second ends at once; a killed one leaves nothing that keeps others from going on."""
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    output, texts = tmp_path / f"out.{suffix}", tmp_path / "texts"
    texts.write_text("a b c\n" * 1500)
    words = ["extract", google, texts, "-o", output, "--pooling", "ave"]
    with start(*words) as first:
        # It locks the output before it makes this part.
        while not output.with_name(f"{output.name}.part").exists():
            assert first.poll() is None
            time.sleep(0.01)
        if sys.platform != "win32":
            first.send_signal(signal.SIGSTOP)  # or it might be done before the other begins
        code, out, err = command(*words)
        first.kill()
    assert (code, out) == (1, "")
    assert f"another command is writing {output}" in err
    assert not output.exists()
    with start(*words) as first, start(*words) as second:
        errors = [each.communicate(timeout=280)[1] for each in (first, second)]
    assert sorted([first.returncode, second.returncode]) == [0, 1], errors
    assert re.search("another command is writing|is there already", "".join(errors))
    assert sorted(path.name for path in tmp_path.iterdir()) == [output.name, "texts"]
    if suffix == "npy":
        assert len(np.load(output)) == 1500
    elif suffix == "jsonl":
        lines = as_json(output.read_text("utf-8"))
        assert [line["linex_index"] for line in lines] == list(range(1500))
    else:
        parquet = pytest.importorskip("pyarrow.parquet")
        assert parquet.read_table(output)["linex_index"].to_pylist() == list(range(1500))


@once
def test_where_there_are_no_locks_it_is_remarked(command, google, texts, monkeypatch):
    def lock(stream):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(output_files, "lock", lock)
    output = texts.with_name("out.jsonl")
    code, _, err = command("extract", google, texts, "-o", output)
    assert code == 0
    assert "No locks available" in err
    assert f"let no other command write {output}" in err
    assert sorted(path.name for path in output.parent.iterdir()) == ["out.jsonl", "texts.txt"]


@once
def test_an_output_that_another_command_is_writing(command, google, texts):
    output = texts.with_name("out.jsonl")
    with open(output.with_name("out.jsonl.part.json"), "ab") as note:
        lock(note)
        code, _, err = command("extract", google, texts, "-o", output)
    assert code == 1
    assert f"another command is writing {output}: wait for it" in err
    told = BLANK + CUT.format(16)
    assert command("extract", google, texts, "-o", output) == (0, "", told)


@once
def test_texts_that_are_not_utf_8_leave_nothing_behind(command, google, tmp_path):
    texts, output = tmp_path / "texts", tmp_path / "out.jsonl"
    texts.write_bytes("a 中\na\n".encode("gbk"))
    words = ("extract", google, "-o", output, texts)
    code, _, err = command(*words)
    assert (code, err.count("\n"), "holds what was done" in err) == (1, 1, False)
    assert "is not UTF-8 (line 1" in err
    assert list(tmp_path.iterdir()) == [texts]
    texts.write_text("a 中\na\n", "utf-8")
    assert command(*words)[0] == 0
    assert len(output.read_text("utf-8").splitlines()) == 2


@once
def test_no_texts(command, google, tmp_path):
    for suffix in ("jsonl", "npy"):
        output = tmp_path / f"out.{suffix}"
        code, _, err = command("extract", google, "--pooling=nsp", "-o", output)
        assert (code, "keras-bert extract: there are no texts\n" in err) == (0, True)
    assert (tmp_path / "out.jsonl").read_bytes() == b""
    assert np.load(tmp_path / "out.npy").shape == (0, 12)


@once
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "{folder}/a.csv"], "OUT must end in .jsonl, .npy, .parquet"),
        (["-o", "{folder}/a.json"], "JSON Lines, an object a line: name it {folder}/a.jsonl"),
        (["-o", "{folder}/a.npy"], "add --pooling"),
        (["-o", "{folder}/texts.txt.jsonl"], "is there already"),
        (
            ["--layers", "-3"],
            "--layers must be from -2 to 1, as the model has 2 layers. Received: -3.",
        ),
        (["--max-length", "2"], "--max-length must be 3 or more"),
        (["-o", "{folder}/none/a.npy"], "there is no folder {folder}/none"),
        (["--pooling", "sentence"], "--pooling sentence is for folders of sentence-transformers"),
        (["--prompt", "query"], "--prompt needs --pooling sentence"),
    ],
)
def test_errors(command, google, texts, words, message):
    texts.with_name("texts.txt.jsonl").write_text("")
    words = [word.format(folder=texts.parent) for word in words]
    code, _, err = command("extract", google, texts, *words)
    assert code == 1
    assert message.format(folder=texts.parent) in err
    assert not list(texts.parent.glob("*.part*"))


@once
def test_without_pyarrow_the_message_says_what_to_install(command, google, texts, monkeypatch):
    monkeypatch.setattr(extract, "find_spec", lambda name: None)
    code, _, err = command("extract", google, texts, "-o", texts.with_name("a.parquet"))
    assert code == 1
    assert "pip install pyarrow" in err


@pytest.mark.slow
def test_a_sentencepiece_vocabulary(command, pieces):
    code, out, err = command("extract", pieces, stdin="A film, naïve\n")
    assert (code, err) == (0, "")
    (line,) = as_json(out)
    tokens = ["[CLS]", "▁a", "▁film", ",", "▁", "na", "ive", "[SEP]"]
    assert [each["token"] for each in line["features"]] == tokens
    (expected,) = extract_embeddings(str(pieces), ["A film, naïve"])
    np.testing.assert_allclose(values(line, 0), expected, **CLOSE)


@pytest.mark.slow
def test_a_folder_of_sentence_transformers(command, texts, tmp_path):
    settings = {"prompts": {"query": "q: "}}
    write_sentence_folder(tmp_path / "model", ["cls"], [(7, "Tanh")], settings=settings)
    words = ("extract", tmp_path / "model", texts, "-o", tmp_path / "vectors.npy")
    code, _, err = command(*words, "--pooling", "sentence", "--prompt", "query")
    assert (code, err) == (0, BLANK + CUT.format(10))
    lines = texts.read_text("utf-8").splitlines()
    pairs = [tuple(line.split(" ||| ")) if " ||| " in line else line for line in lines]
    expected = extract_embeddings(tmp_path / "model", pairs, "POOL_SENTENCE", prompt="query")
    np.testing.assert_allclose(np.load(tmp_path / "vectors.npy"), expected, atol=1e-6)
    code, _, err = command(*words[:3], "--pooling", "sentence", "--layers", "0")
    assert code == 1
    assert "the folder says which layer counts" in err
