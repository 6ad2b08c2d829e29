"""Texts and labels of the fine-tuning scripts, from tables."""

import contextlib
import csv
import sys
from pathlib import Path

import numpy as np

# Column names of public data sets.
TEXTS = ("text_a", "text", "sentence", "sentence1", "question1", "review", "#1 string")
SECOND_TEXTS = ("text_b", "sentence2", "question2", "#2 string")
LABELS = ("label", "labels", "quality", "is_duplicate")
csv.field_size_limit(2**31 - 1)  # a text may be as long as a book


@contextlib.contextmanager
def open_text(path):
    """A text file to read, with line ends unchanged; exits if it is not UTF-8."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError:
        from keras_bert.commands.shared import why_not_utf8

        sys.exit(why_not_utf8(path))


def read_cells(path):
    """The rows of a table, lists of cells; those of empty lines are empty.

    A .csv file has quotes and commas, or semicolons where its first row has no comma, as some
    versions of Excel write it. Any other file has tabs and no quotes.
    """
    with open_text(path) as file:
        if not is_csv(path):
            return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        rows = list(csv.reader(file))
        if rows and len(rows[0]) == 1 and ";" in rows[0][0]:
            file.seek(0)
            rows = list(csv.reader(file, delimiter=";"))
        return rows


def is_csv(path):
    return Path(path).suffix.lower() == ".csv"


def read_table(path, text_count=1, limit=None):
    """Texts and labels of a table; prints which columns they are.

    If the first line contains none of the names above, it is data, with the texts first and the
    label last.

    Returns:
        A list of tuples of `text_count` texts, and a list of labels.
    """
    rows = read_cells(path)
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    has_header = not {*TEXTS, *SECOND_TEXTS, *LABELS}.isdisjoint(header)
    if has_header:
        if text_count == 1 and not set(SECOND_TEXTS).isdisjoint(header):
            sys.exit(f"{path} contains pairs of texts, which need --pairs. Received: {rows[0]}")
        names = [*(TEXTS, SECOND_TEXTS)[:text_count], LABELS]
        columns = [_column(path, header, each) for each in names]
        print(f"{path}: columns", ", ".join(rows[0][column] for column in columns))
    else:
        columns = [*range(text_count + 1)]
        print(f"{path}: no header, the last of {len(columns)} columns is the label")
    texts, labels = [], []
    for number, row in enumerate(rows[has_header:][:limit], start=has_header + 1):
        if not row:
            continue
        if len(row) <= max(columns) or (not has_header and len(row) != len(columns)):
            expected = len(header) if has_header else len(columns)
            separators = "commas" if is_csv(path) else "tabs"
            sys.exit(
                f"{path}, row {number}: expected {expected} columns, separated by {separators}; "
                f"pairs of texts need --pairs. Received: {row}"
            )
        texts.append(tuple(row[column] for column in columns[:-1]))
        labels.append(row[columns[-1]].strip())
        if not labels[-1]:
            sys.exit(f"{path}, row {number} has no label. Received: {row}")
    if not texts:
        sys.exit(f"{path} contains no examples.")
    if not has_header and len(labels) > 2 and labels[0] not in labels[1:]:
        names = "text_a, text_b" if text_count > 1 else "text"
        sys.exit(
            f"{path}: the label {labels[0]!r} of the first row occurs in no other row. If that row "
            f"is a header, name its columns {names} and label."
        )
    return texts, labels


def _column(path, header, names):
    for index, cell in enumerate(header):
        if cell in names:
            return index
    sys.exit(f"{path} needs a column named {' or '.join(names)}. Received: {header}")


def as_numbers(labels, known, path):
    """Indices of labels in the list of known labels."""
    unknown = sorted(set(labels) - set(known))
    if unknown:
        some = f"{unknown[:5]}, {len(unknown)} in all" if len(unknown) > 5 else unknown
        sys.exit(f"{path} has labels that the training file lacks: {some}. Known: {known[:50]}")
    return np.array([known.index(label) for label in labels])
