"""Names and transforms of BERT's weights, both ways, against lists written elsewhere."""

import re

import ml_dtypes
import numpy as np
import pytest
from checkpoint_files import assert_holds, is_same
from safetensors.numpy import save_file

from keras_bert.checkpoints import CheckpointError, open_checkpoint, write_tensor_bundle
from keras_bert.families.weights import (
    extra_names,
    find_weights,
    read_weight,
    to_checkpoint,
    weight_names,
)

TOKENS, POSITIONS, SEGMENTS, HIDDEN, INNER = 11, 7, 2, 4, 6

# What google-research/bert's modeling.py and run_pretraining.py create, with their shapes, for the
# layer that serves: (name, shape, layer of the model, place in its weights, lies the other way).
GOOGLE_ENCODER_LAYER = """
attention/self/query/kernel                 4,4  MultiHeadSelfAttention       0
attention/self/query/bias                   4    MultiHeadSelfAttention       1
attention/self/key/kernel                   4,4  MultiHeadSelfAttention       2
attention/self/key/bias                     4    MultiHeadSelfAttention       3
attention/self/value/kernel                 4,4  MultiHeadSelfAttention       4
attention/self/value/bias                   4    MultiHeadSelfAttention       5
attention/output/dense/kernel               4,4  MultiHeadSelfAttention       6
attention/output/dense/bias                 4    MultiHeadSelfAttention       7
attention/output/LayerNorm/gamma            4    MultiHeadSelfAttention-Norm  0
attention/output/LayerNorm/beta             4    MultiHeadSelfAttention-Norm  1
intermediate/dense/kernel                   4,6  FeedForward                  0
intermediate/dense/bias                     6    FeedForward                  1
output/dense/kernel                         6,4  FeedForward                  2
output/dense/bias                           4    FeedForward                  3
output/LayerNorm/gamma                      4    FeedForward-Norm             0
output/LayerNorm/beta                       4    FeedForward-Norm             1
"""
GOOGLE_EMBEDDINGS = """
bert/embeddings/word_embeddings             11,4 Embedding-Token              0
bert/embeddings/token_type_embeddings       2,4  Embedding-Segment            0
bert/embeddings/position_embeddings         7,4  Embedding-Position           0
bert/embeddings/LayerNorm/gamma             4    Embedding-Norm               0
bert/embeddings/LayerNorm/beta              4    Embedding-Norm               1
"""
GOOGLE_HEADS = """
cls/predictions/transform/dense/kernel      4,4  MLM-Dense                    0
cls/predictions/transform/dense/bias        4    MLM-Dense                    1
cls/predictions/transform/LayerNorm/gamma   4    MLM-Norm                     0
cls/predictions/transform/LayerNorm/beta    4    MLM-Norm                     1
cls/predictions/output_bias                 11   MLM-Sim                      0
bert/pooler/dense/kernel                    4,4  NSP-Dense                    0
bert/pooler/dense/bias                      4    NSP-Dense                    1
cls/seq_relationship/output_weights         2,4  NSP                          0
cls/seq_relationship/output_bias            2    NSP                          1
"""


def expected_rows(transformer_num, training):
    """Yield (name, shape in the file, layer, index) in the model's order."""
    text = [line.split() for line in GOOGLE_EMBEDDINGS.split("\n") if line]
    for number in range(transformer_num):
        for name, *rest, layer, index in map(str.split, GOOGLE_ENCODER_LAYER.strip().split("\n")):
            prefix = f"bert/encoder/layer_{number}/"
            text.append([prefix + name, *rest, f"Encoder-{number + 1}-{layer}", index])
    if training:
        text += [line.split() for line in GOOGLE_HEADS.split("\n") if line]
    for name, shape, layer, index in text:
        yield name, tuple(map(int, shape.split(","))), layer, int(index)


def google_tensors(transformer_num, training):
    generator = np.random.default_rng(transformer_num)
    return {
        name: generator.normal(size=shape).astype(np.float32)
        for name, shape, _, _ in expected_rows(transformer_num, training)
    }


def huggingface_tensors(google):
    """Rename and turn by the rules of transformers' own conversion from Google's files."""
    result = {}
    for name, array in google.items():
        if name.endswith("kernel"):
            array = array.T
        for pattern, replacement in [
            (r"layer_(\d+)", r"layer.\1"),
            ("/", "."),
            (r"\b(kernel|gamma|output_weights)$", "weight"),
            (r"\b(beta|output_bias)$", "bias"),
            (r"(_embeddings)$", r"\1.weight"),
        ]:
            name = re.sub(pattern, replacement, name)
        result[name] = np.ascontiguousarray(array)
    return result


