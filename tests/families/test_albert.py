"""ALBERT, against its numbers in NumPy, in files under both kinds of names."""

import json

import numpy as np
import pytest
from albert_tensors import CONFIG, google_tensors, rows, write_folder
from model_folders import WORDS
from numpy_albert import SEGMENTS, TOKENS, NumpyAlbert
from numpy_functions import gelu_erf, gelu_tanh, relu, softmax
from runtimes import RUNTIME, as_list, dtype_policy, gradients

from keras_bert import (
    VocabularyChange,
    build_model_from_config,
    extract_embeddings,
    get_attention_maps,
    get_custom_objects,
    get_model,
    load_model_weights_from_checkpoint,
    load_trained_model_from_checkpoint,
)
from keras_bert.backend import models, optimizers
from keras_bert.checkpoints import CheckpointError
from keras_bert.families import ALBERT

ROUNDING = 1e-5  # of float32, for features of up to 5 and sums of up to 20 products

# Changes of the configuration, and the activation that it means in Google's and the other files.
CASES = {
    "one group": ({}, gelu_tanh, gelu_erf),
    "two groups": ({"num_hidden_groups": 2, "num_hidden_layers": 4}, gelu_tanh, gelu_erf),
    "two inner": ({"inner_group_num": 2}, gelu_tanh, gelu_erf),
    "3 of 2": (
        {"num_hidden_groups": 3, "inner_group_num": 2, "num_hidden_layers": 4},
        gelu_tanh,
        gelu_erf,
    ),
    "2 in 5": ({"num_hidden_groups": 2, "num_hidden_layers": 5}, gelu_tanh, gelu_erf),
    "3 in 5": ({"num_hidden_groups": 3, "num_hidden_layers": 5}, gelu_tanh, gelu_erf),
    "relu": ({"hidden_act": "relu"}, relu, relu),
    "gelu_new": ({"hidden_act": "gelu_new"}, gelu_tanh, gelu_tanh),
}
every_case = pytest.mark.parametrize("case", CASES)
every_naming = pytest.mark.parametrize("naming", ["google", "huggingface"])


def prepare(folder, naming, case="one group", without=(), prefix="albert.", **more):
    """Files of a case, and what computes the same in NumPy."""
    changes, *activations = CASES[case]
    config = {**CONFIG, **changes, **more}
    tensors = {
        name: array
        for name, array in google_tensors(config).items()
        if not name.startswith(without)
    }
    *paths, _ = write_folder(folder, config, naming, tensors, prefix)
    return paths, NumpyAlbert(tensors, config, activations[naming != "google"])


def predict(model, *arrays):
    return model.predict([TOKENS, SEGMENTS, *arrays], verbose=0)


@pytest.mark.sampled(2)
@every_naming
@every_case
def test_numbers(tmp_path, case, naming):
    paths, albert = prepare(tmp_path, naming, case)
    model = load_trained_model_from_checkpoint(*paths, training=True, seq_len=None)
    words, order = predict(model, np.ones_like(TOKENS))
    encoded = albert.encode(TOKENS, SEGMENTS)
    real = (TOKENS != 0)[:, :, None]
    # Masked multiplies with its marks; padding between the tokens counts as any other.
    assert np.allclose(words * real, albert.masked_words(encoded) * real, atol=ROUNDING, rtol=0)
    assert np.allclose(order, albert.sentence_order(encoded), atol=ROUNDING, rtol=0)


@pytest.mark.sampled(1)
@every_naming
@pytest.mark.parametrize("case", ["one group", pytest.param("3 of 2", marks=pytest.mark.slow)])
def test_numbers_of_an_encoder_alone(tmp_path, case, naming):
    paths, albert = prepare(tmp_path, naming, case, without=("cls/", "bert/pooler/"), prefix="")
    features = predict(load_trained_model_from_checkpoint(*paths, seq_len=7))
    assert np.allclose(features, albert.encode(TOKENS, SEGMENTS), atol=ROUNDING, rtol=0)


