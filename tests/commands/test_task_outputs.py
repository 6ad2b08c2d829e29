"""Words, spans and answers from logits, by hand. It needs no Keras."""

import numpy as np
import pytest
from runtimes import once

from keras_bert.commands.task_outputs import (
    Word,
    answered,
    classified,
    spans_of,
    tagged,
)
from keras_bert.commands.windows import EncodedText

pytestmark = once


def words(tags):
    return [Word(tag, 0.5, 2 * place, 2 * place + 1) for place, tag in enumerate(tags)]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O B-X I-X O", [("X", 1, 2)]),
        ("B-X B-X I-X", [("X", 0, 0), ("X", 1, 2)]),
        ("I-X I-X I-Y", [("X", 0, 1), ("Y", 2, 2)]),  # as conlleval reads them
        ("B-X I-Y I-Y", [("X", 0, 0), ("Y", 1, 2)]),
        ("B-X O I-X", [("X", 0, 0), ("X", 2, 2)]),
        ("B-X I-X E-X S-X S-Y", [("X", 0, 2), ("X", 3, 3), ("Y", 4, 4)]),
        ("B-X M-X E-X M-X", [("X", 0, 2), ("X", 3, 3)]),
        ("B_X L_X U_X O", [("X", 0, 1), ("X", 2, 2)]),
        ("X X O X Y", [("X", 0, 1), ("X", 3, 3), ("Y", 4, 4)]),
        ("O O", []),
        ("", []),
    ],
)
def test_spans(tags, expected):
    tags = tags.split()
    labels = sorted({*tags, "O", *(["B-X"] if "-" in "".join(tags) else [])})
    found = spans_of(words(tags), labels)
    assert [(span.label, span.start // 2, span.end // 2) for span in found] == expected


def test_labels_without_o_are_of_single_words():
    found = spans_of(words(["NOUN", "NOUN", "VERB"]), ["NOUN", "VERB"])
    assert [(span.label, span.start) for span in found] == [("NOUN", 0), ("NOUN", 2), ("VERB", 4)]


def test_the_probability_of_a_span_is_the_mean_of_its_words():
    found = spans_of([Word("B-X", 0.5, 0, 1), Word("I-X", 1.0, 2, 3)], ["O", "B-X", "I-X"])
    assert found == [Word("X", 0.75, 0, 3)]


def encoded(text, tokens, question=None, first_length=None):
    """A text whose tokens are searched for from left to right."""
    offsets, end = [], 0
    for token in tokens:
        piece = token.removeprefix("##").removeprefix("▁")
        if token.startswith("["):
            offsets.append((0, 0))
            continue
        start = text.index(piece, end)
        end = start + len(piece)
        offsets.append((start, end))
    return EncodedText(text, question, tokens, first_length or len(tokens), offsets)


@pytest.mark.parametrize(
    "tokens",
    [
        ["[CLS]", "un", "##aff", "##able", ",", "sir", "[SEP]"],
        ["[CLS]", "▁un", "aff", "able", ",", "▁sir", "[SEP]"],
    ],
)
def test_a_words_label_is_its_first_pieces(tokens):
    labels = ["O", "B-X", "I-X"]
    best = [0, 1, 0, 0, 0, 2, 0]
    record = tagged(labels)([(encoded("unaffable, sir", tokens), 9 * np.eye(3)[best])], None)
    shown = [(each["text"], each["label"]) for each in record["words"]]
    assert shown == [("unaffable", "B-X"), (",", "O"), ("sir", "I-X")]
    assert [(each["text"], each["label"]) for each in record["spans"]] == [
        ("unaffable", "X"),
        ("sir", "X"),
    ]


TEXT = ["[CLS]", "who", "[SEP]", "a", "b", "[SEP]"]


def logits(start, end):
    found = np.zeros((2, len(TEXT)))
    found[0, start] = found[1, end] = 9
    return found


@pytest.mark.parametrize(
    ("start", "end", "answer"),
    [(3, 4, "a b"), (4, 4, "b"), (0, 0, ""), (1, 1, None), (5, 5, None)],
)
def test_the_best_answer(start, end, answer):
    record = answered([(encoded("who a b", TEXT, "who", 3), logits(start, end))], None)
    (found,) = record["answers"]
    if answer is None:  # neither the question nor what closes the text can be an answer
        assert found["probability"] == pytest.approx(1 / 9)
    else:
        assert found["answer"] == answer
        assert found["probability"] > 0.99


def test_an_answer_does_not_end_before_it_begins():
    (found,) = answered([(encoded("who a b", TEXT, "who", 3), logits(4, 3))], None)["answers"]
    assert found["answer"] in ("a", "b", "a b")
    assert found["probability"] < 0.01


def test_a_text_without_tokens_has_no_answer():
    text = EncodedText("", "who", ["[CLS]", "who", "[SEP]", "[SEP]"], 3, [(0, 0)] * 4)
    (found,) = answered([(text, np.ones((2, 4)))], 3)["answers"]
    assert (found["answer"], found["probability"]) == ("", 1.0)


def test_one_label_without_a_problem_type_is_a_regression_as_in_transformers():
    text = encoded("a", ["[CLS]", "a", "[SEP]"])
    record = classified(["LABEL_0"], None)([(text, np.array([-2.5]))], None)
    assert record == {"text": "a", "labels": [{"label": "LABEL_0", "score": -2.5}]}


def test_large_logits_give_finite_probabilities():
    text = encoded("a", ["[CLS]", "a", "[SEP]"])
    windows = [(text, np.array([-900.0, 900.0]))]
    record = classified(["x", "y"], "multi_label_classification")(windows, None)
    assert [each["probability"] for each in record["labels"]] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("logits", "problem_type", "expected"),
    [
        ([2.0, 1.0, 0.0, -1.0], "multi_label_classification", "abc"),
        ([-2.0, -1.0, -3.0, -1.5], "multi_label_classification", "b"),
        ([2.0, 1.0, 0.0, -1.0], "single_label_classification", "a"),
        ([2.0, 1.0, 0.0, -1.0], "regression", "abcd"),
    ],
)
def test_what_holds_of_a_text(logits, problem_type, expected):
    text = encoded("a", ["[CLS]", "a", "[SEP]"])
    windows = [(text, np.array(logits))]
    record = classified("abcd", problem_type)(windows, None, only_holding=True)
    assert [each["label"] for each in record["labels"]] == list(expected)


def test_the_answer_of_several_windows():
    first = encoded("who a b", TEXT, "who", 3)
    second = first._replace(
        offsets=[*first.offsets[:3], (6, 7), (8, 9), (0, 0)], text="who a b c d"
    )
    first = first._replace(text=second.text)
    # The first window has no answer, the second "c d"; its own of "c" is less likely.
    windows = [(first, logits(0, 0)), (second, logits(3, 4))]
    record = answered(windows, 2)
    assert record["answers"][0] == {
        "answer": second.text[6:9],
        "probability": pytest.approx((np.exp(9) / (np.exp(9) + 2)) ** 2),
        "start": 6,
        "end": 9,
    }
    assert len(record["answers"]) == 2
    (found,) = answered([(first, logits(0, 0)), (second, logits(0, 0))], None)["answers"]
    assert found["answer"] == ""
    assert found["probability"] > 0.99
