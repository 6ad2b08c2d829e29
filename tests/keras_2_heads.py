"""Models with all kinds of heads, and a script that saves them with Keras 2.

    TF_KERAS=1 python keras_2_heads.py FOLDER

writes each as an `.h5` file, and what it predicts in `predictions.npz`. Weights are random, but the
same in every run.
"""

import sys
from pathlib import Path

import numpy as np

from keras_bert import get_model
from keras_bert.backend import layers, models

SIZE, LENGTH = 12, 10


def batch():
    """Token and segment ids of rows of every length; the last has padding inside."""
    random = np.random.RandomState(0)
    tokens = random.randint(5, 40, (6, LENGTH))
    for row, length in enumerate((10, 7, 4, 9, 2, 10)):
        tokens[row, length:] = 0
    tokens[5, 4] = 0
    return [tokens, (np.arange(LENGTH) >= 5) * (tokens > 0)]


def average(features):
    return layers.GlobalAveragePooling1D()(features)


def recurrent(features):
    return layers.LSTM(3)(features)


def without_mask(features):
    """Features of the same shape that have lost their mask."""
    return layers.Conv1D(SIZE, 1)(layers.Reshape((LENGTH, SIZE))(layers.Flatten()(features)))


def dense(features, units=SIZE, **options):
    return layers.Dense(units, **options)(features)


def activation(name):
    return lambda x: layers.Activation(name)(x)


MERGING = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")


def merged(name, first, second):
    return getattr(layers, name)()([first, second])


HEADS = {
    "average": average,
    "maximum": lambda x: layers.GlobalMaxPooling1D()(x),
    "flat": lambda x: layers.Flatten()(dense(x, 2)),
    "LSTM backwards": lambda x: layers.LSTM(4, go_backwards=True, return_sequences=True)(x),
    "GRU": lambda x: layers.GRU(4)(x),
    "GRU of Keras 2.2": lambda x: layers.GRU(
        4, reset_after=False, recurrent_activation="hard_sigmoid"
    )(x),
    "SimpleRNN": lambda x: layers.SimpleRNN(4, return_sequences=True)(x),
    "Bidirectional": lambda x: layers.Bidirectional(
        layers.LSTM(4, return_sequences=True), merge_mode="sum"
    )(x),
    "RNN": lambda x: layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)])(x),
    "Conv1D": lambda x: average(layers.Conv1D(4, 3, padding="causal", dilation_rate=2)(x)),
    "Conv1DTranspose": lambda x: layers.Conv1DTranspose(4, 3)(x),
    "SeparableConv1D": lambda x: layers.SeparableConv1D(4, 3, padding="same")(x),
    "pools": lambda x: layers.AveragePooling1D(2)(layers.MaxPooling1D(2)(x)),
    "sizes": lambda x: layers.Cropping1D(1)(layers.ZeroPadding1D(2)(layers.UpSampling1D(2)(x))),
    "TimeDistributed": lambda x: average(layers.TimeDistributed(layers.Dense(3))(x)),
    "Permute": lambda x: average(layers.Permute((2, 1))(x)),
    "RepeatVector": lambda x: layers.RepeatVector(3)(average(x)),
    "normalized": lambda x: layers.LayerNormalization()(layers.BatchNormalization()(x)),
    "PReLU": lambda x: layers.PReLU()(layers.LeakyReLU(0.1)(layers.ELU(0.7)(x))),
    "LeakyReLU": lambda x: layers.LeakyReLU()(x),
    "ReLU": lambda x: layers.ReLU(max_value=1.0, negative_slope=0.2, threshold=0.1)(x),
    "noise": lambda x: average(layers.SpatialDropout1D(0.3)(layers.GaussianNoise(0.3)(x))),
    "Masking": lambda x: recurrent(layers.Masking(0.0)(x)),
    "Dot": lambda x: layers.Dot(axes=2, normalize=True)([x, dense(x)]),
    "Attention": lambda x: average(layers.Attention(use_scale=True)([x, dense(x)])),
    "AdditiveAttention": lambda x: average(layers.AdditiveAttention()([x, x])),
    "Sequential": lambda x: models.Sequential(
        [layers.Dense(4, activation="hard_sigmoid", input_shape=(LENGTH, SIZE)), layers.LSTM(3)]
    )(x),
    "slice": lambda x: x[:, 0],
    "new axis": lambda x: layers.Flatten()(x[:, None, 2]),
    "slices": lambda x: recurrent(layers.Concatenate()([x[:, 1:-1, ::2], x[:, 2:, 1::2]])),
    **{f"{name} of masked": lambda x, n=name: merged(n, x, dense(x)) for name in MERGING},
    **{
        f"{name} of one mask": lambda x, n=name: average(merged(n, x, without_mask(x)))
        for name in MERGING
    },
    **{
        f"{name} of the other mask": lambda x, n=name: recurrent(merged(n, without_mask(x), x))
        for name in MERGING
    },
    "Concatenate": lambda x: average(layers.Concatenate()([x, dense(x, 2), dense(x, 3)])),
    "Concatenate of one mask": lambda x: average(layers.Concatenate()([without_mask(x), x])),
    "Concatenate along positions, from the end": lambda x: average(
        layers.Concatenate(axis=-2)([x, dense(x)])
    ),
    "Concatenate along positions of one mask": lambda x: average(
        layers.Concatenate(axis=1)([dense(x, 1), dense(without_mask(x), 1)])
    ),
    "Concatenate along positions": lambda x: recurrent(layers.Concatenate(axis=1)([x, dense(x)])),
    **{
        name: activation(name)
        for name in ("elu", "selu", "softsign", "softplus", "exponential", "swish", "hard_sigmoid")
    },
}


def build(name):
    inputs, features = get_model(
        token_num=40,
        pos_num=LENGTH,
        seq_len=LENGTH,
        embed_dim=SIZE,
        transformer_num=1,
        head_num=2,
        feed_forward_dim=20,
        training=False,
    )
    model = models.Model(inputs, HEADS[name](features))
    random = np.random.RandomState(3)
    drawn = [random.normal(scale=0.3, size=each.shape) for each in model.get_weights()]
    for index, weight in enumerate(model.weights):
        if "variance" in weight.name:
            drawn[index] = np.abs(drawn[index])
    model.set_weights(drawn)
    return model


def write(folder):
    folder, predictions = Path(folder), {}
    for name in HEADS:
        model = build(name)
        model.save(folder / f"{name}.h5")
        predictions[name] = model.predict(batch(), verbose=0)
    np.savez(folder / "predictions.npz", **predictions)


if __name__ == "__main__":
    write(sys.argv[1])
