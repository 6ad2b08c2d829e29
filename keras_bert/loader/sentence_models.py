"""From a folder of sentence-transformers to a model whose outputs are vectors of texts."""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from typing import Any

from ..activations.torch_names import by_torch_name
from ..arguments import describe
from ..backend import keras, models, precision_of, set_values
from ..bert import get_model, set_trainable
from ..checkpoints import CheckpointError, open_checkpoint
from ..checkpoints.paths import MODULES, get_checkpoint_paths, is_sentence_folder
from ..datasets.folders import model_folder
from ..families import ConfigError
from ..families.sentence_folder import (
    DenseModule,
    SentenceFolder,
    read_sentence_folder,
)
from ..layers import TextPooling
from ..tokenizer import Tokenizer, load_tokenizer
from .pretrained import load_trained_model_from_checkpoint
from .text_settings import TextSettings, remember

POOLING_LAYER = "Sentence-Pooling"


def load_sentence_model(
    folder: str | os.PathLike[str],
    *,
    pooling: str | Sequence[str] | None = None,
    normalize: bool = False,
    **options: Any,
) -> models.Model:
    """Load a model that turns texts into vectors, from a folder of sentence-transformers.

    It is one functional model of encoder, pooling, dense layers and normalization, as the folder
    lists them, which trains and exports like any other. `extract_embeddings(model, texts,
    POOL_SENTENCE)` feeds it, with the folder's tokenizer, maximal length and prompts.

    Args:
        folder: Path of the folder, or what else `get_pretrained` takes, such as
            "hf://sentence-transformers/all-MiniLM-L6-v2".
        pooling: Of a folder that lists no modules, such as Google's BERT: how the encoder's
            features become one vector, a name or names as of `TextPooling`, such as "mean". This is
            how one begins to train a sentence model.
        normalize: With `pooling`, whether vectors get the length 1.
        **options: Further arguments of `load_trained_model_from_checkpoint`, such as
            `vocabulary_change` and `dropout_rate`. The model is for texts of any length unless
            `seq_len` says otherwise, and all of it can be trained unless `trainable` does.

    Returns:
        A Model of token ids and segment ids (B, T) with the output (B, D). What follows the encoder
        are the layers Sentence-Pooling, Sentence-Dense-1 … and Sentence-Normalize.

    Raises:
        ConfigError: If a description is damaged, or names something that this package does not
            have (a ValueError).
        CheckpointError: If weights are damaged or do not fit their descriptions (a ValueError).
        VocabularyError: If the vocabulary or the tokenizer's settings are damaged (a ValueError).
        ImportError: If the vocabulary is SentencePiece's and the package sentencepiece is missing.
        ValueError: If the folder lists no modules and `pooling` is not given, or it does both.
        TypeError: If there is no such option.
        OSError: If a file cannot be read.

    Example:
        >>> from keras_bert import PretrainedList, load_sentence_model
        >>> model = load_sentence_model(PretrainedList.tiny, pooling="mean", normalize=True)
        >>> model.output_shape
        (None, 128)

    Reference:
        Reimers and Gurevych, Sentence-BERT, https://arxiv.org/abs/1908.10084
    """
    known = {
        name
        for function in (load_trained_model_from_checkpoint, get_model)
        for name in inspect.signature(function).parameters
    }
    if unknown := [name for name in options if name not in known]:
        raise TypeError(
            f"load_sentence_model has no argument {unknown[0]!r}. It takes folder, pooling, "
            "normalize and those of load_trained_model_from_checkpoint and get_model."
        )
    return read_sentence_model(folder, pooling, normalize, options)


