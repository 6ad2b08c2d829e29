"""keras-embed-sim's layers, which old files may name instead of this package's own pair."""

from ..backend import ops, serializable
from .embedding import EmbeddingSimilarity, TokenEmbedding

EmbeddingRet = TokenEmbedding


@serializable
class EmbeddingSim(EmbeddingSimilarity):
    """`EmbeddingSimilarity` with further arguments.

    Args:
        use_bias: Whether there is a bias.
        stop_gradient: Whether the table learns nothing from this use.
    """

    def __init__(self, use_bias=True, initializer="zeros", *args, stop_gradient=False, **kwargs):
        super().__init__(initializer, *args, **kwargs)
        self.use_bias = use_bias
        self.stop_gradient = stop_gradient

    def build(self, input_shape):
        if self.use_bias:
            super().build(input_shape)
        self.built = True

    def call(self, inputs):
        features, table = inputs
        return super().call([features, ops.stop_gradient(table) if self.stop_gradient else table])

    def get_config(self):
        return {
            **super().get_config(),
            "use_bias": self.use_bias,
            "stop_gradient": self.stop_gradient,
        }
