"""The tokenizer inside Keras', TensorFlow's and Grain's pipelines: the guide's examples train."""

import numpy as np
import pytest
from readme_examples import example, run
from runtimes import KERAS_3, RUNTIME

from keras_bert import Tokenizer, get_model
from keras_bert.backend import TF_KERAS, keras

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "a", "film", "##s"]
TEXTS = ["a good film", "a bad film", "good films", "bad films"] * 80
LABELS = np.array([1, 0, 1, 0] * 80)


@pytest.fixture
def names():
    """What the guide has made before its examples: texts, a tokenizer and a small classifier."""
    keras.utils.set_random_seed(1)
    inputs, features = get_model(
        len(WORDS), 64, 64, 16, 1, 2, 16, dropout_rate=0.0, training=False, trainable=True
    )
    pooled = keras.layers.GlobalAveragePooling1D()(features)
    model = keras.models.Model(inputs, keras.layers.Dense(2, activation="softmax")(pooled))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    tokenizer = Tokenizer({token: index for index, token in enumerate(WORDS)})
    return {
        "keras": keras,
        "np": np,
        "texts": TEXTS,
        "labels": LABELS,
        "tokenizer": tokenizer,
        "model": model,
    }


def assert_has_learnt(names):
    ids, segments, _ = names["tokenizer"].encode_batch(TEXTS[:4], 64, padding="max_length")
    probabilities = names["model"].predict([ids, segments], verbose=0)
    assert probabilities.argmax(axis=-1).tolist() == LABELS[:4].tolist()
    assert probabilities.max(axis=-1).min() > 0.8


def py_dataset():
    code = example("PyDataset")
    if TF_KERAS:
        of_dataset = "32, workers=2), epochs=3)"
        assert of_dataset in code
        code = code.replace("PyDataset", "Sequence")
        code = code.replace(of_dataset, "32), epochs=3, workers=2)")
    return code


@pytest.mark.slow
def test_py_dataset(names):
    run(py_dataset(), names)
    assert_has_learnt(names)


@pytest.mark.skipif(RUNTIME != "torch", reason="a fork copies no threads, which the others need")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_py_dataset_in_processes(names):
    code = py_dataset()
    assert "workers=2" in code
    run(code.replace("workers=2", "workers=2, use_multiprocessing=True"), names)
    assert_has_learnt(names)


@pytest.mark.slow
@pytest.mark.every_runtime
def test_tf_data(names):
    pytest.importorskip("tensorflow")
    run(example("tf.data.Dataset"), names)
    assert_has_learnt(names)


@pytest.mark.slow
@pytest.mark.skipif(not KERAS_3, reason="Keras 2 takes no Grain data set")
def test_grain(names):
    pytest.importorskip("grain")
    run(example("import grain"), names)
    assert_has_learnt(names)
