"""The notebooks under demo/, from their first cell to their last, on a small model."""

import csv
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from model_folders import CONFIG, WORDS, write_google_folder
from notebooks import assigned, code_cells
from numpy_bert import NumpyBert
from runtimes import RUNTIME

import keras_bert
from keras_bert import Tokenizer

DEMO = Path(__file__).resolve().parents[2] / "demo"
EXTRACT, PREDICT, EXTRACT_TPU = (
    DEMO / f"load_model/keras_bert_load_and_{name}.ipynb"
    for name in ("extract", "predict", "extract_tpu")
)
CLASSIFY = DEMO / "tune/keras_bert_classification_tpu.ipynb"
NOTEBOOKS = [EXTRACT, PREDICT, EXTRACT_TPU, CLASSIFY]

on_jax = pytest.mark.skipif(RUNTIME != "jax", reason="the notebooks choose JAX")


def test_all_notebooks_are_tested():
    assert sorted(DEMO.rglob("*.ipynb")) == sorted(NOTEBOOKS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_one_that_jupyter_and_papermill_take(path):
    """What the schema of nbformat 4.5 demands, and no results of earlier runs."""
    notebook = json.loads(path.read_text("utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    cells = notebook["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    for cell in cells:
        assert re.fullmatch(r"[\w-]{1,64}", cell["id"])
        code = {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        assert set(cell) == {"cell_type", "id", "metadata", "source"} | code
        assert (cell.get("outputs", []), cell.get("execution_count")) == ([], None)
    # Papermill puts the parameters it is given behind the cell with this tag.
    (first, *_), tagged = code_cells(path), [tags for _, tags in code_cells(path) if tags]
    assert tagged == [["parameters"]] == [first[1]]
    assert {"MODEL", "CASED", "PACKAGE"} <= assigned(first[0])
    assert f'PACKAGE = "keras_bert-{keras_bert.__version__}-py3-none-any.whl"' in first[0]


def write_model(folder, words=()):
    """A folder of Google's layout, and the same in NumPy."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    tokens = [*WORDS[:5], *words, *letters, *(f"##{each}" for each in letters), *"语言模型.,:"]
    vocabulary = list(dict.fromkeys(tokens))
    # One layer compiles faster than two, and with smaller weights than usual in tests it learns.
    sizes = {"vocab_size": len(vocabulary), "max_position_embeddings": 64, "num_hidden_layers": 1}
    config = {**CONFIG, **sizes, "hidden_size": 32, "num_attention_heads": 4}
    weights = write_google_folder(folder, config, vocabulary=vocabulary, scale=0.1)
    layers = [SimpleNamespace(name=k, get_weights=lambda v=v: v) for k, v in weights.items()]
    return SimpleNamespace(
        vocabulary=vocabulary,
        tokenizer=Tokenizer({word: i for i, word in enumerate(vocabulary)}, official=True),
        reference=NumpyBert(SimpleNamespace(layers=layers), config["num_attention_heads"]),
    )


def write_reviews(path):
    """The reviews of data/reviews.tsv, written for this test, in an archive laid out as IMDB's.

    Returns their words.
    """
    source = Path(__file__).parents[1] / "data/reviews.tsv"
    rows = list(csv.DictReader(source.read_text("utf-8").splitlines(), delimiter="\t"))
    folder = path.parent / "aclImdb"
    for number, row in enumerate(rows):
        half = "train" if number < 48 else "test"
        file = folder / half / row["label"] / f"{number}_7.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(row["text"] + "<br />", "utf-8")
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, "aclImdb")
    return sorted({word for row in rows for word in re.findall(r"\w+", row["text"].lower())})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """All notebooks, run on two devices: what they computed, and where."""
    folder = tmp_path_factory.mktemp("notebooks")
    model = write_model(folder / "model", write_reviews(folder / "data/aclImdb_v1.tar.gz"))
    common = {"MODEL": str(folder / "model")}
    tuning = {
        **common,
        "DATA": (folder / "data/aclImdb_v1.tar.gz").as_uri(),
        "MAX_LENGTH": 24,
        "BATCH_SIZE": 8,
        "EPOCHS": 20,
        "LEARNING_RATE": 0.005,
        "SAVE": str(folder / "imdb.keras"),
    }
    runs = [
        (EXTRACT, common, ["features", "vector"]),
        (PREDICT, common, ["TEXTS", "words", "PAIRS", "next_sentence"]),
        (EXTRACT_TPU, {**common, "BATCH_SIZE": 4}, ["TEXTS", "vectors", "devices"]),
        (CLASSIFY, tuning, ["devices", "test_labels", "predicted"]),
    ]
    paths = [str(Path(keras_bert.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "KERAS_HOME": str(folder / "keras"),
        "JAX_PLATFORMS": "cpu",
        # A sum over devices blocks a thread of XLA's on each until all have come. There is a thread
        # per core, so that on two cores such sums would now and then wait for each other forever.
        "NPROC": "16",
        # Two devices, and code that is compiled quickly
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0",
    }
    environment.pop("KERAS_BACKEND", None)  # which the notebooks choose
    done = subprocess.run(
        [sys.executable, Path(__file__).parents[1] / "notebooks.py"],
        input=json.dumps([(str(path), *others) for path, *others in runs]),
        capture_output=True,
        cwd=folder,
        env=environment,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    output = json.loads((folder / "output.json").read_text("utf-8"))
    return SimpleNamespace(
        folder=folder, model=model, results=np.load(folder / "results.npz"), output=output
    )


def encode(model, *texts):
    return [np.array([row]) for row in model.tokenizer.encode(*texts)]


@on_jax
def test_features(run):
    expected = run.model.reference.encode(*encode(run.model, "语言模型"))[0]
    np.testing.assert_allclose(run.results[f"{EXTRACT.stem}/features"], expected, atol=2e-5)
    vector = run.results[f"{EXTRACT.stem}/vector"]
    np.testing.assert_allclose(vector, expected.mean(axis=0), atol=2e-5)


@on_jax
def test_masked_words_and_next_sentences(run):
    results = {name: run.results[f"{PREDICT.stem}/{name}"] for name in ("TEXTS", "words")}
    for text, words in zip(results["TEXTS"].tolist(), results["words"], strict=True):
        expected = run.model.reference.mlm(run.model.reference.encode(*encode(run.model, text)))[0]
        masked = [
            i for i, token in enumerate(run.model.tokenizer.tokenize(text)) if token == "[MASK]"
        ]
        assert masked
        np.testing.assert_allclose(words[masked], expected[masked], atol=2e-5)
        best = [run.model.vocabulary[row.argmax()] for row in expected[masked]]
        lines = run.output[PREDICT.stem].split(text)[1].splitlines()[1 : 1 + len(masked)]
        assert [line.split()[0] for line in lines] == best
    pairs = run.results[f"{PREDICT.stem}/PAIRS"].tolist()
    expected = [
        run.model.reference.nsp(run.model.reference.encode(*encode(run.model, *pair)))[0]
        for pair in pairs
    ]
    received = run.results[f"{PREDICT.stem}/next_sentence"]
    np.testing.assert_allclose(received, expected, atol=2e-5)


@on_jax
def test_vectors_from_two_devices(run):
    assert len(run.results[f"{EXTRACT_TPU.stem}/devices"]) == 2
    texts = run.results[f"{EXTRACT_TPU.stem}/TEXTS"].tolist()
    expected = [
        run.model.reference.encode(*encode(run.model, text))[0].mean(axis=0) for text in texts
    ]
    received = run.results[f"{EXTRACT_TPU.stem}/vectors"]
    np.testing.assert_allclose(received, expected, atol=2e-5)


@on_jax
def test_reviews_are_learnt_on_two_devices(run):
    assert len(run.results[f"{CLASSIFY.stem}/devices"]) == 2
    output = run.output[CLASSIFY.stem]
    assert "48 for training, 16 for evaluation" in output
    (accuracy,) = re.findall(r"accuracy on unseen reviews: (\d\.\d+)", output)
    assert float(accuracy) >= 0.75
    # The saved model predicts what the trained one did.
    labels, predicted = (
        run.results[f"{CLASSIFY.stem}/{name}"] for name in ("test_labels", "predicted")
    )
    assert (predicted.argmax(axis=-1) == labels[: len(predicted)]).mean() >= 0.75
