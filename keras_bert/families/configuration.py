"""The configuration that comes with a checkpoint: read, checked, and what "gelu" means in it."""

from __future__ import annotations

import json
import os
from typing import Any

from ..arguments import check_on_disk
from ..checkpoints import Checkpoint
from . import FAMILIES, OTHER_KEYS, OTHER_MODELS, family_of
from .family import USUAL_EPSILON, ConfigError, Family
from .inference import inferred_config

# Keys that Hugging Face's configurations hold and Google's do not.
_HUGGING_FACE_KEYS = ("model_type", "architectures", "transformers_version", "layer_norm_eps")

_MOST_LAYERS = 1000  # several times as many as any known model has

_GELU_FORMS = {"gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "gelu_python": "gelu_erf"}


def read_config(
    config_file: str | os.PathLike[str] | None, checkpoint: Checkpoint | None = None
) -> dict[str, Any]:
    """Read a `bert_config.json` or a Hugging Face `config.json`, of any family.

    Without a file, None, the configuration is inferred from the shapes in the checkpoint.

    Returns:
        The configuration as it stands in the file, but for keys that the family alone calls so:
        they have BERT's names.

    Raises:
        ConfigError: If the file is no JSON object, lacks a size or holds one that is no positive
            integer, or describes an architecture that this package cannot build; or there is no
            file and the checkpoint does not tell all.
        OSError: If the file cannot be read.
    """
    if config_file is None:
        if checkpoint is None:
            raise ConfigError(
                "`config_file` may be None only together with a checkpoint whose shapes tell the "
                "sizes, in load_trained_model_from_checkpoint. Received: None."
            )
        return inferred_config(checkpoint)
    path = os.fspath(config_file)
    check_on_disk(path)
    try:
        with open(path, encoding="utf-8-sig") as reader:
            config = json.load(reader)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"The configuration {path} is no valid JSON: {error}.") from error
    if not isinstance(config, dict):
        raise ConfigError(
            f"The configuration {path} must hold a JSON object. Received: {type(config).__name__}."
        )
    _refuse_other_models(config, path)
    family = family_of(config, checkpoint)
    config = {family.renamed_keys.get(key, key): value for key, value in config.items()}
    _check_sizes(config, path, family)
    _check_architecture(config, path, family)
    return config


def is_hugging_face(config: dict[str, Any]) -> bool:
    """Tell whether a configuration was written by Hugging Face's tools rather than Google's."""
    return any(key in config for key in _HUGGING_FACE_KEYS)


def activation_name(config: dict[str, Any], checkpoint: Checkpoint | None = None) -> str:
    """Name the activation of a configuration so that it has one meaning only.

    "gelu" alone is the tanh form in Google's code and the exact one in Hugging Face's. The program
    that wrote the weights decides, which is Google's for a TensorFlow checkpoint; without a
    checkpoint the configuration's keys decide.

    Returns:
        "gelu_tanh", "gelu_erf", or another name as it stands in the configuration.
    """
    name = config["hidden_act"]
    if name != "gelu":
        return _GELU_FORMS.get(name, name)
    if checkpoint is None:
        by_google = not is_hugging_face(config)
    else:
        by_google = checkpoint.format == "tensor_bundle"
    return "gelu_tanh" if by_google else "gelu_erf"


def _check_sizes(config: dict[str, Any], path: str, family: Family) -> None:
    named = family.key_in_files
    needed = [key for key, default in family.sizes.items() if default is None] + ["hidden_act"]
    if missing := [key for key in needed if key not in config]:
        lacking, names, held = ([*map(named, keys)] for keys in (missing, needed, config))
        raise ConfigError(
            f"The configuration {path} lacks {', '.join(lacking)}. It holds "
            f"{', '.join(sorted(held)) or 'nothing'}; a {family.name} configuration names all of "
            f"{', '.join(names[:-1])} and {names[-1]}."
        )
    for key, default in family.sizes.items():
        size = config.get(key, default)
        if isinstance(size, bool) or not isinstance(size, int) or not 0 < size < 2**31:
            raise ConfigError(
                f"`{named(key)}` in the configuration {path} must be a positive integer. "
                f"Received: {size!r}."
            )
    epsilon = config.get("layer_norm_eps", USUAL_EPSILON)
    if isinstance(epsilon, bool) or not isinstance(epsilon, (int, float)) or not 0 < epsilon < 1:
        raise ConfigError(
            f"`layer_norm_eps` in the configuration {path} must be a number between 0 and 1. "
            f"Received: {epsilon!r}."
        )
    if not isinstance(config["hidden_act"], str):
        raise ConfigError(
            f"`{named('hidden_act')}` in the configuration {path} must be a name such as 'gelu'. "
            f"Received: {config['hidden_act']!r}."
        )
    heads, hidden_size = config["num_attention_heads"], config["hidden_size"]
    if hidden_size % heads != 0:
        raise ConfigError(
            f"`{named('num_attention_heads')}` must divide `{named('hidden_size')}` in the "
            f"configuration {path}. Received: {heads} and {hidden_size}."
        )
    _check_layers(config, path, family)


def _check_layers(config: dict[str, Any], path: str, family: Family) -> None:
    """Refuse absurd numbers: where layers share weights, no checkpoint would contradict them."""
    layers = config["num_hidden_layers"]
    groups, inner = (
        family.size(config, key) if key in family.sizes else 1
        for key in ("num_hidden_groups", "inner_group_num")
    )
    if layers * inner > _MOST_LAYERS:
        keys = [family.key_in_files("num_hidden_layers"), *["inner_group_num"] * (inner > 1)]
        raise ConfigError(
            f"{' times '.join(f'`{key}`' for key in keys)} in the configuration {path} must be at "
            f"most {_MOST_LAYERS}. Received: {layers * inner}."
        )
    if groups > layers:
        raise ConfigError(
            f"`num_hidden_groups` must not exceed `num_hidden_layers` in the configuration {path}. "
            f"Received: {groups} and {layers}."
        )


def _refuse_other_models(config: dict[str, Any], path: str) -> None:
    known = {family.model_type for family in FAMILIES}
    named = {key: model for key, model in OTHER_KEYS.items() if config.get(key)}
    named["model_type"] = config.get("model_type")
    for key, model in named.items():
        if isinstance(model, str) and model in OTHER_MODELS and model not in known:
            raise ConfigError(
                f"The configuration {path} is of {OTHER_MODELS[model]}, which keras-bert cannot "
                f"build. Received: {key} {config[key]!r}; what it builds is "
                f"{', '.join(dict.fromkeys(family.name for family in FAMILIES))}."
            )


def _check_architecture(config: dict[str, Any], path: str, family: Family) -> None:
    """Refuse what would load by name and size but compute something else than the family does."""
    for key, value in family.fixed(config).items():
        if config.get(key) not in (None, value):
            raise ConfigError(
                f"The configuration {path} describes another architecture than {family.name}'s: "
                f"`{key}` must be {value!r}. Received: {config[key]!r}."
            )
