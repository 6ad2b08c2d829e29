"""What a checkpoint holds."""

import json
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from checkpoint_files import DATA
from model_folders import CONFIG, write_google_folder
from runtimes import once
from sentence_folders import write_sentence_folder
from task_folders import TASKS, changed_folder

from keras_bert import PretrainedList
from keras_bert.checkpoints import write_tensor_bundle
from keras_bert.families.weights import to_checkpoint

pytestmark = once


def test_a_folder(command, google):
    code, out, err = command("info", google)
    assert (code, err) == (0, "")
    facts = dict(line.split(":", 1) for line in out.splitlines())
    facts = {name: value.strip() for name, value in facts.items()}
    assert facts["checkpoint"] == f"{google / 'bert_model.ckpt'} (tensor_bundle)"
    assert facts["tensors"].startswith("46 float32; ")
    assert facts["architecture"] == (
        "BERT, 2 layers of 12, 3 heads, feed-forward 20, 16 positions, 30 tokens"
    )
    assert facts["activation"] == "gelu, tanh form"
    assert facts["heads"] == "pooler, masked words, next sentence"
    assert facts["vocabulary"] == f"{google / 'vocab.txt'}, 30 tokens, uncased"


def test_a_folder_with_a_sentencepiece_vocabulary(command, pieces, monkeypatch):
    expected = f"vocabulary:    {pieces / 'tokenizer.json'}, 600 tokens, uncased"
    assert command("info", pieces)[1].splitlines()[-1] == expected
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    code, out, err = command("info", pieces)
    assert (code, out.count("600 tokens")) == (1, 1)  # of the configuration
    assert "pip install sentencepiece\n" in err


@pytest.mark.parametrize("count", [20, 40])
def test_a_vocabulary_of_another_model_is_remarked(command, tmp_path, count):
    write_google_folder(tmp_path)
    (tmp_path / "vocab.txt").write_text("".join(f"word{index}\n" for index in range(count)))
    code, out, err = command("info", tmp_path)
    assert (code, f"{count} tokens, uncased\n" in out) == (0, True)
    told = f"{tmp_path / 'vocab.txt'} has {count} tokens, the model 30: does it belong to it?"
    assert err == f"keras-bert info: {told}\n"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("gelu_python", "gelu, exact form"),
        ("gelu_erf", "gelu, exact form"),
        ("gelu_pytorch_tanh", "gelu, tanh form"),
        ("gelu_tanh", "gelu, tanh form"),
        ("relu", "relu"),
    ],
)
def test_the_meaning_of_the_activation(command, tmp_path, given, shown):
    write_google_folder(tmp_path / "google", {**CONFIG, "hidden_act": given})
    code, out, _ = command("info", tmp_path / "google", "--json")
    assert (code, json.loads(out)["activation"]) == (0, shown)


def test_a_plain_gelu_is_exact_where_hugging_face_wrote_the_weights(command, google, tmp_path):
    assert command("convert", google, tmp_path / "hf", "--to", "huggingface")[0] == 0
    (tmp_path / "hf" / "config.json").write_text(json.dumps(CONFIG))  # of Google's kind
    code, out, _ = command("info", tmp_path / "hf", "--json")
    assert (code, json.loads(out)["activation"]) == (0, "gelu, exact form")


def test_a_model_by_name(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = command("info", "tiny")
    assert (code, "2 layers of 128" in out) == (0, True)
    assert command("convert", "tiny", "new", "--to", "google")[0] == 0
    assert (tmp_path / "new/bert_config.json").exists()


def test_without_a_model_the_names_are_listed(command):
    code, out, err = command("info")
    assert (code, err) == (0, "")
    names = out.splitlines()
    assert names[:2] == ["tiny", "uncased_base"]
    assert set(names) == {each for each in vars(PretrainedList) if not each.startswith("_")}
    assert json.loads(command("info", "--json")[1]) == names


def test_json_with_every_tensor(command, google):
    code, out, _ = command("info", google, "--json", "--tensors")
    facts = json.loads(out)
    assert code == 0
    assert facts["configuration"].items() >= CONFIG.items()
    assert facts["tensors"]["bert/embeddings/word_embeddings"] == {
        "shape": [30, 12],
        "dtype": "float32",
    }
    assert facts["checkpoint"]["numbers"] == sum(
        int(np.prod(tensor["shape"])) for tensor in facts["tensors"].values()
    )


def test_one_file(command, google, tmp_path):
    assert command("convert", google, tmp_path / "hf", "--to", "huggingface")[0] == 0
    code, out, _ = command("info", tmp_path / "hf" / "model.safetensors")
    assert code == 0
    assert "bert.encoder.layer.1.intermediate.dense.weight\tfloat32\t20x12" in out.splitlines()
    code, out, _ = command("info", google / "bert_model.ckpt")
    assert (code, "cls/seq_relationship/output_bias\tfloat32\t2" in out.splitlines()) == (0, True)


def test_what_is_not_berts(command, tmp_path):
    tensors = to_checkpoint(write_google_folder(tmp_path / "google"), "google")
    write_tensor_bundle(
        tmp_path / "google" / "bert_model.ckpt", {**tensors, "global_step": np.int64(7)}
    )
    code, out, _ = command("info", tmp_path / "google")
    assert code == 0
    assert "not of BERT:   global_step" in out.splitlines()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_hidden_layers": 3}, "lacks 16 of the model's 53 weights"),
        ({"hidden_size": 15}, "hidden_size is 15, the file's 12"),
        ({"model_type": "unheard of"}, "another architecture than BERT's"),
        ({"is_decoder": True}, "another architecture than BERT's"),
        ({"model_type": "albert"}, "embedding_hidden_mapping_in"),
    ],
)
def test_what_is_wrong_is_an_error_after_what_is_known(command, tmp_path, change, message):
    write_google_folder(tmp_path / "google")
    (tmp_path / "google" / "bert_config.json").write_text(json.dumps({**CONFIG, **change}))
    code, out, err = command("info", tmp_path / "google")
    assert code == 1
    assert "46 float32" in out
    assert message in err


