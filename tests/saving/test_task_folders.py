"""Folders that transformers loads, of models with heads for tasks."""

import json
import shutil

import numpy as np
import pytest
from model_folders import write_pieces_folder
from runtimes import KERAS_3, once
from safetensors.numpy import load_file
from task_folders import TASKS, TOLERANCE, assert_same_logits, makers

from keras_bert import (
    PretrainedList,
    SentencePieceTokenizer,
    load_task_model,
    load_tokenizer,
    save_task_model,
)
from keras_bert.backend import keras, models
from keras_bert.layers import CRF, Extract, MaskedGlobalMaxPool1D

NAMES = sorted(path.parent.name for path in TASKS.glob("*/config.json"))


def tokenizer_of(name):
    return load_tokenizer(TASKS / name / "vocab.txt")


@pytest.mark.parametrize("name", NAMES)
def test_the_way_there_and_back_keeps_every_bit(tmp_path, name):
    model, labels = load_task_model(TASKS / name)
    save_task_model(model, labels, tmp_path / "new")
    before, after = (
        load_file(folder / "model.safetensors") for folder in (TASKS / name, tmp_path / "new")
    )
    assert before.keys() == after.keys()
    for key, array in before.items():
        np.testing.assert_array_equal(array, after[key])
    given, written = (
        json.loads((folder / "config.json").read_text("utf-8"))
        for folder in (TASKS / name, tmp_path / "new")
    )
    for key in ("architectures", "problem_type", "model_type"):
        assert given.get(key) == written.get(key)
    again, found = load_task_model(tmp_path / "new")
    assert found == labels
    shutil.copy(TASKS / name / "outputs.npz", tmp_path / "new")
    assert_same_logits(again, tmp_path / "new")


@once
def test_what_the_configuration_says(tmp_path):
    encoder = TASKS / "bert-sequence"
    with pytest.warns(match="is replaced"):
        model, _ = load_task_model(encoder, task="sequence", labels=["no", "yes"])
    labels = np.array(["no", "yes"])
    save_task_model(model, labels, tmp_path / "new", problem_type="regression")
    config = json.loads((tmp_path / "new/config.json").read_text("utf-8"))
    assert config["architectures"] == ["BertForSequenceClassification"]
    assert config["id2label"] == {"0": "no", "1": "yes"}
    assert config["label2id"] == {"no": 0, "yes": 1}
    assert (config["num_labels"], config["problem_type"]) == (2, "regression")
    files = {path.name for path in (tmp_path / "new").iterdir()}
    assert files == {"config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"}
    vocabularies = [folder / "vocab.txt" for folder in (TASKS / "bert-sequence", tmp_path / "new")]
    assert vocabularies[0].read_bytes() == vocabularies[1].read_bytes()


@pytest.mark.parametrize("name", ["bert-answers", "electra-sequence", "distilbert-sequence"])
def test_a_model_from_a_file_needs_a_tokenizer(tmp_path, name):
    model, labels = load_task_model(TASKS / name)
    model.save(tmp_path / "model.keras")
    model = models.load_model(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"`tokenizer` must be given.*Received: None"):
        save_task_model(model, labels, tmp_path / "new")
    save_task_model(model, labels, tmp_path / "new", tokenizer=tokenizer_of(name))
    shutil.copy(TASKS / name / "outputs.npz", tmp_path / "new")
    assert_same_logits(load_task_model(tmp_path / "new")[0], tmp_path / "new")


@once
def test_probabilities_are_saved_as_logits(tmp_path):
    model, labels = load_task_model(TASKS / "bert-sequence")
    layer = keras.layers.Dense(3, activation="softmax", name="Classifier")
    output = layer(model.get_layer("NSP-Dense").output)
    layer.set_weights(model.get_layer("Classifier").get_weights())
    model = models.Model(model.inputs, output)
    tokenizer = tokenizer_of("bert-sequence")
    save_task_model(model, labels, tmp_path / "new", tokenizer=tokenizer)
    shutil.copy(TASKS / "bert-sequence/outputs.npz", tmp_path / "new")
    assert_same_logits(load_task_model(tmp_path / "new")[0], tmp_path / "new")


def with_crf():
    model, _ = load_task_model(TASKS / "bert-tokens")
    return models.Model(model.inputs, CRF(5, use_boundary=False)(model.output))


def without_pooler():
    model, _ = load_task_model(TASKS / "bert-answers")
    features = Extract(0, name="Extract")(model.get_layer("Encoder-2-FeedForward-Norm").output)
    return models.Model(model.inputs, keras.layers.Dense(2, name="Classifier")(features))


