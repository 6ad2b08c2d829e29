"""Weights are found, read and written, under every name that they have had."""

import re

import ml_dtypes
import numpy as np
import pytest
from bert_tensors import (
    expected_rows,
    google_tensors,
    huggingface_tensors,
    open_bundle,
    open_safetensors,
)
from checkpoint_files import assert_holds, is_same

from keras_bert import ConfigError
from keras_bert.checkpoints import CheckpointError
from keras_bert.families import BERT
from keras_bert.families.weights import extra_names, find_weights, to_checkpoint


def find(checkpoint, depth, training=False, **options):
    heads = {"heads": "all" if training else "none", **options}
    return find_weights(BERT, {"num_hidden_layers": depth}, checkpoint, **heads)


def read_all(checkpoint, transformer_num, training):
    """Read a model's weights as its layers would have them."""
    weights = {}
    for weight in find(checkpoint, transformer_num, training):
        array = weight.read(checkpoint)
        assert array.shape == weight.shape(checkpoint)
        weights.setdefault(weight.row.layer, []).append(array)
        assert weight.row.index == len(weights[weight.row.layer]) - 1
    return weights


def assert_model_has(weights, google):
    """Assert that the layers have what Google's file holds, as modeling.py uses it."""
    names = {
        (layer, index): name for name, _, layer, index in expected_rows(12, True) if name in google
    }
    assert sum(map(len, weights.values())) == len(names)
    for (layer, index), name in names.items():
        # run_pretraining.py multiplies by output_weights with transpose_b=True.
        expected = google[name].T if name.endswith("output_weights") else google[name]
        assert is_same(weights[layer][index], expected), name


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("open_file", [open_bundle, open_safetensors])
@pytest.mark.parametrize("rename", [dict, huggingface_tensors])
def test_names_decide_not_the_format(tmp_path, training, open_file, rename):
    google = google_tensors(2, training)
    checkpoint = open_file(tmp_path, rename(google))
    assert_model_has(read_all(checkpoint, 2, training), google)


@pytest.mark.parametrize(
    "respell",
    [
        pytest.param(lambda name: name.removeprefix("bert."), id="without bert."),
        pytest.param(
            lambda name: re.sub(
                r"(LayerNorm)\.(weight|bias)",
                lambda match: f"LayerNorm.{'gamma' if match[2] == 'weight' else 'beta'}",
                name,
            ),
            id="gamma and beta",
        ),
        pytest.param(
            lambda name: name.replace("cls.predictions.bias", "cls.predictions.decoder.bias"),
            id="bias of the decoder",
        ),
        pytest.param(
            lambda name: (
                name.removeprefix("bert.")
                .replace("LayerNorm.weight", "LayerNorm.gamma")
                .replace("LayerNorm.bias", "LayerNorm.beta")
            ),
            id="both",
        ),
    ],
)
def test_older_spellings(tmp_path, respell):
    google = google_tensors(2, training=True)
    tensors = {respell(name): array for name, array in huggingface_tensors(google).items()}
    assert_model_has(read_all(open_safetensors(tmp_path, tensors), 2, True), google)


def test_types_are_kept(tmp_path):
    google = {
        name: array.astype(ml_dtypes.bfloat16) for name, array in google_tensors(1, True).items()
    }
    assert_model_has(read_all(open_bundle(tmp_path, google), 1, True), google)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    ("naming", "rename"), [("google", dict), ("huggingface", huggingface_tensors)]
)
def test_writing_is_the_inverse_of_reading(tmp_path, naming, rename, training):
    tensors = rename(google_tensors(3, training))
    weights = read_all(open_safetensors(tmp_path, tensors), 3, training)
    written = to_checkpoint(weights, naming)
    assert all(array.flags.c_contiguous for array in written.values())
    assert_holds(open_safetensors(tmp_path, written), tensors)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda weights: weights.update(Dense=[np.zeros(2)]), r"Dense \(1 instead of 0\)"),
        (lambda weights: weights.pop("NSP"), r"NSP \(0 instead of 2\)"),
        (lambda weights: weights["Embedding-Norm"].pop(), r"Embedding-Norm \(1 instead of 2\)"),
    ],
)
def test_layers_that_are_not_berts_are_not_written(tmp_path, change, message):
    weights = read_all(open_bundle(tmp_path, google_tensors(1, True)), 1, True)
    change(weights)
    with pytest.raises(ValueError, match=message):
        to_checkpoint(weights, "google")


def test_unknown_namings_are_not_written():
    with pytest.raises(ValueError, match="Received: naming='tensorflow'"):
        to_checkpoint({}, "tensorflow")


def test_further_layers_and_other_tensors_are_extra(tmp_path):
    google = google_tensors(3, training=True)
    slots = {f"{name}/adam_m": array for name, array in google.items()}
    checkpoint = open_bundle(tmp_path, google | slots | {"global_step": np.int64(5)})
    found = find(checkpoint, 1, training=False)
    used = google_tensors(1, training=False).keys()
    assert {weight.name for weight in found} == used
    assert set(extra_names(checkpoint, found)) == set(checkpoint) - used


