"""BERT for Keras 3 (TensorFlow, JAX, PyTorch) and tf_keras.

Names are imported when they are first asked for: Keras takes seconds to import, and half of the
commands of `python -m keras_bert` do without.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

# Where Keras 2 is wanted, it has to be chosen before anybody uses `tensorflow.keras`.
from . import backend as backend

__version__ = "1.0.0"

if TYPE_CHECKING:
    from .bert import compile_model as compile_model
    from .bert import gelu as gelu
    from .bert import gen_batch_inputs as gen_batch_inputs
    from .bert import get_base_dict as get_base_dict
    from .bert import get_custom_objects as get_custom_objects
    from .bert import get_model as get_model
    from .bert import get_token_embedding as get_token_embedding
    from .checkpoints import CheckpointError as CheckpointError
    from .datasets import PretrainedInfo as PretrainedInfo
    from .datasets import PretrainedList as PretrainedList
    from .datasets import get_pretrained as get_pretrained
    from .extraction import POOL_AVE as POOL_AVE
    from .extraction import POOL_MAX as POOL_MAX
    from .extraction import POOL_NSP as POOL_NSP
    from .extraction import POOL_SENTENCE as POOL_SENTENCE
    from .extraction import Extractor as Extractor
    from .extraction import extract_embeddings as extract_embeddings
    from .extraction import extract_embeddings_generator as extract_embeddings_generator
    from .extraction import get_attention_maps as get_attention_maps
    from .families import ConfigError as ConfigError
    from .loader import build_model_from_config as build_model_from_config
    from .loader import load_model_weights_from_checkpoint as load_model_weights_from_checkpoint
    from .loader import load_sentence_model as load_sentence_model
    from .loader import load_task_model as load_task_model
    from .loader import load_trained_model_from_checkpoint as load_trained_model_from_checkpoint
    from .optimizers import AdamWarmup as AdamWarmup
    from .optimizers import calc_train_steps as calc_train_steps
    from .saving.sentence_folders import save_sentence_model as save_sentence_model
    from .saving.task_folders import save_task_model as save_task_model
    from .tokenizer import TOKEN_CLS as TOKEN_CLS
    from .tokenizer import TOKEN_MASK as TOKEN_MASK
    from .tokenizer import TOKEN_PAD as TOKEN_PAD
    from .tokenizer import TOKEN_SEP as TOKEN_SEP
    from .tokenizer import TOKEN_UNK as TOKEN_UNK
    from .tokenizer import SentencePieceTokenizer as SentencePieceTokenizer
    from .tokenizer import Tokenizer as Tokenizer
    from .tokenizer import VocabularyChange as VocabularyChange
    from .tokenizer import VocabularyError as VocabularyError
    from .tokenizer import load_tokenizer as load_tokenizer
    from .tokenizer import load_vocabulary as load_vocabulary
    from .tokenizer import save_vocabulary as save_vocabulary
    from .training import CoSENT as CoSENT
    from .training import InBatchNegatives as InBatchNegatives
    from .training import layout_map as layout_map
    from .util import get_checkpoint_paths as get_checkpoint_paths

_NAMES = {
    "tokenizer": (
        *("TOKEN_PAD", "TOKEN_UNK", "TOKEN_CLS", "TOKEN_SEP", "TOKEN_MASK", "Tokenizer"),
        *("SentencePieceTokenizer", "VocabularyChange", "VocabularyError"),
        *("load_tokenizer", "load_vocabulary", "save_vocabulary"),
    ),
    "bert": (
        *("gelu", "get_model", "compile_model", "get_base_dict", "gen_batch_inputs"),
        *("get_token_embedding", "get_custom_objects"),
    ),
    "loader": (
        *("build_model_from_config", "load_model_weights_from_checkpoint"),
        *("load_trained_model_from_checkpoint", "load_sentence_model", "load_task_model"),
    ),
    "saving.sentence_folders": ("save_sentence_model",),
    "saving.task_folders": ("save_task_model",),
    "extraction": (
        *("POOL_NSP", "POOL_MAX", "POOL_AVE", "POOL_SENTENCE", "Extractor"),
        *("extract_embeddings", "extract_embeddings_generator", "get_attention_maps"),
    ),
    "optimizers": ("AdamWarmup", "calc_train_steps"),
    "training": ("layout_map", "CoSENT", "InBatchNegatives"),
    "datasets": ("PretrainedInfo", "PretrainedList", "get_pretrained"),
    "util": ("get_checkpoint_paths",),
    "families": ("ConfigError",),
    "checkpoints": ("CheckpointError",),
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}
_SUBMODULES = (
    *(name for name in _NAMES if "." not in name),
    *("activations", "commands", "keras_2019", "layers", "saving"),
)

__all__ = [*_MODULE_OF, "__version__"]


def __getattr__(name: str) -> Any:
    """Import what a name stands for."""
    if name in _SUBMODULES:
        return import_module(f".{name}", __name__)
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # This registers the classes that saved models name, before a user can load one.
    import_module(".saving.custom_objects", __name__)
    value = globals()[name] = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF, *_SUBMODULES})


if "keras" in sys.modules:  # with which models may be loaded without another name of this package
    import_module(".saving.custom_objects", __name__)
