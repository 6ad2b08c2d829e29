"""What the fine-tuning scripts beside this file share: tables, batches, the learning curve."""

import argparse
import csv
import importlib.util
import sys
from pathlib import Path

import numpy as np

from keras_bert import get_checkpoint_paths, get_pretrained, load_vocabulary
from keras_bert.backend import keras
from keras_bert.checkpoints import open_checkpoint
from keras_bert.configuration import read_config

# How public data sets head their columns.
TEXTS = ("text_a", "text", "sentence", "sentence1", "question1", "review", "#1 string")
SECOND_TEXTS = ("text_b", "sentence2", "question2", "#2 string")
LABELS = ("label", "labels", "quality", "is_duplicate")
# As in Google's training, biases and normalizations do not decay.
DECAYED = ["embeddings", "kernel", "Wq", "Wk", "Wv", "Wo", "W1", "W2"]
LENGTH_STEP = 32  # JAX and TensorFlow compile the model once for each length of a batch
SORTED_BATCHES = 50


def argument_parser(description, max_len, batch_size, epochs, learning_rate):
    """Arguments that all scripts take, with a script's own default values."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="folder with a configuration, weights and a vocabulary; tiny")
    parser.add_argument("train", type=existing_file, help="file to learn from")
    parser.add_argument("dev", type=existing_file, help="file to measure on")
    parser.add_argument("--output", default="tuned", help="folder for the learning curve")
    parser.add_argument("--save", type=model_file, help="file for the tuned model: model.keras")
    parser.add_argument("--from-scratch", action="store_true", help="leave the weights aside")
    parser.add_argument("--cased", action="store_true", help="the vocabulary has upper case")
    parser.add_argument(
        "--max-len", type=int, default=max_len, help="tokens of a text (%(default)s)"
    )
    parser.add_argument("--batch-size", type=int, default=batch_size, help="(%(default)s)")
    parser.add_argument("--epochs", type=int, default=epochs, help="(%(default)s)")
    parser.add_argument("--learning-rate", type=float, default=learning_rate, help="(%(default)s)")
    parser.add_argument("--dropout", type=float, default=0.1, help="(%(default)s)")
    parser.add_argument("--limit", type=int, help="take only so many examples of each file")
    parser.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    return parser


def existing_file(path):
    if not Path(path).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {path}")
    return path


def model_file(path):
    if Path(path).suffix not in (".keras", ".h5"):
        raise argparse.ArgumentTypeError(f"must end with .keras or .h5, not {path}")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return path


def parse(parser):
    """The arguments, with the model's paths and vocabulary; seeds all that draws random numbers."""
    arguments = parser.parse_args()
    try:
        arguments.paths = paths = get_checkpoint_paths(get_pretrained(arguments.model))
        arguments.vocabulary = load_vocabulary(paths.vocab)
        positions = read_config(paths.config)["max_position_embeddings"]
        if not arguments.from_scratch:
            with open_checkpoint(paths.checkpoint):
                pass
    except (OSError, ValueError) as error:
        parser.error(f"argument model: {error}")
    if arguments.max_len > positions:
        parser.error(f"argument --max-len: the model has {positions} positions")
    Path(arguments.output).mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(arguments.seed)
    return arguments


