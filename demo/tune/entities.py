"""Fine-tune BERT to recognize named entities: a class for every token, in the BIO scheme.

    python demo/tune/entities.py MODEL train.tsv dev.tsv

MODEL is a folder in Google's or Hugging Face's format, the URL of an archive of one, or tiny, the
small English model of this package. Data files are tables with the columns text_a and label, which
contain words (in Chinese: characters) and tags separated by spaces; or, as those of MSRA and CoNLL,
they have a word and its tag in every line and an empty line after every sentence. Tags of BMES,
BIOES and BILOU become BIO. If the tokenizer splits a word into pieces, the first piece gets the
tag. With --crf, the tags of a sentence are chosen together, as it is learnt which tag may follow
which. The script prints Keras' progress bar and, after every epoch, the F1 score of whole entities
on dev; it saves the learning curve in the folder --output. With --save FOLDER the tuned model
becomes a folder for `python -m keras_bert classify FOLDER` and for Hugging Face transformers, which
know no CRF.
"""

import sys
from functools import cache
from itertools import chain

import numpy as np
from options import argument_parser, is_model_file, run
from tables import as_numbers, is_csv, read_cells, read_table

# Transitions are learnt from nothing, so they take larger steps than the weights of BERT.
CRF_FACTORS = {"chain_kernel": 100.0}
# The letters of BMES, BIOES and BILOU, and what they are in BIO.
BIO = {"B": "B", "I": "I", "M": "I", "E": "I", "L": "I", "S": "B", "U": "B"}


def read_sentences(path, limit):
    """A list of sentences, each a list of words and a list of as many tags, in BIO."""
    rows = read_cells(path)
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    is_named = {"text_a", "label"} <= set(header)
    if is_named or has_sentences(path, rows):
        if not is_named:
            sys.exit(f"{path} needs columns text_a and label. Received: {rows[0]}")
        texts, labels = read_table(path, limit=limit)
        sentences = [
            (text.split(), label.split()) for (text,), label in zip(texts, labels, strict=True)
        ]
    else:
        sentences, words, tags = [], [], []
        for row in [*rows, []]:
            if parts := " ".join(row).split():
                words.append(parts[0])
                tags.append(parts[-1])
            elif words:
                sentences.append((words, tags))
                words, tags = [], []
        sentences = sentences[:limit]
    letters = set()
    for number, (words, tags) in enumerate(sentences, start=1):
        if len(words) != len(tags):
            sys.exit(
                f"{path}, sentence {number}: {len(words)} words, {len(tags)} tags. They must agree."
            )
        for index, tag in enumerate(tags):
            if tag == "O":
                continue
            if tag[:1] not in BIO or tag[1:2] != "-":
                sys.exit(
                    f"{path}, sentence {number}: tags are O, B-… or I-…, or those of BMES, "
                    f"BIOES or BILOU. Received: {tag!r}"
                )
            letters.add(tag[0])
            tags[index] = BIO[tag[0]] + tag[1:]
    if not sentences:
        sys.exit(f"{path} contains no sentences.")
    if others := sorted(letters - {"B", "I"}):
        print(f"{path}: tags become BIO:", ", ".join(f"{each} to {BIO[each]}" for each in others))
    return sentences


def has_sentences(path, rows):
    """Whether rows have a sentence each, as in a table, and not a word and its tag."""
    if is_csv(path):
        return any(len(row) > 1 for row in rows)
    return any(len(row) == 2 and 1 < len(row[0].split()) == len(row[1].split()) for row in rows)


def classes_of(sentences, path):
    """The tags of sentences, sorted; exits if there is one only."""
    classes = sorted({tag for _, tags in sentences for tag in tags})
    if len(classes) == 1:
        sys.exit(f"{path}: all tags are {classes[0]}. Without another there is nothing to learn.")
    return classes


def continued(tag):
    """The tag of what follows a word inside its entity."""
    return tag if tag == "O" else f"I-{tag[2:]}"


def tags_of_pieces(tags, pieces):
    """A tag for every piece of words that have one tag and a list of pieces each."""
    found = []
    for tag, each in zip(tags, pieces, strict=True):
        found += [tag, *[continued(tag)] * (len(each) - 1)]
    return found


def entities(tags):
    """The entities in a sentence's BIO tags, as a set of (kind, start position, end position).

    As in conlleval, an I- tag that does not continue an entity of its kind begins a new one.
    """
    found, kind, start = set(), None, 0
    for position, tag in enumerate([*tags, "O"]):
        if kind is not None and tag != f"I-{kind}":
            found.add((kind, start, position))
            kind = None
        if kind is None and tag != "O":
            kind, start = tag[2:], position
    return found


def f1_score(true, predicted):
    """F1 score of sets of entities, one set per sentence."""
    right = sum(len(each & other) for each, other in zip(true, predicted, strict=True))
    return 2 * right / max(1, sum(map(len, true)) + sum(map(len, predicted)))


