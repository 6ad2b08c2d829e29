"""KerasHub learns by `fit` with Keras' AdamW; see training.py."""

import sys

import keras
import keras_hub
from shared import serve
from training_shared import VOCABULARY, make_texts

*sizes, dtype, plain, _ = sys.argv[1:]
steps, batch_size, length, layers, size = map(int, sizes)
plain = plain == "1"
tokens, segments, labels = make_texts(steps * batch_size, length, not plain)
arrays = {"token_ids": tokens, "segment_ids": segments, "padding_mask": tokens != 0}
keras.config.set_dtype_policy(dtype if dtype == "float32" else f"mixed_{dtype}")
backbone = keras_hub.models.BertBackbone(
    vocabulary_size=VOCABULARY,
    num_layers=layers,
    num_heads=12,
    hidden_dim=size,
    intermediate_dim=4 * size,
)
head = keras.layers.Dense(2, activation="softmax", dtype="float32")
model = keras.Model(backbone.input, head(backbone.output["sequence_output"][:, 0]))
optimizer = keras.optimizers.AdamW(2e-5, weight_decay=0.01)
model.compile(optimizer, loss="sparse_categorical_crossentropy")


def learn():
    model.fit(arrays, labels, batch_size=batch_size, shuffle=False, verbose=0)


serve(learn)
