"""BERT: its configuration, its weights in Google's and Hugging Face's files, its heads.

Source: google-research/bert, `modeling.py` and `run_pretraining.py`; Hugging Face transformers,
`models/bert/modeling_bert.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from .family import (
    USUAL_EPSILON,
    Family,
    Rows,
    WeightName,
    dense,
    norm,
    numbered_layers,
    table,
    task_heads,
)

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
        "segment_num": BERT.size(config, "type_vocab_size"),
        "layer_norm_epsilon": config.get("layer_norm_eps", USUAL_EPSILON),
    }


def bert_encoder(root: str) -> tuple[Rows, Rows]:
    """Return the weights of the embeddings and of an encoder layer, in files that call it `root`.

    The encoder layer's names have braces for its number: from 1 in models, from 0 in files.
    """
    embeddings, layer = f"{root}/embeddings", f"{root}/encoder/layer_{{}}"
    return (
        (
            table("Embedding-Token", f"{embeddings}/word_embeddings", per_token=True),
            table("Embedding-Segment", f"{embeddings}/token_type_embeddings"),
            table("Embedding-Position", f"{embeddings}/position_embeddings"),
            *norm("Embedding-Norm", f"{embeddings}/LayerNorm"),
        ),
        (
            *dense("Encoder-{}-MultiHeadSelfAttention", 0, f"{layer}/attention/self/query"),
            *dense("Encoder-{}-MultiHeadSelfAttention", 2, f"{layer}/attention/self/key"),
            *dense("Encoder-{}-MultiHeadSelfAttention", 4, f"{layer}/attention/self/value"),
            *dense("Encoder-{}-MultiHeadSelfAttention", 6, f"{layer}/attention/output/dense"),
            *norm("Encoder-{}-MultiHeadSelfAttention-Norm", f"{layer}/attention/output/LayerNorm"),
            *dense("Encoder-{}-FeedForward", 0, f"{layer}/intermediate/dense"),
            *dense("Encoder-{}-FeedForward", 2, f"{layer}/output/dense"),
            *norm("Encoder-{}-FeedForward-Norm", f"{layer}/output/LayerNorm"),
        ),
    )


_EMBEDDINGS, _ENCODER_LAYER = bert_encoder("bert")
_TOKENS = replace(_EMBEDDINGS[0], copy="cls.predictions.decoder.weight")


def _encoder(config: dict[str, Any], depth: int) -> list[WeightName]:
    layers = numbered_layers(_ENCODER_LAYER, depth)
    return [_TOKENS, *_EMBEDDINGS[1:], *layers]


_HEADS = {
    "pooler": (*dense("NSP-Dense", 0, "bert/pooler/dense"),),
    "masked words": (
        *dense("MLM-Dense", 0, "cls/predictions/transform/dense"),
        *norm("MLM-Norm", "cls/predictions/transform/LayerNorm"),
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
    task_heads=task_heads(_HEADS["pooler"], "tanh", in_google_files=True),
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
    of_model=lambda weights, called: {},  # asked last
)
