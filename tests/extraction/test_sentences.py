"""`POOL_SENTENCE`: vectors as a folder of sentence-transformers describes them."""

import numpy as np
import pytest
from devices import rounding
from sentence_folders import TEXTS, vectors_by_hand, write_sentence_folder

from keras_bert import (
    POOL_SENTENCE,
    Extractor,
    Tokenizer,
    extract_embeddings,
    extract_embeddings_generator,
    get_custom_objects,
    load_sentence_model,
    load_trained_model_from_checkpoint,
    load_vocabulary,
)
from keras_bert.backend import models

SETTINGS = {"prompts": {"query": "q: ", "doc": "", "upper": "X "}, "default_prompt_name": None}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("sentences") / "model"
    write_sentence_folder(path, settings=SETTINGS)
    return path


def vectors(folder, texts, length=10, **options):
    """What the formulas give for texts."""
    encoder = load_trained_model_from_checkpoint(
        folder / "config.json", folder / "model.safetensors", seq_len=length
    )
    vocabulary = load_vocabulary(folder / "vocab.txt")
    tokenizer = Tokenizer(vocabulary, official=True, **options)
    return vectors_by_hand(extract_embeddings(encoder, texts, vocabs=tokenizer), ["mean"])


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding(1e-5))


def test_a_folder_and_its_model_give_the_same(folder):
    expected = vectors(folder, TEXTS)
    assert_close(extract_embeddings(str(folder), TEXTS, POOL_SENTENCE, stacked=True), expected)
    model = load_sentence_model(folder)
    assert_close(extract_embeddings(model, TEXTS, [POOL_SENTENCE]), expected)
    assert_close(list(extract_embeddings_generator(model, iter(TEXTS), POOL_SENTENCE)), expected)
    np.testing.assert_allclose(np.linalg.norm(expected, axis=1), 1, rtol=1e-6)


def test_tokens_are_official(folder):
    """The word abz is one [UNK], by the rules of 0.89 [UNK] after a part of it."""
    found = extract_embeddings(folder, ["ab abz", "[MASK] a"], POOL_SENTENCE)
    assert_close(found, vectors(folder, ["ab abz", "[MASK] a"]))


@pytest.mark.parametrize(("prompt", "before"), [("query", "q: "), ("doc", ""), ("", "")])
def test_prompts(folder, prompt, before):
    found = extract_embeddings(folder, TEXTS[:4], POOL_SENTENCE, prompt=prompt)
    assert_close(found, vectors(folder, [before + text for text in TEXTS[:4]]))


def test_the_folders_own_prompt_and_none(tmp_path):
    settings = {**SETTINGS, "default_prompt_name": "query"}
    write_sentence_folder(tmp_path / "model", settings=settings)
    found = extract_embeddings(tmp_path / "model", ["a b"], POOL_SENTENCE)
    assert_close(found, vectors(tmp_path / "model", ["q: a b"]))
    found = extract_embeddings(tmp_path / "model", ["a b"], POOL_SENTENCE, prompt="")
    assert_close(found, vectors(tmp_path / "model", ["a b"]))


