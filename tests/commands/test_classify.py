"""Labels, spans and answers on the command line are those of transformers' logits."""

import json

import numpy as np
import pytest
from command_line import as_json
from numpy_functions import softmax
from runtimes import once
from task_folders import TASKS, changed_folder

from keras_bert import load_task_model
from keras_bert.commands import classify
from keras_bert.loader.text_settings import settings_of

# The texts of the ids in the folders' outputs.npz.
TEXTS = ["a b c", "e ||| f g h", ""]
CLOSE = {"rtol": 0, "atol": 1e-5}


def logits_of(name, key="logits"):
    with np.load(TASKS / name / "outputs.npz") as outputs:
        return outputs[key].astype("float64")


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


@pytest.mark.parametrize(
    ("name", "labels", "probabilities"),
    [
        ("bert-sequence", ["bad", "so-so", "good"], softmax),
        ("electra-sequence", ["a", "b"], sigmoid),
        ("distilbert-sequence", ["LABEL_0", "LABEL_1"], softmax),
    ],
)
def test_labels_of_texts(command, name, labels, probabilities):
    code, out, err = command("classify", TASKS / name, "--json", stdin="\n".join(TEXTS) + "\n")
    told = "keras-bert classify: line 3 is blank; blank lines keep their place\n"
    assert (code, err) == (0, told)
    expected = probabilities(logits_of(name))
    lines = as_json(out)
    for text, line, row in zip(TEXTS, lines, expected, strict=True):
        assert list(line) == ["text", "labels"]
        assert line["text"] == text
        assert [each["label"] for each in line["labels"]] == [labels[i] for i in np.argsort(-row)]
        found = [each["probability"] for each in line["labels"]]
        np.testing.assert_allclose(found, np.sort(row)[::-1], **CLOSE)


@once
def test_lines_for_people(command):
    row = softmax(logits_of("bert-sequence"))[0]
    best = ["bad", "so-so", "good"][row.argmax()]
    code, out, _ = command("classify", TASKS / "bert-sequence", stdin="a b c\n")
    assert code == 0
    assert out == f"{row.max():.6f}\t{best}\ta b c\n"
    out = command("classify", TASKS / "bert-sequence", "--top", "2", stdin="a b c\n")[1]
    assert len(out.splitlines()) == 2


@once
@pytest.mark.parametrize("name", ["bert-sequence", "bert-tokens"])
def test_texts_in_another_language_are_remarked_upon(command, name):
    code, _, err = command("classify", TASKS / name, stdin="中文 中文\na\n")
    assert (code, err.count("\n")) == (0, 1)
    assert err.startswith("keras-bert classify: most tokens of the texts are not in the vocab")


@once
def test_scores_of_a_regression(command):
    code, out, _ = command("classify", TASKS / "albert-sequence", "--json", stdin="a b c\n")
    assert code == 0
    ((found,),) = [line["labels"] for line in as_json(out)]
    assert list(found) == ["label", "score"]
    np.testing.assert_allclose(found["score"], logits_of("albert-sequence")[0, 0], **CLOSE)


@pytest.mark.parametrize("name", ["bert-tokens", "electra-wide-tokens"])
def test_labels_of_words(command, name):
    code, out, err = command("classify", TASKS / name, "--json", stdin="a b c\n")
    assert (code, err) == (0, "")
    (line,) = as_json(out)
    expected = softmax(logits_of(name)[0, 1:4])
    tags = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    assert [each["label"] for each in line["words"]] == [tags[i] for i in expected.argmax(-1)]
    assert [(each["start"], each["end"]) for each in line["words"]] == [(0, 1), (2, 3), (4, 5)]
    probabilities = [each["probability"] for each in line["words"]]
    np.testing.assert_allclose(probabilities, expected.max(-1), **CLOSE)
    for each in [*line["words"], *line["spans"]]:
        assert each["text"] == "a b c"[each["start"] : each["end"]]


@once
def test_spans_for_people(command):
    code, out, _ = command("classify", TASKS / "bert-tokens", stdin="a b c\n\n")
    # Three words of I-LOC are one span; its probability is the mean of theirs.
    probability = softmax(logits_of("bert-tokens")[0, 1:4])[:, 4].mean()
    assert (code, out) == (0, f"a b c\n{probability:.6f}\tLOC\ta b c\n\n")


