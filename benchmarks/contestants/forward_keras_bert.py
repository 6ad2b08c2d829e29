"""keras_bert, this version or 0.89, computes features by `predict_on_batch`; see forward.py."""

import sys

from forward_shared import HEADS, HIDDEN, LAYERS, SIZE, VOCABULARY, serve_forward
from shared import set_policy

from keras_bert import get_model

try:
    from keras_bert.backend import keras
except ModuleNotFoundError:  # 0.89 has no such module
    from tensorflow import keras

dtype, calls, activation = sys.argv[1:]
if dtype != "float32":
    set_policy(dtype)
inputs, features = get_model(
    VOCABULARY,
    seq_len=None,
    embed_dim=SIZE,
    transformer_num=LAYERS,
    head_num=HEADS,
    feed_forward_dim=HIDDEN,
    feed_forward_activation=activation,
    training=False,
)
model = keras.models.Model(inputs, features)


def compute(tokens, segments):
    model.predict_on_batch([tokens, segments])


serve_forward(compute, calls)
