"""Files of pretrained weights: one reader (or writer) per format, and one table of names.

The readers know bytes, not BERT; ``mapping`` knows BERT's names, not bytes. Neither knows Keras,
and TensorFlow and PyTorch are not needed to read their files.
"""

from keras_bert.checkpoints.checkpoint import Checkpoint
from keras_bert.checkpoints.errors import CheckpointError
from keras_bert.checkpoints.opening import open_checkpoint
from keras_bert.checkpoints.tensor_bundle import write_tensor_bundle

__all__ = ["Checkpoint", "CheckpointError", "open_checkpoint", "write_tensor_bundle"]
