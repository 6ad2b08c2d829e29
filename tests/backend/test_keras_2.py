"""What Keras 2 does otherwise than Keras 3; `test_keras_3.py` states the same of the other."""

import inspect

import numpy as np
import pytest
from runtimes import KERAS_3

from keras_bert import AdamWarmup, backend, get_custom_objects
from keras_bert.backend import keras, layers, losses, models, ops
from keras_bert.training import MaskedCrossentropy

if not KERAS_3:
    import tensorflow as tf

pytestmark = pytest.mark.skipif(KERAS_3, reason="Keras 2")


def two_inputs():
    inputs = [layers.Input(shape=(5, 4)) for _ in range(2)]
    return models.Model(inputs, layers.Dense(3, name="dense")(layers.Add()(inputs)))


# Functional models


def test_a_copy_on_other_inputs_has_layers_of_its_own():
    """A layer of Keras 2 that is called twice no longer has an `output`."""
    model = two_inputs()
    any_length = [layers.Input(shape=(None, 4)) for _ in range(2)]
    copy = backend.copy_on_inputs(model, any_length, get_custom_objects())
    assert copy.get_layer("dense") is not model.get_layer("dense")
    model.set_weights([np.full((4, 3), 0.5), np.full(3, 0.25)])
    backend.renew_weights(copy, model)
    features = np.random.RandomState(0).normal(size=(2, 7, 4)).astype("float32")
    expected = 0.25 + features.sum(axis=-1, keepdims=True) * np.ones(3)
    np.testing.assert_allclose(copy.predict([features] * 2, verbose=0), expected, atol=1e-5)
    assert model.get_layer("dense").output.shape == (None, 5, 3)


def test_operations_are_layers():
    model = two_inputs()
    doubled = models.Model(model.inputs, model.output * 2)
    kinds = [type(each).__name__ for each in backend.operations(doubled)]
    assert kinds == ["InputLayer", "InputLayer", "Add", "Dense", "TFOpLambda"]


def test_the_first_input_stays_that_of_the_model_when_it_is_nested():
    model = two_inputs()
    first = backend.first_input(model.get_layer("dense"))
    model([layers.Input(shape=(5, 4)) for _ in range(2)])
    assert backend.first_input(model.get_layer("dense")) is first
    probe = models.Model(model.inputs, first)
    features = np.ones((1, 5, 4), "float32")
    np.testing.assert_allclose(probe.predict([features] * 2, verbose=0), 2 * features)


def test_weights_of_a_layer_that_is_built_before_its_call_have_the_usual_names():
    early, late = (layers.Embedding(3, 2, name="words") for _ in range(2))
    with backend.naming_weights(early):
        early.build((None, None))
    late(layers.Input(shape=(None,)))
    assert early.weights[0].name == late.weights[0].name == "words/embeddings:0"


def test_a_layer_that_tensorflow_does_not_rewrite_is_called_as_usual():
    class Own(layers.Layer):
        def call(self, inputs, mask=None, training=None):
            self.seen = inspect.currentframe().f_code.co_filename, mask is None, training
            return inputs * 2

    backend.unconverted(Own)
    ids = layers.Input(shape=(None,), dtype="int32")
    layer = Own()
    model = models.Model(ids, layer(layers.Embedding(3, 2, mask_zero=True)(ids)))
    model.predict(np.array([[1, 0]]), verbose=0)
    assert layer.seen == (__file__, False, False)  # the function as written, in a graph too


# Masks


def test_masks_reach_layers_by_keras_own_way():
    assert set(vars(backend.MaskArgument)) <= {"__module__", "__doc__", "__dict__", "__weakref__"}


LABELS = np.array([[1, 0, 2], [2, 2, 0]])
PREDICTIONS = np.random.RandomState(0).dirichlet(np.ones(3), size=(2, 3)).astype("float32")


