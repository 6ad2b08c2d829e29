"""Extraction of features (see extract_embeddings)."""

from .checkpoint_paths import get_checkpoint_paths

POOL_NSP = "POOL_NSP"
POOL_MAX = "POOL_MAX"
POOL_AVE = "POOL_AVE"

__all__ = [
    "POOL_NSP",
    "POOL_MAX",
    "POOL_AVE",
    "get_checkpoint_paths",
    "extract_embeddings_generator",
    "extract_embeddings",
]


def extract_embeddings_generator(*args, **kwargs):
    raise NotImplementedError


def extract_embeddings(*args, **kwargs):
    raise NotImplementedError
