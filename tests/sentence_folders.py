"""Folders of sentence-transformers with random weights, and what they mean, in NumPy."""

import json
import math

import numpy as np
from relatives import write_relative
from safetensors.numpy import save_file

from keras_bert.families import BERT

TEXTS = ["a b c d", "", "e", "abc xyz", "a b c d e f g h i j k l m n o p q r s t u v", "x ||| y z"]
TYPES = "sentence_transformers.models"
OLD_KEYS = {
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "mean": "pooling_mode_mean_tokens",
    "mean_sqrt_len": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}
ACTIVATIONS = {"Tanh": np.tanh, "ReLU": lambda x: np.maximum(x, 0), "Identity": lambda x: x}


def write_sentence_folder(
    folder,
    poolings=("mean",),
    dense=(),
    normalize=True,
    family=BERT,
    settings=None,
    transformer=None,
    pooling=None,
    inside="",
):
    """Write a folder as sentence-transformers 2 did; returns each dense layer's kernel and bias.

    `dense` lists pairs of an output size and the name of an activation.
    """
    write_relative(folder / inside, family)
    width = 12 * len(poolings)
    modules = [("Transformer", inside), ("Pooling", "1_Pooling")]
    old = {key: name in poolings for name, key in OLD_KEYS.items()}
    write(folder / "1_Pooling", pooling or {"word_embedding_dimension": 12, **old})
    random, weights = np.random.default_rng(1), []
    for size, activation in dense:
        path = f"{len(modules)}_Dense"
        modules.append(("Dense", path))
        kernel, bias = random.normal(0, 0.5, (width, size)), random.normal(0, 0.5, size)
        weights.append((kernel.astype("float32"), bias.astype("float32")))
        layer = "linear" if activation == "Identity" else "activation"
        config = {"in_features": width, "out_features": size, "bias": True}
        config["activation_function"] = f"torch.nn.modules.{layer}.{activation}"
        write(folder / path, config)
        tensors = {"linear.weight": np.ascontiguousarray(kernel.T), "linear.bias": bias}
        tensors = {name: each.astype("float32") for name, each in tensors.items()}
        save_file(tensors, folder / path / "model.safetensors")
        width = size
    if normalize:
        modules.append(("Normalize", f"{len(modules)}_Normalize"))
    listed = [
        {"idx": index, "name": str(index), "path": path, "type": f"{TYPES}.{kind}"}
        for index, (kind, path) in enumerate(modules)
    ]
    (folder / "modules.json").write_text(json.dumps(listed), "utf-8")
    transformer = {"max_seq_length": 10, "do_lower_case": False} | (transformer or {})
    write(folder / inside, transformer, "sentence_bert_config.json")
    if settings is not None:
        write(folder, settings, "config_sentence_transformers.json")
    return weights


def write(folder, content, name="config.json"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content), "utf-8")


def pooled(features, poolings):
    """The vector of one text from the features (n, D) of its tokens, by the formulas."""
    count = len(features)
    weights = np.arange(1, count + 1)[:, None]
    return np.concatenate(
        [
            {
                "cls": features[0],
                "max": features.max(axis=0),
                "mean": features.sum(axis=0) / count,
                "mean_sqrt_len": features.sum(axis=0) / math.sqrt(count),
                "weightedmean": (weights * features).sum(axis=0) / weights.sum(),
                "lasttoken": features[-1],
            }[each]
            for each in poolings
        ]
    )


def vectors_by_hand(features, poolings, dense=(), weights=(), normalize=True):
    vectors = np.stack([pooled(each, poolings) for each in features])
    for (_, activation), (kernel, bias) in zip(dense, weights, strict=True):
        vectors = ACTIVATIONS[activation](vectors @ kernel + bias)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True) if normalize else vectors
