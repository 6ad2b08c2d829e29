"""What Hugging Face says of small relatives of BERT, and what else is done with BERT's models."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy_functions import softmax
from runtimes import KERAS_3, RUNTIME, dtype_policy, once
from safetensors.numpy import load_file

import keras_bert
from keras_bert import (
    VocabularyChange,
    build_model_from_config,
    compile_model,
    extract_embeddings,
    get_attention_maps,
    get_checkpoint_paths,
    get_custom_objects,
    load_model_weights_from_checkpoint,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)
from keras_bert.backend import keras
from keras_bert.commands import main

DATA = Path(__file__).parents[1] / "data/relatives"
FOLDERS = sorted(path for path in DATA.iterdir() if path.is_dir())
# One of each kind, where another adds nothing.
SOME = [path for path in FOLDERS if path.name in ("albert", "distilbert", "electra", "ernie-tasks")]

every_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
some_folders = pytest.mark.parametrize("folder", SOME, ids=lambda path: path.name)


def load(folder, **options):
    paths = get_checkpoint_paths(folder)
    return load_trained_model_from_checkpoint(
        paths.config, paths.checkpoint, **{"seq_len": None, **options}
    )


def outputs_of(folder):
    """What Hugging Face computed: the inputs, where there is text, and all else by name."""
    outputs = dict(np.load(folder / "outputs.npz"))
    inputs = [outputs.pop("tokens"), outputs.pop("segments")]
    return inputs, inputs[0] != 0, outputs


def predict(model, inputs):
    """The outputs for as many inputs as the model has; every position is one to guess."""
    marks = np.ones_like(inputs[0])
    found = model.predict([*inputs, marks][: len(model.inputs)], verbose=0)
    return found if isinstance(found, list) else [found]


def expected_heads(outputs):
    """Probabilities of the heads in the model's order."""
    found = []
    for name in ("prediction_logits", "logits", "sop_logits", "seq_relationship_logits"):
        if name in outputs and outputs[name].ndim == 2 and outputs[name].shape[1] != 2:
            found.append(1 / (1 + np.exp(-outputs[name])))
        elif name in outputs:
            found.append(softmax(outputs[name]))
    return found


def close(found, expected, atol=1e-5):
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)


@pytest.mark.sampled(2)
@every_folder
def test_features_of_every_layer(folder):
    inputs, text, outputs = outputs_of(folder)
    hidden = outputs["hidden"]
    model = load(folder, output_layer_num=len(hidden))
    (found,) = predict(model, inputs)
    close(found[text], np.concatenate(hidden, axis=-1)[text])


@pytest.mark.slow
@every_folder
def test_features_of_the_first_tokens(folder):
    inputs, _, outputs = outputs_of(folder)
    (found,) = predict(load(folder, output_len=1, output_layer_num=[0], seq_len=7), inputs)
    close(found, outputs["hidden"][0][:, :1])


@pytest.mark.sampled(2)
@every_folder
def test_probabilities_of_the_heads_that_the_file_has(folder):
    inputs, text, outputs = outputs_of(folder)
    expected = expected_heads(outputs)
    if not expected:
        with pytest.raises(keras_bert.CheckpointError, match="Only weights of the heads"):
            load(folder, training=True)
        return
    found = predict(load(folder, training=True), inputs)
    assert len(found) == len(expected)
    close(found[0][text], expected[0][text])
    for mine, theirs in zip(found[1:], expected[1:], strict=True):
        close(mine, theirs)


@pytest.mark.slow
@every_folder
def test_attention_maps(folder):
    inputs, text, outputs = outputs_of(folder)
    maps = get_attention_maps(load(folder), inputs)
    assert len(maps) == len(outputs["attention"])
    for mine, theirs in zip(maps, outputs["attention"], strict=True):
        rows = np.broadcast_to(text[:, None], mine.shape[:3])
        close(mine[rows], theirs[rows])