def with_maximum():
    model, _ = load_task_model(TASKS / "bert-answers")
    features = model.get_layer("Encoder-2-FeedForward-Norm").output
    features = MaskedGlobalMaxPool1D(name="Max")(features)
    features = keras.layers.Dense(8, activation="tanh", name="NSP-Dense")(features)
    return models.Model(model.inputs, keras.layers.Dense(2, name="Classifier")(features))


def with_other_activation():
    model, _ = load_task_model(TASKS / "bert-sequence")
    features = keras.layers.Dense(8, activation="relu", name="NSP-Dense")(
        model.get_layer("Extract").output
    )
    return models.Model(model.inputs, keras.layers.Dense(2, name="Classifier")(features))


def with_second_token():
    model, _ = load_task_model(TASKS / "bert-sequence")
    features = Extract(1, name="Extract")(model.get_layer("Extract").input)
    features = model.get_layer("NSP-Dense")(features)
    return models.Model(model.inputs, model.get_layer("Classifier")(features))


def without_bias():
    model, _ = load_task_model(TASKS / "bert-sequence")
    features = model.get_layer("NSP-Dense").output
    output = keras.layers.Dense(2, use_bias=False, name="Classifier")(features)
    return models.Model(model.inputs, output)


def with_outputs_exchanged():
    model, _ = load_task_model(TASKS / "bert-answers")
    return models.Model(model.inputs, model.outputs[::-1])


def with_other_last_layer():
    model, _ = load_task_model(TASKS / "bert-sequence")
    features = model.get_layer("NSP-Dense").output
    return models.Model(model.inputs, keras.layers.Dense(2, name="Output")(features))


@once
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (with_crf, "model than get_model"),
        (without_pooler, "must have the layers Classifier, Extract, NSP-Dense"),
        (with_maximum, r"must have the layers .*Received: .*Max"),
        (with_other_activation, "NSP-Dense of `model` must have the activation tanh"),
        (with_second_token, "must read the first token's features.* Received: Extract"),
        (without_bias, "Classifier of `model` must have a bias"),
        (with_outputs_exchanged, "starts, then ends. Received: outputs in another order"),
        (with_other_last_layer, r"whose last layer .*Received: .*Output"),
    ],
)
def test_other_layers_are_an_error(tmp_path, make, message):
    model, tokenizer = make(), tokenizer_of("bert-sequence")
    labels = None if len(model.outputs) == 2 else ["a", "b"]
    with pytest.raises(ValueError, match=message):
        save_task_model(model, labels, tmp_path / "new", tokenizer=tokenizer)
    assert not (tmp_path / "new").exists()


@once
@pytest.mark.parametrize(
    ("name", "labels", "options", "message"),
    [
        ("bert-sequence", ["a", "b"], {}, "must name the 3 outputs of the model. Received: 2"),
        ("bert-sequence", None, {}, "`labels` must be a list of words"),
        ("bert-answers", ["a", "b"], {}, r"`labels` must be \['start', 'end'\]"),
        ("bert-tokens", list("abcde"), {"problem_type": "regression"}, "for classifiers of texts"),
        ("bert-sequence", list("abc"), {"problem_type": "other"}, "`problem_type` must be one of"),
    ],
)
def test_wrong_arguments(tmp_path, name, labels, options, message):
    model, _ = load_task_model(TASKS / name)
    with pytest.raises(ValueError, match=message):
        save_task_model(model, labels, tmp_path / "new", **options)


@once
def test_a_tokenizer_of_another_model(tmp_path):
    model, labels = load_task_model(TASKS / "bert-sequence")
    other = load_tokenizer(f"{PretrainedList.tiny}/vocab.txt")
    with pytest.raises(ValueError, match=r"has 30 tokens. Received: one with 30522"):
        save_task_model(model, labels, tmp_path / "new", tokenizer=other)
    with pytest.raises(TypeError, match=r"`model` must be a Model\. Received: None"):
        save_task_model(None, labels, tmp_path / "new")
    with pytest.raises(TypeError, match="`tokenizer` must be a Tokenizer"):
        save_task_model(model, labels, tmp_path / "new", tokenizer={"a": 1})


