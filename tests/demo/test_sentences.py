"""demo/tune/sentences.py, run as users run it, on a tiny model and tiny data."""

import csv
import random
import sys

import numpy as np
import pytest
from demo_scripts import load, run_until
from model_folders import write_google_folder
from runtimes import once
from sentence_folders import write_sentence_folder

from keras_bert import extract_embeddings

WORDS = "abcdefghijklmnopqrstuvwxy"


@pytest.fixture(scope="module")
def sentences():
    load("common")
    return load("sentences")


def text(generator, words):
    return " ".join(generator.choice(words) for _ in range(generator.randint(3, 7)))


def write_rows(path, kind, count, seed):
    """Texts of the same few letters belong together."""
    generator = random.Random(seed)
    topics = [WORDS[start : start + 3] for start in range(0, 24, 3)]
    lines = []
    for number in range(count):
        topic, other = generator.sample(topics, 2)
        row = [text(generator, topic), text(generator, topic)]
        if kind == "triples":
            row.append(text(generator, other))
        if kind == "graded" and number % 2:
            row[1] = text(generator, other)
        if kind == "graded":
            row.append(str(5 * (1 - number % 2)))
        lines.append("\t".join(row))
    path.write_text("\n".join(lines) + "\n", "utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pairs", "triples", "graded"])
def test_texts_that_belong_together_get_close(sentences, tmp_path, monkeypatch, capsys, kind):
    write_google_folder(tmp_path / "bert", scale=0.2)
    write_rows(tmp_path / "train.tsv", kind, 128, 1)
    write_rows(tmp_path / "dev.tsv", "graded", 48, 2)
    words = ["sentences.py", "bert", "train.tsv", "dev.tsv", "--output", "out", "--save", "new"]
    speed = ["--epochs", "4", "--learning-rate", "0.01", "--batch-size", "16", "--max-len", "12"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [*words, *speed, "--temperature", "0.1", "--dropout", "0"])
    sentences.main()
    out = capsys.readouterr().out
    scores = [float(line.split()[-1]) for line in out.splitlines() if "dev Spearman" in line]
    assert len(scores) == 5
    assert scores[-1] > max(0.75, scores[0] + 0.1)  # 0.866 at most, as grades are two
    rows = list(csv.reader((tmp_path / "out/learning_curve.csv").read_text("utf-8").splitlines()))
    losses = np.array([float(row[1]) for row in rows[1:]])
    assert len(losses) == 32
    assert losses[-5:].mean() < losses[:5].mean()
    texts, grades = sentences.read_rows("dev.tsv", None)
    first, second = (
        extract_embeddings("new", column, "POOL_SENTENCE", stacked=True)
        for column in zip(*texts, strict=True)
    )
    cosines = (first * second).sum(1) / np.linalg.norm(first, axis=1)
    cosines /= np.linalg.norm(second, axis=1)
    spearman = load("sentence_training").spearman
    assert spearman(cosines, grades) == pytest.approx(scores[-1], abs=1e-3)


@once
def test_texts_in_another_language_are_warned_of(sentences, tmp_path, monkeypatch, capsys):
    write_google_folder(tmp_path / "bert")
    (tmp_path / "train.tsv").write_text("天地玄黄\t宇宙洪荒\n" * 4, "utf-8")
    arguments = ["bert", "train.tsv", "train.tsv", "--max-len", "12"]
    common = sys.modules["common"]
    run_until(monkeypatch, common, "make_optimizer", sentences.main, tmp_path, arguments)
    told = "train.tsv: most tokens of the texts are not in the vocabulary and became [UNK]"
    assert told in capsys.readouterr().err


@once
def test_texts_that_are_cut_are_counted(sentences, tmp_path, monkeypatch, capsys):
    write_google_folder(tmp_path / "bert")
    (tmp_path / "train.tsv").write_text("a b c\td e f g\n" * 4, "utf-8")
    arguments = ["bert", "train.tsv", "train.tsv", "--max-len", "5"]
    common = sys.modules["common"]
    run_until(monkeypatch, common, "make_optimizer", sentences.main, tmp_path, arguments)
    told = "train.tsv: 4 texts were longer than 5 tokens, [CLS] and [SEP] included; what is beyond "
    assert told in capsys.readouterr().err