def read_sentence_model(folder, pooling, normalize: bool, options, tokenizer=None) -> models.Model:
    """Do what `load_sentence_model` does, with the folder's tokenizer if it has been read."""
    description, folder = None, model_folder(folder)
    if is_sentence_folder(folder):
        if pooling is not None or normalize:
            raise ValueError(
                f"`pooling` and `normalize` are for folders without {MODULES}; {folder} has one, "
                f"which says both. Received: pooling={describe(pooling)}, normalize={normalize}."
            )
        description = read_sentence_folder(folder)
        poolings, encoder = list(description.poolings), description.encoder
    elif pooling is None:
        raise ValueError(
            f"`folder` must hold {MODULES}, as those of sentence-transformers do; for a model "
            "without it say how features become a vector, such as "
            'load_sentence_model(folder, pooling="mean"). '
            f"Received: {folder!r}."
        )
    else:
        poolings, encoder = pooling, folder
    of_first_token = poolings in ("cls", ["cls"])
    for name in ("training", "output_len"):
        if options.get(name) and not (name == "output_len" and of_first_token):
            raise ValueError(
                f"`{name}` is not for sentence models, which pool the features of all tokens. "
                f"Received: {name}={options[name]!r}."
            )
    paths = get_checkpoint_paths(encoder)
    trainable = options.pop("trainable", True)  # of the whole model
    options.setdefault("seq_len", None)
    if of_first_token:
        options.setdefault("output_len", 1)  # the last layer computes nothing else
    model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, **options)
    # Vectors have at least 32 bits, also under a 16-bit policy: nothing behind the encoder casts.
    dtype = vector_dtype(model)
    vectors = TextPooling(poolings, dtype=dtype, name=POOLING_LAYER)(
        [model.output, model.inputs[0]]
    )
    sentence_model = _with_modules(model, vectors, description, normalize, dtype)
    if description is not None:
        _fill_dense(sentence_model, description)
    set_trainable(sentence_model, trainable)
    if tokenizer is not None or os.path.exists(paths.vocab):
        tokenizer = tokenizer or load_tokenizer(paths.vocab, official=True)
        if change := options.get("vocabulary_change"):
            changed = Tokenizer(change.vocabulary, cased=tokenizer._cased, official=True)
            changed._text_rules = tokenizer._text_rules
            tokenizer = changed
        remember(sentence_model, _settings(tokenizer, description))
    return sentence_model


def vector_dtype(model: models.Model) -> str:
    """The type of the vectors that are pooled from a model's features: of 32 bits at least."""
    return precision_of(model.outputs[0].dtype)


def _with_modules(model, vectors, description: SentenceFolder | None, normalize, dtype):
    """The model up to the vectors, with the layers that the folder lists behind them."""
    counts = {"Dense": 0, "Normalize": 0}
    modules = (None,) * normalize if description is None else description.modules
    for module in modules:
        kind = "Dense" if isinstance(module, DenseModule) else "Normalize"
        counts[kind] += 1
        name = f"Sentence-{kind}"
        if kind == "Dense" or counts[kind] > 1:
            name = f"{name}-{counts[kind]}"
        if kind == "Normalize":
            layer = keras.layers.UnitNormalization(dtype=dtype, autocast=False, name=name)
        else:
            layer = _dense_layer(module, vectors.shape[-1], dtype, name)
        vectors = layer(vectors)
    return models.Model(model.inputs, vectors)


def _dense_layer(module: DenseModule, size: int, dtype: str, name: str):
    activation = by_torch_name(module.activation)
    if activation is None:
        raise ConfigError(
            f"`activation_function` in {module.weights.parent} must be the path of an activation "
            f"of PyTorch that keras-bert has, such as 'torch.nn.modules.activation.Tanh'. "
            f"Received: {module.activation!r}."
        )
    if module.input_size != size:
        raise ConfigError(
            f"`in_features` in {module.weights.parent} must be {size}, the size of the vectors "
            f"before it. Received: {module.input_size}."
        )
    return keras.layers.Dense(
        *(module.output_size, activation, module.bias), dtype=dtype, autocast=False, name=name
    )


def _fill_dense(model: models.Model, description: SentenceFolder) -> None:
    dense = [module for module in description.modules if isinstance(module, DenseModule)]
    for number, module in enumerate(dense, start=1):
        layer = model.get_layer(f"Sentence-Dense-{number}")
        names = ["linear.weight", *["linear.bias"] * module.bias]
        shapes = [(module.output_size, module.input_size), (module.output_size,)]
        with open_checkpoint(module.weights) as checkpoint:
            held = {name: tuple(checkpoint.shape(name)) for name in checkpoint}
            if held != dict(zip(names, shapes, strict=False)):
                raise CheckpointError(
                    f"{module.weights} must hold {' and '.join(names)} of the shapes "
                    f"{', '.join(map(str, shapes[: len(names)]))}. Received: {held}."
                )
            arrays = [checkpoint[name].astype("float32").T for name in names]
        set_values(zip(layer.weights, arrays, strict=True))


def _settings(tokenizer: Tokenizer, description: SentenceFolder | None) -> TextSettings:
    if description is None:
        return TextSettings(tokenizer)
    return TextSettings(
        tokenizer,
        description.max_length,
        description.prompts,
        description.default_prompt,
        description.lower_case,
        description.pools_prompts,
        description.similarity,
    )
