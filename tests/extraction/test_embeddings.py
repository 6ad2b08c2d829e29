"""extract_embeddings: any batching gives the numbers of every text alone, in order."""

import contextlib
import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from devices import rounding
from model_folders import (
    WORDS,
    write_google_folder,
    write_hugging_face_folder,
    write_pieces_folder,
)
from tokenizer_texts import PIECES

from keras_bert import (
    POOL_AVE,
    POOL_MAX,
    POOL_NSP,
    Extractor,
    SentencePieceTokenizer,
    Tokenizer,
    extract_embeddings,
    extract_embeddings_generator,
    get_checkpoint_paths,
    load_trained_model_from_checkpoint,
)
from keras_bert.backend import layers, models


def test_order_and_numbers_as_one_by_one(folder, expected, sentences):
    texts = sentences(40)
    results = extract_embeddings(folder, texts)
    assert [len(each) for each in results] == [min(16, len(text.split()) + 2) for text in texts]
    for text, result in zip(texts, results, strict=True):
        np.testing.assert_allclose(result, expected(text), atol=rounding(1e-5))


def test_a_folder_of_hugging_face(tmp_path, expected, sentences):
    write_hugging_face_folder(tmp_path)
    texts = sentences(5)
    for text, result in zip(texts, extract_embeddings(tmp_path, texts), strict=True):
        np.testing.assert_allclose(result, expected(text), atol=rounding(1e-5))


@pytest.mark.slow
def test_a_folder_with_a_sentencepiece_vocabulary(tmp_path):
    write_pieces_folder(tmp_path)
    paths = get_checkpoint_paths(tmp_path)
    model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=None)
    texts = ["A ``fine'' film", ("in 1999,", "naïve")]
    for official in (False, True):
        tokenizer = SentencePieceTokenizer(PIECES / "spiece.model", official=official)
        options = {"official": official}
        for found in (
            extract_embeddings(tmp_path, texts, **options),
            extract_embeddings(model, texts, vocabs=tokenizer, **options),
        ):
            for each, text in zip(found, texts, strict=True):
                ids, segments = tokenizer.encode(*([text] if isinstance(text, str) else text))
                inputs = [np.array([ids]), np.array([segments])]
                alone = np.asarray(model.predict_on_batch(inputs))[0]
                np.testing.assert_allclose(each, alone, atol=rounding(1e-5))
    vectors = Extractor(tmp_path)({"text": ["A film", "it"]})["vector"]
    expected = extract_embeddings(tmp_path, ["A film", "it"], "POOL_AVE")
    np.testing.assert_allclose(vectors, expected, atol=rounding(1e-5))


def test_a_tokenizer_has_its_own_settings(vocabulary, load):
    model = load()
    cased = Tokenizer({**vocabulary, "A": 5, "a": 6}, cased=True)
    upper, lower = extract_embeddings(model, ["A", "a"], vocabs=cased)
    assert np.abs(upper - lower).max() > 0.1
    for options in ({"cased": False}, {"official": True}):
        (name,) = options
        with pytest.raises(ValueError, match=f"`{name}` must be that of the tokenizer"):
            extract_embeddings(model, ["A"], vocabs=cased, **options)
    extract_embeddings(model, ["A"], vocabs=cased, cased=True)


@pytest.mark.slow
def test_pairs_and_an_empty_text(folder, expected):
    for text in [("a b", "c d e"), ("a b", ""), ("", "")]:
        (result,) = extract_embeddings(str(folder), [text])
        np.testing.assert_allclose(result, expected(*text), atol=rounding(1e-5))
    assert extract_embeddings(folder, [""])[0].shape == (2, 12)


def test_poolings(folder, expected, sentences):
    texts = sentences(9, seed=1)
    pooled = extract_embeddings(folder, texts, [POOL_NSP, POOL_MAX, POOL_AVE])
    for text, result in zip(texts, pooled, strict=True):
        rows = expected(text)
        by_hand = np.concatenate([rows[0], rows.max(axis=0), rows.mean(axis=0)])
        np.testing.assert_allclose(result, by_hand, atol=rounding(1e-5))
    single = extract_embeddings(folder, texts, POOL_MAX)
    np.testing.assert_array_equal(single[0], pooled[0][12:24])


