"""What Keras 3 does otherwise than Keras 2; `test_keras_2.py` states the same of the other."""

import numpy as np
import pytest
from runtimes import KERAS_3, dtype_name, to_numpy

from keras_bert import AdamWarmup, backend, get_custom_objects
from keras_bert.backend import keras, layers, losses, models, ops

pytestmark = pytest.mark.skipif(not KERAS_3, reason="Keras 3")


def two_layers():
    inputs = layers.Input(shape=(5, 4))
    return models.Model(inputs, layers.Dense(3, name="second")(layers.Dense(4)(inputs)))


# Functional models


def test_a_copy_on_other_inputs_is_made_of_the_same_layers():
    inputs = [layers.Input(shape=(5, 4)) for _ in range(2)]
    model = models.Model(inputs, layers.Dense(3, name="dense")(layers.Add()(inputs)))
    any_length = [layers.Input(shape=(None, 4)) for _ in range(2)]
    copy = backend.copy_on_inputs(model, any_length, get_custom_objects())
    assert copy.get_layer("dense") is model.get_layer("dense")
    model.set_weights([np.full((4, 3), 0.5), np.full(3, 0.25)])
    backend.renew_weights(copy, model)
    features = np.random.RandomState(0).normal(size=(2, 7, 4)).astype("float32")
    expected = 0.25 + features.sum(axis=-1, keepdims=True) * np.ones(3)
    np.testing.assert_allclose(copy.predict([features] * 2, verbose=0), expected, atol=1e-5)
    assert model.output_shape == (None, 5, 3)


def test_operations_are_all_nodes():
    model = two_layers()
    doubled = models.Model(model.inputs, ops.abs(model.output) * 2)
    kinds = [type(each).__name__ for each in backend.operations(doubled)]
    assert kinds == ["InputLayer", "Dense", "Dense", "Absolute", "Multiply"]


def test_the_first_input_stays_that_of_the_model_when_it_is_nested():
    model = two_layers()
    first = backend.first_input(model.get_layer("second"))
    model(layers.Input(shape=(5, 4)))
    assert backend.first_input(model.get_layer("second")) is first
    probe = models.Model(model.inputs, first)
    features = np.ones((1, 5, 4), "float32")
    kernel, bias = model.layers[1].get_weights()
    np.testing.assert_allclose(
        probe.predict(features, verbose=0), features @ kernel + bias, atol=1e-5
    )


def test_weights_of_a_layer_that_is_built_before_its_call_have_the_usual_names():
    early, late = (layers.Embedding(3, 2, name="words") for _ in range(2))
    with backend.naming_weights(early):
        early.build((None, None))
    late(layers.Input(shape=(None,)))
    assert early.weights[0].path == late.weights[0].path == "words/embeddings"


# Masks


