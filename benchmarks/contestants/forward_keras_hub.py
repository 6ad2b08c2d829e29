"""KerasHub computes features by `predict_on_batch`; see forward.py."""

import sys

import keras
import keras_hub
from forward_shared import HEADS, HIDDEN, LAYERS, SIZE, VOCABULARY, serve_forward

dtype, calls, _ = sys.argv[1:]  # its GELU has the tanh form only
keras.config.set_dtype_policy(dtype)
backbone = keras_hub.models.BertBackbone(
    vocabulary_size=VOCABULARY,
    num_layers=LAYERS,
    num_heads=HEADS,
    hidden_dim=SIZE,
    intermediate_dim=HIDDEN,
)


def compute(tokens, segments):
    backbone.predict_on_batch(
        {"token_ids": tokens, "segment_ids": segments, "padding_mask": tokens != 0}
    )


serve_forward(compute, calls)
