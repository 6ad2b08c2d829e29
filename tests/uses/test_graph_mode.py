"""Keras 2 in TensorFlow 1's ways: graph mode, sessions of the user's own, shapes of Dimensions."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from runtimes import RUNTIME

import keras_bert

pytestmark = [
    pytest.mark.skipif(RUNTIME != "tf_keras", reason="Keras 2's graph mode"),
    pytest.mark.slow,
    pytest.mark.every_runtime,
]

MODES = {
    "eager": "",
    "old optimizers put back": """
keras = tf.keras
keras.optimizers.Optimizer = keras.optimizers.legacy.Optimizer
keras.optimizers.Adam = keras.optimizers.legacy.Adam
""",
    "graph": "tf.compat.v1.disable_eager_execution()",
    "behaviour of TensorFlow 1": "tf.compat.v1.disable_v2_behavior()",
    "a graph and a session of the user's": """
tf.compat.v1.disable_eager_execution()
graph = tf.Graph()
graph.as_default().__enter__()
tf.compat.v1.Session().__enter__()
""",
}

PROGRAM = """
import sys
import numpy as np
import tensorflow as tf

{mode}
from keras_bert import (
    AdamWarmup,
    Tokenizer,
    PretrainedList,
    extract_embeddings,
    get_attention_maps,
    get_checkpoint_paths,
    get_custom_objects,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)
from keras_bert.backend import keras
from keras_bert.layers import CRF

results = {{}}
paths = get_checkpoint_paths(PretrainedList.tiny)
vocabulary = load_vocabulary(paths.vocab)
texts = ["the ship left the harbour", "at noon"]
tokenizer = Tokenizer(vocabulary)
ids, segments = map(np.array, zip(*(tokenizer.encode(text, max_len=16) for text in texts)))
load = lambda **options: load_trained_model_from_checkpoint(
    paths.config, paths.checkpoint, seq_len=16, **options
)
runs, run = [], tf.compat.v1.Session.run
tf.compat.v1.Session.run = lambda *args, **options: runs.append(1) or run(*args, **options)
model = load()
assert len(runs) < 10  # one for all weights, not one for each: every one takes longer
results["features"] = model.predict([ids, segments], verbose=0)
heads = load(training=True)
results["words"], results["next"] = heads.predict([ids, segments, ids * 0 + 1], verbose=0)
for pooling in (None, "POOL_AVE"):
    results[f"folder {{pooling}}"] = np.concatenate(
        extract_embeddings(PretrainedList.tiny, texts, pooling)
    )
    results[f"model {{pooling}}"] = np.concatenate(
        extract_embeddings(model, texts, pooling, vocabs=vocabulary)
    )
results["maps"] = np.stack(get_attention_maps(model, [ids, segments]))

model.set_weights([2 * weight for weight in model.get_weights()])
results["doubled"] = model.predict([ids, segments], verbose=0)
model.save(sys.argv[1] + ".h5")
again = keras.models.load_model(sys.argv[1] + ".h5", custom_objects=get_custom_objects())
results["again"] = again.predict([ids, segments], verbose=0)

crf = CRF(3)
tagger = keras.models.Model(model.inputs, crf(model.output))
crf.set_weights([np.random.RandomState(0).normal(size=each.shape) for each in crf.weights])
tagger.compile("sgd", loss=crf.loss, metrics=[crf.accuracy])
results["tags"] = tagger.predict([ids, segments], verbose=0)
results["tagger"] = np.array(tagger.evaluate([ids, segments], ids[..., None] % 3, verbose=0))
results["ids"] = np.array(tagger.evaluate([ids, segments], ids % 3, verbose=0))
results["one-hot"] = np.array(tagger.evaluate([ids, segments], np.eye(3)[ids % 3], verbose=0))

encoder = load(trainable=True, dropout_rate=0.0)
first = keras.layers.Lambda(lambda features: features[:, 0])(encoder.output)
answer = keras.layers.Dense(2, "softmax", kernel_initializer="ones", name="Answer")(first)
classifier = keras.models.Model(encoder.inputs, answer)
optimizer = AdamWarmup(16, 2, lr=1e-3, weight_decay=0.01, weight_decay_pattern=["W", "kernel"])
classifier.compile(optimizer, loss="sparse_categorical_crossentropy")
assert classifier.optimizer is optimizer
results["rate"] = np.array(optimizer.learning_rate_at(5))


def fit(model):
    history = model.fit(
        [ids, segments], np.array([[0], [1]]), batch_size=2, epochs=4, verbose=0, shuffle=False
    )
    return np.array(history.history["loss"])


results["losses"] = fit(classifier)
assert results["losses"][-1] < results["losses"][0]
results["trained"] = classifier.predict([ids, segments], verbose=0)
results["kernel"] = classifier.get_layer("Encoder-1-FeedForward").get_weights()[0]
optimizer.learning_rate = 2e-3
results["rate"] = keras.backend.get_value(optimizer.lr)
classifier.save(sys.argv[1] + ".h5")
again = keras.models.load_model(sys.argv[1] + ".h5", custom_objects=get_custom_objects())
assert type(again.optimizer).__name__ == "AdamWarmup"
results["steps"] = keras.backend.get_value(again.optimizer.iterations)
results["losses after loading"] = fit(again)
results["losses of more training"] = fit(classifier)
np.savez(sys.argv[1], **results)
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The results of the program in a mode."""

    def run(mode):
        path = tmp_path_factory.mktemp("results") / "results.npz"
        program = PROGRAM.format(mode=MODES[mode])
        environment = {
            **os.environ,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "PYTHONPATH": str(Path(keras_bert.__file__).parents[1]),
        }
        done = subprocess.run(
            [sys.executable, "-c", program, path],
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return np.load(path)

    return run


@pytest.fixture(scope="module")
def eager(run):
    return run("eager")


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "eager"])
def test_numbers_are_those_of_eager_execution(run, eager, mode):
    """Which other tests compare with other software's."""
    found = run(mode)
    assert set(found) == set(eager)
    for name in found:
        np.testing.assert_allclose(found[name], eager[name], atol=1e-5, rtol=1e-5, err_msg=name)


def test_training_goes_on_from_a_file(eager):
    np.testing.assert_allclose(eager["rate"], 2e-3)
    assert eager["steps"] == 4
    np.testing.assert_allclose(
        eager["losses after loading"], eager["losses of more training"], rtol=1e-4
    )