@pytest.mark.parametrize("name", ["bert-answers", "ernie-answers"])
def test_answers(command, name):
    words = ["--question", "e", "--json", "--top", "3"]
    code, out, err = command("classify", TASKS / name, *words, stdin="f  g h\n")
    assert (code, err) == (0, "")
    (line,) = as_json(out)
    # [CLS] e [SEP] f g h [SEP]
    allowed = np.array([True, False, False, True, True, True, False])
    starts, ends = (
        softmax(np.where(allowed, logits_of(name, f"{key}_logits")[1], -np.inf))
        for key in ("start", "end")
    )
    expected = {("", 0, 0): starts[0] * ends[0]}
    offsets = {3: (0, 1), 4: (3, 4), 5: (5, 6)}
    for first in offsets:
        for last in range(first, 6):
            start, end = offsets[first][0], offsets[last][1]
            expected["f  g h"[start:end], start, end] = starts[first] * ends[last]
    best = sorted(expected.items(), key=lambda item: -item[1])[:3]
    found = [(each["answer"], each["start"], each["end"]) for each in line["answers"]]
    assert found == [key for key, _ in best]
    probabilities = [each["probability"] for each in line["answers"]]
    np.testing.assert_allclose(probabilities, [each for _, each in best], **CLOSE)
    assert (line["text"], line["question"]) == ("f  g h", "e")


@once
def test_batches_change_nothing(command, tmp_path):
    texts = tmp_path / "texts"
    texts.write_text("".join(f"{'a b c d e '[: 2 * (i % 6)]}\n" for i in range(50)), "utf-8")
    for name in ("bert-sequence", "bert-tokens"):
        outputs = []
        for size in ("1", "50"):
            words = ["classify", TASKS / name, texts, "--json", "--batch-size", size]
            outputs.append(as_json(command(*words)[1]))
        single, together = outputs
        assert [line["text"] for line in single] == texts.read_text("utf-8").splitlines()
        for mine, others in zip(single, together, strict=True):
            key = "labels" if "labels" in mine else "words"
            assert [each["label"] for each in mine[key]] == [each["label"] for each in others[key]]
            np.testing.assert_allclose(
                [each["probability"] for each in mine[key]],
                [each["probability"] for each in others[key]],
                **CLOSE,
            )


@once
def test_an_output_that_broke_off_is_continued(command, tmp_path, monkeypatch):
    texts, output = tmp_path / "texts", tmp_path / "out.jsonl"
    texts.write_text("a\nb\nc\nd\n", "utf-8")
    words = ["classify", TASKS / "bert-sequence", texts, "-o", output]
    whole, begun = classify._records, []

    def interrupted(*arguments):
        begun.append(arguments[-1])
        for index, record in enumerate(whole(*arguments)):
            if len(begun) == 1 and index == 2:
                raise KeyboardInterrupt
            yield record

    monkeypatch.setattr(classify, "_records", interrupted)
    code, _, err = command(*words)
    assert code == 130
    assert "the same command continues it" in err
    assert command(*words) == (0, "", "")
    assert begun == [0, 2]
    lines = as_json(output.read_text("utf-8"))
    assert [line["text"] for line in lines] == ["a", "b", "c", "d"]
    assert lines == as_json(command("classify", TASKS / "bert-sequence", texts, "--json")[1])
    code, _, err = command(*words)
    assert (code, "is there already" in err) == (1, True)


@once
def test_long_texts_are_cut_for_a_classifier_of_texts(command):
    (_, whole, nothing), (_, cut, told) = [
        command("classify", TASKS / "bert-sequence", "--max-length", "6", stdin=f"{text}\n")
        for text in ("a b c d", "a b c d e f")
    ]
    assert whole.replace("a b c d", "a b c d e f") == cut
    assert (nothing, "1 text was longer than 6 tokens" in told) == ("", True)
    long = f"{'a ' * 200}\n" * 3
    told = command("classify", TASKS / "bert-sequence", stdin=f"a\n{long}")[2]
    assert told.startswith("keras-bert classify: 3 texts were longer than ")


