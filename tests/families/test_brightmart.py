"""ALBERT as albert_zh has it, against its numbers in NumPy."""

import json

import ml_dtypes
import numpy as np
import pytest
from albert_tensors import random_tensor
from model_folders import WORDS
from numpy_albert import SEGMENTS, TOKENS, NumpyAlbert

from keras_bert import (
    VocabularyChange,
    build_model_from_config,
    get_custom_objects,
    load_model_weights_from_checkpoint,
    load_trained_model_from_checkpoint,
)
from keras_bert.backend import models
from keras_bert.checkpoints import CheckpointError, write_tensor_bundle
from keras_bert.commands import main
from keras_bert.families import BRIGHTMART_ALBERT, ConfigError, family_of

# As in albert_config_tiny.json, but for the sizes.
CONFIG = {
    "attention_probs_dropout_prob": 0.0,
    "directionality": "bidi",
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.0,
    "hidden_size": 12,
    "embedding_size": 6,
    "initializer_range": 0.02,
    "intermediate_size": 20,
    "max_position_embeddings": 16,
    "num_attention_heads": 3,
    "num_hidden_layers": 4,
    "pooler_fc_size": 768,
    "pooler_type": "first_token_transform",
    "type_vocab_size": 2,
    "vocab_size": 30,
    "ln_type": "postln",
}
# What albert_zh's modeling.py and run_pretraining.py create.
SHAPES = {
    "bert/embeddings/word_embeddings": (30, 6),
    "bert/embeddings/word_embeddings_2": (6, 12),
    "bert/embeddings/token_type_embeddings": (2, 12),
    "bert/embeddings/position_embeddings": (16, 12),
    "bert/embeddings/LayerNorm/gamma": (12,),
    "bert/embeddings/LayerNorm/beta": (12,),
    "bert/encoder/layer_shared/attention/self/query/kernel": (12, 12),
    "bert/encoder/layer_shared/attention/self/query/bias": (12,),
    "bert/encoder/layer_shared/attention/self/key/kernel": (12, 12),
    "bert/encoder/layer_shared/attention/self/key/bias": (12,),
    "bert/encoder/layer_shared/attention/self/value/kernel": (12, 12),
    "bert/encoder/layer_shared/attention/self/value/bias": (12,),
    "bert/encoder/layer_shared/attention/output/dense/kernel": (12, 12),
    "bert/encoder/layer_shared/attention/output/dense/bias": (12,),
    "bert/encoder/layer_shared/attention/output/LayerNorm/gamma": (12,),
    "bert/encoder/layer_shared/attention/output/LayerNorm/beta": (12,),
    "bert/encoder/layer_shared/intermediate/dense/kernel": (12, 20),
    "bert/encoder/layer_shared/intermediate/dense/bias": (20,),
    "bert/encoder/layer_shared/output/dense/kernel": (20, 12),
    "bert/encoder/layer_shared/output/dense/bias": (12,),
    "bert/encoder/layer_shared/output/LayerNorm/gamma": (12,),
    "bert/encoder/layer_shared/output/LayerNorm/beta": (12,),
    "bert/pooler/dense/kernel": (12, 12),
    "bert/pooler/dense/bias": (12,),
    "cls/predictions/transform/dense/kernel": (12, 12),
    "cls/predictions/transform/dense/bias": (12,),
    "cls/predictions/transform/LayerNorm/gamma": (12,),
    "cls/predictions/transform/LayerNorm/beta": (12,),
    "cls/predictions/output_bias": (30,),
    "cls/seq_relationship/output_weights": (2, 12),
    "cls/seq_relationship/output_bias": (2,),
}
ROUNDING = 1e-5  # of float32, for features of up to 5 and sums of up to 20 products


class NumpyAlbertZh(NumpyAlbert):
    """Two factors of the token table, everything else at the hidden size, one encoder layer."""

    def embed(self, tokens, segments):
        x = self.table()[tokens]
        x = x + self.tensors["bert/embeddings/token_type_embeddings"][segments]
        x = x + self.tensors["bert/embeddings/position_embeddings"][: tokens.shape[1]]
        return self.norm(x, "bert/embeddings/LayerNorm")

    def table(self):
        first = self.tensors["bert/embeddings/word_embeddings"]
        return first @ self.tensors["bert/embeddings/word_embeddings_2"]

    def layer(self, x, tokens, name):
        name = "bert/encoder/layer_shared"
        attended = self.attend(x, tokens, f"{name}/attention")
        x = self.norm(x + attended, f"{name}/attention/output/LayerNorm")
        raised = self.activation(self.dense(x, f"{name}/intermediate/dense"))
        return self.norm(x + self.dense(raised, f"{name}/output/dense"), f"{name}/output/LayerNorm")


