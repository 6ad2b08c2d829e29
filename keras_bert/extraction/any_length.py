"""Running a model at other lengths than the one it was built for."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from functools import cache

from .. import layers
from ..backend import copy_on_inputs, keras, operations, renew_weights
from ..backend.kept import made_once
from ..layers import FirstTokens, PositionEmbedding, TokenEmbedding
from ..layers.embedding import Embedding
from ..saving.custom_objects import get_custom_objects

# They treat every position alike and keep the mask, so that padding changes nothing before it.
_KNOWN_LAYERS = (
    *(keras.layers.InputLayer, keras.layers.Concatenate),
    *(keras.layers.Dropout, layers.Dropout, layers.Add, layers.LayerNormalization),
    *(keras.layers.Embedding, Embedding, TokenEmbedding, PositionEmbedding),
    *(layers.MultiHeadAttention, layers.FeedForward, FirstTokens),
    *(keras.layers.Dense, layers.TaskEmbedding),  # of relatives of BERT
    *(layers.TextPooling, keras.layers.UnitNormalization),  # of sentence models
)


def runs_at_any_length(model) -> bool:
    """Whether features of a text do not depend on how far it is padded.

    That is known of functional models made of this package's encoder layers alone, with a mask.
    """
    if not consists_of_known_layers(model):
        return False
    masks = [layer.mask_zero for layer in model.layers if isinstance(layer, TokenEmbedding)]
    return any(masks) and all(map(_works_on_features, model.layers))


def consists_of_known_layers(model) -> bool:
    """Whether a model is a functional one, no subclass, of the layers of an encoder alone."""
    is_functional = type(model) is _functional_class()  # a subclass may compute anything
    return is_functional and all(type(each) in _KNOWN_LAYERS for each in operations(model))


@cache
def _functional_class() -> type:
    # Of names of their own, lest a user's models are counted differently.
    inputs = keras.layers.Input(shape=(1,), name="input")
    return type(keras.Model(inputs, inputs, name="functional"))


def _works_on_features(layer) -> bool:
    axis = getattr(layer, "axis", -1)
    return (axis if isinstance(axis, int) else list(axis)) in (-1, 2, [-1], [2])


def any_length_twin(model):
    """A model for any length with the weights and outputs of a model for one length.

    The model is one of which `runs_at_any_length` is true, and stays as it was. On Keras 3 the twin
    is made of the model's own layers, and made once. On Keras 2, where a layer called twice no
    longer has an `output`, it is made of copies, whose weights are renewed at each call.
    """
    twin = made_once(_twins, model, model, _make_twin)
    renew_weights(twin, model)
    return twin


_twins: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def _make_twin(model):
    inputs = [
        keras.layers.Input(shape=(None,), dtype=each.dtype, name=f"{each.name.split(':')[0]}-Any")
        for each in model.inputs
    ]
    return copy_on_inputs(model, inputs, get_custom_objects())


def position_num(model) -> int | None:
    """The number of positions that a model has, None if nothing limits its length."""
    tables = [layer for layer in _all_layers(model) if isinstance(layer, PositionEmbedding)]
    rows = [each.input_dim for each in tables if each.mode != PositionEmbedding.MODE_EXPAND]
    return min(rows, default=None)


def token_num(model) -> int | None:
    """The number of rows in a model's token table, None if it has no such layer."""
    tables = [layer for layer in _all_layers(model) if isinstance(layer, TokenEmbedding)]
    return min((each.input_dim for each in tables), default=None)


def segment_num(model) -> int | None:
    """The number of segments that a model distinguishes, None if it has no such layer."""
    tables = [layer for layer in _all_layers(model) if layer.name == "Embedding-Segment"]
    return min((each.input_dim for each in tables), default=None)


def _all_layers(model) -> Iterator:
    """The layers of a model and of the models inside it."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _all_layers(layer)


def gives_first_tokens_only(model) -> bool:
    """Whether a model was built with `output_len`."""
    return any(isinstance(layer, FirstTokens) for layer in model.layers)
