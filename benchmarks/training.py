"""How long a step of fine-tuning takes, and how much memory, next to two peers.

    python benchmarks/training.py [--rounds 5] [--steps 10] [--batch-size 16] [--length 64]
        [--layers 6] [--size 384] [--dtype float32] [--only NAME …]

A sentence classifier on a BERT of 6 layers of 384 (12 heads, 1,536 hidden features, 30,522 tokens),
random weights, dropout 0.1 on embeddings and sub-layers; the texts are random and fill half of the
length or more. keras_bert and KerasHub learn by `fit` with AdamWarmup and Keras' AdamW,
transformers by the usual loop with PyTorch's fused AdamW. KerasHub takes part where it is installed
(pip install keras-hub). In bfloat16, layers compute in it and weights stay float32: Keras'
"mixed_bfloat16", PyTorch's autocast. Where there is a GPU, all use it.

A first, untimed turn compiles; printed are the median time of a step in the others, its ratio to
that of transformers, the fastest, the first turn and the largest resident memory of the process,
libraries included. Only an idle machine compares the libraries, see `turns`.
"""

from __future__ import annotations

import argparse
import importlib.util

from turns import (
    KERAS_HUB,
    RUNTIMES,
    SET_POLICY,
    Contestant,
    print_machine,
    print_table,
    take_turns,
    typical,
)

START = """
import sys
import numpy as np
steps, batch_size, length, layers, size = map(int, sys.argv[1:-1])
dtype = sys.argv[-1]
generator = np.random.default_rng(0)
shape = steps * batch_size, length
lengths = generator.integers(length // 2, length + 1, shape[0])
tokens = generator.integers(1000, 30522, shape) * (np.arange(length) < lengths[:, None])
segments, labels = np.zeros_like(tokens), generator.integers(0, 2, shape[0])
"""
KERAS_BERT = f"""
policy = dtype if dtype == "float32" else "mixed_" + dtype
{SET_POLICY}
from keras_bert import AdamWarmup, get_model
from keras_bert.layers import Extract
inputs, features = get_model(
    30522, seq_len=length, embed_dim=size, transformer_num=layers, feed_forward_dim=4 * size,
    feed_forward_activation="gelu_erf", training=False, trainable=True, output_len=1)
output = keras.layers.Dense(2, activation="softmax", dtype="float32")(Extract(0)(features))
model = keras.models.Model(inputs, output)
optimizer = AdamWarmup(10000, 1000, learning_rate=2e-5, weight_decay=0.01)
arrays = [tokens, segments]
"""
HUB = """
import keras, keras_hub
keras.config.set_dtype_policy(dtype if dtype == "float32" else "mixed_" + dtype)
backbone = keras_hub.models.BertBackbone(
    vocabulary_size=30522, num_layers=layers, num_heads=12, hidden_dim=size,
    intermediate_dim=4 * size)
arrays = {"token_ids": tokens, "segment_ids": segments, "padding_mask": tokens != 0}
first = backbone.output["sequence_output"][:, 0]
output = keras.layers.Dense(2, activation="softmax", dtype="float32")(first)
model = keras.Model(backbone.input, output)
optimizer = keras.optimizers.AdamW(2e-5, weight_decay=0.01)
"""
FIT = """
model.compile(optimizer, loss="sparse_categorical_crossentropy")
learn = lambda: model.fit(arrays, labels, batch_size=batch_size, shuffle=False, verbose=0)
"""
TRANSFORMERS = """
import torch
from transformers import BertConfig, BertModel
config = BertConfig(
    hidden_size=size, num_hidden_layers=layers, intermediate_size=4 * size,
    attention_probs_dropout_prob=0.0)
device = "cuda" if torch.cuda.is_available() else "cpu"
bert, head = BertModel(config, add_pooling_layer=False).train(), torch.nn.Linear(size, 2)
bert, head = bert.to(device), head.to(device)
weights = [*bert.parameters(), *head.parameters()]
optimizer = torch.optim.AdamW(weights, 2e-5, weight_decay=0.01, fused=True)
arrays = [torch.as_tensor(each).long() for each in (tokens, segments, labels)]
def learn():
    for first in range(0, len(tokens), batch_size):
        ids, kinds, targets = (each[first : first + batch_size].to(device) for each in arrays)
        mask = (ids != 0).long()
        with torch.autocast(device, torch.bfloat16, enabled=dtype == "bfloat16"):
            features = bert(ids, attention_mask=mask, token_type_ids=kinds).last_hidden_state
            scores = head(features[:, 0]).float()
        loss = torch.nn.functional.cross_entropy(scores, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
"""
PEER = "transformers, PyTorch"


def start(only: list[str] | None, *sizes) -> dict[str, Contestant]:
    """Start everyone who is installed and wanted."""
    programs = {name: (KERAS_BERT + FIT, settings) for name, settings in RUNTIMES.items()}
    programs[PEER] = TRANSFORMERS, {}
    if importlib.util.find_spec("keras_hub"):
        programs |= {name: (HUB + FIT, settings) for name, settings in KERAS_HUB.items()}
    return {
        name: Contestant(START + program + "serve(learn)", sizes, settings)
        for name, (program, settings) in programs.items()
        if not only or name in only
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10, help="steps of a turn")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--length", type=int, default=64)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--only", nargs="+")
    arguments = parser.parse_args()
    contestants = start(
        arguments.only,
        *(arguments.steps, arguments.batch_size, arguments.length),
        *(arguments.layers, arguments.size, arguments.dtype),
    )
    seconds = take_turns(contestants, arguments.rounds)
    rows, compared = [], PEER in contestants
    for name, contestant in contestants.items():
        first, *others = seconds[name]
        row = [
            name,
            f"{typical(seconds[name]) / arguments.steps * 1000:.3g}",
            f"{min(others) / arguments.steps * 1000:.3g}",
            *([f"{typical(seconds[name]) / typical(seconds[PEER]):.2f}"] if compared else []),
            f"{first:.1f} s",
            f"{contestant.memory / 2**20:.2f} GiB",
        ]
        rows.append(row)
        contestant.close()
    print_machine("keras", "tensorflow", "tf_keras", "jax", "torch", "transformers", "keras-hub")
    titles = ["", "ms a step", "fastest", *([f"× {PEER}"] if compared else [])]
    print_table([*titles, "first turn", "memory"], rows)


if __name__ == "__main__":
    main()