class CountUnmasked(backend.MaskArgument, layers.Layer):
    """The number of unmasked positions, -1 without a mask."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return ops.sum(inputs * 0.0, axis=(1, 2)) - 1
        return ops.sum(ops.cast(mask, "float32"), axis=1)

    def compute_mask(self, inputs, mask=None):
        return None


ROWS = np.array([[3, 4, 0], [5, 0, 0]], "int32")


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_masks_reach_the_layer_and_stay_out_of_the_graph(suffix, tmp_path):
    ids = layers.Input(shape=(None,), dtype="int32")
    embedded = layers.Embedding(9, 2, mask_zero=True)(ids)
    model = models.Model(ids, CountUnmasked()(embedded))
    assert [type(each).__name__ for each in model.operations] == [
        *("InputLayer", "Embedding", "CountUnmasked"),
    ]
    np.testing.assert_array_equal(model.predict(ROWS, verbose=0), [2, 1])
    model.save(tmp_path / f"model{suffix}")
    objects = {"CountUnmasked": CountUnmasked}
    loaded = models.load_model(tmp_path / f"model{suffix}", custom_objects=objects)
    np.testing.assert_array_equal(loaded.predict(ROWS, verbose=0), [2, 1])


def test_a_mask_that_is_given_counts():
    features = ops.ones((2, 3, 2))
    layer = CountUnmasked()
    np.testing.assert_array_equal(to_numpy(layer(features)), [-1, -1])
    mask = ops.convert_to_tensor(ROWS != 0)
    np.testing.assert_array_equal(to_numpy(layer(features, mask=mask)), [2, 1])


def test_a_subclass_that_takes_no_mask_gets_none():
    class Without(CountUnmasked):
        def call(self, inputs):
            return inputs

    assert Without()(ops.ones((2, 3, 2))).shape == (2, 3, 2)


LABELS = np.array([[1, 0, 2], [2, 2, 0]])
PREDICTIONS = np.random.RandomState(0).dirichlet(np.ones(3), size=(2, 3)).astype("float32")


@pytest.mark.parametrize(
    "mask",
    [None, [[1, 1, 0], [0, 1, 0]], [[0, 0, 0], [0, 0, 0]]],
    ids=["none", "some", "all masked"],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_mean_over_what_a_mask_leaves(mask, weighted):
    predictions = ops.convert_to_tensor(PREDICTIONS)
    left = np.ones((2, 3), bool) if mask is None else np.array(mask, bool)
    if mask is not None:
        predictions._keras_mask = ops.convert_to_tensor(left)
    weights = np.array([[0.5, 1, 2], [3, 1, 1]], "float32") if weighted else None
    mean = losses.SparseCategoricalCrossentropy()
    found = float(to_numpy(backend.masked_mean(mean, LABELS, predictions, weights)))
    each = -np.log(np.take_along_axis(PREDICTIONS, LABELS[..., None], axis=-1)[..., 0])
    each = each * weights if weighted else each
    expected = each[left].mean() if left.any() else 0.0
    assert found == pytest.approx(expected, rel=1e-5)


# Files


def test_files_that_keras_3_cannot_read():
    with pytest.raises(ValueError, match=r"'bert' was written by Keras 2 .* TF_KERAS=1 and save"):
        backend.check_written_by("bert", written_by_keras_3=False, for_h5=False)
    for written_by_keras_3, for_h5 in ((False, True), (True, False), (True, True)):
        needs_changes = backend.check_written_by("bert", written_by_keras_3, for_h5)
        assert needs_changes is not written_by_keras_3


def test_classes_are_known_to_files_by_a_name_of_the_package():
    @backend.serializable
    class Own(layers.Layer):
        pass

    assert keras.saving.get_registered_name(Own) == "keras_bert>Own"
    assert backend.unconverted(Own) is Own


# Optimizers


def test_an_optimizer_finds_its_variables_and_reads_weights_without_a_learning_rate():
    variables = [keras.Variable(np.zeros(shape)) for shape in ((2,), (3,))]
    optimizer = AdamWarmup(10, 2, learning_rate=0.25)
    optimizer.build(variables)
    assert [optimizer._index(each) for each in variables] == [0, 1]
    weights = [to_numpy(each.value) for each in optimizer.variables]
    without = [weights[0], *weights[2:]]
    complete = optimizer._complete(without)
    assert [each.shape for each in complete] == [each.shape for each in weights]
    assert float(complete[1]) == 0.25
    assert optimizer._learning_rate_to_save() == {}


def test_tables_are_not_cast_as_a_whole():
    """Under a 16-bit policy a table is read in float32; the rows are cast."""

    class Reading(layers.Layer):
        def build(self, input_shape):
            self.table = self.add_weight(shape=(4, 2), **backend.TABLE_OPTIONS)
            self.kernel = self.add_weight(shape=(4, 2))

        def call(self, inputs):
            read = map(ops.convert_to_tensor, (self.table, self.kernel))
            self.found = [dtype_name(each) for each in read]
            return inputs

    layer = Reading(dtype="mixed_bfloat16")
    layer(ops.ones((1, 2)))
    assert layer.found == ["float32", "bfloat16"]
