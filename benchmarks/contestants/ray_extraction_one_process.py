"""One process makes vectors of the texts of a Parquet file; see ray_extraction.py."""

import sys
import time

import pyarrow as arrow
from pyarrow import parquet
from shared import serve

folder, texts_file, vectors_file = sys.argv[1:]


def extract():
    """Returns the seconds without import and loading."""
    from keras_bert import Extractor

    extractor = Extractor(folder)
    begin = time.perf_counter()
    writer = None
    for batch in parquet.ParquetFile(texts_file).iter_batches(8192):
        vectors = extractor({"text": batch["text"].to_pylist()})["vector"]
        values = arrow.FixedSizeListArray.from_arrays(vectors.ravel(), vectors.shape[1])
        table = arrow.table({"id": batch["id"], "vector": values})
        writer = writer or parquet.ParquetWriter(vectors_file, table.schema)
        writer.write_table(table)
    writer.close()
    return [time.perf_counter() - begin]


serve(extract)
