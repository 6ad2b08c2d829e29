"""Vectors of any number of texts by Ray Data, on all cores of a machine or of a cluster.

    pip install '.[ray]'
    python demo/extract_ray.py MODEL IN OUT

IN is a text file with a text in every line, a Parquet file, or a folder of either; OUT is a folder.
The input is divided into pieces, LINES lines or a row group each. A piece becomes a Parquet file of
its own in OUT: all columns but the texts (for lines, their number), and the vectors. It gets its
name when it is complete. So a worker that dies, or all of them, cost nothing but the pieces they
were at: Ray starts another worker, the same command continues what broke off, and no text is ever
missing or there twice. Options:

    --columns text        the column of texts; first,second for pairs
    --pooling ave         nsp, max or ave
    --workers N           how many copies of the model; by default one per core that Ray finds
    --official            exactly the tokens of BERT's own tokenizer

On a cluster, MODEL, IN and OUT must be on storage that all machines see.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import uuid
from pathlib import Path

import pyarrow as arrow
from pyarrow import parquet

LINES = 8192
ROWS_AT_ONCE = 8192  # in a worker's memory; `Extractor` sorts 2,048 by length at a time
SETTINGS = "_settings.json"  # readers of folders pass over names with an underscore or a dot


class PieceWriter:
    """A worker: its copy of the model, and what makes a file of a piece."""

    def __init__(self, model, out, columns, **options):
        from keras_bert import Extractor

        self.out, self.columns = Path(out), columns
        self.extract = Extractor(model, columns=columns, threads=1, **options)

    def __call__(self, batch):
        return {"rows": [self.write(json.loads(piece)) for piece in batch["piece"]]}

    def write(self, piece):
        """Write a piece's file; the number of its rows."""
        # Nobody else writes there, not even a worker that a killed run has left behind.
        unfinished = self.out / f".{os.getpid()}-{uuid.uuid4().hex}.unfinished"
        writer, rows = None, 0
        for table in read(piece):
            texts = {name: table[name].to_pylist() for name in self.columns}
            vectors = self.extract(texts)["vector"].astype("float32")
            values = arrow.FixedSizeListArray.from_arrays(vectors.ravel(), vectors.shape[1])
            table = table.drop_columns(list(self.columns)).append_column("vector", values)
            writer = writer or parquet.ParquetWriter(unfinished, table.schema)
            writer.write_table(table)
            rows += len(table)
        writer.close()
        os.replace(unfinished, self.out / piece["name"])
        return rows


def read(piece):
    """Tables of at most `ROWS_AT_ONCE` rows."""
    if "start" in piece:
        with open(piece["file"], "rb") as stream:
            stream.seek(piece["start"])
            lines = list(itertools.islice(stream, LINES))
        texts = [line.decode().removesuffix("\n").removesuffix("\r") for line in lines]
        numbers = range(piece["line"], piece["line"] + len(texts))
        yield arrow.table({"line": numbers, "text": texts})
    else:
        file = parquet.ParquetFile(piece["file"])
        for batch in file.iter_batches(ROWS_AT_ONCE, row_groups=[piece["group"]]):
            yield arrow.Table.from_batches([batch])


def find_pieces(source):
    """What makes one file each."""
    files = sorted(source.iterdir()) if source.is_dir() else [source]
    for file in files:
        if file.suffix == ".parquet":
            for group in range(parquet.read_metadata(file).num_row_groups):
                yield {"file": str(file), "group": group, "name": f"{file.stem}-{group:06}.parquet"}
        else:
            with open(file, "rb") as stream:
                for line, start in line_starts(stream):
                    name = f"{file.stem}-{line // LINES:06}.parquet"
                    yield {"file": str(file), "line": line, "start": start, "name": name}


def line_starts(stream):
    """Number and place of the first line of every piece of a text file."""
    start = 0
    for number, line in enumerate(stream):
        if number % LINES == 0:
            yield number, start
        start += len(line)


def check_settings(out, settings):
    """Refuse to put files of different vectors in one folder."""
    note = out / SETTINGS
    if note.exists() and json.loads(note.read_text("utf-8")) != settings:
        raise SystemExit(f"{out} was made with other settings or another input: choose another OUT")
    note.write_text(json.dumps(settings), "utf-8")


def extract(model, source, out, columns=("text",), workers=None, **options):
    """Write what is missing in the folder `out`.

    Returns:
        Number of rows written, and of pieces that were there.
    """
    import ray

    source, out = Path(source).resolve(), Path(out).resolve()
    out.mkdir(parents=True, exist_ok=True)
    pieces = list(find_pieces(source))
    if len({piece["name"] for piece in pieces}) < len(pieces):
        raise SystemExit(f"{source} has files that differ in their suffix only: rename them")
    model = str(Path(model).resolve())
    inputs = {name: os.path.getsize(name) for name in sorted({each["file"] for each in pieces})}
    check_settings(out, {"model": model, "columns": list(columns), "inputs": inputs, **options})
    for unfinished in out.glob(".*.unfinished"):
        unfinished.unlink()
    missing = [json.dumps(each) for each in pieces if not (out / each["name"]).exists()]
    done = len(pieces) - len(missing)
    if not missing:
        return 0, done
    if not ray.is_initialized():
        ray.init()
    workers = min(workers or int(ray.cluster_resources()["CPU"]), len(missing))
    # A block for every piece, so that Ray hands them out one by one, and again after a death.
    data = ray.data.from_items(
        [{"piece": each} for each in missing], override_num_blocks=len(missing)
    )
    data = data.map_batches(
        PieceWriter,
        fn_constructor_args=[model, str(out), tuple(columns)],
        fn_constructor_kwargs=options,
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=2),
        num_cpus=1,
    )
    return sum(row["rows"] for row in data.iter_rows()), done


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("source", metavar="IN")
    parser.add_argument("out", metavar="OUT")
    parser.add_argument("--columns", default="text")
    parser.add_argument("--pooling", choices=["nsp", "max", "ave"], default="ave")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--official", action="store_true")
    options = parser.parse_args()
    rows, done = extract(
        options.model,
        options.source,
        options.out,
        options.columns.split(","),
        options.workers,
        poolings=f"POOL_{options.pooling.upper()}",
        official=options.official,
    )
    print(f"{rows} vectors written; {done} pieces were there")


if __name__ == "__main__":
    main()