@pytest.mark.slow
@pytest.mark.parametrize(
    "folder",
    [each for each in FOLDERS if "encoder" not in each.name and "electra" not in each.name],
    ids=lambda path: path.name,
)
def test_guesses_at_marked_positions_alone(folder):
    inputs, _, outputs = outputs_of(folder)
    marks = np.zeros_like(inputs[0])
    marks[:, 1] = marks[1, 4] = 1
    model = load(folder, training=True, max_predictions=2)
    found = predict_marked(model, [*inputs, marks])
    logits = outputs.get("prediction_logits", outputs.get("logits"))
    close(found[:, 0], logits[:, 1], atol=2e-5)
    close(found[1, 1], logits[1, 4], atol=2e-5)


def predict_marked(model, inputs):
    found = model.predict(inputs, verbose=0)
    return found[0] if isinstance(found, list) else found


@once
@pytest.mark.slow
@every_folder
def test_a_model_of_the_configuration_is_filled_from_the_file(folder):
    inputs, text, outputs = outputs_of(folder)
    paths = get_checkpoint_paths(folder)
    model, config = build_model_from_config(paths.config, seq_len=None)
    load_model_weights_from_checkpoint(model, config, paths.checkpoint)
    (found,) = predict(model, inputs)
    close(found[text], outputs["hidden"][-1][text])


@pytest.mark.slow
@some_folders
def test_extraction(folder):
    features = extract_embeddings(str(folder), ["a b c", "e f"], official=True)
    inputs = [np.array([[2, 5, 6, 7, 3, 0], [2, 9, 10, 3, 0, 0]]), np.zeros((2, 6), int)]
    (expected,) = predict(load(folder), inputs)
    close(features[0], expected[0, :5])
    close(features[1], expected[1, :4])


@once
@pytest.mark.slow
@some_folders
def test_prefixes_of_what_is_trained(folder):
    model = load(folder, trainable=["Encoder-1"])
    trained = {layer.name for layer in model.layers if layer.trainable and layer.weights}
    assert trained == {layer for layer in trained if layer.startswith("Encoder-1-")} != set()


@once
@pytest.mark.slow
@some_folders
def test_another_vocabulary(folder):
    inputs, text, outputs = outputs_of(folder)
    vocabulary = load_vocabulary(get_checkpoint_paths(folder).vocab)
    kept = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"fhjk", *"abcdegi"]
    change = VocabularyChange(vocabulary, kept)
    model = load(folder, vocabulary_change=change)
    ids = {vocabulary[token]: index for index, token in enumerate(change.vocabulary)}
    tokens = np.vectorize(ids.get)(inputs[0])
    (found,) = predict(model, [tokens, inputs[1]])
    close(found[text], outputs["hidden"][-1][text])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "suffix"),
    [*((folder.name, ".keras") for folder in SOME), ("albert", ".h5"), ("ernie-tasks", ".h5")],
)
@pytest.mark.filterwarnings("ignore")  # of Keras, about the format of `.h5` files
def test_saved_models(name, suffix, tmp_path):
    folder = DATA / name
    inputs, _, _ = outputs_of(folder)
    model = load(folder, training=True)
    model.save(tmp_path / f"model{suffix}")
    again = keras.models.load_model(tmp_path / f"model{suffix}", get_custom_objects())
    for mine, theirs in zip(predict(again, inputs), predict(model, inputs), strict=True):
        close(mine, theirs, atol=1e-6)
    assert len(again.weights) == len(model.weights)


@once
@pytest.mark.slow
@every_folder
def test_there_and_back_by_a_model_file(folder, tmp_path, capsys):
    """Bit for bit, but for a pooler below no head."""
    keras_file, again = str(tmp_path / "m" / "model.keras"), str(tmp_path / "again")
    assert main(["convert", str(folder), keras_file]) == 0
    assert main(["convert", keras_file, again, "--to", "huggingface"]) == 0
    before, after = (load_file(Path(each) / "model.safetensors") for each in (folder, again))
    kinds = [
        json.loads((Path(each) / "config.json").read_text("utf-8"))["model_type"]
        for each in (folder, again)
    ]
    assert kinds[0] == kinds[1]
    lost = {name for name in before.keys() - after.keys() if "pooler" not in name}
    assert lost == {name for name in before if name.endswith("vocab_projector.weight")} == set()
    for name, array in after.items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.slow