def test_every_missing_weight_is_named(tmp_path):
    google = google_tensors(4, training=True)
    for number in (1, 2, 3):
        del google[f"bert/encoder/layer_{number}/output/dense/bias"]
    del google["bert/embeddings/LayerNorm/gamma"]
    google["bert/embeddings/LayerNorm/gama"] = np.zeros(4, np.float32)
    with pytest.raises(CheckpointError) as error:
        find(open_bundle(tmp_path, google), 4, training=False)
    path, *lines = str(error.value).split("\n")
    assert path == f"{tmp_path / 'model.ckpt'} lacks 4 of the model's 69 weights:"
    assert lines == [
        "  bert/embeddings/LayerNorm/gamma",
        "  bert/encoder/layer_{1-3}/output/dense/bias",
        "It holds 75 tensors: 61 bert/encoder, 5 bert/embeddings, 5 cls/predictions, "
        "2 bert/pooler, 2 cls/seq_relationship.",
        "Is 'bert/embeddings/LayerNorm/gama' meant to be 'bert/embeddings/LayerNorm/gamma'?",
    ]


def test_missing_heads_come_with_a_way_out(tmp_path):
    tensors = huggingface_tensors(google_tensors(1, training=False))
    ways = r"training=False does without them, and allow_missing_heads=True"
    with pytest.raises(CheckpointError, match=rf"cls\.predictions\.bias(?s:.*){ways}"):
        find(open_safetensors(tmp_path, tensors), 1, training=True)


def test_a_model_with_more_layers_than_the_file(tmp_path):
    checkpoint = open_bundle(tmp_path, google_tensors(2, training=False))
    with pytest.raises(CheckpointError, match=r"layer_\{2-11\}/attention/self/query/kernel"):
        find(checkpoint, 12, training=False)


def test_a_file_without_bert(tmp_path):
    checkpoint = open_bundle(tmp_path, {"gpt/wte": np.zeros(2, np.float32)})
    with pytest.raises(CheckpointError, match=r"no weights of BERT.*1 tensors: 1 gpt/wte"):
        find(checkpoint, 12, training=False)


WORDS = "bert.embeddings.word_embeddings.weight"


@pytest.mark.parametrize("open_file", [open_bundle, open_safetensors])
def test_tied_copies_must_be_equal(tmp_path, open_file):
    tensors = huggingface_tensors(google_tensors(1, training=True))
    tensors["cls.predictions.decoder.weight"] = tensors[WORDS].copy()
    tensors["cls.predictions.decoder.bias"] = tensors["cls.predictions.bias"].copy()
    found = find(open_file(tmp_path, tensors), 1, training=True)
    assert {weight.name for weight in found} == tensors.keys() - {
        "cls.predictions.decoder.weight",
        "cls.predictions.decoder.bias",
    }
    for name in ["cls.predictions.decoder.weight", "cls.predictions.decoder.bias"]:
        changed = tensors[name].copy()
        changed.flat[-1] += 1
        checkpoint = open_file(tmp_path, tensors | {name: changed})
        with pytest.raises(CheckpointError, match=f"'{name}' differs from .*training=False"):
            find(checkpoint, 1, training=True)
        find(checkpoint, 1, training=False)


def test_a_copy_of_another_type_or_shape_is_not_equal(tmp_path):
    tensors = huggingface_tensors(google_tensors(1, training=True))
    for copy in (tensors[WORDS].astype(np.float16), tensors[WORDS][:-1]):
        checkpoint = open_bundle(tmp_path, tensors | {"cls.predictions.decoder.weight": copy})
        with pytest.raises(CheckpointError, match="differs"):
            find(checkpoint, 1, training=True)


def test_a_file_may_hold_the_copy_alone(tmp_path):
    google = google_tensors(1, training=True)
    tensors = huggingface_tensors(google)
    tensors["cls.predictions.decoder.weight"] = tensors.pop(WORDS)
    assert_model_has(read_all(open_safetensors(tmp_path, tensors), 1, True), google)


def names_of(found):
    return {weight.name for weight in found}


def test_which_heads_are_looked_for(tmp_path):
    tensors = google_tensors(1, training=True)
    encoder = google_tensors(1, training=False).keys()
    pooler = {"bert/pooler/dense/kernel", "bert/pooler/dense/bias"}
    of_pooler = {name: array for name, array in tensors.items() if name in encoder | pooler}
    checkpoint = open_bundle(tmp_path, of_pooler)
    assert names_of(find(checkpoint, 1, heads="none")) == encoder
    assert names_of(find(checkpoint, 1, heads="any")) == encoder | pooler
    assert names_of(find(checkpoint, 1, heads="all or none")) == encoder | pooler
    with pytest.raises(CheckpointError, match="lacks 7 of the model's 30 weights"):
        find(checkpoint, 1, heads="all")


def test_half_a_head(tmp_path):
    tensors = google_tensors(1, training=True)
    del tensors["cls/predictions/transform/dense/kernel"]
    checkpoint = open_bundle(tmp_path, tensors)
    assert names_of(find(checkpoint, 1, heads="any")) == tensors.keys()
    says = r"lacks 1 .*\n  cls/predictions/transform/dense/kernel\n(?s:.*)training=False"
    for heads in ("all or none", "all"):
        with pytest.raises(CheckpointError, match=says):
            find(checkpoint, 1, heads=heads)


def test_more_layers_than_tensors(tmp_path):
    """And no list of a billion names is made."""
    checkpoint = open_bundle(tmp_path, google_tensors(1, training=False))
    with pytest.raises(ConfigError, match=r"holds 21 tensors in all. Received: 1000000000"):
        find(checkpoint, 10**9)
