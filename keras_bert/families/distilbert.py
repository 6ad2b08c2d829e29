"""DistilBERT, in Hugging Face's files: half of BERT's layers, no segments, no pooler.

Source: Hugging Face transformers, `models/distilbert/modeling_distilbert.py`; Sanh et al.,
https://arxiv.org/abs/1910.01108.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from .bert import BERT
from .family import WeightName, dense, norm, numbered_layers, table, task_heads

_RENAMED_KEYS = {
    "dim": "hidden_size",
    "hidden_dim": "intermediate_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "activation": "hidden_act",
    "dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
}
_SIZES = {key: default for key, default in BERT.sizes.items() if key != "type_vocab_size"}

# Positions along sines are in the file like others, so that `sinusoidal_pos_embds` changes nothing.
_EMBEDDINGS = (
    table(
        "Embedding-Token",
        None,
        "distilbert.embeddings.word_embeddings",
        copy="vocab_projector.weight",
        per_token=True,
    ),
    table("Embedding-Position", None, "distilbert.embeddings.position_embeddings"),
    *norm("Embedding-Norm", None, "distilbert.embeddings.LayerNorm"),
)

_LAYER = "distilbert.transformer.layer.{}"
_ENCODER_LAYER = (
    *dense("Encoder-{}-MultiHeadSelfAttention", 0, None, f"{_LAYER}.attention.q_lin"),
    *dense("Encoder-{}-MultiHeadSelfAttention", 2, None, f"{_LAYER}.attention.k_lin"),
    *dense("Encoder-{}-MultiHeadSelfAttention", 4, None, f"{_LAYER}.attention.v_lin"),
    *dense("Encoder-{}-MultiHeadSelfAttention", 6, None, f"{_LAYER}.attention.out_lin"),
    *norm("Encoder-{}-MultiHeadSelfAttention-Norm", None, f"{_LAYER}.sa_layer_norm"),
    *dense("Encoder-{}-FeedForward", 0, None, f"{_LAYER}.ffn.lin1"),
    *dense("Encoder-{}-FeedForward", 2, None, f"{_LAYER}.ffn.lin2"),
    *norm("Encoder-{}-FeedForward-Norm", None, f"{_LAYER}.output_layer_norm"),
)


def _arguments(config: dict[str, Any]) -> dict[str, Any]:
    return {**BERT.arguments(config), "segment_num": 0, "heads": ("MLM",)}


def _encoder(config: dict[str, Any], depth: int) -> list[WeightName]:
    layers = numbered_layers(_ENCODER_LAYER, depth)
    return [*_EMBEDDINGS, *layers]


_HEADS = {
    "masked words": (
        *dense("MLM-Dense", 0, None, "vocab_transform"),
        *norm("MLM-Norm", None, "vocab_layer_norm"),
        WeightName("MLM-Sim", 0, None, "vocab_projector.bias", per_token=True),
    )
}


def _architecture(names: Collection[str]) -> str:
    return "DistilBertForMaskedLM" if "vocab_projector.bias" in names else "DistilBertModel"


DISTILBERT = replace(
    BERT,
    name="DistilBERT",
    model_type="distilbert",
    sizes=_SIZES,
    fixed=lambda config: {"model_type": "distilbert"},
    google_keys=(),
    encoder=_encoder,
    heads=_HEADS,
    task_heads=task_heads(dense("Classifier-Dense", 0, None, "pre_classifier"), "relu"),
    shapes={key: where for key, where in BERT.shapes.items() if key in _SIZES},
    prefix="distilbert.",
    inside=re.compile(
        r"(distilbert\.)?(embeddings|transformer\.layer\.(?P<layer>\d+))\.(?P<rest>.+)"
    ),
    arguments=_arguments,
    architecture=_architecture,
    own_names=re.compile(r"(distilbert\.)?transformer\.layer\.\d+\.attention\.q_lin"),
    renamed_keys=_RENAMED_KEYS,
    of_model=lambda weights, called: None if "Embedding-Segment" in weights else {},
)
