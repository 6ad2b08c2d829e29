"""SentencePiece's own format, read and written without its library.

Source: `sentencepiece_model.proto` of https://github.com/google/sentencepiece.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from enum import IntEnum

from ..checkpoints import CheckpointError
from ..checkpoints.tensor_bundle import wire
from .vocabulary import VocabularyError

_UNIGRAM = 1  # of `TrainerSpec.ModelType`


class Kind(IntEnum):
    """`SentencePiece.Type`."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4


def read_pieces(model_path: str | os.PathLike[str]) -> tuple[list[tuple[str, float]], bytes]:
    """Read the pieces of a model with their scores, and its precompiled map of characters.

    Raises:
        VocabularyError: If the model is damaged.
        OSError: If the file cannot be read.
    """
    with open(model_path, "rb") as file:
        content = file.read()
    try:
        fields = wire.read_message(content)
        pieces = [_piece(entry) for entry in wire.messages(fields, 1)]
        (charsmap,) = wire.messages(fields, 3)[-1].get(2, [b""])[-1:]
        return pieces, bytes(charsmap)
    except (CheckpointError, LookupError, ValueError, TypeError) as error:
        raise VocabularyError(f"{os.fspath(model_path)} is damaged: {error}.") from None


def _piece(entry: wire.Fields) -> tuple[str, float]:
    (name,), (bits,) = entry[1], entry[2]
    (score,) = struct.unpack("<f", int(bits).to_bytes(4, "little"))
    return name.decode() if isinstance(name, bytes) else "", score


def model_bytes(pieces: Iterable[tuple[str, float, Kind]], charsmap: bytes) -> bytes:
    """A model of the type Unigram, of pieces with score and kind, and a map of characters."""
    content = bytearray()
    for piece, score, kind in pieces:
        (bits,) = struct.unpack("<I", struct.pack("<f", score))
        message = wire.field(1, piece.encode()) + wire.fixed32_field(2, bits) + wire.field(3, kind)
        content += wire.field(1, message)
    content += wire.field(2, wire.field(3, _UNIGRAM))
    content += wire.field(3, wire.field(2, charsmap) if charsmap else b"")
    return bytes(content)
