"""`Callback.validation_data`."""

import pytest
from old_scripts import on_keras_2, results_of

pytestmark = on_keras_2

SCRIPT = """
import json
import numpy as np
from keras.callbacks import Callback
from keras.layers import Add, Dense, Input
from keras.models import Model

class Seen(Callback):
    def __init__(self, validation_data=None):
        if validation_data:
            self.validation_data = validation_data

    def on_epoch_end(self, epoch, logs=None):
        data = self.validation_data
        self.seen = data and [np.asarray(array).tolist() for array in data]

a, b = Input(shape=(1,)), Input(shape=(1,))
model = Model([a, b], Add()([Dense(1)(a), b]))
model.compile("sgd", "mse")
x = [np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]])]
y = np.array([[5.0], [6.0]])

def batches():
    while True:
        yield x, y

seen, own = Seen(), Seen([[7.0]])
results = {}
model.fit(x, y, verbose=0, validation_data=([each[:1] for each in x], y[:1]), callbacks=[seen, own])
results["data"], results["own"] = seen.seen, own.seen
model.fit(x, y, verbose=0, validation_split=0.5, callbacks=[seen])
results["split"] = seen.seen
model.fit_generator(batches(), 1, verbose=0, validation_data=(x, y, y[:, 0]), callbacks=[seen])
results["weights"] = seen.seen
model.fit_generator(
    batches(), 1, verbose=0, validation_data=batches(), validation_steps=1, callbacks=[seen]
)
results["generator"] = seen.seen
single = Input(shape=(1,))
single_input = Model(single, Dense(1)(single))
single_input.compile("sgd", "mse")
rows = np.array([[1.0], [2.0]])
try:
    single_input.fit(rows, y, verbose=0, validation_data=(rows, [3.0, 4.0]), callbacks=[seen])
    results["lists"] = seen.seen
    pairs = [[[1.0], [2.0]], [[3.0], [4.0]]]
    model.fit(x, y, verbose=0, validation_data=(pairs, y), callbacks=[seen])
    results["lists of inputs"] = seen.seen
except ValueError as error:  # eagerly, Keras 2 takes no such lists
    results["lists"] = str(error)
print(json.dumps(results))
"""


@pytest.mark.parametrize("mode", ["--graph", "--eager"])
def test_callbacks_have_inputs_targets_and_weights(tmp_path, mode):
    results, line = results_of(tmp_path, SCRIPT, options=(mode,))
    assert results["data"] == [[[1.0]], [[3.0]], [[5.0]], [1.0]]
    assert results["own"] == [[7.0]]
    assert results["split"] == [[[2.0]], [[4.0]], [[6.0]], [1.0]]
    assert results["weights"] == [[[1.0], [2.0]], [[3.0], [4.0]], [[5.0], [6.0]], [5.0, 6.0]]
    assert results["generator"] is None
    expected = [[[1.0], [2.0]], [[3.0], [4.0]], [[5.0], [6.0]], [1.0, 1.0]]
    if mode == "--graph":
        assert results["lists of inputs"] == expected
        assert results["lists"] == [[[1.0], [2.0]], [3.0, 4.0], [1.0, 1.0]]
    else:
        assert "Failed to find data adapter" in results["lists"]
    assert "validation_data of callbacks" in line


ORDER = """
import json
import keras
import numpy as np
from keras.callbacks import Callback
from keras.layers import Dense, Input
from keras.models import Model

class Batches(Callback):
    def on_test_batch_end(self, batch, logs=None):
        losses.append(float(logs["loss"]))

x = np.arange(32.0)[:, None]
inputs = Input((1,))
model = Model(inputs, Dense(1, kernel_initializer="zeros", trainable=False)(inputs))
model.compile("sgd", "mse")
results = {}
for name in ("validation", "evaluate", "split"):
    losses = []
    np.random.seed(0)
    options = {"batch_size": 8, "verbose": 0, "callbacks": [Batches()]}
    if name == "validation":
        model.fit(x, x, shuffle=False, validation_data=(x, x), **options)
    elif name == "split":
        twice = np.concatenate([x, x])
        model.fit(twice, twice, shuffle=False, validation_split=0.5, **options)
    else:
        model.evaluate(x, x, **options)
    results[name] = [losses, np.random.rand()]
print(json.dumps(results))
"""


@pytest.mark.parametrize("mode", ["--graph", "--eager"])
def test_validation_is_in_the_order_of_the_data(tmp_path, mode):
    """It neither shuffles nor draws from NumPy's generator."""
    results, _ = results_of(tmp_path, ORDER, options=(mode,))
    assert len(results["evaluate"][0]) == 4
    assert results["validation"] == results["split"] == results["evaluate"]
