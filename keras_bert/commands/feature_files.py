"""Files of features that grow record by record and can be continued after a break.

A file is written under the name `….part` and gets its own when it is complete. Legend: T tokens of
a text, D hidden size, k layers.
"""

import io
import json
import os
import shutil
from pathlib import Path
from typing import IO

import numpy as np

from .shared import CommandError

Layers = dict[int, np.ndarray]  # index of a layer as the user gave it -> (T, D), or pooled (D,)

_HEADER_SIZE = 128  # of what numpy writes for two dimensions, with room for the first to grow
_ROWS_AT_ONCE = 256


def record(index: int, tokens: list[str], layers: Layers) -> str:
    """Describe a text in a line of JSON, in the form of Google's extract_features.py.

    Pooled features have no tokens: there "layers" stands where "features" stood.
    """
    rounded = {n: np.round(values.astype("float64"), 6).tolist() for n, values in layers.items()}
    content = {"layers": _listed(rounded)}
    if tokens:
        features = [
            {"token": token, "layers": _listed({n: rows[i] for n, rows in rounded.items()})}
            for i, token in enumerate(tokens)
        ]
        content = {"features": features}
    return json.dumps({"linex_index": index, **content}, ensure_ascii=False)


def _listed(layers: dict[int, list]) -> list[dict]:
    return [{"index": number, "values": values} for number, values in layers.items()]


class _Stream:
    """A file that grows at its end: `count` texts are in it."""

    count: int

    def __init__(self, path: Path, mode: str):
        self.path = path
        self.stream: IO[bytes] = open(path, mode)  # noqa: SIM115

    def close(self) -> None:
        """Leave the file to be continued."""
        self.stream.close()

    def finish(self, output: Path) -> None:
        """Give the file its name."""
        self.close()
        os.replace(self.path, output)


class Lines(_Stream):
    """A line per text."""

    def __init__(self, path: Path):
        super().__init__(path, "a+b")
        self.stream.seek(0)
        self.count = size = 0
        for line in self.stream:
            if not line.endswith(b"\n"):
                break  # cut off in the middle
            self.count, size = self.count + 1, size + len(line)
        self.stream.truncate(size)

    def write(self, line: str) -> None:
        """Add a line."""
        self.stream.write(line.encode() + b"\n")


class JsonLines(Lines):
    """A line of JSON per text."""

    def __init__(self, path: Path, layers: list[int], dimension: int, pooled: bool):
        super().__init__(path)

    def write(self, index: int, tokens: list[str], layers: Layers) -> None:  # type: ignore[override]
        super().write(record(index, tokens, layers))


class Npy(_Stream):
    """One array (number of texts, k·D) of pooled features, as `numpy.load` reads it."""

    def __init__(self, path: Path, layers: list[int], dimension: int, pooled: bool):
        super().__init__(path, "r+b" if path.exists() else "w+b")
        self.columns = len(layers) * dimension
        size = max(0, path.stat().st_size - _HEADER_SIZE)
        self.count = size // (4 * self.columns)
        self._write_header()
        self.stream.seek(_HEADER_SIZE + self.count * 4 * self.columns)
        self.stream.truncate()

    def write(self, index: int, tokens: list[str], layers: Layers) -> None:
        self.stream.write(np.concatenate(list(layers.values())).astype("<f4").tobytes())
        self.count += 1

    def close(self) -> None:
        self._write_header()
        super().close()

    def _write_header(self) -> None:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "<f4", "fortran_order": False, "shape": (self.count, self.columns)}
        )
        if len(header.getvalue()) != _HEADER_SIZE:
            raise CommandError(f"numpy {np.__version__} writes a header of an unexpected size")
        self.stream.seek(0)
        self.stream.write(header.getvalue())


class Parquet:
    """A table with a row per text: its index, its tokens and a list of numbers per layer.

    A Parquet file without its end cannot be read; so `path` is a folder of small files, from which
    the one file is put together.
    """

    def __init__(self, path: Path, layers: list[int], dimension: int, pooled: bool):
        # An extra, which only this class needs.
        import pyarrow as arrow
        from pyarrow import parquet

        self.arrow, self.parquet = arrow, parquet
        values = arrow.list_(arrow.float32(), dimension)
        columns = [("linex_index", arrow.int64())]
        columns += [] if pooled else [("tokens", arrow.list_(arrow.string()))]
        columns += [(f"layer_{n}", values if pooled else arrow.list_(values)) for n in layers]
        self.schema = arrow.schema(columns)
        path.mkdir(exist_ok=True)
        self.path, self.rows = path, []
        self.count = sum(self.parquet.read_metadata(file).num_rows for file in self._files())

    def write(self, index: int, tokens: list[str], layers: Layers) -> None:
        columns = {f"layer_{n}": list(values) for n, values in layers.items()}
        self.rows.append({"linex_index": index, "tokens": tokens, **columns})
        if len(self.rows) == _ROWS_AT_ONCE:
            self.close()

    def close(self) -> None:
        if self.rows:
            file = self.path / f"{self.count:012}.parquet"
            unfinished = file.with_suffix(".unfinished")
            table = self.arrow.Table.from_pylist(self.rows, self.schema)
            self.parquet.write_table(table, unfinished)
            os.replace(unfinished, file)
            self.count, self.rows = self.count + len(self.rows), []

    def finish(self, output: Path) -> None:
        self.close()
        unfinished = self.path / "unfinished"
        with self.parquet.ParquetWriter(unfinished, self.schema) as writer:
            for file in self._files():
                writer.write_table(self.parquet.read_table(file))
        os.replace(unfinished, output)
        shutil.rmtree(self.path)

    def _files(self) -> list[Path]:
        return sorted(self.path.glob("[0-9]*.parquet"))


FORMATS = {".jsonl": JsonLines, ".npy": Npy, ".parquet": Parquet}