def test_a_damaged_file(command, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"\x08")
    code, out, err = command("info", tmp_path / "model.safetensors")
    assert (code, out) == (1, "")
    assert "damaged" in err


def test_a_saved_model_is_named_as_one(command, tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    code, out, err = command("info", tmp_path / "m.keras")
    assert (code, out) == (1, "")
    assert "m.keras is a saved model of Keras: open it with keras.models.load_model" in err
    assert "torch" not in err


def test_an_archive_is_what_its_folder_is(command, google, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    archive = shutil.make_archive(tmp_path / "model", "zip", google)
    address = Path(archive).as_uri()
    outputs = {command("info", name)[:2] for name in (archive, address, f"file:{archive}")}
    folder = tmp_path / "home" / "datasets" / "model"
    assert outputs == {(0, command("info", google)[1].replace(str(google), str(folder)))}


def test_folders_of_tensorflow_2(command):
    garden = DATA.parent / "model_garden"
    code, out, err = command("info", garden / "saved_model", "--json")
    facts = json.loads(out)
    assert (code, err) == (0, "")
    assert facts["configuration"]["path"] is None
    assert (facts["configuration"]["num_attention_heads"], facts["heads"]) == (3, ["pooler"])
    assert facts["activation"] == "gelu, tanh form"
    assert facts["vocabulary"]["tokens"] == 30
    for folder, architecture in {"saved_model": "BERT, 2", "electra": "ELECTRA, 2"}.items():
        code, out, _ = command("info", garden / folder)
        assert (code, "inferred from the shapes" in out, architecture in out) == (0, True, True)
    code, out, _ = command("info", DATA.parent / "transformers_tf" / "bert" / "tf_model.h5")
    assert (code, "tf_model.h5 (hdf5)" in out) == (0, True)
    assert "cls.seq_relationship.weight\tfloat32\t2x12" in out


def test_a_head_for_a_task(command):
    code, out, _ = command("info", TASKS / "bert-sequence")
    lines = out.splitlines()
    assert code == 0
    assert "task:          sequence (SequenceClassification): bad, so-so, good" in lines
    assert not any(line.startswith("not of BERT") for line in lines)
    code, out, _ = command("info", TASKS / "electra-sequence", "--json")
    assert json.loads(out)["task"] == {
        "task": "sequence",
        "class": "SequenceClassification",
        "labels": ["a", "b"],
        "problem_type": "multi_label_classification",
    }


def test_a_head_whose_task_is_left_open_is_listed(command, tmp_path):
    folder = changed_folder(tmp_path / "new", "bert-sequence", architectures=None)
    code, out, _ = command("info", folder)
    assert code == 0
    assert "not of BERT:   classifier.bias, classifier.weight" in out.splitlines()


def test_a_damaged_head_is_an_error(command, tmp_path):
    folder = changed_folder(
        tmp_path / "new",
        "bert-sequence",
        lambda tensors: {key: each for key, each in tensors.items() if key != "classifier.bias"},
    )
    code, out, err = command("info", folder)
    assert (code, "heads:         pooler" in out.splitlines()) == (1, True)
    assert "lacks classifier.bias of its head" in err


def test_a_folder_of_sentence_transformers(command, tmp_path):
    settings = {"prompts": {"query": "q: "}, "default_prompt_name": None}
    write_sentence_folder(tmp_path / "model", ["cls", "max"], [(7, "Tanh")], settings=settings)
    code, out, err = command("info", tmp_path / "model")
    assert (code, err) == (0, "")
    assert "sentences:     pooling cls, max; Dense 24 to 7, Tanh; Normalize; 10 tokens\n" in out
    assert "prompts:       query 'q: '\n" in out
    (tmp_path / "model" / "1_Pooling" / "config.json").write_text('{"pooling_mode": "min"}')
    code, out, err = command("info", tmp_path / "model")
    assert (code, "30 tokens" in out, "`pooling_mode`" in err) == (1, True, True)
