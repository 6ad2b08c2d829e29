"""BERT's table of weights, against lists written elsewhere, and what else is BERT's own."""

import json
from pathlib import Path

import pytest
from bert_tensors import expected_rows
from model_folders import CONFIG

from keras_bert.families import BERT

SHAPES = Path(__file__).parents[1] / "data" / "transformers" / "shapes.json"


def rows_of(depth, training):
    return BERT.weights({"num_hidden_layers": depth}, training)


@pytest.mark.parametrize("training", [False, True])
def test_the_table_names_what_google_creates_in_the_order_of_the_model(training):
    assert [(row.google, row.layer, row.index) for row in rows_of(3, training)] == [
        (name, layer, index) for name, _, layer, index in expected_rows(3, training)
    ]


def check_names_and_shapes(shapes):
    """Compare with the names and shapes of transformers, for sizes that differ from each other."""
    rows = {row.huggingface: row for row in rows_of(2, training=True)}
    assert rows.keys() == shapes.keys()
    google = {name: shape for name, shape, _, _ in expected_rows(2, True)}
    for name, row in rows.items():
        shape = google[row.google]
        if row.google_transform != row.huggingface_transform:
            shape = shape[::-1]
        assert shape == tuple(shapes[name]), name


def test_the_table_names_what_transformers_created():
    check_names_and_shapes(json.loads(SHAPES.read_text("utf-8"))["shapes"])


@pytest.mark.slow
def test_the_table_names_what_transformers_creates():
    transformers = pytest.importorskip("transformers", reason="transformers is the oracle here")
    pytest.importorskip("torch", reason="transformers' BERT is made of PyTorch")
    config = transformers.BertConfig(**json.loads(SHAPES.read_text("utf-8"))["config"])
    model = transformers.BertForPreTraining(config)
    check_names_and_shapes({name: value.shape for name, value in model.named_parameters()})


def test_layers_are_counted_from_one_in_models_and_from_zero_in_files():
    row = rows_of(12, training=False)[-1]
    assert row.layer == "Encoder-12-FeedForward-Norm"
    assert row.google == "bert/encoder/layer_11/output/LayerNorm/beta"
    assert row.huggingface == "bert.encoder.layer.11.output.LayerNorm.bias"


def test_heads_are_groups_of_layers():
    assert {head: {row.layer for row in rows} for head, rows in BERT.heads.items()} == {
        "pooler": {"NSP-Dense"},
        "masked words": {"MLM-Dense", "MLM-Norm", "MLM-Sim"},
        "next sentence": {"NSP"},
    }


def test_weights_with_a_row_for_each_token_are_those_that_files_may_hold_twice():
    tied = [(row.layer, row.copy) for row in rows_of(1, training=True) if row.copy]
    assert tied == [
        ("Embedding-Token", "cls.predictions.decoder.weight"),
        ("MLM-Sim", "cls.predictions.decoder.bias"),
    ]
    assert [row.layer for row in rows_of(1, training=True) if row.per_token] == [
        "Embedding-Token",
        "MLM-Sim",
    ]


@pytest.mark.parametrize(
    ("heads", "name"),
    [
        (("masked words", "pooler", "next sentence"), "BertForPreTraining"),
        (("masked words",), "BertForMaskedLM"),
        (("pooler", "next sentence"), "BertForNextSentencePrediction"),
        (("pooler",), "BertModel"),
        ((), "BertModel"),
    ],
)
def test_the_class_of_transformers(heads, name):
    rows = [*BERT.encoder(CONFIG, 2), *(row for head in heads for row in BERT.heads[head])]
    assert BERT.architecture([row.huggingface for row in rows]) == name


def test_arguments_of_the_model():
    config = {**CONFIG, "type_vocab_size": 3, "layer_norm_eps": 1e-5}
    assert BERT.arguments(config) == {
        "token_num": 30,
        "pos_num": 16,
        "embed_dim": 12,
        "transformer_num": 2,
        "head_num": 3,
        "feed_forward_dim": 20,
        "segment_num": 3,
        "layer_norm_epsilon": 1e-5,
    }
    without = {key: value for key, value in CONFIG.items() if key != "type_vocab_size"}
    assert BERT.arguments(without)["segment_num"] == 2
    assert BERT.arguments(without)["layer_norm_epsilon"] == 1e-12


@pytest.mark.parametrize(
    ("name", "layer", "rest"),
    [
        ("bert/encoder/layer_3/output/x", "3", "output/x"),
        ("bert.encoder.layer.11.x", "11", "x"),
        ("encoder.layer.0.x.weight", "0", "x.weight"),
        ("bert/embeddings/x", None, "x"),
        ("embeddings.x", None, "x"),
    ],
)
def test_names_inside_the_encoder(name, layer, rest):
    match = BERT.inside.match(name)
    assert (match["layer"], match["rest"]) == (layer, rest)


@pytest.mark.parametrize("name", ["cls/predictions/x", "bert/pooler/x", "global_step", "x/encoder"])
def test_names_outside_it(name):
    assert BERT.inside.match(name) is None