@pytest.mark.sampled(1)
@pytest.mark.parametrize("output_layer_num", [1, 2])
def test_first_tokens_alone_are_those_of_all_tokens(folder, output_layer_num, sentences):
    """Pooled by the first token, the last layer computes no other."""
    texts = [*sentences(9, seed=1), ("a b", "c"), ""]
    whole = extract_embeddings(folder, texts, output_layer_num=output_layer_num)
    for poolings in (POOL_NSP, [POOL_NSP, POOL_NSP]):
        pooled = extract_embeddings(folder, texts, poolings, output_layer_num=output_layer_num)
        for rows, result in zip(whole, pooled, strict=True):
            expected = np.tile(rows[0], len(poolings) if isinstance(poolings, list) else 1)
            np.testing.assert_allclose(result, expected, atol=rounding(1e-5))


def test_a_folder_has_its_own_vocabulary(folder, vocabulary):
    (expected,) = extract_embeddings(folder, ["a"])
    (same,) = extract_embeddings(folder, ["a"], vocabs=vocabulary)
    np.testing.assert_array_equal(same, expected)
    swapped = {**vocabulary, "a": vocabulary["b"], "b": vocabulary["a"]}
    for other in (swapped, Tokenizer(swapped), Tokenizer(vocabulary, official=True)):
        with pytest.warns(UserWarning, match="`vocabs` is for a Model: the folder .* its own"):
            (found,) = extract_embeddings(folder, ["a"], vocabs=other)
        np.testing.assert_array_equal(found, expected)


def test_output_layer_num_is_for_folders(folder):
    assert extract_embeddings(folder, ["a"], output_layer_num=2)[0].shape == (3, 24)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("batch_size", [None, 1, 3])
@pytest.mark.parametrize("seq_len", [None, 12])
def test_a_model_of_this_library(vocabulary, expected, seq_len, batch_size, load, sentences):
    model = load(seq_len=seq_len)
    texts = [" ".join(text.split()[:9]) for text in sentences(10, seed=2)]
    results = extract_embeddings(model, texts, None, vocabulary, False, batch_size)
    for text, result in zip(texts, results, strict=True):
        np.testing.assert_allclose(result, expected(text), atol=rounding(1e-5))


@pytest.mark.slow
def test_not_cut(folder, vocabulary, load):
    assert extract_embeddings(folder, ["a"], cut_embed=False)[0].shape == (16, 12)
    fixed, free = load(seq_len=12), load(seq_len=None)
    (row,) = extract_embeddings(fixed, ["a"], vocabs=vocabulary, cut_embed=False)
    ids, segments = Tokenizer(vocabulary).encode("a", max_len=12)
    whole = fixed.predict_on_batch([np.array([ids]), np.array([segments])])
    np.testing.assert_allclose(row, np.asarray(whole)[0], atol=rounding(1e-5))
    shapes = [
        each.shape
        for each in extract_embeddings(free, ["a", "a b c"], vocabs=vocabulary, cut_embed=False)
    ]
    assert shapes == [(5, 12), (5, 12)]


def test_results_are_arrays_of_their_own(folder):
    for poolings in (None, POOL_AVE):
        for result in extract_embeddings(folder, ["a", "b c"], poolings):
            assert result.dtype == np.float32
            assert result.flags.owndata
            result *= 2


@pytest.mark.slow
def test_texts_are_read_as_needed(folder):
    read = itertools.count()
    texts = (f"{'a ' * (number % 3)}b" for number in read)  # without end
    results = extract_embeddings_generator(folder, texts)
    assert next(read) == 0
    texts = (f"{'a ' * (number % 3)}b" for number in read)
    results = extract_embeddings_generator(folder, texts)
    lengths = [len(each) for each in itertools.islice(results, 2049)]
    assert lengths == [3 + (number + 1) % 3 for number in range(2049)]
    assert next(read) == 1 + 2 * 2048


@pytest.mark.slow
@pytest.mark.parametrize("known", [True, False], ids=["encoder", "with a head"])
def test_threads_may_share_a_model(vocabulary, load, sentences, known):
    model = load(seq_len=None)
    if not known:
        model = models.Model(model.inputs, layers.Dense(4)(model.output))
    works = [(sentences(6, seed), poolings) for seed in range(3) for poolings in (None, POOL_AVE)]

    def extract(number):
        texts, poolings = works[number % len(works)]
        return extract_embeddings(model, texts, poolings, vocabulary)

    want = list(map(extract, range(len(works))))
    with ThreadPoolExecutor(4) as threads:
        for number, found in enumerate(threads.map(extract, range(60))):
            for each, alone in zip(found, want[number % len(works)], strict=True):
                np.testing.assert_allclose(each, alone, atol=rounding(1e-5))


def test_nothing_in_nothing_out(folder):
    assert extract_embeddings(folder, []) == []
    assert extract_embeddings(folder, [], POOL_MAX, cut_embed=False) == []