def write(folder, without=(), dtype=np.float32, **changes):
    """The files of albert_zh's zips, and what computes the same in NumPy."""
    random = np.random.default_rng(0)
    tensors = {name: random_tensor(random, name, shape) for name, shape in SHAPES.items()}
    tensors = {
        name: each.astype(dtype) for name, each in tensors.items() if not name.startswith(without)
    }
    config = {**CONFIG, **changes}
    folder.mkdir(exist_ok=True)
    config_file, checkpoint = folder / "albert_config_tiny.json", folder / "albert_model.ckpt"
    config_file.write_text(json.dumps(config), "utf-8")
    write_tensor_bundle(checkpoint, tensors)
    oracle = NumpyAlbertZh(tensors, {**config, "num_hidden_groups": 1, "inner_group_num": 1})
    return (config_file, checkpoint), oracle


def predict(model, *arrays):
    return model.predict([TOKENS, SEGMENTS, *arrays], verbose=0)


def test_numbers(tmp_path):
    paths, albert = write(tmp_path)
    model = load_trained_model_from_checkpoint(*paths, training=True, seq_len=7)
    words, order = predict(model, np.ones_like(TOKENS))
    encoded = albert.encode(TOKENS, SEGMENTS)
    assert np.allclose(words, albert.masked_words(encoded), atol=ROUNDING, rtol=0)
    assert np.allclose(order, albert.sentence_order(encoded), atol=ROUNDING, rtol=0)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_factors_of_16_bits_have_a_product_of_32(tmp_path, dtype):
    paths, albert = write(tmp_path, dtype=dtype)
    model = load_trained_model_from_checkpoint(*paths, seq_len=7)
    (table,) = model.get_layer("Embedding-Token").get_weights()
    assert np.allclose(table, albert.table(), atol=1e-6, rtol=0)


@pytest.mark.slow
def test_another_vocabulary(tmp_path):
    """The first factor has the rows."""
    paths, albert = write(tmp_path)
    old = {word: index for index, word in enumerate(WORDS)}
    change = VocabularyChange(old, keep=["b", "f"], add=["bf"])
    model = load_trained_model_from_checkpoint(*paths, vocabulary_change=change)
    (table,) = model.get_layer("Embedding-Token").get_weights()
    kept = [old[word] for word in change.vocabulary if word in old]
    assert np.allclose(table[: len(kept)], albert.table()[kept], atol=1e-6, rtol=0)
    assert table.shape == (len(kept) + 1, 12)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("layers", [1, 5])
def test_numbers_of_an_encoder_alone(tmp_path, layers):
    """The number of layers is the configuration's: the file has one."""
    paths, albert = write(tmp_path, ("cls/", "bert/pooler/"), num_hidden_layers=layers)
    model = load_trained_model_from_checkpoint(*paths, seq_len=7)
    assert np.allclose(predict(model), albert.encode(TOKENS, SEGMENTS), atol=ROUNDING, rtol=0)


@pytest.mark.slow
def test_outputs_of_some_layers(tmp_path):
    paths, albert = write(tmp_path)
    model = load_trained_model_from_checkpoint(*paths, output_layer_num=2, seq_len=7)
    albert.encode(TOKENS, SEGMENTS)
    expected = np.concatenate(albert.hidden[2:], axis=-1)  # the lower one first
    assert np.allclose(predict(model), expected, atol=ROUNDING, rtol=0)


def test_weights_into_a_model_of_the_configuration(tmp_path):
    paths, albert = write(tmp_path)
    model, config = build_model_from_config(paths[0], training=True, seq_len=7)
    load_model_weights_from_checkpoint(model, config, paths[1], training=True)
    _, order = predict(model, np.ones_like(TOKENS))
    expected = albert.sentence_order(albert.encode(TOKENS, SEGMENTS))
    assert np.allclose(order, expected, atol=ROUNDING, rtol=0)