@pytest.mark.parametrize(
    "mask",
    [None, [[1, 1, 0], [0, 1, 0]], [[0, 0, 0], [0, 0, 0]]],
    ids=["none", "some", "all masked"],
)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("traced", [False, True])
def test_the_mean_over_what_a_mask_leaves(mask, weighted, traced):
    """Keras 2 itself gives NaN where it leaves nothing."""
    left = np.ones((2, 3), bool) if mask is None else np.array(mask, bool)
    weights = np.array([[0.5, 1, 2], [3, 1, 1]], "float32") if weighted else None
    mean = losses.SparseCategoricalCrossentropy()

    def loss_of(predictions):
        if mask is not None:
            predictions._keras_mask = ops.convert_to_tensor(left)
        return backend.masked_mean(mean, LABELS, predictions, weights)

    run = tf.function(loss_of) if traced else loss_of
    found = float(run(tf.constant(PREDICTIONS)))
    each = -np.log(np.take_along_axis(PREDICTIONS, LABELS[..., None], axis=-1)[..., 0])
    each = each * weights if weighted else each
    expected = each[left].mean() if left.any() else 0.0
    assert found == pytest.approx(expected, rel=1e-5)


def test_the_mask_of_a_tensor():
    ids = tf.constant([[1, 0]])
    features = layers.Embedding(3, 2, mask_zero=True)(ids)
    assert backend.mask_of(ids) is None
    np.testing.assert_array_equal(backend.mask_of(features), [[True, False]])


# Files


def test_files_that_keras_2_cannot_read():
    for for_h5 in (False, True):
        with pytest.raises(ValueError, match=r"'bert' was written by Keras 3.*Unset TF_KERAS"):
            backend.check_written_by("bert", written_by_keras_3=True, for_h5=for_h5)
        assert not backend.check_written_by("bert", written_by_keras_3=False, for_h5=for_h5)


def test_layers_are_known_to_files_by_their_plain_names():
    """As keras-bert 0.8x wrote them; losses, which no file of it holds, are registered."""

    class Own(layers.Layer):
        pass

    assert backend.serializable(Own) is Own
    assert keras.saving.get_registered_name(Own) == "Own"
    name = keras.saving.get_registered_name(MaskedCrossentropy)
    assert name == "keras_bert>MaskedCrossentropy"


# Optimizers


def test_an_optimizer_finds_its_variables_and_saves_its_learning_rate():
    variables = [tf.Variable(np.zeros(shape), name="kernel") for shape in ((2,), (3,))]
    optimizer = AdamWarmup(10, 2, learning_rate=0.25)
    optimizer.build(variables)
    assert [optimizer._index(each) for each in variables] == [0, 1]
    assert optimizer._learning_rate_to_save() == {"learning_rate": 0.25}
    assert optimizer._complete(["weights"]) == ["weights"]


# Predictions


@pytest.mark.parametrize("of_known_layers", [False, True])
def test_a_predictor_is_a_function_traced_once(of_known_layers):
    inputs = [layers.Input(shape=(None,), dtype="int32") for _ in range(2)]
    ids = [np.array([[1, 2, 0]], "int32"), np.array([[0, 1, 1]], "int32")]
    embedded = [layers.Embedding(3, 2)(each) for each in inputs]
    model = models.Model(inputs, layers.Dense(2)(layers.Add()(embedded)))
    predictor = backend.predictor(model, of_known_layers)
    expected = model.predict_on_batch(ids)
    np.testing.assert_allclose(predictor.call(ids), expected, atol=1e-6)
    assert backend.predictor(model, of_known_layers) is predictor
    model.run_eagerly = True
    assert backend.predictor(model, of_known_layers).call == model.predict_on_batch


def test_a_predict_on_batch_of_the_users_own_is_called():
    class OfAUser(models.Model):
        def predict_on_batch(self, x):
            return 0

    inputs = layers.Input((3,))
    subclass, patched = OfAUser(inputs, inputs), models.Model(inputs, inputs)
    patched.predict_on_batch = lambda x: 1
    for model, expected in ((subclass, 0), (patched, 1)):
        predict = backend.predictor(model, of_known_layers=True).call
        assert predict([np.zeros((1, 3), "float32")]) == expected