@pytest.mark.slow
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
        (({"text": ["a"]},), TypeError, r"`texts` is a table: .* such as texts\['text'\]"),
        ((["a"], "POOL_MIN"), ValueError, "Unknown pooling method: 'POOL_MIN'"),
        ((["a"], []), ValueError, "`poolings`"),
        ((["a"], None, None, False, 0), ValueError, "`batch_size` must be positive"),
    ],
)
def test_bad_arguments_are_refused_at_once(folder, arguments, error, message):
    with pytest.raises(error, match=message):
        extract_embeddings_generator(folder, *arguments)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("text", [None, b"a", 7, ("a",), ("a", "b", "c"), ("a", None)])
def test_bad_texts_are_named_by_place(folder, text):
    with pytest.raises(TypeError, match="Text 1 must be a str or a pair of str"):
        extract_embeddings(folder, ["a", text])


def test_a_model_needs_its_vocabulary(vocabulary, load):
    model = load(seq_len=None)
    with pytest.raises(ValueError, match="`vocabs` is needed"):
        extract_embeddings(model, ["a"])
    larger = {**vocabulary, "new": 30}
    with pytest.raises(ValueError, match=r"not belong to the model: it has the id 30.*30 tokens"):
        extract_embeddings_generator(model, ["a"], vocabs=larger)
    with pytest.raises(TypeError, match=r"`vocabs` must be a dict.*'vocab.txt'"):
        extract_embeddings(model, ["a"], vocabs="vocab.txt")
    for poolings in ("POOL_AVE", "POOL_SENTENCE"):
        with pytest.raises(TypeError, match=r"`vocabs` must be a dict.*True \(bool\)"):
            extract_embeddings("tiny", ["a"], poolings, True)
    with pytest.raises(FileNotFoundError, match="There is no model 'none'"):
        extract_embeddings("none", ["a"])
    with pytest.raises(TypeError, match="`model` must be"):
        extract_embeddings(7, ["a"], vocabs=vocabulary)


CAPITALS = [*WORDS[:-3], "The", "A", "##B"]
NAMED = {"declared": "tokenizer_config.json says do_lower_case=False", "words": "has 3 words with"}


@pytest.fixture(params=NAMED)
def cased_folder(request, tmp_path):
    """A model that says that it knows capital letters, or whose vocabulary does."""
    write_google_folder(tmp_path, vocabulary=CAPITALS if request.param == "words" else WORDS)
    if request.param == "declared":
        (tmp_path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    return tmp_path, NAMED[request.param]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("function", [extract_embeddings, extract_embeddings_generator])
def test_a_cased_model_whose_case_nobody_gave(cased_folder, function):
    folder, named = cased_folder
    with pytest.warns(UserWarning, match=named) as warned:
        default = list(function(folder, ["A b c d e", "The"]))
    assert [each.filename for each in warned] == [__file__]
    assert "Pass cased=True, or cased=False" in str(warned[0].message)
    # Whoever gives it is not warned, and the numbers without it are those of 0.89.
    for array, lower in zip(
        default, function(folder, ["A b c d e", "The"], cased=False), strict=True
    ):
        np.testing.assert_array_equal(array, lower)
    capital = list(function(folder, ["A b c d e", "The"], cased=True))
    assert not np.allclose(default[0], capital[0], atol=1e-3)


def test_a_model_with_a_cased_vocabulary(load):
    model, vocabulary = load(seq_len=None), {word: index for index, word in enumerate(CAPITALS)}
    for _ in range(2):
        with pytest.warns(UserWarning, match="the vocabulary has 3 words with capital") as warned:
            extract_embeddings(model, ["a"], vocabs=vocabulary)
        assert [each.filename for each in warned] == [__file__]
    extract_embeddings(model, ["a"], vocabs=vocabulary, cased=True)
    extract_embeddings(model, ["a"], vocabs=vocabulary, cased=False)


@pytest.mark.slow
def test_what_the_folder_declares_holds_for_whoever_does_not_give_the_case(tmp_path):
    write_google_folder(tmp_path, vocabulary=CAPITALS)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True}))
    for given in ({}, {"cased": True}):  # as --cased of a command
        extract_embeddings(tmp_path, ["a"], **given)


@pytest.mark.parametrize(
    ("texts", "warns"), [(["语言模型", "a b"], True), (["a b c", "a 语"], False)]
)
def test_texts_that_the_vocabulary_does_not_know(tmp_path, texts, warns):
    write_google_folder(tmp_path)
    expectation = pytest.warns(UserWarning, match="became \\[UNK\\].* another language")
    with expectation if warns else contextlib.nullcontext():
        extract_embeddings(tmp_path, texts, "POOL_AVE")
