"""Sessions of Keras: in threads, with all variables, and to export models."""

import pytest
from old_scripts import on_keras_2, results_of, run_script

pytestmark = on_keras_2

SAVE = """
from tensorflow import keras
model = keras.Sequential([keras.layers.Dense(1, input_dim=2, kernel_initializer="ones")])
model.compile("adam", "mse")
model.fit([[0.0, 0.0]], [[0.0]], verbose=0)  # the gradient is 0
model.save("model.h5")
print(keras.backend.get_value(model.optimizer.iterations))
"""
SERVE = """
import json
import threading
import numpy as np
import tensorflow as tf
model = tf.keras.models.load_model("model.h5")
graph = tf.get_default_graph()
of_ones_own = tf.Variable(3.0)
with tf.keras.backend.get_session().as_default() as session:
    results = {"own": float(session.run(of_ones_own))}
    tf.saved_model.simple_save(
        session, "exported", inputs={"x": model.input}, outputs={"y": model.output}
    )

def serve():
    with graph.as_default():
        results["served"] = float(model.predict(np.array([[2.0, 3.0]]))[0, 0])

thread = threading.Thread(target=serve)
thread.start()
thread.join()
model.fit(np.array([[1.0, 1.0]]), np.array([[0.0]]), verbose=0)
results["trained"] = model.get_weights()[0].ravel().tolist()
print(json.dumps(results))
"""
READ = """
import json
import tensorflow as tf
model = tf.saved_model.load("exported")
results = model.signatures["serving_default"](x=tf.constant([[2.0, 3.0]]))
print(json.dumps(float(results["y"][0, 0])))
"""


def test_a_model_that_was_saved_eagerly_is_served_trained_and_exported(tmp_path):
    code, output, messages = run_script(tmp_path, SAVE)
    assert (code, output) == (0, "1\n"), messages
    results, line = results_of(tmp_path, SERVE)
    assert "in graph mode" in line
    assert results["own"] == 3
    assert results["served"] == pytest.approx(5)
    # Adam's first step is its learning rate, whatever the gradient.
    assert results["trained"] == pytest.approx([0.999, 0.999], rel=1e-6)
    assert results_of(tmp_path, READ)[0] == pytest.approx(5)


EXPORT = """
import tensorflow as tf
model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_dim=2)])
session = tf.keras.backend.get_session()
with session.graph.as_default():
    tf.saved_model.simple_save(session, "exported", {"x": model.input}, {"y": model.output})
"""


def test_a_model_that_was_built_eagerly_is_not_exported_without_weights(tmp_path):
    code, _, messages = run_script(tmp_path, EXPORT, options=("--eager",))
    assert code == 1
    assert "TypeError: A session exports a model that was built in graph mode" in messages
    assert "`python -m keras_bert run --graph SCRIPT`" in messages
    assert not (tmp_path / "exported").exists()
    code, _, messages = run_script(tmp_path, EXPORT)
    assert code == 0, messages


CLEAR = """
import json
import weakref
import numpy as np
import tensorflow as tf
from keras import backend as K
from keras.layers import Dense
from keras.models import Sequential

def trained():
    model = Sequential([Dense(1, input_dim=2, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    model.train_on_batch(np.zeros((1, 2)), np.zeros((1, 1)))
    return model.predict(np.array([[2.0, 3.0]])).tolist()

results = {"closed": [], "predicted": []}
for clear in ([K.clear_session], [tf.reset_default_graph, K.clear_session]):
    results["predicted"].append(trained())
    session = K.get_session()
    for each in clear:
        each()
    results["closed"].append(session._closed)
K.clear_session()
alone = weakref.ref(K.get_session())
K.clear_session()
results["gone"] = alone() is None
results["other"] = K.get_session() is not session and K.get_session() is K.get_session()
results["predicted"].append(trained())
print(json.dumps(results))
"""


def test_clear_session_closes_that_of_the_graph_before(tmp_path):
    results, _ = results_of(tmp_path, CLEAR)
    assert results == {
        "closed": [True, True],
        "gone": True,
        "other": True,
        "predicted": [[[5.0]]] * 3,
    }
