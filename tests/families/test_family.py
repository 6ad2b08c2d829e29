"""What a family is made of, checked for each."""

import pytest
from model_folders import CONFIG

import keras_bert
from keras_bert.families import FAMILIES, ConfigError
from keras_bert.families.configuration import ConfigError as SameError
from keras_bert.families.family import NAMINGS, WeightName

every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def test_the_error_of_a_configuration_is_a_value_error_and_public():
    assert keras_bert.ConfigError is ConfigError is SameError
    assert issubclass(ConfigError, ValueError)


def test_the_name_and_the_transform_of_each_kind_of_file():
    row = WeightName("Dense", 0, "a/kernel", "a.weight", huggingface_transform="transpose")
    assert row.in_files("google") == ("a/kernel", None)
    assert row.in_files("huggingface") == ("a.weight", "transpose")


@every_family
def test_the_encoder_comes_before_the_heads(family):
    encoder = family.weights(CONFIG, training=False)
    assert encoder == family.encoder(CONFIG)
    rest = family.weights(CONFIG, training=True)[len(encoder) :]
    assert rest == [row for rows in family.heads.values() for row in rows]


@every_family
def test_no_weight_is_named_twice(family):
    rows = family.weights(CONFIG, training=True)
    for naming in NAMINGS:
        assert len({row.in_files(naming)[0] for row in rows}) == len(rows)
    assert len({(row.layer, row.index) for row in rows}) == len(rows)


@every_family
def test_sizes_are_shown_by_weights_that_every_model_has(family):
    assert family.shapes.keys() <= family.sizes.keys()
    weights = {(row.layer, row.index) for row in family.encoder({**CONFIG, "num_hidden_layers": 1})}
    assert {(layer, index) for layer, index, _ in family.shapes.values()} <= weights


@every_family
def test_the_arguments_build_a_model_with_these_weights(family):
    from keras_bert import get_model

    model = get_model(**family.arguments(CONFIG), seq_len=None)
    layers = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    rows = family.weights(CONFIG, training=True)
    assert {row.layer for row in rows} == layers.keys()
    for name, weights in layers.items():
        assert sorted(row.index for row in rows if row.layer == name) == [*range(len(weights))]
    for key, (layer, index, axis) in family.shapes.items():
        assert layers[layer][index].shape[axis] == CONFIG[key]
