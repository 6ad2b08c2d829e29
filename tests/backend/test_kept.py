"""What is made of a model is made once, until other variables take the place of the model's."""

import gc
import weakref

import numpy as np
import pytest
from runtimes import KERAS_3

from keras_bert.backend import layers, models
from keras_bert.backend.kept import is_patched, made_once


def dense_model():
    inputs = layers.Input(shape=(4,))
    return models.Model(inputs, layers.Dense(3, name="dense")(inputs))


class Made:
    """What is made."""


class Maker:
    """Makes it, and counts how often."""

    def __init__(self):
        self.kept, self.calls = weakref.WeakKeyDictionary(), 0

    def __call__(self, model):
        self.calls += 1
        return Made()

    def of(self, model):
        return made_once(self.kept, model, model, self)


def test_other_values_of_the_weights_change_nothing():
    make, model = Maker(), dense_model()
    made = make.of(model)
    model.set_weights([np.ones((4, 3)), np.ones(3)])
    assert make.of(model) is made
    assert make.of(dense_model()) is not made
    assert make.of(model) is made
    assert make.calls == 2


@pytest.mark.skipif(not KERAS_3, reason="Keras 3 has LoRA and int8")
@pytest.mark.parametrize("change", ["lora", "int8"])
def test_other_variables_mean_another_object(change):
    make, model = Maker(), dense_model()
    made = make.of(model)
    dense = model.get_layer("dense")
    dense.enable_lora(1) if change == "lora" else dense.quantize("int8")
    again = make.of(model)
    assert again is not made
    assert make.of(model) is again


def test_what_was_made_goes_with_the_model():
    make = Maker()
    gone = weakref.ref(make.of(dense_model()))
    gc.collect()
    assert gone() is None
    assert len(make.kept) == 0


@pytest.mark.parametrize("name", ["call", "compute_mask", "predict_on_batch", "predict_step"])
def test_patched_is_what_an_instance_has_otherwise_than_its_class(name):
    model = dense_model()
    assert not is_patched(model)
    setattr(model, name, getattr(model, name))
    assert is_patched(model)
    delattr(model, name)
    assert not is_patched(model)


def test_a_class_of_a_users_own_is_not_patched():
    class Own(layers.Dense):
        def call(self, inputs):
            return 2 * super().call(inputs)

    assert not is_patched(Own(3))
