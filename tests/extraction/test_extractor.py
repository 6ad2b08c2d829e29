"""`Extractor` adds what `extract_embeddings` computes to batches of a table."""

import numpy as np
import pytest
from devices import rounding
from model_folders import write_google_folder
from runtimes import ON_TENSORFLOW

from keras_bert import POOL_AVE, POOL_MAX, POOL_NSP, Extractor, extract_embeddings

TEXTS = ["a b c", "b", "", "c c b a a", "b a"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("model")
    write_google_folder(path, vocabulary=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdef"])
    return path


@pytest.fixture(scope="module")
def extractor(folder):
    return Extractor(folder)


def assert_close(first, second):
    # Texts that share a batch with others are padded further, and sums rounded otherwise.
    np.testing.assert_allclose(first, second, rtol=0, atol=rounding(2e-6))


def test_every_batch_gets_the_vectors_of_extract_embeddings(folder, extractor):
    wanted = extract_embeddings(folder, TEXTS, POOL_AVE)
    for rows in (slice(0, 3), slice(3, 5)):
        batch = {"id": np.arange(5)[rows], "text": np.array(TEXTS, object)[rows]}
        result = extractor(batch)
        assert list(result) == ["id", "text", "vector"]
        assert result["id"] is batch["id"]
        assert result["vector"].dtype == np.float32
        assert_close(result["vector"], wanted[rows])


@pytest.mark.slow
def test_options_and_pairs(folder):
    names = ("first", "second")
    extractor = Extractor(folder, [POOL_NSP, POOL_MAX], columns=names, into="v", output_layer_num=2)
    result = extractor({"first": TEXTS, "second": TEXTS[::-1]})["v"]
    pairs = list(zip(TEXTS, TEXTS[::-1], strict=True))
    assert_close(
        result, extract_embeddings(folder, pairs, [POOL_NSP, POOL_MAX], output_layer_num=2)
    )


def test_a_batch_without_rows_has_vectors_of_the_right_length(extractor):
    length = extractor({"text": ["a"]})["vector"].shape[1]
    assert extractor({"text": []})["vector"].shape == (0, length)


def test_the_iterator_function_of_spark(extractor):
    pandas = pytest.importorskip("pandas", reason="needs the extra ray, for pandas")
    frame = pandas.DataFrame({"id": range(5), "text": TEXTS}, index=list("vwxyz"))
    frames = list(map(extractor, iter([frame[:2], frame[2:2], frame[2:]])))
    assert [len(each) for each in frames] == [2, 0, 3]
    result = pandas.concat(frames)
    assert list(result.columns) == ["id", "text", "vector"]
    assert list(result.index) == list("vwxyz")
    assert_close(np.stack(list(result["vector"])), extractor({"text": TEXTS})["vector"])


def test_what_cannot_be_meant_is_refused(folder, extractor):
    with pytest.raises(ValueError, match=r"`columns` .* 'text'; the table has 'id', 'line'"):
        extractor({"id": [1], "line": ["a"]})
    with pytest.raises(TypeError, match=r"'text' must hold a str .* None \(NoneType\) in row 1"):
        extractor({"text": ["a", None]})
    with pytest.raises(TypeError, match=r"'text' must be a column of texts.* Received: 'a b'"):
        extractor({"text": "a b"})
    with pytest.raises(TypeError, match="Column 'text' is a table: pass one of its columns"):
        extractor({"text": {"a": ["a"], "b": ["b"]}})
    with pytest.raises(ValueError, match="`poolings` must not be None"):
        Extractor(folder, None)
    with pytest.raises(ValueError, match="`columns` must be one name or two"):
        Extractor(folder, columns=("a", "b", "c"))
    with pytest.raises(TypeError, match="`folder` must be a path"):
        Extractor(extractor)
    with pytest.raises(ValueError, match="`threads` must be at least 1"):
        Extractor(folder, threads=0)


@pytest.mark.skipif(not ON_TENSORFLOW, reason="others take it at any time, or say nothing")
def test_threads_that_come_too_late_are_told_what_to_do(folder, extractor):
    extractor({"text": ["a"]})
    with pytest.raises(RuntimeError, match=r"`threads` comes too late.* first in the process"):
        Extractor(folder, threads=1)
