"""ONNX Runtime computes features by transformers' model, exported for all shapes; see forward.py.

It computes in float32, on CPUs.
"""

import sys
import tempfile

import onnxruntime
import torch
from forward_shared import HIDDEN_ACT, serve_forward
from transformers import BertConfig, BertModel

_, calls, activation = sys.argv[1:]


class Features(torch.nn.Module):
    """BERT with an output that is a tensor, as ONNX wants it."""

    def __init__(self):
        super().__init__()
        config = BertConfig(hidden_act=HIDDEN_ACT[activation])
        self.bert = BertModel(config, add_pooling_layer=False)

    def forward(self, tokens, mask, segments):
        return self.bert(tokens, attention_mask=mask, token_type_ids=segments).last_hidden_state


shape = {0: torch.export.Dim("texts"), 1: torch.export.Dim("length", max=512)}
with tempfile.TemporaryDirectory() as folder:
    torch.onnx.export(
        Features().eval(),
        tuple(torch.ones(2, 16, dtype=torch.long) for _ in range(3)),
        f"{folder}/bert.onnx",
        input_names=["tokens", "mask", "segments"],
        dynamo=True,
        dynamic_shapes=(shape,) * 3,
    )
    session = onnxruntime.InferenceSession(f"{folder}/bert.onnx")


def compute(tokens, segments):
    tokens, segments = tokens.astype("int64"), segments.astype("int64")
    mask = (tokens != 0).astype("int64")
    session.run(None, {"tokens": tokens, "mask": mask, "segments": segments})


serve_forward(compute, calls)
