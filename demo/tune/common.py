"""Shared by the fine-tuning scripts in this folder: models, batches, the learning curve."""

import csv
import importlib.util
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from options import is_model_file

from keras_bert import (
    AdamWarmup,
    build_model_from_config,
    calc_train_steps,
    get_checkpoint_paths,
    get_pretrained,
    load_task_model,
    load_vocabulary,
    save_task_model,
)
from keras_bert.backend import keras
from keras_bert.checkpoints import open_checkpoint
from keras_bert.families import family_of
from keras_bert.families.configuration import read_config
from keras_bert.loader.task_models import with_task_head
from keras_bert.tokenizer.cut_texts import CutTexts
from keras_bert.tokenizer.unknown_tokens import UnknownTokens
from keras_bert.tokenizer.vocabulary import is_cased
from keras_bert.training.pretraining import DECAYED_WEIGHTS

LENGTH_STEP = 32  # JAX and TensorFlow compile the model once for each length of a batch


def parse(parser):
    """The arguments, with the model's folder, paths and vocabulary; seeds all random generators."""
    arguments = parser.parse_args()
    try:
        arguments.folder = folder = get_pretrained(arguments.model)
        arguments.paths = paths = get_checkpoint_paths(folder)
        arguments.vocabulary = load_vocabulary(paths.vocab)
        arguments.cased = arguments.cased or is_cased(folder, arguments.vocabulary)
        positions = read_config(paths.config)["max_position_embeddings"]
        if not arguments.from_scratch:
            with open_checkpoint(paths.checkpoint):
                pass
    except (OSError, ValueError, ImportError) as error:
        parser.error(f"argument model: {error}")
    if arguments.max_len > positions:
        parser.error(f"argument --max-len: the model has {positions} positions")
    folders = [("--output", Path(arguments.output))]
    if arguments.save:
        folders.insert(0, ("--save", Path(arguments.save).parent))
    for option, folder in folders:
        try:  # fail now, not after the training
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            parser.error(f"argument {option}: nothing can be written into {folder}: {error}")
    keras.utils.set_random_seed(arguments.seed)
    return arguments


def warn_of_unknown(tokenizer, tokens, path, special=2):
    """Say so if the vocabulary lacks most tokens of a file: (N, T) ids, padded with 0.

    `special` is the number of special tokens of each row.
    """
    unknown = UnknownTokens(tokenizer)
    for row in tokens:
        unknown.count(row[row != 0].tolist(), special)
    if message := unknown.message():
        print(f"{path}: {message}", file=sys.stderr)


def warn_of_cut(tokenizer, tokens, texts, limit, path):
    """Say how many texts of a file lost tokens: (N, T) ids, padded with 0, and N tuples of texts.

    `limit` is the largest number of tokens that a row may have.
    """
    cut = CutTexts(tokenizer, limit)
    for row, each in zip(tokens, texts, strict=True):
        cut.count(row[row != 0], *each)
    if message := cut.message():
        print(f"{path}: {message} (--max-len)", file=sys.stderr)


def make_optimizer(arguments, count, **options):
    """AdamWarmup for all epochs over `count` examples."""
    total_steps, warmup_steps = calc_train_steps(count, arguments.batch_size, arguments.epochs)
    return AdamWarmup(
        total_steps,
        warmup_steps,
        learning_rate=arguments.learning_rate,
        weight_decay=0.01,
        weight_decay_pattern=list(DECAYED_WEIGHTS),
        **options,
    )


def task_model(arguments, task, labels):
    """A model with a head for the labels, on the encoder of the folder or on an untrained one.

    The head is untrained, unless the folder has one for the same labels.
    """
    rate = arguments.dropout
    if not arguments.from_scratch:
        with warnings.catch_warnings():  # that another head is replaced goes without saying here
            warnings.filterwarnings("ignore", "The trained head of")
            return load_task_model(arguments.folder, task=task, labels=labels, dropout_rate=rate)[0]
    config_file = arguments.paths.config
    head = family_of(read_config(config_file)).task_heads[task]
    encoder, _ = build_model_from_config(
        config_file,
        trainable=True,
        seq_len=None,
        dropout_rate=rate,
        output_len=1 if head.hidden else None,
    )
    return with_task_head(encoder, head, len(labels), rate)


def save_if_asked(model, arguments, kind, names, tokenizer):
    """Save the tuned model to --save, and print the names, which are not in a file of Keras."""
    if not arguments.save:
        return
    if is_model_file(arguments.save):
        model.save(arguments.save)
        print(f"{arguments.save}: the outputs are the {kind} {', '.join(names)}")
    else:
        save_task_model(model, names, arguments.save, tokenizer=tokenizer)
        print(f"python -m keras_bert classify {arguments.save} texts.txt")