def test_the_layer_and_the_table_are_held_once(tmp_path):
    shapes = []
    for layers in (1, 5):
        paths, _ = write(tmp_path / str(layers), num_hidden_layers=layers)
        model = load_trained_model_from_checkpoint(*paths, training=True, seq_len=7)
        shapes.append([tuple(each.shape) for each in model.get_weights()])
    assert shapes[0] == shapes[1]
    assert len(shapes[0]) == len(SHAPES) - 1  # the two factors are one table
    assert (30, 12) in shapes[0]


def test_a_configuration_that_does_not_say_ln_type(tmp_path):
    """The checkpoint's names tell the family."""
    paths, albert = write(tmp_path, ln_type=None)
    config = json.loads(paths[0].read_text("utf-8"))
    del config["ln_type"]
    paths[0].write_text(json.dumps(config), "utf-8")
    model = load_trained_model_from_checkpoint(*paths, seq_len=7)
    assert np.allclose(predict(model), albert.encode(TOKENS, SEGMENTS), atol=ROUNDING, rtol=0)


def test_preln_is_refused(tmp_path):
    paths, _ = write(tmp_path, ln_type="preln")
    with pytest.raises(ConfigError, match=r"`ln_type` must be 'postln'.*'preln'"):
        load_trained_model_from_checkpoint(*paths)
    with pytest.raises(ConfigError, match=r"`ln_type` must be 'postln'.*'preln'"):
        build_model_from_config(paths[0])


@pytest.mark.parametrize("name", ["word_embeddings_2", "word_embeddings", "position_embeddings"])
def test_a_missing_table(tmp_path, name):
    paths, _ = write(tmp_path)
    tensors = {
        each: np.zeros(shape, "float32")
        for each, shape in SHAPES.items()
        if each != f"bert/embeddings/{name}"
    }
    write_tensor_bundle(paths[1], tensors)
    with pytest.raises(CheckpointError, match=rf"lacks 1 of .*\n.*{name}\b"):
        load_trained_model_from_checkpoint(*paths)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("word_embeddings_2", (5, 12)), ("word_embeddings_2", (12,)), ("word_embeddings", (30,))],
)
def test_factors_that_do_not_fit_each_other(tmp_path, name, shape):
    paths, _ = write(tmp_path)
    shapes = {**SHAPES, f"bert/embeddings/{name}": shape}
    write_tensor_bundle(paths[1], {key: np.zeros(each, "float32") for key, each in shapes.items()})
    with pytest.raises(
        CheckpointError, match=r"'bert/embeddings/word_embeddings_2'.*no two factors"
    ):
        load_trained_model_from_checkpoint(*paths)


def folder_of(tmp_path):
    """Named as `get_checkpoint_paths` finds them."""
    paths, albert = write(tmp_path / "source")
    paths[0].rename(tmp_path / "source" / "bert_config.json")
    return tmp_path / "source", albert


@pytest.mark.parametrize("kind", ["google", "huggingface"])
def test_no_folder_holds_it(tmp_path, capsys, kind):
    folder, _ = folder_of(tmp_path)
    assert main(["convert", str(folder), str(tmp_path / "target"), "--to", kind]) == 1
    message = capsys.readouterr().err
    assert "ALBERT of brightmart's kind" in message
    assert ".keras" in message
    assert not (tmp_path / "target").exists()


@pytest.mark.slow
def test_a_keras_file_holds_it(tmp_path):
    folder, albert = folder_of(tmp_path)
    assert main(["convert", str(folder), str(tmp_path / "model.keras")]) == 0
    model = models.load_model(
        tmp_path / "model.keras", custom_objects=get_custom_objects(), compile=False
    )
    words, order = predict(model, np.ones_like(TOKENS))
    encoded = albert.encode(TOKENS, SEGMENTS)
    assert np.allclose(words, albert.masked_words(encoded), atol=ROUNDING, rtol=0)
    assert np.allclose(order, albert.sentence_order(encoded), atol=ROUNDING, rtol=0)
    for kind in ("google", "huggingface"):
        target = tmp_path / kind
        assert main(["convert", str(tmp_path / "model.keras"), str(target), "--to", kind]) == 1


def test_the_table_names_what_albert_zh_creates():
    table = BRIGHTMART_ALBERT.weights(CONFIG, training=True)
    names = {row.google for row in table} | {row.google_factor for row in table} - {None}
    assert names == SHAPES.keys()


def test_what_tells_it():
    assert family_of(CONFIG) is BRIGHTMART_ALBERT
    assert family_of({**CONFIG, "ln_type": "preln"}) is BRIGHTMART_ALBERT
    assert family_of({}, SHAPES) is BRIGHTMART_ALBERT
