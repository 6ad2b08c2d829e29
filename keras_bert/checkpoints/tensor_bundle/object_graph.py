"""The object graph that TensorFlow 2 puts into its checkpoints: the variables' own names.

The tensors are named after the Python attributes through which the program reached them, which
depends on how it was saved. The graph also has the name that each variable was made with.

Source: TensorFlow, `core/protobuf/trackable_object_graph.proto`.
"""

from __future__ import annotations

from ..errors import CheckpointError
from .wire import Fields, read_message

_NODES, _ATTRIBUTES = 1, 2
_FULL_NAME, _CHECKPOINT_KEY = 2, 3


def read_full_names(graph: bytes) -> dict[str, str]:
    """Decode a TrackableObjectGraph: the full name of each variable by its key in the bundle."""
    names: dict[str, str] = {}
    for node in _strings(read_message(graph), _NODES):
        for attribute in _strings(read_message(node), _ATTRIBUTES):
            fields = read_message(attribute)
            key, full_name = (_text(fields, number) for number in (_CHECKPOINT_KEY, _FULL_NAME))
            if key and full_name and names.setdefault(key, full_name) != full_name:
                raise CheckpointError(f"its object graph has two names for '{key}'")
    return names


def _strings(fields: Fields, number: int) -> list[bytes]:
    values = fields.get(number, [])
    strings = [value for value in values if isinstance(value, bytes)]
    if len(strings) != len(values):
        raise CheckpointError(f"field {number} of a message in its object graph is a number")
    return strings


def _text(fields: Fields, number: int) -> str:
    return b"".join(_strings(fields, number)[-1:]).decode("utf-8")
