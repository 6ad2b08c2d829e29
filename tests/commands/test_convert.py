"""From one format to another and back: the same bits, and the same meaning."""

import json
import os
import shutil
from contextlib import contextmanager

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from checkpoint_files import DATA, assert_same, is_same
from command_line import start
from model_folders import (
    CONFIG,
    WORDS,
    random_weights,
    write_cased_pieces,
    write_google_folder,
)
from relatives import write_relative
from runtimes import once
from sentence_folders import write_sentence_folder
from task_folders import TASKS

from keras_bert import (
    extract_embeddings,
    get_checkpoint_paths,
    get_custom_objects,
    load_tokenizer,
    load_trained_model_from_checkpoint,
)
from keras_bert.backend import keras
from keras_bert.checkpoints import open_checkpoint, write_tensor_bundle
from keras_bert.commands import convert
from keras_bert.families import ALBERT
from keras_bert.families.weights import to_checkpoint

BUNDLE = ("bert_model.ckpt.index", "bert_model.ckpt.data-00000-of-00001")


def contents(folder, *names):
    return [(folder / name).read_bytes() for name in names]


def read_json(path):
    return json.loads(path.read_text("utf-8"))


@once
def test_from_an_archive(command, google, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    archive = shutil.make_archive(tmp_path / "model", "gztar", google)
    assert command("convert", archive, tmp_path / "back", "--to", "google")[0] == 0
    assert contents(tmp_path / "back", *BUNDLE) == contents(google, *BUNDLE)


def write_hugging_face_folder(folder, tensors, **changes):
    folder.mkdir()
    config = {**CONFIG, "model_type": "bert", "layer_norm_eps": 1e-12, **changes}
    (folder / "config.json").write_text(json.dumps(config))
    safetensors.numpy.save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    return folder


@once
def test_google_to_hugging_face_and_back(command, google, tmp_path):
    hf, back = tmp_path / "hf", tmp_path / "back"
    names = "README.md, config.json, model.safetensors, tokenizer_config.json, vocab.txt"
    code, out, err = command("convert", google, hf, "--to", "huggingface")
    assert (code, out, err) == (0, "", f"keras-bert convert: {hf} written, 0.0 MB: {names}\n")
    assert command("convert", hf, back, "--to", "google")[:2] == (0, "")
    assert contents(back, *BUNDLE, "vocab.txt") == contents(google, *BUNDLE, "vocab.txt")
    assert read_json(back / "bert_config.json") == CONFIG
    config = read_json(hf / "config.json")
    assert config.items() >= {**CONFIG, "hidden_act": "gelu_new", "model_type": "bert"}.items()
    assert config["architectures"] == ["BertForPreTraining"]


@once
@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32])
@pytest.mark.parametrize(
    ("kept", "architecture"),
    [
        (("cls.", "bert."), "BertForPreTraining"),
        (("cls.pred", "bert.em", "bert.en"), "BertForMaskedLM"),
        (("bert.",), "BertModel"),
        (("bert.em", "bert.en"), "BertModel"),
    ],
)
def test_hugging_face_to_google_and_back(command, tmp_path, dtype, kept, architecture):
    tensors = {
        name if "cls." in kept or "cls.pred" in kept else name.removeprefix("bert."): array.astype(
            dtype
        )
        for name, array in to_checkpoint(random_weights(), "huggingface").items()
        if name.startswith(kept)
    }
    hf = write_hugging_face_folder(tmp_path / "hf", tensors)
    google, back = tmp_path / "google", tmp_path / "back"
    code, _, err = command("convert", hf, google, "--to", "google")
    assert code == 0
    # Google's files have no word for the exact form, and its code shall not take it for the other.
    assert read_json(google / "bert_config.json")["hidden_act"] == "gelu_erf"
    assert "does not know hidden_act 'gelu_erf'" in err
    assert command("convert", google, back, "--to", "huggingface")[0] == 0
    assert_same(safetensors.numpy.load_file(back / "model.safetensors"), tensors)
    assert read_json(back / "config.json").items() >= {**CONFIG, "model_type": "bert"}.items()
    assert read_json(back / "config.json")["architectures"] == [architecture]


