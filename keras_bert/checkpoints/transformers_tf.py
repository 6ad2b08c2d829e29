"""The names of transformers' TensorFlow models, which version 5 dropped, turned into PyTorch's.

Keras names a variable by the layers around it, in HDF5 below the top layer's group and the model's
class: `bert/tf_bert_model/bert/encoder/layer_._0/attention/self/query/kernel:0`. In safetensors
these two are left out. Layers in lists are numbered behind `_._`, and where PyTorch has one module
and TensorFlow two, `mlm___cls` names both.

Source: Hugging Face transformers 4, `modeling_tf_pytorch_utils.py`, `modeling_tf_utils.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from .errors import CheckpointError
from .stored import AnyTensor, ChangedTensor, StoredTensor, UnreadableTensor, have_equal_content

_SUFFIX = ":0"
_LAST = {"kernel": "weight", "embeddings": "weight", "gamma": "weight", "beta": "bias"}


def is_by_tensorflow(names: Iterable[str]) -> bool:
    """Tell the names of Keras' variables, which all end in ':0', from PyTorch's."""
    names = list(names)
    return bool(names) and all(name.endswith(_SUFFIX) for name in names)


def without_groups(tensors: Mapping[str, AnyTensor]) -> dict[str, list[AnyTensor]]:
    """Leave out top layer and class of the names in HDF5; what a head shares is there repeatedly.

    Raises:
        CheckpointError: If transformers did not write the file.
    """
    parts = {name: name.split("/", 2) for name in tensors}
    classes = {each[1] for each in parts.values() if len(each) == 3}
    is_known = len(classes) == 1 or all(each.startswith("tf_") for each in classes)
    if not is_known or not is_by_tensorflow(tensors) or min(map(len, parts.values())) < 3:
        raise CheckpointError(
            "it is an HDF5 file that transformers did not write: use load_model or load_weights "
            "of Keras"
        )
    found: dict[str, list[AnyTensor]] = {}
    for name, tensor in tensors.items():
        found.setdefault(parts[name][2], []).append(tensor)
    return found


def as_pytorch(tensors: Mapping[str, list[AnyTensor]]) -> dict[str, AnyTensor]:
    """Give tensors the names and shapes that they have in PyTorch's files."""
    named = {}
    for name, copies in tensors.items():
        pytorch_name = _pytorch_name(name)
        is_kernel = name.endswith(f"kernel{_SUFFIX}")
        copies = [_transposed(each) if is_kernel else each for each in copies]
        if pytorch_name in named:
            raise CheckpointError(f"two of its tensors are '{pytorch_name}'")
        named[pytorch_name] = copies[0] if len(copies) == 1 else _same(copies)
    # ALBERT's head has two biases here, of which it adds the decoder's.
    if "predictions.decoder.bias" in named:
        named["predictions.bias"] = named["predictions.decoder.bias"]
    tops = {name.partition(".")[0] for name in named}
    if len(tops) == 1:  # an encoder alone, whose own name PyTorch's files leave out
        named = {name.partition(".")[2]: tensor for name, tensor in named.items()}
    return named


def _pytorch_name(name: str) -> str:
    *modules, last = name.removesuffix(_SUFFIX).split("/")
    modules = [module.rpartition("___")[2].replace("_._", ".") for module in modules]
    return ".".join([*modules, _LAST.get(last, last)])


def _transposed(tensor: AnyTensor) -> AnyTensor:
    """PyTorch's Linear keeps its kernel the other way round."""
    if not isinstance(tensor, StoredTensor) or len(tensor.shape) != 2:
        return tensor
    strides = (1, tensor.shape[1]) if all(tensor.shape) else None
    return replace(tensor, shape=tensor.shape[::-1], strides=strides)


def _same(copies: list[AnyTensor]) -> AnyTensor:
    """One tensor for several, which must not differ when they are read."""
    first = copies[0]
    if isinstance(first, UnreadableTensor):
        return first

    def checked(array: np.ndarray) -> np.ndarray:
        if not all(have_equal_content(first, each) for each in copies[1:]):
            raise CheckpointError("its copies in the file differ")
        return array

    return ChangedTensor(first, first.shape, checked)
