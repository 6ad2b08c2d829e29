"""Layer normalization: the small package's under Keras 2, Keras' own on Keras 3.

Both take the same arguments and hold the weights gamma, beta in this order.
"""

from __future__ import annotations

from ..backend import TF_KERAS, layers

if TF_KERAS:
    from keras_layer_normalization import LayerNormalization
else:
    LayerNormalization = layers.LayerNormalization

__all__ = ["LayerNormalization"]