@once
@pytest.mark.parametrize(
    ("activation", "epsilon", "in_google", "back"),
    [
        ("gelu_new", 1e-12, "gelu", "gelu_new"),
        ("gelu_pytorch_tanh", 1e-12, "gelu", "gelu_new"),
        ("relu", 1e-12, "relu", "relu"),
        # A key of Hugging Face's makes "gelu" alone mean the exact form.
        ("gelu_new", 1e-5, "gelu_new", "gelu_new"),
        ("gelu_tanh", 1e-12, "gelu", "gelu_new"),
        ("gelu_python", 1e-12, "gelu_erf", "gelu"),
        ("gelu", 1e-5, "gelu_erf", "gelu"),
    ],
)
def test_activations_and_epsilon_keep_their_meaning(
    command, tmp_path, activation, epsilon, in_google, back
):
    tensors = to_checkpoint(random_weights(), "huggingface")
    hf = write_hugging_face_folder(
        tmp_path / "hf", tensors, hidden_act=activation, layer_norm_eps=epsilon
    )
    assert command("convert", hf, tmp_path / "google", "--to", "google")[0] == 0
    config = read_json(tmp_path / "google" / "bert_config.json")
    assert config["hidden_act"] == in_google
    assert config.get("layer_norm_eps", 1e-12) == epsilon
    assert "model_type" not in config
    assert command("convert", tmp_path / "google", tmp_path / "b", "--to", "huggingface")[0] == 0
    assert read_json(tmp_path / "b" / "config.json")["hidden_act"] == back
    assert read_json(tmp_path / "b" / "config.json")["layer_norm_eps"] == epsilon


@once
def test_what_is_not_berts_is_left_out_and_named(command, tmp_path):
    weights = write_google_folder(tmp_path / "google")
    tensors = to_checkpoint(weights, "google")
    kernel = "bert/encoder/layer_0/output/dense/kernel"
    extra = {f"{kernel}/adam_m": tensors[kernel], "global_step": np.int64(7), "output_bias": 1.0}
    write_tensor_bundle(tmp_path / "google" / "bert_model.ckpt", {**tensors, **extra})
    code, out, err = command("convert", tmp_path / "google", tmp_path / "hf", "--to", "huggingface")
    assert (code, out) == (0, "")
    assert all(
        name in err for name in ("left out", "layer_0/output/dense/kernel/adam_m", "output_bias")
    )
    assert len(open_checkpoint(tmp_path / "hf" / "model.safetensors")) == len(tensors)


@once
def test_a_vocabulary_of_tokenizer_json_becomes_a_text_file(command, google, tmp_path):
    hf = tmp_path / "hf"
    assert command("convert", google, hf, "--to", "huggingface")[0] == 0
    tokens = (hf / "vocab.txt").read_text().split()
    vocabulary = {token: index for index, token in enumerate(tokens)}
    document = {"model": {"type": "WordPiece", "vocab": vocabulary}}
    (hf / "tokenizer.json").write_text(json.dumps(document))
    (hf / "vocab.txt").unlink()
    assert command("convert", hf, tmp_path / "google", "--to", "google")[0] == 0
    assert contents(tmp_path / "google", "vocab.txt") == contents(google, "vocab.txt")
    vocabulary["z"] = 99
    (hf / "tokenizer.json").write_text(json.dumps(document))
    code, _, err = command("convert", hf, tmp_path / "other", "--to", "google")
    assert code == 1
    assert "without gaps" in err
    assert not (tmp_path / "other").exists()


