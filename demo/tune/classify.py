"""Fine-tune BERT to classify sentences, such as reviews, or pairs, such as paraphrases.

    python demo/tune/classify.py MODEL train.tsv dev.tsv
    python demo/tune/classify.py MODEL train.tsv dev.tsv --pairs

MODEL is a folder in Google's or Hugging Face's format, the URL of an archive of one, or tiny, the
small English model of this package. A table (.tsv, or .csv with quotes) has a header that names the
columns, as in SST-2 and ChnSentiCorp (label; text_a, sentence, review …) and for pairs in LCQMC,
MRPC, QQP (label, Quality …; text_a and text_b, sentence1 and sentence2, question1 and question2 …);
without a header, the texts come first and the label last. Labels may be any words. The script
prints how often each label occurs, Keras' progress bar and, after every epoch, the accuracy on dev;
it saves the learning curve in the folder --output. With --save FOLDER the tuned model becomes a
folder for `python -m keras_bert classify FOLDER` and for Hugging Face transformers.
"""

import sys
from collections import Counter

import numpy as np
from options import argument_parser, run
from tables import as_numbers, read_table


def main():
    parser = argument_parser(__doc__, max_len=128, batch_size=32, epochs=3, learning_rate=3e-5)
    parser.add_argument("--pairs", action="store_true", help="the tables contain pairs of texts")
    parser.parse_args()  # --help and mistakes are answered before Keras is imported
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

    from keras_bert import Tokenizer
    from keras_bert.backend import keras

    arguments = parse(parser)
    tokenizer = Tokenizer(arguments.vocabulary, cased=arguments.cased, official=True)

    def batches(path, classes=None, seed=None):
        texts, labels = read_table(path, 2 if arguments.pairs else 1, arguments.limit)
        counts = Counter(labels)
        shown = ", ".join(f"{count} x {label[:20]}" for label, count in counts.most_common(10))
        print(f"{path}: {len(labels)} examples: {shown}")
        if classes is None and (len(counts) == 1 or 10 < len(labels) < 2 * len(counts)):
            sys.exit(f"{len(counts)} different labels of {len(labels)} examples cannot be classes.")
        rows = [tokenizer.encode(*each, max_len=arguments.max_len) for each in texts]
        tokens, segments = (np.array(each, "int32") for each in zip(*rows, strict=True))
        warn_of_unknown(tokenizer, tokens, path, special=3 if arguments.pairs else 2)
        warn_of_cut(tokenizer, tokens, texts, arguments.max_len, path)
        classes = classes or sorted(set(labels))
        targets = as_numbers(labels, classes, path)
        return Batches([tokens, segments], targets, arguments.batch_size, seed), classes

    train, classes = batches(arguments.train, seed=arguments.seed)
    dev, _ = batches(arguments.dev, classes)

    model = task_model(arguments, "sequence", classes)

    optimizer = make_optimizer(arguments, len(train.lengths))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss=loss, metrics=["accuracy"])
    curve = LearningCurve(arguments, "accuracy", lambda logs: logs["val_accuracy"])
    model.fit(train, validation_data=dev, epochs=arguments.epochs, shuffle=False, callbacks=[curve])
    save_if_asked(model, arguments, "classes", classes, tokenizer)


if __name__ == "__main__":
    run(main)