@pytest.mark.skipif(not KERAS_3, reason="Keras 2 has no LoRA")
@pytest.mark.parametrize("name", ["bert-sequence", "electra-wide-tokens"])
def test_what_lora_has_learnt_is_merged(tmp_path, name):
    model, labels = load_task_model(TASKS / name)
    changed = [
        layer
        for layer in model.layers
        if layer.name.startswith("Encoder-") and hasattr(layer, "enable_lora")
    ]
    changed.append(model.get_layer("Classifier"))
    for layer in changed:
        layer.enable_lora(2, lora_alpha=3)
        for weight in layer.weights:
            if "lora" in weight.name:
                weight.assign(np.full(weight.shape, 0.1, "float32"))
    with np.load(TASKS / name / "outputs.npz") as outputs:
        inputs, before = [outputs["tokens"], outputs["segments"]], outputs["logits"]
    expected = np.asarray(model.predict_on_batch(inputs))
    assert np.abs(expected - before).max() > 0.01
    save_task_model(model, labels, tmp_path / "new")
    again, _ = load_task_model(tmp_path / "new")
    np.testing.assert_allclose(
        np.asarray(again.predict_on_batch(inputs)), expected, rtol=TOLERANCE, atol=TOLERANCE
    )


@once
@pytest.mark.parametrize(
    ("layer", "named"),
    [("Classifier", "Classifier"), ("Encoder-1-FeedForward", "Encoder-1-FeedForward/hidden")],
)
def test_quantized_weights_are_not_written(tmp_path, layer, named):
    model, labels = load_task_model(TASKS / "bert-sequence")
    found = model.get_layer(layer)
    (found if layer == "Classifier" else found.dense_layers()["hidden"]).quantize("int8")
    with pytest.raises(ValueError, match=f"layer {named} of `model` is quantized"):
        save_task_model(model, labels, tmp_path / "new")


@pytest.mark.parametrize("task", ["sequence", "tokens"])
def test_a_new_head_on_an_ernie_without_tasks(tmp_path, task):
    encoder = TASKS.parent / "relatives" / "ernie"
    model, labels = load_task_model(encoder, task=task, labels=["no", "yes"])
    save_task_model(model, labels, tmp_path / "new")
    assert json.loads((tmp_path / "new" / "config.json").read_text())["model_type"] == "ernie"
    again, found = load_task_model(tmp_path / "new")
    assert found == ["no", "yes"]
    inputs = [np.array([[2, 5, 6, 3]]), np.zeros((1, 4), "int32")]
    np.testing.assert_array_equal(again.predict_on_batch(inputs), model.predict_on_batch(inputs))


@once
def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    model, labels = load_task_model(TASKS / "bert-sequence")
    (tmp_path / "note").touch()
    with pytest.raises(FileExistsError, match="is there already"):
        save_task_model(model, labels, tmp_path)
    with pytest.raises(TypeError, match=r"`folder` must be a path\. Received: None"):
        save_task_model(model, labels, None)
    with pytest.raises(ValueError, match="`folder` must be the path of a new folder"):
        save_task_model(model, labels, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "task"),
    [
        (family, task)
        for family in ("bert", "albert", "electra", "electra-wide", "ernie", "distilbert")
        for task in ("sequence", "tokens", "answers")
    ],
)
def test_transformers_computes_the_same(tmp_path, family, task):
    transformers = pytest.importorskip("transformers")
    make = makers()
    make.write_folder(tmp_path / "given", make.make_model(family, task))
    if task == "answers":
        model, found = load_task_model(tmp_path / "given", dropout_rate=0.0)
    else:
        with pytest.warns(UserWarning, match=r"trained head .* is replaced by a new one"):
            model, found = load_task_model(
                tmp_path / "given", task=task, labels=["x", "y", "z"], dropout_rate=0.0
            )
    save_task_model(model, found, tmp_path / "new")
    name = f"{make.CONFIGS[family][0]}{make.CLASSES[task]}"
    loaded, report = getattr(transformers, name).from_pretrained(
        tmp_path / "new", output_loading_info=True
    )
    assert not any(report.values())
    if found is not None:
        assert loaded.config.id2label == dict(enumerate(found))
    logits = make.outputs_of(loaded.eval())
    np.savez(tmp_path / "new/outputs.npz", tokens=make.TOKENS, segments=make.SEGMENTS, **logits)
    assert_same_logits(model, tmp_path / "new")


@once
@pytest.mark.parametrize("keep_accents", [True, False])
def test_accents_are_as_the_tokenizer_has_them(tmp_path, keep_accents):
    pytest.importorskip("sentencepiece")
    write_pieces_folder(tmp_path / "old")
    model, labels = load_task_model(tmp_path / "old", task="sequence", labels=["no", "yes"])
    tokenizer = SentencePieceTokenizer(
        tmp_path / "old/tokenizer.json", keep_accents=keep_accents, cased=True
    )
    save_task_model(model, labels, tmp_path / "new", tokenizer=tokenizer)
    again, text = load_tokenizer(tmp_path / "new/tokenizer.json"), "Café of the film"
    assert again.tokenize(text) == tokenizer.tokenize(text)
