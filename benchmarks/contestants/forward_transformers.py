"""Transformers on PyTorch computes features, from NumPy's arrays to NumPy's; see forward.py."""

import sys

import torch
from forward_shared import HIDDEN_ACT, serve_forward
from transformers import BertConfig, BertModel

dtype, calls, activation = sys.argv[1:]
device = "cuda" if torch.cuda.is_available() else "cpu"
config = BertConfig(hidden_act=HIDDEN_ACT[activation])  # otherwise it is BERT-base
bert = BertModel(config, add_pooling_layer=False).eval().to(device, getattr(torch, dtype))


@torch.inference_mode()
def compute(tokens, segments):
    tokens, segments = (torch.as_tensor(each).to(device).long() for each in (tokens, segments))
    mask = (tokens != 0).long()
    features = bert(tokens, attention_mask=mask, token_type_ids=segments).last_hidden_state
    features.float().cpu().numpy()


serve_forward(compute, calls)
