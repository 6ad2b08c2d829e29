"""The loss of masked language modelling against cross-entropies in NumPy; its scale on replicas."""

import numpy as np
import pytest
from runtimes import KERAS_3, RUNTIME, gradients, to_numpy

from keras_bert.backend import backend, keras, layers, models, ops
from keras_bert.layers import Masked
from keras_bert.training import MaskedCrossentropy
from keras_bert.training.losses import relative_count

RANDOM = np.random.RandomState(0)
LABELS = RANDOM.randint(5, size=(3, 4, 1))
LOGITS = RANDOM.normal(size=(3, 4, 5)).astype("float32")
PROBABILITIES = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=-1, keepdims=True)
LOSSES = -np.log(np.take_along_axis(PROBABILITIES, LABELS, axis=-1)[..., 0])
WEIGHTS = RANDOM.uniform(size=(3, 4)).astype("float32")
MASKS = {
    "none": None,
    "some": np.array([[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]], bool),
    "all masked": np.zeros((3, 4), bool),
}


def predictions(mask, array=PROBABILITIES):
    tensor = ops.convert_to_tensor(array)
    if mask is not None:
        tensor._keras_mask = ops.convert_to_tensor(mask)
    return tensor


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("from_logits", [False, True])
def test_mean_over_what_the_mask_leaves(mask, weighted, from_logits):
    loss = MaskedCrossentropy(from_logits=from_logits)
    given = predictions(MASKS[mask], LOGITS if from_logits else PROBABILITIES)
    left = np.ones((3, 4), bool) if MASKS[mask] is None else MASKS[mask]
    losses = LOSSES * WEIGHTS if weighted else LOSSES
    expected = losses[left].sum() / left.sum() if left.any() else 0.0
    found = loss(LABELS, given, sample_weight=WEIGHTS if weighted else None)
    assert float(to_numpy(found)) == pytest.approx(expected, rel=1e-5)


def test_labels_without_an_axis_of_their_own():
    loss = MaskedCrossentropy()(LABELS[..., 0], predictions(None))
    assert float(to_numpy(loss)) == pytest.approx(LOSSES.mean(), rel=1e-5)


@pytest.mark.skipif(not KERAS_3, reason="Keras 2 has no bfloat16 by default")
def test_ids_are_not_rounded_where_numbers_have_16_bits_by_default():
    logits = np.zeros((1, 2, 300), "float32")
    logits[0, [0, 1], [257, 299]] = 30  # bfloat16 has 256 and 300
    before = backend.floatx()
    backend.set_floatx("bfloat16")
    try:
        loss = MaskedCrossentropy(from_logits=True)
        found = loss(np.array([[257, 299]]), ops.convert_to_tensor(logits, "float32"))
    finally:
        backend.set_floatx(before)
    assert float(to_numpy(found)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("from_logits", [False, True])
def test_improbable_words(from_logits):
    """Both forms have the same loss and the same slope, where Keras' own clips probabilities."""
    gaps = np.array([[1.0, 15.0, 20.0, 80.0]], "float32")
    logits = np.stack([-gaps, 0 * gaps], axis=-1)
    labels = np.zeros((1, 4, 1), "int32")
    layer = FromLogits(from_logits)
    fed = ops.convert_to_tensor(logits)
    layer.build(logits.shape)
    losses = np.log1p(np.exp(gaps.astype("float64")))
    layer.labels = labels
    loss = layer(fed)
    assert float(to_numpy(loss)) == pytest.approx(losses.mean(), rel=1e-5)
    (found,) = gradients(layer, fed, [np.ones((), "float32")])
    expected = (gaps / (1 + np.exp(-gaps))).mean()
    assert float(found) == pytest.approx(expected, rel=1e-5)


class FromLogits(layers.Layer):
    """The loss as a layer of logits; it has one weight, a factor of them."""

    def __init__(self, from_logits):
        super().__init__()
        self.loss = MaskedCrossentropy(from_logits=from_logits)

    def build(self, input_shape):
        self.factor = self.add_weight(shape=(), initializer="ones", name="factor")
        self.built = True

    def call(self, inputs):
        logits = inputs * self.factor
        given = logits if self.loss.from_logits else ops.softmax(logits)
        return self.loss(self.labels, given)


@pytest.mark.skipif(RUNTIME == "jax", reason="JAX has float64 on request only")
def test_float64():
    logits = LOGITS.astype("float64")
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    losses = -np.log(np.take_along_axis(probabilities, LABELS, axis=-1))
    # Keras' own mean of the positions is float32 on PyTorch.
    found = MaskedCrossentropy().call(
        ops.convert_to_tensor(LABELS), predictions(None, probabilities)
    )
    np.testing.assert_allclose(to_numpy(found), losses[..., 0], rtol=1e-12)


def test_a_prediction_that_is_no_number_is_not_hidden():
    probabilities = np.array([[[0.5, 0.5], [np.nan, np.nan]]], "float32")
    loss = MaskedCrossentropy()(np.array([[[1], [0]]]), predictions(None, probabilities))
    assert np.isnan(float(to_numpy(loss)))


def test_one_label_a_row():
    """As of the output that tells whether the second sentence follows."""
    loss = MaskedCrossentropy()(LABELS[:, 0], predictions(None, PROBABILITIES[:, 0]))
    assert float(to_numpy(loss)) == pytest.approx(LOSSES[:, 0].mean(), rel=1e-5)


class LossOf(layers.Layer):
    """The loss as a layer of logits and marks, for gradients; it has one weight, a factor."""

    def __init__(self):
        super().__init__()
        self.loss, self.mask = MaskedCrossentropy(from_logits=True), Masked()

    def build(self, input_shape):
        self.factor = self.add_weight(shape=(), initializer="ones", name="factor")
        self.built = True

    def call(self, inputs):
        logits, marks = inputs
        return self.loss(LABELS, self.mask([logits * self.factor, marks]))


@pytest.mark.skipif(not KERAS_3, reason="masks of tensors inside layers")
@pytest.mark.parametrize("mask", ["some", "all masked"])
def test_gradient(mask):
    """Of the mean of −log softmax(f·x)ᵢ with respect to f: the mean of Σ p·x − xᵢ."""
    fed = [ops.convert_to_tensor(each) for each in (LOGITS, MASKS[mask].astype("int32"))]
    layer = LossOf()
    layer.build([LOGITS.shape, MASKS[mask].shape])
    (found,) = gradients(layer, fed, [np.ones((), "float32")])
    chosen = np.take_along_axis(LOGITS, LABELS, axis=-1)[..., 0]
    each = (PROBABILITIES * LOGITS).sum(axis=-1) - chosen
    expected = each[MASKS[mask]].mean() if MASKS[mask].any() else 0.0
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)


