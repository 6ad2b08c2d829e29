"""Sentence models as folders that sentence-transformers loads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..activations.torch_names import torch_name_of
from ..arguments import as_size, describe
from ..backend import calls, keras, models
from ..checkpoints.paths import MODULES
from ..checkpoints.safetensors import write_safetensors
from ..families.sentence_folder import OLD_POOLING_KEYS, SETTINGS
from ..layers import Dropout, TextPooling
from ..loader.text_settings import TextSettings, settings_of
from ..tokenizer import Tokenizer
from .conversion import write_hugging_face_files
from .model_files import check_model, convertible_with_tokenizer, dense_weights
from .new_files import new_folder, write_json

_TYPES = "sentence_transformers.models"  # paths that every version knows
_NO_MODULES = (keras.layers.InputLayer, keras.layers.Dropout, Dropout)


def save_sentence_model(
    model: models.Model,
    folder: str | os.PathLike[str],
    *,
    tokenizer: Tokenizer | None = None,
    max_length: int | None = None,
    prompts: Mapping[str, str] | None = None,
    default_prompt: str | None = None,
) -> None:
    """Write a sentence model as a folder that sentence-transformers loads.

    A pooler, which no vector is computed with, is no part of the model and is not written.

    Args:
        model: A model of `load_sentence_model`, trained further or not, or another functional model
            of an encoder of this package, a `TextPooling` and after it Dense and
            UnitNormalization.
        folder: Path of the folder to make.
        tokenizer: The model's tokenizer. None for that of the folder that it was loaded from.
        max_length: The most tokens of a text, special tokens included. None for that of the folder
            that it was loaded from, or else as many as the model has positions.
        prompts: Texts, by name, that may be put before a text; None likewise.
        default_prompt: The name of the prompt of all texts for which none is named; None likewise.

    Raises:
        ValueError: If the model has other layers, or its tokenizer is not known, or
            `default_prompt` is none of the prompts, or the model has no `max_length` positions.
        TypeError: If an argument has the wrong type.
        FileExistsError: If the folder holds something.

    Example:
        >>> import os, tempfile
        >>> from keras_bert import PretrainedList, load_sentence_model, save_sentence_model
        >>> model = load_sentence_model(PretrainedList.tiny, pooling="mean", normalize=True)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_sentence_model(model, f"{folder}/tiny", max_length=64)
        ...     print(*sorted(os.listdir(f"{folder}/tiny"))[:3])
        1_Pooling 2_Normalize config.json
    """
    check_model(model)
    settings = _settings(model, tokenizer, max_length, prompts, default_prompt)
    pooling, modules = _modules(model)
    names = {layer.name for layer in modules}
    files = convertible_with_tokenizer(model, settings.tokenizer, without=names)
    settings = _within(files.config["max_position_embeddings"], settings, max_length)
    dense = {layer: dense_weights(layer) for layer in modules if _is_dense(layer)}
    width = files.config["hidden_size"]
    with new_folder(folder) as unfinished:
        write_hugging_face_files(unfinished, files)
        listed = [("Transformer", ""), ("Pooling", "1_Pooling")]
        config = _pooling_config(pooling, width)
        _write_module(
            unfinished / "1_Pooling", {**config, "include_prompt": settings.pools_prompts}
        )
        for number, layer in enumerate(modules, start=2):
            kind = "Dense" if _is_dense(layer) else "Normalize"
            listed.append((kind, f"{number}_{kind}"))
            if kind == "Dense":
                _write_dense(unfinished / listed[-1][1], layer, *dense[layer])
            else:
                _write_module(unfinished / listed[-1][1], {})
        _write_descriptions(unfinished, listed, settings)


def _settings(model, tokenizer, max_length, prompts, default_prompt) -> TextSettings:
    settings = settings_of(model)
    if tokenizer is not None:
        if not isinstance(tokenizer, Tokenizer):
            raise TypeError(f"`tokenizer` must be a Tokenizer. Received: {describe(tokenizer)}.")
        settings = (settings or TextSettings(tokenizer))._replace(tokenizer=tokenizer)
    if settings is None:
        raise ValueError(
            "`tokenizer` is needed with a model that load_sentence_model has not loaded in this "
            "process: a folder holds the vocabulary, too."
        )
    if max_length is not None:
        settings = settings._replace(max_length=as_size("max_length", max_length))
    if prompts is not None:
        if not isinstance(prompts, Mapping) or not all(
            isinstance(each, str) for item in prompts.items() for each in item
        ):
            raise TypeError(
                f"`prompts` must be a dictionary of texts, by name. Received: {describe(prompts)}."
            )
        settings = settings._replace(prompts=dict(prompts), default_prompt=None)
    if default_prompt is not None:
        settings = settings._replace(default_prompt=default_prompt)
    if settings.default_prompt not in (None, *settings.prompts):
        raise ValueError(
            "`default_prompt` must be the name of one of the prompts, "
            f"{', '.join(map(repr, settings.prompts)) or 'of which there are none'}. "
            f"Received: {default_prompt!r}."
        )
    return settings


def _within(positions: int, settings: TextSettings, asked: int | None) -> TextSettings:
    """Settings with a maximal length that the model has positions for."""
    if asked is not None and not 3 <= asked <= positions:
        raise ValueError(
            f"`max_length` must be from 3 to {positions}, the model's number of positions. "
            f"Received: {asked}."
        )
    # Other folders name larger ones, and sentence-transformers then fails on long texts.
    length = settings.max_length
    return settings if length is None else settings._replace(max_length=min(length, positions))


def _is_dense(layer: Any) -> bool:
    return isinstance(layer, keras.layers.Dense)


def _modules(model: models.Model) -> tuple[TextPooling, list[Any]]:
    """The pooling of a model, and the layers that folders have modules for, in order."""
    positions = [
        index for index, layer in enumerate(model.layers) if isinstance(layer, TextPooling)
    ]
    behind = model.layers[positions[0] + 1 :] if positions else []
    behind = [layer for layer in behind if not isinstance(layer, _NO_MODULES)]
    known = (keras.layers.Dense, keras.layers.UnitNormalization)
    others = [layer.name for layer in behind if type(layer) not in known]
    if len(positions) != 1 or others or len(model.outputs) != 1 or len(model.inputs) != 2:
        raise ValueError(
            "`model` must be an encoder of this package on token ids and segment ids, with one "
            "TextPooling and, behind it, nothing but Dense and UnitNormalization. "
            f"Received: {len(positions)} TextPooling, {len(model.inputs)} inputs, "
            f"{len(model.outputs)} outputs, further layers: {', '.join(others) or 'none'}."
        )
    ((pooling, (_, ids)),) = calls(model, TextPooling)
    if ids is not model.inputs[0]:
        raise ValueError(
            f"The layer {pooling.name} of `model` must pool over the token ids, which are the "
            f"model's first input. Received: {getattr(ids, 'name', ids)}."
        )
    called = [layer.name for layer, _ in calls(model, known)]
    for layer in behind:
        if called.count(layer.name) != 1:
            raise ValueError(f"The layer {layer.name} of `model` is called several times.")
        if not _is_dense(layer) and not {*np.atleast_1d(layer.axis)} <= {-1, 1}:
            raise ValueError(
                f"The layer {layer.name} must normalize each vector: axis=-1. "
                f"Received: axis={layer.axis}."
            )
        if _is_dense(layer) and torch_name_of(layer.activation) is None:
            raise ValueError(
                f"The activation of {layer.name} must be one that PyTorch has as a class. "
                f"Received: {layer.activation}."
            )
    return pooling, behind


def _pooling_config(pooling: TextPooling, width: int) -> dict[str, Any]:
    if pooling.poolings != [each for each in OLD_POOLING_KEYS.values() if each in pooling.poolings]:
        # Older versions know several only in their own order.
        names = [each.replace("sqrt_len", "sqrt_len_tokens") for each in pooling.poolings]
        return {"embedding_dimension": width, "pooling_mode": names}
    modes = {key: name in pooling.poolings for key, name in OLD_POOLING_KEYS.items()}
    return {"word_embedding_dimension": width, **modes}


def _write_dense(folder: Path, layer: Any, kernel: np.ndarray, *bias: np.ndarray) -> None:
    _write_module(
        folder,
        {
            "in_features": kernel.shape[0],
            "out_features": kernel.shape[1],
            "bias": bool(bias),
            "activation_function": torch_name_of(layer.activation),
        },
    )
    tensors = {"linear.weight": np.ascontiguousarray(kernel.T)}
    if bias:
        tensors["linear.bias"] = bias[0]
    write_safetensors(folder / "model.safetensors", tensors)


def _write_module(folder: Path, config: dict[str, Any]) -> None:
    folder.mkdir()
    write_json(folder / "config.json", config)


def _write_descriptions(folder: Path, listed, settings: TextSettings) -> None:
    modules = [
        {"idx": index, "name": str(index), "path": path, "type": f"{_TYPES}.{kind}"}
        for index, (kind, path) in enumerate(listed)
    ]
    write_json(folder / MODULES, modules)
    transformer = {"max_seq_length": settings.max_length, "do_lower_case": settings.lower_case}
    write_json(folder / "sentence_bert_config.json", transformer)
    write_json(
        folder / SETTINGS,
        {
            "prompts": dict(settings.prompts),
            "default_prompt_name": settings.default_prompt,
            "similarity_fn_name": settings.similarity,
        },
    )
