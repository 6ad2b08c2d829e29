"""Names of weights in TensorFlow Hub's and the Model Garden's files, turned into Google's.

The Model Garden wrote BERT anew for Keras: its layers have other names, and the kernels of the
attention an axis for the heads. With embeddings narrower than the encoder it is ELECTRA, or ALBERT
where all layers share their weights.

Source: tensorflow/models, `official/nlp/tools/tf1_bert_checkpoint_converter_lib.py`,
`official/nlp/tools/tf2_albert_encoder_checkpoint_converter.py` and `official/nlp/modeling/`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .errors import CheckpointError
from .stored import AnyTensor, ChangedTensor, UnreadableTensor

_MODULE = "module/"
# Keys of what optimizers keep for each weight, old ones and new ones.
_OPTIMIZER = re.compile(r"/\.OPTIMIZER_SLOT/|(^|/)_variables/\d+/")

# Of layers with weights of their own, and of ALBERT's, which share them.
_BLOCK = re.compile(r"(?:.*/)?(?:transformer|encoder)/(layer_\d+)/(.+)/(\w+)")
_SHARED_BLOCK = re.compile(r"(?:.*/)?transformer/([a-z_/]+)/(\w+)")
# What each part is called in BERT's files and in ALBERT's.
_IN_BLOCK = {
    "self_attention/query": ("attention/self/query", "attention_1/self/query"),
    "self_attention/key": ("attention/self/key", "attention_1/self/key"),
    "self_attention/value": ("attention/self/value", "attention_1/self/value"),
    "self_attention/attention_output": ("attention/output/dense", "attention_1/output/dense"),
    # Its name in the first version.
    "self_attention_output": ("attention/output/dense", "attention_1/output/dense"),
    "self_attention_layer_norm": ("attention/output/LayerNorm", "LayerNorm"),
    "intermediate": ("intermediate/dense", "ffn_1/intermediate/dense"),
    "output": ("output/dense", "ffn_1/intermediate/output/dense"),
    "output_layer_norm": ("output/LayerNorm", "LayerNorm_1"),
}
_GROUP = "bert/encoder/transformer/group_0/inner_group_0"
_PROJECTION = "bert/embeddings_project"
# The names of the first version come second.
_ELSEWHERE = {
    "word_embeddings/embeddings": "bert/embeddings/word_embeddings",
    "position_embedding/embeddings": "bert/embeddings/position_embeddings",
    "embedding_postprocessor/position_embeddings": "bert/embeddings/position_embeddings",
    "type_embeddings/embeddings": "bert/embeddings/token_type_embeddings",
    "embedding_postprocessor/type_embeddings": "bert/embeddings/token_type_embeddings",
    "embeddings/layer_norm/gamma": "bert/embeddings/LayerNorm/gamma",
    "embeddings/layer_norm/beta": "bert/embeddings/LayerNorm/beta",
    "embedding_postprocessor/layer_norm/gamma": "bert/embeddings/LayerNorm/gamma",
    "embedding_postprocessor/layer_norm/beta": "bert/embeddings/LayerNorm/beta",
    "embedding_projection/kernel": f"{_PROJECTION}/kernel",
    "embedding_projection/bias": f"{_PROJECTION}/bias",
    "pooler_transform/kernel": "bert/pooler/dense/kernel",
    "pooler_transform/bias": "bert/pooler/dense/bias",
    "cls/predictions/transform/dense/kernel": "cls/predictions/transform/dense/kernel",
    "cls/predictions/transform/dense/bias": "cls/predictions/transform/dense/bias",
    "cls/predictions/transform/LayerNorm/gamma": "cls/predictions/transform/LayerNorm/gamma",
    "cls/predictions/transform/LayerNorm/beta": "cls/predictions/transform/LayerNorm/beta",
    "cls/predictions/output_bias/bias": "cls/predictions/output_bias",
    "next_sentence/logits/kernel": "cls/seq_relationship/output_weights",
    "next_sentence/logits/bias": "cls/seq_relationship/output_bias",
    "predictions/transform/logits/kernel": "cls/seq_relationship/output_weights",
    "predictions/transform/logits/bias": "cls/seq_relationship/output_bias",
}
# The head for the next sentence may have a pooler of its own, beside the encoder's, which then
# nothing uses.
_POOLER = {
    "next_sentence/pooler_dense/kernel": "bert/pooler/dense/kernel",
    "next_sentence/pooler_dense/bias": "bert/pooler/dense/bias",
}


def without_module(tensors: Mapping[str, AnyTensor]) -> dict[str, AnyTensor]:
    """Leave out the scope that modules of the first TensorFlow Hub put all names into."""
    names = {name: name.removeprefix(_MODULE) for name in tensors}
    if len(set(names.values())) != len(names):
        return dict(tensors)
    return {names[name]: tensor for name, tensor in tensors.items()}


def as_google(
    tensors: Mapping[str, AnyTensor], full_names: Mapping[str, str]
) -> dict[str, AnyTensor]:
    """Give the variables of an object-based checkpoint Google's names and shapes.

    What is no model's keeps its key; an optimizer's state is left out.
    """
    tensors = {key: each for key, each in tensors.items() if not _OPTIMIZER.search(key)}
    names = {key: _google_name(full_names[key]) for key in tensors if key in full_names}
    poolers = {key: _last_parts(full_names[key], _POOLER) for key in names}
    if any(poolers.values()):
        names = {key: name for key, name in names.items() if name not in _POOLER.values()}
        names |= {key: name for key, name in poolers.items() if name}
    if f"{_PROJECTION}/kernel" in names.values():
        names = _with_narrow_embeddings(names)
    renamed: dict[str, AnyTensor] = {}
    for key, tensor in tensors.items():
        name = names.get(key) or key
        if name in renamed:
            raise CheckpointError(f"it holds two models: '{name}' occurs twice, also as '{key}'")
        renamed[name] = _as_matrix(name, tensor) if name != key else tensor
    return renamed


def _google_name(full_name: str) -> str | None:
    if block := _BLOCK.fullmatch(full_name):
        layer, module, kind = block.groups()
        # Where BERT has no such module the name stays, and shows that this is another model.
        in_bert, _ = _IN_BLOCK.get(module, (module, None))
        return f"bert/encoder/{layer}/{in_bert}/{kind}"
    if (block := _SHARED_BLOCK.fullmatch(full_name)) and block[1] in _IN_BLOCK:
        _, in_albert = _IN_BLOCK[block[1]]
        return f"{_GROUP}/{in_albert}/{block[2]}"
    return _last_parts(full_name, _ELSEWHERE)


def _with_narrow_embeddings(names: Mapping[str, str | None]) -> dict[str, str]:
    """Give the embeddings, their projection and the encoder the names of ALBERT or of ELECTRA."""
    known = {key: name for key, name in names.items() if name}
    if any(name.startswith(_GROUP) for name in known.values()):
        old, new = _PROJECTION, "bert/encoder/embedding_hidden_mapping_in"
    else:
        old, new = "bert/(embeddings|encoder)", r"electra/\1"
    return {key: re.sub(old, new, name) for key, name in known.items()}


def _last_parts(full_name: str, names: Mapping[str, str]) -> str | None:
    """Look a name up without the scopes around it, the longest first."""
    while full_name not in names:
        _, separator, full_name = full_name.partition("/")
        if not separator:
            return None
    return names[full_name]


def _as_matrix(name: str, tensor: AnyTensor) -> AnyTensor:
    """Join the axes of the heads and of the features within a head."""
    if isinstance(tensor, UnreadableTensor):
        return tensor
    shape = tensor.shape
    if name == "cls/seq_relationship/output_weights" and len(shape) == 2:
        return ChangedTensor(tensor, shape[::-1], lambda array: array.T)
    inside, rank = re.search(r"/attention(_1)?/self/", name), len(shape)
    if (inside and rank == 3 and name.endswith("/kernel")) or (
        inside and rank == 2 and name.endswith("/bias")
    ):
        joined = (*shape[:-2], shape[-2] * shape[-1])
    elif rank == 3 and re.search(r"/attention(_1)?/output/dense/kernel$", name):
        joined = (shape[0] * shape[1], shape[2])
    else:
        return tensor
    return ChangedTensor(tensor, joined, lambda array: array.reshape(joined))
