"""Protocol-buffer wire format, as much of it as TensorFlow's index files use.

Source: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from ..errors import CheckpointError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Fields = dict[int, list[int | bytes]]


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Decode a base-128 number of at most 64 bits; return it and the position after it."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise CheckpointError("a number is cut off")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >= 1 << 64:
                break
            return value, position
    raise CheckpointError("a number has more than 64 bits")


def varint(value: int) -> bytes:
    """Encode a number of at most 64 bits; negative ones as their two's complement."""
    value &= (1 << 64) - 1
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def read_message(data: bytes) -> Fields:
    """Split a message of any type into its fields: integers, or bytes (strings and messages)."""
    fields: Fields = {}
    position = 0
    while position < len(data):
        key, position = read_varint(data, position)
        kind = key & 7
        value: int | bytes
        if kind == _VARINT:
            value, position = read_varint(data, position)
        elif kind in (_FIXED32, _FIXED64, _BYTES):
            if kind == _BYTES:
                size, position = read_varint(data, position)
            else:
                size = 4 if kind == _FIXED32 else 8
            value = bytes(data[position : position + size])
            if len(value) < size:
                raise CheckpointError("a message is cut off")
            position += size
            if kind != _BYTES:
                value = int.from_bytes(value, "little")
        else:
            raise CheckpointError(f"a message has a field of the unknown kind {kind}")
        fields.setdefault(key >> 3, []).append(value)
    return fields


def integer(fields: Fields, number: int, default: int = 0) -> int:
    """Return an integer field, read as a signed 64-bit number; the last one counts."""
    value = fields.get(number, [default])[-1]
    if not isinstance(value, int):
        raise CheckpointError(f"field {number} of a message is not a number")
    return value - (1 << 64) if value >= 1 << 63 else value


def messages(fields: Fields, number: int) -> list[Fields]:
    """Return the messages in a repeated field."""
    values = fields.get(number, [])
    if not all(isinstance(value, bytes) for value in values):
        raise CheckpointError(f"field {number} of a message is not a message")
    return [read_message(value) for value in values if isinstance(value, bytes)]


def field(number: int, value: int | bytes) -> bytes:
    """Encode a field: an integer as a varint, bytes with their length before them."""
    if isinstance(value, int):
        return varint(number << 3 | _VARINT) + varint(value)
    return varint(number << 3 | _BYTES) + varint(len(value)) + value


def fixed32_field(number: int, value: int) -> bytes:
    """Encode an unsigned 32-bit integer in a field of fixed size."""
    return varint(number << 3 | _FIXED32) + value.to_bytes(4, "little")
