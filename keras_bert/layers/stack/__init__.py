"""The layers of an encoder: on Keras 3 this package's own, on Keras 2 those of the small packages.

Names, arguments, configurations and the order of the weights are the same in both, so that files
cross.
"""

from ...backend import TF_KERAS, layers

if TF_KERAS:
    from keras_pos_embd import TrigPosEmbedding

    from .keras_2 import FeedForward, LayerNormalization, MultiHeadAttention, PositionEmbedding

    Add = layers.Add
    Dropout = layers.Dropout
else:
    from ..add import Add
    from ..attention import MultiHeadAttention
    from ..dropout import Dropout
    from ..feed_forward import FeedForward
    from ..normalization import LayerNormalization
    from ..position_embedding import PositionEmbedding
    from ..trig_pos_embd import TrigPosEmbedding

__all__ = ["Add", "Dropout", "FeedForward", "LayerNormalization", "MultiHeadAttention"]
__all__ += ["PositionEmbedding", "TrigPosEmbedding"]
