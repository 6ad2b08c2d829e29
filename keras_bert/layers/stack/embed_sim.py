"""The layers of keras-embed-sim, which old files may name."""

from ...backend import TF_KERAS

if TF_KERAS:
    from keras_embed_sim import EmbeddingRet, EmbeddingSim
else:
    from ..embed_sim import EmbeddingRet, EmbeddingSim

__all__ = ["EmbeddingRet", "EmbeddingSim"]
