"""How fast BERT-base computes features, next to four peers and to the matrix products alone.

    pip install keras-hub transformers onnx onnxscript onnxruntime
    python benchmarks/forward.py [--shapes 1x128 8x128 32x32 4x512] [--dtype float32] [--rounds 5]
        [--calls 3] [--activation gelu_erf] [--old-python OLD/bin/python] [--only NAME …]

A model of 12 layers of 768 with random weights; texts fill half of a row or more. GELU is
transformers' erf form, or with `--activation gelu` the tanh form, which KerasHub always computes.
OLD is a virtual environment with keras-bert 0.89.0 and tensorflow-cpu 2.15.1, which knows float32
only. Peers that are not installed do not take part. "products" are the model's matrix products and
nothing else, by PyTorch, into arrays that exist: what is left to gain. Where there is a GPU, all
but ONNX Runtime (which then takes no part) and keras-bert 0.89 use it; a call starts and ends with
NumPy arrays. Keras models run by `predict_on_batch`, the others by what their documents say.
Printed are, for each shape, texts × tokens, the median milliseconds of a call and GFLOP/s of the
products, and the largest resident memory.
"""

from __future__ import annotations

import argparse
import importlib.util

import torch
from turns import (
    KERAS_HUB,
    OLD,
    RUNTIMES,
    SET_POLICY,
    Contestant,
    print_machine,
    print_table,
    take_turns,
    typical,
)

LAYERS, SIZE, HIDDEN, HEADS = 12, 768, 3072, 12

# Every program defines compute(tokens, segments); both int32 (B, T).
START = """
import functools, sys
import numpy as np
dtype, calls, activation = sys.argv[1], int(sys.argv[2]), sys.argv[3]
@functools.cache
def inputs(texts, length):
    generator = np.random.default_rng(0)
    lengths = generator.integers(length // 2, length + 1, texts)
    tokens = generator.integers(1000, 30522, (texts, length))
    tokens = (tokens * (np.arange(length) < lengths[:, None])).astype("int32")
    return tokens, np.zeros_like(tokens)
"""
TURN = """
def act(texts, length):
    for _ in range(calls):
        compute(*inputs(int(texts), int(length)))
compute(*inputs(2, 16))  # TensorFlow compiles for one shape first, then for all
serve(act)
"""
KERAS_BERT = f"""
policy = dtype
{SET_POLICY}
from keras_bert import get_model
"""
OLD_KERAS_BERT = """
from keras_bert import get_model
import keras
activation = "gelu"  # it has one form
"""
BUILD = """
model = keras.models.Model(*get_model(
    30522, seq_len=None, embed_dim=768, transformer_num=12, head_num=12, feed_forward_dim=3072,
    feed_forward_activation=activation, training=False))
compute = lambda *arrays: model.predict_on_batch(list(arrays))
"""
HUB = """
import keras, keras_hub
keras.config.set_dtype_policy(dtype)
backbone = keras_hub.models.BertBackbone(
    vocabulary_size=30522, num_layers=12, num_heads=12, hidden_dim=768, intermediate_dim=3072)
def compute(tokens, segments):
    backbone.predict_on_batch(
        {"token_ids": tokens, "segment_ids": segments, "padding_mask": tokens != 0})
"""
ON_DEVICE = """
import torch
device = "cuda" if torch.cuda.is_available() else "cpu"
kind = getattr(torch, dtype)
"""
PEERS_BERT = """
from transformers import BertConfig, BertModel
hidden_act = {"gelu_erf": "gelu", "gelu": "gelu_pytorch_tanh"}[activation]
def new_bert():
    return BertModel(BertConfig(hidden_act=hidden_act), add_pooling_layer=False)
"""
TRANSFORMERS = """
bert = new_bert().eval().to(device, kind)
@torch.inference_mode()
def compute(tokens, segments):
    tokens, segments = (torch.as_tensor(each).to(device).long() for each in (tokens, segments))
    mask = (tokens != 0).long()
    features = bert(tokens, attention_mask=mask, token_type_ids=segments).last_hidden_state
    features.float().cpu().numpy()
"""
ONNX_RUNTIME = """
import os, tempfile
import onnxruntime, torch
class Features(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.bert = new_bert()
    def forward(self, tokens, mask, segments):
        return self.bert(tokens, attention_mask=mask, token_type_ids=segments).last_hidden_state
texts, length = torch.export.Dim("texts"), torch.export.Dim("length", max=512)
with tempfile.TemporaryDirectory() as folder:
    torch.onnx.export(
        Features().eval(), tuple(torch.ones(2, 16, dtype=torch.long) for _ in range(3)),
        f"{folder}/bert.onnx", input_names=["tokens", "mask", "segments"], dynamo=True,
        dynamic_shapes=({0: texts, 1: length},) * 3)
    session = onnxruntime.InferenceSession(f"{folder}/bert.onnx")
def compute(tokens, segments):
    tokens, segments = tokens.astype("int64"), segments.astype("int64")
    mask = (tokens != 0).astype("int64")
    session.run(None, {"tokens": tokens, "mask": mask, "segments": segments})
"""
PRODUCTS = f"""
def square(*shape):
    return torch.randn(shape).to(device, kind)
layers = [
    [square(768, 768) for _ in range(4)] + [square(768, 3072), square(3072, 768)]
    for _ in range({LAYERS})]
@functools.cache
def places(texts, length):
    rows, heads = texts * length, texts * {HEADS}
    return [square(*shape) for shape in (
        (rows, 768), (rows, 3072), (rows, 768), (heads, length, 64), (heads, 64, length),
        (heads, length, length), (heads, length, 64))]
@torch.inference_mode()
def compute(tokens, segments):
    features, hidden, output, query, key, scores, attended = places(*tokens.shape)
    for layer in layers:
        for kernel in layer[:4]:
            torch.mm(features, kernel, out=output)
        torch.bmm(query, key, out=scores)
        torch.bmm(scores, query, out=attended)
        torch.mm(features, layer[4], out=hidden)
        torch.mm(hidden, layer[5], out=output)
    if device == "cuda":
        torch.cuda.synchronize()
"""


