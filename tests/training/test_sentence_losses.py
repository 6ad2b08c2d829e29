"""Losses of sentence models against sentence-transformers, and against the formulas in NumPy."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from runtimes import dtype_policy, gradients, to_numpy

from keras_bert import CoSENT, InBatchNegatives
from keras_bert.backend import keras, layers, models, ops

DATA = Path(__file__).resolve().parents[1] / "data"
SCRIPT = runpy.run_path(str(DATA / "make_sentence_losses.py"))
VECTORS, GRADES = SCRIPT["VECTORS"], SCRIPT["GRADES"]
STORED = json.loads((DATA / "sentence_losses.json").read_text("utf-8"))
LOSSES = [InBatchNegatives, CoSENT]


def made(case):
    """The loss of a stored case, and how many vectors of a row it takes."""
    kind, *rest = case.split()
    if kind == "cosent":
        return CoSENT(float(rest[0])), 2
    count, temperature, symmetric = rest
    return InBatchNegatives(float(temperature), symmetric == "True"), int(count)


def number(tensor):
    return float(to_numpy(tensor))


class LossOf(layers.Layer):
    """The loss of vectors that are its weight, for gradients."""

    def __init__(self, loss, vectors):
        super().__init__()
        self.loss, self.start = loss, vectors

    def build(self, input_shape):
        self.vectors = self.add_weight(shape=self.start.shape, name="vectors")
        self.vectors.assign(self.start)
        self.built = True

    def call(self, inputs):
        return self.loss(inputs, ops.convert_to_tensor(self.vectors))


def slope(loss, vectors, grades):
    layer = LossOf(loss, np.asarray(vectors, "float32"))
    layer.build(None)
    fed = ops.convert_to_tensor(np.asarray(grades, "float32"))
    return gradients(layer, fed, [np.ones((), "float32")])[0]


def check_slope(found, expected):
    # A vector of zeros: there is only one, and sentence-transformers divides by 1e-12.
    assert not found[7, 2:].any()
    np.testing.assert_allclose(found[:7], expected[:7], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[7, :2], expected[7, :2], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", STORED)
def test_sentence_transformers(case):
    loss, count = made(case)
    given = VECTORS[:, :count]
    assert number(loss(GRADES, given)) == pytest.approx(STORED[case]["loss"], rel=1e-5)
    check_slope(slope(loss, given, GRADES), np.array(STORED[case]["slope"]))


@pytest.mark.slow
def test_installed_sentence_transformers():
    pytest.importorskip("sentence_transformers", reason="compares with it")
    vectors = np.random.RandomState(0).normal(size=(50, 3, 7)).astype("float32")
    grades = np.random.RandomState(1).randint(6, size=50).astype("float32")
    for symmetric in (False, True):
        expected, slopes = SCRIPT["in_batch_negatives"](vectors, 0.05, symmetric)
        loss = InBatchNegatives(symmetric=symmetric)
        assert number(loss(grades, vectors)) == pytest.approx(expected, rel=1e-5)
        np.testing.assert_allclose(slope(loss, vectors, grades), slopes, rtol=1e-4, atol=1e-5)
    expected, slopes = SCRIPT["cosent"](vectors[:, :2], grades, 0.05)
    assert number(CoSENT()(grades, vectors[:, :2])) == pytest.approx(expected, rel=1e-5)
    found = slope(CoSENT(), vectors[:, :2], grades)
    np.testing.assert_allclose(found, slopes, rtol=1e-4, atol=1e-5)


def cosines(first, second):
    lengths = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    return (first * second).sum(axis=-1) / np.maximum(lengths, 1e-12)


def test_formula_of_in_batch_negatives():
    """One row after the other, with several negatives and weights."""
    vectors = np.random.RandomState(0).normal(size=(4, 5, 6))
    weights = np.array([1.0, 0.0, 2.0, 0.5], "float32")
    expected = []
    for row, (anchor, counterpart, *_) in enumerate(vectors):
        others = vectors[:, 1:].reshape(-1, 6)
        total = np.exp(cosines(anchor, others) / 0.1).sum()
        expected.append(weights[row] * -np.log(np.exp(cosines(anchor, counterpart) / 0.1) / total))
    found = InBatchNegatives(0.1)(np.zeros(4), vectors.astype("float32"), weights)
    assert number(found) == pytest.approx(np.mean(expected), rel=1e-5)


def test_formula_of_cosent():
    vectors = np.random.RandomState(0).normal(size=(5, 2, 6))
    grades = [0.2, 0.9, 0.9, -1, 0.3]
    given = cosines(vectors[:, 0], vectors[:, 1])
    terms = [
        np.exp((low - high) / 0.5)
        for high, high_grade in zip(given, grades, strict=True)
        for low, low_grade in zip(given, grades, strict=True)
        if high_grade > low_grade
    ]
    assert len(terms) == 9
    for shape in ((5,), (5, 1)):
        found = CoSENT(0.5)(np.reshape(grades, shape), vectors.astype("float32"))
        assert number(found) == pytest.approx(np.log(1 + sum(terms)), rel=1e-5)


@pytest.mark.parametrize("loss", [InBatchNegatives(), InBatchNegatives(symmetric=True), CoSENT()])
def test_one_pair_teaches_nothing(loss):
    vectors = VECTORS[:1, :2]
    assert number(loss(GRADES[:1], vectors)) == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(slope(loss, vectors, GRADES[:1]), 0 * vectors, atol=1e-5)


def test_equal_grades_teach_nothing():
    assert number(CoSENT()(np.ones(8), VECTORS[:, :2])) == 0.0


@pytest.mark.parametrize("loss", [InBatchNegatives(), InBatchNegatives(symmetric=True), CoSENT()])
@pytest.mark.parametrize("vectors", [np.ones((4, 2, 3)), np.zeros((4, 2, 3))], ids=["one", "zeros"])
def test_vectors_that_are_all_the_same(loss, vectors):
    """All cosines are equal: the loss is the logarithm of how many there are, and finite slopes."""
    grades = np.arange(4)
    expected = np.log(1 + 6) if isinstance(loss, CoSENT) else np.log(4)
    assert number(loss(grades, vectors)) == pytest.approx(expected, rel=1e-5)
    found = slope(loss, vectors, grades)
    np.testing.assert_allclose(found, 0 * vectors, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("loss", LOSSES)
def test_vectors_of_16_bits(policy, loss):
    """It is the loss of the rounded vectors, in float32."""
    dtype = policy.removeprefix("mixed_")
    with dtype_policy(policy):
        given = ops.cast(ops.convert_to_tensor(100 * VECTORS[:, :2]), dtype)
        found = number(loss()(GRADES, given))
    rounded = np.asarray(to_numpy(ops.cast(given, "float32")))
    assert found == pytest.approx(number(loss()(GRADES, rounded)), rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("loss", [InBatchNegatives(0.1, True), CoSENT(0.1)])
def test_a_model_of_two_towers_learns(loss):
    inputs = [layers.Input(shape=(5,)) for _ in range(2)]
    tower = layers.Dense(4)
    vectors = [layers.Reshape((1, 4))(tower(each)) for each in inputs]
    model = models.Model(inputs, layers.Concatenate(axis=1)(vectors))
    model.compile("adam", loss=loss)
    batch = [VECTORS[:, 0], VECTORS[:, 1]]
    expected = number(loss(GRADES, model.predict(batch, verbose=0)))
    history = model.fit(batch, GRADES, batch_size=8, epochs=30, verbose=0, shuffle=False)
    losses = history.history["loss"]
    assert losses[0] == pytest.approx(expected, rel=1e-4)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("loss", [InBatchNegatives(0.2, True, "pairs"), CoSENT(0.2, "graded")])
def test_configuration(loss):
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    assert again.temperature == 0.2


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf"), None, "20", True])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_temperature_that_is_none(loss, temperature):
    with pytest.raises(ValueError, match=r"`temperature` must be a positive number.*Received"):
        loss(temperature)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("shape", [(8, 5), (8, 1, 5), (8, 2, 5, 1)])
def test_vectors_of_another_shape(loss, shape):
    with pytest.raises(ValueError, match=r"vectors of a row together, .*Received: y_pred of shape"):
        loss()(GRADES, np.ones(shape, "float32"))


def test_cosent_takes_pairs():
    with pytest.raises(ValueError, match=r"\(B, 2, D\); .*Received: y_pred of shape \(8, 3, 5\)"):
        CoSENT()(GRADES, VECTORS)


def test_another_number_of_grades():
    with pytest.raises(ValueError, match=r"one grade for every pair.*y_true of shape \(7,\)"):
        CoSENT()(GRADES[:7], VECTORS[:, :2])


def test_cosent_takes_no_weights():
    with pytest.raises(ValueError, match=r"CoSENT is a loss of the whole batch.*Received"):
        CoSENT()(GRADES, VECTORS[:, :2], np.ones(8, "float32"))