@once
@pytest.mark.parametrize("words", [["--from-scratch"], ["--save", "model.keras"]])
def test_options_that_are_for_other_tasks(sentences, tmp_path, monkeypatch, capsys, words):
    write_google_folder(tmp_path / "bert")
    write_rows(tmp_path / "train.tsv", "pairs", 4, 1)
    monkeypatch.chdir(tmp_path)
    arguments = ["bert", "train.tsv", "train.tsv", "--max-len", "12"]
    monkeypatch.setattr(sys, "argv", ["sentences.py", *arguments, *words])
    with pytest.raises(SystemExit, match="2"):
        sentences.main()
    assert "--save makes a folder here" in capsys.readouterr().err


@once
@pytest.mark.parametrize(
    ("lines", "texts", "grades"),
    [
        (["a\tb", "c\td"], [("a", "b"), ("c", "d")], None),
        (["a\tb\tc", "d\te\t2"], [("a", "b", "c"), ("d", "e", "2")], None),
        (["a\tb\t0.5", "c\td\t2"], [("a", "b"), ("c", "d")], [0.5, 2.0]),
        (["sentence1\tsentence2\tscore", "a\tb\t1"], [("a", "b")], [1.0]),
        (["label\ttext_b\ttext_a", "0\tb\ta"], [("a", "b")], [0.0]),
        (["anchor\tpositive\tnegative", "a\tb\tc"], [("a", "b", "c")], None),
    ],
)
def test_tables_are_read_as_public_data_have_them(sentences, tmp_path, lines, texts, grades):
    path = tmp_path / "table.tsv"
    path.write_text("\n".join(lines), "utf-8")
    found = sentences.read_rows(path, None)
    assert found[0] == texts
    assert found[1] is None if grades is None else found[1].tolist() == grades


@once
@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([""], "must have two or three columns"),
        (["a"], "must have two or three columns, separated by tabs. Received: 1"),
        (["text_a\tlabel", "a\t1"], "needs columns such as text_a and text_b"),
        (["text_a\ttext_b\tlabel", "a\tb\tgood"], "example 1: texts or a number are missing"),
        (["text_a\ttext_b"], "contains no examples"),
        (["text_a\ttext_b", "a"], "example 1"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(sentences, tmp_path, lines, message):
    path = tmp_path / "table.tsv"
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(SystemExit, match=message):
        sentences.read_rows(path, None)


@once
def test_spearman_by_hand(sentences):
    """Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: 1 − 6·Σd²/(n(n²−1)) holds without ties only."""
    spearman = load("sentence_training").spearman
    assert spearman([3, 1, 2], [1, 3, 2]) == pytest.approx(-1)
    ranks = np.corrcoef([1, 2.5, 2.5, 4], [1, 2, 3, 4])[0, 1]
    assert spearman([0, 5, 5, 9], [10, 20, 30, 40]) == pytest.approx(ranks)


@once
def test_the_wrong_answers_of_a_batch_are_of_every_length(sentences):
    """The lengths of a batch's rows scatter as those of all rows do."""
    lengths = np.random.default_rng(0).integers(1, 33, (640, 2))
    tokens = (np.arange(32) < lengths[..., None]).astype("int32")
    batches = load("sentence_training").RowBatches(tokens, np.zeros(640), 32, seed=0)
    longest = [np.count_nonzero(batches[index][0][0], axis=1) for index in range(len(batches))]
    assert np.std(longest, axis=1).min() > 0.6 * lengths[:, 0].std()
    assert sorted(np.concatenate(longest)) == sorted(lengths[:, 0])


@once
@pytest.mark.parametrize("words", [["--pooling", "cls"], ["--normalize"]])
def test_options_that_the_folder_answers(sentences, tmp_path, monkeypatch, capsys, words):
    write_sentence_folder(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "train.tsv", "pairs", 4, 1)
    arguments = ["model", "train.tsv", "train.tsv", "--max-len", "12"]
    monkeypatch.setattr(sys, "argv", ["sentences.py", *arguments, *words])
    with pytest.raises(SystemExit, match="2"):
        sentences.main()
    assert "--pooling and --normalize: " in capsys.readouterr().err


@once
@pytest.mark.parametrize("value", ["0", "nan", "-1"])
def test_a_temperature_that_is_none(sentences, monkeypatch, capsys, value):
    monkeypatch.setattr(sys, "argv", ["sentences.py", "--temperature", value, "m", "a", "b"])
    with pytest.raises(SystemExit, match="2"):
        sentences.main()
    assert "argument --temperature: must be at least" in capsys.readouterr().err
