"""From the files of a model folder to a model."""

from ..tokenizer.vocabulary import load_vocabulary
from .pretrained import (
    build_model_from_config,
    checkpoint_loader,
    gelu_of,
    load_model_weights_from_checkpoint,
    load_trained_model_from_checkpoint,
)
from .sentence_models import load_sentence_model
from .task_models import load_task_model

__all__ = [
    "build_model_from_config",
    "checkpoint_loader",
    "gelu_of",
    "load_model_weights_from_checkpoint",
    "load_sentence_model",
    "load_task_model",
    "load_trained_model_from_checkpoint",
    "load_vocabulary",
]