def test_texts_in_lower_case_whatever_the_tokenizer_does(tmp_path):
    write_sentence_folder(
        tmp_path / "model", settings=SETTINGS, transformer={"do_lower_case": True}
    )
    (tmp_path / "model" / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    found = extract_embeddings(tmp_path / "model", ["A B"], POOL_SENTENCE, prompt="upper")
    assert_close(found, vectors(tmp_path / "model", ["x a b"], cased=True))


def test_a_pooling_that_leaves_out_prompts(tmp_path):
    pooling = {"pooling_mode": "mean", "include_prompt": False}
    write_sentence_folder(tmp_path / "model", settings=SETTINGS, pooling=pooling)
    assert_close(
        extract_embeddings(tmp_path / "model", ["a b"], POOL_SENTENCE),
        vectors(tmp_path / "model", ["a b"]),
    )
    with pytest.raises(ValueError, match=r"leaves out the tokens of prompts.*prompt='query'"):
        extract_embeddings(tmp_path / "model", ["a b"], POOL_SENTENCE, prompt="query")


def test_a_model_from_a_file_needs_its_tokenizer(folder, tmp_path):
    load_sentence_model(folder).save(tmp_path / "model.keras")
    model = models.load_model(tmp_path / "model.keras", get_custom_objects())
    with pytest.raises(ValueError, match="needs `vocabs`: its tokenizer"):
        extract_embeddings(model, TEXTS, POOL_SENTENCE)
    vocabulary = load_vocabulary(folder / "vocab.txt")
    for vocabs in (vocabulary, Tokenizer(vocabulary, official=True)):
        found = extract_embeddings(model, TEXTS, POOL_SENTENCE, vocabs=vocabs)
        assert_close(found, vectors(folder, TEXTS, length=16))  # the model's own length


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prompt": "passage"}, "which are 'query', 'doc', 'upper'. Received: 'passage'"),
        ({"output_layer_num": 2}, "leave out `output_layer_num`. Received: 2"),
        ({"cased": True}, "`cased` must be that of the model's tokenizer.*cased=True"),
        ({"poolings": "POOL_AVE", "prompt": "query"}, "`prompt` is for poolings='POOL_SENTENCE'"),
        ({"poolings": None, "stacked": True}, "`stacked` needs `poolings`"),
        ({"batch_size": 0}, "`batch_size` must be positive"),
    ],
)
def test_options_that_do_not_fit(folder, options, message):
    with pytest.raises(ValueError, match=message):
        extract_embeddings(folder, TEXTS, **{"poolings": POOL_SENTENCE, **options})


def test_models_of_the_other_kind(folder):
    encoder = load_trained_model_from_checkpoint(
        folder / "config.json", folder / "model.safetensors"
    )
    vocabulary = load_vocabulary(folder / "vocab.txt")
    with pytest.raises(ValueError, match=r"give vectors \(B, D\), as those of load_sentence_model"):
        extract_embeddings(encoder, TEXTS, POOL_SENTENCE, vocabs=vocabulary)
    with pytest.raises(ValueError, match=r"one output \(B, T, D\).* pass poolings='POOL_S"):
        extract_embeddings(load_sentence_model(folder), TEXTS, "POOL_AVE", vocabs=vocabulary)


def test_a_vocabulary_keeps_the_case_of_the_folder(tmp_path):
    write_sentence_folder(tmp_path / "model")
    (tmp_path / "model" / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    model = load_sentence_model(tmp_path / "model")
    vocabulary = load_vocabulary(tmp_path / "model" / "vocab.txt")
    expected = extract_embeddings(model, ["A a"], POOL_SENTENCE)
    assert_close(extract_embeddings(model, ["A a"], POOL_SENTENCE, vocabulary), expected)
    # Where nothing tells, capital letters in the vocabulary are worth a warning.
    copy = models.Model(model.inputs, model.outputs)
    tokens = {"": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "A": 4, "a": 5}
    with pytest.warns(UserWarning, match="`cased` was not given") as warned:
        extract_embeddings(copy, ["A a"], POOL_SENTENCE, tokens)
    assert warned[0].filename == __file__


@pytest.mark.parametrize("poolings", [POOL_SENTENCE, "POOL_AVE", ["POOL_MAX", "POOL_NSP"]])
def test_no_texts_stacked(folder, poolings):
    width = 24 if isinstance(poolings, list) else 12
    assert extract_embeddings(folder, [], poolings, stacked=True).shape == (0, width)


def test_stacked_vectors_are_those_of_the_list(folder):
    found = extract_embeddings(folder, TEXTS, ["POOL_AVE", "POOL_NSP"], stacked=True)
    assert found.dtype == "float32"
    listed = extract_embeddings(folder, TEXTS, ["POOL_AVE", "POOL_NSP"])
    np.testing.assert_array_equal(found, np.stack(listed))


def test_columns_of_tables(folder):
    extract = Extractor(folder, POOL_SENTENCE, prompt="query")
    table = extract({"text": ["a b", "c"]})
    assert_close(table["vector"], vectors(folder, ["q: a b", "q: c"]))
    assert extract({"text": []})["vector"].shape == (0, 12)
