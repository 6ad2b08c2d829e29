"""Fine-tune a model whose vectors of texts are close where the texts mean the same.

    python demo/tune/sentences.py MODEL pairs.tsv dev.tsv --save FOLDER
    python demo/tune/sentences.py MODEL graded.tsv dev.tsv

MODEL is a folder of sentence-transformers, such as MiniLM's or bge's, or any other that the library
loads, whose features then become vectors by --pooling and, with --normalize, of length 1. What is
learnt depends on the columns of the training table (.tsv, or .csv with quotes):

- pairs of texts that belong together, such as questions and their answers: each first text has to
  find its second one among all of its batch (in-batch negatives);
- triples, with a text that is close to the first one and wrong as the third;
- pairs and a grade, such as those of STS (0 to 5), or 1 and 0: pairs with higher grades have to be
  more similar (CoSENT).

A header may name the columns: text_a, text_b and text_c or label (and what else these are called in
public data); without one, a third column of numbers is the grade. On dev, pairs with grades are
judged by Spearman's correlation of grade and cosine, others by how often the second text is the
nearest of all second texts to its first one. The script prints this after every epoch, and saves
the learning curve in the folder --output. FOLDER can be loaded by sentence-transformers.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from common import (
    LABELS,
    SECOND_TEXTS,
    TEXTS,
    Batches,
    LearningCurve,
    argument_parser,
    is_model_file,
    make_optimizer,
    open_text,
    parse,
)

from keras_bert import (
    POOL_SENTENCE,
    CoSENT,
    InBatchNegatives,
    extract_embeddings,
    load_sentence_model,
    save_sentence_model,
)
from keras_bert.backend import keras
from keras_bert.checkpoints.paths import is_sentence_folder
from keras_bert.layers.text_pooling import POOLINGS
from keras_bert.loader.text_settings import settings_of

FIRST_TEXTS = (*TEXTS, "anchor", "query", "question")
OTHER_TEXTS = (*SECOND_TEXTS, "positive", "answer", "document")
THIRD_TEXTS = ("text_c", "negative", "sentence3")
GRADES = (*LABELS, "score", "similarity_score", "grade")


def read_rows(path, limit):
    """Rows of texts (N tuples of two or three), and their grades (N,) or None."""
    form = (
        {}
        if Path(path).suffix.lower() == ".csv"
        else {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
    )
    with open_text(path) as file:
        rows = [row for row in csv.reader(file, **form) if row]
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if not {*FIRST_TEXTS, *OTHER_TEXTS, *GRADES}.isdisjoint(header):
        columns = [find_column(header, FIRST_TEXTS), find_column(header, OTHER_TEXTS)]
        if None in columns:
            sys.exit(f"{path} needs columns such as text_a and text_b. Received: {rows[0]}")
        third, grade = find_column(header, THIRD_TEXTS), find_column(header, GRADES)
        columns += [] if third is None or grade is not None else [third]
        rows = rows[1:]
    else:
        count = min(map(len, rows), default=0)
        grade = 2 if count == 3 and all(is_number(row[2]) for row in rows) else None
        columns = [0, 1] if grade is not None else list(range(count))
        if count not in (2, 3):
            sys.exit(f"{path} must have two or three columns, separated by tabs. Received: {count}")
    rows = rows[:limit]
    needed = max([*columns, grade or 0])
    for number, row in enumerate(rows, start=1):
        if len(row) <= needed or (grade is not None and not is_number(row[grade])):
            sys.exit(f"{path}, example {number}: texts or a number are missing. Received: {row}")
    if not rows:
        sys.exit(f"{path} contains no examples.")
    texts = [tuple(row[column] for column in columns) for row in rows]
    kind = {2: "pairs", 3: "triples"}[len(columns)]
    print(f"{path}: {len(texts)} {kind}{'' if grade is None else ' with grades'}")
    grades = None if grade is None else np.array([float(row[grade]) for row in rows])
    return texts, grades


def find_column(header, names):
    return next((index for index, cell in enumerate(header) if cell in names), None)


def is_number(word):
    try:
        return np.isfinite(float(word))
    except ValueError:
        return False


class RowBatches(Batches):
    """Batches of rows of texts, all padded to about the length of the batch's longest.

    Args:
        tokens: Token ids, (N, texts of a row, T), padded with 0.
        targets: Grades (N,).
        batch_size: Number of rows in a batch.
        seed: As of `Batches`.
    """

    def __init__(self, tokens, targets, batch_size, seed):
        super().__init__([tokens.reshape(len(tokens), -1)], targets, batch_size, seed)
        self.tokens = tokens
        self.lengths = np.count_nonzero(tokens, axis=2).max(axis=1)
        self.on_epoch_end()

    def __getitem__(self, index):
        rows = self.batches[index]
        tokens = self.tokens[rows][:, :, : self._width(rows)]
        inputs = []
        for each in np.moveaxis(tokens, 1, 0):
            inputs += [each, np.zeros_like(each)]
        return tuple(inputs), self.targets[0][rows]


def spearman(first, second):
    """Spearman's correlation: Pearson's of the ranks, of which equal values share the mean."""

    def ranks(values):
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        return (np.cumsum(counts) - (counts - 1) / 2)[inverse]

    return np.corrcoef(ranks(first), ranks(second))[0, 1]


def score(model, texts, grades):
    """How well the vectors of a model fit rows of texts, see above."""
    columns = [
        extract_embeddings(model, column, POOL_SENTENCE, stacked=True)
        for column in list(zip(*texts, strict=True))[:2]
    ]
    first, second = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in columns)
    if grades is not None:
        return spearman((first * second).sum(axis=1), grades)
    seconds = np.array([row[1] for row in texts])
    nearest = seconds[np.argmax(first @ second.T, axis=1)]
    return np.mean(nearest == seconds)  # a text may be there twice


def towers(sentence_model, count):
    """A model from `count` texts to their vectors (B, count, D), which share all weights."""
    inputs, vectors = [], []
    for number in range(count):
        tokens, segments = (
            keras.layers.Input((None,), dtype="int32", name=f"{name}-{number}")
            for name in ("Token", "Segment")
        )
        inputs += [tokens, segments]
        vectors.append(sentence_model([tokens, segments]))
    size = sentence_model.output_shape[-1]
    side_by_side = keras.layers.Concatenate()(vectors)
    return keras.models.Model(inputs, keras.layers.Reshape((count, size))(side_by_side))


def main():
    parser = argument_parser(__doc__, max_len=128, batch_size=32, epochs=1, learning_rate=2e-5)
    parser.add_argument("--pooling", nargs="+", choices=POOLINGS, default=["mean"])
    parser.add_argument("--normalize", action="store_true", help="vectors of length 1")
    parser.add_argument("--temperature", type=float, default=0.05, help="divides cosines (0.05)")
    arguments = parse(parser)
    if arguments.from_scratch or (arguments.save and is_model_file(arguments.save)):
        parser.error("--from-scratch is for other tasks, and --save makes a folder here")
    folder = arguments.folder
    own = {} if is_sentence_folder(folder) else {"pooling": arguments.pooling}
    if own:
        own["normalize"] = arguments.normalize
    model = load_sentence_model(folder, dropout_rate=arguments.dropout, **own)
    settings = settings_of(model)
    limits = [each for each in (arguments.max_len, settings.max_length) if each]

    train_texts, grades = read_rows(arguments.train, arguments.limit)
    dev_texts, dev_grades = read_rows(arguments.dev, arguments.limit)

    flat = [settings.prompt(None) + text for row in train_texts for text in row]
    if settings.lower_case:
        flat = [text.lower() for text in flat]
    rows, _, _ = settings.tokenizer.encode_batch(flat, max_len=min(limits))
    tokens = rows.reshape(len(train_texts), -1, rows.shape[1])
    targets = np.zeros(len(tokens)) if grades is None else grades
    train = RowBatches(tokens, targets, arguments.batch_size, arguments.seed)

    optimizer = make_optimizer(arguments, len(tokens))
    kind = InBatchNegatives if grades is None else CoSENT
    joined = towers(model, tokens.shape[1])
    joined.compile(optimizer, loss=kind(temperature=arguments.temperature))
    name = "nearest" if dev_grades is None else "Spearman"
    print(f"before: dev {name} {score(model, dev_texts, dev_grades):.4f}", flush=True)
    curve = LearningCurve(arguments, name, lambda logs: score(model, dev_texts, dev_grades))
    joined.fit(train, epochs=arguments.epochs, shuffle=False, callbacks=[curve])
    if arguments.save:
        save_sentence_model(model, arguments.save)
        print(f"{arguments.save}: a folder of sentence-transformers")


if __name__ == "__main__":
    main()
