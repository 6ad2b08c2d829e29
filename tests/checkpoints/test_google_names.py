"""Names of TensorFlow Hub and the Model Garden, by files that the Model Garden wrote.

data/model_garden has its maker beside it.
"""

import numpy as np
import pytest
from bert_tensors import expected_rows
from checkpoint_files import DATA, assert_holds, is_same, numbers
from runtimes import once

from keras_bert.checkpoints import CheckpointError, open_checkpoint, write_tensor_bundle
from keras_bert.checkpoints.google_names import as_google
from keras_bert.checkpoints.stored import StoredTensor
from keras_bert.checkpoints.tensor_bundle import read_tensor_bundle

pytestmark = once

FOLDER = DATA.parent / "model_garden"
GOOGLE = {name for name, *_ in expected_rows(2, training=True)}


def stored(*shape):
    return StoredTensor(DATA / "zip.bin", 0, np.dtype(np.float32), shape)


def renamed(*full_names):
    """What becomes of variables with these names; their keys are like a SavedModel's."""
    names = {f"variables/{number}": name for number, name in enumerate(full_names)}
    return list(as_google({key: stored(2, 2) for key in names}, names))


def test_a_checkpoint_has_google_s_names_and_nothing_of_its_optimizer_s_slots():
    with open_checkpoint(FOLDER / "checkpoint" / "bert_model.ckpt-1") as checkpoint:
        assert set(checkpoint) >= GOOGLE
        others = [name for name in checkpoint if name not in GOOGLE]
        assert "save_counter/.ATTRIBUTES/VARIABLE_VALUE" in others
        # The pooler that the head for the next sentence uses is not the encoder's.
        pooler = "model/encoder_network/_pooler_layer/kernel/.ATTRIBUTES/VARIABLE_VALUE"
        others.remove(pooler)
        own = "model/classification_heads/0/dense/kernel/.ATTRIBUTES/VARIABLE_VALUE"
        assert own not in checkpoint
        assert not is_same(checkpoint[pooler], checkpoint["bert/pooler/dense/kernel"])
        optimizer = {name.split("/")[1] for name in others if name.startswith("optimizer/")}
        assert optimizer == {"_iterations", "_learning_rate"}
        query = "bert/encoder/layer_1/attention/self/query/kernel"
        assert (checkpoint.shape(query), checkpoint.stored_shape(query)) == ((12, 12), (12, 3, 4))
        assert checkpoint.shape("cls/seq_relationship/output_weights") == (2, 12)


def test_a_saved_model_has_google_s_names():
    with open_checkpoint(FOLDER / "saved_model" / "variables" / "variables") as checkpoint:
        heads = ("cls/predictions", "cls/seq_relationship")
        encoder = {name for name in GOOGLE if not name.startswith(heads)}
        assert set(checkpoint) == encoder | {"do_lower_case/.ATTRIBUTES/VARIABLE_VALUE"}


def test_names_of_the_first_version_of_tensorflow_hub_s_models():
    full_names = [
        "bert_model/word_embeddings/embeddings",
        "bert_model/embedding_postprocessor/type_embeddings",
        "bert_model/embedding_postprocessor/position_embeddings",
        "bert_model/embedding_postprocessor/layer_norm/gamma",
        "bert_model/encoder/layer_0/self_attention_output/kernel",
        "bert_model/encoder/layer_0/output_layer_norm/beta",
        "bert_model/pooler_transform/bias",
    ]
    assert renamed(*full_names) == [
        "bert/embeddings/word_embeddings",
        "bert/embeddings/token_type_embeddings",
        "bert/embeddings/position_embeddings",
        "bert/embeddings/LayerNorm/gamma",
        "bert/encoder/layer_0/attention/output/dense/kernel",
        "bert/encoder/layer_0/output/LayerNorm/beta",
        "bert/pooler/dense/bias",
    ]


def test_parts_of_another_architecture_keep_names_that_show_it():
    full_names = ["a/transformer/layer_3/gate/kernel", "b/transformer/gate/kernel", "dense/bias"]
    assert renamed(*full_names) == [
        "bert/encoder/layer_3/gate/kernel",
        "variables/1",
        "variables/2",
    ]


def test_narrow_embeddings_are_electra_s_or_albert_s_where_layers_share_weights():
    common = ["embedding_projection/bias", "embedding_projection/kernel", "pooler_transform/bias"]
    assert renamed(*common, "type_embeddings/embeddings", "transformer/layer_0/output/bias") == [
        "electra/embeddings_project/bias",
        "electra/embeddings_project/kernel",
        "bert/pooler/dense/bias",
        "electra/embeddings/token_type_embeddings",
        "electra/encoder/layer_0/output/dense/bias",
    ]
    assert renamed(*common, "type_embeddings/embeddings", "a/transformer/output/bias") == [
        "bert/encoder/embedding_hidden_mapping_in/bias",
        "bert/encoder/embedding_hidden_mapping_in/kernel",
        "bert/pooler/dense/bias",
        "bert/embeddings/token_type_embeddings",
        "bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/output/dense/bias",
    ]


def test_two_encoders_in_one_file_are_refused():
    with pytest.raises(CheckpointError, match="two models: 'bert/embeddings/word_embeddings'"):
        renamed("one/word_embeddings/embeddings", "other/word_embeddings/embeddings")


def test_an_attribute_may_be_called_module(tmp_path):
    """`tf.train.Checkpoint(module=encoder)`; the key has nothing to do with the scope below."""
    folder = FOLDER / "checkpoint"
    tensors, full_names = read_tensor_bundle(folder / "bert_model.ckpt-1")
    keys = {key: f"module/{key}" for key in tensors}
    named = as_google(
        {keys[key]: tensor for key, tensor in tensors.items()},
        {keys[key]: name for key, name in full_names.items()},
    )
    assert named.keys() >= GOOGLE


def test_the_scope_of_old_modules_of_tensorflow_hub(tmp_path):
    tensors = {"bert/embeddings/word_embeddings": numbers(3, 2), "global_step": np.int64(1)}
    prefix = tmp_path / "model.ckpt-best"
    write_tensor_bundle(prefix, {f"module/{name}": each for name, each in tensors.items()})
    with open_checkpoint(prefix) as checkpoint:
        assert_holds(checkpoint, tensors)
    both = {"module/a": numbers(1), "a": numbers(2)}
    write_tensor_bundle(prefix, both)
    with open_checkpoint(prefix) as checkpoint:
        assert_holds(checkpoint, both)