@pytest.mark.slow
@pytest.mark.skipif(RUNTIME == "jax", reason="JAX has float64 on request only")
@pytest.mark.parametrize("case", ["3 of 2", "gelu_new"])
def test_numbers_in_float64(tmp_path, case):
    paths, albert = prepare(tmp_path, "google", case)
    with dtype_policy("float64"):
        model = load_trained_model_from_checkpoint(*paths, training=True, seq_len=7)
        words, order = predict(model, np.ones_like(TOKENS))
    encoded = albert.encode(TOKENS, SEGMENTS)
    assert words.dtype == order.dtype == np.float64
    # PyTorch computes some of it in float32.
    assert np.allclose(words, albert.masked_words(encoded), atol=1e-6, rtol=0)
    assert np.allclose(order, albert.sentence_order(encoded), atol=1e-6, rtol=0)


def test_embeddings_of_the_hidden_size_are_mapped_too(tmp_path):
    """So it is in Hugging Face's files."""
    paths, albert = prepare(tmp_path, "huggingface", embedding_size=12)
    model = load_trained_model_from_checkpoint(*paths, seq_len=7)
    expected = albert.encode(TOKENS, SEGMENTS)
    assert np.allclose(predict(model), expected, atol=ROUNDING, rtol=0)


def test_the_epsilon_of_the_configuration_counts(tmp_path):
    paths, albert = prepare(tmp_path, "huggingface", layer_norm_eps=0.1)
    model = load_trained_model_from_checkpoint(*paths, seq_len=7)
    expected = albert.encode(TOKENS, SEGMENTS)
    assert np.allclose(predict(model), expected, atol=ROUNDING, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize(("first", "layers"), [(1, [3]), (2, [2, 0]), (3, [0])])
def test_outputs_of_some_layers_and_tokens(tmp_path, first, layers):
    """Layers are encoder layers, of two blocks each here."""
    paths, albert = prepare(tmp_path, "google", "two inner", num_hidden_layers=4)
    model = load_trained_model_from_checkpoint(
        *paths, output_layer_num=layers, seq_len=7, output_len=first
    )
    albert.encode(TOKENS, SEGMENTS)
    expected = np.concatenate([albert.hidden[each][:, :first] for each in reversed(layers)], -1)
    assert np.allclose(predict(model), expected, atol=ROUNDING, rtol=0)


# Vocabularies and logits, which have rows of the size of the embeddings.


@pytest.mark.slow
def test_another_vocabulary(tmp_path):
    """Kept tokens keep their features, and their probabilities over what was kept."""
    paths, albert = prepare(tmp_path, "google")
    old = {word: index for index, word in enumerate(WORDS)}
    change = VocabularyChange(old, keep=[WORDS[each] for each in np.unique(TOKENS) if each > 4])
    ids = np.array([change.vocabulary[WORDS[each]] for each in TOKENS.ravel()]).reshape(
        TOKENS.shape
    )
    kept = [old[word] for word in change.vocabulary]
    model = load_trained_model_from_checkpoint(
        *paths, training=True, seq_len=7, vocabulary_change=change
    )
    words, order = model.predict([ids, SEGMENTS, np.ones_like(ids)], verbose=0)
    encoded = albert.encode(TOKENS, SEGMENTS)
    expected = albert.masked_words(encoded)[:, :, kept]
    expected /= expected.sum(axis=-1, keepdims=True)
    assert np.allclose(words, expected, atol=ROUNDING, rtol=0)
    assert np.allclose(order, albert.sentence_order(encoded), atol=ROUNDING, rtol=0)


def test_logits_of_the_marked_positions(tmp_path):
    paths, albert = prepare(tmp_path, "google")
    model = load_trained_model_from_checkpoint(*paths, training=True, seq_len=7, max_predictions=2)
    marks = np.zeros_like(TOKENS)
    marks[:, [0, 3]] = 1
    logits, _ = predict(model, marks)
    expected = albert.masked_words(albert.encode(TOKENS, SEGMENTS))[:, [0, 3]]
    assert np.allclose(softmax(logits), expected, atol=ROUNDING, rtol=0)


# Heads.


@pytest.mark.sampled(1)
@every_naming
def test_a_file_without_sentence_order_gives_one_output(tmp_path, naming):
    paths, albert = prepare(tmp_path, naming, without=("cls/seq_relationship", "bert/pooler"))
    model = load_trained_model_from_checkpoint(*paths, training=True, seq_len=7)
    expected = albert.masked_words(albert.encode(TOKENS, SEGMENTS))
    assert np.allclose(predict(model, np.ones_like(TOKENS)), expected, atol=ROUNDING, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"heads": ("MLM",)}, {"allow_missing_heads": True}])
def test_heads_of_a_file_without_sentence_order_may_be_chosen(tmp_path, options):
    paths, albert = prepare(tmp_path, "google", without=("cls/seq_relationship", "bert/pooler"))
    model = load_trained_model_from_checkpoint(*paths, training=True, seq_len=7, **options)
    words, *order = as_list(predict(model, np.ones_like(TOKENS)))
    expected = albert.masked_words(albert.encode(TOKENS, SEGMENTS))
    assert np.allclose(words, expected, atol=ROUNDING, rtol=0)
    assert [each.shape for each in order] == ([] if "heads" in options else [(3, 2)])


def test_heads_that_are_asked_for_must_be_there(tmp_path):
    paths, _ = prepare(tmp_path, "google", without=("cls/seq_relationship", "bert/pooler"))
    for ask in (
        lambda: load_trained_model_from_checkpoint(*paths, training=True, heads=("MLM", "NSP")),
        lambda: load_model_weights_from_checkpoint(
            *build_model_from_config(paths[0], training=True), paths[1], training=True
        ),
    ):
        with pytest.raises(CheckpointError, match="cls/seq_relationship/output_weights"):
            ask()


@pytest.mark.slow
def test_a_model_of_one_head_takes_a_file_of_both(tmp_path):
    paths, albert = prepare(tmp_path, "google")
    loaded = load_trained_model_from_checkpoint(*paths, training=True, seq_len=7, heads=("MLM",))
    model, config = build_model_from_config(paths[0], training=True, seq_len=7, heads=("MLM",))
    load_model_weights_from_checkpoint(model, config, paths[1], training=True)
    expected = albert.masked_words(albert.encode(TOKENS, SEGMENTS))
    for each in (loaded, model):
        words = predict(each, np.ones_like(TOKENS))
        assert np.allclose(words, expected, atol=ROUNDING, rtol=0)


@every_naming
def test_a_file_with_half_of_sentence_order_is_damaged(tmp_path, naming):
    paths, _ = prepare(tmp_path, naming, without=("cls/seq_relationship/output_bias",))
    for allowed in (False, True):
        with pytest.raises(CheckpointError, match="lacks 1 of the model's"):
            load_trained_model_from_checkpoint(*paths, training=True, allow_missing_heads=allowed)


@every_naming
def test_a_file_without_masked_words(tmp_path, naming):
    paths, _ = prepare(tmp_path, naming, without=("cls/",))
    with pytest.raises(CheckpointError, match="Only weights of the heads are missing"):
        load_trained_model_from_checkpoint(*paths, training=True)
    model = load_trained_model_from_checkpoint(*paths, training=True, allow_missing_heads=True)
    assert [tuple(shape) for shape in model.output_shape] == [(None, 16, 30), (None, 2)]


@pytest.mark.sampled(1)
@every_naming
def test_weights_into_a_model_of_the_configuration(tmp_path, naming):
    paths, albert = prepare(tmp_path, naming, "two groups")
    model, config = build_model_from_config(paths[0], training=True, seq_len=7)
    load_model_weights_from_checkpoint(model, config, paths[1], training=True)
    encoded = albert.encode(TOKENS, SEGMENTS)
    words, order = predict(model, np.ones_like(TOKENS))
    assert np.allclose(words, albert.masked_words(encoded), atol=ROUNDING, rtol=0)
    assert np.allclose(order, albert.sentence_order(encoded), atol=ROUNDING, rtol=0)


def test_slots_of_optimizers_change_nothing(tmp_path):
    slots = {f"{name}/adam_m": np.full(shape, 9, "float32") for name, shape, _ in rows(CONFIG)}
    tensors = google_tensors(CONFIG)
    more = {**tensors, **slots, "global_step": np.array(5)}
    *paths, _ = write_folder(tmp_path, CONFIG, "google", more)
    model = load_trained_model_from_checkpoint(*paths, seq_len=7)
    expected = NumpyAlbert(tensors, CONFIG).encode(TOKENS, SEGMENTS)
    assert np.allclose(predict(model), expected, atol=ROUNDING, rtol=0)


# Shared layers.


def albert_of(layers, groups=1, inner=1, embed_dim=12, seed=0, **options):
    """A model of `get_model` with random weights."""
    sizes = {"pos_num": 16, "seq_len": 7, "head_num": 3, "feed_forward_dim": 20}
    model = get_model(
        *(30,),
        **{**sizes, "embed_dim": embed_dim, "transformer_num": layers, "dropout_rate": 0.0},
        **{"embedding_size": 6, "group_num": groups, "inner_group_num": inner, **options},
    )
    random = np.random.default_rng(seed)
    model.set_weights([random.normal(0, 0.3, each.shape) for each in model.get_weights()])
    return model


def test_weights_are_held_once():
    one, five = albert_of(1), albert_of(5)
    assert len(one.weights) == len(five.weights)
    assert one.count_params() == five.count_params()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_files_hold_them_once(tmp_path, suffix):
    sizes = []
    for layers in (1, 4):
        model = albert_of(layers, embed_dim=48)
        path = tmp_path / f"{layers}{suffix}"
        model.save(path)
        sizes.append(path.stat().st_size)
    one_layer = 4 * (4 * 48 * 48 + 2 * 48 * 20)  # bytes, without biases
    assert sizes[1] - sizes[0] < one_layer / 2  # what connects layers is described once for each
    again = models.load_model(path, custom_objects=get_custom_objects(), compile=False)
    masks = np.ones_like(TOKENS)
    for one, other in zip(predict(model, masks), predict(again, masks), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.slow
def test_a_shared_weight_has_the_gradients_of_all_its_layers():
    """They sum up to what as many layers of their own, of the same values, have."""
    shared, apart = albert_of(3), albert_of(3, groups=None)
    for layer in apart.layers:
        name = layer.name
        for number in ("2", "3"):
            name = name.replace(f"Encoder-{number}-", "Encoder-1-")
        if layer.weights:
            layer.set_weights(shared.get_layer(name).get_weights())
    arrays = [TOKENS, SEGMENTS, np.ones_like(TOKENS)]
    random = np.random.default_rng(1)
    factors = [random.normal(size=shape).astype("float32") for shape in ((3, 7, 30), (3, 2))]

    def by_layer(model):
        sums = {}
        found = iter(gradients(model, arrays, factors))
        for layer in model.layers:
            for index, _ in enumerate(layer.trainable_weights):
                key = (layer.name.replace("-2-", "-1-").replace("-3-", "-1-"), index)
                sums[key] = sums.get(key, 0) + next(found)
        return sums

    sums, expected = by_layer(shared), by_layer(apart)
    assert sums.keys() == expected.keys()
    for key, gradient in sums.items():
        assert np.allclose(gradient, expected[key], atol=1e-4, rtol=1e-4), key


@pytest.mark.slow
def test_a_step_changes_a_shared_weight_once():
    """By the learning rate times its gradient."""
    model = albert_of(2, heads=("NSP",))
    arrays, wanted = [TOKENS, SEGMENTS], np.eye(2, dtype="float32")[[0, 1, 0]]
    # The gradient of the mean of squares, by way of the output.
    factor = 2 * (np.array(predict(model)) - wanted) / wanted.size
    expected = [
        weight - (0 if gradient is None else 0.5 * gradient)
        for weight, gradient in zip(
            model.get_weights(), gradients(model, arrays, [factor]), strict=True
        )
    ]
    model.compile(optimizers.SGD(0.5), "mse")
    model.train_on_batch(arrays, wanted)
    for weight, new in zip(model.get_weights(), expected, strict=True):
        assert np.allclose(weight, new, atol=1e-6, rtol=1e-5)


def test_prefixes_choose_what_is_trained(tmp_path):
    paths, _ = prepare(tmp_path, "google", "3 of 2")
    model = load_trained_model_from_checkpoint(*paths, trainable=["Encoder-1", "Encoder-6-Feed"])
    trained = {layer.name for layer in model.layers if layer.trainable_weights}
    assert trained == {
        *("Encoder-1-MultiHeadSelfAttention", "Encoder-1-MultiHeadSelfAttention-Norm"),
        *("Encoder-1-FeedForward", "Encoder-1-FeedForward-Norm"),
        *("Encoder-6-FeedForward", "Encoder-6-FeedForward-Norm"),
    }


# What reads layers by name or counts them.


@pytest.mark.slow
def test_attention_maps_are_those_of_every_call(tmp_path):
    paths, albert = prepare(tmp_path, "google", "two inner")
    model = load_trained_model_from_checkpoint(*paths, seq_len=7)
    maps = get_attention_maps(model, [TOKENS, SEGMENTS])
    albert.encode(TOKENS, SEGMENTS)
    assert len(maps) == len(albert.maps) == 6
    for found, expected in zip(maps, albert.maps, strict=True):
        assert np.allclose(found, expected, atol=ROUNDING, rtol=0)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("seq_len", [16, None])
def test_features_of_texts_of_any_length(tmp_path, seq_len):
    paths, albert = prepare(tmp_path, "google")
    model = load_trained_model_from_checkpoint(*paths, seq_len=seq_len)
    words = {word: index for index, word in enumerate(WORDS)}
    texts = ["a b", ("c d", "e"), "f g h i j k"]
    for text, features in zip(texts, extract_embeddings(model, texts, vocabs=words), strict=True):
        first, second = text if isinstance(text, tuple) else (text, "")
        pieces = ["[CLS]", *first.split(), "[SEP]", *(f"{second} [SEP]".split() if second else ())]
        tokens = np.array([[words[piece] for piece in pieces]])
        segments = np.arange(len(pieces))[None] > len(first.split()) + 1
        expected = albert.encode(tokens, segments.astype(int))[0]
        assert features.shape == expected.shape
        assert np.allclose(features, expected, atol=ROUNDING, rtol=0)


# Names and what else is ALBERT's own.


def test_the_table_names_what_google_and_hugging_face_create():
    config = {**CONFIG, "num_hidden_groups": 2, "num_hidden_layers": 2, "inner_group_num": 2}
    table = ALBERT.weights(config, training=True)
    assert {(row.google, row.huggingface) for row in table} == {
        (google, other) for google, _, other in rows(config)
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "heads"),
    [
        ("AlbertModel", ["pooler"]),
        ("AlbertForMaskedLM", ["masked words"]),
        ("AlbertForPreTraining", ["pooler", "masked words", "sentence order"]),
    ],
)
def test_the_table_names_what_transformers_creates(name, heads):
    transformers = pytest.importorskip("transformers", reason="transformers is the oracle here")
    pytest.importorskip("torch", reason="transformers' ALBERT is made of PyTorch")
    config = {**CONFIG, "num_hidden_groups": 2, "inner_group_num": 2}
    model = getattr(transformers, name)(transformers.AlbertConfig(**config))
    table = ALBERT.encoder(config, 4) + [row for head in heads for row in ALBERT.heads[head]]
    shapes = {google: shape for google, shape, _ in rows(config)}
    expected = {
        row.huggingface: shapes[row.google][:: -1 if row.google.endswith("kernel") else 1]
        for row in table
    }
    found = {key: tuple(value.shape) for key, value in model.named_parameters()}
    if name == "AlbertModel":
        found = {f"albert.{key}": shape for key, shape in found.items()}
    assert found == expected
    assert ALBERT.architecture(expected) == name


def test_arguments_of_the_model():
    config = {**CONFIG, "num_hidden_groups": 3, "inner_group_num": 2}
    assert ALBERT.arguments(config) == {
        **{"token_num": 30, "pos_num": 16, "embed_dim": 12, "transformer_num": 3, "head_num": 3},
        **{"feed_forward_dim": 20, "segment_num": 2, "layer_norm_epsilon": 1e-12},
        **{"embedding_size": 6, "group_num": 3, "inner_group_num": 2},
    }
    keys = ("embedding_size", "num_hidden_groups", "inner_group_num")
    usual = ALBERT.arguments({key: value for key, value in config.items() if key not in keys})
    assert [usual[key] for key in ("embedding_size", "group_num", "inner_group_num")] == [128, 1, 1]


@every_naming
def test_a_configuration_alone_tells_it(tmp_path, naming):
    paths, _ = prepare(tmp_path, naming)
    config = json.loads(paths[0].read_text("utf-8"))
    model, _ = build_model_from_config(paths[0])
    assert ("model_type" in config) == (naming == "huggingface")
    assert model.get_layer("Embedding-Mapping").get_weights()[0].shape == (6, 12)