@once
def test_case_is_declared_in_what_is_written(command, google, tmp_path):
    assert command("convert", google, tmp_path / "a", "--to", "huggingface", "--cased")[0] == 0
    assert read_json(tmp_path / "a" / "tokenizer_config.json")["do_lower_case"] is False
    assert command("convert", tmp_path / "a", tmp_path / "b", "--to", "google")[0] == 0
    assert read_json(tmp_path / "b" / "tokenizer_config.json")["do_lower_case"] is False


def test_to_keras_and_back(command, google, tmp_path):
    file = tmp_path / "keras" / "model.keras"
    code, _, err = command("convert", google, file)
    size = file.stat().st_size / 1e6
    told = f"{file} written, {size:.1f} MB; its vocabulary is {file.with_name('vocab.txt')}"
    assert (code, err) == (0, f"keras-bert convert: {told}\n")
    assert contents(file.parent, "vocab.txt") == contents(google, "vocab.txt")
    assert command("convert", file, tmp_path / "back", "--to", "google")[0] == 0
    assert contents(tmp_path / "back", *BUNDLE) == contents(google, *BUNDLE)
    config = read_json(tmp_path / "back" / "bert_config.json")
    assert {key: config[key] for key in CONFIG} == CONFIG


def test_the_bar_shows_reading_and_writing(command, google, tmp_path, monkeypatch):
    steps = []

    @contextmanager
    def steps_bar(options, total):
        yield steps.append
        assert len(steps) == total

    monkeypatch.setattr(convert, "steps_bar", steps_bar)
    file = tmp_path / "model.keras"
    for words in (
        (google, tmp_path / "new", "--to", "huggingface"),
        (google, file),
        (file, tmp_path / "back", "--to", "google"),
    ):
        steps.clear()
        assert command("convert", *words)[0] == 0
        assert steps == ["reading", "writing"]


@pytest.mark.slow
@once
def test_a_model_with_a_layer_of_its_own(command, google, tmp_path):
    assert command("convert", google, tmp_path / "bert.keras")[0] == 0
    objects = get_custom_objects()
    bert = keras.models.load_model(tmp_path / "bert.keras", custom_objects=objects)
    output = keras.layers.Dense(2, name="classes")(bert.outputs[1])
    keras.models.Model(bert.inputs, [*bert.outputs, output]).save(tmp_path / "own.keras")
    code, _, err = command("convert", tmp_path / "own.keras", tmp_path / "new", "--to", "google")
    assert code == 1
    assert f"{tmp_path / 'own.keras'} is another model than get_model" in err
    assert "classes (2 instead of 0)" in err


def test_exact_gelu_through_keras(command, tmp_path):
    tensors = {
        name: array
        for name, array in to_checkpoint(random_weights(), "huggingface").items()
        if name.startswith("bert.")
    }
    hf = write_hugging_face_folder(tmp_path / "hf", tensors, layer_norm_eps=1e-5)
    code, _, err = command("convert", hf, tmp_path / "model.keras")
    # A Keras model has both heads or none.
    assert code == 0
    assert "left out: bert.pooler.dense.weight, bert.pooler.dense.bias" in err
    code, _, err = command(
        "convert", tmp_path / "model.keras", tmp_path / "b", "--to", "huggingface"
    )
    assert (code, "no vocabulary" in err) == (0, True)
    config = read_json(tmp_path / "b" / "config.json")
    assert (config["hidden_act"], config["layer_norm_eps"]) == ("gelu", 1e-5)
    converted = safetensors.numpy.load_file(tmp_path / "b" / "model.safetensors")
    assert all(is_same(array, tensors[f"bert.{name}"]) for name, array in converted.items())


@pytest.fixture
def changes(tmp_path):
    """Words of a command that keeps a few of the letters and adds two words."""
    (tmp_path / "keep").write_text("c\na\n[MASK]\n")
    (tmp_path / "add").write_text("ca\nzz\n")
    return ["--keep", tmp_path / "keep", "--add", tmp_path / "add"]


