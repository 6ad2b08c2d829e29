"""Which family a configuration is of."""

import json

import pytest
from model_folders import CONFIG

from keras_bert import PretrainedList, get_checkpoint_paths
from keras_bert.families import BERT, FAMILIES, family_of


def test_every_family_is_told_by_its_name():
    for family in FAMILIES:
        assert family_of({"model_type": family.model_type}) is family


def test_a_configuration_of_google_names_none():
    assert family_of(CONFIG) is BERT


@pytest.mark.parametrize("model_type", ["gpt2", None, 7, ["bert"]])
def test_what_is_not_known_is_left_to_the_checks_of_bert(model_type):
    assert family_of({**CONFIG, "model_type": model_type}) is BERT


def test_the_embedded_model():
    with open(get_checkpoint_paths(PretrainedList.tiny).config) as reader:
        assert family_of(json.load(reader)) is BERT
