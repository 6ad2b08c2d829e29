"""BERT: its configuration, its weights in Google's and Hugging Face's files, its heads.

Source: google-research/bert, `modeling.py` and `run_pretraining.py`; Hugging Face transformers,
`models/bert/modeling_bert.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from .family import USUAL_EPSILON, Family, WeightName

_SIZES = {
    "vocab_size": None,
    "hidden_size": None,
    "num_hidden_layers": None,
    "num_attention_heads": None,
    "intermediate_size": None,
    "max_position_embeddings": None,
    "type_vocab_size": 2,
}

_GOOGLE_KEYS = (
    *_SIZES,
    *("hidden_act", "hidden_dropout_prob", "attention_probs_dropout_prob", "initializer_range"),
    *("directionality", "pooler_type", "pooler_fc_size", "pooler_num_fc_layers"),
    *("pooler_num_attention_heads", "pooler_size_per_head"),
)


def _fixed(config: dict[str, Any]) -> dict[str, Any]:
    return {
        "model_type": "bert",
        "position_embedding_type": "absolute",
        "is_decoder": False,
        "add_cross_attention": False,
        "embedding_size": config["hidden_size"],
    }


def _arguments(config: dict[str, Any]) -> dict[str, Any]:
    return {
        "token_num": config["vocab_size"],
        "pos_num": config["max_position_embeddings"],
        "embed_dim": config["hidden_size"],
        "transformer_num": config["num_hidden_layers"],
        "head_num": config["num_attention_heads"],
        "feed_forward_dim": config["intermediate_size"],
        "segment_num": config.get("type_vocab_size", 2),
        "layer_norm_epsilon": config.get("layer_norm_eps", USUAL_EPSILON),
    }


def _dense(layer: str, index: int, module: str) -> Iterator[WeightName]:
    """Kernel and bias; PyTorch's Linear keeps its kernel the other way round."""
    dotted = _dotted(module)
    yield WeightName(
        layer, index, f"{module}/kernel", f"{dotted}.weight", huggingface_transform="transpose"
    )
    yield WeightName(layer, index + 1, f"{module}/bias", f"{dotted}.bias")


def _norm(layer: str, module: str) -> Iterator[WeightName]:
    dotted = _dotted(module)
    yield WeightName(layer, 0, f"{module}/gamma", f"{dotted}.weight")
    yield WeightName(layer, 1, f"{module}/beta", f"{dotted}.bias")


def _embedding(layer: str, module: str) -> WeightName:
    return WeightName(layer, 0, module, f"{_dotted(module)}.weight")


def _dotted(module: str) -> str:
    """Hugging Face kept Google's module names but for the separators."""
    return module.replace("layer_", "layer.").replace("/", ".")


_EMBEDDINGS = (
    replace(
        _embedding("Embedding-Token", "bert/embeddings/word_embeddings"),
        copy="cls.predictions.decoder.weight",
        per_token=True,
    ),
    _embedding("Embedding-Segment", "bert/embeddings/token_type_embeddings"),
    _embedding("Embedding-Position", "bert/embeddings/position_embeddings"),
    *_norm("Embedding-Norm", "bert/embeddings/LayerNorm"),
)

_ATTENTION = "bert/encoder/layer_{}/attention"
_ENCODER_LAYER = (
    *_dense("Encoder-{}-MultiHeadSelfAttention", 0, f"{_ATTENTION}/self/query"),
    *_dense("Encoder-{}-MultiHeadSelfAttention", 2, f"{_ATTENTION}/self/key"),
    *_dense("Encoder-{}-MultiHeadSelfAttention", 4, f"{_ATTENTION}/self/value"),
    *_dense("Encoder-{}-MultiHeadSelfAttention", 6, f"{_ATTENTION}/output/dense"),
    *_norm("Encoder-{}-MultiHeadSelfAttention-Norm", f"{_ATTENTION}/output/LayerNorm"),
    *_dense("Encoder-{}-FeedForward", 0, "bert/encoder/layer_{}/intermediate/dense"),
    *_dense("Encoder-{}-FeedForward", 2, "bert/encoder/layer_{}/output/dense"),
    *_norm("Encoder-{}-FeedForward-Norm", "bert/encoder/layer_{}/output/LayerNorm"),
)


def _encoder(config: dict[str, Any]) -> list[WeightName]:
    rows = [*_EMBEDDINGS]
    for number in range(config["num_hidden_layers"]):
        for row in _ENCODER_LAYER:
            layer = row.layer.format(number + 1)  # the files count from zero
            google, huggingface = row.google.format(number), row.huggingface.format(number)
            rows.append(replace(row, layer=layer, google=google, huggingface=huggingface))
    return rows


_HEADS = {
    "pooler": (*_dense("NSP-Dense", 0, "bert/pooler/dense"),),
    "masked words": (
        *_dense("MLM-Dense", 0, "cls/predictions/transform/dense"),
        *_norm("MLM-Norm", "cls/predictions/transform/LayerNorm"),
        WeightName(
            "MLM-Sim",
            0,
            "cls/predictions/output_bias",
            "cls.predictions.bias",
            copy="cls.predictions.decoder.bias",
            per_token=True,
        ),
    ),
    "next sentence": (
        WeightName(
            "NSP",
            0,
            "cls/seq_relationship/output_weights",
            "cls.seq_relationship.weight",
            google_transform="transpose",
            huggingface_transform="transpose",
        ),
        WeightName("NSP", 1, "cls/seq_relationship/output_bias", "cls.seq_relationship.bias"),
    ),
}


def _architecture(names: Collection[str]) -> str:
    heads = ("cls.predictions.bias" in names, "cls.seq_relationship.bias" in names)
    return {
        (True, True): "BertForPreTraining",
        (True, False): "BertForMaskedLM",
        (False, True): "BertForNextSentencePrediction",
        (False, False): "BertModel",
    }[heads]


BERT = Family(
    name="BERT",
    model_type="bert",
    sizes=_SIZES,
    fixed=_fixed,
    google_keys=_GOOGLE_KEYS,
    encoder=_encoder,
    heads=_HEADS,
    shapes={
        "vocab_size": ("Embedding-Token", 0, 0),
        "hidden_size": ("Embedding-Token", 0, 1),
        "max_position_embeddings": ("Embedding-Position", 0, 0),
        "type_vocab_size": ("Embedding-Segment", 0, 0),
        "intermediate_size": ("Encoder-1-FeedForward", 0, 1),
    },
    prefix="bert.",
    inside=re.compile(
        r"(bert[./])?(embeddings|encoder[./]layer[._](?P<layer>\d+))[./](?P<rest>.+)"
    ),
    arguments=_arguments,
    architecture=_architecture,
)