def test_another_number_of_labels_than_predictions():
    with pytest.raises(ValueError, match=r"labels for 3 positions .* `max_predictions`\. Received"):
        MaskedCrossentropy()(LABELS[:, :3], predictions(None))


@pytest.mark.parametrize("from_logits", [False, True])
def test_configuration(from_logits):
    loss = MaskedCrossentropy("mlm", from_logits=from_logits)
    stored = keras.losses.serialize(loss)
    assert stored["config"] == {"name": "mlm", "from_logits": from_logits}
    again = keras.losses.deserialize(stored)
    assert type(again) is MaskedCrossentropy
    assert again.get_config() == loss.get_config()


def test_replicas_average_to_the_mean_over_all_positions(monkeypatch):
    """Each scales its own mean by its share of the positions; one has none."""
    rows = [slice(0, 1), slice(1, 2), slice(2, 3)]
    mask = MASKS["some"]
    counts = [mask[row].sum() for row in rows]
    monkeypatch.setattr("keras_bert.training.losses.has_replicas", lambda: True)
    monkeypatch.setattr(
        "keras_bert.training.losses.replica_mean",
        lambda count: ops.convert_to_tensor(np.float32(np.mean(counts))),
    )
    losses = [
        float(
            to_numpy(MaskedCrossentropy()(LABELS[row], predictions(mask[row], PROBABILITIES[row])))
        )
        for row in rows
    ]
    assert losses[1] == 0.0
    assert np.mean(losses) == pytest.approx(LOSSES[mask].mean(), rel=1e-5)


def number(value):
    return ops.convert_to_tensor(np.float32(value))


def test_one_replica_counts_nothing(monkeypatch):
    def fail(count):
        raise AssertionError("counted")

    monkeypatch.setattr("keras_bert.training.losses.replica_mean", fail)
    monkeypatch.setattr("keras_bert.training.losses.relative_count", fail)
    assert float(to_numpy(MaskedCrossentropy()(LABELS, predictions(None)))) > 0


@pytest.mark.parametrize(
    ("count", "of_all", "expected"), [(3, 2, 1.5), (2, 2, 1), (0, 2, 0), (0, 0, 0)]
)
def test_a_replicas_count_over_the_mean(monkeypatch, count, of_all, expected):
    monkeypatch.setattr("keras_bert.training.losses.replica_mean", lambda _: number(of_all))
    assert float(to_numpy(relative_count(number(count)))) == expected


def test_means_of_replicas_become_the_mean_of_all(monkeypatch):
    """Of replicas with 1, 4 and no numbers."""
    parts = [[2.0], [1.0, 5.0, 3.0, 0.0], []]
    of_all = np.mean([len(part) for part in parts])
    monkeypatch.setattr("keras_bert.training.losses.replica_mean", lambda _: number(of_all))
    scaled = [
        (np.mean(part) if part else 0.0) * float(to_numpy(relative_count(number(len(part)))))
        for part in parts
    ]
    assert np.mean(scaled) == pytest.approx(np.mean(np.concatenate(parts)))


def test_a_model_compiled_with_it_reports_it():
    inputs = layers.Input(shape=(4,), dtype="int32")
    features = layers.Embedding(6, 5, mask_zero=True)(inputs)
    model = models.Model(inputs, features)
    model.compile(loss=MaskedCrossentropy(from_logits=True))
    ids = np.array([[1, 2, 0, 0], [3, 0, 0, 0], [4, 5, 1, 2]])
    table = np.random.RandomState(0).normal(size=(6, 5)).astype("float32")
    model.set_weights([table])
    exponents = np.exp(table[ids])
    shares = exponents / exponents.sum(axis=-1, keepdims=True)
    losses = -np.log(np.take_along_axis(shares, LABELS, axis=-1)[..., 0])
    found = model.test_on_batch(ids, LABELS)
    assert float(np.asarray(found)) == pytest.approx(losses[ids != 0].mean(), rel=1e-5)
