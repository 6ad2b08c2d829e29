"""Which of a repository's files are read; the repositories are laid out as real ones are."""

import json

import pytest
from runtimes import once

from keras_bert.checkpoints.paths import Module, get_checkpoint_paths, read_modules
from keras_bert.datasets.hub_files import files_to_fetch, missing_file, shards_of

# sentence-transformers/LaBSE, and an older one whose encoder has a folder of its own.
LABSE = [
    *(
        ".gitattributes",
        "1_Pooling/config.json",
        "2_Dense/config.json",
        "2_Dense/model.safetensors",
    ),
    *("2_Dense/pytorch_model.bin", "README.md", "config.json", "config_sentence_transformers.json"),
    *("model.safetensors", "modules.json", "onnx/model.onnx", "openvino/openvino_model.bin"),
    *("pytorch_model.bin", "sentence_bert_config.json", "special_tokens_map.json", "tf_model.h5"),
    *("tokenizer.json", "tokenizer_config.json", "train_script.py", "vocab.txt"),
]
KINDS = {"": "Transformer", "1_Pooling": "Pooling", "2_Dense": "Dense", "3_Normalize": "Normalize"}
pytestmark = once


def modules(kinds):
    return [
        {
            "idx": index,
            "name": str(index),
            "path": path,
            "type": f"sentence_transformers.models.{kind}",
        }
        for index, (path, kind) in enumerate(kinds.items())
    ]


def lay_out(folder, files, kinds=None):
    """Make a folder of these files, with a list of modules."""
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    if kinds:
        (folder / "modules.json").write_text(json.dumps(modules(kinds)))


def test_a_sentence_model(tmp_path):
    lay_out(tmp_path, LABSE, KINDS)
    chosen = files_to_fetch(LABSE, read_modules(tmp_path / "modules.json"))
    unread = (".gitattributes", "2_Dense/pytorch_model.bin", "README.md", "onnx/model.onnx")
    unread += ("openvino/openvino_model.bin", "pytorch_model.bin", "tf_model.h5")
    assert sorted(chosen) == sorted(set(LABSE) - {*unread, "train_script.py"})
    assert chosen[-1] == "model.safetensors"  # where it is, all is


def test_a_sentence_model_whose_encoder_has_a_folder(tmp_path):
    kinds = {"0_Transformer": "Transformer", "1_Pooling": "Pooling"}
    encoder = ["config.json", "pytorch_model.bin", "sentence_bert_config.json", "vocab.txt"]
    files = [
        "modules.json",
        "1_Pooling/config.json",
        *(f"0_Transformer/{each}" for each in encoder),
    ]
    lay_out(tmp_path, files, kinds)
    chosen = files_to_fetch(
        [*files, "0_Transformer/flax_model.msgpack"], read_modules(tmp_path / "modules.json")
    )
    assert sorted(chosen) == sorted(files)
    assert missing_file(tmp_path) is None


@pytest.mark.parametrize(
    ("lost", "named"),
    [
        ("config.json", "config.json"),
        ("model.safetensors", "none of model.safetensors"),
        ("vocab.txt", "vocab.txt"),
        ("1_Pooling/config.json", "1_Pooling/config.json"),
        ("2_Dense/config.json", "2_Dense/config.json"),
        ("2_Dense/model.safetensors", "2_Dense/model.safetensors"),
        ("special_tokens_map.json", None),
    ],
)
def test_what_a_folder_lacks(tmp_path, lost, named):
    names = set(LABSE) - {"tokenizer.json"}  # which would do for a vocabulary
    kinds = [Module(f"x.{kind}", path and f"{path}/") for path, kind in KINDS.items()]
    lay_out(tmp_path, files_to_fetch(names, kinds), KINDS)
    assert missing_file(tmp_path) is None
    (tmp_path / lost).unlink()
    found = missing_file(tmp_path)
    assert found is None if named is None else named in found


def test_a_lost_shard_and_a_link_to_nowhere(tmp_path):
    lay_out(tmp_path, ["config.json", "vocab.txt", "a.safetensors"])
    index = {"weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert missing_file(tmp_path) == "it has no b.safetensors"
    (tmp_path / "b.safetensors").symlink_to(tmp_path / "blob")
    assert missing_file(tmp_path) == "it has no b.safetensors"
    (tmp_path / "blob").write_text("x")
    assert missing_file(tmp_path) is None


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "{", '{"weight_map": {"x": "../a"}}', '{"weight_map": {"x": 1}}', "[" * 99999],
)
def test_a_damaged_index(tmp_path, text):
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(OSError, match=r"index\.json is damaged"):
        shards_of(tmp_path / "index.json")


@pytest.mark.parametrize(
    "text", ["", "{}", "{", "[1]", '[{"path": "x"}]', "null", "[" * 99999, b"\xff"]
)
def test_a_damaged_list_of_modules_is_left_to_who_reads_it(tmp_path, text):
    path = tmp_path / "modules.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert read_modules(path) == []


@pytest.mark.parametrize("inside", ["0_Transformer", "models/encoder", "", "..", "/etc", "a/../.."])
def test_paths_are_those_of_the_encoder(tmp_path, inside):
    listed = [{"path": "1_Pooling", "type": "x.Pooling"}, {"path": inside, "type": "x.Transformer"}]
    (tmp_path / "modules.json").write_text("\ufeff" + json.dumps(listed), "utf-8")
    folder = tmp_path / inside if inside in ("0_Transformer", "models/encoder") else tmp_path
    assert get_checkpoint_paths(tmp_path).vocab == str(folder / "vocab.txt")


def test_without_a_transformer_the_first_module_is_the_encoder(tmp_path):
    listed = [{"type": "x.No"}, {"path": "0_Enc", "type": "x.MyEncoder"}, {"path": 5, "type": "x"}]
    (tmp_path / "modules.json").write_text(json.dumps(listed))
    assert get_checkpoint_paths(tmp_path).vocab == str(tmp_path / "0_Enc/vocab.txt")
