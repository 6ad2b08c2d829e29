"""Texts to batches, through a model, to vectors; and attention probabilities."""

from .attention_maps import get_attention_maps
from .embeddings import extract_embeddings, extract_embeddings_generator
from .extractor import Extractor
from .pooling import POOL_AVE, POOL_MAX, POOL_NSP, POOL_SENTENCE

__all__ = [
    "POOL_AVE",
    "POOL_MAX",
    "POOL_NSP",
    "POOL_SENTENCE",
    "Extractor",
    "extract_embeddings",
    "extract_embeddings_generator",
    "get_attention_maps",
]
