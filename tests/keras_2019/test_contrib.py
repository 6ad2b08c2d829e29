"""The CRF of keras_contrib."""

import pytest
from old_scripts import on_keras_2, results_of

pytestmark = on_keras_2

# A tag is 1 from the first word 1 on, which no tag by itself can know.
SCRIPT = """
import json
import os
import tempfile
import numpy as np
import keras
from keras.layers import Embedding, Input, Masking
from keras.models import Model, load_model
from keras_contrib.layers import CRF
from keras_contrib.layers.crf import CRF as again
from keras_contrib.losses import crf_loss
from keras_contrib.metrics import crf_accuracy, crf_viterbi_accuracy

keras.utils.set_random_seed(0)
random = np.random.RandomState(0)
words = random.choice([1, 2], (256, 6), p=[0.3, 0.7])
tags = np.maximum.accumulate(words == 1, axis=1).astype(int)
words[::2, 4:] = 0
results = {"same": CRF is again, "by_word": float((tags == 1)[words > 0].mean())}
for name, chosen in {"free": (crf_loss, [crf_accuracy]), "own": None}.items():
    inputs = Input(shape=(None,))
    features = Embedding(3, 4, mask_zero=True)(inputs)
    crf = CRF(2, sparse_target=True)
    model = Model(inputs, crf(features))
    loss, metrics = chosen or (crf.loss_function, [crf.accuracy])
    model.compile(keras.optimizers.Adam(lr=0.05), loss=loss, metrics=metrics)
    history = model.fit(words, tags[..., None], epochs=40, verbose=0, validation_split=0.1)
    results[name] = {key: float(value[-1]) for key, value in history.history.items()}
    best = model.predict(words).argmax(-1)
    right = best == tags
    results[name]["right"] = float(right[words > 0].mean())
    results[name]["val_right"] = float(right[-26:][words[-26:] > 0].mean())
path = os.path.join(tempfile.mkdtemp(), "model.h5")
model.save(path)
loaded = load_model(path, custom_objects={
    "CRF": CRF, "crf_loss": crf_loss, "crf_viterbi_accuracy": crf_viterbi_accuracy
})
results["reloaded"] = float(np.abs(loaded.predict(words) - model.predict(words)).max())
results["evaluated"] = [float(each.evaluate(words, tags, verbose=0)[0]) for each in (model, loaded)]
try:
    from keras_contrib.layers import InstanceNormalization
except ImportError as error:
    results["error"] = str(error)
print(json.dumps(results))
"""


@pytest.fixture(scope="module", params=["--graph", "--eager"])
def results(request, tmp_path_factory):
    return results_of(tmp_path_factory.mktemp("script"), SCRIPT, options=(request.param,))[0]


@pytest.mark.parametrize("name", ["free", "own"])
def test_it_learns_what_depends_on_the_tag_before(results, name):
    assert results[name]["right"] > 0.95 > results["by_word"]
    assert results[name]["loss"] < 0.1
    assert results[name]["val_loss"] < 0.1


def test_the_history_has_the_names_of_the_metrics(results):
    for name, metric in {"free": "crf_accuracy", "own": "crf_viterbi_accuracy"}.items():
        assert results[name][f"val_{metric}"] == pytest.approx(results[name]["val_right"])


def test_files_are_loaded_with_their_loss(results):
    assert results["reloaded"] < 1e-5
    assert results["evaluated"][0] == pytest.approx(results["evaluated"][1], rel=1e-4)


def test_what_else_keras_contrib_had_is_not_there(results):
    assert results["same"]
    assert "In its stead: keras.layers" in results["error"]
