"""BERT's weights under the names of Google's code and of Hugging Face's, written down once more."""

import re

import numpy as np
from safetensors.numpy import save_file

from keras_bert.checkpoints import open_checkpoint, write_tensor_bundle

# What google-research/bert's modeling.py and run_pretraining.py create, with their shapes, for the
# layer that serves: (name, shape, layer of the model, index in its weights).
GOOGLE_ENCODER_LAYER = """
attention/self/query/kernel                 4,4  MultiHeadSelfAttention       0
attention/self/query/bias                   4    MultiHeadSelfAttention       1
attention/self/key/kernel                   4,4  MultiHeadSelfAttention       2
attention/self/key/bias                     4    MultiHeadSelfAttention       3
attention/self/value/kernel                 4,4  MultiHeadSelfAttention       4
attention/self/value/bias                   4    MultiHeadSelfAttention       5
attention/output/dense/kernel               4,4  MultiHeadSelfAttention       6
attention/output/dense/bias                 4    MultiHeadSelfAttention       7
attention/output/LayerNorm/gamma            4    MultiHeadSelfAttention-Norm  0
attention/output/LayerNorm/beta             4    MultiHeadSelfAttention-Norm  1
intermediate/dense/kernel                   4,6  FeedForward                  0
intermediate/dense/bias                     6    FeedForward                  1
output/dense/kernel                         6,4  FeedForward                  2
output/dense/bias                           4    FeedForward                  3
output/LayerNorm/gamma                      4    FeedForward-Norm             0
output/LayerNorm/beta                       4    FeedForward-Norm             1
"""
GOOGLE_EMBEDDINGS = """
bert/embeddings/word_embeddings             11,4 Embedding-Token              0
bert/embeddings/token_type_embeddings       2,4  Embedding-Segment            0
bert/embeddings/position_embeddings         7,4  Embedding-Position           0
bert/embeddings/LayerNorm/gamma             4    Embedding-Norm               0
bert/embeddings/LayerNorm/beta              4    Embedding-Norm               1
"""
GOOGLE_HEADS = """
bert/pooler/dense/kernel                    4,4  NSP-Dense                    0
bert/pooler/dense/bias                      4    NSP-Dense                    1
cls/predictions/transform/dense/kernel      4,4  MLM-Dense                    0
cls/predictions/transform/dense/bias        4    MLM-Dense                    1
cls/predictions/transform/LayerNorm/gamma   4    MLM-Norm                     0
cls/predictions/transform/LayerNorm/beta    4    MLM-Norm                     1
cls/predictions/output_bias                 11   MLM-Sim                      0
cls/seq_relationship/output_weights         2,4  NSP                          0
cls/seq_relationship/output_bias            2    NSP                          1
"""


def expected_rows(transformer_num, training):
    """Yield (name, shape in the file, layer, index) in the model's order."""
    text = [line.split() for line in GOOGLE_EMBEDDINGS.split("\n") if line]
    for number in range(transformer_num):
        for name, *rest, layer, index in map(str.split, GOOGLE_ENCODER_LAYER.strip().split("\n")):
            prefix = f"bert/encoder/layer_{number}/"
            text.append([prefix + name, *rest, f"Encoder-{number + 1}-{layer}", index])
    if training:
        text += [line.split() for line in GOOGLE_HEADS.split("\n") if line]
    for name, shape, layer, index in text:
        yield name, tuple(map(int, shape.split(","))), layer, int(index)


def google_tensors(transformer_num, training):
    generator = np.random.default_rng(transformer_num)
    return {
        name: generator.normal(size=shape).astype(np.float32)
        for name, shape, _, _ in expected_rows(transformer_num, training)
    }


def huggingface_tensors(google):
    """Rename and turn by the rules of transformers' own conversion from Google's files."""
    result = {}
    for name, array in google.items():
        if name.endswith("kernel"):
            array = array.T
        for pattern, replacement in [
            (r"layer_(\d+)", r"layer.\1"),
            ("/", "."),
            (r"\b(kernel|gamma|output_weights)$", "weight"),
            (r"\b(beta|output_bias)$", "bias"),
            (r"(_embeddings)$", r"\1.weight"),
        ]:
            name = re.sub(pattern, replacement, name)
        result[name] = np.ascontiguousarray(array)
    return result


def open_bundle(folder, tensors):
    write_tensor_bundle(folder / "model.ckpt", tensors)
    return open_checkpoint(folder / "model.ckpt")


def open_safetensors(folder, tensors):
    save_file(tensors, folder / "model.safetensors")
    return open_checkpoint(folder / "model.safetensors")
