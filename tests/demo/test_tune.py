"""The scripts under demo/, run as users run them, on a tiny model and tiny data."""

import csv
import importlib.util
import os
import random
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from demo_scripts import TUNE, load, run_until
from model_folders import CONFIG, write_google_folder
from task_folders import TASKS, assert_same_logits

from keras_bert import get_custom_objects, load_task_model, load_tokenizer
from keras_bert.backend import keras, layers, models
from keras_bert.layers import Extract

WORDS = "abcdefghijklmnopqrstuvwxy"
LONG = "a text " * 50_000
TAGS = {**dict.fromkeys("abc", "B-LOC"), **dict.fromkeys("def", "O")}


@pytest.fixture(scope="module")
def common():
    return load("common")


@pytest.fixture(scope="module")
def tables():
    return load("tables")


@pytest.fixture(scope="module")
def entities(common):
    return load("entities")


def sentence(generator, words):
    return [generator.choice(words) for _ in range(generator.randint(2, 8))]


def write_sentences(path, count, seed):
    """A header and label, as ChnSentiCorp has them; the letters tell the label."""
    generator = random.Random(seed)
    lines = ["label\ttext_a"]
    for _ in range(count):
        label = generator.randint(0, 1)
        lines.append(f"{label}\t{' '.join(sentence(generator, ['abc', 'def'][label]))}")
    path.write_text("\n".join(lines) + "\n", "utf-8")


