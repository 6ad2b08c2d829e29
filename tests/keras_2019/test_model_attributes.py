"""What scripts add to compiled models: updates, and tensors to report."""

import numpy as np
import pytest
from old_scripts import on_keras_2, results_of, run_script

pytestmark = on_keras_2

SCRIPT = """
import copy
import json
import pickle
import numpy as np
from keras import backend as K
from keras.layers import Dense, Input
from keras.models import Model
from keras.optimizers import SGD

x, y = np.array([[1.0], [2.0], [3.0]]), np.array([[3.0], [5.0], [7.0]])
results = {}

def compiled():
    inputs = Input((1,))
    model = Model(inputs, Dense(1, use_bias=False, kernel_initializer="ones")(inputs))
    model.compile(SGD(lr=0.1), "mse", metrics=["mae"])
    return model

# 苏剑林's averages of weights.
model = compiled()
averages = [K.zeros(K.shape(w)) for w in model.weights]
K.batch_set_value(zip(averages, K.batch_get_value(model.weights)))
for average, w in zip(averages, model.weights):
    model.metrics_updates.append(K.moving_average_update(average, w, 0.9))
count = K.variable(0.0)
products = K.variable(0.0)
of_batch = K.update_add(products, K.sum(2.0 * model.inputs[0]))
model.metrics_updates += [K.update_add(count, 1.0), of_batch]
before = model.get_weights()
results["averages"], results["weights"] = [], [float(before[0][0, 0])]
for _ in range(3):
    model.train_on_batch(x, y)
    results["averages"].append(float(K.get_value(averages[0])[0, 0]))
    results["weights"].append(float(model.get_weights()[0][0, 0]))
results["count"], results["products"] = float(K.get_value(count)), float(K.get_value(products))

# Tensors to report.
model = compiled()
model.metrics_tensors.append(K.mean(model.output))
model.metrics_names.append("mean")
model.metrics_names += ["largest"]
model.metrics_tensors += [K.max(model.output)]
model.add_metric(K.min(model.output), name="smallest")
model.add_metric(K.sum(model.output), "sum")
history = model.fit(x, y, batch_size=2, shuffle=False, verbose=0).history
results["history"] = {name: float(values[0]) for name, values in history.items()}
results["evaluated"] = dict(zip(model.metrics_names, map(float, model.evaluate(x, y, verbose=0))))

# The same after training with validation, for which Keras copies the names.
model = compiled()
model.fit(x, y, validation_data=(x, y), verbose=0)
model.metrics_names.append("size")
model.metrics_tensors.append(K.mean(model.output))
results["names"] = model.metrics_names
copies = copy.copy(model.metrics_names), pickle.loads(pickle.dumps(model.metrics_names))
results["copies"] = [type(each) is list and each == model.metrics_names for each in copies]

# A training function of one's own.
model = compiled()
inputs = model._feed_inputs + model._feed_targets + model._feed_sample_weights
if model._uses_dynamic_learning_phase():
    inputs += [K.learning_phase()]
trained = model._collected_trainable_weights
updates = model.optimizer.get_updates(params=trained, loss=model.total_loss)
first = [K.variable(w) for w in trained]
run = K.function(
    inputs,
    [model.total_loss] + model.metrics_tensors,
    updates=model.updates + updates + model.metrics_updates,
)
model.train_function = lambda values: run(values)
logs = model.fit(x, y, batch_size=3, verbose=0).history
results["own"] = [float(logs["loss"][0]), float(logs["mae"][0]), float(K.get_value(first[0])[0, 0])]
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return results_of(tmp_path_factory.mktemp("script"), SCRIPT)


def test_averages_of_weights(found):
    results, line = found
    average, (before, *weights) = 1.0, results["weights"]
    assert before == 1
    for weight, result in zip(weights, results["averages"], strict=True):
        average = 0.9 * average + 0.1 * weight
        assert result == pytest.approx(average, rel=1e-6)
    assert results["count"] == 3
    assert results["products"] == pytest.approx(3 * 12)
    assert "metrics_updates of models" in line


def test_tensors_are_reported_under_their_names(found):
    """The mean of two batches; the weight is 1 for the first, then 1 − 0.1 · the gradient −8."""
    results, _ = found
    second = 3 * (1 + 0.1 * np.mean([2 * (3 - 1), 2 * 2 * (5 - 2)]))
    expected = {"mean": (1.5, second), "largest": (2, second), "smallest": (1, second)}
    for name, values in {**expected, "sum": (3, second)}.items():
        assert results["history"][name] == pytest.approx(np.mean(values), rel=1e-5)
    assert set(results["evaluated"]) == {"loss", "mae", "sum", *expected}
    assert results["evaluated"]["sum"] == pytest.approx(2 * results["evaluated"]["largest"])


def test_names_are_those_of_the_program_after_training(found):
    assert found[0]["names"] == ["loss", "mae", "size"]
    assert found[0]["copies"] == [True, True]


def test_training_functions_of_ones_own(found):
    """Before the step the errors are 2, 3 and 4."""
    assert found[0]["own"] == pytest.approx([29 / 3, 3, 1])


def test_eager_execution_says_what_they_need(tmp_path):
    source = "from tensorflow import keras\nmodel = keras.Sequential()\nmodel.metrics_updates"
    code, _, messages = run_script(tmp_path, source)
    assert code == 1
    assert "AttributeError: metrics_updates of a model needs graph mode (--graph)" in messages
