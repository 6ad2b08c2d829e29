"""Sentence models as folders: what comes back, here and in sentence-transformers."""

import json

import numpy as np
import pytest
from relatives import CONFIGS, write_relative
from runtimes import RUNTIME, once
from sentence_folders import TEXTS, write_sentence_folder

from keras_bert import (
    Tokenizer,
    extract_embeddings,
    get_custom_objects,
    load_sentence_model,
    load_vocabulary,
    save_sentence_model,
)
from keras_bert.backend import keras, models
from keras_bert.families import BERT
from keras_bert.layers import TextPooling
from keras_bert.loader.text_settings import settings_of

FAMILIES = [pytest.param(family, id=family.name) for family in CONFIGS]
SETTINGS = {
    "prompts": {"query": "q: ", "doc": ""},
    "default_prompt_name": "query",
    "similarity_fn_name": "dot",
}
POOLINGS = [("weightedmean",), ("cls", "mean_sqrt_len")]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("family", FAMILIES)
def test_round_trip(tmp_path, family):
    poolings = POOLINGS[family is BERT]
    dense = [(7, "Tanh"), (5, "Identity")]
    write_sentence_folder(tmp_path / "old", poolings, dense, family=family, settings=SETTINGS)
    old = load_sentence_model(tmp_path / "old")
    save_sentence_model(old, tmp_path / "new")
    new = load_sentence_model(tmp_path / "new")
    assert settings_of(new)[1:] == settings_of(old)[1:]
    assert settings_of(new).tokenizer._token_dict == settings_of(old).tokenizer._token_dict
    assert [layer.name for layer in new.layers] == [layer.name for layer in old.layers]
    for first, second in zip(old.get_weights(), new.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    assert [layer.get_config() for layer in new.layers[-4:-2]] == [
        layer.get_config() for layer in old.layers[-4:-2]
    ]


@pytest.mark.skipif(RUNTIME != "torch", reason="sentence-transformers needs PyTorch")
@pytest.mark.slow
@pytest.mark.parametrize("poolings", [*POOLINGS, ("mean", "cls")])
@pytest.mark.parametrize("family", FAMILIES)
def test_sentence_transformers_loads_it(tmp_path, family, poolings):
    reference = pytest.importorskip("sentence_transformers")
    write_relative(tmp_path / "encoder", family)
    encoder = load_sentence_model(tmp_path / "encoder", pooling=poolings, normalize=True)
    save_sentence_model(
        encoder, tmp_path / "model", max_length=9, prompts={"p": "x "}, default_prompt="p"
    )
    theirs = reference.SentenceTransformer(str(tmp_path / "model"), device="cpu")
    assert theirs.max_seq_length == 9
    expected = theirs.encode(TEXTS)
    found = extract_embeddings(tmp_path / "model", TEXTS, "POOL_SENTENCE", stacked=True)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)


def test_a_model_from_a_file_needs_a_tokenizer(tmp_path):
    write_sentence_folder(tmp_path / "old", dense=[(7, "Tanh")])
    load_sentence_model(tmp_path / "old").save(tmp_path / "model.keras")
    model = models.load_model(tmp_path / "model.keras", get_custom_objects())
    with pytest.raises(ValueError, match="`tokenizer` is needed with a model"):
        save_sentence_model(model, tmp_path / "new")
    with pytest.raises(TypeError, match=r"must be a Tokenizer\. Received: \{\} \(dict\)"):
        save_sentence_model(model, tmp_path / "new", tokenizer={})
    tokenizer = Tokenizer(load_vocabulary(tmp_path / "old" / "vocab.txt"), cased=True)
    save_sentence_model(model, tmp_path / "new", tokenizer=tokenizer)
    assert settings_of(load_sentence_model(tmp_path / "new")).tokenizer._cased


def test_older_versions_read_the_poolings(tmp_path):
    write_relative(tmp_path / "encoder", BERT)
    for poolings, key in [(["cls", "mean"], "pooling_mode_mean_tokens"), (["mean", "cls"], None)]:
        model = load_sentence_model(tmp_path / "encoder", pooling=poolings)
        folder = tmp_path / "_".join(poolings)
        save_sentence_model(model, folder)
        config = json.loads((folder / "1_Pooling" / "config.json").read_text())
        if key:
            assert config[key] is config["pooling_mode_cls_token"] is True
            assert config["word_embedding_dimension"] == 12
        else:  # in an order that they do not have
            assert config["pooling_mode"] == ["mean", "cls"]