@once
def test_another_vocabulary_in_folders(command, google, tmp_path, changes):
    code, out, err = command("convert", google, tmp_path / "hf", "--to", "huggingface", *changes)
    assert (code, out, err.count("\n")) == (0, "", 1)
    old = (google / "vocab.txt").read_text().split()
    new = (tmp_path / "hf" / "vocab.txt").read_text().split()
    assert new == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "c", "ca", "zz"]
    assert command("convert", google, tmp_path / "all", "--to", "huggingface")[0] == 0
    before, after = (
        safetensors.numpy.load_file(tmp_path / folder / "model.safetensors")
        for folder in ("all", "hf")
    )
    per_token = ("bert.embeddings.word_embeddings.weight", "cls.predictions.bias")
    for name, array in before.items():
        if name not in per_token:
            assert is_same(after[name], array), name
            continue
        kept = array[[old.index(token) for token in new[:-2]]]
        assert is_same(after[name][:-2], kept), name
        # "ca" was "c" and an unknown "##a"; of "zz" nothing was known.
        means = np.stack([array[old.index("c")], array.mean(axis=0)])
        np.testing.assert_allclose(after[name][-2:], means, atol=1e-6, err_msg=name)
    # And back to Google's format, with all of it added again.
    (tmp_path / "keep").write_text("b\n")
    code, _, err = command(
        "convert", tmp_path / "hf", tmp_path / "g", "--to", "google", "--add", tmp_path / "keep"
    )
    assert (code, err.count("\n")) == (0, 1)
    assert (tmp_path / "g" / "vocab.txt").read_text().split() == [*new, "b"]
    assert read_json(tmp_path / "g" / "bert_config.json")["vocab_size"] == 10


@once
def test_blank_lines_in_lists_of_tokens(command, google, tmp_path, changes):
    command("convert", google, tmp_path / "expected", "--to", "google", *changes)
    (tmp_path / "keep").write_text("c\n\na\n[MASK]\n\n\n")
    (tmp_path / "add").write_text("ca\r\nzz\r\n\r\n  \n")
    assert command("convert", google, tmp_path / "new", "--to", "google", *changes)[0] == 0
    files = (*BUNDLE, "vocab.txt")
    assert contents(tmp_path / "new", *files) == contents(tmp_path / "expected", *files)


@once
@pytest.mark.slow
def test_transformers_agrees_on_another_vocabulary(command, google, tmp_path, changes):
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    assert command("convert", google, tmp_path / "all", "--to", "huggingface")[0] == 0
    assert command("convert", google, tmp_path / "hf", "--to", "huggingface", *changes)[0] == 0
    old = (google / "vocab.txt").read_text().split()
    new = (tmp_path / "hf" / "vocab.txt").read_text().split()
    logits = []
    for folder, tokens in (("all", old), ("hf", new)):
        model = transformers.BertForPreTraining.from_pretrained(tmp_path / folder).eval()
        ids = [[tokens.index(token) for token in ("[CLS]", "a", "[MASK]", "c", "[SEP]")]]
        with torch.no_grad():
            logits.append(model(torch.tensor(ids)).prediction_logits.numpy())
    kept = logits[0][..., [old.index(token) for token in new[:-2]]]
    np.testing.assert_allclose(logits[1][..., :-2], kept, atol=1e-5)
    # "ca" was "c" and an unknown "##a"; of "zz" nothing was known.
    means = [logits[0][..., old.index("c")], logits[0].mean(axis=-1)]
    np.testing.assert_allclose(logits[1][..., -2:], np.stack(means, axis=-1), atol=1e-5)


