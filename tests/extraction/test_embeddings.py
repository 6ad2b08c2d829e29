"""extract_embeddings: any batching gives the numbers of every text alone, in order."""

import gc
import itertools
import json
import random
import weakref

import numpy as np
import pytest
from model_folders import write_google_folder, write_hugging_face_folder
from runtimes import KERAS_3, ON_TENSORFLOW, RUNTIME

from keras_bert import (
    POOL_AVE,
    POOL_MAX,
    POOL_NSP,
    Tokenizer,
    extract_embeddings,
    extract_embeddings_generator,
    get_checkpoint_paths,
    get_custom_objects,
    get_model,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)
from keras_bert.backend import Predictor, layers, models, ops, predictor


def sentences(count, seed=0):
    """Texts of few lengths, since JAX compiles each of them for `expected`."""
    generator = random.Random(seed)
    lengths = generator.choices([0, 1, 5, 6, 9, 13, 14, 20], k=count)
    return [" ".join(generator.choices("abcdefghijklmnopqrstuvwxy", k=k)) for k in lengths]


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


def test_a_folder_of_hugging_face(tmp_path, expected):
    write_hugging_face_folder(tmp_path)
    texts = sentences(5)
    for text, result in zip(texts, extract_embeddings(tmp_path, texts), strict=True):
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


@pytest.mark.parametrize("output_layer_num", [1, 2])
def test_first_tokens_alone_are_those_of_all_tokens(folder, output_layer_num):
    """Pooled by the first token, the last layer computes no other."""
    texts = [*sentences(9, seed=1), ("a b", "c"), ""]
    whole = extract_embeddings(folder, texts, output_layer_num=output_layer_num)
    for poolings in (POOL_NSP, [POOL_NSP, POOL_NSP]):
        pooled = extract_embeddings(folder, texts, poolings, output_layer_num=output_layer_num)
        for rows, result in zip(whole, pooled, strict=True):
            expected = np.tile(rows[0], len(poolings) if isinstance(poolings, list) else 1)
            np.testing.assert_allclose(result, expected, atol=1e-5)


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


@pytest.mark.parametrize("batch_size", [None, 1, 4])
def test_batch_size_is_the_most_texts_of_a_batch(folder, vocabulary, monkeypatch, batch_size):
    model, counts = load(folder, seq_len=None), []
    predict = predictor(model, of_known_layers=True)
    monkeypatch.setattr(
        "keras_bert.extraction.pipeline.predictor",
        lambda model, of_known_layers: Predictor(
            lambda arrays: counts.append(len(arrays[0])) or predict.call(arrays)
        ),
    )
    extract_embeddings(model, sentences(10), vocabs=vocabulary, batch_size=batch_size)
    filled = 16 if RUNTIME == "jax" else 10  # to the next power of two
    assert max(counts) == (batch_size or filled)
    assert len(counts) == {None: 1, 1: 10, 4: 3}[batch_size]


@pytest.mark.skipif(not ON_TENSORFLOW, reason="elsewhere a model's own function is called")
def test_the_function_of_a_model_is_made_once_and_goes_with_it(folder, vocabulary):
    from keras_bert.backend.tensorflow import prediction

    def use():  # a frame of its own, where TensorFlow, which looks at frames, keeps no model alive
        model = load(folder, seq_len=None)
        expected = extract_embeddings(model, ["a b"], vocabs=vocabulary)[0]
        function = prediction._predictors[model.predict_function][0]
        model.set_weights([2.0 * weight for weight in model.get_weights()])
        changed = extract_embeddings(model, ["a b"], vocabs=vocabulary)[0]
        assert np.abs(changed - expected).max() > 0.1
        assert prediction._predictors[model.predict_function][0] is function
        return weakref.ref(model)

    gone = use()
    gc.collect()
    assert gone() is None


def test_results_are_arrays_of_their_own(folder):
    for poolings in (None, POOL_AVE):
        for result in extract_embeddings(folder, ["a", "b c"], poolings):
            assert result.dtype == np.float32
            assert result.flags.owndata
            result *= 2


