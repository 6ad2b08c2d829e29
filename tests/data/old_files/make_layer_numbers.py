"""Writes `layers.npz` and `gen_batch_inputs.json`: what the old packages' layers compute.

Run from this folder with keras-bert 0.89.0 on tensorflow-cpu 2.15.1 and the packages that
`make_old_files.py` lists: `python make_layer_numbers.py`. Seeded. Keys are `case/inputs_0`,
`case/mask_0` (the mask of that input, where it has one), `case/weights_0` in the order of
`get_weights`, `case/outputs_0` and `case/output_mask_0`; `cases` is a JSON object that has each
case's class and constructor arguments.
"""

# ruff: noqa: E402, I001  (the patch and the environment come before the imports they serve)

import json
import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import tensorflow as tf
import tensorflow.keras.optimizers

tf.keras.optimizers.Optimizer = tf.keras.optimizers.legacy.Optimizer

import keras_bert
from keras_bert import layers
from keras_embed_sim import EmbeddingRet, EmbeddingSim
from keras_layer_normalization import LayerNormalization
from keras_multi_head import MultiHeadAttention
from keras_pos_embd import PositionEmbedding, TrigPosEmbedding
from keras_position_wise_feed_forward import FeedForward
from keras_transformer import gelu

FOLDER = Path(__file__).resolve().parent
NUMBERS = {}
CASES = {}
RANDOM = np.random.RandomState(17)
MASK = np.arange(9) < np.array([[9], [6], [1], [0]])
OTHER_MASK = np.arange(7) < np.array([[3], [7], [0], [5]])


def features(length=9, units=8):
    return RANDOM.normal(size=(4, length, units)).astype("float32")


