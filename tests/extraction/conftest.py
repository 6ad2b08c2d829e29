"""A small model folder, its vocabulary, and the features of every text alone."""

import random

import numpy as np
import pytest
from model_folders import write_google_folder

from keras_bert import (
    Tokenizer,
    get_checkpoint_paths,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)


def load_model(folder, **arguments):
    paths = get_checkpoint_paths(folder)
    return load_trained_model_from_checkpoint(paths.config, paths.checkpoint, **arguments)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("model")
    write_google_folder(path)
    return path


@pytest.fixture(scope="session")
def vocabulary(folder):
    return load_vocabulary(folder / "vocab.txt")


@pytest.fixture(scope="session")
def load(folder):
    """Loads the folder's model, with arguments of the loader."""
    return lambda **arguments: load_model(folder, **arguments)


@pytest.fixture(scope="session")
def expected(folder, vocabulary):
    """Features of a text alone, by the model itself."""
    model, tokenizer = load_model(folder, seq_len=None), Tokenizer(vocabulary)

    def features(*pair):
        length = min(16, len(tokenizer.encode(*pair)[0]))
        ids, segments = tokenizer.encode(*pair, max_len=length)
        return np.asarray(model.predict_on_batch([np.array([ids]), np.array([segments])]))[0]

    return features


@pytest.fixture(scope="session")
def sentences():
    """Makes texts of few lengths, since JAX compiles each of them for `expected`."""

    def texts(count, seed=0):
        generator = random.Random(seed)
        lengths = generator.choices([0, 1, 5, 6, 9, 13, 14, 20], k=count)
        return [" ".join(generator.choices("abcdefghijklmnopqrstuvwxy", k=k)) for k in lengths]

    return texts
