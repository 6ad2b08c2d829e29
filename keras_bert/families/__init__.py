"""Families of models: how a configuration reads, and what the weights are called in each file.

A family is a file with one `Family` in it, such as `bert.py`, which is registered here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .albert import ALBERT
from .bert import BERT
from .brightmart import BRIGHTMART_ALBERT
from .distilbert import DISTILBERT
from .electra import ELECTRA
from .ernie import ERNIE
from .family import ConfigError, Family

__all__ = ["ALBERT", "BERT", "BRIGHTMART_ALBERT", "DISTILBERT", "ELECTRA", "ERNIE"]
__all__ += ["FAMILIES", "OTHER_KEYS", "OTHER_MODELS", "ConfigError", "Family"]
__all__ += ["family_of", "register"]

FAMILIES: list[Family] = []  # in the order in which they are asked whether a model is theirs

# What looks like BERT and is not, by Hugging Face's `model_type`.
OTHER_MODELS = {
    "roberta": "RoBERTa, whose positions start at 2 and whose tokenizer works on bytes",
    "xlm-roberta": "XLM-RoBERTa, whose positions start at 2",
    "xlm-roberta-xl": "XLM-RoBERTa, which normalizes before each layer",
    "camembert": "CamemBERT, a RoBERTa, whose positions start at 2",
    "nezha": "NEZHA, whose attention has relative positions",
    "roformer": "RoFormer, whose attention rotates queries and keys by their positions",
    "deberta": "DeBERTa, whose attention has relative positions",
    "deberta-v2": "DeBERTa, whose attention has relative positions",
    "mpnet": "MPNet, whose attention has relative positions",
    "modernbert": "ModernBERT, whose attention rotates queries and keys, in part within a window",
    "nomic_bert": "Nomic BERT, whose attention rotates queries and keys by their positions",
    "convbert": "ConvBERT, which has convolutions beside attention",
    "mobilebert": "MobileBERT, whose layers have bottlenecks",
    "squeezebert": "SqueezeBERT, whose projections are grouped convolutions",
    "funnel": "Funnel Transformer, which shortens sequences on the way",
    "big_bird": "BigBird, whose attention is sparse",
    "longformer": "Longformer, whose attention is sparse",
    "reformer": "Reformer, whose attention hashes positions",
    "xlnet": "XLNet, whose attention has relative positions",
    "xlm": "XLM, whose layers and languages are its own",
    "flaubert": "FlauBERT, an XLM, whose layers and languages are its own",
    "bart": "BART, which has a decoder",
    "mbart": "mBART, which has a decoder",
    "t5": "T5, which has a decoder and relative positions",
    "mt5": "mT5, which has a decoder and relative positions",
    "gpt2": "GPT-2, which is a decoder",
    "openai-gpt": "GPT, which is a decoder",
    "llama": "Llama, which is a decoder",
    "qwen2": "Qwen, which is a decoder",
    "qwen3": "Qwen, which is a decoder",
}
# Which of them a configuration of Google's kind is, that has this key and not as False.
OTHER_KEYS = {"use_relative_position": "nezha"}


def register(family: Family) -> None:
    """Add a family to those that the loaders, conversions and commands know, to be asked first.

    Args:
        family: The family.

    Raises:
        ValueError: If there is one of its `model_type` already.
    """
    taken = {each.model_type: each.name for each in FAMILIES if each.model_type}
    if family.model_type in taken:
        raise ValueError(
            f"`family` must have a `model_type` of its own: {taken[family.model_type]} has it. "
            f"Received: {family.model_type!r}."
        )
    FAMILIES.insert(0, family)


for _family in (BERT, DISTILBERT, ERNIE, ELECTRA, BRIGHTMART_ALBERT, ALBERT):
    register(_family)


def family_of(config: dict[str, Any], names: Iterable[str] | None = None) -> Family:
    """Return the family of a configuration, checked or not, and of the checkpoint beside it.

    Hugging Face's configurations name theirs. Of the others, names of tensors in the checkpoint
    tell, if it is given, and else keys. One that nothing tells is BERT's, whose checks refuse it
    if it is none.
    """
    for family in FAMILIES:
        if family.model_type and family.model_type == config.get("model_type"):
            return family
    for family in FAMILIES:
        if family.own_names and any(map(family.own_names.match, names or ())):
            return family
    for family in FAMILIES:
        if "model_type" not in config and not config.keys().isdisjoint(family.own_keys):
            return family
    return BERT
