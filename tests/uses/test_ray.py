"""demo/extract_ray.py: every row once, whatever dies; at scale in benchmarks/ray_extraction.py."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from model_folders import write_google_folder
from runtimes import RUNTIME

from keras_bert import POOL_AVE, extract_embeddings

arrow = pytest.importorskip("pyarrow", reason="needs the extra ray or parquet")
parquet = pytest.importorskip("pyarrow.parquet")

DEMO = Path(__file__).resolve().parents[2] / "demo/extract_ray.py"
TEXTS = [" ".join("abcdefgh"[index % 8 : index % 8 + index % 5]) for index in range(40)]
# The worker dies once, at its second piece.
DRIVER = """
import os, signal, sys
import extract_ray

class Writer(extract_ray.PieceWriter):
    def write(self, piece):
        mark = self.out / ".died"
        if len(list(self.out.glob("*.parquet"))) == 2 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().write(piece)

if __name__ == "__main__":
    import ray
    ray.init(num_cpus=1, include_dashboard=False)
    extract_ray.PieceWriter = Writer
    model, source, out = sys.argv[1:]
    print("ROWS", *extract_ray.extract(model, source, out))
"""


@pytest.fixture(scope="module")
def demo():
    spec = importlib.util.spec_from_file_location("extract_ray", DEMO)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lines_of_files_and_the_row_groups_are_read_once_each(demo, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "LINES", 7)
    (tmp_path / "a.txt").write_bytes("é\n\n语言\r\n".encode() + b"x\n" * 14 + b"last")
    (tmp_path / "b.txt").write_bytes(b"")
    ids = arrow.table({"id": range(10), "text": [f"text {index}" for index in range(10)]})
    with parquet.ParquetWriter(tmp_path / "c.parquet", ids.schema) as file:
        file.write_table(ids, row_group_size=4)
        file.write_table(ids[:0])  # a group without rows
    for name in ("_settings.json", ".hidden.txt"):
        (tmp_path / name).write_text("no text")
    found = list(demo.find_pieces(tmp_path))
    assert [each["name"] for each in found] == [
        *(f"a-{index:06}.parquet" for index in range(3)),
        *(f"c-{index:06}.parquet" for index in range(3)),
    ]
    tables = [table for piece in found for table in demo.read(piece)]
    lines = arrow.concat_tables(tables[:3]).to_pydict()
    assert lines == {"line": list(range(18)), "text": ["é", "", "语言", *["x"] * 14, "last"]}
    assert arrow.concat_tables(tables[3:]).equals(ids)


def test_a_text_file_in_another_encoding_is_named(demo, tmp_path):
    (tmp_path / "a.txt").write_bytes("fine\n语言\n".encode("gbk"))
    with pytest.raises(SystemExit, match=r"a\.txt is not UTF-8 \(line 2: .*iconv -f GBK -t UTF-8"):
        list(demo.find_pieces(tmp_path))


def test_a_folder_holds_vectors_of_one_kind(demo, tmp_path):
    demo.check_settings(tmp_path, {"model": "a"})
    demo.check_settings(tmp_path, {"model": "a"})
    with pytest.raises(SystemExit, match="made with other settings"):
        demo.check_settings(tmp_path, {"model": "b"})


@pytest.mark.skipif(RUNTIME != "torch", reason="the same on every runtime; run once")
def test_a_death_costs_nothing_and_repeats_nothing(demo, tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="needs the extra ray")
    folder, source, out = (tmp_path / name for name in ("model", "texts.parquet", "out"))
    write_google_folder(folder)
    table = arrow.table({"id": range(40), "text": TEXTS})
    parquet.write_table(table, source, row_group_size=10)
    out.mkdir()
    # Here, not there.
    monkeypatch.setattr("keras_bert.extraction.extractor.limit_threads", lambda count: None)
    piece = list(demo.find_pieces(source))[2]
    assert demo.PieceWriter(folder, out, ("text",)).write(piece) == 10  # of a run that broke off
    before = os.stat(out / piece["name"])
    (tmp_path / "driver.py").write_text(DRIVER, "utf-8")
    path = os.pathsep.join(filter(None, [str(DEMO.parent), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, tmp_path / "driver.py", folder, source, out],
        env={**os.environ, "PYTHONPATH": path, "RAY_USAGE_STATS_ENABLED": "0"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (out / ".died").exists()
    assert "ROWS 30 1" in done.stdout.splitlines()
    assert os.stat(out / piece["name"]).st_mtime_ns == before.st_mtime_ns
    result = parquet.read_table(sorted(out.glob("*.parquet")))
    assert result.column_names == ["id", "vector"]
    assert result["id"].to_pylist() == list(range(40))
    wanted = extract_embeddings(folder, TEXTS, POOL_AVE)
    # Other texts share a batch, which rounds sums otherwise.
    np.testing.assert_allclose(result["vector"].to_pylist(), wanted, rtol=0, atol=2e-6)
