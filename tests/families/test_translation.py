"""From Google's names to Hugging Face's and back, by the rules of Hugging Face's own conversion."""

import ml_dtypes
import numpy as np
import pytest
from bert_tensors import google_tensors, huggingface_tensors, open_bundle, open_safetensors
from checkpoint_files import assert_same

from keras_bert.families import BERT
from keras_bert.families.translation import (
    as_hugging_face_names,
    heads_of,
    left_out,
    translate,
    with_changed_rows,
)
from keras_bert.families.weights import find_weights


def find(checkpoint, heads="any"):
    return find_weights(BERT, {"num_hidden_layers": 2}, checkpoint, heads)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
def test_both_ways(tmp_path, training, dtype):
    google = google_tensors(2, training)
    google = {name: array.astype(dtype) for name, array in google.items()}
    hugging_face = huggingface_tensors(google)
    for tensors in (google, hugging_face):
        checkpoint = open_bundle(tmp_path, tensors)
        assert_same(translate(checkpoint, find(checkpoint), "google"), google)
        translated = translate(checkpoint, find(checkpoint), "huggingface")
        assert_same(translated, hugging_face)
        assert all(array.flags.c_contiguous for array in translated.values())


def test_which_heads_are_there(tmp_path):
    tensors = huggingface_tensors(google_tensors(2, training=True))
    for prefixes, heads in [
        (("bert.", "cls."), ["pooler", "masked words", "next sentence"]),
        (("bert.embed", "bert.enc", "cls.pred"), ["masked words"]),
        (("bert.",), ["pooler"]),
        (("bert.embed", "bert.enc"), []),
    ]:
        kept = {name: array for name, array in tensors.items() if name.startswith(prefixes)}
        assert heads_of(BERT, find(open_safetensors(tmp_path, kept))) == heads


def test_what_is_left_out(tmp_path):
    tensors = huggingface_tensors(google_tensors(2, training=True))
    words = tensors["bert.embeddings.word_embeddings.weight"]
    tensors |= {
        "cls.predictions.decoder.weight": words.copy(),
        "bert.embeddings.position_ids": np.arange(7),
        "classifier.weight": np.zeros((2, 4), np.float32),
    }
    checkpoint = open_safetensors(tmp_path, tensors)
    assert left_out(checkpoint, find(checkpoint)) == ["classifier.weight"]


def test_names_of_an_encoder_have_no_prefix():
    encoder = huggingface_tensors(google_tensors(2, training=False))
    assert as_hugging_face_names(BERT, encoder).keys() == {
        name.removeprefix("bert.") for name in encoder
    }
    with_heads = huggingface_tensors(google_tensors(2, training=True))
    assert as_hugging_face_names(BERT, with_heads).keys() == with_heads.keys()


def test_rows_of_another_vocabulary(tmp_path):
    google = google_tensors(2, training=True)
    checkpoint = open_bundle(tmp_path, google)
    rows = [3, 1, 1]
    changed = with_changed_rows(checkpoint, find(checkpoint), 11, 3, lambda array: array[rows])
    per_token = ("bert/embeddings/word_embeddings", "cls/predictions/output_bias")
    expected = {name: array[rows] if name in per_token else array for name, array in google.items()}
    assert_same(dict(changed), expected)
    assert changed.shape("bert/embeddings/word_embeddings") == (3, 4)
    unchanged = with_changed_rows(checkpoint, find(checkpoint), 12, 3, lambda array: array[rows])
    assert_same(dict(unchanged), google)