class Batches(keras.utils.Sequence):
    """Batches of texts of similar length, padded to about the length of the longest.

    Args:
        inputs: Token ids and segment ids, (N, T) each, padded with 0.
        targets: Classes (N,), or (N, T) with a class for every token.
        batch_size: Number of texts in a batch.
        seed: Seed of the order, which differs in every epoch; None keeps the order of the texts.
        weights: None, or the weight of each token's class in the loss, (N, T).
        lengths: Numbers of tokens (N,), if they are not those of the token ids.
    """

    SORTED = 50  # so many batches take their texts by length from those drawn for them

    def __init__(self, inputs, targets, batch_size, seed=None, weights=None, lengths=None):
        super().__init__()
        self.inputs = inputs
        self.targets = [targets] if weights is None else [targets, weights]
        self.lengths = np.count_nonzero(inputs[0], axis=1) if lengths is None else lengths
        self.batch_size = batch_size
        self.generator = None if seed is None else np.random.default_rng(seed)
        self.on_epoch_end()

    def on_epoch_end(self):
        order, size = np.arange(len(self.lengths)), self.batch_size
        if self.generator is not None:
            order = self.generator.permutation(order)
            window = self.SORTED * size
            windows = np.split(order, range(window, len(order), window))
            order = np.concatenate([each[np.argsort(self.lengths[each])] for each in windows])
        self.batches = np.split(order, range(size, len(order), size))
        if self.generator is not None:
            self.generator.shuffle(self.batches)
        # Keras on TensorFlow fixes the sizes of axes that are equal in the first two batches.
        widths = [self._width(rows) for rows in self.batches]
        other = next((i for i, width in enumerate(widths) if width != widths[0]), None)
        if other is not None:
            self.batches.insert(1, self.batches.pop(other))

    def _width(self, rows):
        return -(-self.lengths[rows].max() // LENGTH_STEP) * LENGTH_STEP

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        rows = self.batches[index]
        length = self._width(rows)
        tokens, segments = (each[rows, :length] for each in self.inputs)
        targets = [each[rows, :length] if each.ndim == 2 else each[rows] for each in self.targets]
        return ((tokens, segments), *targets)


class LearningCurve(keras.callbacks.Callback):
    """Records the loss of every step and a score of every epoch, as a table and as a picture.

    Args:
        arguments: The script's: `output` is the folder for learning_curve.csv and
            learning_curve.png, `model` and `train` are named in the title.
        score_name: Name of the score.
        score: Function that computes the score from the logs of an epoch.
    """

    def __init__(self, arguments, score_name, score):
        super().__init__()
        self.folder = Path(arguments.output)
        names = [Path(each).name for each in (arguments.model, arguments.train)]
        self.title = " on ".join(names) + ", from scratch" * arguments.from_scratch
        self.score_name = score_name
        self.score = score
        self.losses, self.scores = [], []  # one loss per step, one (step, score) per epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.loss_sum, self.first = 0.0, len(self.losses)

    def on_train_batch_end(self, batch, logs=None):
        # Keras logs the mean since the beginning of the epoch; the curve is of single steps.
        count = len(self.losses) - self.first + 1
        loss = float(logs["loss"]) * count - self.loss_sum
        self.loss_sum += loss
        self.losses.append(loss)

    def on_epoch_end(self, epoch, logs=None):
        self.scores.append((len(self.losses), float(self.score(logs))))
        print(f"\nepoch {epoch + 1}: dev {self.score_name} {self.scores[-1][1]:.4f}", flush=True)
        self.write_table()  # now, in case that the training is interrupted

    def write_table(self):
        scores = {step: f"{score:.4f}" for step, score in self.scores}
        with open(self.folder / "learning_curve.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["step", "loss", f"dev {self.score_name}"])
            for step, loss in enumerate(self.losses, start=1):
                writer.writerow([step, f"{loss:.6f}", scores.get(step, "")])

    def on_train_end(self, logs=None):
        if importlib.util.find_spec("matplotlib") is None:
            print("For a picture of the learning curve: pip install matplotlib")
        else:
            self.draw()

    def draw(self):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7, 5), layout="constrained")
        figure.suptitle(self.title, parse_math=False)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        ends = [step for step, _ in self.scores]
        epochs = np.arange(1, len(self.losses) + 1) / ends[0]
        upper.plot(epochs, self.losses, color="lightsteelblue", linewidth=0.8, label="each step")
        window = len(epochs) // 20
        if window > 1:
            smooth = np.convolve(self.losses, np.ones(window) / window, mode="valid")
            name = f"mean of {window} steps"
            upper.plot(epochs[window - 1 :], smooth, color="tab:blue", label=name)
        upper.set(ylabel="training loss", ylim=(0, None))
        upper.legend()
        scores = [score for _, score in self.scores]
        lower.plot(np.array(ends) / ends[0], scores, "o-", color="tab:orange")
        lower.set(ylabel=f"dev {self.score_name}", ylim=(min(0, *scores), 1.05))
        lower.set(xlabel=f"epoch ({ends[0]} steps each)", xlim=(0, None))
        lower.set_xticks(range(len(ends) + 1) if len(ends) <= 20 else lower.get_xticks())
        last = {"xytext": (0, -16), "textcoords": "offset points", "ha": "right"}
        lower.annotate(f"{scores[-1]:.3f}", (ends[-1] / ends[0], scores[-1]), **last)
        for axes in (upper, lower):
            axes.grid(alpha=0.3)
            axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(self.folder / "learning_curve.png", dpi=150)