def main():
    parser = argument_parser(__doc__, max_len=128, batch_size=16, epochs=3, learning_rate=5e-5)
    parser.add_argument("--crf", action="store_true", help="choose the tags of a sentence together")
    arguments = parser.parse_args()
    if arguments.crf and arguments.save and not is_model_file(arguments.save):
        parser.error(
            "argument --save: a folder that transformers loads cannot hold a CRF; with --crf the "
            f"name must end with .keras or .h5, not {arguments.save}"
        )
    # Imported now, so that --help and mistakes are answered at once.
    from common import (
        Batches,
        LearningCurve,
        make_optimizer,
        parse,
        save_if_asked,
        task_model,
        warn_of_cut,
        warn_of_unknown,
    )
    from spelled_words import warn_of_spelled

    from keras_bert import Tokenizer, build_model_from_config, load_trained_model_from_checkpoint
    from keras_bert.backend import keras
    from keras_bert.layers import CRF

    arguments = parse(parser)
    paths, token_dict = arguments.paths, arguments.vocabulary
    tokenizer = Tokenizer(token_dict, cased=arguments.cased, official=True)

    @cache
    def piece_ids(word):
        pieces = tokenizer.tokenize(word)[1:-1] or ["[UNK]"]  # a word may be all control characters
        return [token_dict.get(piece, token_dict["[UNK]"]) for piece in pieces]

    def batches(sentences, classes, path, seed=None):
        """Batches, and for every sentence the positions where its words begin."""
        shape = (len(sentences), arguments.max_len)
        tokens, targets = np.zeros(shape, "int32"), np.zeros(shape, "int32")
        weights, starts = np.zeros(shape, "float32"), []
        for row, (words, tags) in enumerate(sentences):
            pieces = [piece_ids(word) for word in words]
            first = 1 + np.cumsum([0, *map(len, pieces)])[:-1]
            first = first[first < arguments.max_len - 1]  # the last position is that of [SEP]
            ids = list(chain(*pieces))[: arguments.max_len - 2]
            tokens[row, : len(ids) + 2] = [token_dict["[CLS]"], *ids, token_dict["[SEP]"]]
            starts.append(first)
            if arguments.crf:  # which needs a tag for every token
                of_pieces = tags_of_pieces(tags, pieces)[: len(ids)]
                of_tokens = as_numbers(["O", *of_pieces, "O"], classes, path)
                targets[row, : len(of_tokens)] = of_tokens
            else:
                targets[row, first] = as_numbers(tags[: len(first)], classes, path)
                weights[row, first] = 1.0
        warn_of_unknown(tokenizer, tokens, path)
        texts = [(" ".join(words),) for words, _ in sentences]
        warn_of_cut(tokenizer, tokens, texts, arguments.max_len, path)
        inputs = [tokens, np.zeros_like(tokens)]
        weights = None if arguments.crf else weights
        return Batches(inputs, targets, arguments.batch_size, seed, weights), starts

    train_sentences = read_sentences(arguments.train, arguments.limit)
    dev_sentences = read_sentences(arguments.dev, arguments.limit)
    warn_of_spelled(train_sentences, arguments.train)
    classes = classes_of(train_sentences, arguments.train)
    if arguments.crf:
        classes = sorted({"O", *classes, *map(continued, classes)})
    train, _ = batches(train_sentences, classes, arguments.train, arguments.seed)
    dev, dev_starts = batches(dev_sentences, classes, arguments.dev)

    if arguments.crf:
        options = {"trainable": True, "seq_len": None, "dropout_rate": arguments.dropout}
        if arguments.from_scratch:
            bert, _ = build_model_from_config(paths.config, **options)
        else:
            bert = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, **options)
        head = CRF(len(classes), use_boundary=False, chain_initializer="zeros")
        model = keras.models.Model(bert.inputs, head(bert.output))
        training = {"loss": head.loss, "metrics": [head.accuracy]}
    else:
        model = task_model(arguments, "tokens", classes)
        training = {
            "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "weighted_metrics": ["accuracy"],
        }

    optimizer = make_optimizer(
        arguments,
        len(train_sentences),
        learning_rate_factors=CRF_FACTORS if arguments.crf else None,
    )
    model.compile(optimizer, **training)

    def dev_f1(logs):
        predicted = [None] * len(dev_sentences)
        for index in range(len(dev)):
            (inputs, *_), rows = dev[index], dev.batches[index]
            best = np.argmax(model.predict_on_batch(inputs), axis=-1)
            for row, labels in zip(rows, best, strict=True):
                tags = [classes[number] for number in labels[dev_starts[row]]]
                predicted[row] = entities(tags)
        # Words beyond max_len have no prediction, so their entities count as missed.
        return f1_score([entities(tags) for _, tags in dev_sentences], predicted)

    curve = LearningCurve(arguments, "entity F1", dev_f1)
    model.fit(train, epochs=arguments.epochs, shuffle=False, callbacks=[curve])
    save_if_asked(model, arguments, "tags", classes, tokenizer)


if __name__ == "__main__":
    run(main)
