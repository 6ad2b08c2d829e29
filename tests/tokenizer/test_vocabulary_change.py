"""Models with fewer or further tokens, against the model they were made from."""

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_folders import CONFIG, random_weights, write_google_folder
from readme_examples import example, run
from safetensors.numpy import save_file
from tokenizer_texts import PIECES

from keras_bert import (
    SentencePieceTokenizer,
    Tokenizer,
    VocabularyChange,
    get_checkpoint_paths,
    get_custom_objects,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)
from keras_bert.backend import models
from keras_bert.families.weights import to_checkpoint

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [*SPECIAL, "a", "b", "play", "##ing", "##i", "##n", "ground", "##ground", "区", "块", "the"]
SIZES = {**CONFIG, "vocab_size": len(WORDS), "num_hidden_layers": 1}
KEPT = [*SPECIAL, "a", "play", "##ing", "ground", "区"]
ADDED = ["playground", "##ings", "区块", "zzz"]
TEXTS = ["a playing", "ground 区 a", "play"]
# What float32 leaves of the same numbers computed from tables of another size.
CLOSE = {"atol": 1e-6, "rtol": 0}


# Of "区块" among the added tokens.
of_no_use = pytest.mark.filterwarnings("ignore:The tokenizer makes each Chinese character")
of_both_kinds = pytest.mark.parametrize("paths", ["google", "hugging_face"], indirect=True)


