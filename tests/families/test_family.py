"""What a family is made of, checked for each."""

import pytest
from relatives import CONFIGS

import keras_bert
from keras_bert.families import BRIGHTMART_ALBERT, FAMILIES, ConfigError
from keras_bert.families.configuration import ConfigError as SameError
from keras_bert.families.family import NAMINGS, WeightName

every_family = pytest.mark.parametrize("family", CONFIGS, ids=lambda family: family.name)


def test_the_error_of_a_configuration_is_a_value_error_and_public():
    assert keras_bert.ConfigError is ConfigError is SameError
    assert issubclass(ConfigError, ValueError)


def test_the_name_and_the_transform_of_each_kind_of_file():
    row = WeightName("Dense", 0, "a/kernel", "a.weight", huggingface_transform="transpose")
    assert row.in_files("google") == ("a/kernel", None)
    assert row.in_files("huggingface") == ("a.weight", "transpose")


def test_every_family_is_checked_here_or_in_a_file_of_its_own():
    assert {*CONFIGS, BRIGHTMART_ALBERT} == set(FAMILIES)


@every_family
def test_the_encoder_comes_before_the_heads(family):
    config = CONFIGS[family]
    encoder = family.weights(config, training=False)
    assert encoder == family.encoder(config, family.depth(config))
    rest = family.weights(config, training=True)[len(encoder) :]
    assert rest == [row for rows in family.heads.values() for row in rows]


@every_family
def test_no_weight_is_named_twice(family):
    rows = family.weights(CONFIGS[family], training=True)
    for naming in NAMINGS:
        names = {row.in_files(naming)[0] for row in rows}
        is_none = naming == "google" and not family.google_keys
        assert names == {None} if is_none else len(names - {None}) == len(rows)
    assert len({(row.layer, row.index) for row in rows}) == len(rows)


@every_family
def test_sizes_are_shown_by_weights_that_every_model_has(family):
    assert family.shapes.keys() <= family.sizes.keys()
    weights = {(row.layer, row.index) for row in family.encoder(CONFIGS[family], 1)}
    assert {(layer, index) for layer, index, _ in family.shapes.values()} <= weights


@every_family
def test_the_arguments_build_a_model_with_these_weights(family):
    from keras_bert import get_model

    config = CONFIGS[family]
    model = get_model(**family.arguments(config), seq_len=None)
    layers = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    rows = family.weights(config, training=True)
    assert {row.layer for row in rows} == layers.keys()
    for name, weights in layers.items():
        assert sorted(row.index for row in rows if row.layer == name) == [*range(len(weights))]
    for key, (layer, index, axis) in family.shapes.items():
        assert layers[layer][index].shape[axis] == config[key]
