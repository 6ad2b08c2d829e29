"""Model folders read and written: what each kind holds, and nothing half written."""

import json
import shutil

import numpy as np
import pytest
from checkpoint_files import assert_same, is_same
from model_folders import (
    CONFIG,
    WORDS,
    random_weights,
    write_cased_pieces,
    write_google_folder,
    write_pieces_folder,
)
from tokenizer_texts import PIECES

from keras_bert import CheckpointError, ConfigError, VocabularyChange, load_tokenizer
from keras_bert.checkpoints import open_checkpoint
from keras_bert.families.weights import to_checkpoint
from keras_bert.saving.conversion import (
    read_folder,
    with_vocabulary,
    write_hugging_face_folder,
)
from keras_bert.saving.conversion import (
    write_google_folder as write_google,
)

VOCABULARY = {word: index for index, word in enumerate(WORDS)}


@pytest.fixture
def google(tmp_path):
    write_google_folder(tmp_path / "google")
    return tmp_path / "google"


def read_json(path):
    return json.loads(path.read_text("utf-8"))


def test_what_a_folder_holds(google):
    files = read_folder(google)
    assert files.config == {**CONFIG, "hidden_act": "gelu_tanh"}
    assert (dict(files.vocabulary), files.cased, files.left_out) == (VOCABULARY, False, [])
    for naming in ("google", "huggingface"):
        expected = to_checkpoint(random_weights(), naming)
        assert_same(files.tensors(naming), expected)


def test_a_folder_without_a_vocabulary(google):
    (google / "vocab.txt").unlink()
    files = read_folder(google)
    assert files.vocabulary is None
    write_google(google.with_name("new"), files)
    names = sorted(path.name for path in google.with_name("new").iterdir())
    assert names == [
        "bert_config.json",
        "bert_model.ckpt.data-00000-of-00001",
        "bert_model.ckpt.index",
    ]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"model_type": "roberta"}, ConfigError),
        ({"vocab_size": 29}, CheckpointError),
        ({"num_hidden_layers": 3}, CheckpointError),
    ],
)
def test_files_that_do_not_belong_together(google, changes, error):
    (google / "bert_config.json").write_text(json.dumps({**CONFIG, **changes}))
    with pytest.raises(error):
        read_folder(google)


def test_a_folder_of_google(tmp_path, google):
    files = read_folder(google)
    assert write_google(tmp_path / "new", files._replace(cased=True)) == []
    assert read_json(tmp_path / "new" / "bert_config.json") == CONFIG
    assert read_json(tmp_path / "new" / "tokenizer_config.json") == {
        "do_lower_case": False,
        "model_max_length": 16,
        "tokenizer_class": "BertTokenizer",
    }
    assert (tmp_path / "new" / "vocab.txt").read_text("utf-8").split("\n")[:-1] == WORDS
    again = read_folder(tmp_path / "new")
    assert again.cased
    assert again.config == files.config


def test_what_googles_code_would_not_understand(tmp_path, google):
    config = {**read_folder(google).config, "layer_norm_eps": 1e-5, "hidden_act": "gelu_erf"}
    remarks = write_google(tmp_path / "new", read_folder(google)._replace(config=config))
    assert remarks == [
        "Google's own code would take 1e-12 for layer_norm_eps; keras_bert reads it as it is",
        "Google's own code does not know hidden_act 'gelu_erf'; keras_bert reads it as it is",
    ]
    assert read_folder(tmp_path / "new").config["hidden_act"] == "gelu_erf"


def test_a_folder_of_hugging_face(tmp_path, google):
    assert write_hugging_face_folder(tmp_path / "new", read_folder(google)) == []
    config = read_json(tmp_path / "new" / "config.json")
    assert config == {
        **CONFIG,
        "architectures": ["BertForPreTraining"],
        "hidden_act": "gelu_new",
        "layer_norm_eps": 1e-12,
        "model_type": "bert",
        "pad_token_id": 0,
    }
    with open_checkpoint(tmp_path / "new" / "model.safetensors") as checkpoint:
        assert "bert.pooler.dense.weight" in checkpoint
    assert read_folder(tmp_path / "new").config["hidden_act"] == "gelu_tanh"


