"""calc_train_steps against the numbers of keras-bert 0.89.0."""

import pytest

from keras_bert.optimizers import calc_train_steps


@pytest.mark.parametrize(
    ("arguments", "want"),
    [
        ((1024, 32, 10, 0.1), (320, 32)),
        ((1025, 32, 3, 0.1), (99, 9)),
        ((31, 32, 3, 0.1), (3, 0)),
        ((10, 3, 7, 0.25), (28, 7)),
        ((100, 7, 2, 0.0), (30, 0)),
        ((1000, 16, 3, 0.05), (189, 9)),
    ],
)
def test_steps_of_training_and_warm_up(arguments, want):
    assert calc_train_steps(*arguments) == want


@pytest.mark.parametrize(
    "arguments", [(0, 32, 3), (100, 0, 3), (100, 32, -1), (100, 32, 3, 2), (100, 32, 3, -0.1)]
)
def test_steps_of_nothing(arguments):
    with pytest.raises(ValueError, match=f"Received: num_example={arguments[0]}, batch_size="):
        calc_train_steps(*arguments)


def test_examples_in_the_place_of_their_number():
    with pytest.raises(TypeError, match=r"`num_example` must be a number\. Received: \['a', 'b'\]"):
        calc_train_steps(["a", "b"], 32, 3)
