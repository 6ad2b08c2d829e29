"""ALBERT: embeddings of a size of their own, encoder layers that share weights, sentence order.

Source: google-research/albert, `modeling.py` and `run_pretraining.py`; Hugging Face transformers,
`models/albert/modeling_albert.py`; Lan et al., https://arxiv.org/abs/1909.11942.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from .bert import BERT
from .family import WeightName, dense, norm, table, task_heads

_SIZES = {**BERT.sizes, "embedding_size": 128, "num_hidden_groups": 1, "inner_group_num": 1}

_FIXED = {
    "model_type": "albert",
    "position_embedding_type": "absolute",
    "net_structure_type": 0,
    "gap_size": 0,
    "num_memory_blocks": 0,
    "down_scale_factor": 1,
}


def _arguments(config: dict[str, Any]) -> dict[str, Any]:
    return {
        **BERT.arguments(config),
        "embedding_size": ALBERT.size(config, "embedding_size"),
        "group_num": ALBERT.size(config, "num_hidden_groups"),
        "inner_group_num": ALBERT.size(config, "inner_group_num"),
    }


_EMBEDDINGS = (
    replace(
        table(
            "Embedding-Token",
            "bert/embeddings/word_embeddings",
            "albert.embeddings.word_embeddings",
        ),
        copy="predictions.decoder.weight",
        per_token=True,
    ),
    table(
        "Embedding-Segment",
        "bert/embeddings/token_type_embeddings",
        "albert.embeddings.token_type_embeddings",
    ),
    table(
        "Embedding-Position",
        "bert/embeddings/position_embeddings",
        "albert.embeddings.position_embeddings",
    ),
    *norm("Embedding-Norm", "bert/embeddings/LayerNorm", "albert.embeddings.LayerNorm"),
    *dense(
        "Embedding-Mapping",
        0,
        "bert/encoder/embedding_hidden_mapping_in",
        "albert.encoder.embedding_hidden_mapping_in",
    ),
)

# Files count groups, and layers in a group, from 0.
_GOOGLE = "bert/encoder/transformer/group_{}/inner_group_{}"
_HUGGING_FACE = "albert.encoder.albert_layer_groups.{}.albert_layers.{}"
_ATTENTION = "Encoder-{}-MultiHeadSelfAttention"
_FEED_FORWARD = "Encoder-{}-FeedForward"


def _both(google: str, huggingface: str) -> tuple[str, str]:
    return f"{_GOOGLE}/{google}", f"{_HUGGING_FACE}.{huggingface}"


_ENCODER_LAYER = (
    *dense(_ATTENTION, 0, *_both("attention_1/self/query", "attention.query")),
    *dense(_ATTENTION, 2, *_both("attention_1/self/key", "attention.key")),
    *dense(_ATTENTION, 4, *_both("attention_1/self/value", "attention.value")),
    *dense(_ATTENTION, 6, *_both("attention_1/output/dense", "attention.dense")),
    *norm(f"{_ATTENTION}-Norm", *_both("LayerNorm", "attention.LayerNorm")),
    *dense(_FEED_FORWARD, 0, *_both("ffn_1/intermediate/dense", "ffn")),
    *dense(_FEED_FORWARD, 2, *_both("ffn_1/intermediate/output/dense", "ffn_output")),
    *norm(f"{_FEED_FORWARD}-Norm", *_both("LayerNorm_1", "full_layer_layer_norm")),
)


def _encoder(config: dict[str, Any], depth: int) -> list[WeightName]:
    rows = [*_EMBEDDINGS]
    for number in range(depth):
        in_files = divmod(number, ALBERT.size(config, "inner_group_num"))
        rows += [row.numbered(1 + number, *in_files) for row in _ENCODER_LAYER]
    return rows


_HEADS = {
    "pooler": (*dense("NSP-Dense", 0, "bert/pooler/dense", "albert.pooler"),),
    "masked words": (
        *dense("MLM-Dense", 0, "cls/predictions/transform/dense", "predictions.dense"),
        *norm("MLM-Norm", "cls/predictions/transform/LayerNorm", "predictions.LayerNorm"),
        WeightName(
            "MLM-Sim",
            0,
            "cls/predictions/output_bias",
            "predictions.bias",
            copy="predictions.decoder.bias",
            per_token=True,
        ),
    ),
    "sentence order": tuple(
        replace(
            row,
            huggingface=row.huggingface.replace(
                "cls.seq_relationship", "sop_classifier.classifier"
            ),
        )
        for row in BERT.heads["next sentence"]
    ),
}


def _architecture(names: Collection[str]) -> str:
    if "sop_classifier.classifier.bias" in names:
        return "AlbertForPreTraining"
    return "AlbertForMaskedLM" if "predictions.bias" in names else "AlbertModel"


def _of_model(weights: Mapping[str, Any], called: list[str]) -> dict[str, Any] | None:
    shares_weights = len(set(called)) < len(called)
    has_own_heads = "MLM-Dense" in weights or "NSP-Dense" in weights
    if "Embedding-Mapping" in weights and (shares_weights or has_own_heads):
        return _config_of_model(weights, called)
    return None


def _config_of_model(weights: Mapping[str, Any], called: list[str]) -> dict[str, Any]:
    # Within a group its layers take turns.
    inner = called.index(called[0], 1) if called.count(called[0]) > 1 else 1
    return {
        "embedding_size": weights["Embedding-Mapping"][0].shape[0],
        "inner_group_num": inner,
        "num_hidden_groups": len(set(called)) // inner,
        "num_hidden_layers": len(called) // inner,
    }


ALBERT = replace(
    BERT,
    name="ALBERT",
    model_type="albert",
    sizes=_SIZES,
    fixed=lambda config: _FIXED,
    google_keys=(*BERT.google_keys, *_SIZES, *list(_FIXED)[2:]),
    depth_keys=("num_hidden_groups", "inner_group_num"),
    encoder=_encoder,
    heads=_HEADS,
    task_heads=task_heads(_HEADS["pooler"], "tanh", in_google_files=True),
    optional_head="sentence order",
    shapes={
        **BERT.shapes,
        "embedding_size": ("Embedding-Token", 0, 1),
        "hidden_size": ("Embedding-Mapping", 0, 1),
    },
    prefix="albert.",
    inside=re.compile(r"(bert/|albert\.)?(embeddings|encoder)[./](?P<rest>.+)"),
    arguments=_arguments,
    architecture=_architecture,
    own_keys=("num_hidden_groups", "inner_group_num"),
    own_names=re.compile(
        r"bert/encoder/transformer/group_|(albert\.)?encoder\.albert_layer_groups"
    ),
    google_files=("albert_config.json", "model.ckpt-best"),
    of_model=_of_model,
    config_of_model=_config_of_model,
)
