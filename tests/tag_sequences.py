"""All sequences of tags, one by one, with which the dynamic programming of a CRF must agree."""

import itertools

import numpy as np


def all_masks(length):
    """Every mask of a length, the empty and the full one among them, (2**T, T)."""
    return np.array(list(itertools.product([False, True], repeat=length)))


def sequence_scores(scores, transitions):
    """The score of every sequence of tags by scores (T, U) and transitions (U, U), as a dict."""
    length, units = scores.shape
    return {
        path: sum(scores[range(length), path])
        + sum(transitions[pair] for pair in itertools.pairwise(path))
        for path in itertools.product(range(units), repeat=length)
    }


def best_sequence(scores, transitions):
    found = sequence_scores(scores, transitions)
    return list(max(found, key=found.get))


def log_probability(scores, transitions, path):
    found = sequence_scores(scores, transitions)
    return found[tuple(path)] - np.log(np.sum(np.exp(list(found.values()))))
