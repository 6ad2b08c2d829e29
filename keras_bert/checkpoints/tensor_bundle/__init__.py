"""TensorFlow's checkpoint format, read and written without TensorFlow.

A checkpoint PREFIX is an index, `PREFIX.index`, and data files (shards) named
`PREFIX.data-00000-of-00001` and so on. Google's BERT models come in this format.
"""

from .reader import read_tensor_bundle
from .writer import write_tensor_bundle

__all__ = ["read_tensor_bundle", "write_tensor_bundle"]
