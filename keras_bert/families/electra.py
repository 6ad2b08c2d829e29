"""ELECTRA's discriminators: BERT's encoder without a pooler, and a head that finds replaced tokens.

Source: google-research/electra, `model/modeling.py` and `pretrain/pretrain_helpers.py`; Hugging
Face transformers, `models/electra/modeling_electra.py`; Clark et al.,
https://arxiv.org/abs/2003.10555.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from .bert import BERT, bert_encoder
from .family import WeightName, dense, numbered_layers, task_heads

_EMBEDDINGS, _ENCODER_LAYER = bert_encoder("electra")


def _embedding_size(config: dict[str, Any]) -> int | None:
    """The size of the embeddings where it is not the hidden size."""
    size = config.get("embedding_size", config["hidden_size"])
    return None if size == config["hidden_size"] else size


def _arguments(config: dict[str, Any]) -> dict[str, Any]:
    arguments = {**BERT.arguments(config), "heads": ("RTD",)}
    return {**arguments, "embedding_size": _embedding_size(config)}


def _encoder(config: dict[str, Any], depth: int) -> list[WeightName]:
    mapping = dense("Embedding-Mapping", 0, "electra/embeddings_project")
    layers = numbered_layers(_ENCODER_LAYER, depth)
    return [*_EMBEDDINGS, *(mapping if _embedding_size(config) else ()), *layers]


_HEADS = {
    "replaced tokens": (
        *dense("RTD-Dense", 0, "discriminator_predictions/dense"),
        *dense(
            "RTD",
            0,
            "discriminator_predictions/dense_1",
            "discriminator_predictions.dense_prediction",
        ),
    )
}


def _architecture(names: Collection[str]) -> str:
    has_head = any(name.startswith("discriminator_predictions.") for name in names)
    return "ElectraForPreTraining" if has_head else "ElectraModel"


def _of_model(weights: Mapping[str, Any], called: list[str]) -> dict[str, Any] | None:
    has_own_head = "RTD" in weights
    # DistilBERT has such a classifier too, and no segments.
    has_own_head |= "Classifier-Dense" in weights and "Embedding-Segment" in weights
    if "Embedding-Mapping" in weights or has_own_head:
        return _config_of_model(weights, called)
    return None


def _config_of_model(weights: Mapping[str, Any], called: list[str]) -> dict[str, Any]:
    embedding_size = weights["Embedding-Token"][0].shape[1]
    mapping = weights.get("Embedding-Mapping")
    return {
        "embedding_size": embedding_size,
        "hidden_size": embedding_size if mapping is None else mapping[0].shape[1],
    }


ELECTRA = replace(
    BERT,
    name="ELECTRA",
    model_type="electra",
    sizes={**BERT.sizes, "embedding_size": None},
    fixed=lambda config: {"model_type": "electra", "position_embedding_type": "absolute"},
    google_keys=(*BERT.google_keys, "embedding_size"),
    encoder=_encoder,
    heads=_HEADS,
    task_heads=task_heads(
        # GELU in its exact form, whatever the encoder's activation.
        *(dense("Classifier-Dense", 0, None, "classifier.dense"), "gelu_erf"),
        classifier="classifier.out_proj",
    ),
    shapes={
        **BERT.shapes,
        "embedding_size": ("Embedding-Token", 0, 1),
        "hidden_size": ("Encoder-1-FeedForward", 0, 0),
    },
    prefix="electra.",
    inside=re.compile(
        r"(electra[./])?(embeddings|embeddings_project|encoder[./]layer[._](?P<layer>\d+))[./]"
        r"(?P<rest>.+)"
    ),
    arguments=_arguments,
    architecture=_architecture,
    own_names=re.compile(r"electra[/.]encoder[/.]"),
    of_model=_of_model,
    config_of_model=_config_of_model,
)
