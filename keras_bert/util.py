"""Extraction of features under the path that scripts import it from."""

from .checkpoints.paths import get_checkpoint_paths
from .extraction import (
    POOL_AVE,
    POOL_MAX,
    POOL_NSP,
    extract_embeddings,
    extract_embeddings_generator,
)

__all__ = [
    "POOL_AVE",
    "POOL_MAX",
    "POOL_NSP",
    "extract_embeddings",
    "extract_embeddings_generator",
    "get_checkpoint_paths",
]