@pytest.mark.parametrize("words", [[], ["--max-length", "6"], ["--batch-size", "2"]])
def test_long_texts_are_labelled_in_windows(command, words):
    letters = "abcdefgh" * 5
    code, out, err = command(
        "classify", TASKS / "bert-tokens", "--json", *words, stdin=f"{' '.join(letters)}\na b\n"
    )
    assert (code, err) == (0, "")
    long, short = (line["words"] for line in as_json(out))
    assert [each["text"] for each in long] == list(letters)
    assert [each["text"] for each in short] == ["a", "b"]
    model, labels = load_task_model(TASKS / "bert-tokens")
    ids = settings_of(model).tokenizer.encode(" ".join(letters))[0]
    room = 4 if "6" in words else 14  # of the model's 16 positions
    # The first window is alone with its first half.
    (first,) = softmax(logits_by(model, [*ids[: 1 + room], 3]))
    for row, each in zip(first[1 : 1 + room // 2], long, strict=False):
        assert each["label"] == labels[row.argmax()]
        assert each["probability"] == pytest.approx(row.max(), abs=1e-5)
    (last,) = softmax(logits_by(model, [2, *ids[-1 - room :]]))
    for row, each in zip(last[-room // 2 : -1], long[1 - room // 2 :], strict=True):
        assert each["label"] == labels[row.argmax()]


def logits_by(model, ids, question_length=None):
    """What the model computes of one row; its second segment begins after the question."""
    segments = [
        int(question_length is not None and index >= question_length) for index in range(len(ids))
    ]
    outputs = model.predict_on_batch([np.array([ids]), np.array([segments])])
    return np.asarray(outputs if not isinstance(outputs, list) else np.stack(outputs))


def test_long_texts_are_read_in_windows(command):
    text = " ".join("abcdefgh" * 5)
    words = ["--json", "--question", "c d", "--top", "3"]
    code, out, err = command("classify", TASKS / "bert-answers", *words, stdin=f"{text}\n")
    assert (code, err) == (0, "")
    model, _ = load_task_model(TASKS / "bert-answers")
    ids, segments = settings_of(model).tokenizer.encode("c d", text)
    opening, room = segments.index(1), 16 - segments.index(1) - 1
    best, nothing = {}, 1.0
    for begin in range(0, 100, (room + 1) // 2):
        part = ids[opening + begin : opening + begin + room]
        row = [*ids[:opening], *(part[:-1] if part[-1] == 3 else part), 3]
        starts, ends = logits_by(model, row, opening)[:, 0].astype("float64")
        among = [0, *range(opening, len(row) - 1)]
        starts, ends = softmax(starts[among]), softmax(ends[among])
        nothing = min(nothing, starts[0] * ends[0])
        for first in range(1, len(among)):
            for last in range(first, len(among)):
                span = begin + first - 1, begin + last - 1
                best[span] = max(best.get(span, 0), starts[first] * ends[last])
        if begin + room >= 40:
            break
    best[None] = nothing
    expected = sorted(best.items(), key=lambda item: -item[1])[:3]
    found = as_json(out)[0]["answers"]
    assert [each["probability"] for each in found] == pytest.approx(
        [probability for _, probability in expected], abs=1e-5
    )
    assert [each["answer"] for each in found] == [
        text[2 * span[0] : 2 * span[1] + 1] if span else "" for span, _ in expected
    ]


@once
@pytest.mark.parametrize("name", ["bert-sequence", "bert-tokens"])
def test_separators_are_looked_at_where_pairs_are_taken(command, name):
    err = command("classify", TASKS / name, stdin="a|||b\na\n")[2]
    assert ("'a|||b' is taken as one text; " in err) == (name == "bert-sequence")


@once
def test_a_question_that_leaves_no_room(command):
    words = ["--question", " ".join("a" * 20)]
    code, out, err = command("classify", TASKS / "bert-answers", *words, stdin="a b\n")
    assert (code, out) == (1, "")
    assert "--question has 20 tokens, which leave too little room for the text in 16" in err


@once
@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("bert-answers", [], "needs --question TEXT"),
        ("bert-answers", ["--question", " "], "--question is empty; it must be a text"),
        (
            "bert-answers",
            ["--question", "a", "--max-length", "4"],
            "--question has 1 tokens, which leave too little room for the text in 4",
        ),
        ("bert-answers", ["--question", "\udcb7"], "--question is not UTF-8. Received: '\\udcb7'"),
        ("bert-tokens", ["--question", "a"], "--question is for models that answer questions"),
        ("bert-tokens", ["--task", "answers"], "has no head for answers"),
        ("bert-sequence", ["--task", "tokens"], "has a head for the task 'sequence'"),
        ("bert-tokens", ["-o", "out.npy"], "OUT must end in .jsonl. Received: out.npy"),
        (
            "bert-tokens",
            ["-o", "a/out.json"],
            "as JSON Lines, an object a line: name it a/out.jsonl",
        ),
    ],
)
def test_errors(command, name, words, message):
    code, out, err = command("classify", TASKS / name, *words, stdin="a\n")
    assert (code, out) == (1, "")
    assert message in err


@once
def test_a_folder_that_leaves_the_task_open(command, tmp_path):
    folder = changed_folder(tmp_path / "new", "bert-sequence", architectures=None)
    code, _, err = command("classify", folder, stdin="a b c\n")
    assert (code, "'sequence', 'tokens'" in err) == (1, True)
    code, out, _ = command("classify", folder, "--task", "sequence", stdin="a b c\n")
    assert code == 0
    assert out == command("classify", TASKS / "bert-sequence", stdin="a b c\n")[1]


@once
def test_a_model_without_a_head(command):
    code, out, err = command("classify", "tiny", stdin="a\n")
    assert (code, out) == (1, "")
    assert "has no head for a task" in err


@once
def test_json_is_one_object_a_line(command):
    out = command("classify", TASKS / "bert-sequence", "--json", stdin="é\n")[1]
    assert json.loads(out)["text"] == "é"
    assert "é" in out
