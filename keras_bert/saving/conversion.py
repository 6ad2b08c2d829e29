"""Model folders of Google's and of Hugging Face's kind, read and written without Keras.

What a folder holds is its weights, its configuration and its vocabulary. On the way from one kind
to the other each keeps its meaning; where Google's format has no words for it, the configuration
says it in words that Google's own code refuses.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..checkpoints import Checkpoint, open_checkpoint, write_tensor_bundle
from ..checkpoints.paths import get_checkpoint_paths
from ..checkpoints.safetensors import write_safetensors
from ..families.configuration import read_config
from ..families.fitting import check_sizes, check_strangers, transformer_num
from ..families.translation import (
    as_hugging_face_names,
    find_present_weights,
    left_out,
    translate,
)
from ..families.weights import Naming, find_weights, in_files, vocabulary_weights
from ..tokenizer.case import is_cased
from ..tokenizer.vocabulary import load_vocabulary, save_vocabulary
from ..tokenizer.vocabulary_change import VocabularyChange

# "gelu" alone has two meanings, see `activations`.
_TANH_NAMES = ("gelu_new", "gelu_pytorch_tanh", "gelu_tanh")
_ERF_NAMES = ("gelu_erf", "gelu_python")
_USUAL_EPSILON = 1e-12  # fixed in Google's code

_GOOGLE_KEYS = (
    "attention_probs_dropout_prob",
    "directionality",
    "hidden_act",
    "hidden_dropout_prob",
    "hidden_size",
    "initializer_range",
    "intermediate_size",
    "max_position_embeddings",
    "num_attention_heads",
    "num_hidden_layers",
    "pooler_fc_size",
    "pooler_num_attention_heads",
    "pooler_num_fc_layers",
    "pooler_size_per_head",
    "pooler_type",
    "type_vocab_size",
    "vocab_size",
)


class BertFiles(NamedTuple):
    """A model on its way from one format to another.

    Attributes:
        config: The configuration, with `hidden_act` as `plain_activation` gives it.
        tensors: Takes a naming and returns the weights under it.
        vocabulary: Token to id, None if there is none.
        cased: Whether texts keep their case.
        left_out: Names of tensors that are not BERT's and are lost.
    """

    config: dict
    tensors: Callable[[Naming], dict[str, np.ndarray]]
    vocabulary: Mapping[str, int] | None
    cased: bool
    left_out: list[str]


def plain_activation(name: str, exact_gelu: bool) -> str:
    """Say by name which GELU is meant: 'gelu_tanh' or 'gelu_erf'; other names stay."""
    if name in _TANH_NAMES or (name == "gelu" and not exact_gelu):
        return "gelu_tanh"
    return "gelu_erf" if name in (*_ERF_NAMES, "gelu") else name


def read_folder(folder: Path) -> BertFiles:
    """Read a model folder of either kind.

    Args:
        folder: Path of the folder, see `get_checkpoint_paths`.

    Returns:
        What it holds. The weights are read when they are asked for.

    Raises:
        ConfigError, CheckpointError, VocabularyError: A file is damaged or not BERT's, or they do
            not belong together (all are ValueErrors).
        OSError: A file cannot be read.
    """
    paths = get_checkpoint_paths(folder)
    config = read_config(paths.config)
    checkpoint = open_checkpoint(paths.checkpoint)
    found = find_present_weights(checkpoint, transformer_num(config, checkpoint))
    check_encoder(config, checkpoint)
    config["hidden_act"] = plain_activation(
        config["hidden_act"], exact_gelu=checkpoint.format != "tensor_bundle"
    )
    vocabulary = load_vocabulary(paths.vocab) if Path(paths.vocab).exists() else None
    return BertFiles(
        config,
        lambda naming: translate(checkpoint, found, naming),
        vocabulary,
        is_cased(folder, vocabulary or {}),
        left_out(checkpoint, found),
    )


def with_vocabulary(files: BertFiles, change: VocabularyChange) -> BertFiles:
    """Give a model another vocabulary.

    Args:
        files: A model with a vocabulary.
        change: What becomes of it.

    Returns:
        The model with fewer or further rows in the weights that have one for each token.

    Raises:
        ValueError: The vocabulary from which `change` starts has another size than the model's.
    """
    change.check_size(files.config["vocab_size"])

    def tensors(naming: Naming) -> dict[str, np.ndarray]:
        names = {in_files(weight, naming)[0] for weight in vocabulary_weights()}
        return {
            name: change.rows(array) if name in names else array
            for name, array in files.tensors(naming).items()
        }

    config = {**files.config, "vocab_size": len(change.vocabulary)}
    return files._replace(config=config, tensors=tensors, vocabulary=change.vocabulary)


def check_encoder(config: dict, checkpoint: Checkpoint) -> None:
    """Raise unless the checkpoint is one of BERT and of this configuration."""
    encoder = find_weights(checkpoint, transformer_num(config, checkpoint), training=False)
    check_sizes(config, checkpoint, encoder)
    check_strangers(checkpoint, encoder, config["num_hidden_layers"])


def write_google_folder(folder: Path, files: BertFiles) -> list[str]:
    """Write bert_config.json, bert_model.ckpt.*, vocab.txt and tokenizer_config.json.

    Args:
        folder: Path of a folder that does not exist or is empty.
        files: The model.

    Returns:
        Remarks on what Google's own code would not understand.

    Raises:
        OSError: The folder holds something, or a file cannot be written.
        ValueError: The vocabulary cannot be a text file.
    """
    config = {key: value for key, value in files.config.items() if key in _GOOGLE_KEYS}
    remarks = []
    epsilon = files.config.get("layer_norm_eps", _USUAL_EPSILON)
    usual = epsilon == _USUAL_EPSILON
    if not usual:
        config["layer_norm_eps"] = epsilon
        remarks.append(f"Google's own code would take {_USUAL_EPSILON} for layer_norm_eps")
    if config["hidden_act"] == "gelu_tanh":
        # Beside a key of Hugging Face's, "gelu" alone would be read as the exact form.
        config["hidden_act"] = "gelu" if usual else "gelu_new"
    if config["hidden_act"] not in ("gelu", "relu", "tanh", "linear"):
        remarks.append(f"Google's own code does not know hidden_act {config['hidden_act']!r}")
    with new_folder(folder) as unfinished:
        _write_json(unfinished / "bert_config.json", config)
        write_tensor_bundle(unfinished / "bert_model.ckpt", files.tensors("google"))
        _write_tokenizer(unfinished, files)
    return remarks


def write_hugging_face_folder(folder: Path, files: BertFiles) -> list[str]:
    """Write config.json, model.safetensors, vocab.txt and tokenizer_config.json.

    Arguments and errors are those of `write_google_folder`.

    Returns:
        No remarks.
    """
    tensors = as_hugging_face_names(files.tensors("huggingface"))
    activation = {"gelu_tanh": "gelu_new", "gelu_erf": "gelu"}
    config = {
        "layer_norm_eps": _USUAL_EPSILON,
        "pad_token_id": (files.vocabulary or {}).get("[PAD]", 0),
        **files.config,
        "architectures": [_architecture(tensors)],
        "model_type": "bert",
    }
    config["hidden_act"] = activation.get(config["hidden_act"], config["hidden_act"])
    with new_folder(folder) as unfinished:
        _write_json(unfinished / "config.json", config)
        write_safetensors(unfinished / "model.safetensors", tensors)
        _write_tokenizer(unfinished, files)
    return []


def _architecture(tensors: Mapping[str, np.ndarray]) -> str:
    heads = ("cls.predictions.bias" in tensors, "cls.seq_relationship.bias" in tensors)
    return {
        (True, True): "BertForPreTraining",
        (True, False): "BertForMaskedLM",
        (False, True): "BertForNextSentencePrediction",
        (False, False): "BertModel",
    }[heads]


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to write into, which takes the wanted name when all has been written.

    Raises:
        FileExistsError: There is a file of that name, or a folder that is not empty.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise FileExistsError(f"{folder} is there already: delete it, or choose another name.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        unfinished = Path(temporary) / folder.name
        unfinished.mkdir()
        yield unfinished
        if folder.exists():
            folder.rmdir()
        unfinished.rename(folder)


def _write_tokenizer(folder: Path, files: BertFiles) -> None:
    if files.vocabulary is not None:
        save_vocabulary(folder / "vocab.txt", files.vocabulary)
        config = {
            "do_lower_case": not files.cased,
            "model_max_length": files.config["max_position_embeddings"],
            "tokenizer_class": "BertTokenizer",
        }
        _write_json(folder / "tokenizer_config.json", config)


def _write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", "utf-8")
