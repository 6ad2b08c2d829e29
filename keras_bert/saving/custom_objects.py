"""Every class and function that a saved model may name."""

from typing import Any

from .. import layers
from ..activations import gelu_erf, gelu_tanh, hard_sigmoid_keras_2
from ..backend import utils
from ..layers.adaptive import AdaptiveEmbedding, AdaptiveSoftmax
from ..layers.crf_loss import CRFLoss, crf_viterbi_accuracy
from ..layers.initializer import GlorotNormal
from ..layers.keras_2_merging import MERGING
from ..layers.keras_2_slice import Keras2Slice
from ..layers.stack import TrigPosEmbedding
from ..layers.stack.embed_sim import EmbeddingRet, EmbeddingSim
from ..optimizers import AdamWarmup
from ..training import CoSENT, InBatchNegatives  # whose package registers all losses
from .old_files import FunctionalReader, MeanMetricWrapper

_LAYERS = (
    *("Add", "Dropout", "LayerNormalization", "MultiHeadAttention", "FeedForward"),
    *("PositionEmbedding", "TokenEmbedding", "EmbeddingSimilarity", "TaskEmbedding", "Masked"),
    *("Extract", "ExtractMasked", "FirstTokens", "MaskedGlobalMaxPool1D", "MaskedConv1D"),
    *("TokenProbability", "TextPooling"),
)

# Files of 1.0.0 name it without a package. From 3.16 on Keras does not look for it in its module.
utils.get_custom_objects().setdefault("GlorotNormal", GlorotNormal)


def get_custom_objects() -> dict[str, Any]:
    """What `load_model(path, custom_objects=...)` needs for files of this package and of 0.8x.

    Some names are Keras' own. "Functional" and "Model" stand for a reader that knows what old
    configurations mean, "gelu", "hard_sigmoid" and merging layers above all. On Keras 3, files of
    Keras 2 need an "Add" that keeps its inputs' mask and a "MeanMetricWrapper" that finds its
    metric by name; on Keras 2, the small packages use one "GlorotNormal" for several kernels. Files
    that this package wrote in the `.keras` format on Keras 3 need none of this.

    Returns:
        A new dict, name to class or function.

    Example:
        >>> import tempfile
        >>> from keras_bert import PretrainedList, get_checkpoint_paths, get_custom_objects
        >>> from keras_bert import load_trained_model_from_checkpoint
        >>> from keras_bert.backend import models
        >>> paths = get_checkpoint_paths(PretrainedList.tiny)
        >>> model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=64)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.keras")
        ...     again = models.load_model(f"{folder}/model.keras", get_custom_objects())
        >>> again.output_shape
        (None, 64, 128)
    """
    return {
        "gelu": gelu_tanh,
        "gelu_tanh": gelu_tanh,
        "gelu_erf": gelu_erf,
        "hard_sigmoid_keras_2": hard_sigmoid_keras_2,
        **{name: getattr(layers, name) for name in _LAYERS},
        **{each.__name__: each for each in (*MERGING.values(), Keras2Slice)},
        "TrigPosEmbedding": TrigPosEmbedding,
        "EmbeddingRet": EmbeddingRet,
        "EmbeddingSim": EmbeddingSim,
        "AdaptiveEmbedding": AdaptiveEmbedding,
        "AdaptiveSoftmax": AdaptiveSoftmax,
        "crf_loss": CRFLoss(),
        "crf_viterbi_accuracy": crf_viterbi_accuracy,
        "AdamWarmup": AdamWarmup,
        "CoSENT": CoSENT,
        "InBatchNegatives": InBatchNegatives,
        "Functional": FunctionalReader,
        "Model": FunctionalReader,
        "GlorotNormal": GlorotNormal,
        "MeanMetricWrapper": MeanMetricWrapper,
    }
