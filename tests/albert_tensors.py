"""ALBERT's weights as Google and Hugging Face name them, written down once more."""

import json

import numpy as np
from safetensors.numpy import save_file

from keras_bert.checkpoints import write_tensor_bundle

CONFIG = {
    "vocab_size": 30,
    "embedding_size": 6,
    "hidden_size": 12,
    "num_hidden_layers": 3,
    "num_hidden_groups": 1,
    "inner_group_num": 1,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "hidden_act": "gelu",
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
    "hidden_dropout_prob": 0.0,
    # What Google's files say of what they have none.
    "net_structure_type": 0,
    "gap_size": 0,
    "num_memory_blocks": 0,
    "down_scale_factor": 1,
}

# What google-research/albert's modeling.py and run_pretraining.py create: name, shape, and name in
# files of Hugging Face's, whose Linear layers have their kernels the other way round.
EMBEDDINGS = """
bert/embeddings/word_embeddings         V,E  albert.embeddings.word_embeddings.weight
bert/embeddings/token_type_embeddings   T,E  albert.embeddings.token_type_embeddings.weight
bert/embeddings/position_embeddings     P,E  albert.embeddings.position_embeddings.weight
bert/embeddings/LayerNorm/gamma         E    albert.embeddings.LayerNorm.weight
bert/embeddings/LayerNorm/beta          E    albert.embeddings.LayerNorm.bias
bert/encoder/embedding_hidden_mapping_in/kernel  E,H  albert.encoder.embedding_hidden_mapping_in.weight
bert/encoder/embedding_hidden_mapping_in/bias    H    albert.encoder.embedding_hidden_mapping_in.bias
"""  # noqa: E501 - a table
LAYER = """
attention_1/self/query/kernel           H,H  attention.query.weight
attention_1/self/query/bias             H    attention.query.bias
attention_1/self/key/kernel             H,H  attention.key.weight
attention_1/self/key/bias               H    attention.key.bias
attention_1/self/value/kernel           H,H  attention.value.weight
attention_1/self/value/bias             H    attention.value.bias
attention_1/output/dense/kernel         H,H  attention.dense.weight
attention_1/output/dense/bias           H    attention.dense.bias
LayerNorm/gamma                         H    attention.LayerNorm.weight
LayerNorm/beta                          H    attention.LayerNorm.bias
ffn_1/intermediate/dense/kernel         H,I  ffn.weight
ffn_1/intermediate/dense/bias           I    ffn.bias
ffn_1/intermediate/output/dense/kernel  I,H  ffn_output.weight
ffn_1/intermediate/output/dense/bias    H    ffn_output.bias
LayerNorm_1/gamma                       H    full_layer_layer_norm.weight
LayerNorm_1/beta                        H    full_layer_layer_norm.bias
"""
HEADS = """
bert/pooler/dense/kernel                   H,H  albert.pooler.weight
bert/pooler/dense/bias                     H    albert.pooler.bias
cls/predictions/transform/dense/kernel     H,E  predictions.dense.weight
cls/predictions/transform/dense/bias       E    predictions.dense.bias
cls/predictions/transform/LayerNorm/gamma  E    predictions.LayerNorm.weight
cls/predictions/transform/LayerNorm/beta   E    predictions.LayerNorm.bias
cls/predictions/output_bias                V    predictions.bias
cls/seq_relationship/output_weights        2,H  sop_classifier.classifier.weight
cls/seq_relationship/output_bias           2    sop_classifier.classifier.bias
"""


def rows(config):
    """List (Google's name, shape there, Hugging Face's name)."""
    found = [line.split() for line in EMBEDDINGS.strip().split("\n")]
    for group in range(config["num_hidden_groups"]):
        for inner in range(config["inner_group_num"]):
            google = f"bert/encoder/transformer/group_{group}/inner_group_{inner}/"
            other = f"albert.encoder.albert_layer_groups.{group}.albert_layers.{inner}."
            for name, shape, huggingface in map(str.split, LAYER.strip().split("\n")):
                found.append((google + name, shape, other + huggingface))
    found += [line.split() for line in HEADS.strip().split("\n")]
    sizes = {
        **{"V": config["vocab_size"], "T": config["type_vocab_size"], "2": 2},
        **{"P": config["max_position_embeddings"], "E": config["embedding_size"]},
        **{"H": config["hidden_size"], "I": config["intermediate_size"]},
    }
    return [
        (name, tuple(sizes[axis] for axis in shape.split(",")), huggingface)
        for name, shape, huggingface in found
    ]


def random_tensor(random, name, shape):
    """Numbers that make every part count: around 0, or 1 for gammas."""
    values = random.normal(0, 0.3, shape).astype("float32")
    return values + 1 if name.endswith("/gamma") else values


def google_tensors(config, seed=0):
    random = np.random.default_rng(seed)
    return {name: random_tensor(random, name, shape) for name, shape, _ in rows(config)}


def huggingface_tensors(google, config):
    names = {name: huggingface for name, _, huggingface in rows(config)}
    return {
        names[name]: np.ascontiguousarray(array.T if name.endswith("/kernel") else array)
        for name, array in google.items()
    }


def write_folder(folder, config, naming, google=None, prefix="albert."):
    """Write configuration and checkpoint; returns their paths and Google's tensors.

    Hugging Face's files of an encoder alone have no prefix.
    """
    google = google_tensors(config) if google is None else google
    folder.mkdir(exist_ok=True)
    if naming == "google":
        config_file, checkpoint = folder / "albert_config.json", folder / "model.ckpt-best"
        write_tensor_bundle(checkpoint, google)
    else:
        config = {"model_type": "albert", **config}
        config_file, checkpoint = folder / "config.json", folder / "model.safetensors"
        tensors = huggingface_tensors(google, config)
        without = len("albert.") if prefix == "" else 0
        save_file({name[without:]: each for name, each in tensors.items()}, checkpoint)
    config_file.write_text(json.dumps(config), "utf-8")
    return config_file, checkpoint, google