def test_another_vocabulary_to_keras_and_from_there(command, google, tmp_path, changes):
    def convert(source, target, *words):
        assert command("convert", source, tmp_path / target, *words)[:2] == (0, "")
        return tmp_path / target

    direct = convert(google, "direct", "--to", "google", *changes)
    changed = convert(google, "changed/model.keras", *changes)
    as_it_was = convert(google, "whole/model.keras")
    for file, words in ((changed, ()), (as_it_was, changes)):
        folder = convert(file, f"from-{file.parent.name}", "--to", "google", *words)
        assert contents(folder, *BUNDLE, "vocab.txt") == contents(direct, *BUNDLE, "vocab.txt")


@once
def test_a_vocabulary_that_cannot_be_changed(command, google, tmp_path, changes):
    (tmp_path / "keep").write_text("a\nö\n")
    words = ("convert", google, tmp_path / "new", "--to", "google", *changes)
    code, _, err = command(*words)
    assert (code, "`keep` must name tokens of the vocabulary" in err) == (1, True)
    assert not (tmp_path / "new").exists()
    file = tmp_path / "model.keras"
    assert command("convert", google, file)[0] == 0
    (tmp_path / "vocab.txt").unlink()
    code, _, err = command("convert", file, tmp_path / "new", "--to", "google", *changes)
    assert (code, "--keep and --add change a vocabulary, and there is none" in err) == (1, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{google}", "{new}"], "Add --to google or --to huggingface"),
        (["{google}", "{new}.keras", "--to", "google"], "without --to"),
        (["{google}", "{new}.h5"], "must end in .keras. Received: "),
        (["{google}/vocab.txt", "{new}", "--to", "google"], "SOURCE must be a model folder"),
        (["tinny", "{new}", "--to", "google"], "There is no model 'tinny': "),
        (
            ["no/where", "{new}", "--to", "google"],
            "no file or folder no/where, nor is it a URL",
        ),
        (
            ["{google}/bert_model.ckpt", "{new}", "--to", "huggingface"],
            "It is the prefix of a TensorFlow checkpoint: pass its folder, '{google}'.",
        ),
        (["{google}", "{google}", "--to", "huggingface"], "is there already"),
    ],
)
@once
def test_errors(command, google, tmp_path, words, message):
    words = [word.format(google=google, new=tmp_path / "new") for word in words]
    code, out, err = command("convert", *words)
    assert (code, out) == (1, "")
    assert message.format(google=google) in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("count", "size", "code"), [(31, 30, 1), (30, 157, 0)])
def test_a_vocabulary_that_cannot_be_the_models(command, tmp_path, count, size, code):
    write_google_folder(tmp_path / "google", {**CONFIG, "vocab_size": size})
    (tmp_path / "google" / "vocab.txt").unlink()
    file, vocabulary = tmp_path / "model.keras", tmp_path / "other.txt"
    assert command("convert", tmp_path / "google", file)[0] == 0
    vocabulary.write_text("".join(f"word{index}\n" for index in range(count)))
    words = ("convert", file, tmp_path / "new", "--to", "google", "--vocab", vocabulary)
    told = f"{vocabulary} has {count} tokens, the model {size}: it is another model's vocabulary"
    found, _, err = command(*words)
    assert (found, told in err) == (code, code == 1)
    assert (tmp_path / "new").exists() == (code == 0)


def test_a_vocabulary_with_fewer_tokens_is_remarked(command, google, tmp_path):
    words = "".join(f"word{index}\n" for index in range(20))
    told = "vocab.txt has 20 tokens, the model 30: does it belong to it?\n"
    file = tmp_path / "model.keras"
    assert command("convert", google, file)[0] == 0
    (tmp_path / "vocab.txt").write_text(words)
    code, _, err = command("convert", file, tmp_path / "back", "--to", "google")
    assert (code, err.splitlines(True)[0]) == (0, f"keras-bert convert: {tmp_path}/{told}")
    code, _, err = command("convert", tmp_path / "back", tmp_path / "hf", "--to", "huggingface")
    assert (code, err.splitlines(True)[0]) == (0, f"keras-bert convert: {tmp_path}/back/{told}")
    code, _, err = command("convert", tmp_path / "back", tmp_path / "new" / "model.keras")
    assert (code, err.splitlines(True)[0]) == (0, f"keras-bert convert: {tmp_path}/back/{told}")