def write_pairs(path, count, seed):
    """No header, quoted cells with commas; the second text tells the label."""
    generator = random.Random(seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for _ in range(count):
            label = generator.choice(["other", "same"])
            first = ", ".join(sentence(generator, "xyz"))
            second = sentence(generator, "abc" if label == "same" else "def")
            writer.writerow([first, " ".join(second), label])


def write_entities(path, count, seed):
    """A word and its tag in every line; the word tells the tag."""
    generator = random.Random(seed)
    lines = []
    for _ in range(count):
        tags = (f"{word} {TAGS[word]}" for word in sentence(generator, "abcdef"))
        lines += [*tags, ""]
    path.write_text("\n".join(lines) + "\n", "utf-8")


RUNS = {
    "pairs": ("classify.py", write_pairs, "train.csv", ["--pairs", "--save", "model"]),
    "entities": ("entities.py", write_entities, "train.txt", ["--save", "model.keras"]),
    "crf": ("entities.py", write_entities, "train.txt", ["--crf", "--save", "model.keras"]),
}


def prepare(folder, write, file_name):
    """Write a model and data; returns the arguments of a script that works in the folder."""
    write_google_folder(folder / "bert", {**CONFIG, "max_position_embeddings": 32}, scale=0.2)
    write(folder / file_name, 160, seed=0)
    write(folder / f"dev-{file_name}", 32, seed=1)
    sizes = ["--max-len", "24", "--batch-size", "16", "--epochs", "5"]
    speed = ["--learning-rate", "0.01", "--dropout", "0"]
    return ["bert", file_name, f"dev-{file_name}", "--output", "out", *sizes, *speed]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What each script printed and the folder it worked in; they run side by side."""
    # The script's own folder must be importable, which CI's PYTHONSAFEPATH prevents.
    paths = [str(TUNE), *filter(None, [os.environ.get("PYTHONPATH")])]
    processes = {}
    for name, (script, write, file_name, options) in RUNS.items():
        folder = tmp_path_factory.mktemp(name)
        process = subprocess.Popen(
            [sys.executable, TUNE / script, *prepare(folder, write, file_name), *options],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes[name] = folder, process
    finished = {}
    try:
        for name, (folder, process) in processes.items():
            out, errors = process.communicate(timeout=500)
            assert process.returncode == 0, errors
            finished[name] = folder, out
    finally:
        for _, process in processes.values():
            process.kill()
            process.communicate()
    return finished


def check_learning(folder, out):
    """The script learnt, and its learning curve tells what it printed."""
    printed = [line for line in out.splitlines() if line.startswith("epoch ")]
    assert len(printed) == 5
    score = float(printed[-1].split()[-1])
    assert score > 0.8  # guessing gives about half
    rows = list(csv.reader((folder / "out/learning_curve.csv").read_text("utf-8").splitlines()))
    steps = [int(row[0]) for row in rows[1:]]
    assert steps == list(range(1, 51))
    losses = np.array([float(row[1]) for row in rows[1:]])
    assert losses[-5:].mean() < losses[:5].mean() / 2
    assert [bool(row[2]) for row in rows[1:]] == [step % 10 == 0 for step in steps]
    assert float(rows[-1][2]) == score
    if importlib.util.find_spec("matplotlib") is None:
        assert "pip install matplotlib" in out
    else:
        assert (folder / "out/learning_curve.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_a_script_learns_and_leaves_its_learning_curve(results, name):
    check_learning(*results[name])


@pytest.mark.slow
def test_sentences_are_classified(common, tmp_path, monkeypatch, capsys):
    arguments = prepare(tmp_path, write_sentences, "train.tsv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["classify.py", *arguments])
    load("classify").main()
    check_learning(tmp_path, capsys.readouterr().out)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "tags"), [("entities", ["B-LOC", "O"]), ("crf", ["B-LOC", "I-LOC", "O"])]
)
def test_a_saved_model_can_be_used(results, name, tags):
    folder, out = results[name]
    assert f"the outputs are the tags {', '.join(tags)}" in out
    model = keras.models.load_model(
        folder / "model.keras", custom_objects=get_custom_objects(), compile=False
    )
    ids = np.array([[2, *(5 + WORDS.index(letter) for letter in "abcf"), 3]])
    output = model.predict([ids, np.zeros_like(ids)], verbose=0)
    best = np.argmax(output, axis=-1)
    assert [tags[index] for index in best[0, 1:-1]] == ["B-LOC", "B-LOC", "B-LOC", "O"]
    if name == "crf":  # whose layer marks the best sequence
        assert ((output > 0).sum(axis=-1) == 1).all()


@pytest.mark.slow
def test_a_saved_folder_can_be_used(results):
    folder, out = results["pairs"]
    assert "python -m keras_bert classify model texts.txt" in out
    model, labels = load_task_model(folder / "model")
    assert labels == ["other", "same"]
    tokenizer = load_tokenizer(folder / "model" / "vocab.txt", official=True)
    inputs = tokenizer.encode_batch([("x, y", "a b c"), ("x, y", "d e f")])[:2]
    best = np.argmax(model.predict_on_batch(list(inputs)), axis=-1)
    assert [labels[index] for index in best] == ["same", "other"]


def test_a_crf_is_not_for_folders(common, tmp_path, monkeypatch, capsys):
    arguments = prepare(tmp_path, write_entities, "train.txt")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["entities.py", *arguments, "--crf", "--save", "model"])
    with pytest.raises(SystemExit):
        load("entities").main()
    assert "argument --save: a folder that transformers loads cannot" in capsys.readouterr().err


def test_a_model_from_scratch_has_the_same_layers(common, tmp_path, monkeypatch):
    arguments = prepare(tmp_path, write_sentences, "train.tsv")
    monkeypatch.chdir(tmp_path)
    made = []
    for options in ([], ["--from-scratch"]):
        monkeypatch.setattr(sys, "argv", ["classify.py", *arguments, *options])
        parsed = common.parse(load("options").argument_parser("", 24, 16, 5, 0.1))
        made.append(common.task_model(parsed, "sequence", ["no", "yes"]))
    tuned, scratch = made
    assert [layer.name for layer in tuned.layers] == [layer.name for layer in scratch.layers]
    assert all(layer.trainable for layer in scratch.layers)


def test_a_trained_head_is_kept_for_its_labels_or_else_replaced_silently(common):
    folder = TASKS / "bert-sequence"
    arguments = SimpleNamespace(folder=folder, dropout=0.1, from_scratch=False)
    assert_same_logits(common.task_model(arguments, "sequence", ["bad", "so-so", "good"]), folder)
    assert common.task_model(arguments, "sequence", ["no", "yes"]).output_shape == (None, 2)


@pytest.mark.parametrize(
    ("name", "text", "count", "expected"),
    [
        ("a.tsv", 'a "quote\t0\nof it\t1\n', 1, [('a "quote',), ("of it",)]),
        pytest.param("x.tsv", f"{LONG}\t0\na\t1\n", 1, [(LONG,), ("a",)], id="long"),
        ("b.tsv", "label\ttext_a\n0\t好\n1\t坏\n", 1, [("好",), ("坏",)]),
        ("c.csv", 'label,review\n0,"a, b"\n1,c\n', 1, [("a, b",), ("c",)]),
        ("s.csv", '\ufefflabel;review\r\n0;"a, b; c"\r\n1;d\r\n', 1, [("a, b; c",), ("d",)]),
        ("t.csv", '"a; b",0\nc,1\n', 1, [("a; b",), ("c",)]),
        (
            "d.tsv",
            "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t7\t8\ta\tb\n1\t1\t2\tc\td\n",
            2,
            [("a", "b"), ("c", "d")],
        ),
        (
            "e.tsv",
            "\ufefftext_a\ttext_b\tlabel\r\na\tb\t0\r\nc\td\t1\r\n",
            2,
            [("a", "b"), ("c", "d")],
        ),
    ],
)
def test_tables_are_read_as_public_data_sets_have_them(
    tables, tmp_path, name, text, count, expected
):
    (tmp_path / name).write_bytes(text.encode("utf-8"))
    texts, labels = tables.read_table(tmp_path / name, count)
    assert texts == expected
    assert labels == ["0", "1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no examples"),
        ("label\tbody\n0\tx\n", "column named text_a or "),
        ("good\t1\nbad\n", "row 2: expected 2 columns, separated by tabs"),
        ("good\t1\nbad\t\n", "row 2 has no label"),
        ("body\tscore\ngood\t1\nbad\t0\n", "the label 'score' of the first row occurs in no other"),
        ("sentence\ttarget\ngood\t1\n", "column named label or "),
        ("good\tfine\tsame\n", "row 1: expected 2 columns, .*pairs of texts need --pairs"),
        ("text_a\ttext_b\tlabel\na\tb\t1\n", "contains pairs of texts, which need --pairs"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(tables, tmp_path, text, message):
    (tmp_path / "table.tsv").write_text(text, "utf-8")
    with pytest.raises(SystemExit, match=message):
        tables.read_table(tmp_path / "table.tsv")


def test_text_in_another_encoding_is_named(tables, entities, tmp_path):
    sentences = load("sentences")
    (tmp_path / "table.tsv").write_bytes("good\t1\n好\t0\n".encode("gbk"))
    for read in (tables.read_table, entities.read_sentences, sentences.read_rows):
        with pytest.raises(
            SystemExit, match=r"table\.tsv is not UTF-8 \(line 2: .*iconv -f GBK -t UTF-8"
        ):
            read(tmp_path / "table.tsv", 1)


def test_labels_that_training_lacks_are_named(tables):
    assert tables.as_numbers(["b", "a"], ["a", "b"], "dev.tsv").tolist() == [1, 0]
    with pytest.raises(SystemExit, match=r"dev.tsv has labels .*\['c'\]\. Known: \['a', 'b'\]"):
        tables.as_numbers(["a", "c"], ["a", "b"], "dev.tsv")
    with pytest.raises(SystemExit, match=r"'t1', .*, 20 in all\. Known:"):
        tables.as_numbers([f"t{number}" for number in range(20)], ["a", "b"], "dev.tsv")


@pytest.mark.parametrize(
    ("index", "word", "message"),
    [  # index 7 is behind all
        (0, "nobert", "model: There is no model 'nobert'"),
        (0, ".", "model: .*bert_config.json|model: .*vocab.txt"),
        (1, "none.tsv", "argument train: there is no file none.tsv"),
        (2, "none.tsv", "argument dev: there is no file none.tsv"),
        (1, "bert", "argument train: bert is a folder, not a file"),
        (7, "--save=model.bin", "argument --save: must end with .keras or .h5, not model.bin"),
        (7, "--save=bert", "argument --save: bert is there already"),
        (7, "--max-len=33", "argument --max-len: the model has 32 positions"),
        (7, "--epochs=0", r"argument --epochs: must be at least 1\. Received: 0"),
        (7, "--dropout=1", r"argument --dropout: must be at least 0 and below 1\. Received: 1"),
        (7, "--limit=x", "argument --limit: invalid int value: 'x'"),
        (7, "--save=train.tsv/model.keras", "argument --save: nothing can be written into train"),
        (7, "--save=folder.keras", "argument --save: folder.keras is a folder"),
        (4, "train.tsv", "argument --output: nothing can be written into train.tsv: "),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_done(
    common, tmp_path, monkeypatch, capsys, index, word, message
):
    arguments = prepare(tmp_path, write_sentences, "train.tsv")[:7]
    arguments[index : index + 1] = [word]
    (tmp_path / "folder.keras").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["classify.py", *arguments])
    with pytest.raises(SystemExit):
        load("classify").main()
    assert re.search(message, capsys.readouterr().err.splitlines()[-1])
    assert not (tmp_path / "out").exists()


def test_ctrl_c_ends_a_script_with_one_line(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("signal.signal", lambda *_: None)  # this process goes on
    with pytest.raises(SystemExit) as end:
        load("options").run(interrupted)
    assert (end.value.code, capsys.readouterr().err) == (130, "\ninterrupted\n")


@pytest.mark.parametrize("labels", ["1", "abcdefghijk"])
def test_labels_that_are_no_classes(common, tmp_path, monkeypatch, labels):
    arguments = prepare(tmp_path, write_sentences, "train.tsv")
    rows = [f"{label}\ttext" for label in labels for _ in range(12 // len(labels))]
    (tmp_path / "train.tsv").write_text("\n".join(["label\ttext", *rows]), "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["classify.py", *arguments])
    with pytest.raises(SystemExit, match=f"{len(labels)} different labels of 1. examples"):
        load("classify").main()


def test_a_dev_file_may_hold_few_of_the_labels(common, tmp_path, monkeypatch):
    arguments = prepare(tmp_path, write_sentences, "train.tsv")
    header, *rows = (tmp_path / "dev-train.tsv").read_text("utf-8").splitlines()
    label = rows[0].split("\t")[0]
    kept = [row for row in rows if row.split("\t")[0] == label]
    (tmp_path / "dev-train.tsv").write_text("\n".join([header, *kept]), "utf-8")
    run_until(monkeypatch, common, "task_model", load("classify").main, tmp_path, arguments)


@pytest.mark.parametrize(
    ("script", "options", "row"),
    [
        ("classify", [], "{text}\t{label}"),
        ("classify", ["--pairs"], "{text}\t{text}\t{label}"),
        ("entities", [], "{words}\n"),
    ],
)
@pytest.mark.parametrize(("text", "warns"), [("天 地 玄 黄", True), ("a b c d 黄", False)])
def test_texts_in_another_language_are_warned_of(
    common, tmp_path, monkeypatch, capsys, script, options, row, text, warns
):
    write_google_folder(tmp_path / "bert")
    words = "\n".join(
        f"{word} {'O' if place else 'B-X'}" for place, word in enumerate(text.split())
    )
    rows = [row.format(text=text, words=words, label=number % 2) for number in range(6)]
    (tmp_path / "train.txt").write_text("\n".join(rows), "utf-8")
    arguments = ["bert", "train.txt", "train.txt", "--max-len", "12", *options]
    run_until(monkeypatch, common, "task_model", load(script).main, tmp_path, arguments)
    err = capsys.readouterr().err
    told = "train.txt: most tokens of the texts are not in the vocabulary and became [UNK]"
    assert err.count(told) == (2 if warns else 0), err  # as training data, and on dev


@pytest.mark.parametrize(
    ("texts", "example"),
    [
        (["他 1 9 9 8 年 生", "2 0 0 1 年"], "1 9 9 8"),
        (["他 买 了 i P h o n e"], "i P h o n e"),
        (["１ ９ ９ ８ 年"], "１ ９ ９ ８"),
        (["他 1998 年 买 了 2 个 iPhone"], None),
        (["A 股 B 股 ， C 5"], None),  # the tokenizer takes these apart, too, but for C5
        (["Leeds 2 1 0", "in 1998 and 2001"], None),
        (["Tom J R Brown", "and Ann"], None),
    ],
)
def test_digits_and_letters_one_by_one_are_told(common, capsys, texts, example):
    sentences = [(text.split(), ["O"] * len(text.split())) for text in texts]
    load("spelled_words").warn_of_spelled(sentences, "train.txt")
    told = capsys.readouterr().err
    if example is None:
        assert told == ""
    else:
        assert told.startswith(
            f"train.txt: digits or letters are words of their own, such as {example!r}."
        )
        assert "`classify` need the same spaces" in told


def test_entities_whose_numbers_are_spelled(common, tmp_path, monkeypatch, capsys):
    write_google_folder(tmp_path / "bert")
    (tmp_path / "train.txt").write_text("a O\n" + "1 B-X\n9 I-X\n" * 2, "utf-8")
    arguments = ["bert", "train.txt", "train.txt", "--max-len", "12"]
    run_until(monkeypatch, common, "task_model", load("entities").main, tmp_path, arguments)
    assert capsys.readouterr().err.count("such as '1 9 1 9'. Texts for `classify`") == 1


@pytest.mark.parametrize(
    ("script", "options", "long", "fits"),
    [
        ("classify", [], "a b c d e f g h\t1", "a b c d e f\t0"),
        ("classify", ["--pairs"], "a b c\td e f\t1", "a b c\td e\t0"),
        ("entities", [], "a O\n, B-X\n" * 4, "a O\n, B-X\n" * 3),
    ],
)
def test_texts_that_are_cut_are_counted(
    common, tmp_path, monkeypatch, capsys, script, options, long, fits
):
    write_google_folder(tmp_path / "bert")
    (tmp_path / "train.txt").write_text("\n".join([long, fits, long, fits]), "utf-8")
    (tmp_path / "dev.txt").write_text("\n".join([fits] * 3 + [long]), "utf-8")
    arguments = ["bert", "train.txt", "dev.txt", "--max-len", "8", *options]
    run_until(monkeypatch, common, "task_model", load(script).main, tmp_path, arguments)
    told = "longer than 8 tokens, [CLS] and [SEP] included; what is beyond was cut off (--max-len)"
    assert capsys.readouterr().err.splitlines() == [
        f"train.txt: 2 texts were {told}",
        f"dev.txt: 1 text was {told}",
    ]


def test_a_model_without_weights_is_one_to_train_from_scratch_only(
    common, tmp_path, monkeypatch, capsys
):
    arguments = prepare(tmp_path, write_sentences, "train.tsv")
    for path in (tmp_path / "bert").glob("bert_model.*"):
        path.unlink()
    monkeypatch.chdir(tmp_path)
    parser = load("options").argument_parser("", 24, 16, 5, 0.1)
    monkeypatch.setattr(sys, "argv", ["classify.py", *arguments])
    with pytest.raises(SystemExit):
        common.parse(parser)
    assert "argument model:" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["classify.py", *arguments, "--from-scratch"])
    assert common.parse(parser).from_scratch


def test_batches_hold_every_text_once_an_epoch_in_an_order_that_the_seed_decides(common):
    generator = np.random.default_rng(0)
    lengths = generator.integers(1, 97, 1000)
    tokens = (np.arange(96) < lengths[:, None]) * np.arange(1, 1001)[:, None]
    inputs, targets = [tokens, np.zeros_like(tokens)], np.arange(1000)

    def epoch(batches):
        """Targets in their order, checked against the tokens beside them."""
        order = []
        for index in range(len(batches)):
            (ids, segments), numbers = batches[index]
            assert ids.shape == segments.shape
            assert ids.shape[1] % 32 == 0
            assert (np.count_nonzero(ids, axis=1) == lengths[numbers]).all()
            assert (ids[:, 0] == numbers + 1).all()
            order.append(numbers)
        return np.concatenate(order).tolist()

    first, second = (common.Batches(inputs, targets, 16, seed=3) for _ in range(2))
    orders = [epoch(first), epoch(second)]
    first.on_epoch_end()
    orders.append(epoch(first))
    assert orders[0] == orders[1] != orders[2]
    assert all(sorted(order) == list(range(1000)) for order in orders)
    assert sorted(epoch(common.Batches(inputs, targets, 16))) == list(range(1000))


@pytest.mark.slow
@pytest.mark.every_runtime
@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_training_takes_batches_of_several_lengths_wherever_they_stand(common, seed):
    """Keras on TensorFlow takes axes for fixed that the first two batches have in common."""
    lengths = np.full(80, 20)
    lengths[50] = 60
    tokens = (np.arange(64) < lengths[:, None]).astype("int32")
    batches = common.Batches([tokens, tokens], np.zeros(80), 4, seed)
    shapes = [batches[index][0][0].shape for index in range(len(batches))]
    assert sorted(shapes) == [(4, 32)] * 19 + [(4, 64)]
    inputs = [layers.Input((None,)) for _ in "ab"]
    model = models.Model(inputs, layers.Dense(1)(Extract(0)(layers.Embedding(2, 3)(inputs[0]))))
    model.compile("sgd", "mse")
    model.fit(batches, epochs=2, shuffle=False, verbose=0)
    model.evaluate(batches, verbose=0)


def test_entities_are_counted_as_conlleval_counts_them(entities):
    tags = ["B-PER", "I-PER", "O", "I-LOC", "I-LOC", "B-LOC", "I-ORG", "O", "B-ORG"]
    expected = {("PER", 0, 2), ("LOC", 3, 5), ("LOC", 5, 6), ("ORG", 6, 7), ("ORG", 8, 9)}
    assert entities.entities(tags) == expected
    wrong_end = {("PER", 0, 1), ("LOC", 3, 5)}
    # 1 right of 2 predicted and 5 true: precision 1/2, recall 1/5.
    assert entities.f1_score([expected], [wrong_end]) == pytest.approx(2 / 7)
    assert entities.f1_score([set()], [set()]) == 0


def test_pieces_of_a_word_continue_its_entity(entities):
    tags, pieces = ["B-LOC", "I-LOC", "O"], [[1, 2, 3], [4], [5, 6]]
    expected = ["B-LOC", "I-LOC", "I-LOC", "I-LOC", "O", "O"]
    assert entities.tags_of_pieces(tags, pieces) == expected


def test_tags_of_other_schemes_become_bio(entities, tmp_path, capsys):
    def read(tags):
        text = " ".join("东北京城东南"[: len(tags.split())])
        (tmp_path / "table.tsv").write_text(f"text_a\tlabel\n{text}\t{tags}\n", "utf-8")
        return entities.read_sentences(tmp_path / "table.tsv", None)[0][1]

    expected = ["B-LOC", "I-LOC", "I-LOC", "O", "B-PER"]
    for tags in (
        "B-LOC M-LOC E-LOC O S-PER",
        "B-LOC I-LOC E-LOC O S-PER",
        "B-LOC I-LOC L-LOC O U-PER",
    ):
        assert read(tags) == expected
    assert "table.tsv: tags become BIO: L to I, U to B\n" in capsys.readouterr().out
    assert read("B-LOC I-LOC I-LOC O B-PER") == expected
    assert "become" not in capsys.readouterr().out
    for wrong in ("X-LOC", "B_LOC", "M", "LOC"):
        with pytest.raises(SystemExit, match=f"sentence 1: tags are O, .* Received: '{wrong}'"):
            read(f"O {wrong}")


def test_tags_that_are_all_the_same(entities, tmp_path):
    (tmp_path / "table.tsv").write_text("text_a\tlabel\n北 京\tO O\n", "utf-8")
    sentences = entities.read_sentences(tmp_path / "table.tsv", None)
    with pytest.raises(SystemExit, match=r"table.tsv: all tags are O\."):
        entities.classes_of(sentences, "table.tsv")
    assert entities.classes_of([(["a", "b"], ["O", "B-X"])], "table.tsv") == ["B-X", "O"]
    with pytest.raises(SystemExit, match=r"table.tsv: all tags are B-X\."):
        entities.classes_of([(["a", "b"], ["B-X", "B-X"])], "table.tsv")


def test_tagged_sentences_are_read_from_tables_and_from_columns(entities, tmp_path):
    (tmp_path / "table.tsv").write_text("text_a\tlabel\n在 北 京\tO B-LOC I-LOC\n", "utf-8")
    (tmp_path / "columns.txt").write_text("在 O\n北 B-LOC\n京 I-LOC\n\n\n好 O", "utf-8")
    first = (["在", "北", "京"], ["O", "B-LOC", "I-LOC"])
    assert entities.read_sentences(tmp_path / "table.tsv", None) == [first]
    assert entities.read_sentences(tmp_path / "columns.txt", None) == [first, (["好"], ["O"])]
    (tmp_path / "table.tsv").write_text("text_a\tlabel\n在 北 京\tO O\n", "utf-8")
    with pytest.raises(SystemExit, match="sentence 1: 3 words, 2 tags"):
        entities.read_sentences(tmp_path / "table.tsv", None)
    (tmp_path / "table.tsv").write_text("sentence\tlabel\na good film\t1\n", "utf-8")
    with pytest.raises(SystemExit, match=r"sentence 1: tags are O, B-… .* Received: 'label'"):
        entities.read_sentences(tmp_path / "table.tsv", None)
    for name, text in (
        ("table.csv", 'text_a,label\n"在 北 京","O B-LOC I-LOC"\n'),
        ("table.csv", "id;label;text_a\n1;O B-LOC I-LOC;在 北 京\n"),
        ("table.tsv", "id\tlabel\ttext_a\n1\tO B-LOC I-LOC\t在 北 京\n"),
    ):
        (tmp_path / name).write_text(text, "utf-8")
        assert entities.read_sentences(tmp_path / name, None) == [first]
    for name, text in (
        ("table.tsv", "words\ttags\n在 北 京\tO B-LOC I-LOC\n"),
        ("table.tsv", "在 北 京\tO B-LOC I-LOC\n"),
        ("table.csv", "在,O\n北,B-LOC\n"),
    ):
        (tmp_path / name).write_text(text, "utf-8")
        with pytest.raises(SystemExit, match=r"needs columns text_a and label\. Received: \["):
            entities.read_sentences(tmp_path / name, None)
    (tmp_path / "table.tsv").write_text("\n", "utf-8")
    with pytest.raises(SystemExit, match="contains no sentences"):
        entities.read_sentences(tmp_path / "table.tsv", None)