def read_table(path, text_count=1, limit=None):
    """Texts and labels of a table.

    A .csv file has commas and quotes, any other tabs and none. Where the first line has none of the
    names above, it is data, the texts first and the label last.

    Returns:
        A list of tuples of `text_count` texts, and a list of labels.
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        if Path(path).suffix.lower() == ".csv":
            rows = list(csv.reader(file))
        else:
            rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if not {*TEXTS, *SECOND_TEXTS, *LABELS}.isdisjoint(header):
        if text_count == 1 and not set(SECOND_TEXTS).isdisjoint(header):
            sys.exit(f"{path} has pairs of texts, for --pairs. Received: {rows[0]}")
        names = (TEXTS, SECOND_TEXTS)[:text_count]
        columns = [_column(path, header, each) for each in (*names, LABELS)]
        first_row = 1
    else:
        columns, first_row = [*range(text_count + 1)], 0
    texts, labels = [], []
    for number, row in enumerate(rows[first_row:][:limit], start=first_row + 1):
        if not row:
            continue
        if len(row) <= max(columns) or (not first_row and len(row) != len(columns)):
            expected = len(header) if first_row else len(columns)
            sys.exit(f"{path}, row {number}: {expected} columns expected. Received: {row}")
        texts.append(tuple(row[column] for column in columns[:-1]))
        labels.append(row[columns[-1]].strip())
    if not texts:
        sys.exit(f"{path} holds no examples.")
    return texts, labels


def _column(path, header, names):
    for place, cell in enumerate(header):
        if cell in names:
            return place
    sys.exit(f"{path} needs a column headed by one of {', '.join(names)}. Received: {header}")


def as_numbers(labels, known, path):
    """Places of labels in the list of known ones."""
    unknown = sorted(set(labels) - set(known))
    if unknown:
        some = f"{unknown[:5]}, {len(unknown)} in all" if len(unknown) > 5 else unknown
        sys.exit(f"{path} has labels that the training file lacks: {some}. Known: {known[:50]}")
    return np.array([known.index(label) for label in labels])


class Batches(keras.utils.Sequence):
    """Batches of texts of about one length, cut to what the longest needs.

    Args:
        inputs: Token ids and segment ids, (N, T) each, padded with 0.
        targets: Classes (N,), or (N, T) with a class for every token.
        batch_size: Texts of a batch.
        seed: Number that decides the order, which is another in every epoch; None leaves the
            texts in order.
        weights: None, or how much each token's class counts, (N, T).
    """

    def __init__(self, inputs, targets, batch_size, seed=None, weights=None):
        super().__init__()
        self.inputs = inputs
        self.targets = [targets] if weights is None else [targets, weights]
        self.lengths = np.count_nonzero(inputs[0], axis=1)
        self.batch_size = batch_size
        self.generator = None if seed is None else np.random.default_rng(seed)
        self.on_epoch_end()

    def on_epoch_end(self):
        order, size = np.arange(len(self.lengths)), self.batch_size
        if self.generator is not None:
            order = self.generator.permutation(order)
            windows = np.split(
                order, range(SORTED_BATCHES * size, len(order), SORTED_BATCHES * size)
            )
            order = np.concatenate([each[np.argsort(self.lengths[each])] for each in windows])
        self.batches = np.split(order, range(size, len(order), size))
        if self.generator is not None:
            self.generator.shuffle(self.batches)
        # Keras on TensorFlow takes axes for fixed that the first two batches have in common.
        widths = [self._width(places) for places in self.batches]
        other = next((i for i, width in enumerate(widths) if width != widths[0]), None)
        if other is not None:
            self.batches.insert(1, self.batches.pop(other))

    def _width(self, places):
        return -(-self.lengths[places].max() // LENGTH_STEP) * LENGTH_STEP

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        places = self.batches[index]
        length = self._width(places)
        tokens, segments = (each[places, :length] for each in self.inputs)
        targets = [
            each[places, :length] if each.ndim == 2 else each[places] for each in self.targets
        ]
        return ((tokens, segments), *targets)


class LearningCurve(keras.callbacks.Callback):
    """Keeps the loss of every step and a score of every epoch, as a table and as a picture.

    Args:
        folder: Folder for learning_curve.csv and learning_curve.png.
        score_name: What the score is called.
        score: Function of an epoch's logs that computes it.
    """

    def __init__(self, folder, score_name, score):
        super().__init__()
        self.folder = Path(folder)
        self.score_name = score_name
        self.score = score
        self.losses, self.scores = [], []  # of every step, and (step, score) of every epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.loss_sum, self.first = 0.0, len(self.losses)

    def on_train_batch_end(self, batch, logs=None):
        # Keras logs the mean since the epoch's beginning; the step's own loss shows more.
        count = len(self.losses) - self.first + 1
        loss = float(logs["loss"]) * count - self.loss_sum
        self.loss_sum += loss
        self.losses.append(loss)

    def on_epoch_end(self, epoch, logs=None):
        self.scores.append((len(self.losses), float(self.score(logs))))
        print(f"\nepoch {epoch + 1}: dev {self.score_name} {self.scores[-1][1]:.4f}", flush=True)

    def on_train_end(self, logs=None):
        scores = {step: f"{score:.4f}" for step, score in self.scores}
        with open(self.folder / "learning_curve.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["step", "loss", f"dev {self.score_name}"])
            for step, loss in enumerate(self.losses, start=1):
                writer.writerow([step, f"{loss:.6f}", scores.get(step, "")])
        if importlib.util.find_spec("matplotlib") is None:
            print("For a picture of the learning curve: pip install matplotlib")
        else:
            self.draw()

    def draw(self):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7, 4), layout="constrained")
        left = figure.add_subplot(xlabel="step", ylabel="training loss")
        steps = np.arange(1, len(self.losses) + 1)
        left.plot(steps, self.losses, color="lightsteelblue", linewidth=0.8)
        window = max(1, len(steps) // 20)
        smooth = np.convolve(self.losses, np.ones(window) / window, mode="valid")
        left.plot(steps[window - 1 :], smooth, color="tab:blue", label="training loss")
        right = left.twinx()
        right.set_ylabel(f"dev {self.score_name}")
        right.plot(*zip(*self.scores, strict=True), "o-", color="tab:orange", label=self.score_name)
        figure.legend(loc="outside upper center", ncols=2)
        figure.savefig(self.folder / "learning_curve.png", dpi=150)
