"""What users name a model by, wherever a folder is taken."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from archives import FILES, make_archive, read
from runtimes import once

from keras_bert import (
    Extractor,
    PretrainedList,
    extract_embeddings,
    extract_embeddings_generator,
    get_checkpoint_paths,
    get_pretrained,
    util,
)
from keras_bert.datasets.folders import model_folder
from keras_bert.datasets.official import on_hub_page


@once
def test_paths_names_and_addresses(tmp_path, home):
    assert model_folder(tmp_path) == str(tmp_path)
    assert model_folder("tiny") == PretrainedList.tiny
    archive = make_archive(tmp_path / "model.zip")
    for name in (archive, str(archive), archive.as_uri(), f"file:{archive}"):
        assert read(model_folder(name)) == FILES


@once
def test_a_folder_comes_before_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").mkdir()
    assert model_folder("tiny") == "tiny"


@once
@pytest.mark.parametrize("take", [model_folder, get_pretrained, extract_embeddings, Extractor])
@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("tinny", "tiny"),
        ("chinese-base", "chinese_base"),
        ("Uncased_L2_H128", "uncased_l2_h128"),
        ("tyni", "tiny"),
    ],
)
def test_a_mistyped_name_suggests_the_nearest(take, typed, meant):
    arguments = ([],) if take is extract_embeddings else ()
    with pytest.raises(
        FileNotFoundError, match=f"no model '{typed}': .* hf://.*Is '{meant}' meant"
    ):
        take(typed, *arguments)


@once
@pytest.mark.parametrize(
    ("typed", "organization"),
    [
        ("bert-base-uncased", "google-bert"),
        ("bert-base-chinese", "google-bert"),
        ("bert-large-uncased-whole-word-masking", "google-bert"),
        ("albert-base-v2", "albert"),
        ("albert-xxlarge-v1", "albert"),
        ("distilbert-base-multilingual-cased", "distilbert"),
        ("all-MiniLM-L6-v2", "sentence-transformers"),
        ("paraphrase-multilingual-MiniLM-L12-v2", "sentence-transformers"),
    ],
)
def test_a_name_of_the_hub_without_its_organization(home, typed, organization):
    with pytest.raises(FileNotFoundError, match=rf"Is 'hf://{organization}/{typed}' meant\?$"):
        model_folder(typed)
    assert not home.exists()


@once
def test_a_name_like_none_suggests_none(home):
    for name in ("a/b/c", "./a", "C:/a", "~/a"):
        with pytest.raises(FileNotFoundError, match=rf"no model '{name}'.*on the hub\.$"):
            model_folder(name)
    assert not home.exists()


@once
@pytest.mark.parametrize("name", ["org/name", Path("hf://org/name"), "HF://org/name"])
def test_a_name_of_the_hub_is_suggested_with_its_prefix(home, name):
    with pytest.raises(FileNotFoundError, match=r"Is 'hf://org/name' meant\?$"):
        model_folder(name)
    assert not home.exists()


@once
@pytest.mark.parametrize("take", [model_folder, get_pretrained])
@pytest.mark.parametrize(
    ("page", "meant"),
    [
        ("https://huggingface.co/bert-base-uncased", "google-bert/bert-base-uncased"),
        ("https://huggingface.co/org/name", "org/name"),
        ("https://hf-mirror.com/org/name/", "org/name"),
        ("http://www.huggingface.co/org/name/tree/main", "org/name"),
        ("https://huggingface.co/org/name/blob/v1.0/config.json?raw=1", "org/name@v1.0"),
        ("https://huggingface.co/gpt2#files", "gpt2"),
        ("https://huggingface.co/tiny", "tiny"),
    ],
)
def test_a_page_of_the_hub_is_answered_with_the_name_there(home, take, page, meant):
    with pytest.raises(FileNotFoundError, match=rf"Is 'hf://{meant}' meant\?$"):
        take(page)
    assert not home.exists()


@once
@pytest.mark.parametrize(
    "url",
    [
        "https://huggingface.co/org/name/resolve/main/model.zip",
        "https://huggingface.co/org/name/blob/main/model.tar.gz",
        "https://example.com/org/name",
    ],
)
def test_archives_on_the_hub_and_other_pages_are_none_of_these(url):
    assert on_hub_page(url) is None


@once
@pytest.mark.parametrize("name", [None, 5, b"tiny"])
def test_what_names_no_model(name):
    with pytest.raises(TypeError, match=r"What names a model must be the path .*Received: "):
        model_folder(name)
    with pytest.raises(TypeError, match=r"`model_path` must be the path .*Received: "):
        get_checkpoint_paths(name)
    with pytest.raises(TypeError, match=r"`info` must be the path .*Received: "):
        get_pretrained(name)


def test_functions_take_a_name():
    texts = ["all work", "and no play"]
    expected = extract_embeddings(PretrainedList.tiny, texts, "POOL_AVE")
    np.testing.assert_array_equal(extract_embeddings("tiny", texts, "POOL_AVE"), expected)
    generated = list(extract_embeddings_generator("tiny", texts, "POOL_AVE"))
    np.testing.assert_array_equal(generated, expected)
    np.testing.assert_array_equal(Extractor("tiny")({"text": texts})["vector"], expected)


@once
def test_paths_of_files_by_name():
    assert get_checkpoint_paths("tiny") == get_checkpoint_paths(PretrainedList.tiny)
    assert util.get_checkpoint_paths is get_checkpoint_paths


@once
@pytest.mark.parametrize("name", ["tinny", "none/here", "http://127.0.0.1:9/x.zip"])
def test_paths_of_files_in_no_folder_are_google_s_as_ever(name):
    assert get_checkpoint_paths(name) == tuple(
        f"{name}/{file}" for file in ("bert_config.json", "bert_model.ckpt", "vocab.txt")
    )


@once
def test_the_hub_s_library_is_imported_only_for_the_hub():
    code = "import sys; from keras_bert.datasets import folders; folders.model_folder('tiny')"
    code += "; print([name for name in ('huggingface_hub', 'keras') if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"