def start(options: argparse.Namespace) -> dict[str, Contestant]:
    """Start everyone who is installed and wanted."""
    in_float32 = options.dtype == "float32"
    words = [options.dtype, options.calls, options.activation]
    programs = {name: (KERAS_BERT + BUILD, settings) for name, settings in RUNTIMES.items()}
    if importlib.util.find_spec("transformers"):
        programs["transformers, PyTorch"] = ON_DEVICE + PEERS_BERT + TRANSFORMERS, {}
        onnx = all(map(importlib.util.find_spec, ("onnxruntime", "onnxscript")))
        if onnx and in_float32 and not torch.cuda.is_available():
            programs["transformers, ONNX Runtime"] = PEERS_BERT + ONNX_RUNTIME, {}
    if importlib.util.find_spec("keras_hub"):
        programs |= {name: (HUB, settings) for name, settings in KERAS_HUB.items()}
    programs["products"] = ON_DEVICE + PRODUCTS, {}
    contestants = {
        name: Contestant(START + program + TURN, words, settings)
        for name, (program, settings) in programs.items()
        if not options.only or name in options.only
    }
    wanted = not options.only or "keras-bert 0.89" in options.only
    if options.old_python and in_float32 and wanted:
        program = OLD + START + OLD_KERAS_BERT + BUILD + TURN
        contestants["keras-bert 0.89"] = Contestant(program, words, python=options.old_python)
    return contestants


def flops(texts: int, length: int) -> int:
    """Additions and multiplications in the matrix products."""
    dense = 2 * texts * length * (4 * SIZE * SIZE + 2 * SIZE * HIDDEN)
    attention = 2 * 2 * texts * length * length * SIZE
    return LAYERS * (dense + attention)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", nargs="+", default=["1x128", "8x128", "32x32", "4x512"])
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=3, help="calls of a turn")
    parser.add_argument("--activation", default="gelu_erf", choices=["gelu_erf", "gelu"])
    parser.add_argument("--old-python")
    parser.add_argument("--only", nargs="+")
    arguments = parser.parse_args()
    contestants = start(arguments)
    cells = {name: [name] for name in contestants}
    for shape in arguments.shapes:
        texts, length = map(int, shape.split("x"))
        for name, seconds in take_turns(contestants, arguments.rounds, texts, length).items():
            call = typical(seconds) / arguments.calls
            cells[name].append(f"{call * 1000:.3g}")
            cells[name].append(f"{flops(texts, length) / call / 1e9:.0f}")
    for name, contestant in contestants.items():
        cells[name].append(f"{contestant.memory / 2**20:.2f} GiB")
        contestant.close()
    print_machine(
        *("keras", "tensorflow", "tf_keras", "jax", "torch"),
        *("transformers", "onnxruntime", "keras-hub"),
    )
    titles = [title for shape in arguments.shapes for title in (f"{shape} ms", "GFLOP/s")]
    print_table(["", *titles, "memory"], cells.values())


if __name__ == "__main__":
    main()
