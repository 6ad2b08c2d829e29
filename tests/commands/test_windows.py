"""Windows hold every token of a text, and give each back once. It needs no Keras."""

import numpy as np
import pytest
from runtimes import once

from keras_bert.commands.windows import EncodedText, join, split

pytestmark = once


def long_text(count, question):
    """Ids from 10 on, for the tokens of a text with that many."""
    opening = [1, *question, 2] if question else [1]
    ids = [*opening, *range(10, 10 + count), 2]
    spans = [(index, index + 1) for index in range(count)]
    offsets = [(0, 0)] * len(opening) + spans + [(0, 0)]
    lengths = (len(opening), count + 1) if question else (len(ids), 0)
    encoded = EncodedText(
        "x" * count, "?" * len(question), list(map(str, ids)), lengths[0], offsets
    )
    return (ids, *lengths), encoded


@pytest.mark.parametrize("question", [[], [7, 8]])
@pytest.mark.parametrize(("count", "room"), [(0, 9), (9, 9), (10, 9), (11, 2), (7, 1), (100, 11)])
def test_windows(count, room, question):
    row, encoded = long_text(count, question)
    opening = row[1] if question else 1
    windows = list(split(row, encoded, opening + room + 1))
    assert (len(windows) == 1) == (count <= room)
    context = {}
    for (ids, first_length, second_length), part in windows:
        assert len(ids) == first_length + second_length <= opening + room + 1
        assert list(map(str, ids)) == part.tokens
        assert (ids[:opening], ids[-1]) == (row[0][:opening], 2)
        assert part.first_length == first_length == (opening if question else len(ids))
        held = [index - 10 for index in ids[opening:-1]]
        assert part.offsets[opening:-1] == [(index, index + 1) for index in held]
        assert held == list(range(held[0], held[0] + len(held))) if held else count == 0
        for index in held:
            around = min(index - held[0], held[-1] - index)
            edges = [0] * (held[0] > 0 or held[-1] < count - 1) and [around]
            context[index] = max(context.get(index, 0), *edges, 0)
    assert sorted(context) == list(range(count))
    for index, around in context.items():
        # A token has a quarter of a window on either side, or as much as the text has.
        assert around >= min(room // 4, index, count - 1 - index) or len(windows) == 1


@pytest.mark.parametrize(
    ("count", "room"), [(9, 9), (10, 9), (11, 2), (7, 1), (100, 11), (101, 10)]
)
def test_windows_are_joined_to_what_they_come_from(count, room):
    row, encoded = long_text(count, [])
    windows = [
        (part, np.array([[number, index] for index in ids]))
        for number, ((ids, *_), part) in enumerate(split(row, encoded, room + 2))
    ]
    whole, logits = join(windows)
    assert whole == encoded
    np.testing.assert_array_equal(logits[:, 1], row[0])
    # Of two windows, each gives the tokens that are further from its end.
    for number, (part, _) in enumerate(windows[1:], start=1):
        before = windows[number - 1][0]
        shared = [each for each in part.offsets[1:-1] if each in before.offsets[1:-1]]
        owners = [logits[1 + start, 0] for start, _ in shared]
        assert owners == sorted(owners)
        assert abs(owners.count(number - 1) - owners.count(number)) <= 1
