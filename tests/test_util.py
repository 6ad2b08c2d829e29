"""The path that old scripts import extraction from."""

import keras_bert
from keras_bert import extraction, util
from keras_bert.datasets import folders


def test_names_are_those_of_the_package():
    for name in util.__all__:
        assert getattr(util, name) is getattr(keras_bert, name)
    for name in ("extract_embeddings", "extract_embeddings_generator", "POOL_NSP", "POOL_AVE"):
        assert getattr(util, name) is getattr(extraction, name)
    assert util.get_checkpoint_paths is folders.get_checkpoint_paths


def test_as_a_script_for_the_old_package_uses_it():
    """By position, with a folder and the constants of this module."""
    from keras_bert.datasets import PretrainedList, get_pretrained
    from keras_bert.util import POOL_MAX, POOL_NSP, extract_embeddings

    texts = ["all work and no play", ("makes jack", "a dull boy~")]
    found = extract_embeddings(get_pretrained(PretrainedList.tiny), texts, [POOL_NSP, POOL_MAX])
    assert [vector.shape for vector in found] == [(256,), (256,)]
