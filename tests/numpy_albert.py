"""ALBERT written down once more, in NumPy and float64, over tensors under Google's names.

Lan et al., https://arxiv.org/abs/1909.11942, and google-research/albert's `modeling.py`.
"""

from math import sqrt

import numpy as np
from numpy_functions import gelu_tanh, softmax

# A full row, padding, and padding between tokens.
TOKENS = np.array([[2, 5, 9, 6, 29, 8, 3], [2, 7, 4, 3, 0, 0, 0], [5, 0, 6, 3, 9, 0, 0]], "int32")
SEGMENTS = np.array([[0, 0, 0, 1, 1, 1, 1], [0] * 7, [0, 0, 1, 1, 1, 0, 0]], "int32")


class NumpyAlbert:
    """The encoder and its heads.

    After `encode`, `hidden` lists the encoder layers' outputs, and `maps` their attention.
    """

    def __init__(self, tensors, config, activation=gelu_tanh):
        self.tensors = {name: array.astype("float64") for name, array in tensors.items()}
        self.layers, self.heads = config["num_hidden_layers"], config["num_attention_heads"]
        self.groups, self.inner_groups = config["num_hidden_groups"], config["inner_group_num"]
        self.activation, self.epsilon = activation, config.get("layer_norm_eps", 1e-12)

    def dense(self, x, name):
        return x @ self.tensors[f"{name}/kernel"] + self.tensors[f"{name}/bias"]

    def norm(self, x, name):
        x = x - x.mean(axis=-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + self.epsilon)
        return x * self.tensors[f"{name}/gamma"] + self.tensors[f"{name}/beta"]

    def attend(self, x, tokens, name):
        def split(values):
            return values.reshape(*values.shape[:2], self.heads, -1).swapaxes(1, 2)

        query, key, value = (
            split(self.dense(x, f"{name}/self/{each}")) for each in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(2, 3) / sqrt(query.shape[-1])
        scores += np.where(tokens == 0, -10000.0, 0.0)[:, None, None]
        self.maps.append(softmax(scores))
        context = (self.maps[-1] @ value).swapaxes(1, 2).reshape(x.shape)
        return self.dense(context, f"{name}/output/dense")

    def layer(self, x, tokens, name):
        attended = self.attend(x, tokens, f"{name}/attention_1")
        x = self.norm(x + attended, f"{name}/LayerNorm")
        raised = self.activation(self.dense(x, f"{name}/ffn_1/intermediate/dense"))
        lowered = self.dense(raised, f"{name}/ffn_1/intermediate/output/dense")
        return self.norm(x + lowered, f"{name}/LayerNorm_1")

    def table(self):
        return self.tensors["bert/embeddings/word_embeddings"]

    def embed(self, tokens, segments):
        x = self.table()[tokens]
        x = x + self.tensors["bert/embeddings/token_type_embeddings"][segments]
        x = x + self.tensors["bert/embeddings/position_embeddings"][: tokens.shape[1]]
        x = self.norm(x, "bert/embeddings/LayerNorm")
        return self.dense(x, "bert/encoder/embedding_hidden_mapping_in")

    def encode(self, tokens, segments):
        x = self.embed(tokens, segments)
        self.hidden, self.maps = [], []
        for number in range(self.layers):
            group = int(number / self.layers * self.groups)
            for inner in range(self.inner_groups):
                name = f"bert/encoder/transformer/group_{group}/inner_group_{inner}"
                x = self.layer(x, tokens, name)
            self.hidden.append(x)
        return x

    def masked_words(self, encoded):
        x = self.activation(self.dense(encoded, "cls/predictions/transform/dense"))
        x = self.norm(x, "cls/predictions/transform/LayerNorm")
        return softmax(x @ self.table().T + self.tensors["cls/predictions/output_bias"])

    def sentence_order(self, encoded):
        pooled = np.tanh(self.dense(encoded[:, 0], "bert/pooler/dense"))
        logits = pooled @ self.tensors["cls/seq_relationship/output_weights"].T
        return softmax(logits + self.tensors["cls/seq_relationship/output_bias"])