@pytest.fixture(scope="module")
def paths(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    if getattr(request, "param", None) == "google":
        write_google_folder(folder, SIZES, vocabulary=WORDS)
    else:
        (folder / "config.json").write_text(json.dumps({**SIZES, "hidden_act": "gelu_new"}))
        tensors = to_checkpoint(random_weights(SIZES), "huggingface")
        # The copy of a tied weight that older files have.
        name = "bert.embeddings.word_embeddings.weight"
        tensors["cls.predictions.decoder.weight"] = tensors[name]
        save_file(
            {name: np.ascontiguousarray(each) for name, each in tensors.items()},
            folder / "model.safetensors",
        )
        (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", "utf-8")
    return get_checkpoint_paths(folder)


@pytest.fixture
def vocabulary():
    return {token: index for index, token in enumerate(WORDS)}


def load(paths, **arguments):
    return load_trained_model_from_checkpoint(
        paths.config, paths.checkpoint, seq_len=None, **arguments
    )


def predict(model, vocabulary):
    """Outputs for the texts, with the second position of each row masked where there are heads."""
    ids, segments, _ = Tokenizer(vocabulary).encode_batch(TEXTS)
    marks = np.zeros_like(ids)
    if len(model.inputs) == 2:
        return model.predict([ids, segments], verbose=0), ids != 0
    marks[:, 1] = 1
    ids[marks == 1] = vocabulary["[MASK]"]
    return model.predict([ids, segments, marks], verbose=0), ids != 0


@pytest.mark.slow
@of_no_use
@of_both_kinds
def test_features_of_kept_tokens_stay(paths, vocabulary):
    change = VocabularyChange(vocabulary, keep=KEPT, add=ADDED)
    expected, mask = predict(load(paths), vocabulary)
    features, same_mask = predict(load(paths, vocabulary_change=change), change.vocabulary)
    np.testing.assert_array_equal(mask, same_mask)
    np.testing.assert_allclose(features, expected, **CLOSE)


@pytest.mark.slow
@of_both_kinds
def test_probabilities_are_those_from_before_over_the_kept_tokens(paths, vocabulary, tmp_path):
    change = VocabularyChange(vocabulary, keep=KEPT)
    (before, next_before), mask = predict(load(paths, training=True), vocabulary)
    model = load(paths, training=True, vocabulary_change=change)
    (after, next_after), _ = predict(model, change.vocabulary)
    expected = before[..., [vocabulary[token] for token in KEPT]]
    expected = expected / expected.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(after[mask], expected[mask], **CLOSE)
    np.testing.assert_allclose(next_after, next_before, **CLOSE)
    file = tmp_path / ("model.keras" if paths.checkpoint.endswith(".ckpt") else "model.h5")
    model.save(file)
    again = models.load_model(file, custom_objects=get_custom_objects())
    np.testing.assert_allclose(predict(again, change.vocabulary)[0][0], after, **CLOSE)


@pytest.mark.slow
@of_no_use
def test_a_new_token_has_the_mean_logit_of_its_pieces(paths, vocabulary):
    change = VocabularyChange(vocabulary, add=ADDED)
    (before, _), mask = predict(load(paths, training=True), vocabulary)
    (after, _), _ = predict(load(paths, training=True, vocabulary_change=change), change.vocabulary)
    before, after = np.log(before[mask]), np.log(after[mask])
    # Logarithms of probabilities are logits but for a constant at each position.
    shift = after[:, :1] - before[:, :1]
    np.testing.assert_allclose(after[:, : len(WORDS)], before + shift, atol=1e-5)
    for column, pieces in enumerate(
        [["play", "##ground"], ["##ing"], ["区", "块"], WORDS], len(WORDS)
    ):
        # ("##s" is not in the vocabulary, and of "zzz" nothing is.)
        mean = before[:, [vocabulary[piece] for piece in pieces]].mean(axis=1, keepdims=True)
        np.testing.assert_allclose(after[:, [column]], mean + shift, atol=1e-5)


def test_what_the_new_rows_are(paths, vocabulary):
    old = load(paths).get_layer("Embedding-Token").get_weights()[0]

    def new_rows(**arguments):
        change = VocabularyChange(vocabulary, add=["playing", "zzz"], **arguments)
        model = load(paths, training=True, vocabulary_change=change)
        table = model.get_layer("Embedding-Token").get_weights()[0]
        np.testing.assert_array_equal(table[:-2], old)
        return table[-2:], model.get_layer("MLM-Sim").get_weights()[0]

    rows, bias = new_rows()
    by_hand = (old[WORDS.index("play")] + old[WORDS.index("##ing")]) / 2
    np.testing.assert_allclose(rows, [by_hand, old.mean(axis=0)], **CLOSE)
    rows, bias = new_rows(initializer="mean")
    np.testing.assert_allclose(rows, [old.mean(axis=0)] * 2, **CLOSE)
    np.testing.assert_allclose(bias[-2:], bias[:-2].mean(), **CLOSE)
    rows, bias = new_rows(initializer=lambda shape: np.arange(np.prod(shape)).reshape(shape))
    np.testing.assert_array_equal(rows.ravel(), np.arange(24))
    np.testing.assert_allclose(bias[-2:], bias[:-2].mean(), **CLOSE)
    with pytest.raises(ValueError, match=r"rows of the shape \(2, 12\)\. Received: .* \(2,\)"):
        new_rows(initializer=lambda shape: np.zeros(2))


@pytest.mark.slow
def test_the_rest_of_the_model_and_training_go_on(paths, vocabulary):
    change = VocabularyChange(vocabulary, keep=["a"], add=["playground"])
    assert list(change.vocabulary) == [*SPECIAL, "a", "playground"]
    model = load(paths, trainable=True, vocabulary_change=change)
    old = load(paths)
    for layer in old.layers:
        if layer.weights and layer.name != "Embedding-Token":
            for ours, theirs in zip(
                model.get_layer(layer.name).get_weights(), layer.get_weights(), strict=True
            ):
                np.testing.assert_array_equal(ours, theirs)
    ids, segments, _ = Tokenizer(change.vocabulary).encode_batch(["a playground"])
    assert ids.tolist() == [[2, 5, 6, 3]]
    before = model.get_layer("Embedding-Token").get_weights()[0]
    model.compile("adam", "mse")
    model.train_on_batch([ids, segments], np.zeros((1, 4, 12), "float32"))
    moved = np.abs(model.get_layer("Embedding-Token").get_weights()[0] - before).max(axis=1) > 0
    assert moved.tolist() == [False, False, True, True, False, True, True]


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float64])
def test_rows_keep_their_type(dtype):
    change = VocabularyChange({"": 0, "a": 1, "##b": 2}, add=["ab"])
    table = np.array([[0, 5], [1, 2], [3, 4]], dtype)
    rows = change.rows(table)
    assert rows.dtype == dtype
    np.testing.assert_array_equal(rows.astype(float), [[0, 5], [1, 2], [3, 4], [2, 3]])
    np.testing.assert_array_equal(change.rows(table[:, 0]).astype(float), [0, 1, 3, 2])


def test_special_tokens_and_id_0_always_stay():
    for names in (SPECIAL, ["[pad]", "[unk]", "[cls]", "[sep]", "[mask]"], ["", *SPECIAL[1:]]):
        vocabulary = {token: index for index, token in enumerate(["zero", *names, "a", "b"][1:])}
        assert list(VocabularyChange(vocabulary, keep={"b"}).vocabulary) == [*names, "b"]
    # A vocabulary without a name for padding: its id is 0 all the same.
    vocabulary = {"the": 0, "a": 1, "[CLS]": 2}
    assert VocabularyChange(vocabulary, keep=[]).vocabulary == {"the": 0, "[CLS]": 1}


