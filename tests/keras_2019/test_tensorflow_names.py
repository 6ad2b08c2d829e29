"""TensorFlow 1's names."""

import numpy as np
import pytest
from old_scripts import on_keras_2, results_of

pytestmark = on_keras_2

SCRIPT = """
import json
import numpy as np
import tensorflow as tf
from tensorflow.contrib.rnn import LSTMCell
from tensorflow.python import math_ops
config = tf.ConfigProto()
config.gpu_options.allow_growth = True
x = tf.placeholder(tf.float32, shape=(None, 2))
w = tf.get_variable("w", initializer=[[1.0], [2.0]])
y = tf.matmul(x, w)
loss = tf.reduce_sum(tf.square(y), axis=1, keep_dims=True)
step = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_mean(loss))
results = {"graph": not tf.executing_eagerly(), "cell": LSTMCell.__name__}
with tf.Session(config=config) as session:
    session.run(tf.global_variables_initializer())
    results["loss"] = session.run(loss, {x: [[1.0, 1.0]]}).tolist()
    session.run(step, {x: [[1.0, 1.0]]})
    results["w"] = session.run(w).tolist()
    kept = tf.nn.dropout(tf.ones((1000,)), keep_prob=0.9)
    results["kept"] = int((session.run(kept) > 0).sum())
errors = {
    "dropout": lambda: tf.nn.dropout(tf.ones((4,)), 0.9),
    "contrib": lambda: tf.contrib.crf.crf_log_norm,
    "resolver": lambda: tf.contrib.cluster_resolver.SlurmClusterResolver,
    "unknown": lambda: tf.no_such_name,
}
for name, fails in errors.items():
    try:
        fails()
    except Exception as error:
        results[name] = f"{type(error).__name__}: {error}"
results["initializer"] = tf.contrib.layers.xavier_initializer.__name__
results["strategy"] = tf.contrib.distribute.TPUStrategy is tf.distribute.TPUStrategy
resolver = tf.contrib.cluster_resolver.TPUClusterResolver
results["resolver_is"] = resolver is tf.distribute.cluster_resolver.TPUClusterResolver
area, update = tf.metrics.auc([0, 0, 1, 1], tf.constant([0.1, 0.4, 0.35, 0.8]))
with tf.Session() as session:
    session.run(tf.local_variables_initializer())
    results["auc"] = float(session.run(update))
with tf.Session() as session:
    error = tf.losses.mean_squared_error(labels=[[1.0, 2.0]], predictions=[[2.0, 4.0]])
    entropy = tf.losses.sparse_softmax_cross_entropy([0], [[0.0, 0.0]])
    mean, update = tf.metrics.mean_squared_error([[1.0, 2.0]], [[2.0, 4.0]])
    session.run(tf.local_variables_initializer())
    results["errors"] = [float(each) for each in session.run([error, entropy, update])]
    rows = tf.data.Dataset.from_tensor_slices([[7.0], [8.0]]).make_one_shot_iterator().get_next()
    results["rows"] = [session.run(rows).tolist() for _ in range(2)]
inputs = tf.keras.Input((2,))
model = tf.keras.Model(inputs, tf.keras.layers.Dense(2, kernel_initializer="zeros")(inputs))
model.compile("sgd", loss=tf.losses.mean_squared_error, metrics=[tf.metrics.mean_absolute_error])
ones, weights = np.ones((2, 2)), np.array([1.0, 3.0])
found = model.evaluate(ones, 2 * ones, sample_weight=weights, verbose=0)
results["compiled"] = [float(each) for each in found]
results["reduced"] = tf.losses.Huber(reduction=tf.losses.Reduction.SUM) is not None
results["keras"] = tf.losses.BinaryCrossentropy is tf.keras.losses.BinaryCrossentropy
results["numbers"] = [int(np.prod([dim.value for dim in w.get_shape()])), list(w.shape)]
results["logging"] = tf.logging.INFO
results["size"] = [x.shape[-1].value, y.get_shape()[1].value, x.shape[0]]
results["cast"] = math_ops.cast(x.shape[-1], tf.float32).dtype.name
print(json.dumps(results))
"""


def test_a_program_of_tensorflow_1(tmp_path):
    results, line = results_of(tmp_path, SCRIPT)
    assert results["graph"]
    assert results["loss"] == [[9.0]]
    # The gradient of (w1 + w2)² at (1, 2) is 6 for both.
    assert [round(value, 5) for (value,) in results["w"]] == [0.4, 1.4]
    assert 850 < results["kept"] < 950
    assert results["dropout"].startswith("TypeError: The second argument of tf.nn.dropout")
    assert "In its stead: keras_bert.layers.CRF." in results["contrib"]
    assert results["unknown"].startswith("AttributeError")
    assert results["cell"] == "LSTMCell"
    assert results["initializer"] == "GlorotUniform"
    assert results["strategy"]
    assert results["resolver_is"]
    assert "In its stead: tf.distribute.cluster_resolver." in results["resolver"]
    assert abs(results["auc"] - 0.75) < 0.01
    assert results["errors"] == [2.5, pytest.approx(np.log(2)), 2.5]  # (1² + 2²) / 2
    assert results["compiled"] == [8.0, 2.0]  # 2² times the mean weight, 2
    assert results["reduced"]
    assert results["rows"] == [[7.0], [8.0]]
    assert results["keras"]
    assert results["numbers"] == [2, [2, 1]]
    assert results["logging"] == 20
    assert results["size"] == [2, 1, None]
    assert results["cast"] == "float32"
    for name in ("tf.Session", "tf.reduce_sum(keep_dims)", "tensorflow.contrib.rnn", "math_ops"):
        assert name in line
    assert "in graph mode" in line


# As notebooks for TPUs did in 2019, whose variables eager mode has initialized.
EAGER = """
import json
import tensorflow as tf
import tensorflow.keras.backend as K
from tensorflow import keras
with tf.distribute.MirroredStrategy().scope():
    model = keras.models.Sequential([keras.layers.Dense(1, input_dim=2)])
    model.compile("sgd", "mse")
session = K.get_session()
names = set(each.decode() for each in session.run(tf.report_uninitialized_variables()))
own = [variable for variable in tf.global_variables() if variable.name in names]
results = {"names": sorted(names), "init": session.run(tf.variables_initializer(own))}
session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
model.fit([[1.0, 2.0]], [[1.0]], verbose=0)
try:
    tf.metrics.auc([0, 1], [0.0, 1.0])
except AttributeError as error:
    results["auc"] = str(error)
results["eager"] = tf.executing_eagerly()
entropy = tf.losses.sparse_softmax_cross_entropy([0], [[0.0, 0.0]])
error = tf.losses.mean_squared_error(labels=[[1.0, 2.0]], predictions=[[2.0, 4.0]])
results["losses"] = [float(entropy), float(error)]
results["rows"] = tf.losses.mean_squared_error([[1.0, 2.0]], [[2.0, 4.0]]).numpy().tolist()
print(json.dumps(results))
"""


def test_initializers_do_nothing_in_eager_mode(tmp_path):
    results, line = results_of(tmp_path, EAGER)
    assert results["eager"]
    assert results["names"] == []
    assert results["init"] is None
    assert results["losses"] == [pytest.approx(np.log(2)), 2.5]
    assert results["rows"] == [2.5]
    assert results["auc"].endswith("In its stead: tf.keras.metrics.AUC.")
    assert "sessions in eager mode" in line
