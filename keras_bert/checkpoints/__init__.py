"""Files of pretrained weights: one reader (or writer) per format, and one table of names.

The readers know bytes, not BERT; ``mapping`` knows BERT's names, not bytes. Neither knows Keras,
and TensorFlow and PyTorch are not needed to read their files.
"""

from .checkpoint import Checkpoint
from .errors import CheckpointError
from .opening import open_checkpoint
from .tensor_bundle import write_tensor_bundle

__all__ = ["Checkpoint", "CheckpointError", "open_checkpoint", "write_tensor_bundle"]
