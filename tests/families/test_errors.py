"""The error of a configuration under its names."""

import keras_bert
from keras_bert.families import ConfigError
from keras_bert.families.configuration import ConfigError as SameError


def test_it_is_a_value_error_and_public():
    assert keras_bert.ConfigError is ConfigError is SameError
    assert issubclass(ConfigError, ValueError)
