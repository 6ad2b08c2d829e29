"""BERT written down once more, in NumPy and float64, and a small model to compare with it.

Devlin et al., https://arxiv.org/abs/1810.04805; layer names are those of `get_model`.
"""

import numpy as np
from numpy_functions import gelu_tanh, softmax

from keras_bert import get_model
from keras_bert.backend import models

TINY = {
    "token_num": 40,
    "pos_num": 12,
    "seq_len": 9,
    "embed_dim": 8,
    "transformer_num": 2,
    "head_num": 2,
    "feed_forward_dim": 20,
}
# Full rows, padding, one token, padding between tokens, and nothing but padding.
TOKENS = np.array(
    [
        [2, 5, 9, 6, 39, 8, 10, 11, 3],
        [2, 5, 17, 6, 3, 0, 0, 0, 0],
        [7, 0, 0, 0, 0, 0, 0, 0, 0],
        [2, 5, 0, 6, 3, 9, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
    ],
    "int32",
)
SEGMENTS = np.array([[0] * 4 + [1] * 5, [0] * 3 + [1] * 6, [0] * 9, [1] * 9, [0] * 9], "int32")
MASKED = np.array([[0, 1, 0, 0, 0, 1, 0, 0, 0], [0] * 7 + [1, 0]] + [[1] * 9] * 3, "int32")


def tiny_model(seed=0, **options):
    """A small model of `get_model` whose every weight is drawn, gamma around 1."""
    options = {**TINY, **options}
    built = get_model(**options)
    model = built if options.get("training", True) else models.Model(*built)
    return randomize(model, seed)


def randomize(model, seed=0):
    random = np.random.RandomState(seed)
    for layer in model.layers:
        weights = [random.normal(scale=0.4, size=w.shape) for w in layer.get_weights()]
        if layer.name.endswith("-Norm"):
            weights[0] += 1
        layer.set_weights(weights)
    return model


class NumpyBert:
    """The encoder and its heads, from a model's weights by layer name.

    After `encode`, `hidden` lists the encoder layers' outputs and `maps` their attention.
    """

    def __init__(self, model, head_num=TINY["head_num"], activation=gelu_tanh, epsilon=1e-12):
        self.weights = {
            layer.name: [weight.astype("float64") for weight in layer.get_weights()]
            for layer in model.layers
        }
        self.head_num, self.activation, self.epsilon = head_num, activation, epsilon

    def norm(self, x, name):
        gamma, beta = self.weights[name]
        x = x - x.mean(axis=-1, keepdims=True)
        return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + self.epsilon) * gamma + beta

    def attend(self, x, tokens, name):
        wq, bq, wk, bk, wv, bv, wo, bo = self.weights[name]
        batch, length, units = x.shape

        def heads(kernel, bias):
            split = (x @ kernel + bias).reshape(batch, length, self.head_num, -1)
            return split.transpose(0, 2, 1, 3)

        scores = heads(wq, bq) @ heads(wk, bk).transpose(0, 1, 3, 2)
        scores /= np.sqrt(units / self.head_num)
        shares = softmax(scores - 10000.0 * (tokens == 0)[:, None, None, :])
        self.maps.append(shares)
        attended = (shares @ heads(wv, bv)).transpose(0, 2, 1, 3).reshape(x.shape)
        return attended @ wo + bo

    def encode(self, tokens, segments, tasks=None):
        self.hidden, self.maps = [], []
        x = self.weights["Embedding-Token"][0][tokens]
        x = x + self.weights["Embedding-Segment"][0][segments]
        x = x + self.weights["Embedding-Position"][0][: tokens.shape[1]]
        if tasks is not None:
            x = x + self.weights["Embedding-Task"][0][tasks]
        x = self.norm(x, "Embedding-Norm")
        number = 1
        while f"Encoder-{number}-FeedForward" in self.weights:
            name = f"Encoder-{number}-MultiHeadSelfAttention"
            x = self.norm(x + self.attend(x, tokens, name), f"{name}-Norm")
            name = f"Encoder-{number}-FeedForward"
            w1, b1, w2, b2 = self.weights[name]
            x = self.norm(x + self.activation(x @ w1 + b1) @ w2 + b2, f"{name}-Norm")
            self.hidden.append(x)
            number += 1
        return x

    def mlm(self, hidden):
        kernel, bias = self.weights["MLM-Dense"]
        hidden = self.norm(self.activation(hidden @ kernel + bias), "MLM-Norm")
        table, sim_bias = self.weights["Embedding-Token"][0], self.weights["MLM-Sim"][0]
        return softmax(hidden @ table.T + sim_bias)

    def nsp(self, hidden):
        kernel, bias = self.weights["NSP-Dense"]
        pooled = np.tanh(hidden[:, 0] @ kernel + bias)
        kernel, bias = self.weights["NSP"]
        return softmax(pooled @ kernel + bias)