def test_running_a_fixed_model_shorter_does_not_show_in_it(folder, vocabulary, tmp_path):
    model = load(folder, seq_len=12)
    config = str(model.get_config())
    before = extract_embeddings(model, ["a b"], vocabs=vocabulary)[0]
    assert str(model.get_config()) == config
    model.save(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras", get_custom_objects())
    assert loaded.output_shape == (None, 12, 12)
    after = extract_embeddings(loaded, ["a b"], vocabs=vocabulary)[0]
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_the_padding_id_inside_a_text_is_not_pooled(folder):
    """The README's small vocabulary gives [CLS] the id 0, which the model takes for padding."""
    vocabulary = {"[CLS]": 0, "[SEP]": 1, "[UNK]": 2, "a": 3, "b": 4}
    model = load(folder, seq_len=None)
    poolings = [POOL_NSP, POOL_MAX, POOL_AVE]
    (result,) = extract_embeddings(model, ["a b"], poolings, vocabulary)
    rows = np.asarray(model.predict_on_batch([np.array([[0, 3, 4, 1]]), np.zeros((1, 4))]))[0]
    by_hand = np.concatenate([rows[0], rows[1:].max(axis=0), rows[1:].mean(axis=0)])
    np.testing.assert_allclose(result, by_hand, atol=1e-5)


@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask:UserWarning")
def test_foreign_layers_that_see_padding_see_none(vocabulary):
    inputs, output = get_model(30, 16, None, 12, 1, 3, 20, dropout_rate=0.0, training=False)
    model = models.Model(inputs, layers.Conv1D(4, 3, padding="same")(output))
    texts = sentences(8, seed=3)
    results = extract_embeddings(model, texts, vocabs=vocabulary)
    for text, result in zip(texts, results, strict=True):
        ids, segments = Tokenizer(vocabulary).encode(text, max_len=min(16, 2 + len(text.split())))
        alone = model.predict_on_batch([np.array([ids]), np.array([segments])])
        np.testing.assert_allclose(result, np.asarray(alone)[0], atol=1e-5)


@pytest.mark.parametrize(
    "finish",
    [
        lambda features: layers.Dense(4)(features),
        pytest.param(
            lambda features: features - ops.mean(features, axis=1, keepdims=True),
            marks=pytest.mark.skipif(not KERAS_3, reason="operations are layers there"),
        ),
    ],
)
def test_a_model_with_foreign_parts_is_padded(vocabulary, finish):
    inputs, output = get_model(
        30, 10, 10, 12, 1, 3, 20, dropout_rate=0.0, training=False, trainable=False
    )
    model = models.Model(inputs, finish(output))
    (row,) = extract_embeddings(model, ["a b"], vocabs=vocabulary)
    ids, segments = Tokenizer(vocabulary).encode("a b", max_len=10)
    whole = np.asarray(model.predict_on_batch([np.array([ids]), np.array([segments])]))
    np.testing.assert_allclose(row, whole[0, :4], atol=1e-5)


def test_a_model_inside_a_model_sets_the_limit(folder, vocabulary, expected):
    encoder = load(folder, seq_len=None)
    inputs = [layers.Input(shape=(None,), dtype="int32") for _ in range(2)]
    model = models.Model(inputs, encoder(inputs))
    texts = sentences(8, seed=4)
    assert max(map(len, texts)) > 2 * 16  # the model's positions
    for text, result in zip(
        texts, extract_embeddings(model, texts, vocabs=vocabulary), strict=True
    ):
        np.testing.assert_allclose(result, expected(text), atol=1e-5)


def test_pairs_need_two_segments(vocabulary):
    inputs, output = get_model(30, 16, None, 12, 1, 3, 20, training=False, segment_num=1)
    model = models.Model(inputs, output)
    assert len(extract_embeddings(model, ["a b"], vocabs=vocabulary)[0]) == 4
    with pytest.raises(ValueError, match=r"Text 1 is a pair.*one segment"):
        extract_embeddings(model, ["a", ("a", "b")], vocabs=vocabulary)


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
    with pytest.raises(ValueError, match=r"not belong to the model: it has the id 30.*30 tokens"):
        extract_embeddings_generator(model, ["a"], vocabs=larger)
    with pytest.raises(TypeError, match=r"`vocabs` must be a dict.*'vocab.txt'"):
        extract_embeddings(model, ["a"], vocabs="vocab.txt")
    with pytest.raises(FileNotFoundError, match=r"`model` must be the path.*'none', which is no"):
        extract_embeddings("none", ["a"])
    with pytest.raises(TypeError, match="`model` must be"):
        extract_embeddings(7, ["a"], vocabs=vocabulary)


def test_models_with_other_inputs_are_refused(vocabulary):
    arguments = (30, 10, 10, 12, 1, 3, 20)
    with_heads = get_model(*arguments)
    with_tasks = models.Model(*get_model(*arguments, training=False, use_task_embed=True))
    for model in (with_heads, with_tasks):
        with pytest.raises(ValueError, match="`model` must take token ids and segment ids"):
            extract_embeddings(model, ["a"], vocabs=vocabulary)


@pytest.mark.parametrize("seq_len", [10, None])
def test_models_of_the_first_tokens_only_are_refused(vocabulary, seq_len):
    arguments = (30, 10, seq_len, 12, 1, 3, 20)
    model = models.Model(*get_model(*arguments, training=False, output_len=1))
    with pytest.raises(ValueError, match=r"`model` must (give features of every|take)"):
        extract_embeddings(model, ["a b"], vocabs=vocabulary)


@pytest.mark.parametrize("lower", [True, False])
def test_a_folder_that_says_whether_it_is_cased(tmp_path, lower):
    write_google_folder(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lower}))
    extract_embeddings_generator(tmp_path, ["a"], cased=not lower)
    message = f"do_lower_case={lower}.*Pass cased={not lower}"
    for function in (extract_embeddings, extract_embeddings_generator):
        with pytest.warns(UserWarning, match=message) as warned:
            function(tmp_path, [], cased=lower)
        assert warned[0].filename == __file__
