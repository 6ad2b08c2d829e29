"""extract_embeddings: any batching gives the numbers of every text alone, in order."""

import itertools
import json
import random

import numpy as np
import pytest
from model_folders import CONFIG, write_google_folder

from keras_bert import (
    POOL_AVE,
    POOL_MAX,
    POOL_NSP,
    Tokenizer,
    extract_embeddings,
    extract_embeddings_generator,
    get_checkpoint_paths,
    get_model,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)
from keras_bert.backend import layers, models


def sentences(count, seed=0):
    generator = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxy"
    return [" ".join(generator.choices(letters, k=generator.randint(0, 20))) for _ in range(count)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("model")
    write_google_folder(path)
    return path


@pytest.fixture(scope="module")
def vocabulary(folder):
    return load_vocabulary(folder / "vocab.txt")


def load(folder, **arguments):
    paths = get_checkpoint_paths(folder)
    return load_trained_model_from_checkpoint(paths.config, paths.checkpoint, **arguments)


@pytest.fixture(scope="module")
def expected(folder, vocabulary):
    """Every text alone, by the model itself."""
    model, tokenizer = load(folder, seq_len=None), Tokenizer(vocabulary)

    def features(*pair):
        length = min(16, len(tokenizer.encode(*pair)[0]))
        ids, segments = tokenizer.encode(*pair, max_len=length)
        return np.asarray(model.predict_on_batch([np.array([ids]), np.array([segments])]))[0]

    return features


def test_order_and_numbers_as_one_by_one(folder, expected):
    texts = sentences(40)
    results = extract_embeddings(folder, texts)
    assert [len(each) for each in results] == [min(16, len(text.split()) + 2) for text in texts]
    for text, result in zip(texts, results, strict=True):
        np.testing.assert_allclose(result, expected(text), atol=1e-5)


def test_pairs_and_an_empty_text(folder, expected):
    for text in [("a b", "c d e"), ("a b", ""), ("", "")]:
        (result,) = extract_embeddings(str(folder), [text])
        np.testing.assert_allclose(result, expected(*text), atol=1e-5)
    assert extract_embeddings(folder, [""])[0].shape == (2, 12)


def test_poolings(folder, expected):
    texts = sentences(9, seed=1)
    pooled = extract_embeddings(folder, texts, [POOL_NSP, POOL_MAX, POOL_AVE])
    for text, result in zip(texts, pooled, strict=True):
        rows = expected(text)
        by_hand = np.concatenate([rows[0], rows.max(axis=0), rows.mean(axis=0)])
        np.testing.assert_allclose(result, by_hand, atol=1e-5)
    single = extract_embeddings(folder, texts, POOL_MAX)
    np.testing.assert_array_equal(single[0], pooled[0][12:24])


def test_output_layer_num_is_for_folders(folder):
    assert extract_embeddings(folder, ["a"], output_layer_num=2)[0].shape == (3, 24)


@pytest.mark.parametrize("batch_size", [None, 1, 3])
@pytest.mark.parametrize("seq_len", [None, 12])
def test_a_model_of_this_library(folder, vocabulary, expected, seq_len, batch_size):
    model = load(folder, seq_len=seq_len)
    texts = [" ".join(text.split()[:9]) for text in sentences(10, seed=2)]
    results = extract_embeddings(model, texts, None, vocabulary, False, batch_size)
    for text, result in zip(texts, results, strict=True):
        np.testing.assert_allclose(result, expected(text), atol=1e-5)


def test_a_fixed_model_is_run_shorter_and_left_as_it_was(folder, vocabulary):
    model = load(folder, seq_len=12)
    before = extract_embeddings(model, ["a b"], vocabs=vocabulary)[0]
    assert model.output_shape == (None, 12, 12)
    assert tuple(model.get_layer("Embedding-Norm").output.shape) == (None, 12, 12)
    table = model.get_layer("Embedding-Position").get_weights()[0]
    model.get_layer("Embedding-Position").set_weights([2 * table])
    after = extract_embeddings(model, ["a b"], vocabs=vocabulary)[0]
    assert np.abs(before - after).max() > 1e-3


def test_not_cut(folder, vocabulary):
    assert extract_embeddings(folder, ["a"], cut_embed=False)[0].shape == (16, 12)
    fixed, free = load(folder, seq_len=12), load(folder, seq_len=None)
    (row,) = extract_embeddings(fixed, ["a"], vocabs=vocabulary, cut_embed=False)
    ids, segments = Tokenizer(vocabulary).encode("a", max_len=12)
    whole = fixed.predict_on_batch([np.array([ids]), np.array([segments])])
    np.testing.assert_allclose(row, np.asarray(whole)[0], atol=1e-5)
    shapes = [
        each.shape
        for each in extract_embeddings(free, ["a", "a b c"], vocabs=vocabulary, cut_embed=False)
    ]
    assert shapes == [(5, 12), (5, 12)]


def test_a_model_with_foreign_layers_is_padded(vocabulary):
    inputs, output = get_model(
        30, 10, 10, 12, 1, 3, 20, dropout_rate=0.0, training=False, trainable=False
    )
    model = models.Model(inputs, layers.Dense(4)(output))
    (row,) = extract_embeddings(model, ["a b"], vocabs=vocabulary)
    ids, segments = Tokenizer(vocabulary).encode("a b", max_len=10)
    whole = np.asarray(model.predict_on_batch([np.array([ids]), np.array([segments])]))
    np.testing.assert_allclose(row, whole[0, :4], atol=1e-5)


def test_texts_are_read_as_needed(folder):
    texts = map(str, itertools.repeat("a b"))  # without end
    results = extract_embeddings_generator(folder, texts, POOL_NSP)
    assert next(results).shape == (12,)


def test_nothing_in_nothing_out(folder):
    assert extract_embeddings(folder, []) == []
    assert extract_embeddings(folder, [], POOL_MAX, cut_embed=False) == []


def test_progress_on_request(folder, capsys):
    extract_embeddings(folder, ["a"], progress=True)
    assert "extract_embeddings" in capsys.readouterr().err
    extract_embeddings(folder, ["a"])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("a text",), TypeError, r"`texts` must be an iterable.*'a text'"),
        ((None,), TypeError, "`texts`.*NoneType"),
        ((["a"], "POOL_MIN"), ValueError, "Unknown pooling method: 'POOL_MIN'"),
        ((["a"], []), ValueError, "`poolings`"),
        ((["a"], None, None, False, 0), ValueError, "`batch_size` must be positive"),
    ],
)
def test_bad_arguments_are_refused_at_once(folder, arguments, error, message):
    with pytest.raises(error, match=message):
        extract_embeddings_generator(folder, *arguments)


