"""Checkpoints become models: Google's and Hugging Face's files, and files that do not fit."""

import json
import random
import warnings
from pathlib import Path

import numpy as np
import pytest
from model_folders import (
    CONFIG,
    WORDS,
    random_weights,
    with_untrained_head,
    write_google_folder,
)
from runtimes import KERAS_3, ON_TENSORFLOW, once
from text_damage import damaged

from keras_bert import (
    CheckpointError,
    ConfigError,
    PretrainedList,
    VocabularyChange,
    build_model_from_config,
    get_checkpoint_paths,
    load_model_weights_from_checkpoint,
    load_trained_model_from_checkpoint,
)
from keras_bert.backend import keras
from keras_bert.checkpoints import write_tensor_bundle
from keras_bert.families.weights import to_checkpoint
from keras_bert.loader import checkpoint_loader

VOCABULARY = {word: index for index, word in enumerate(WORDS)}
# transformers wrote this folder and `outputs.npz` in it.
HUGGING_FACE = Path(__file__).parents[1] / "data" / "transformers"


@pytest.fixture
def google(tmp_path):
    return get_checkpoint_paths(tmp_path), write_google_folder(tmp_path)


def test_every_weight_arrives(google):
    paths, weights = google
    model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, training=True)
    for layer, arrays in weights.items():
        for ours, array in zip(model.get_layer(layer).get_weights(), arrays, strict=True):
            np.testing.assert_array_equal(ours, array, err_msg=layer)
    held = {layer.name for layer in model.layers if layer.weights}
    assert held == set(weights)


def test_a_head_that_was_never_trained_is_warned_of(google):
    """As hfl's RoBERTa-wwm have one, whose masked words are random."""
    paths, weights = google
    tensors = to_checkpoint(with_untrained_head(weights), "google")
    write_tensor_bundle(paths.checkpoint, tensors)
    message = "the head for masked words has never been trained"
    with pytest.warns(UserWarning, match=message) as warned:
        load_trained_model_from_checkpoint(paths.config, paths.checkpoint, training=True)
    assert [each.filename for each in warned] == [__file__]
    model, config = build_model_from_config(paths.config, training=True)
    with pytest.warns(UserWarning, match=message) as warned:
        load_model_weights_from_checkpoint(model, config, paths.checkpoint, training=True)
    assert [each.filename for each in warned] == [__file__]
    load_trained_model_from_checkpoint(paths.config, paths.checkpoint)  # has no head


def test_the_file_may_change_afterwards(google):
    """As when another model is copied over it while the first one is in use."""
    paths, weights = google
    model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, training=True)
    (data,) = Path(paths.checkpoint).parent.glob("*.data-*")
    size = data.stat().st_size
    with open(data, "r+b") as file:
        file.write(bytes(size))
    for layer, arrays in weights.items():
        for ours, array in zip(model.get_layer(layer).get_weights(), arrays, strict=True):
            np.testing.assert_array_equal(ours, array, err_msg=layer)


def test_defaults_are_the_encoder_frozen_at_full_length(google):
    model = load_trained_model_from_checkpoint(*google[0][:2])
    assert model.output_shape == (None, 16, 12)
    assert len(model.inputs) == 2
    assert not model.trainable_weights


def test_positional_arguments_as_before(google):
    paths, _ = google
    model = load_trained_model_from_checkpoint(
        paths.config, paths.checkpoint, False, ["Encoder"], 2, 8
    )
    assert model.output_shape == (None, 8, 24)
    assert {layer.name[:7] for layer in model.layers if layer.trainable_weights} == {"Encoder"}


def test_a_shorter_length_slices_the_positions(google):
    paths, weights = google
    model, config = build_model_from_config(paths.config, seq_len=5)
    assert config["max_position_embeddings"] == 5
    load_model_weights_from_checkpoint(model, config, paths.checkpoint)
    table = model.get_layer("Embedding-Position").get_weights()[0]
    np.testing.assert_array_equal(table, weights["Embedding-Position"][0][:5])


def test_any_length_keeps_the_positions(google):
    model, config = build_model_from_config(google[0].config, seq_len=None)
    assert model.output_shape == (None, None, 12)
    assert config["max_position_embeddings"] == 16


def test_a_model_with_fewer_layers_takes_those_it_has(google):
    paths, weights = google
    with open(paths.config, "w") as writer:
        json.dump({**CONFIG, "num_hidden_layers": 1}, writer)
    model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=None)
    for ours, array in zip(
        model.get_layer("Encoder-1-FeedForward").get_weights(),
        weights["Encoder-1-FeedForward"],
        strict=True,
    ):
        np.testing.assert_array_equal(ours, array)
    assert "Encoder-2-FeedForward" not in [layer.name for layer in model.layers]