@once
@pytest.mark.parametrize("option", ["--keep", "--add"])
def test_a_folder_is_no_file_of_tokens(command, google, tmp_path, option):
    words = ("convert", google, tmp_path / "new", "--to", "google", option, google)
    told = f"keras-bert convert: {option} must name a file. Received: the folder {google}.\n"
    assert command(*words) == (1, "", told)


LIMITED = """
import resource
import runpy

resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
runpy.run_module("keras_bert", run_name="__main__")
"""


@once
@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="limits of a process are Unix'")
@pytest.mark.parametrize(
    "words", [["new/m.keras"], ["new", "--to", "google"], ["new", "--to", "huggingface"]]
)
def test_a_full_disk(google, tmp_path, words):
    """Here a limit for each file, which ends a write as a full disk does."""
    words = ("convert", google, tmp_path / words[0], *words[1:])
    process = start(*words, prefix=("-c", LIMITED))
    out, err = process.communicate(timeout=280)
    assert (process.returncode, out) == (1, "")
    last = err.splitlines()[-1]
    assert last.startswith("keras-bert convert: ")
    assert "File too large" in last
    assert str(tmp_path) in last
    assert "Traceback" not in err
    assert [path for path in tmp_path.rglob("*") if path.name != "new"] == []


@once
def test_a_folder_whose_files_do_not_belong_together(command, tmp_path):
    write_google_folder(tmp_path / "google")
    config = {**CONFIG, "vocab_size": 31}
    (tmp_path / "google" / "bert_config.json").write_text(json.dumps(config))
    code, _, err = command("convert", tmp_path / "google", tmp_path / "hf", "--to", "huggingface")
    assert code == 1
    assert "vocab_size is 31, the file's 30" in err
    assert not (tmp_path / "hf").exists()


@once
@pytest.mark.parametrize(
    "folder", ["model_garden/saved_model", "model_garden/electra", "transformers_tf/bert"]
)
@pytest.mark.parametrize("target", ["google", "huggingface", "keras"])
def test_models_of_tensorflow_2_keep_their_numbers(command, tmp_path, folder, target):
    source = DATA.parent / folder
    if target == "keras":
        path = tmp_path / "model" / "model.keras"
        assert command("convert", source, path)[0] == 0
        model = keras.models.load_model(path, custom_objects=get_custom_objects())
    else:
        assert command("convert", source, tmp_path / "model", "--to", target)[0] == 0
        model = load_trained_model_from_checkpoint(
            *get_checkpoint_paths(tmp_path / "model")[:2], seq_len=None
        )
    assert (tmp_path / "model" / "vocab.txt").read_text() == "\n".join(WORDS) + "\n"
    with np.load(source / "outputs.npz") as outputs:
        tokens, segments, hidden = (outputs[key] for key in ("tokens", "segments", "hidden"))
    encoder = keras.Model(model.inputs[:2], model.get_layer("Encoder-2-FeedForward-Norm").output)
    features = encoder.predict([tokens, segments], verbose=0)
    np.testing.assert_allclose(features[tokens != 0], hidden[-1][tokens != 0], rtol=0, atol=1e-5)


