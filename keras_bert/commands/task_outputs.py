"""What a task model's logits say of a text. Nothing here knows of models.

Legend: T tokens of a text, L labels.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..tokenizer.vocabulary import SPACE
from .shared import rounded
from .windows import EncodedText, Window, join

# A tag's position in its span, as in BIO, BIOES, BILOU and BMES, and the kind of the span.
_TAG = re.compile(r"([BIEMSLU])[-_](.+)")
_NO_SPAN = "O"
MOST_ANSWER_TOKENS = 30  # as in Google's run_squad.py

Record = dict[str, Any]  # what JSON has of a text


class Word(NamedTuple):
    """A word with the label of its first piece."""

    label: str
    probability: float
    start: int
    end: int


def classified(labels: Sequence[str], problem_type: str | None) -> Callable[..., Record]:
    """What a classifier of texts says: labels with probabilities, the likeliest first.

    Probabilities are those of a softmax; with several labels at a time, of a sigmoid each. Of a
    regression, or one label alone and no problem type, which transformers takes for one, they are
    the scores themselves, in the order of the outputs.

    What is returned takes the windows of a text, how many labels to give, None for all, and whether
    to give those alone that hold: the likeliest, or of several at a time those of 0.5 and more.
    """
    is_regression = problem_type == "regression" or (problem_type is None and len(labels) == 1)

    def record(windows: Sequence[Window], top: int | None, only_holding: bool = False) -> Record:
        ((encoded, logits),) = windows
        logits = logits.astype("float64")
        if is_regression:
            pairs = list(zip(labels, logits.tolist(), strict=True))
            found = [{"label": label, "score": rounded(score)} for label, score in pairs]
            return {"text": encoded.text, "labels": found[:top]}
        is_multi = problem_type == "multi_label_classification"
        probabilities = np.exp(-np.logaddexp(0, -logits)) if is_multi else softmax(logits)
        if only_holding:
            top = max(1, np.count_nonzero(probabilities >= 0.5)) if is_multi else 1
        order = np.argsort(-probabilities, kind="stable")[:top]
        found = [
            {"label": labels[index], "probability": rounded(float(probabilities[index]))}
            for index in order
        ]
        return {"text": encoded.text, "labels": found}

    return record


def tagged(labels: Sequence[str]) -> Callable[..., Record]:
    """What a tagger says: the words with their labels, and the spans that these make."""

    def record(windows: Sequence[Window], top: int | None, only_holding: bool = False) -> Record:
        encoded, logits = join(windows)
        words = list(_words(encoded, softmax(logits.astype("float64")), labels))
        return {
            "text": encoded.text,
            "spans": [_shown(span, encoded.text) for span in spans_of(words, labels)],
            "words": [_shown(word, encoded.text) for word in words],
        }

    return record


def answered(windows: Sequence[Window], top: int | None, only_holding: bool = False) -> Record:
    """What a reader says: the likeliest answers, an empty one where that of no answer is likeliest.

    The probability of an answer is that of its start times that of its end, each among the tokens
    of the window and [CLS], whose start and end mean that there is no answer. Of several windows
    an answer has its highest probability, and no answer its lowest: where the text answers, most
    windows do not.

    Args:
        windows: Question and text, with logits of starts and ends, (2, T).
        top: How many answers; None for one.
        only_holding: Not used.
    """
    best: dict[tuple[int, int], float] = {}
    nothing = 1.0
    for encoded, logits in windows:
        no_answer, answers = _answers(encoded, logits)
        nothing = min(nothing, no_answer)
        for span, probability in itertools.islice(answers, top or 1):
            best[span] = max(probability, best.get(span, 0.0))
    found = sorted([((0, 0), nothing), *best.items()], key=lambda item: -item[1])
    encoded = windows[0][0]
    answers = [
        {
            "answer": encoded.text[start:end],
            "probability": rounded(probability),
            "start": start,
            "end": end,
        }
        for (start, end), probability in found[: top or 1]
    ]
    return {"text": encoded.text, "question": encoded.question, "answers": answers}


def _answers(
    encoded: EncodedText, logits: np.ndarray
) -> tuple[float, Iterator[tuple[tuple[int, int], float]]]:
    """The probability of no answer, and answers with theirs, the likeliest first."""
    in_text = np.arange(len(encoded.tokens)) >= encoded.first_length
    in_text[-1] = False  # [SEP]
    readable = in_text.copy()
    readable[0] = True  # [CLS]
    starts, ends = softmax(np.where(readable, logits.astype("float64"), -np.inf))
    scores = np.outer(starts, ends)
    is_answer = np.tril(np.triu(np.outer(in_text, in_text)), MOST_ANSWER_TOKENS - 1) > 0
    begins, finishes = np.transpose(encoded.offsets)
    is_answer &= begins[:, None] < finishes  # and no blank of SentencePiece
    firsts, lasts = np.nonzero(is_answer)
    order = np.argsort(-scores[firsts, lasts], kind="stable")
    answers = (
        ((encoded.offsets[first][0], encoded.offsets[last][1]), float(scores[first, last]))
        for first, last in zip(firsts[order], lasts[order], strict=True)
    )
    return float(scores[0, 0]), answers


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis."""
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def _words(
    encoded: EncodedText, probabilities: np.ndarray, labels: Sequence[str]
) -> Iterator[Word]:
    """Put the pieces of words together; what was cut off is not among them."""
    word = previous = None
    marks_words = any(token.startswith(SPACE) for token in encoded.tokens)
    for token, (start, end), row in zip(
        encoded.tokens, encoded.offsets, probabilities, strict=True
    ):
        if start == end:  # a special token, or SentencePiece's for a blank
            previous = None
        elif word is not None and previous is not None and _continues(token, previous, marks_words):
            word, previous = word._replace(end=end), token
        else:
            if word is not None:
                yield word
            best = int(row.argmax())
            word, previous = Word(labels[best], float(row[best]), start, end), token
    if word is not None:
        yield word