def test_the_example_of_the_readme(paths, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"texts": ["a playing", "区 a"]}
    folder = str(Path(paths.config).parent)
    run(example("VocabularyChange").replace("chinese_base", folder), names)
    tokens = [*SPECIAL, "a", "play", "##ing", "区", "keras", "##keras"]
    assert list(load_vocabulary("vocab.txt")) == tokens
    assert names["tokenizer"].encode("play keraskeras 区块")[0] == [2, 6, 9, 10, 8, 1, 3]
    assert names["model"].get_layer("Embedding-Token").get_weights()[0].shape == (11, 12)


def test_words_of_chinese_characters_are_warned_of(vocabulary):
    with pytest.warns(UserWarning, match=r"never one of these .*: \['区块', '##区', 'a区'\]"):
        change = VocabularyChange(vocabulary, add=["区块", "zzz", "店", "##区", "a区", "カナ"])
    tokens = Tokenizer(change.vocabulary).tokenize("区块 zzz 店 a区 カナ")
    assert tokens[1:-1] == ["区", "块", "zzz", "店", "a", "区", "カナ"]


def test_kept_tokens_keep_their_order():
    vocabulary = {"": 0, "c": 3, "b": 2, "a": 1}
    change = VocabularyChange(vocabulary, keep=["c", "a"], add=["z", "y"])
    assert list(change.vocabulary.items()) == [("", 0), ("a", 1), ("c", 2), ("z", 3), ("y", 4)]
    assert change.old == vocabulary
    assert list(change.old) == ["", "a", "b", "c"]
    assert VocabularyChange(vocabulary).vocabulary == vocabulary


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text("abplyingroudthe区块 -", max_size=20), max_size=4), st.booleans())
def test_texts_whose_tokens_were_kept_are_cut_as_before(texts, official):
    vocabulary = {token: index for index, token in enumerate(WORDS)}
    before = Tokenizer(vocabulary, official=official)
    used = {token for text in texts for token in before.tokenize(text)}
    change = VocabularyChange(vocabulary, keep=used & set(vocabulary))
    after = Tokenizer(change.vocabulary, official=official)
    assert list(map(after.tokenize, texts)) == list(map(before.tokenize, texts))


GOOD = {"[PAD]": 0, "[UNK]": 1, "a": 2}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"keep": ["a", "b", "c"]}, r"`keep` must name tokens of the vocab.*\['b', 'c'\]"),
        ({"keep": ["a", "[UNK]", "a"]}, r"`keep` must name each token once.*twice: \['a'\]"),
        ({"add": ["a"]}, r"`add` must name tokens that the vocabulary lacks.*\['a'\]"),
        ({"add": ["b", "c", "b"]}, r"`add` must name each token once.*twice: \['b'\]"),
        ({"add": [""]}, "`add` cannot name padding"),
        ({"add": ["[pad]"]}, "`add` cannot name padding"),
        ({"add": ["b\n"]}, "stand in a line"),
        ({"add": [" b"]}, "stand in a line"),
        ({"add": ["\ud800"]}, "stand in a line"),
        ({"vocabulary": {"[PAD]": 0, "a": 2}}, "ids from 0 to 1 for 2 tokens, without gaps"),
        ({"vocabulary": {"[PAD]": 0, "a": 0}}, "without gaps"),
        ({"vocabulary": {"a": 0, "[PAD]": 1}}, r"padding as id 0.*\{'\[PAD\]': 1\}"),
        ({"initializer": "zeros"}, "`initializer` must be 'pieces', 'mean' or a function"),
    ],
)
def test_wrong_values(arguments, message):
    with pytest.raises(ValueError, match=message):
        VocabularyChange(**{"vocabulary": GOOD, **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"keep": "a"}, "`keep` must be tokens, several strings"),
        ({"keep": [2]}, "`keep` must be tokens, several strings"),
        ({"add": "b"}, "`add` must be tokens, several strings"),
        ({"add": 3}, "`add` must be tokens, several strings"),
        ({"vocabulary": ["a"]}, "`vocabulary` must map tokens to ids"),
    ],
)
def test_wrong_types(arguments, message):
    with pytest.raises(TypeError, match=message):
        VocabularyChange(**{"vocabulary": GOOD, **arguments})


def test_a_vocabulary_of_another_model(paths, vocabulary):
    with pytest.raises(ValueError, match=r"each of its 16 rows\. Received: one of 3 tokens"):
        load(paths, vocabulary_change=VocabularyChange(GOOD))
    with pytest.raises(TypeError, match=r"must be a VocabularyChange\. Received"):
        load(paths, vocabulary_change=vocabulary)


def test_a_sentencepiece_vocabulary_is_refused():
    pieces = SentencePieceTokenizer(PIECES / "spiece.model")._token_dict
    with pytest.raises(ValueError, match=r"`vocabulary` must be a WordPiece vocabulary\. A Sent"):
        VocabularyChange(pieces, keep=["▁film"])