@pytest.mark.parametrize(("transformer_num", "filled"), [(1, 1), (2, 2), (3, 2)])
def test_layers_by_an_argument_of_the_builder(google, transformer_num, filled):
    paths, weights = google
    model = load_trained_model_from_checkpoint(*paths[:2], transformer_num=transformer_num)
    held = {layer.name: layer.get_weights() for layer in model.layers}
    assert (f"Encoder-{transformer_num + 1}-FeedForward" in held) is False
    for number in range(1, transformer_num + 1):
        name = f"Encoder-{number}-FeedForward"
        same = name in weights and np.array_equal(held[name][0], weights[name][0])
        assert same is (number <= filled)


def test_layers_above_the_output_are_left_out(google):
    paths, weights = google
    model = load_trained_model_from_checkpoint(*paths[:2], output_layer_num=[0])
    names = [layer.name for layer in model.layers]
    assert "Encoder-2-FeedForward" not in names
    kernel = model.get_layer("Encoder-1-FeedForward").get_weights()[0]
    np.testing.assert_array_equal(kernel, weights["Encoder-1-FeedForward"][0])


def test_heads_are_for_a_model_that_has_them(google):
    paths, _ = google
    model, config = build_model_from_config(paths.config)
    with pytest.raises(ValueError, match="No such layer: NSP-Dense"):
        load_model_weights_from_checkpoint(model, config, paths.checkpoint, training=True)


def test_task_embedding_is_new_and_trainable(google):
    model = load_trained_model_from_checkpoint(
        *google[0][:2], trainable=True, use_task_embed=True, task_num=10
    )
    layer = model.get_layer("Embedding-Task")
    assert layer.trainable
    assert layer.get_weights()[0].shape == (10, 12)


def test_checkpoint_loader_reads_by_name(google):
    paths, weights = google
    load = checkpoint_loader(paths.checkpoint)
    np.testing.assert_array_equal(
        load("bert/embeddings/word_embeddings"), weights["Embedding-Token"][0]
    )


@pytest.mark.parametrize("type_vocab_size", [1, 3])
def test_other_numbers_of_segments(tmp_path, type_vocab_size):
    write_google_folder(tmp_path, {**CONFIG, "type_vocab_size": type_vocab_size})
    paths = get_checkpoint_paths(tmp_path)
    model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, seq_len=None)
    assert model.get_layer("Embedding-Segment").get_weights()[0].shape == (type_vocab_size, 12)


def test_free_prefixes_and_sharded_files(tmp_path):
    weights = to_checkpoint(random_weights(), "google")
    write_tensor_bundle(tmp_path / "model.ckpt-1000000", weights, num_shards=3)
    (tmp_path / "bert_config.json").write_text(json.dumps(CONFIG))
    paths = get_checkpoint_paths(tmp_path)
    assert paths.checkpoint == str(tmp_path / "model.ckpt-1000000")
    load_trained_model_from_checkpoint(paths.config, paths.checkpoint)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_numbers_of_hugging_face(file):
    model = load_trained_model_from_checkpoint(
        HUGGING_FACE / "config.json", HUGGING_FACE / file, training=True, seq_len=None
    )
    check_heads(model, dict(np.load(HUGGING_FACE / "outputs.npz")))


def check_heads(model, expected):
    tokens, segments = expected["tokens"], expected["segments"]
    mlm, nsp = model.predict([tokens, segments, np.ones_like(tokens)], verbose=0)
    np.testing.assert_allclose(mlm[tokens != 0], expected["mlm"][tokens != 0], atol=1e-5)
    np.testing.assert_allclose(nsp, expected["nsp"], atol=1e-5)


