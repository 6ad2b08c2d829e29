"""The functions of tf.contrib.crf."""

import numpy as np
import pytest
from old_scripts import on_keras_2, results_of
from tag_sequences import best_sequence, log_probability, sequence_scores

pytestmark = on_keras_2

random = np.random.default_rng(0)
SCORES = random.normal(size=(3, 4, 3)).round(3)
TRANSITIONS = random.normal(size=(3, 3)).round(3)
TAGS = random.integers(0, 3, (3, 4))
LENGTHS = [4, 2, 1]

DATA = f"""
scores, transitions = {SCORES.tolist()}, {TRANSITIONS.tolist()}
tags, lengths = {TAGS.tolist()}, {LENGTHS}
"""
SCRIPT = """
import json
import numpy as np
import tensorflow as tf
from tensorflow.contrib.crf import crf_log_likelihood
x = tf.placeholder(tf.float32, (None, None, 3))
w = tf.get_variable("w", initializer=tf.constant(transitions))
likelihood, same = crf_log_likelihood(x, tf.constant(tags), tf.constant(lengths), w)
path, score = tf.contrib.crf.crf_decode(x, w, tf.constant(lengths))
given = tf.contrib.crf.crf_sequence_score(x, tags, lengths, w)
gradient = tf.gradients(likelihood, w)[0]
_, own = crf_log_likelihood(x, tf.constant(tags), tf.constant(lengths))
results = {"same": same is w, "own": own.shape.as_list(), "name": own.name}
fetches = {
    "likelihood": likelihood, "path": path, "score": score, "given": given, "gradient": gradient
}
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    found = session.run(fetches, {x: scores})
results.update({name: value.tolist() for name, value in found.items()})
best, best_score = tf.contrib.crf.viterbi_decode(np.array(scores[0]), np.array(transitions))
results.update({"best": best, "best score": float(best_score)})
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return results_of(tmp_path_factory.mktemp("script"), DATA + SCRIPT)[0]


@pytest.mark.parametrize(("row", "length"), list(enumerate(LENGTHS)))
def test_they_agree_with_all_sequences_one_by_one(results, row, length):
    scores, tags = SCORES[row, :length], TAGS[row, :length]
    of_all = sequence_scores(scores, TRANSITIONS)
    best = best_sequence(scores, TRANSITIONS)
    assert results["path"][row] == best + [0] * (4 - length)
    np.testing.assert_allclose(results["score"][row], of_all[tuple(best)], rtol=1e-5)
    np.testing.assert_allclose(results["given"][row], of_all[tuple(tags)], rtol=1e-5)
    expected = log_probability(scores, TRANSITIONS, tags)
    np.testing.assert_allclose(results["likelihood"][row], expected, rtol=1e-5)


def test_the_gradient_is_that_of_finite_differences(results):
    def total(transitions):
        return sum(
            log_probability(SCORES[row, :length], transitions, TAGS[row, :length])
            for row, length in enumerate(LENGTHS)
        )

    for index in np.ndindex(3, 3):
        step = np.zeros((3, 3))
        step[index] = 1e-5
        expected = (total(TRANSITIONS + step) - total(TRANSITIONS - step)) / 2e-5
        np.testing.assert_allclose(results["gradient"][index[0]][index[1]], expected, atol=1e-5)


def test_decoding_without_a_graph(results):
    assert results["best"] == best_sequence(SCORES[0], TRANSITIONS)
    expected = sequence_scores(SCORES[0], TRANSITIONS)[tuple(results["best"])]
    np.testing.assert_allclose(results["best score"], expected)


def test_transitions_are_a_variable(results):
    assert results["same"]
    assert results["own"] == [3, 3]
    assert results["name"].startswith("transitions")
