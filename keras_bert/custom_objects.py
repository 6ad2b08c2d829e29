"""Every class and function that a saved model may name."""

from __future__ import annotations

from .activations import gelu_erf, gelu_tanh
from .layers import (
    Add,
    EmbeddingSimilarity,
    Extract,
    FeedForward,
    LayerNormalization,
    Masked,
    MaskedConv1D,
    MaskedGlobalMaxPool1D,
    MultiHeadAttention,
    PositionEmbedding,
    TaskEmbedding,
    TokenEmbedding,
)
from .layers.embed_sim import EmbeddingRet, EmbeddingSim
from .layers.trig_pos_embd import TrigPosEmbedding
from .optimizers import AdamWarmup


def get_custom_objects():
    """What `load_model(path, custom_objects=...)` needs for files of this package and of 0.8x.

    On Keras 3 "Add" is among them: files of Keras 2 rely on an addition that keeps the mask of its
    inputs, which Keras 3's does not.

    Returns:
        A new dict, name to class or function.
    """
    return {
        "gelu": gelu_tanh,
        "gelu_tanh": gelu_tanh,
        "gelu_erf": gelu_erf,
        "Add": Add,
        "LayerNormalization": LayerNormalization,
        "MultiHeadAttention": MultiHeadAttention,
        "FeedForward": FeedForward,
        "PositionEmbedding": PositionEmbedding,
        "TrigPosEmbedding": TrigPosEmbedding,
        "TokenEmbedding": TokenEmbedding,
        "EmbeddingSimilarity": EmbeddingSimilarity,
        "EmbeddingRet": EmbeddingRet,
        "EmbeddingSim": EmbeddingSim,
        "TaskEmbedding": TaskEmbedding,
        "Masked": Masked,
        "Extract": Extract,
        "MaskedGlobalMaxPool1D": MaskedGlobalMaxPool1D,
        "MaskedConv1D": MaskedConv1D,
        "AdamWarmup": AdamWarmup,
    }