def test_layers_of_hugging_face_lowest_first():
    expected = np.load(HUGGING_FACE / "outputs.npz")
    tokens = expected["tokens"]
    model = load_trained_model_from_checkpoint(
        HUGGING_FACE / "config.json",
        HUGGING_FACE / "model.safetensors",
        output_layer_num=2,
        seq_len=None,
    )
    features = model.predict([tokens, expected["segments"]], verbose=0)
    both = np.concatenate(expected["hidden"], axis=-1)
    np.testing.assert_allclose(features[tokens != 0], both[tokens != 0], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_numbers_of_the_transformers_at_hand(tmp_path, file):
    torch = pytest.importorskip("torch", reason="PyTorch is the reference")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformers = pytest.importorskip("transformers", reason="the reference implementation")
        model = transformers.BertForPreTraining.from_pretrained(HUGGING_FACE).eval()
        model.save_pretrained(tmp_path)
        torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
        expected = dict(np.load(HUGGING_FACE / "outputs.npz"))
        tokens = torch.tensor(expected["tokens"])
        with torch.no_grad():
            outputs = model(tokens, (tokens != 0).long(), torch.tensor(expected["segments"]))
    expected["mlm"] = torch.softmax(outputs.prediction_logits, -1).numpy()
    expected["nsp"] = torch.softmax(outputs.seq_relationship_logits, -1).numpy()
    model = load_trained_model_from_checkpoint(
        tmp_path / "config.json", tmp_path / file, training=True, seq_len=None
    )
    check_heads(model, expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vocab_size": 31}, "vocab_size is 31, the file's 30"),
        ({"hidden_size": 15}, "hidden_size is 15, the file's 12"),
        ({"intermediate_size": 10**9}, "intermediate_size is 1000000000, the file's 20"),
        (
            {"max_position_embeddings": 10**9},
            "max_position_embeddings is 1000000000, the file's 16",
        ),
        ({"type_vocab_size": 3}, "type_vocab_size is 3, the file's 2"),
        ({"num_hidden_layers": 3}, "layer_2"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers"),
        ({"hidden_act": "gelo"}, "hidden_act.*gelo"),
    ],
)
def test_a_configuration_that_does_not_fit(google, change, message):
    """And nothing of its sizes is allocated: a billion positions would fill the memory."""
    paths, _ = google
    with open(paths.config, "w") as writer:
        json.dump({**CONFIG, **change}, writer)
    with pytest.raises((ConfigError, CheckpointError), match=message):
        load_trained_model_from_checkpoint(paths.config, paths.checkpoint)


def tensors(change=None, **more):
    arrays = {**to_checkpoint(random_weights(), "google"), **more}
    if change:
        change(arrays)
    return arrays


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            tensors(lambda arrays: arrays.pop("bert/embeddings/LayerNorm/gamma")),
            "bert/embeddings/LayerNorm/gamma",
        ),
        (
            tensors(**{"bert/encoder/layer_0/output/dense/bias": np.zeros(11, "float32")}),
            r"output/dense/bias is \(11,\), Encoder-1-FeedForward takes \(12,\)",
        ),
        (
            tensors(**{"bert/embeddings/LayerNorm/beta": np.zeros(12, "int32")}),
            "beta holds int32",
        ),
        (
            tensors(**{"bert/embeddings/hidden_mapping": np.zeros((2, 2), "float32")}),
            "another architecture.*hidden_mapping",
        ),
    ],
)
def test_tensors_that_do_not_fit(tmp_path, arrays, message):
    write_tensor_bundle(tmp_path / "bert_model.ckpt", arrays)
    (tmp_path / "bert_config.json").write_text(json.dumps(CONFIG))
    with pytest.raises(CheckpointError, match=message):
        load_trained_model_from_checkpoint(
            tmp_path / "bert_config.json", tmp_path / "bert_model.ckpt"
        )


@pytest.mark.parametrize("change", [None, VocabularyChange(VOCABULARY, add=["new"])])
def test_a_head_that_the_file_lacks_starts_at_random(tmp_path, google, change):
    """As in the files of `BertForMaskedLM`, which have neither pooler nor next sentence."""
    paths, weights = google
    arrays = {name: array for name, array in tensors().items() if "pooler" not in name}
    kept = {name: array for name, array in arrays.items() if "seq_relationship" not in name}
    write_tensor_bundle(paths.checkpoint, kept)
    options = {"training": True, "vocabulary_change": change}
    with pytest.raises(CheckpointError, match=r"lacks 4 .*(?s:.*)allow_missing_heads=True"):
        load_trained_model_from_checkpoint(paths.config, paths.checkpoint, **options)
    options["allow_missing_heads"] = True
    model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, **options)
    for layer in ("Encoder-2-FeedForward", "MLM-Dense", "MLM-Norm"):
        for ours, array in zip(model.get_layer(layer).get_weights(), weights[layer], strict=True):
            np.testing.assert_array_equal(ours, array, err_msg=layer)
    bias = model.get_layer("MLM-Sim").get_weights()[0]
    np.testing.assert_array_equal(bias[:30], weights["MLM-Sim"][0])
    for layer in ("NSP-Dense", "NSP"):
        kernel = model.get_layer(layer).get_weights()[0]
        # (Two of so many random numbers may be equal.)
        assert np.unique(kernel).size > 0.9 * kernel.size, layer


def test_half_a_head_is_an_error(tmp_path, google):
    paths, _ = google
    name = "cls/predictions/transform/dense/kernel"
    write_tensor_bundle(paths.checkpoint, tensors(lambda arrays: arrays.pop(name)))
    with pytest.raises(CheckpointError, match=name):
        load_trained_model_from_checkpoint(
            paths.config, paths.checkpoint, training=True, allow_missing_heads=True
        )


