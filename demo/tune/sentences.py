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

import sys
from math import inf

import numpy as np
from options import argument_parser, is_model_file, number_in, run
from tables import LABELS, SECOND_TEXTS, TEXTS, read_cells

FIRST_TEXTS = (*TEXTS, "anchor", "query", "question")
OTHER_TEXTS = (*SECOND_TEXTS, "positive", "answer", "document")
THIRD_TEXTS = ("text_c", "negative", "sentence3")
POOLINGS = ("cls", "max", "mean", "mean_sqrt_len", "weightedmean", "lasttoken")
GRADES = (*LABELS, "score", "similarity_score", "grade")


def read_rows(path, limit):
    """Rows of texts (N tuples of two or three), and their grades (N,) or None."""
    rows = [row for row in read_cells(path) if row]
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


def main():
    parser = argument_parser(__doc__, max_len=128, batch_size=32, epochs=1, learning_rate=2e-5)
    parser.add_argument("--pooling", nargs="+", choices=POOLINGS, help="(mean)")
    parser.add_argument("--normalize", action="store_true", help="vectors of length 1")
    temperature = number_in(float, 1e-6, inf)
    parser.add_argument(
        "--temperature", type=temperature, default=0.05, help="divides cosines (0.05)"
    )
    arguments = parser.parse_args()
    if arguments.from_scratch or (arguments.save and is_model_file(arguments.save)):
        parser.error("--from-scratch is for other tasks, and --save makes a folder here")
    # Imported now, so that --help and mistakes are answered at once.
    from common import LearningCurve, make_optimizer, parse, warn_of_cut, warn_of_unknown
    from sentence_training import RowBatches, score, towers

    from keras_bert import CoSENT, InBatchNegatives, load_sentence_model, save_sentence_model
    from keras_bert.checkpoints.paths import is_sentence_folder
    from keras_bert.loader.text_settings import settings_of

    arguments = parse(parser)
    folder = arguments.folder
    own = {}
    if not is_sentence_folder(folder):
        own = {"pooling": arguments.pooling or ["mean"], "normalize": arguments.normalize}
    elif arguments.pooling or arguments.normalize:
        parser.error(f"--pooling and --normalize: {folder} has its own")
    train_texts, grades = read_rows(arguments.train, arguments.limit)
    dev_texts, dev_grades = read_rows(arguments.dev, arguments.limit)
    model = load_sentence_model(folder, dropout_rate=arguments.dropout, **own)
    settings = settings_of(model)
    limits = [each for each in (arguments.max_len, settings.max_length) if each]
    flat = [settings.prompt(None) + text for row in train_texts for text in row]
    if settings.lower_case:
        flat = [text.lower() for text in flat]
    rows, _, _ = settings.tokenizer.encode_batch(flat, max_len=min(limits))
    warn_of_unknown(settings.tokenizer, rows, arguments.train)
    warn_of_cut(settings.tokenizer, rows, [(text,) for text in flat], min(limits), arguments.train)
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
    run(main)
