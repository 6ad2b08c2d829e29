"""The layers BERT is made of; on Keras 2 the encoder's come from the small packages."""

from .add import Add
from .attention import MultiHeadAttention
from .conv import MaskedConv1D
from .dropout import Dropout
from .embedding import EmbeddingSimilarity, TokenEmbedding, get_embedding
from .extract import Extract
from .extract_masked import ExtractMasked
from .feed_forward import FeedForward
from .first_tokens import FirstTokens
from .inputs import get_inputs
from .masked import Masked
from .normalization import LayerNormalization
from .pooling import MaskedGlobalMaxPool1D
from .position_embedding import PositionEmbedding
from .task_embed import TaskEmbedding

__all__ = [
    "get_inputs",
    "get_embedding",
    "TokenEmbedding",
    "EmbeddingSimilarity",
    "Masked",
    "Extract",
    "ExtractMasked",
    "FirstTokens",
    "MaskedGlobalMaxPool1D",
    "MaskedConv1D",
    "TaskEmbedding",
    "MultiHeadAttention",
    "FeedForward",
    "PositionEmbedding",
    "LayerNormalization",
    "Dropout",
    "Add",
]