def test_optimizer_slots_and_further_heads_are_normal(tmp_path):
    name = "bert/encoder/layer_0/output/dense/bias"
    extra = {
        f"{name}/adam_m": np.zeros(12, "float32"),
        "global_step": np.array(7),
        "output_weights": np.zeros((2, 12), "float32"),
    }
    write_tensor_bundle(tmp_path / "bert_model.ckpt", tensors(**extra))
    (tmp_path / "bert_config.json").write_text(json.dumps(CONFIG))
    load_trained_model_from_checkpoint(tmp_path / "bert_config.json", tmp_path / "bert_model.ckpt")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_16_bit_checkpoints(tmp_path, dtype):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    kind = np.dtype(dtype) if dtype == "float16" else ml_dtypes.bfloat16
    arrays = {name: array.astype(kind) for name, array in tensors().items()}
    write_tensor_bundle(tmp_path / "bert_model.ckpt", arrays)
    (tmp_path / "bert_config.json").write_text(json.dumps(CONFIG))
    model = load_trained_model_from_checkpoint(
        tmp_path / "bert_config.json", tmp_path / "bert_model.ckpt"
    )
    np.testing.assert_array_equal(
        model.get_layer("Embedding-Token").get_weights()[0],
        arrays["bert/embeddings/word_embeddings"].astype("float32"),
    )


def test_damaged_configurations_with_a_checkpoint(google):
    """Each is refused, or sizes agree with the file and so every weight is right.

    What no weight depends on cannot be noticed: the number of heads, the epsilon, the activation.
    """
    paths, weights = google
    data = json.dumps(CONFIG).encode()
    generator = random.Random(1)
    built = 0
    for _ in range(100):
        with open(paths.config, "wb") as writer:
            writer.write(damaged(data, generator))
        try:
            model = load_trained_model_from_checkpoint(paths.config, paths.checkpoint)
        except (ConfigError, CheckpointError, OSError):
            continue
        built += 1
        for layer in model.layers:
            for ours, array in zip(layer.get_weights(), weights.get(layer.name, []), strict=True):
                np.testing.assert_array_equal(ours, array[: len(ours)])
    assert 0 < built < 50


@once
def test_a_mistyped_name_gets_the_nearest():
    """`get_checkpoint_paths` has always taken folders that are not there yet."""
    paths = get_checkpoint_paths("tny")
    message = r"no checkpoint tny.bert_model\.ckpt\..* Is 'tiny' meant\?$"
    with pytest.raises(FileNotFoundError, match=message):
        load_trained_model_from_checkpoint(paths.config, paths.checkpoint)


def test_bad_length(google):
    with pytest.raises(ValueError, match="`seq_len` must be positive or None"):
        build_model_from_config(google[0].config, seq_len=0)
    with pytest.raises(TypeError, match=r"`seq_len` must be a number\. Received: '10'"):
        build_model_from_config(google[0].config, seq_len="10")


@once
def test_all_paths_in_the_place_of_two():
    paths = get_checkpoint_paths("tiny")
    message = r"`training` must be True or False; of the paths .*alone\. Received: '"
    with pytest.raises(TypeError, match=message):
        load_trained_model_from_checkpoint(*paths)
    with pytest.raises(TypeError, match=message):
        build_model_from_config(paths.config, paths.vocab)
    model, config = build_model_from_config(paths.config)
    with pytest.raises(TypeError, match=message):
        load_model_weights_from_checkpoint(model, config, paths.checkpoint, paths.vocab)


@once
def test_a_str_is_no_list_of_prefixes():
    paths = get_checkpoint_paths("tiny")
    with pytest.raises(ValueError, match=r"`trainable` .* list of layer name prefixes, such as "):
        load_trained_model_from_checkpoint(paths.config, paths.checkpoint, trainable="Encoder-2")


@pytest.mark.skipif(not KERAS_3, reason="scopes of Keras 3")
def test_weights_are_not_lost_in_a_stateless_scope():
    paths = get_checkpoint_paths(PretrainedList.tiny)
    message = "would be lost at its end. Load the model before"
    with keras.StatelessScope(), pytest.raises(RuntimeError, match=message):
        load_trained_model_from_checkpoint(paths.config, paths.checkpoint)


@pytest.mark.skipif(not ON_TENSORFLOW, reason="functions of TensorFlow")
def test_weights_are_not_lost_in_a_function_that_is_traced():
    import tensorflow as tf

    paths = get_checkpoint_paths(PretrainedList.tiny)
    loaded = []

    @tf.function(autograph=False)
    def load():
        if not loaded:
            loaded.append(load_trained_model_from_checkpoint(paths.config, paths.checkpoint))
        return tf.constant(0)

    load.get_concrete_function()  # which is never run
    expected = load_trained_model_from_checkpoint(paths.config, paths.checkpoint)
    for found, wanted in zip(loaded[0].get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)
