"""CRC32C against published values and against bit-by-bit division."""

import numpy as np
import pytest
from runtimes import once

from keras_bert.checkpoints.tensor_bundle.crc32c import crc32c, masked_crc32c

pytestmark = once


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # RFC 3720, appendix B.4.
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(reversed(range(32))), 0x113FDB5C),
        # The check value that catalogues of CRCs give.
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
)
def test_published_values(data, expected):
    assert crc32c(data) == expected


def test_the_polynomial_divides_the_four_terms_used_for_folding():
    polynomial, product = 0x11EDC6F41, 1 << 5685 | 1 << 1362 | 1 << 426 | 1
    for degree in range(5685, 31, -1):
        if product >> degree & 1:
            product ^= polynomial << degree - 32
    assert product == 0


def _shift_zeros(remainder, count):
    """Divide ``count`` zero bytes more, by squaring: an independent route to long messages."""

    def times(matrix, vector):
        result, row = 0, 0
        while vector:
            result ^= matrix[row] if vector & 1 else 0
            vector, row = vector >> 1, row + 1
        return result

    matrix = [0x82F63B78] + [1 << bit for bit in range(31)]  # One zero bit.
    bits = 8 * count
    while bits:
        if bits & 1:
            remainder = times(matrix, remainder)
        matrix = [times(matrix, column) for column in matrix]
        bits >>= 1
    return remainder


# Around the sizes at which the number of folded blocks changes.
@pytest.mark.parametrize(
    "size", [45479, 45480, 45481, 45489, 524287, 524288, 524295, 524296, 524297, 1_500_001]
)
def test_long_data_agrees_with_its_parts(size):
    data = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8)
    expected = 0
    # CRC(a + b) follows from CRC(a), CRC(b) and the length of b alone (as in zlib's crc32_combine).
    for start in range(0, size, 40000):
        part = data[start : start + 40000]
        expected = _shift_zeros(expected, part.size) ^ crc32c(part)
    assert crc32c(data) == expected


def test_masked_value_is_that_of_leveldb():
    # The formula of LevelDB's table format, on the value from the RFC.
    rotated = 0x8A9136AA >> 15 | (0x8A9136AA << 17 & 0xFFFFFFFF)
    assert masked_crc32c(bytes(32)) == (rotated + 0xA282EAD8) % 2**32