def as_list(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def record(case, cls, config, inputs, masks=None, output_mask=True):
    """Calls `cls(**config)` with drawn weights and stores everything about the call."""
    masks = masks or [None] * len(as_list(inputs))
    tensors = [tf.constant(x) for x in as_list(inputs)]
    given = [None if mask is None else tf.constant(mask) for mask in masks]
    if not isinstance(inputs, list):
        tensors, given = tensors[0], given[0]
    # `gelu` here is the tanh form: 0.89 passes the function, whose name Keras writes down.
    options = {k: gelu if v == "gelu" else v for k, v in config.items()}
    layer = cls(**options)
    wants_mask = "mask" in layer._call_spec.arg_names and any(m is not None for m in masks)
    arguments = {"mask": given} if wants_mask else {}
    layer(tensors, **arguments)
    layer.set_weights([RANDOM.normal(scale=0.5, size=w.shape) for w in layer.get_weights()])
    results = {
        "inputs": as_list(inputs),
        "mask": masks,
        "weights": layer.get_weights(),
        "outputs": as_list(layer(tensors, **arguments)),
        "output_mask": as_list(layer.compute_mask(tensors, given)) if output_mask else [],
    }
    CASES[case] = {"class": cls.__name__, "config": config}
    for kind, arrays in results.items():
        for index, array in enumerate(arrays):
            if array is not None:
                NUMBERS[f"{case}/{kind}_{index}"] = np.asarray(array)


def convolutions():
    cases = {
        "same_3": {"kernel_size": 3, "padding": "same"},
        "same_4": {"kernel_size": 4, "padding": "same"},
        "same_3_stride_2": {"kernel_size": 3, "padding": "same", "strides": 2},
        "same_3_dilation_2": {"kernel_size": 3, "padding": "same", "dilation_rate": 2},
        "causal_3": {"kernel_size": 3, "padding": "causal"},
        "causal_2_dilation_3": {"kernel_size": 2, "padding": "causal", "dilation_rate": 3},
        "valid_3": {"kernel_size": 3, "padding": "valid"},
        "valid_2": {"kernel_size": 2, "padding": "valid"},
        "valid_4_stride_2": {"kernel_size": 4, "padding": "valid", "strides": 2},
        "valid_3_dilation_2": {"kernel_size": 3, "padding": "valid", "dilation_rate": 2},
    }
    for case, options in cases.items():
        # 0.89's mask has the output's length only at stride 1, and with "valid" for odd kernels.
        right = "strides" not in options and case != "valid_2"
        config = {"filters": 5, "activation": "tanh", **options}
        record(f"conv_{case}", layers.MaskedConv1D, config, features(), [MASK], right)
    config = {"filters": 5, "kernel_size": 3, "padding": "same"}
    record("conv_no_mask", layers.MaskedConv1D, config, features())


def small_layers():
    ids = (RANDOM.rand(4, 9) < 0.5).astype("int32") * 3
    record("masked", layers.Masked, {}, [features(), ids], [MASK, None])
    config = {"return_masked": True}
    record("masked_returned", layers.Masked, config, [features(), ids], [MASK, None])
    record("pool_max", layers.MaskedGlobalMaxPool1D, {}, features(), [MASK])
    record("pool_max_no_mask", layers.MaskedGlobalMaxPool1D, {}, features())
    record("extract", layers.Extract, {"index": 2}, features(), [MASK])
    record("extract_last", layers.Extract, {"index": -1}, features())

    config = {"input_dim": 5, "output_dim": 8, "mask_zero": True}
    one = np.array([[0], [1], [4], [2]], "int32")
    each = RANDOM.randint(0, 5, size=(4, 9)).astype("int32")
    record("task_mask_zero", layers.TaskEmbedding, config, [features(), one], [MASK, None])
    record("task_each_place", layers.TaskEmbedding, config, [features(), each], [MASK, None])
    config = {"input_dim": 5, "output_dim": 8}
    record("task", layers.TaskEmbedding, config, [features(), one], [MASK, None])

    table = RANDOM.normal(size=(11, 8)).astype("float32")
    record("similarity", layers.EmbeddingSimilarity, {}, [features(), table], [MASK, None])
    record("embedding_sim", EmbeddingSim, {"use_bias": False}, [features(), table], [MASK, None])
    ids = RANDOM.randint(0, 11, size=(4, 9)).astype("int32")
    config = {"input_dim": 11, "output_dim": 8, "mask_zero": True}
    record("token_embedding", layers.TokenEmbedding, config, ids)
    record("embedding_ret", EmbeddingRet, config, ids)
    record("norm", LayerNormalization, {}, features(), [MASK])


def positions():
    config = {"input_dim": 12, "output_dim": 8, "mode": "add"}
    record("position_add", PositionEmbedding, config, features(), [MASK])
    config = {"input_dim": 12, "output_dim": 6, "mode": "concat"}
    record("position_concat", PositionEmbedding, config, features(), [MASK])
    ids = RANDOM.randint(-8, 9, size=(4, 9)).astype("int32")
    config = {"input_dim": 5, "output_dim": 8, "mode": "expand"}
    record("position_expand", PositionEmbedding, config, ids)
    config = {"input_dim": 5, "output_dim": 8, "mode": "expand", "mask_zero": 3}
    record("position_expand_masked", PositionEmbedding, config, ids)
    record("trig_add", TrigPosEmbedding, {"mode": "add"}, features(), [MASK])
    record("trig_concat", TrigPosEmbedding, {"mode": "concat", "output_dim": 6}, features())
    config = {"mode": "expand", "output_dim": 6}
    record("trig_expand", TrigPosEmbedding, config, ids.astype("float32"))


def transformer_layers():
    record("attention", MultiHeadAttention, {"head_num": 2}, features(), [MASK])
    record("attention_no_mask", MultiHeadAttention, {"head_num": 4}, features())
    config = {"head_num": 2, "history_only": True}
    record("attention_history", MultiHeadAttention, config, features(), [MASK])
    for activation in ("relu", "gelu", "tanh"):
        config = {"head_num": 2, "activation": activation}
        record(f"attention_{activation}", MultiHeadAttention, config, features(), [MASK])
    config = {"head_num": 2, "use_bias": False}
    record("attention_no_bias", MultiHeadAttention, config, features(), [MASK])
    three = [features(9, 6), features(7, 10), features(7, 8)]
    masks = [MASK, OTHER_MASK, OTHER_MASK]
    record("attention_three", MultiHeadAttention, {"head_num": 2}, three, masks)
    config = {"head_num": 2, "history_only": True}
    record("attention_three_history", MultiHeadAttention, config, three, masks)

    for activation in ("relu", "gelu", "linear"):
        config = {"units": 14, "activation": activation}
        record(f"feed_forward_{activation}", FeedForward, config, features(), [MASK])
    config = {"units": 14, "activation": "gelu", "use_bias": False}
    record("feed_forward_no_bias", FeedForward, config, features(), [MASK])


def batches():
    """gen_batch_inputs under np.random.seed(0)."""
    words = [f"w{index}" for index in range(12)]
    token_dict = keras_bert.get_base_dict()
    for word in words:
        token_dict[word] = len(token_dict)
    pairs = [
        [words[:3], words[3:6]],
        [words[2:7], words[7:8]],
        [["strange", "w1"], ["w2", "[MASK]", "unheard"]],
        [words[:9], words[4:]],
        [[], ["w9"]],
        [words[5:6], words[8:11]],
    ]
    cases = {
        "defaults": {},
        "readme": {"mask_rate": 0.3, "swap_sentence_rate": 1.0},
        "no_swap": {"mask_rate": 0.5, "swap_sentence_rate": 0.0},
        "only_random": {"mask_rate": 0.6, "mask_mask_rate": 0.0, "mask_random_rate": 1.0},
        "forced": {"mask_rate": 0.0},
        "not_forced": {"mask_rate": 0.0, "force_mask": False},
    }
    answer = {"token_dict": token_dict, "token_list": list(token_dict), "pairs": pairs}
    for case, options in cases.items():
        np.random.seed(0)
        inputs, outputs = keras_bert.gen_batch_inputs(
            pairs, token_dict, list(token_dict), seq_len=12, **options
        )
        names = ("tokens", "segments", "masked", "mlm", "nsp")
        arrays = dict(zip(names, list(inputs) + list(outputs), strict=True))
        answer[case] = {
            "options": options,
            "dtypes": {name: str(array.dtype) for name, array in arrays.items()},
            **{name: array.tolist() for name, array in arrays.items()},
        }
    return answer


def main():
    assert keras_bert.__version__ == "0.89.0"
    assert tf.__version__ == "2.15.1"
    convolutions()
    small_layers()
    positions()
    transformer_layers()
    np.savez_compressed(FOLDER / "layers.npz", cases=json.dumps(CASES), **NUMBERS)
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in batches().items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    (FOLDER / "gen_batch_inputs.json").write_text(text)


if __name__ == "__main__":
    main()
