"""keras_bert learns by `fit`; see training.py."""

import sys

from shared import serve, set_policy
from training_shared import VOCABULARY, make_texts

from keras_bert import AdamWarmup, get_model
from keras_bert.backend import keras
from keras_bert.layers import Extract

*sizes, dtype, plain, optimizer_name = sys.argv[1:]
steps, batch_size, length, layers, size = map(int, sizes)
plain = plain == "1"
tokens, segments, labels = make_texts(steps * batch_size, length, not plain)
set_policy(dtype if dtype == "float32" else f"mixed_{dtype}")
inputs, features = get_model(
    VOCABULARY,
    seq_len=length,
    embed_dim=size,
    transformer_num=layers,
    head_num=12,
    feed_forward_dim=4 * size,
    feed_forward_activation="gelu_erf",
    training=False,
    trainable=True,
    output_len=None if plain else 1,
)
head = keras.layers.Dense(2, activation="softmax", dtype="float32")
first = keras.layers.Lambda(lambda x: x[:, 0]) if plain else Extract(0)
if optimizer_name == "AdamW":
    optimizer = keras.optimizers.AdamW(2e-5, weight_decay=0.01)
else:
    optimizer = AdamWarmup(10000, 1000, learning_rate=2e-5, weight_decay=0.01)
model = keras.models.Model(inputs, head(first(features)))
model.compile(optimizer, loss="sparse_categorical_crossentropy")


def learn():
    model.fit([tokens, segments], labels, batch_size=batch_size, shuffle=False, verbose=0)


serve(learn)
