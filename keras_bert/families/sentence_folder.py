"""What a folder of sentence-transformers says, without Keras: which modules there are, and texts.

Source: sentence-transformers 6, `base/model.py` and the modules `Transformer`, `Pooling`, `Dense`
and `Normalize`, which also read what older versions wrote.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..checkpoints.paths import MODULES
from .family import ConfigError

SETTINGS = "config_sentence_transformers.json"
# The name that says "bert" is today's for all families.
_TRANSFORMER_CONFIGS = (
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_albert_config.json",
)

# What version 6 writes of the features that this package has.
_TEXT = {"method": "forward", "method_output_name": "last_hidden_state"}
_TOKENIZER_OPTIONS = ("tokenizer_args", "processor_kwargs")
_CHANGES_TOKENS = ("do_lower_case", "strip_accents", "tokenize_chinese_chars", "truncation_side")

# By the keys of older versions, in the order in which their vectors are concatenated.
OLD_POOLING_KEYS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_POOLINGS = {each: each for each in OLD_POOLING_KEYS.values()}
_POOLINGS["mean_sqrt_len_tokens"] = "mean_sqrt_len"
_VECTOR = "sentence_embedding"  # what modules behind the pooling read and write


class DenseModule(NamedTuple):
    """A dense layer: its sizes, and where its weights are."""

    input_size: int
    output_size: int
    bias: bool
    activation: str  # path of a class of PyTorch
    weights: Path


class NormalizeModule(NamedTuple):
    """Vectors get the length 1."""


class SentenceFolder(NamedTuple):
    """A sentence model as its folder describes it.

    Attributes:
        encoder: Path of the model folder with the encoder and the vocabulary.
        poolings: Names as of `TextPooling`.
        modules: What follows the pooling.
        max_length: The most tokens of a text, special tokens included; None for the encoder's own.
        lower_case: Whether texts are put in lower case before the tokenizer, whatever that does.
        prompts: Texts, by name, that may be put before a text.
        default_prompt: The name of the prompt of all texts for which none is named.
        pools_prompts: Whether the tokens of a prompt count in the pooling.
        similarity: What sentence-transformers compares vectors by.
    """

    encoder: Path
    poolings: tuple[str, ...]
    modules: tuple[DenseModule | NormalizeModule, ...]
    max_length: int | None
    lower_case: bool
    prompts: Mapping[str, str]
    default_prompt: str | None
    pools_prompts: bool
    similarity: str


def read_sentence_folder(folder: str | os.PathLike[str]) -> SentenceFolder:
    """Read the descriptions in a folder of sentence-transformers.

    Raises:
        ConfigError: If a description is damaged, or names a module or an option that this package
            does not have (a ValueError).
        OSError: If a file cannot be read.
    """
    top = Path(folder)
    listed = [_module(each, top) for each in _modules(top)]
    kinds = [kind for kind, _ in listed]
    if kinds[:2] != ["Transformer", "Pooling"] or {"Transformer", "Pooling"} & {*kinds[2:]}:
        raise ConfigError(
            f"{top / MODULES} must list Transformer, Pooling and, after them, Dense and Normalize. "
            f"Received: {', '.join(kinds) or 'nothing'}."
        )
    encoder = listed[0][1]
    poolings, pools_prompts = _pooling(listed[1][1])
    modules = tuple(
        _dense(path) if kind == "Dense" else _normalize(path) for kind, path in listed[2:]
    )
    transformer = _transformer(encoder)
    settings = _read_object(top / SETTINGS) if (top / SETTINGS).exists() else {}
    prompts, default_prompt = _prompts(top, settings)
    return SentenceFolder(
        encoder,
        poolings,
        modules,
        _max_length(encoder, transformer),
        bool(transformer.get("do_lower_case")),
        prompts,
        default_prompt,
        pools_prompts,
        str(settings.get("similarity_fn_name") or "cosine"),
    )


def _modules(top: Path) -> list[dict[str, Any]]:
    modules = _read_json(top / MODULES)
    is_list = isinstance(modules, list) and all(isinstance(each, dict) for each in modules)
    if not is_list or not all(
        isinstance(each.get(key), str) for each in modules for key in ("path", "type")
    ):
        raise ConfigError(
            f"{top / MODULES} must hold a list of modules, each with a `path` and a `type`."
        )
    return modules


def _module(module: dict[str, Any], top: Path) -> tuple[str, Path]:
    """The kind of a module and its folder."""
    package, _, kind = module["type"].rpartition(".")
    known = ("Transformer", "Pooling", "Dense", "Normalize")
    if package.partition(".")[0] != "sentence_transformers" or kind not in known:
        raise ConfigError(
            f"{top / MODULES} names a module that keras-bert does not have; it has "
            f"{', '.join(known)}. Received: {module['type']!r}."
        )
    path = top / module["path"]
    if not path.resolve().is_relative_to(top.resolve()):
        raise ConfigError(
            f"{top / MODULES} must name folders inside its own. Received: {module['path']!r}."
        )
    return kind, path


def _pooling(folder: Path) -> tuple[tuple[str, ...], bool]:
    path = folder / "config.json"
    config = _read_object(path)
    modes = config.get("pooling_mode")
    if modes is None:
        modes = [mode for key, mode in OLD_POOLING_KEYS.items() if config.get(key)] or ["mean"]
    modes = [modes] if isinstance(modes, str) else modes
    is_list = isinstance(modes, list) and modes
    if not is_list or not all(isinstance(mode, str) and mode in _POOLINGS for mode in modes):
        raise ConfigError(
            f"`pooling_mode` in {path} must be one of {', '.join(_POOLINGS)}, or a list of them. "
            f"Received: {config['pooling_mode']!r}."
        )
    return tuple(_POOLINGS[mode] for mode in modes), config.get("include_prompt") is not False


def _dense(folder: Path) -> DenseModule:
    path = folder / "config.json"
    config = _read_object(path)
    _check_vector(path, config)
    if config.get("use_residual"):
        raise ConfigError(f"{path} has a residual connection, which keras-bert does not have.")
    sizes = [config.get(key) for key in ("in_features", "out_features")]
    if not all(type(size) is int and 0 < size < 2**31 for size in sizes):
        raise ConfigError(
            f"`in_features` and `out_features` in {path} must be positive integers. "
            f"Received: {sizes[0]!r} and {sizes[1]!r}."
        )
    activation = config.get("activation_function", "torch.nn.modules.activation.Tanh")
    weights = folder / "model.safetensors"
    if not weights.exists():
        weights = folder / "pytorch_model.bin"
    return DenseModule(*sizes, config.get("bias", True) is not False, str(activation), weights)


def _normalize(folder: Path) -> NormalizeModule:
    path = folder / "config.json"  # since version 5
    if path.exists():
        _check_vector(path, _read_object(path))
    return NormalizeModule()


def _check_vector(path: Path, config: dict[str, Any]) -> None:
    """Refuse a module that works on something else than the vector of a text."""
    for key in ("module_input_name", "module_output_name"):
        if config.get(key) not in (None, _VECTOR):
            raise ConfigError(f"`{key}` in {path} must be {_VECTOR!r}. Received: {config[key]!r}.")


def _max_length(encoder: Path, transformer: dict[str, Any]) -> int | None:
    length = transformer.get("max_seq_length")
    tokenizer = encoder / "tokenizer_config.json"
    if length is None and tokenizer.exists():
        declared = _read_object(tokenizer)
        length = declared.get("model_max_length", declared.get("max_len"))  # the older name
    if length is None:
        return None
    if not isinstance(length, (int, float)) or not 3 <= length < float("inf"):
        raise ConfigError(
            f"The maximal length in {encoder} must be at least 3 tokens. Received: {length!r}."
        )
    return min(int(length), 2**31)  # transformers writes 10³⁰ for none


def _prompts(top: Path, config: dict[str, Any]) -> tuple[dict[str, str], str | None]:
    prompts = config.get("prompts") or {}
    default = config.get("default_prompt_name")
    texts = prompts.values() if isinstance(prompts, dict) else [None]
    are_texts = all(isinstance(text, str) for text in texts)
    if not are_texts or not (default is None or (isinstance(default, str) and default in prompts)):
        raise ConfigError(
            f"{top / SETTINGS} must have an object of texts as `prompts`, and one of their names "
            f"or null as `default_prompt_name`. Received: {prompts!r} and {default!r}."
        )
    return prompts, default


def _transformer(folder: Path) -> dict[str, Any]:
    """What is said of the encoder; refuse what is no features of tokens, or has other tokens."""
    path = next((folder / each for each in _TRANSFORMER_CONFIGS if (folder / each).exists()), None)
    if path is None:
        return {}
    config = _read_object(path)
    modalities = config.get("modality_config") or {}
    if not isinstance(modalities, dict):
        raise ConfigError(
            f"`modality_config` in {path} must be an object. Received: {modalities!r}."
        )
    text = modalities.get("text") or _TEXT
    for key, found, expected in (
        ("transformer_task", config.get("transformer_task"), "feature-extraction"),
        ("module_output_name", config.get("module_output_name"), "token_embeddings"),
        ("text in modality_config", text, _TEXT),
    ):
        if found not in (None, expected):
            raise ConfigError(f"`{key}` in {path} must be {expected!r}. Received: {found!r}.")
    for key in ("query_expansion", *_TOKENIZER_OPTIONS):
        changes = key == "query_expansion" or any(map(str(config.get(key)).count, _CHANGES_TOKENS))
        if config.get(key) and changes:
            raise ConfigError(
                f"`{key}` in {path} changes the tokens of texts, which keras-bert reads from "
                f"tokenizer_config.json alone. Received: {config[key]!r}."
            )
    return config


def _read_object(path: Path) -> dict[str, Any]:
    content = _read_json(path)
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold a JSON object. Received: {type(content).__name__}.")
    return content


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is no valid JSON: {error}.") from error