def test_a_pooling_over_segment_ids(tmp_path):
    write_relative(tmp_path / "encoder", BERT)
    model = load_sentence_model(tmp_path / "encoder", pooling="mean")
    features, ids = model.get_layer("Sentence-Pooling").input
    assert ids is model.inputs[0]
    own = models.Model(model.inputs, TextPooling("mean", name="own")([features, model.inputs[1]]))
    tokenizer = settings_of(model).tokenizer
    with pytest.raises(ValueError, match="own of `model` must pool over the token ids"):
        save_sentence_model(own, tmp_path / "new", tokenizer=tokenizer)


SHARED = keras.layers.Dense(12, name="shared")


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([keras.layers.LayerNormalization(name="own")], r"further layers: own\."),
        ([keras.layers.Dense(3, activation="softmax", name="own")], "activation of own must be"),
        ([TextPooling("max")], r"Received: 2 TextPooling"),
        ([SHARED, SHARED], "layer shared of `model` is called several times"),
        ([keras.layers.UnitNormalization(axis=0)], r"each vector: axis=-1\. Received: axis="),
    ],
)
def test_models_that_no_folder_can_hold(tmp_path, layers, message):
    write_relative(tmp_path / "encoder", BERT)
    model = load_sentence_model(tmp_path / "encoder", pooling="mean")
    output = model.output
    for layer in layers:
        if isinstance(layer, TextPooling):
            features = model.get_layer("Sentence-Pooling").input[0]
            output = keras.layers.Concatenate()([output, layer([features, model.inputs[0]])])
        else:
            output = layer(output)
    own = models.Model(model.inputs, output)
    tokenizer = settings_of(model).tokenizer
    with pytest.raises(ValueError, match=message):
        save_sentence_model(own, tmp_path / "new", tokenizer=tokenizer)
    assert not (tmp_path / "new").exists()


@once
def test_weights_that_no_folder_can_hold(tmp_path):
    write_sentence_folder(tmp_path / "old", dense=[(8, "Tanh")])
    model = load_sentence_model(tmp_path / "old")
    model.get_layer("Sentence-Dense-1").quantize("int8")
    with pytest.raises(ValueError, match=r"Sentence-Dense-1 of `model` is quantized"):
        save_sentence_model(model, tmp_path / "new")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_length": 2}, ValueError, r"`max_length` must be from 3 to 16.*Received: 2"),
        ({"max_length": 17}, ValueError, r"`max_length` must be from 3 to 16.*Received: 17"),
        ({"prompts": {"a": None}}, TypeError, "`prompts` must be a dictionary of texts"),
        ({"prompts": ["a: "]}, TypeError, "`prompts` must be a dictionary of texts"),
    ],
)
def test_settings_with_which_no_folder_loads(tmp_path, options, error, message):
    model = saved_with(tmp_path, {"max_seq_length": 10})
    with pytest.raises(error, match=message):
        save_sentence_model(model, tmp_path / "new", **options)
    with pytest.raises(TypeError, match=r"`model` must be a Model\. Received: 'x'"):
        save_sentence_model("x", tmp_path / "new")


def test_no_folder_names_more_tokens_than_the_model_has_positions(tmp_path):
    model = saved_with(tmp_path, {"max_seq_length": 10**30})
    save_sentence_model(model, tmp_path / "new")
    written = json.loads((tmp_path / "new" / "sentence_bert_config.json").read_text())
    assert written["max_seq_length"] == 16


def saved_with(tmp_path, transformer):
    write_sentence_folder(tmp_path / "old", transformer=transformer)
    return load_sentence_model(tmp_path / "old")


def test_prompts_that_do_not_fit(tmp_path):
    write_relative(tmp_path / "encoder", BERT)
    model = load_sentence_model(tmp_path / "encoder", pooling="mean")
    with pytest.raises(ValueError, match=r"one of the prompts, 'a'\. Received: 'b'"):
        save_sentence_model(model, tmp_path / "new", prompts={"a": "x"}, default_prompt="b")


def test_a_folder_that_is_there(tmp_path):
    write_sentence_folder(tmp_path / "old")
    model = load_sentence_model(tmp_path / "old")
    with pytest.raises(FileExistsError, match="is there already"):
        save_sentence_model(model, tmp_path / "old")
