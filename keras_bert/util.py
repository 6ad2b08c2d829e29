"""Extraction of features under the path that scripts import it from."""

from .datasets.folders import get_checkpoint_paths
from .extraction.embeddings import extract_embeddings, extract_embeddings_generator
from .extraction.pooling import POOL_AVE, POOL_MAX, POOL_NSP

__all__ = [
    "POOL_AVE",
    "POOL_MAX",
    "POOL_NSP",
    "extract_embeddings",
    "extract_embeddings_generator",
    "get_checkpoint_paths",
]