@pytest.mark.parametrize("text", [None, b"a", 7, ("a",), ("a", "b", "c"), ("a", None)])
def test_bad_texts_are_named_by_place(folder, text):
    with pytest.raises(TypeError, match="Text 1 must be a str or a pair of str"):
        extract_embeddings(folder, ["a", text])


def test_a_model_needs_its_vocabulary(folder, vocabulary):
    model = load(folder, seq_len=None)
    with pytest.raises(ValueError, match="`vocabs` is needed"):
        extract_embeddings(model, ["a"])
    larger = {**vocabulary, "new": 30}
    with pytest.raises(ValueError, match=r"Text 0 has the token id 30.*holds 30 tokens"):
        extract_embeddings(model, ["a new"], vocabs=larger)
    with pytest.raises(TypeError, match="`model` must be"):
        extract_embeddings(7, ["a"], vocabs=vocabulary)


def test_models_with_other_inputs_are_refused(vocabulary):
    model = get_model(30, 10, 10, 12, 1, 3, 20)
    with pytest.raises(ValueError, match=r"built with training=False.*3 inputs"):
        extract_embeddings(model, ["a"], vocabs=vocabulary)


def test_a_folder_that_says_it_is_cased(tmp_path):
    write_google_folder(tmp_path, CONFIG)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    with pytest.warns(UserWarning, match=r"do_lower_case=False.*Pass cased=True"):
        extract_embeddings(tmp_path, ["a"])
    extract_embeddings(tmp_path, ["a"], cased=True)
