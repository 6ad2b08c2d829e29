"""The layers BERT is made of; on Keras 2 the encoder's come from the small packages."""

from .conv import MaskedConv1D
from .crf import CRF
from .embedding import EmbeddingSimilarity, TokenEmbedding, get_embedding
from .extract import Extract
from .extract_masked import ExtractMasked
from .first_tokens import FirstTokens
from .inputs import get_inputs
from .masked import Masked
from .pooling import MaskedGlobalMaxPool1D
from .stack import (
    Add,
    Dropout,
    FeedForward,
    LayerNormalization,
    MultiHeadAttention,
    PositionEmbedding,
)
from .task_embed import TaskEmbedding
from .text_pooling import TextPooling
from .token_probability import TokenProbability

__all__ = ["get_inputs", "get_embedding", "TokenEmbedding", "EmbeddingSimilarity", "Masked"]
__all__ += ["Extract", "ExtractMasked", "FirstTokens", "MaskedGlobalMaxPool1D", "MaskedConv1D"]
__all__ += ["TaskEmbedding", "MultiHeadAttention", "FeedForward", "PositionEmbedding"]
__all__ += ["LayerNormalization", "Dropout", "Add", "CRF", "TokenProbability"]
__all__ += ["TextPooling"]
