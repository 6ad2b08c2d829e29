"""BERT in three lines for Keras 3 (TensorFlow, JAX, PyTorch) and, with TF_KERAS=1, tf_keras."""

from ._command_line import runs_a_command
from .version import __version__

# Keras takes seconds to import, and most commands do without. Elsewhere all is there at once: files
# name classes that must be registered, and TF_KERAS has to be heeded before TensorFlow is used.
if not runs_a_command():
    from .attention_maps import get_attention_maps
    from .bert import (
        TOKEN_CLS,
        TOKEN_MASK,
        TOKEN_PAD,
        TOKEN_SEP,
        TOKEN_UNK,
        compile_model,
        gelu,
        gen_batch_inputs,
        get_base_dict,
        get_custom_objects,
        get_model,
        get_token_embedding,
    )
    from .checkpoints import CheckpointError
    from .configuration import ConfigError
    from .datasets import PretrainedInfo, PretrainedList, get_pretrained
    from .distribution import layout_map
    from .extractor import Extractor
    from .loader import (
        build_model_from_config,
        load_model_weights_from_checkpoint,
        load_trained_model_from_checkpoint,
        load_vocabulary,
    )
    from .optimizers import AdamWarmup, calc_train_steps
    from .tokenizer import Tokenizer
    from .util import (
        POOL_AVE,
        POOL_MAX,
        POOL_NSP,
        extract_embeddings,
        extract_embeddings_generator,
        get_checkpoint_paths,
    )
    from .vocabulary import VocabularyError, save_vocabulary
    from .vocabulary_change import VocabularyChange

__all__ = [
    "TOKEN_PAD",
    "TOKEN_UNK",
    "TOKEN_CLS",
    "TOKEN_SEP",
    "TOKEN_MASK",
    "gelu",
    "get_model",
    "compile_model",
    "get_base_dict",
    "gen_batch_inputs",
    "get_token_embedding",
    "get_custom_objects",
    "get_attention_maps",
    "layout_map",
    "build_model_from_config",
    "load_model_weights_from_checkpoint",
    "load_trained_model_from_checkpoint",
    "load_vocabulary",
    "save_vocabulary",
    "VocabularyChange",
    "Tokenizer",
    "AdamWarmup",
    "calc_train_steps",
    "POOL_NSP",
    "POOL_MAX",
    "POOL_AVE",
    "get_checkpoint_paths",
    "extract_embeddings",
    "extract_embeddings_generator",
    "Extractor",
    "PretrainedInfo",
    "PretrainedList",
    "get_pretrained",
    "ConfigError",
    "CheckpointError",
    "VocabularyError",
    "__version__",
]
