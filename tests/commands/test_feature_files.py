"""Files of features, continued after a break, as other programs read them. It needs no Keras."""

import json

import numpy as np
import pytest
from runtimes import once

from keras_bert.commands.feature_files import FORMATS, record

pytestmark = once

COUNT, DIMENSION, LAYERS = 300, 4, [-1, -2]  # more than one group of rows of a Parquet file
SUFFIXES = [".jsonl", ".npy", ".parquet"]


def text(index, pooled):
    """Tokens of a text and its layers."""
    random = np.random.RandomState(index)
    tokens = [f"é{number}" for number in range(index % 4 + 2)]
    shape = (DIMENSION,) if pooled else (len(tokens), DIMENSION)
    layers = {number: random.normal(size=shape).astype("float32") for number in LAYERS}
    return [] if pooled else tokens, layers


def opened(path, suffix, pooled):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    return FORMATS[suffix](path, LAYERS, DIMENSION, pooled)


def write(file, indices, pooled):
    for index in indices:
        file.write(index, *text(index, pooled))


def read(path, suffix, pooled):
    """For every text its index, tokens and layers."""
    if suffix == ".npy":
        rows = np.load(path)
        assert rows.dtype == "float32"
        return [(index, [], np.split(row, 2)) for index, row in enumerate(rows)]
    if suffix == ".parquet":
        from pyarrow import parquet

        return [
            (row["linex_index"], row.get("tokens", []), [row["layer_-1"], row["layer_-2"]])
            for row in parquet.read_table(path).to_pylist()
        ]
    found = []
    for line in path.read_text("utf-8").split("\n")[:-1]:
        each = json.loads(line)
        if pooled:
            tokens, layers = [], [[part["values"]] for part in each["layers"]]
        else:
            tokens = [feature["token"] for feature in each["features"]]
            layers = [
                [feature["layers"][place]["values"] for feature in each["features"]]
                for place in range(2)
            ]
        found.append((each["linex_index"], tokens, layers))
    return found


def check(path, suffix, pooled, count=COUNT):
    found = read(path, suffix, pooled)
    assert [index for index, _, _ in found] == list(range(count))
    for index, tokens, layers in found:
        expected_tokens, expected = text(index, pooled)
        assert tokens == expected_tokens
        for layer, array in zip(layers, expected.values(), strict=True):
            # JSON has six digits behind the point.
            np.testing.assert_allclose(np.squeeze(layer), np.squeeze(array), atol=6e-7, rtol=0)


# An array holds pooled features only.
CASES = [(suffix, True) for suffix in SUFFIXES] + [
    (suffix, False) for suffix in SUFFIXES if suffix != ".npy"
]


@pytest.mark.sampled(7)
@pytest.mark.parametrize(("suffix", "pooled"), CASES)
@pytest.mark.parametrize("breaks", [[], [7], [0, 256, 280]])
def test_a_file_is_the_same_wherever_it_broke_off(tmp_path, suffix, pooled, breaks):
    part, output = tmp_path / "out.part", tmp_path / f"out{suffix}"
    for start, end in zip([0, *breaks], [*breaks, None], strict=True):
        file = opened(part, suffix, pooled)
        assert file.count == start
        write(file, range(start, COUNT if end is None else end), pooled)
        assert not output.exists()
        file.close() if end is not None else file.finish(output)
    assert not part.exists()
    check(output, suffix, pooled)


@pytest.mark.parametrize(("suffix", "pooled"), CASES)
def test_no_texts(tmp_path, suffix, pooled):
    output = tmp_path / f"out{suffix}"
    opened(tmp_path / "out.part", suffix, pooled).finish(output)
    check(output, suffix, pooled, count=0)
    if suffix == ".npy":
        assert np.load(output).shape == (0, 2 * DIMENSION)


@pytest.mark.parametrize("cut", [1, 10, 31])
@pytest.mark.parametrize("suffix", [".jsonl", ".npy"])
def test_what_was_cut_in_the_middle_is_written_again(tmp_path, suffix, cut):
    """As a machine that loses its power leaves it."""
    part, output = tmp_path / "out.part", tmp_path / f"out{suffix}"
    file = opened(part, suffix, pooled=True)
    write(file, range(9), pooled=True)
    file.close()
    part.write_bytes(part.read_bytes()[:-cut])
    file = opened(part, suffix, pooled=True)
    assert file.count == 8
    write(file, range(8, COUNT), pooled=True)
    file.finish(output)
    check(output, suffix, pooled=True)


def test_an_unfinished_group_of_rows_is_no_part_of_a_table(tmp_path):
    part = tmp_path / "out.part"
    file = opened(part, ".parquet", pooled=False)
    write(file, range(5), pooled=False)
    file.close()
    (part / "000000000005.unfinished").write_bytes(b"PAR1")
    file = opened(part, ".parquet", pooled=False)
    assert file.count == 5
    write(file, range(5, COUNT), pooled=False)
    file.finish(tmp_path / "out.parquet")
    check(tmp_path / "out.parquet", ".parquet", pooled=False)


def test_an_array_can_be_read_while_it_grows(tmp_path):
    file = opened(tmp_path / "out.part", ".npy", pooled=True)
    write(file, range(3), pooled=True)
    file.close()
    assert np.load(tmp_path / "out.part").shape == (3, 2 * DIMENSION)


def test_a_record_is_as_in_googles_tool():
    """Tokens in the alphabet that they have, numbers to six digits."""
    layers = {-1: np.array([[0.12345678, 1.0]], "float32"), -2: np.array([[2.0, -3.0]], "float32")}
    assert record(3, ["é"], layers) == (
        '{"linex_index": 3, "features": [{"token": "é", "layers": ['
        '{"index": -1, "values": [0.123457, 1.0]}, {"index": -2, "values": [2.0, -3.0]}]}]}'
    )
    pooled = {-1: np.array([0.5, 1.0], "float32")}
    assert record(0, [], pooled) == (
        '{"linex_index": 0, "layers": [{"index": -1, "values": [0.5, 1.0]}]}'
    )
