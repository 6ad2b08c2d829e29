"""Models of TensorFlow 2's files compute what the programs that wrote these files do.

data/transformers_tf and data/model_garden have their makers beside them. All weights are random, so
that a missing bias, norm or transposition shows.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy_functions import softmax
from runtimes import once

from keras_bert import (
    VocabularyChange,
    build_model_from_config,
    extract_embeddings,
    get_checkpoint_paths,
    get_model,
    load_model_weights_from_checkpoint,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)
from keras_bert.backend import keras
from keras_bert.checkpoints import CheckpointError
from keras_bert.families import ConfigError

DATA = Path(__file__).parents[1] / "data"
TRANSFORMERS = DATA / "transformers_tf" / "bert"
GARDEN = DATA / "model_garden" / "checkpoint"
ALBERT = DATA / "model_garden" / "albert"
SAVED_MODEL = DATA / "model_garden" / "saved_model"
ELECTRA = DATA / "model_garden" / "electra"
KINDS = {
    "h5": (TRANSFORMERS, "tf_model.h5"),
    "safetensors": (TRANSFORMERS, "model.safetensors"),
    "object_based": (GARDEN, "bert_model.ckpt-1"),
    "object_based ALBERT": (ALBERT, "bert_model.ckpt-1"),
    "saved_model": (SAVED_MODEL, "variables/variables"),
    "saved_model of ELECTRA": (ELECTRA, "variables/variables"),
}
SIZES = {"embed_dim": 12, "transformer_num": 2, "head_num": 3, "feed_forward_dim": 20}
# Of float32, for values around 1.
TOLERANCE = 1e-5


def outputs_of(folder):
    with np.load(folder / "outputs.npz") as outputs:
        outputs = dict(outputs)
    if "prediction_logits" in outputs:
        outputs["mlm"] = softmax(outputs["prediction_logits"])
        outputs["nsp"] = softmax(outputs["seq_relationship_logits"])
    return outputs


def assert_equal_features(features, outputs, layer=-1):
    real = outputs["tokens"] != 0  # what stands at padding is of no use to anyone
    np.testing.assert_allclose(
        np.asarray(features)[real], outputs["hidden"][layer][real], rtol=0, atol=TOLERANCE
    )


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", KINDS)
def test_features(kind):
    folder, file = KINDS[kind]
    outputs = outputs_of(folder)
    model = load_trained_model_from_checkpoint(
        get_checkpoint_paths(folder).config, folder / file, output_layer_num=2, seq_len=None
    )
    features = model.predict([outputs["tokens"], outputs["segments"]], verbose=0)
    assert_equal_features(features[..., :12], outputs, layer=-2)
    assert_equal_features(features[..., 12:], outputs)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("kind", ["h5", "safetensors", "object_based", "object_based ALBERT"])
def test_heads(kind):
    folder, file = KINDS[kind]
    outputs = outputs_of(folder)
    tokens = outputs["tokens"]
    model = load_trained_model_from_checkpoint(
        get_checkpoint_paths(folder).config, folder / file, training=True, seq_len=tokens.shape[1]
    )
    inputs = [tokens, outputs["segments"], np.ones_like(tokens)]
    mlm, nsp = model.predict(inputs, verbose=0)
    real = tokens != 0
    np.testing.assert_allclose(mlm[real], outputs["mlm"][real], rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(nsp, outputs["nsp"], rtol=0, atol=TOLERANCE)


@once
@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_each_kind_serves_as_it_is(kind, tmp_path):
    folder, file = KINDS[kind]
    shutil.copytree(folder, tmp_path / "model")
    for other in {"tf_model.h5", "model.safetensors"} - {file}:
        (tmp_path / "model" / other).unlink(missing_ok=True)
    if folder in (GARDEN, ALBERT):
        shutil.copy(TRANSFORMERS / "vocab.txt", tmp_path / "model")
    assert get_checkpoint_paths(tmp_path / "model").checkpoint == str(tmp_path / "model" / file)
    outputs = outputs_of(folder)
    # The first of the texts in the outputs.
    (features,) = extract_embeddings(tmp_path / "model", ["a b c"])
    np.testing.assert_allclose(features, outputs["hidden"][-1][0, :5], rtol=0, atol=TOLERANCE)


@once
def test_sizes_that_do_not_follow_are_asked_for(tmp_path):
    with pytest.raises(ConfigError, match="number of heads"):
        load_trained_model_from_checkpoint(None, TRANSFORMERS / "tf_model.h5")
    with pytest.raises(ConfigError, match="only together with a checkpoint"):
        build_model_from_config(None)
    with pytest.raises(FileNotFoundError):
        load_trained_model_from_checkpoint(None, tmp_path / "none")


@once
def test_weights_for_a_model_built_by_hand():
    checkpoint = KINDS["saved_model"][1]
    model = get_model(30, pos_num=9, seq_len=7, training=False, **SIZES)
    model = keras.Model(*model)
    load_model_weights_from_checkpoint(model, None, SAVED_MODEL / checkpoint)
    outputs = outputs_of(SAVED_MODEL)
    features = model.predict([outputs["tokens"], outputs["segments"]], verbose=0)
    assert_equal_features(features, outputs)
    other = get_model(30, pos_num=16, seq_len=7, training=True, **{**SIZES, "head_num": 4})
    with pytest.raises(CheckpointError, match="has 3 attention heads, and the model 4"):
        load_model_weights_from_checkpoint(other, None, SAVED_MODEL / checkpoint)


@once
def test_the_heads_that_a_saved_model_lacks_are_named():
    with pytest.raises(CheckpointError, match="cls/predictions/transform/dense/kernel"):
        load_trained_model_from_checkpoint(None, SAVED_MODEL / "variables/variables", training=True)


@once
@pytest.mark.sampled(1)
@pytest.mark.parametrize("kind", KINDS)
def test_another_vocabulary(kind):
    folder, file = KINDS[kind]
    vocabulary = load_vocabulary(TRANSFORMERS / "vocab.txt")
    change = VocabularyChange(vocabulary, keep=list("abc"))
    config = get_checkpoint_paths(folder).config
    whole, less = (
        load_trained_model_from_checkpoint(
            config, folder / file, seq_len=None, vocabulary_change=each
        )
        for each in (None, change)
    )
    tables = [model.get_layer("Embedding-Token").get_weights()[0] for model in (whole, less)]
    kept = [vocabulary[token] for token in sorted(change.vocabulary, key=change.vocabulary.get)]
    np.testing.assert_array_equal(tables[1], tables[0][kept])
