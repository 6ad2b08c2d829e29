"""Optimizers that programs wrote themselves, with `get_updates`."""

import numpy as np
import pytest
from old_scripts import on_keras_2, results_of, run_script

pytestmark = on_keras_2

CLASSES = """
import json
import keras
import keras.backend as K
import numpy as np
from keras.layers import Dense, Input
from keras.legacy import interfaces
from keras.models import Model
from keras.optimizers import SGD, Adam, Optimizer

class Plain(Optimizer):
    def __init__(self, lr, **kwargs):
        super(Plain, self).__init__(**kwargs)
        with K.name_scope(self.__class__.__name__):
            self.iterations = K.variable(0, dtype="int64", name="iterations")
            self.lr = K.variable(lr, name="lr")

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss, params):
        self.updates = [K.update_add(self.iterations, 1)]
        lr = self.lr / (K.cast(self.iterations, K.floatx()) + 1.0)
        for p, g in zip(params, self.get_gradients(loss, params)):
            self.updates.append(K.update_sub(p, lr * g))
        return self.updates

class Halved(SGD):
    def get_updates(self, loss, params):
        return super(Halved, self).get_updates(loss / 2, params)

class Doubled(Plain):
    def get_updates(self, loss, params):
        return super(Doubled, self).get_updates(2 * loss, params)

class Decayed(Adam):
    def get_updates(self, loss, params):
        own, K.update = K.update, lambda x, new_x: own(x, 0.9 * new_x)
        updates = super(Decayed, self).get_updates(loss, params)
        K.update = own
        return updates

class Around(Optimizer):
    def __init__(self, optimizer, **kwargs):
        super(Around, self).__init__(**kwargs)
        self.optimizer = optimizer

    def get_updates(self, loss, params):
        return self.optimizer.get_updates(loss, params)
"""
SCRIPT = """
x, y = np.array([[1.0], [2.0]]), np.array([[3.0], [5.0]])
results = {}
for optimizer in (Plain(0.1), Halved(lr=0.2), Doubled(0.05)):
    inputs = Input((1,))
    model = Model(inputs, Dense(1, use_bias=False, kernel_initializer="ones")(inputs))
    model.compile(optimizer, "mse")
    weights = []
    for _ in range(2):
        model.train_on_batch(x, y)
        weights.append(float(model.get_weights()[0][0, 0]))
    results[type(optimizer).__name__] = weights
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return results_of(tmp_path_factory.mktemp("script"), CLASSES + SCRIPT)


def test_they_train(found):
    """The gradient of the mean of (w − 3)² and (2·w − 5)² is 5·w − 13."""
    first = 1 - 0.1 * (5 - 13)
    np.testing.assert_allclose(found[0]["Halved"], [first, first - 0.1 * (5 * first - 13)], 1e-6)
    assert "optimizers with get_updates" in found[1]


def test_variables_are_read_before_they_are_updated(found):
    """The rate is divided by the number of the batch, from 1."""
    first = 1 - 0.1 * (5 - 13)
    for name in ("Plain", "Doubled"):
        np.testing.assert_allclose(found[0][name], [first, first - 0.05 * (5 * first - 13)], 1e-6)


def test_a_replaced_update_that_adam_does_not_call_is_refused(tmp_path):
    fit = "model.compile(Decayed(), 'mse')\nmodel.train_on_batch(np.ones((2, 1)), np.ones((2, 1)))"
    model = "inputs = Input((1,))\nmodel = Model(inputs, Dense(1)(inputs))"
    code, _, messages = run_script(tmp_path, f"{CLASSES}\n{model}\n{fit}\n")
    assert code == 1
    assert "TypeError: Decayed changes K.update" in messages
    assert "AdamWarmup" in messages


@pytest.mark.parametrize("inner", ["keras.optimizers.Adam()", "keras_bert.AdamWarmup(10, 1)"])
def test_those_around_another_are_refused(tmp_path, inner):
    source = f"{CLASSES}\nimport keras_bert\nAround({inner})\n"
    code, _, messages = run_script(tmp_path, source)
    assert code == 1
    assert "TypeError: Around has get_updates" in messages
    assert "gradient_accumulation_steps=" in messages
