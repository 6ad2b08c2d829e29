"""The embedded model: in the package, small, and what its card says."""

import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import keras_bert
from keras_bert import (
    PretrainedList,
    Tokenizer,
    extract_embeddings,
    get_checkpoint_paths,
    get_pretrained,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)

FOLDER = Path(keras_bert.__file__).parent / "datasets/tiny"
ROWS = re.findall(r"^\| (.*) \|$", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE)
CELLS = [row.split(" | ") for row in ROWS]


@pytest.fixture(scope="module")
def model():
    paths = get_checkpoint_paths(FOLDER)
    return load_trained_model_from_checkpoint(
        paths.config, paths.checkpoint, training=True, seq_len=None
    )


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer(load_vocabulary(FOLDER / "vocab.txt"), official=True)


def test_it_is_a_folder_in_the_package_and_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert get_pretrained(PretrainedList.tiny) == str(FOLDER)
    assert list(tmp_path.iterdir()) == []


def test_it_is_complete_and_small():
    names = ["LICENSE", "README.md", "config.json", "model.safetensors", "tokenizer_config.json"]
    assert sorted(path.name for path in FOLDER.iterdir()) == [*names, "vocab.txt"]
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 10_000_000


def test_the_vocabulary_is_the_official_one_for_lower_cased_english():
    vocabulary = load_vocabulary(FOLDER / "vocab.txt")
    assert len(vocabulary) == 30522
    official = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, "the": 1996}
    assert vocabulary.items() >= official.items()


def test_half_precision_becomes_single_without_loss(model):
    tensors = load_file(FOLDER / "model.safetensors")
    assert {each.dtype for each in tensors.values()} == {np.dtype("float16")}
    for layer, name in {
        "Embedding-Token": "bert.embeddings.word_embeddings.weight",
        "Embedding-Position": "bert.embeddings.position_embeddings.weight",
        "MLM-Sim": "cls.predictions.bias",
    }.items():
        np.testing.assert_array_equal(
            model.get_layer(layer).get_weights()[0], tensors[name].astype("float32")
        )


@pytest.mark.slow
def test_masked_words_are_those_of_the_card(model, tokenizer):
    """The card's numbers were computed by Hugging Face transformers, and rounded to 0.001."""
    examples = {text: guesses for text, guesses, *_ in CELLS if "[MASK]" in text}
    assert len(examples) >= 4
    tokens = list(tokenizer._token_dict)
    ids, segments, _ = tokenizer.encode_batch(list(examples))
    masks = (ids == tokenizer._token_dict["[MASK]"]).astype("int32")
    probabilities, _ = model.predict([ids, segments, masks], verbose=0)
    for row, guesses in zip(probabilities[masks == 1], examples.values(), strict=True):
        expected = dict(guess.rsplit(" ", 1) for guess in guesses.split(", "))
        best = [tokens[index] for index in np.argsort(-row)[: len(expected)]]
        assert best == list(expected)
        values = [float(each) for each in expected.values()]
        np.testing.assert_allclose(np.sort(row)[::-1][: len(values)], values, atol=6e-4)


def test_next_sentences_are_judged_as_in_the_card(model, tokenizer):
    examples = [cells for cells in CELLS if len(cells) == 3 and cells[0].endswith(".")]
    assert len(examples) >= 4
    ids, segments, _ = tokenizer.encode_batch([(first, second) for first, second, _ in examples])
    _, follows = model.predict([ids, segments, np.zeros_like(ids)], verbose=0)
    np.testing.assert_allclose(follows[:, 0], [float(each[2]) for each in examples], atol=6e-4)


def test_sentences_of_one_matter_are_nearer_than_others():
    texts = ["The army lost the battle.", "Our soldiers were defeated.", "Bread has become dearer."]
    vectors = np.stack(extract_embeddings(str(FOLDER), texts, poolings=keras_bert.POOL_AVE))
    assert vectors.shape == (3, 128)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors.T
    assert cosines[0, 1] > cosines[0, 2]