def test_the_discriminator_is_left_to_the_user_to_compile():
    with pytest.raises(ValueError, match="must have the heads MLM and NSP, or one of them"):
        compile_model(load(DATA / "electra", training=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["albert", "ernie-tasks"])
def test_training(name):
    """The loss falls."""
    folder = DATA / name
    inputs, _, _ = outputs_of(folder)
    model = load(folder, training=True, dropout_rate=0.0, seq_len=7)
    compile_model(model, learning_rate=1e-2, warmup_steps=1, decay_steps=100)
    marks = np.zeros_like(inputs[0])
    marks[:, 1] = 1
    labels = [inputs[0][..., None], np.zeros((3, 1))][: len(model.outputs)]
    labels = labels if len(labels) > 1 else labels[0]
    history = model.fit([*inputs, marks], labels, epochs=15, verbose=0)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]


@pytest.mark.slow
@pytest.mark.skipif(not KERAS_3, reason="Keras 3's quantization and LoRA")
@pytest.mark.parametrize("change", ["int8", "lora"])
def test_quantization_and_lora(change):
    folder = DATA / "albert"
    inputs, text, outputs = outputs_of(folder)
    model = load(folder)
    if change == "int8":
        with pytest.warns(UserWarning, match="does not have a `quantize`|keeps its table"):
            model.quantize("int8")
        atol = 0.1
    else:
        model.get_layer("Encoder-1-MultiHeadSelfAttention").enable_lora(2)
        atol = 1e-5
    (found,) = predict(model, inputs)
    assert found.dtype == np.float32
    close(found[text], outputs["hidden"][-1][text], atol=atol)
    if change == "int8":
        assert np.abs(found[text] - outputs["hidden"][-1][text]).max() > 1e-5


@pytest.mark.slow
@some_folders
def test_sixteen_bits(folder):
    inputs, text, outputs = outputs_of(folder)
    with dtype_policy("mixed_bfloat16"):
        (found,) = predict(load(folder), inputs)
    close(found[text].astype("float32"), outputs["hidden"][-1][text], atol=0.1)
    assert np.abs(found[text].astype("float32") - outputs["hidden"][-1][text]).max() > 1e-4


@pytest.mark.slow
@pytest.mark.every_runtime
@some_folders
@pytest.mark.skipif(RUNTIME not in ("tensorflow", "tf_keras"), reason="TensorFlow's format")
def test_export(folder, tmp_path):
    import tensorflow as tf

    inputs, text, outputs = outputs_of(folder)
    model = load(folder)
    model.export(str(tmp_path / "saved"))
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    found = loaded.serve([tf.cast(each, model.inputs[0].dtype) for each in inputs])
    close(np.asarray(found)[text], outputs["hidden"][-1][text])


@once
@pytest.mark.slow
@some_folders
def test_info_names_the_family(folder, capsys):
    assert main(["info", str(folder)]) == 0
    family = {"albert": "ALBERT", "distilbert": "DistilBERT", "electra": "ELECTRA"}
    assert f" {family.get(folder.name, 'ERNIE')}, " in capsys.readouterr().out


@once
def test_a_relative_that_is_none(tmp_path, capsys):
    shutil.copytree(FOLDERS[0], tmp_path / "model")
    config = json.loads((tmp_path / "model/config.json").read_text("utf-8"))
    for model_type, reason in {"roberta": "positions start at 2", "t5": "a decoder"}.items():
        changed = {**config, "model_type": model_type}
        (tmp_path / "model/config.json").write_text(json.dumps(changed), "utf-8")
        with pytest.raises(keras_bert.ConfigError, match=f"{reason}.*{model_type!r}"):
            load(tmp_path / "model")
