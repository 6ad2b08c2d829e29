"""Layer normalization of keras-layer-normalization."""

from __future__ import annotations

import keras_layer_normalization

from ...backend import unconverted
from ..normalization import NormalizationCall


@unconverted
class LayerNormalization(NormalizationCall, keras_layer_normalization.LayerNormalization):
    """The small package's layer, computed by fewer operations where TensorFlow has one."""