@pytest.mark.slow
@once
def test_a_vocabulary_of_sentencepiece_goes_along_as_it_is(command, tmp_path):
    pytest.importorskip("sentencepiece")
    write_relative(tmp_path / "google", ALBERT, naming="google", vocab_size=600)
    (tmp_path / "google/vocab.txt").unlink()
    pieces = (DATA.parent / "sentencepiece/spiece.model").read_bytes()
    (tmp_path / "google/30k-clean.model").write_bytes(pieces)
    assert command("convert", tmp_path / "google", tmp_path / "hf", "--to", "huggingface")[0] == 0
    assert command("convert", tmp_path / "hf", tmp_path / "keras/m.keras")[0] == 0
    keras_file = tmp_path / "keras/m.keras"
    assert command("convert", keras_file, tmp_path / "back", "--to", "google")[0] == 0
    for folder in ("hf", "keras", "back"):
        assert (tmp_path / folder / "spiece.model").read_bytes() == pieces
    transformers = pytest.importorskip("transformers", minversion="5")
    text = 'In the film, he was "good" (a well-made one) in 1999, too.'
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "hf")(text)["input_ids"]
    assert load_tokenizer(tmp_path / "hf/spiece.model", official=True).encode(text)[0] == theirs
    assert load_tokenizer(tmp_path / "google/30k-clean.model").encode(text)[0] == theirs
    assert read_json(tmp_path / "hf/tokenizer_config.json")["tokenizer_class"] == "AlbertTokenizer"
    before, after = (
        extract_embeddings(str(tmp_path / name), ["A play of words."])[0]
        for name in ("google", "back")
    )
    np.testing.assert_array_equal(before, after)
    words = tmp_path / "words.txt"
    words.write_text("play\n")
    code, _, err = command(
        *("convert", tmp_path / "hf", tmp_path / "cut", "--to", "google", "--keep", words)
    )
    assert code == 1
    assert "are for vocabularies of WordPiece. Received:" in err


@pytest.mark.slow
@once
@pytest.mark.parametrize("name", ["tokenizer.json", "spiece.model"])
def test_texts_are_read_alike_after_a_keras_file(command, tmp_path, name):
    """With their case and accents, and with added tokens."""
    pytest.importorskip("sentencepiece")
    source = tmp_path / "source"
    write_relative(source, ALBERT, naming="google", vocab_size=601)
    (source / "vocab.txt").unlink()
    write_cased_pieces(source / name)
    settings = {"keep_accents": True, "added_tokens_decoder": {"600": {"content": "<url>"}}}
    (source / "tokenizer_config.json").write_text(json.dumps(settings), "utf-8")
    keras_file = tmp_path / "keras/m.keras"
    assert command("convert", source, keras_file)[0] == 0
    assert command("convert", keras_file, tmp_path / "back", "--to", "huggingface")[0] == 0
    text = "THE café of <url> FILM"
    tokenizers = [
        load_tokenizer(folder / name, official=True)
        for folder in (source, tmp_path / "keras", tmp_path / "back")
    ]
    first, *others = [each.tokenize(text) for each in tokenizers]
    assert [*others] == [first, first]
    assert "<url>" in first or name == "tokenizer.json"  # which lists its own added tokens


@once
def test_settings_of_another_model_are_not_written_over(command, tmp_path):
    (tmp_path / "tokenizer_config.json").write_text("{}")
    code, _, err = command("convert", TASKS / "bert-sequence", tmp_path / "m.keras")
    assert (code, "tokenizer_config.json is there already, for another model" in err) == (1, True)
    assert [each.name for each in tmp_path.iterdir()] == ["tokenizer_config.json"]


@once
@pytest.mark.parametrize("name", ["bert-sequence", "distilbert-sequence", "bert-answers"])
def test_a_head_that_is_left_out_is_named(command, tmp_path, name):
    code, _, err = command("convert", TASKS / name, tmp_path / "new", "--to", "huggingface")
    assert code == 0
    assert "left out: " in err
    assert "the head that classifies or answers is not converted; save_task_model writes" in err


@once
def test_what_a_folder_says_about_sentences_is_left_out(command, tmp_path):
    write_sentence_folder(tmp_path / "model")
    code, _, err = command("convert", tmp_path / "model", tmp_path / "new", "--to", "huggingface")
    assert code == 0
    assert "left out: what the folder says about sentences" in err
    assert not (tmp_path / "new" / "modules.json").exists()