def test_another_vocabulary(google):
    files = read_folder(google)
    change = VocabularyChange(files.vocabulary, keep=["b"], add=["new"])
    changed = with_vocabulary(files, change)
    assert changed.config["vocab_size"] == len(changed.vocabulary) == 7
    for naming, words, bias in [
        ("google", "bert/embeddings/word_embeddings", "cls/predictions/output_bias"),
        ("huggingface", "bert.embeddings.word_embeddings.weight", "cls.predictions.bias"),
    ]:
        old, new = files.tensors(naming), changed.tensors(naming)
        for name in old:
            if name in (words, bias):
                kept = [VOCABULARY[word] for word in (*WORDS[:5], "b")]
                assert is_same(new[name][:6], old[name][kept])
                assert new[name].shape[0] == 7
            else:
                assert is_same(new[name], old[name]), name
    other = VocabularyChange({word: index for index, word in enumerate(WORDS[:-1])})
    with pytest.raises(ValueError, match="29"):
        with_vocabulary(files, other)


def test_a_write_that_breaks_off_leaves_nothing(tmp_path, google):
    def break_off(naming):
        raise MemoryError

    files = read_folder(google)._replace(tensors=break_off)
    for write in (write_google, write_hugging_face_folder):
        with pytest.raises(MemoryError):
            write(tmp_path / "new", files)
    assert [path.name for path in tmp_path.iterdir()] == ["google"]


def test_nothing_is_written_over(tmp_path, google):
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    for name in ("google", "file"):
        with pytest.raises(FileExistsError, match=r"is there already: delete it"):
            write_google(tmp_path / name, read_folder(google))
    write_google(tmp_path / "empty", read_folder(google))
    assert (tmp_path / "empty" / "vocab.txt").exists()


def test_16_bit_weights_stay_as_they_are(tmp_path, google):
    files = read_folder(google)

    def halves(naming):
        return {name: array.astype(np.float16) for name, array in files.tensors(naming).items()}

    write_hugging_face_folder(tmp_path / "new", files._replace(tensors=halves))
    tensors = read_folder(tmp_path / "new").tensors("google")
    assert all(is_same(tensors[name], array) for name, array in halves("google").items())


@pytest.mark.parametrize("name", ["tokenizer.json", "spiece.model"])
@pytest.mark.parametrize("write", [write_google, write_hugging_face_folder])
def test_texts_keep_their_case_where_only_the_pieces_tell(tmp_path, name, write):
    pytest.importorskip("sentencepiece")
    write_pieces_folder(tmp_path / "old")
    (tmp_path / "old/tokenizer.json").unlink()
    write_cased_pieces(tmp_path / "old" / name)
    files = read_folder(tmp_path / "old")
    assert files.cased
    write(tmp_path / "new", files)
    text = "THE café of the FILM"
    old, new = (load_tokenizer(tmp_path / each / name) for each in ("old", "new"))
    assert new.tokenize(text) == old.tokenize(text) != old.tokenize(text.lower())
    if write is write_hugging_face_folder:
        both = load_tokenizer(tmp_path / "new/tokenizer.json"), new
        assert both[0].tokenize(text) == both[1].tokenize(text)


def test_a_tokenizer_json_of_another_name_is_the_one_that_is_written(tmp_path):
    pytest.importorskip("sentencepiece")
    write_pieces_folder(tmp_path / "old")  # with a tokenizer.json of its own
    other = tmp_path / "old/other.JSON"
    write_cased_pieces(other.with_name("cased.json"))
    other.with_name("cased.json").rename(other)
    files = read_folder(tmp_path / "old")._replace(vocabulary=other)
    write_hugging_face_folder(tmp_path / "new", files)
    assert (tmp_path / "new/tokenizer.json").read_bytes() == other.read_bytes()
    assert not (tmp_path / "new/spiece.model").exists()


def test_a_tokenizer_json_beside_the_model_that_says_something_else_is_not_copied(tmp_path):
    pytest.importorskip("sentencepiece")
    write_pieces_folder(tmp_path / "old")
    (tmp_path / "old/tokenizer.json").unlink()
    shutil.copy(PIECES / "spiece.model", tmp_path / "old")
    document = read_json(PIECES / "tokenizer.json")
    document["model"]["vocab"] = document["model"]["vocab"][:300]
    (tmp_path / "old/tokenizer.json").write_text(json.dumps(document), "utf-8")
    write_hugging_face_folder(tmp_path / "new", read_folder(tmp_path / "old"))
    made, model = (
        load_tokenizer(tmp_path / "new" / name) for name in ("tokenizer.json", "spiece.model")
    )
    text = "In the film, the world of words."
    assert made.tokenize(text) == model.tokenize(text)
