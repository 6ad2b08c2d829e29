"""Arguments that scripts leave out."""

import pytest
from old_scripts import on_keras_2, results_of

pytestmark = on_keras_2

SCRIPT = """
import json
import numpy as np
import tensorflow as tf
from {keras} import backend as K
from {keras}.layers import GRU, Bidirectional, Input
from {keras}.models import Model
from {keras}.optimizers import Adadelta, Adagrad, Adam, Adamax, Nadam

results = {{}}
inputs = Input(shape=(3, 2))
model = Model(inputs, Bidirectional(GRU(4))(inputs))
results["gru"] = [list(each.shape) for each in model.get_weights()]
again = Model.from_config(model.get_config())
results["copy"] = [list(each.shape) for each in again.get_weights()]
weight = tf.Variable([1.0]) if tf.executing_eagerly() else None
if weight is not None:
    Adagrad(0.25).apply_gradients([(tf.constant([4.0]), weight)])
    results["step"] = float(1 - weight[0])
results["given"] = [GRU(4, reset_after=given).reset_after for given in (False, True)]
for optimizer in (Adadelta, Adagrad, Adam, Adamax, Nadam):
    rates = [optimizer(), optimizer(0.5), optimizer(lr=0.25), optimizer(learning_rate=0.125)]
    for name in (optimizer.__name__, optimizer.__name__.lower()):
        model.compile(name, "mse")
        rates.append(model.optimizer)
    results[optimizer.__name__] = [round(float(K.get_value(each.lr)), 6) for each in rates]
print(json.dumps(results))
"""


@pytest.mark.parametrize("mode", ["--graph", "--eager"])
def test_those_of_keras_2_3(tmp_path, mode):
    script = SCRIPT.format(keras="keras")
    results, line = results_of(tmp_path, script, options=(mode,))
    # One bias for each gate, not two.
    one_way = [[2, 12], [4, 12], [12]]
    assert results["gru"] == results["copy"] == 2 * one_way
    assert results["given"] == [False, True]
    rates = {"Adadelta": 1.0, "Adagrad": 0.01, "Adam": 0.001, "Adamax": 0.002, "Nadam": 0.002}
    for name, rate in rates.items():
        assert results[name] == [rate, 0.5, 0.25, 0.125, rate, rate], name
    # The first step is as long as the rate, as nothing has been accumulated before.
    assert results.get("step", 0.25) == pytest.approx(0.25, abs=1e-5)
    assert "GRU with reset_after=False" in line
    assert "Adadelta with learning_rate=1.0" in line
    assert "Adam with" not in line


def test_programs_of_tensorflow_2_have_theirs(tmp_path):
    script = SCRIPT.format(keras="tensorflow.keras")
    results, _ = results_of(tmp_path, script)
    assert results["gru"] == 2 * [[2, 12], [4, 12], [2, 12]]
    assert results["Adadelta"] == [0.001, 0.5, 0.25, 0.125, 0.001, 0.001]
