"""Files of pretrained weights: a reader, or a reader and a writer, for each format.

They know bytes, not models: what a tensor is called and what for is the business of `families`.
TensorFlow and PyTorch are not needed to read their files.
"""

from .checkpoint import Checkpoint
from .errors import CheckpointError
from .opening import open_checkpoint
from .tensor_bundle import write_tensor_bundle

__all__ = ["Checkpoint", "CheckpointError", "open_checkpoint", "write_tensor_bundle"]
