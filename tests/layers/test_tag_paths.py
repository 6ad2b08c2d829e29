import numpy as np
import pytest
from runtimes import to_numpy
from tag_sequences import all_masks, best_sequence, log_probability

from keras_bert.backend import ops
from keras_bert.layers.tag_paths import ends, log_likelihood, viterbi_path

UNITS = 3


def problem(length):
    """Random scores, transitions and tags under every mask."""
    random = np.random.RandomState(length)
    masks = all_masks(length)
    scores = random.normal(size=(*masks.shape, UNITS)).astype("float32")
    transitions = 2 * random.normal(size=(UNITS, UNITS)).astype("float32")
    return scores, transitions, masks, random.randint(0, UNITS, size=masks.shape)


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_the_best_sequence_is_the_best_of_all(length):
    scores, transitions, masks, _ = problem(length)
    path = to_numpy(viterbi_path(*map(ops.convert_to_tensor, (scores, transitions, masks))))
    for row, mask in enumerate(masks):
        assert path[row][mask].tolist() == best_sequence(scores[row][mask], transitions)


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_the_likelihood_is_the_share_in_all(length):
    scores, transitions, masks, tags = problem(length)
    one_hot = np.eye(UNITS, dtype="float32")[tags]
    arguments = map(ops.convert_to_tensor, (scores, transitions, masks, one_hot))
    found = to_numpy(log_likelihood(*arguments))
    expected = [
        log_probability(scores[row][mask], transitions, tags[row][mask])
        for row, mask in enumerate(masks)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_first_and_the_last_that_count():
    masks = all_masks(4)
    first, last = (to_numpy(each)[..., 0] for each in ends(ops.convert_to_tensor(masks)))
    for row, mask in enumerate(masks):
        places = np.flatnonzero(mask).tolist()
        assert np.flatnonzero(first[row]).tolist() == places[:1]
        assert np.flatnonzero(last[row]).tolist() == places[-1:]


def test_large_scores_do_not_overflow():
    scores = np.array([[[0.0, -1e4], [0.0, -1e4]]], "float32")
    transitions = np.array([[-5e3, 5e3], [5e3, -5e3]], "float32")
    arguments = (scores, transitions, np.ones((1, 2), bool), np.eye(2, dtype="float32")[[[0, 0]]])
    found = to_numpy(log_likelihood(*map(ops.convert_to_tensor, arguments)))
    # -5000 for 0 0, against -5000 for 0 1 and for 1 0.
    np.testing.assert_allclose(found, [-np.log(3)], atol=1e-3)
