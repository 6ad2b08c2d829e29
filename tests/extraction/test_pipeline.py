"""Pipeline: which models it takes, at which lengths it runs them, and what it makes of them."""

import gc
import weakref
from types import MappingProxyType

import numpy as np
import pytest
from devices import rounding
from runtimes import KERAS_3, ON_TENSORFLOW, RUNTIME, dtype_policy

from keras_bert import (
    POOL_AVE,
    POOL_MAX,
    POOL_NSP,
    Tokenizer,
    extract_embeddings,
    get_model,
)
from keras_bert.backend import Predictor, layers, models, ops, predictor
from keras_bert.extraction import batching, pipeline
from keras_bert.extraction.pipeline import Pipeline


@pytest.mark.sampled(2)
@pytest.mark.parametrize("batch_size", [None, 1, 4])
def test_batch_size_is_the_most_texts_of_a_batch(
    vocabulary, monkeypatch, batch_size, load, sentences
):
    model, counts = load(seq_len=None), []
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
def test_the_function_of_a_model_is_made_once_and_goes_with_it(vocabulary, load):
    from keras_bert.backend.tensorflow import prediction

    def use():  # a frame of its own, where TensorFlow, which looks at frames, keeps no model alive
        model = load(seq_len=None)
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


def test_a_tokenizer_is_kept_until_the_vocabulary_changes(vocabulary, load, monkeypatch):
    made = []

    def count(*arguments, **options):
        made.append(options)
        return Tokenizer(*arguments, **options)

    monkeypatch.setattr(pipeline, "Tokenizer", count)
    model, vocabulary = load(seq_len=None), dict(vocabulary)
    first, again, copied = (
        extract_embeddings(model, ["a b"], vocabs=each)[0]
        for each in (vocabulary, vocabulary, dict(vocabulary))
    )
    assert len(made) == 1
    np.testing.assert_array_equal(again, first)
    np.testing.assert_array_equal(copied, first)
    # Changed in place, and where the number of tokens, the first and the last stay as they were.
    vocabulary["a"], vocabulary["b"] = vocabulary["b"], vocabulary["a"]
    exchanged = extract_embeddings(model, ["b a"], vocabs=vocabulary)[0]
    assert len(made) == 2
    np.testing.assert_array_equal(exchanged, first)
    extract_embeddings(model, ["a b"], vocabs=vocabulary, official=True)
    extract_embeddings(model, ["a b"], vocabs=MappingProxyType(vocabulary))
    assert len(made) == 4


def test_the_padding_id_inside_a_text_is_not_pooled(load):
    """The README's small vocabulary gives [CLS] the id 0, which the model takes for padding."""
    vocabulary = {"[CLS]": 0, "[SEP]": 1, "[UNK]": 2, "a": 3, "b": 4}
    model = load(seq_len=None)
    poolings = [POOL_NSP, POOL_MAX, POOL_AVE]
    (result,) = extract_embeddings(model, ["a b"], poolings, vocabulary)
    rows = np.asarray(model.predict_on_batch([np.array([[0, 3, 4, 1]]), np.zeros((1, 4))]))[0]
    by_hand = np.concatenate([rows[0], rows[1:].max(axis=0), rows[1:].mean(axis=0)])
    np.testing.assert_allclose(result, by_hand, atol=rounding(1e-5))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask:UserWarning")
def test_foreign_layers_that_see_padding_see_none(vocabulary, sentences):
    inputs, output = get_model(30, 16, None, 12, 1, 3, 20, dropout_rate=0.0, training=False)
    model = models.Model(inputs, layers.Conv1D(4, 3, padding="same")(output))
    texts = sentences(8, seed=3)
    results = extract_embeddings(model, texts, vocabs=vocabulary)
    for text, result in zip(texts, results, strict=True):
        ids, segments = Tokenizer(vocabulary).encode(text, max_len=min(16, 2 + len(text.split())))
        alone = model.predict_on_batch([np.array([ids]), np.array([segments])])
        np.testing.assert_allclose(result, np.asarray(alone)[0], atol=rounding(1e-5))


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
    np.testing.assert_allclose(row, whole[0, :4], atol=rounding(1e-5))


def test_a_model_inside_a_model_sets_the_limit(vocabulary, expected, load, sentences):
    encoder = load(seq_len=None)
    inputs = [layers.Input(shape=(None,), dtype="int32") for _ in range(2)]
    model = models.Model(inputs, encoder(inputs))
    texts = sentences(8, seed=4)
    assert max(map(len, texts)) > 2 * 16  # the model's positions
    for text, result in zip(
        texts, extract_embeddings(model, texts, vocabs=vocabulary), strict=True
    ):
        np.testing.assert_allclose(result, expected(text), atol=rounding(1e-5))


def test_pairs_need_two_segments(vocabulary):
    inputs, output = get_model(30, 16, None, 12, 1, 3, 20, training=False, segment_num=1)
    model = models.Model(inputs, output)
    assert len(extract_embeddings(model, ["a b"], vocabs=vocabulary)[0]) == 4
    with pytest.raises(ValueError, match=r"Text 1 is a pair.*one segment"):
        extract_embeddings(model, ["a", ("a", "b")], vocabs=vocabulary)


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


