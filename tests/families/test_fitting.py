"""Whether a configuration and a checkpoint belong together."""

import numpy as np
import pytest
from bert_tensors import google_tensors, huggingface_tensors, open_bundle, open_safetensors
from model_folders import CONFIG as BERT_CONFIG
from model_folders import random_weights, with_untrained_head

from keras_bert import get_model
from keras_bert.checkpoints import CheckpointError
from keras_bert.families import BERT
from keras_bert.families.fitting import check_fit, has_untrained_head
from keras_bert.families.weights import find_weights, to_checkpoint

CONFIG = {
    "vocab_size": 11,
    "hidden_size": 4,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 6,
    "max_position_embeddings": 7,
}


def check(checkpoint, **changes):
    config = {**CONFIG, **changes}
    check_fit(BERT, config, checkpoint, find_weights(BERT, config, checkpoint))


@pytest.mark.parametrize("open_file", [open_bundle, open_safetensors])
@pytest.mark.parametrize("rename", [dict, huggingface_tensors])
def test_what_belongs_together(tmp_path, open_file, rename):
    checkpoint = open_file(tmp_path, rename(google_tensors(2, training=True)))
    check(checkpoint)
    check(checkpoint, type_vocab_size=2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocab_size": 12}, "vocab_size is 12, the file's 11"),
        ({"hidden_size": 8}, "hidden_size is 8, the file's 4"),
        ({"intermediate_size": 4}, "intermediate_size is 4, the file's 6"),
        ({"max_position_embeddings": 512}, "max_position_embeddings is 512, the file's 7"),
        ({"type_vocab_size": 1}, "type_vocab_size is 1, the file's 2"),
        (
            {"vocab_size": 12, "hidden_size": 8},
            "vocab_size is 12, the file's 11; hidden_size is 8, the file's 4",
        ),
    ],
)
@pytest.mark.parametrize("rename", [dict, huggingface_tensors])
def test_sizes_that_differ(tmp_path, rename, changes, message):
    checkpoint = open_bundle(tmp_path, rename(google_tensors(2, training=False)))
    with pytest.raises(CheckpointError, match=f"does not fit .*: {message}"):
        check(checkpoint, **changes)


def test_a_table_of_one_axis(tmp_path):
    tensors = google_tensors(2, training=False)
    tensors["bert/embeddings/word_embeddings"] = np.zeros(11, np.float32)
    with pytest.raises(CheckpointError, match="hidden_size is 4, the file's none"):
        check(open_bundle(tmp_path, tensors))


@pytest.mark.parametrize(
    "name",
    [
        "bert/embeddings/hidden_mapping",
        "bert.embeddings.task_type_embeddings.weight",
        "bert/encoder/layer_1/attention/self/distance_embedding",
        "encoder.layer.0.crossattention.self.query.weight",
    ],
)
def test_tensors_of_another_architecture(tmp_path, name):
    tensors = google_tensors(2, training=False) | {name: np.zeros(2, np.float32)}
    with pytest.raises(CheckpointError, match=f"another architecture than BERT's.*: {name}"):
        check(open_bundle(tmp_path, tensors))


@pytest.mark.parametrize(
    "name",
    [
        "global_step",
        "output_weights",
        "bert/embeddings/word_embeddings/adam_m",
        "bert/encoder/layer_1/output/dense/bias/LAMBOptimizer_1",
        "bert/encoder/layer_2/output/dense/bias",
        "bert.embeddings.position_ids",
        "embeddings.token_type_ids",
    ],
)
def test_tensors_that_change_nothing(tmp_path, name):
    tensors = google_tensors(2, training=False) | {name: np.zeros(2, np.float32)}
    check(open_bundle(tmp_path, tensors))


# Heads that were never trained.


def has_untrained(folder, weights, naming="google"):
    checkpoint = open_bundle(folder, to_checkpoint(weights, naming))
    found = find_weights(BERT, BERT_CONFIG, checkpoint, heads="any")
    return has_untrained_head(BERT, checkpoint, found)


@pytest.mark.parametrize("naming", ["google", "huggingface"])
def test_a_head_that_was_never_trained(tmp_path, naming):
    weights = with_untrained_head(random_weights())
    assert has_untrained(tmp_path, weights, naming)
    assert not has_untrained(tmp_path, random_weights(), naming)


@pytest.mark.parametrize(
    ("layer", "index"), [("MLM-Dense", 1), ("MLM-Norm", 0), ("MLM-Norm", 1), ("MLM-Sim", 0)]
)
def test_a_head_of_which_anything_was_trained(tmp_path, layer, index):
    weights = with_untrained_head(random_weights())
    weights[layer][index][-1] += 1e-6
    assert not has_untrained(tmp_path, weights)


def test_a_model_of_which_nothing_was_trained(tmp_path):
    model = get_model(30, 16, 16, 12, 2, 3, 20)
    weights = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    assert not has_untrained(tmp_path, weights)


def test_an_encoder_without_heads(tmp_path):
    tensors = google_tensors(2, training=False)
    checkpoint = open_bundle(tmp_path, tensors)
    found = find_weights(BERT, CONFIG, checkpoint, heads="any")
    assert not has_untrained_head(BERT, checkpoint, found)
