"""ALBERT as brightmart's albert_zh has it: BERT with one encoder layer, and a table of two factors.

Token embeddings are the product of `word_embeddings` (V, E) and `word_embeddings_2` (E, H), which
models hold as one table (V, H). The files that it calls "google" are ALBERT's.

Source: brightmart/albert_zh, `modeling.py` and `run_pretraining.py`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from .bert import BERT, bert_encoder
from .family import WeightName

_EMBEDDINGS, _ENCODER_LAYER = bert_encoder("bert")
_TOKENS = replace(_EMBEDDINGS[0], google_factor="bert/embeddings/word_embeddings_2")


def _fixed(config: dict[str, Any]) -> dict[str, Any]:
    return {"ln_type": "postln", "num_hidden_groups": 1, "inner_group_num": 1}


def _arguments(config: dict[str, Any]) -> dict[str, Any]:
    return {**BERT.arguments(config), "group_num": 1}


def _encoder(config: dict[str, Any], depth: int) -> list[WeightName]:
    layers = [row.numbered(1, "shared") for row in _ENCODER_LAYER]
    return [_TOKENS, *_EMBEDDINGS[1:], *layers]


BRIGHTMART_ALBERT = replace(
    BERT,
    name="ALBERT of brightmart's kind",
    model_type=None,
    sizes={**BERT.sizes, "embedding_size": 128},
    fixed=_fixed,
    google_keys=(),
    depth_keys=(),
    encoder=_encoder,
    arguments=_arguments,
    inside=re.compile(r"bert/(embeddings|encoder)/(?P<rest>.+)"),
    own_keys=("ln_type",),
    of_model=lambda weights, called: {} if len(called) > len(set(called)) else None,
    own_names=re.compile(r"bert/embeddings/word_embeddings_2$"),
)