def test_a_pipeline_is_called_any_number_of_times(vocabulary, load, sentences):
    pipeline = Pipeline(load(seq_len=None), vocabulary, poolings=[POOL_AVE])
    texts = sentences(6)
    first = list(pipeline(texts))
    for rows in (texts[:3], texts[3:], []):
        start = 3 if rows == texts[3:] else 0
        for vector, expected in zip(pipeline(rows), first[start : start + len(rows)], strict=True):
            np.testing.assert_allclose(vector, expected, atol=rounding(1e-5))


def test_features_with_the_ids_of_their_tokens(vocabulary, load):
    pipeline = Pipeline(load(seq_len=None), vocabulary)
    tokenizer = Tokenizer(vocabulary)
    texts = ["a b c", ("d", "e f"), ""]
    for text, (ids, features) in zip(texts, pipeline.with_ids(texts), strict=True):
        pair = (text,) if isinstance(text, str) else text
        assert ids == tokenizer.encode(*pair)[0]
        assert features.shape == (len(ids), 12)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("seq_len", "full_length", "lengths"), [(None, None, 5), (None, 9, 9), (12, None, 12)]
)
def test_lengths_of_features_that_are_not_cut(vocabulary, load, seq_len, full_length, lengths):
    pipeline = Pipeline(load(seq_len=seq_len), vocabulary, cut_embed=False, full_length=full_length)
    assert [len(features) for features in pipeline(["a", "a b c"])] == [lengths] * 2


@pytest.mark.sampled(1)
@pytest.mark.parametrize("change", ["eager", "patched"])
def test_models_of_which_users_made_something_are_pooled_behind_it(vocabulary, load, change):
    """With the numbers of the pooling in the model."""
    texts, poolings = ["a b c", "d", "b ||| a"], [POOL_MAX, POOL_AVE, POOL_NSP]
    model = load(seq_len=None)
    expected = list(Pipeline(model, vocabulary, poolings=poolings)(texts))
    if change == "eager":
        model.compile(run_eagerly=True)
    else:
        model.call = model.call  # whatever it may be
    for vector, wanted in zip(
        Pipeline(model, vocabulary, poolings=poolings)(texts), expected, strict=True
    ):
        np.testing.assert_allclose(vector, wanted, atol=rounding(1e-5))


def test_a_model_with_its_pooling_is_made_once(vocabulary, load, monkeypatch):
    made, original = [], pipeline._append
    monkeypatch.setattr(
        pipeline, "_append", lambda pooling, model: made.append(1) or original(pooling, model)
    )
    model = load(seq_len=None)
    for poolings in ([POOL_AVE], [POOL_MAX], [POOL_AVE]):
        Pipeline(model, vocabulary, poolings=poolings)
    assert len(made) == 2


@pytest.mark.skipif(not KERAS_3, reason="policies are for Keras 3")
@pytest.mark.parametrize("poolings", [None, [POOL_AVE]])
def test_features_in_16_bits_come_in_float32(vocabulary, poolings):
    with dtype_policy("bfloat16"):
        model = models.Model(*get_model(30, 16, None, 12, 1, 3, 20, training=False))
    (result,) = Pipeline(model, vocabulary, poolings=poolings)(["a b"])
    assert result.dtype == "float32"


def as_on_an_accelerator(monkeypatch):
    """Vectors are computed here as they are on a GPU; what takes them there is not tried."""
    monkeypatch.setattr(pipeline, "on_accelerator", lambda: True)
    monkeypatch.setattr(batching, "LOOK_AHEAD", 8)


@pytest.mark.parametrize("count", [0, 1, 8, 30])
def test_an_accelerator_computes_while_the_next_texts_are_read(
    vocabulary, monkeypatch, load, sentences, count
):
    model, texts = load(seq_len=None), sentences(count)
    expected = extract_embeddings(model, texts, POOL_AVE, vocabs=vocabulary)
    as_on_an_accelerator(monkeypatch)
    read, begun, fetched = [], [], []

    def counting(model, of_known_layers):
        predict = predictor(model, of_known_layers)

        def call(arrays):
            begun.append(len(read))
            return predict.call(arrays)

        def fetch(outputs):
            fetched.append(len(read))
            return predict.fetch(outputs)

        return Predictor(call, fetch)

    monkeypatch.setattr(pipeline, "predictor", counting)
    extract = Pipeline(model, vocabulary, poolings=[POOL_AVE])
    found = list(extract(read.append(text) or text for text in texts))
    assert len(found) == count
    for each, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(each, other, rtol=0, atol=rounding(1e-5))
    # Each window of 8 texts is begun when it has been read, and fetched when the next one has.
    windows = list(range(8, count, 8)) + [count] * (count > 0)
    assert sorted(set(begun)) == windows
    assert fetched == [min(window + 8, count) for window in windows]


def test_an_error_on_an_accelerator_comes_in_its_place(vocabulary, monkeypatch, load, sentences):
    as_on_an_accelerator(monkeypatch)
    texts = [*sentences(20), None]
    extract = Pipeline(load(seq_len=None), vocabulary, poolings=[POOL_AVE])
    results = extract(texts)
    assert len([next(results) for _ in range(8)]) == 8
    with pytest.raises(TypeError, match="Text 20 must be a str"):
        list(results)
