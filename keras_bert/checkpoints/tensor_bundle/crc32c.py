"""CRC32C (the Castagnoli polynomial, RFC 3720 appendix B.4) in NumPy.

A CRC is the remainder of the data, read as one long polynomial over GF(2), divided by P(x). P(x)
divides x^5685 + x^1362 + x^426 + 1, so x^5685 may be replaced by x^1362 + x^426 + 1 anywhere
without changing the remainder. Squaring is linear over GF(2), so the same holds for x^s instead of
x with any power of two s. For s = 64 this folds the data by whole 64-bit words: each word is XORed
into three words further on, thousands at a time, until 5,685 words are left; for s = 8 once more by
bytes; and only the last 5,685 bytes go through the usual table.

The method is that of "Chorba" (S. Russell, arXiv:2412.16398); the four-term multiple was found by
searching the powers of x modulo P(x), and the tests prove it.
"""

from __future__ import annotations

import numpy as np

_REVERSED_POLYNOMIAL = 0x82F63B78
_DEGREE, _MIDDLE, _LOW = 5685, 1362, 426
_BLOCK_WORDS = 1 << 16
_BLOCK_BYTES = 8 * _BLOCK_WORDS


def _byte_table() -> list[int]:
    table = []
    for remainder in range(256):
        for _ in range(8):
            remainder = remainder >> 1 ^ (_REVERSED_POLYNOMIAL if remainder & 1 else 0)
        table.append(remainder)
    return table


_TABLE = _byte_table()


def _fold(units: np.ndarray, count: int) -> None:
    """Fold the first `count` units (words or bytes) into those after them, in place."""
    # Within one step no unit may be read that the same step still changes.
    step = _DEGREE - _MIDDLE
    for start in range(0, count, step):
        stop = min(start + step, count)
        for distance in (step, _DEGREE - _LOW, _DEGREE):
            units[start + distance : stop + distance] ^= units[start:stop]


def _folded(data: np.ndarray) -> np.ndarray:
    """Return `_DEGREE` bytes that leave the same remainder as `data`, start value included."""
    words = np.zeros(_BLOCK_WORDS + _DEGREE, np.uint64)
    carried = words.view(np.uint8)[: 8 * _DEGREE]
    block = words.view(np.uint8)[8 * _DEGREE :]
    # The first piece is the odd one, placed after zeros, which change nothing before the data.
    # It has at least 8 bytes, so that the start value, XORed into the first four, fits in it.
    first = (data.size - 8) % _BLOCK_BYTES + 8
    padded = words.view(np.uint8)[-first:]
    padded[:] = data[:first]
    padded[:4] ^= 0xFF
    _fold(words, _BLOCK_WORDS)
    for start in range(first, data.size, _BLOCK_BYTES):
        carried[:] = block[-carried.size :]
        block[:] = data[start : start + _BLOCK_BYTES]
        _fold(words, _BLOCK_WORDS)
    rest = block[-carried.size :]
    _fold(rest, rest.size - _DEGREE)
    return rest[-_DEGREE:]


def crc32c(data: bytes | bytearray | memoryview | np.ndarray) -> int:
    """Compute the CRC32C of bytes or of an array of type `uint8`."""
    array = np.frombuffer(data, np.uint8)
    remainder = 0xFFFFFFFF
    if array.size > 8 * _DEGREE:
        array, remainder = _folded(array), 0
    for byte in array.tolist():
        remainder = _TABLE[(remainder ^ byte) & 0xFF] ^ remainder >> 8
    return remainder ^ 0xFFFFFFFF


def masked_crc32c(data: bytes | bytearray | memoryview | np.ndarray) -> int:
    """Compute the CRC32C in the form in which LevelDB and TensorFlow store it."""
    # A checksum over bytes that hold checksums themselves is weak (LevelDB, `util/crc32c.h`).
    value = crc32c(data)
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF
