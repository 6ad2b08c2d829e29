"""Folders of sentence-transformers as models, compared with the formulas in NumPy and with it."""

import json

import numpy as np
import pytest
from relatives import CONFIGS, write_relative
from runtimes import RUNTIME, dtype_policy, once
from sentence_folders import TEXTS, vectors_by_hand, write, write_sentence_folder

from keras_bert import (
    CheckpointError,
    ConfigError,
    PretrainedList,
    Tokenizer,
    VocabularyChange,
    extract_embeddings,
    get_custom_objects,
    load_sentence_model,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)
from keras_bert.backend import models
from keras_bert.families import BERT
from keras_bert.layers.text_pooling import POOLINGS
from keras_bert.loader.text_settings import settings_of

# Other runtimes are held against the formulas; benchmarks/sentences.py compares all of them.
on_torch = pytest.mark.skipif(RUNTIME != "torch", reason="sentence-transformers needs PyTorch")
FAMILIES = [pytest.param(family, id=family.name) for family in CONFIGS]
DENSE = [(), ((7, "Tanh"),), ((9, "ReLU"), (5, "Identity"))]


def by_hand(folder, poolings, dense=(), weights=(), normalize=True):
    """Vectors of TEXTS by way of the encoder's features."""
    encoder = load_trained_model_from_checkpoint(
        folder / "config.json", folder / "model.safetensors", seq_len=10
    )
    tokenizer = Tokenizer(load_vocabulary(folder / "vocab.txt"), official=True)
    features = extract_embeddings(encoder, TEXTS, vocabs=tokenizer)
    return vectors_by_hand(features, poolings, dense, weights, normalize)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("poolings", "dense", "normalize"),
    [
        (poolings, DENSE[number % 3], number % 2 == 0)
        for number, poolings in enumerate([*[(each,) for each in POOLINGS], ("cls", "max", "mean")])
    ],
)
def test_vectors_are_those_of_the_formulas(tmp_path, poolings, dense, normalize):
    weights = write_sentence_folder(tmp_path / "model", poolings, dense, normalize)
    found = extract_embeddings(tmp_path / "model", TEXTS, "POOL_SENTENCE", stacked=True)
    expected = by_hand(tmp_path / "model", poolings, dense, weights, normalize)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family(tmp_path, family):
    write_sentence_folder(tmp_path / "model", ("mean", "lasttoken"), family=family)
    found = extract_embeddings(tmp_path / "model", TEXTS, "POOL_SENTENCE", stacked=True)
    expected = by_hand(tmp_path / "model", ("mean", "lasttoken"))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_the_model_is_like_any_other(tmp_path):
    """Ids in, vectors out; it is saved, loaded and trained."""
    write_sentence_folder(tmp_path / "model", dense=DENSE[1])
    model = load_sentence_model(tmp_path / "model", trainable=["Sentence"], dropout_rate=0.0)
    names = [layer.name for layer in model.layers]
    assert names[-3:] == ["Sentence-Pooling", "Sentence-Dense-1", "Sentence-Normalize"]
    assert model.output_shape == (None, 7)
    ids = np.array([[2, 5, 6, 3, 0], [2, 7, 3, 0, 0]], "int32")
    inputs = [ids, np.zeros_like(ids)]
    before = model.predict(inputs, verbose=0)
    shorter = model.predict([each[:, :4] for each in inputs], verbose=0)
    np.testing.assert_allclose(shorter, before, atol=1e-6)
    model.save(tmp_path / "model.keras")
    again = models.load_model(tmp_path / "model.keras", get_custom_objects())
    np.testing.assert_allclose(again.predict(inputs, verbose=0), before, atol=1e-6)
    assert settings_of(again) is None
    model.compile("sgd", "mse")
    encoder = model.get_layer("Encoder-1-FeedForward").get_weights()[0]
    model.fit(inputs, np.ones((2, 7)), verbose=0)
    assert np.abs(model.predict(inputs, verbose=0) - before).max() > 1e-4
    np.testing.assert_array_equal(
        model.get_layer("Encoder-1-FeedForward").get_weights()[0], encoder
    )


def test_another_vocabulary(tmp_path):
    """Its tokenizer is that of the model, so that the same texts keep their vectors."""
    write_sentence_folder(tmp_path / "model")
    old = load_vocabulary(tmp_path / "model" / "vocab.txt")
    change = VocabularyChange(old, keep=[*reversed("abcdex")], add=["ab"])
    model = load_sentence_model(tmp_path / "model", vocabulary_change=change)
    assert settings_of(model).tokenizer._token_dict == change.vocabulary
    texts = ["a b c d", "x e"]
    found = extract_embeddings(model, texts, "POOL_SENTENCE", stacked=True)
    expected = extract_embeddings(tmp_path / "model", texts, "POOL_SENTENCE", stacked=True)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_16_bits_end_with_the_encoder(tmp_path):
    """Vectors are computed and given in 32 bits."""
    write_sentence_folder(tmp_path / "model", dense=DENSE[1])
    with dtype_policy("mixed_bfloat16"):
        model = load_sentence_model(tmp_path / "model")
    found = extract_embeddings(model, TEXTS, "POOL_SENTENCE", stacked=True)
    assert found.dtype == "float32"
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-6)
    expected = extract_embeddings(tmp_path / "model", TEXTS, "POOL_SENTENCE", stacked=True)
    assert np.all((found * expected).sum(1) > 0.998)  # of features with 8 bits


def test_a_folder_without_modules_needs_a_pooling(tmp_path):
    write_relative(tmp_path / "model", BERT)
    with pytest.raises(ValueError, match=r"must hold modules\.json.*pooling=\"mean\""):
        load_sentence_model(tmp_path / "model")
    model = load_sentence_model(tmp_path / "model", pooling="mean", normalize=True)
    found = extract_embeddings(model, TEXTS[:4], "POOL_SENTENCE", stacked=True)
    expected = by_hand(tmp_path / "model", ("mean",))[:4]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("name", "value"), [("training", True), ("output_len", 1)])
def test_options_that_leave_no_features_of_all_tokens(tmp_path, name, value):
    write_sentence_folder(tmp_path / "model")
    with pytest.raises(ValueError, match=f"`{name}` is not for sentence models"):
        load_sentence_model(tmp_path / "model", **{name: value})
    load_sentence_model(PretrainedList.tiny, pooling="cls", output_len=1)


def test_a_folder_with_modules_takes_no_pooling(tmp_path):
    write_sentence_folder(tmp_path / "model")
    with pytest.raises(ValueError, match=r"which says both. Received: pooling='max'"):
        load_sentence_model(tmp_path / "model", pooling="max")


@pytest.mark.parametrize("name", ["", "0_BERT"])
def test_what_the_folder_says_about_texts(tmp_path, name):
    """Also where the encoder lies in a folder inside, as version 0 and 1 wrote it."""
    settings = {"prompts": {"query": "q: ", "doc": ""}, "default_prompt_name": "query"}
    transformer = {"max_seq_length": 7, "do_lower_case": True}
    write_sentence_folder(
        tmp_path / "model", settings=settings, transformer=transformer, inside=name
    )
    known = settings_of(load_sentence_model(tmp_path / "model"))
    assert (known.max_length, known.lower_case, known.similarity) == (7, True, "cosine")
    assert (known.prompts, known.default_prompt) == (settings["prompts"], "query")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"linear.weight": (6, 12)}, r"of the shapes \(7, 12\), \(7,\)\. Received"),
        ({"linear.bias": None}, r"must hold linear\.weight and linear\.bias"),
        ({"residual.weight": (7, 12)}, r"must hold linear\.weight and linear\.bias"),
    ],
)
def test_dense_weights_that_do_not_fit(tmp_path, changed, message):
    from safetensors.numpy import load_file, save_file

    write_sentence_folder(tmp_path / "model", dense=DENSE[1])
    path = tmp_path / "model" / "2_Dense" / "model.safetensors"
    tensors = load_file(path)
    for name, shape in changed.items():
        tensors.pop(name, None)
        if shape is not None:
            tensors[name] = np.zeros(shape, "float32")
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match=message):
        load_sentence_model(tmp_path / "model")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("in_features", 13, "`in_features` .* must be 12"),
        ("activation_function", "torch.nn.modules.activation.PReLU", "Received: 'torch.*PReLU'"),
        ("activation_function", "os.system", "Received: 'os.system'"),
    ],
)
def test_dense_layers_that_cannot_be(tmp_path, key, value, message):
    write_sentence_folder(tmp_path / "model", dense=DENSE[1])
    path = tmp_path / "model" / "2_Dense" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(ConfigError, match=message):
        load_sentence_model(tmp_path / "model")


@on_torch
@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("poolings", [("cls",), ("mean", "weightedmean", "lasttoken")])
def test_against_sentence_transformers(tmp_path, family, poolings):
    reference = pytest.importorskip("sentence_transformers")
    settings = {"prompts": {"query": "q x "}, "default_prompt_name": None}
    write_sentence_folder(tmp_path / "model", poolings, DENSE[1], family=family, settings=settings)
    # By the family alone it would take a tokenizer of SentencePiece for ALBERT.
    write(tmp_path / "model", {"tokenizer_class": "BertTokenizer"}, "tokenizer_config.json")
    theirs = reference.SentenceTransformer(str(tmp_path / "model"), device="cpu")
    model = load_sentence_model(tmp_path / "model")
    for prompt in (None, "query"):
        expected = theirs.encode(TEXTS, prompt_name=prompt)
        found = extract_embeddings(model, TEXTS, "POOL_SENTENCE", stacked=True, prompt=prompt)
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)


@once
def test_an_unknown_option_names_the_known_ones():
    with pytest.raises(TypeError, match=r"sentence_model has no argument 'normalise'.* normalize"):
        load_sentence_model("tiny", pooling="mean", normalise=True)
