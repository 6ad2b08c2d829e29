import gc

from keras_bert import Tokenizer
from keras_bert.loader import text_settings
from keras_bert.loader.text_settings import TextSettings, remember, settings_of


class Model:
    """Stands in for a model."""


def test_settings_last_as_long_as_their_model():
    settings = TextSettings(Tokenizer({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}), max_length=64)
    first, second = Model(), Model()
    remember(first, settings)
    assert settings_of(first) is settings
    assert settings_of(second) is None
    gc.collect()
    before = len(text_settings._settings)
    del first
    gc.collect()
    assert len(text_settings._settings) == before - 1