def _continues(token: str, previous: str, marks_words: bool) -> bool:
    """Whether a piece goes on with the word of the one before it.

    A vocabulary of SentencePiece marks the beginnings of words, one of WordPiece what continues.
    """
    if marks_words:
        is_inside = token[0].isalnum() and previous[-1].isalnum()
        return is_inside and not token.startswith(SPACE)
    return token.startswith("##") and len(token) > 2


def spans_of(words: Sequence[Word], labels: Sequence[str]) -> list[Word]:
    """Put words together to the spans that their labels mean.

    As in conlleval, an I- that does not continue a span of its kind begins a new one. Labels
    without such a letter make a span of neighbours with the same label if "O" is among them, and
    else, as of parts of speech, each word is its own. A span's probability is the mean of its
    words'.
    """
    others = [label for label in labels if label != _NO_SPAN]
    has_letters = all(map(_TAG.fullmatch, others))
    merges = _NO_SPAN in labels
    spans: list[list[Word]] = []
    kinds: list[str] = []
    is_open = False
    for word in words:
        match = _TAG.fullmatch(word.label) if has_letters else None
        letter, kind = match.groups() if match else ("I" if merges else "S", word.label)
        if word.label == _NO_SPAN:
            is_open = False
            continue
        if is_open and letter in "IEML" and kinds[-1] == kind:
            spans[-1].append(word)
        else:
            spans.append([word])
            kinds.append(kind)
        is_open = letter not in "ESLU"
    return [
        Word(kind, sum(each.probability for each in span) / len(span), span[0].start, span[-1].end)
        for span, kind in zip(spans, kinds, strict=True)
    ]


def _shown(word: Word, text: str) -> Record:
    return {
        "label": word.label,
        "probability": rounded(word.probability),
        "start": word.start,
        "end": word.end,
        "text": text[word.start : word.end],
    }


def as_lines(record: Record) -> str:
    """Show a record in lines of a number, a tab and what it is about."""
    return "\n".join(_lines(record))


def _lines(record: Record) -> Iterator[str]:
    if "answers" in record:
        for each in record["answers"]:
            yield f"{each['probability']:.6f}\t{each['answer']}"
    elif "spans" in record:
        yield record["text"]
        for each in record["spans"]:
            yield f"{each['probability']:.6f}\t{each['label']}\t{each['text']}"
    else:
        for each in record["labels"]:
            number = each.get("probability", each.get("score"))
            yield f"{number:.6f}\t{each['label']}\t{record['text']}"
