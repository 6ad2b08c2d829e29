"""Vectors of any number of texts with Ray Data, on all cores of a machine or of a cluster.

    pip install '.[ray]'
    python demo/extract_ray.py MODEL IN OUT

IN is a text file with one text per line, a Parquet file, or a folder of either; OUT is a folder.
The input is divided into pieces of LINES lines or one row group. Each piece becomes one Parquet
file in OUT, with the vectors and all columns except the texts (for text files, with the line
numbers); it gets its name when it is complete. If a worker fails, or all of them, only the pieces
that they were processing are lost: Ray starts another worker, the same command continues an
interrupted run, and no text is ever missing or repeated. Options:

    --columns text        the column of texts; first,second for pairs
    --pooling ave         nsp, max or ave
    --workers N           number of copies of the model; by default one per core that Ray finds
    --official            exactly the tokens of BERT's own tokenizer

On a cluster, MODEL, IN and OUT must be on storage that all machines can access.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import uuid
from pathlib import Path

NEEDED = 'Ray and pyarrow must be installed: pip install ".[ray]"'
try:
    import pyarrow as arrow
    from pyarrow import parquet
except ModuleNotFoundError:
    raise SystemExit(NEEDED) from None

LINES = 8192
ROWS_AT_ONCE = 8192  # in a worker's memory; `Extractor` sorts 2,048 by length at a time
NOT_READ = ("_", ".")  # as in other readers of Parquet, files whose names begin so are no data
SETTINGS = "_settings.json"


class PieceWriter:
    """A worker, which holds a copy of the model and writes the file of each piece."""

    def __init__(self, model, out, columns, **options):
        from keras_bert import Extractor

        self.out, self.columns = Path(out), columns
        self.extract = Extractor(model, columns=columns, threads=1, **options)

    def __call__(self, batch):
        return {"rows": [self.write(json.loads(piece)) for piece in batch["piece"]]}

    def write(self, piece):
        """Write the file of a piece; return the number of its rows."""
        # A name that no other process uses, not even a worker left over from a killed run.
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
    """Read a piece as tables of at most `ROWS_AT_ONCE` rows."""
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
    """The pieces of the input, each of which becomes one file."""
    files = [source]
    if source.is_dir():
        files = sorted(each for each in source.iterdir() if not each.name.startswith(NOT_READ))
    for file in files:
        if file.suffix == ".parquet":
            content = parquet.read_metadata(file)
            for group in range(content.num_row_groups):
                name = f"{file.stem}-{group:06}.parquet"
                if content.row_group(group).num_rows:
                    yield {"file": str(file), "group": group, "name": name}
        else:
            with open(file, "rb") as stream:
                for line, start in line_starts(file, stream):
                    name = f"{file.stem}-{line // LINES:06}.parquet"
                    yield {"file": str(file), "line": line, "start": start, "name": name}


def line_starts(file, stream):
    """Line number and byte offset of the first line of each piece of a text file."""
    start = 0
    for number, line in enumerate(stream):
        try:
            line.decode()
        except UnicodeDecodeError:
            from keras_bert.commands.shared import why_not_utf8

            raise SystemExit(why_not_utf8(file)) from None
        if number % LINES == 0:
            yield number, start
        start += len(line)


def check_settings(out, settings):
    """Refuse to mix vectors made with different settings in one folder."""
    note = out / SETTINGS
    if note.exists() and json.loads(note.read_text("utf-8")) != settings:
        raise SystemExit(f"{out} was made with other settings or another input: choose another OUT")
    note.write_text(json.dumps(settings), "utf-8")


def extract(model, source, out, columns=("text",), workers=None, **options):
    """Write the files that are missing in the folder `out`.

    Returns:
        The number of rows written, and of pieces that already existed.
    """
    try:
        import ray
    except ModuleNotFoundError:
        raise SystemExit(NEEDED) from None
    source, out = Path(source).resolve(), Path(out).resolve()
    out.mkdir(parents=True, exist_ok=True)
    pieces = list(find_pieces(source))
    if len({piece["name"] for piece in pieces}) < len(pieces):
        raise SystemExit(f"{source} contains files that differ only in their suffix: rename them")
    if Path(model).exists():  # and is no name, which every worker finds itself
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
    # One block per piece, so that Ray assigns pieces one by one, and again if a worker fails.
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
    print(f"{rows} vectors written; {done} pieces already existed")


if __name__ == "__main__":
    main()
