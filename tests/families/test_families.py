"""Which family a configuration is of."""

import json

import pytest
from model_folders import CONFIG

from keras_bert import PretrainedList, get_checkpoint_paths
from keras_bert.families import (
    ALBERT,
    BERT,
    BRIGHTMART_ALBERT,
    DISTILBERT,
    ELECTRA,
    ERNIE,
    FAMILIES,
    OTHER_MODELS,
    family_of,
)


def test_every_family_is_told_by_its_name():
    for family in set(FAMILIES) - {BRIGHTMART_ALBERT}:
        assert family_of({"model_type": family.model_type}) is family
        assert family.model_type not in OTHER_MODELS


@pytest.mark.parametrize(
    ("config", "names", "family"),
    [
        ({"embedding_size": 6}, ["bert/encoder/transformer/group_0/inner_group_0/a"], ALBERT),
        ({"num_hidden_groups": 1}, None, ALBERT),
        ({"num_hidden_groups": 1}, ["albert.embeddings.word_embeddings.weight"], ALBERT),
        ({"embedding_size": 6}, ["global_step", "electra/encoder/layer_0/a"], ELECTRA),
        ({"embedding_size": 6}, ["bert/embeddings/word_embeddings_2"], BRIGHTMART_ALBERT),
        ({"ln_type": "postln"}, None, BRIGHTMART_ALBERT),
        ({}, ["distilbert.transformer.layer.0.attention.q_lin.weight"], DISTILBERT),
        ({}, ["encoder.albert_layer_groups.0.albert_layers.0.ffn.weight"], ALBERT),
        ({}, ["electra.encoder.layer.0.attention.self.query.weight"], ELECTRA),
        ({}, ["ernie.encoder.layer.0.attention.self.query.weight"], ERNIE),
        ({"model_type": "bert"}, ["electra/encoder/layer_0/a"], BERT),
        ({}, ["bert/encoder/layer_0/attention/self/query/kernel"], BERT),
    ],
)
def test_what_tells_a_family_that_is_not_named(config, names, family):
    assert family_of(config, names) is family


def test_a_configuration_of_google_names_none():
    assert family_of(CONFIG) is BERT


@pytest.mark.parametrize("model_type", ["gpt2", None, 7, ["bert"]])
def test_what_is_not_known_is_left_to_the_checks_of_bert(model_type):
    assert family_of({**CONFIG, "model_type": model_type}) is BERT


def test_the_embedded_model():
    with open(get_checkpoint_paths(PretrainedList.tiny).config) as reader:
        assert family_of(json.load(reader)) is BERT
