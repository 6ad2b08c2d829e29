"""ERNIE of Baidu, in Hugging Face's files: BERT with a table of tasks, of which one row counts.

Files that others converted to Google's kind have no such table and are BERT's.

Source: Hugging Face transformers, `models/ernie/modeling_ernie.py`; Sun et al.,
https://arxiv.org/abs/1907.12412.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from .bert import BERT, bert_encoder
from .family import Rows, WeightName, numbered_layers, table, task_heads

_EMBEDDINGS, _ENCODER_LAYER = bert_encoder("ernie")
_TOKENS, *_OTHER_EMBEDDINGS = _EMBEDDINGS
_TASKS = table("Embedding-Task", None, "ernie.embeddings.task_type_embeddings")


def _without_google(rows: Rows) -> Rows:
    return tuple(replace(row, google=None, google_transform=None) for row in rows)


def _fixed(config: dict[str, Any]) -> dict[str, Any]:
    return {**BERT.fixed(config), "model_type": "ernie"}


def _arguments(config: dict[str, Any]) -> dict[str, Any]:
    arguments = BERT.arguments(config)
    if config.get("use_task_id"):
        task_num = ERNIE.size(config, "task_type_vocab_size")
        arguments |= {"use_task_embed": True, "task_num": task_num, "fixed_task": 0}
    return arguments


def _encoder(config: dict[str, Any], depth: int) -> list[WeightName]:
    tokens = replace(_TOKENS, copy="cls.predictions.decoder.weight")
    tasks = [_TASKS] if config.get("use_task_id") else []
    layers = numbered_layers(_ENCODER_LAYER, depth)
    return [*_without_google((tokens, *_OTHER_EMBEDDINGS, *tasks, *layers))]


def _architecture(names: Collection[str]) -> str:
    return BERT.architecture(names).replace("Bert", "Ernie")


def _heads() -> dict[str, Rows]:
    pooler = tuple(
        replace(row, huggingface=row.huggingface.replace("bert.", "ernie."))
        for row in BERT.heads["pooler"]
    )
    return {name: _without_google(rows) for name, rows in {**BERT.heads, "pooler": pooler}.items()}


_HEADS = _heads()


def _of_model(weights: Mapping[str, Any], called: list[str]) -> dict[str, Any] | None:
    return _config_of_model(weights, called) if "Embedding-Task" in weights else None


def _config_of_model(weights: Mapping[str, Any], called: list[str]) -> dict[str, Any]:
    return {"use_task_id": "Embedding-Task" in weights}


ERNIE = replace(
    BERT,
    name="ERNIE",
    model_type="ernie",
    sizes={**BERT.sizes, "task_type_vocab_size": 3},
    fixed=_fixed,
    google_keys=(),
    encoder=_encoder,
    heads=_HEADS,
    task_heads=task_heads(_HEADS["pooler"], "tanh"),
    optional_head="next sentence",
    shapes={**BERT.shapes, "task_type_vocab_size": ("Embedding-Task", 0, 0)},
    prefix="ernie.",
    inside=re.compile(r"(ernie\.)?(embeddings|encoder\.layer\.(?P<layer>\d+))\.(?P<rest>.+)"),
    arguments=_arguments,
    architecture=_architecture,
    own_names=re.compile(r"ernie\.encoder\."),
    of_model=_of_model,
    config_of_model=_config_of_model,
)
