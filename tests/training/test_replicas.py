"""Counts over replicas, which `test_distribution.py` has on several devices and processes."""

import numpy as np
import pytest
from runtimes import to_numpy

from keras_bert.backend import ops
from keras_bert.training.replicas import relative_count


def number(value):
    return ops.convert_to_tensor(np.float32(value))


@pytest.fixture
def mean(monkeypatch):
    """Makes the process one of several replicas whose mean count is as given."""

    def choose(value):
        monkeypatch.setattr("keras_bert.training.replicas.has_replicas", lambda: True)
        monkeypatch.setattr(
            "keras_bert.training.replicas.replica_mean", lambda count: number(value)
        )

    return choose


def test_one_replica_counts_nothing():
    def fail():
        raise AssertionError("counted")

    assert relative_count(fail) is None


@pytest.mark.parametrize(
    ("count", "of_all", "expected"), [(3, 2, 1.5), (2, 2, 1), (0, 2, 0), (0, 0, 0)]
)
def test_a_replicas_count_over_the_mean(mean, count, of_all, expected):
    mean(of_all)
    assert float(to_numpy(relative_count(lambda: number(count)))) == expected


def test_means_of_replicas_become_the_mean_of_all(mean):
    """Of replicas with 1, 4 and no numbers."""
    parts = [[2.0], [1.0, 5.0, 3.0, 0.0], []]
    mean(np.mean([len(part) for part in parts]))
    scaled = [
        (np.mean(part) if part else 0.0)
        * float(to_numpy(relative_count(lambda part=part: number(len(part)))))
        for part in parts
    ]
    assert np.mean(scaled) == pytest.approx(np.mean(np.concatenate(parts)))
