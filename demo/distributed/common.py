"""Model, data and output of all three programs, which train the small model of the package."""

import sys
import time

import numpy as np

from keras_bert import (
    PretrainedList,
    Tokenizer,
    compile_model,
    gen_batch_inputs,
    get_checkpoint_paths,
    get_pretrained,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)

ROWS, LENGTH, SLOTS = 64, 64, 10  # rows of a batch, tokens and predicted positions of a row
PATHS = get_checkpoint_paths(get_pretrained(PretrainedList.tiny))
PAIRS = [
    ("The ship left the harbour early in the morning.", "By noon nobody could see the coast."),
    ("The court appointed two judges.", "They heard the case in the spring of the next year."),
    ("Snow closed the road over the mountains.", "It was open again after two days."),
    ("The farmer sold his house and his land.", "With the money he went to the city."),
]


def new_model():
    """The model, without dropout, so that losses are the same on any number of devices."""
    model = load_trained_model_from_checkpoint(
        PATHS.config,
        PATHS.checkpoint,
        training=True,
        seq_len=LENGTH,
        max_predictions=SLOTS,
        dropout_rate=0.0,
    )
    compile_model(model, decay_steps=200, warmup_steps=10, learning_rate=1e-4)
    return model


def batches(steps):
    """Inputs and outputs of all steps as tuples of arrays, the same in every process."""
    np.random.seed(0)
    vocabulary = load_vocabulary(PATHS.vocab)
    tokenizer = Tokenizer(vocabulary, official=True)
    pairs = [[tokenizer.tokenize(text)[1:-1] for text in pair] for pair in PAIRS]
    pairs = [pairs[index] for index in np.random.randint(len(pairs), size=steps * ROWS)]
    arguments = {"seq_len": LENGTH, "max_predictions": SLOTS}
    inputs, outputs = gen_batch_inputs(pairs, vocabulary, list(vocabulary), **arguments)
    return tuple(each.astype("int32") for each in inputs), tuple(
        each.astype("int32") for each in outputs
    )


def own_rows(arrays, process, processes):
    """The rows of every batch that belong to one process."""
    if ROWS % processes:
        sys.exit(f"{processes} processes cannot share the {ROWS} rows of a batch equally.")
    owners = np.arange(len(arrays[0])) % ROWS // (ROWS // processes)
    return tuple(each[owners == process] for each in arrays)


class Report:
    """Prints losses and the time of a step, without the first one, which compiles."""

    def __init__(self, what):
        self.what, self.means = what, []

    def add(self, mean):
        """Add the mean loss of all steps so far."""
        self.means.append(float(mean))
        if len(self.means) == 1:
            self.start = time.perf_counter()

    def show(self):
        steps = len(self.means)
        seconds = (time.perf_counter() - self.start) / (steps - 1)
        losses = f"loss {self.means[0]:.5f}, mean of {steps} steps {self.means[-1]:.5f}"
        print(f"{self.what}: {losses}, {seconds:.3f} s per step")
