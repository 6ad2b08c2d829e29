"""A checkpoint as a read-only mapping of tensor names to arrays, the same for every format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from .errors import CheckpointError
from .stored import AnyTensor, ChangedTensor, have_equal_content


class Checkpoint(Mapping[str, np.ndarray]):
    """The tensors of a checkpoint, read one by one as they are asked for.

    Each access maps the tensor's own part of the file as an array of the type that is stored
    (float16 and bfloat16 included). Writing to the array leaves the file as it is. Checksums, where
    the format has them, are verified at the first access. No file is held open.

    Attributes:
        path: The path that names the checkpoint (for TensorFlow, its prefix).
        format: 'tensor_bundle', 'safetensors', 'torch' or 'hdf5'.

    Raises:
        KeyError: If the checkpoint holds no tensor of that name.
        CheckpointError: If the tensor is damaged, or of a type that no array can hold.
        OSError: If a file has gone or cannot be read.
        ValueError: If the checkpoint has been closed.
    """

    def __init__(self, path: Path, format: str, tensors: Mapping[str, AnyTensor]):
        self.path = path
        self.format = format
        self._tensors: dict[str, AnyTensor] | None = dict(tensors)

    def __getitem__(self, name: str) -> np.ndarray:
        try:
            return self._find(name).read()
        except CheckpointError as error:
            raise CheckpointError(f"{self.path}: tensor '{name}': {error}") from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._open_tensors())

    def __len__(self) -> int:
        return len(self._open_tensors())

    def __contains__(self, name: object) -> bool:
        return name in self._open_tensors()

    def __repr__(self) -> str:
        count = "closed" if self._tensors is None else f"{len(self._tensors)} tensors"
        return f"<Checkpoint {str(self.path)!r}: {self.format}, {count}>"

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape without reading it."""
        return self._find(name).shape

    def stored_shape(self, name: str) -> tuple[int, ...]:
        """Return the shape that a tensor has in the file, where names and shapes are changed."""
        tensor = self._find(name)
        return tensor.source.shape if isinstance(tensor, ChangedTensor) else tensor.shape

    def dtype(self, name: str) -> np.dtype:
        """Return the type of a tensor's elements without reading it."""
        tensor = self._find(name)
        if tensor.dtype is None:
            raise CheckpointError(f"{self.path}: tensor '{name}': {tensor.reason}")
        return tensor.dtype

    def are_equal(self, first: str, second: str) -> bool:
        """Tell whether two tensors have the same type, shape and bits, in little memory."""
        return have_equal_content(self._find(first), self._find(second))

    def map(self, function: Callable[[str, AnyTensor], AnyTensor]) -> Checkpoint:
        """Return a checkpoint that has what the function makes of each name and tensor."""
        tensors = {name: function(name, tensor) for name, tensor in self._open_tensors().items()}
        return Checkpoint(self.path, self.format, tensors)

    def close(self) -> None:
        """Forget the tensors. Arrays that were read stay valid."""
        self._tensors = None

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _open_tensors(self) -> dict[str, AnyTensor]:
        if self._tensors is None:
            raise ValueError(f"The checkpoint {self.path} has been closed; open it again.")
        return self._tensors

    def _find(self, name: str) -> AnyTensor:
        try:
            return self._open_tensors()[name]
        except KeyError:
            raise KeyError(f"{self.path} holds no tensor named '{name}'") from None