def open_bundle(folder, tensors):
    write_tensor_bundle(folder / "model.ckpt", tensors)
    return open_checkpoint(folder / "model.ckpt")


def open_safetensors(folder, tensors):
    save_file(tensors, folder / "model.safetensors")
    return open_checkpoint(folder / "model.safetensors")


def read_all(checkpoint, transformer_num, training):
    """Read a model's weights as its layers would have them."""
    weights = {}
    for weight in find_weights(checkpoint, transformer_num, training):
        array = read_weight(checkpoint, weight)
        assert array.shape == weight.shape
        weights.setdefault(weight.layer, []).append(array)
        assert weight.index == len(weights[weight.layer]) - 1
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
def test_the_table_names_what_google_creates_in_the_order_of_the_model(training):
    rows = weight_names(3, training)
    assert [(row.google, row.layer, row.index) for row in rows] == [
        (name, layer, index) for name, _, layer, index in expected_rows(3, training)
    ]


def test_the_table_names_what_transformers_creates():
    transformers = pytest.importorskip("transformers", reason="transformers is the oracle here")
    pytest.importorskip("torch", reason="transformers' BERT is made of PyTorch")
    config = transformers.BertConfig(
        vocab_size=TOKENS,
        max_position_embeddings=POSITIONS,
        type_vocab_size=SEGMENTS,
        hidden_size=HIDDEN,
        intermediate_size=INNER,
        num_hidden_layers=2,
        num_attention_heads=2,
    )
    model = transformers.BertForPreTraining(config)
    shapes = {name: tuple(value.shape) for name, value in model.named_parameters()}
    rows = {row.huggingface: row for row in weight_names(2, training=True)}
    assert rows.keys() == shapes.keys()
    google = {name: shape for name, shape, _, _ in expected_rows(2, True)}
    for name, row in rows.items():
        shape = google[row.google]
        if row.google_transform != row.huggingface_transform:
            shape = shape[::-1]
        assert shape == shapes[name], name


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
    found = find_weights(checkpoint, 1, training=False)
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
        find_weights(open_bundle(tmp_path, google), 4, training=False)
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
        find_weights(open_safetensors(tmp_path, tensors), 1, training=True)


def test_a_model_with_more_layers_than_the_file(tmp_path):
    checkpoint = open_bundle(tmp_path, google_tensors(2, training=False))
    with pytest.raises(CheckpointError, match=r"layer_\{2-11\}/attention/self/query/kernel"):
        find_weights(checkpoint, 12, training=False)


def test_a_file_without_bert(tmp_path):
    checkpoint = open_bundle(tmp_path, {"gpt/wte": np.zeros(2, np.float32)})
    with pytest.raises(CheckpointError, match=r"no weights of BERT.*1 tensors: 1 gpt/wte"):
        find_weights(checkpoint, 12, training=False)


WORDS = "bert.embeddings.word_embeddings.weight"


@pytest.mark.parametrize("open_file", [open_bundle, open_safetensors])
def test_tied_copies_must_be_equal(tmp_path, open_file):
    tensors = huggingface_tensors(google_tensors(1, training=True))
    tensors["cls.predictions.decoder.weight"] = tensors[WORDS].copy()
    tensors["cls.predictions.decoder.bias"] = tensors["cls.predictions.bias"].copy()
    found = find_weights(open_file(tmp_path, tensors), 1, training=True)
    assert {weight.name for weight in found} == tensors.keys() - {
        "cls.predictions.decoder.weight",
        "cls.predictions.decoder.bias",
    }
    for name in ["cls.predictions.decoder.weight", "cls.predictions.decoder.bias"]:
        changed = tensors[name].copy()
        changed.flat[-1] += 1
        checkpoint = open_file(tmp_path, tensors | {name: changed})
        with pytest.raises(CheckpointError, match=f"'{name}' differs from .*training=False"):
            find_weights(checkpoint, 1, training=True)
        find_weights(checkpoint, 1, training=False)


def test_a_copy_of_another_type_or_shape_is_not_equal(tmp_path):
    tensors = huggingface_tensors(google_tensors(1, training=True))
    for copy in (tensors[WORDS].astype(np.float16), tensors[WORDS][:-1]):
        checkpoint = open_bundle(tmp_path, tensors | {"cls.predictions.decoder.weight": copy})
        with pytest.raises(CheckpointError, match="differs"):
            find_weights(checkpoint, 1, training=True)
