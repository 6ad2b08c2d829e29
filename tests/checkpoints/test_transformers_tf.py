"""Files of transformers' TensorFlow classes against what transformers makes of them in PyTorch.

data/transformers_tf has its maker beside it.
"""

import json

import h5py
import numpy as np
import pytest
from checkpoint_files import DATA, assert_holds, is_same, numbers
from runtimes import once
from safetensors.numpy import save_file

from keras_bert.checkpoints import CheckpointError, open_checkpoint

pytestmark = once

FOLDER = DATA.parent / "transformers_tf"
NAMES = json.loads((FOLDER / "names.json").read_text())
# Heads use these tables too: PyTorch lists them twice, and TensorFlow's files have them once.
TIED = {
    "cls.predictions.decoder.weight",
    "cls.predictions.decoder.bias",
    "predictions.decoder.weight",
    "vocab_projector.weight",
    "generator_lm_head.weight",
}


def write_h5(path, tensors, class_name="tf_model"):
    with h5py.File(path, "w") as file:
        for name, array in tensors.items():
            file[f"{name.split('/')[0]}/{class_name}/{name}"] = array
    return path


@pytest.mark.parametrize(
    ("folder", "file"),
    [
        ("bert", "tf_model.h5"),
        ("bert", "model.safetensors"),
        ("albert", "model.safetensors"),
        ("electra", "model.safetensors"),
        ("distilbert", "tf_model.h5"),
    ],
)
def test_a_model_is_what_transformers_makes_of_it(folder, file):
    with np.load(FOLDER / folder / "pytorch.npz") as state:
        expected = {name: state[name] for name in state if name not in TIED}
    with open_checkpoint(FOLDER / folder / file) as checkpoint:
        found = {name: checkpoint[name] for name in checkpoint if name not in TIED}
        assert checkpoint.format == ("hdf5" if file.endswith(".h5") else "safetensors")
    if folder == "albert":  # see below
        for name in ("predictions.bias", "predictions.decoder.bias"):
            del expected[name], found[name]
    assert found.keys() == expected.keys()
    assert all(is_same(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("kind", ["h5", "safetensors"])
@pytest.mark.parametrize("name", NAMES)
def test_names_and_shapes_of_every_class(tmp_path, name, kind):
    tensorflow, pytorch = NAMES[name]
    arrays = {name: np.zeros(shape, "float32") for name, shape in tensorflow.items()}
    path = tmp_path / f"model.{kind}"
    if kind == "h5":
        write_h5(path, arrays)
    else:
        save_file(arrays, path, metadata={"format": "tf"})
    with open_checkpoint(path) as checkpoint:
        found = {name: list(checkpoint.shape(name)) for name in checkpoint}
        assert all(list(checkpoint[name].shape) == found[name] for name in found)
    assert {name: shape for name, shape in pytorch.items() if name not in TIED} == {
        name: shape for name, shape in found.items() if name not in TIED
    }


def test_the_bias_of_albert_s_head_is_the_one_that_tensorflow_adds():
    expected = np.load(FOLDER / "albert" / "outputs.npz")["prediction_logits"]
    with open_checkpoint(FOLDER / "albert" / "model.safetensors") as checkpoint:
        bias = checkpoint["predictions.bias"]
        assert checkpoint.are_equal("predictions.bias", "predictions.decoder.bias")
        hidden = np.load(FOLDER / "albert" / "outputs.npz")["hidden"][-1]
        features = hidden @ checkpoint["predictions.dense.weight"].T
        features += checkpoint["predictions.dense.bias"]
        inner = np.sqrt(2 / np.pi) * (features + 0.044715 * features**3)
        features = features / 2 * (1 + np.tanh(inner))  # gelu_new, transformers' default for ALBERT
        features -= features.mean(-1, keepdims=True)
        features /= np.sqrt(features.var(-1, keepdims=True) + 1e-12)
        features *= checkpoint["predictions.LayerNorm.weight"]
        features += checkpoint["predictions.LayerNorm.bias"]
        table = checkpoint["albert.embeddings.word_embeddings.weight"]
    np.testing.assert_allclose(features @ table.T + bias, expected, atol=1e-5)


def test_a_table_that_stands_twice_must_be_the_same(tmp_path):
    name = "bert/embeddings/word_embeddings/weight:0"
    path = tmp_path / "tf_model.h5"
    tensors = {name: numbers(5, 2), "mlm___cls/predictions/bias:0": numbers(5)}
    for table, is_right in [(numbers(5, 2), True), (numbers(5, 2) + 1, False)]:
        write_h5(path, tensors)
        with h5py.File(path, "a") as file:
            file[f"mlm___cls/tf_model/{name}"] = table
        checkpoint = open_checkpoint(path)
        assert checkpoint.shape("bert.embeddings.word_embeddings.weight") == (5, 2)
        if is_right:
            assert is_same(checkpoint["bert.embeddings.word_embeddings.weight"], numbers(5, 2))
        else:
            with pytest.raises(CheckpointError, match="its copies in the file differ"):
                checkpoint["bert.embeddings.word_embeddings.weight"]


def test_safetensors_in_several_parts(tmp_path):
    with open_checkpoint(FOLDER / "bert" / "model.safetensors") as checkpoint:
        expected = {name: checkpoint[name] for name in checkpoint}
    with h5py.File(FOLDER / "bert" / "tf_model.h5") as file:
        tensors = {}
        file.visititems(lambda name, item: tensors.update({name.split("/", 2)[-1]: item}))
        arrays = {name: item[()] for name, item in tensors.items() if name.endswith(":0")}
    names = list(arrays)
    parts = {
        "model-00001-of-00002.safetensors": names[:20],
        "model-00002-of-00002.safetensors": names[20:],
    }
    for part, held in parts.items():
        save_file({name: arrays[name] for name in held}, tmp_path / part, {"format": "tf"})
    index = {"weight_map": {name: part for part, held in parts.items() for name in held}}
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(json.dumps(index))
    with open_checkpoint(path) as checkpoint:
        assert_holds(checkpoint, expected)


def test_two_names_that_become_one(tmp_path):
    tensors = {"a/dense/kernel:0": numbers(2, 2), "a/dense/weight:0": numbers(2, 2)}
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"two of its tensors are 'a\.dense\.weight'"):
        open_checkpoint(tmp_path / "model.safetensors")
