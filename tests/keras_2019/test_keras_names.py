"""What Keras did otherwise: optimizers, logs, generators, files, names of layers."""

import pytest
from old_scripts import on_keras_2, results_of, run_script

pytestmark = on_keras_2

SCRIPT = """
from keras.layers import *
from keras.callbacks import *
imported = np.__name__, K.floatx()
import contextlib
import io
import json
import os
import tempfile
import h5py
import numpy as np
import keras
from keras import backend as K
from keras.callbacks import Callback, EarlyStopping, ModelCheckpoint
from keras.models import Model, Sequential, load_model, save_model
from keras.optimizers import Adam, SGD
from keras.utils import multi_gpu_model

results = {}
folder = tempfile.mkdtemp()
random = np.random.RandomState(0)
words, tags = random.rand(8, 5, 3), np.eye(2)[random.randint(0, 2, 8)]

inputs = Input(shape=(5, 3))
x = Bidirectional(CuDNNLSTM(4, return_sequences=True))(inputs)
x = CuDNNGRU(4)(x)
outputs = Dense(2, activation="softmax")(x)
model = multi_gpu_model(Model(inputs, outputs), gpus=2)
model.compile(Adam(lr=1e-2, decay=0.1), "categorical_crossentropy", metrics=["accuracy"])
results["lr"] = float(K.get_value(model.optimizer.lr))
results["names"] = [layer.name for layer in model.layers]

def batches():
    while True:
        yield [words], tags

best = os.path.join(folder, "best.weights")
logs = {}
batch_logs = []
class Keep(Callback):
    def on_batch_end(self, batch, logs=None):
        logs["added"] = 7.0
        batch_logs.append(float(logs.get("acc")))

    def on_test_batch_end(self, batch, logs=None):
        assert "acc" in logs and logs["acc"] == logs["accuracy"] and "mae" not in logs

class Other(Callback):
    def on_train_batch_end(self, batch, logs=None):
        batch_logs.append(float(logs["acc"]) if logs["added"] == 7.0 else None)

    def on_epoch_end(self, epoch, logs_of_epoch=None):
        logs.update(logs_of_epoch)
        K.set_value(self.model.optimizer.lr, 0.001)

history = model.fit_generator(
    batches(), steps_per_epoch=2, epochs=2, verbose=0, validation_data=batches(),
    validation_steps=1, callbacks=[
        Keep(), Other(), EarlyStopping(monitor="val_acc", patience=9),
        ModelCheckpoint(best, monitor="val_acc", save_best_only=True, save_weights_only=True),
    ],
)
results["history"] = sorted(history.history)
results["logs"] = sorted(logs)
results["batches"] = [len(batch_logs), batch_logs[-1] == logs["acc"]]
results["lr at the end"] = float(K.get_value(model.optimizer.lr))
results["evaluated"] = len(model.evaluate_generator(batches(), steps=1))
results["predicted"] = list(model.predict_generator(batches(), steps=2).shape)
with h5py.File(best) as file:
    results["weights"] = sorted(file)
before = model.predict(words)
model.save(os.path.join(folder, "model"))
again = load_model(os.path.join(folder, "model"))
results["reloaded"] = float(np.abs(again.predict(words) - before).max())
model.load_weights(best)
save_model(model=model, filepath=os.path.join(folder, "whole"))
results["whole"] = h5py.is_hdf5(os.path.join(folder, "whole"))

# A loss of the model's own, and batches without targets.
a, b = Input(shape=(1,)), Input(shape=(1,))
product = Dense(1, use_bias=False, kernel_initializer="ones")(a)
own = Model([a, b], product)
own.add_loss(K.mean(K.square(product - b)))
own.compile(optimizer=SGD(0.1))
def without_targets():
    while True:
        yield [np.array([[1.0], [2.0]]), np.array([[3.0], [5.0]])], None
results["losses"] = own.fit_generator(
    without_targets(), steps_per_epoch=1, epochs=2, verbose=0
).history["loss"]

sequential = Sequential([Dense(2, input_dim=3)])
scores = sequential.predict(words[:, 0])
results["classes"] = sequential.predict_classes(words[:, 0]).tolist() == scores.argmax(1).tolist()
results["probabilities"] = sequential.predict_proba(words[:, 0]).tolist() == scores.tolist()

def batches_of(labels):
    while True:
        yield words[:, 0], labels

results["accuracies"] = []
for labels, loss in [(tags, ""), (tags.argmax(1)[:, None], "sparse_"), (tags.argmax(1), "sparse_")]:
    sequential.compile("sgd", loss + "categorical_crossentropy", metrics=["accuracy"])
    found = sequential.evaluate_generator(batches_of(labels), steps=2)
    results["accuracies"].append(float(found[1]))
results["right"] = float((scores.argmax(1) == tags.argmax(1)).mean())
results["tf"] = K.tf.__name__
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    sequential.predict(words[:, 0])
results["printed"] = printed.getvalue()
results["imported"] = list(imported)
results["image"] = K.image_dim_ordering()
print(json.dumps(results))
"""


@pytest.fixture(scope="module", params=["--graph", "--eager"])
def found(request, tmp_path_factory):
    return results_of(tmp_path_factory.mktemp("script"), SCRIPT, options=(request.param,))


@pytest.fixture
def results(found):
    return found[0]


def test_optimizers_take_lr_and_callbacks_set_it(results):
    assert results["lr"] == pytest.approx(0.01)
    assert results["lr at the end"] == pytest.approx(0.001)


def test_layers_are_counted_from_1(results):
    assert results["names"] == ["input_1", "bidirectional_1", "gru_1", "dense_1"]


def test_logs_have_the_old_names_and_the_new_ones(results):
    names = {"loss", "acc", "accuracy", "val_loss", "val_acc", "val_accuracy"}
    assert set(results["history"]) == names
    assert names <= set(results["logs"])
    assert results["batches"] == [8, True]  # of two callbacks and two epochs


def test_generators_of_lists(results):
    assert results["evaluated"] == 2
    assert results["predicted"] == [16, 2]


def test_generators_without_targets(results):
    """The mean of (1·w − 3)² and (2·w − 5)² is 6.5 for w = 1, and its gradient −8."""
    assert results["losses"] == pytest.approx([6.5, (1.2**2 + 1.4**2) / 2], rel=1e-5)


def test_files_are_hdf5_whatever_they_are_called(results):
    assert {"bidirectional_1", "gru_1", "dense_1"} <= set(results["weights"])
    assert results["reloaded"] < 1e-6
    assert results["whole"]


def test_sequential_models_predict_classes(results):
    assert results["classes"]
    assert results["probabilities"]


def test_accuracy_knows_ids_from_one_hot_rows_of_generators(results):
    assert 0 < results["right"] < 1
    assert results["accuracies"] == [results["right"]] * 3


def test_modules_give_what_they_had_imported(results):
    assert results["imported"] == ["numpy", "float32"]


def test_predictions_show_no_progress(results):
    assert results["printed"] == ""


def test_the_backend_knows_tensorflow(results):
    assert results["tf"] == "tensorflow"
    assert results["image"] == "tf"


def test_the_line_at_the_end_names_what_was_used(found):
    for name in (
        *("CuDNNGRU", "CuDNNLSTM", "acc and val_acc", "fit_generator", "evaluate_generator"),
        *("lr of optimizers", "multi_gpu_model", "predict_classes", "predict_generator"),
        "predict_proba",
    ):
        assert name in found[1]


METHODS = """
import json
import numpy as np
from keras import backend as K
from keras.layers import Dense, Input, Layer
from keras.models import Model

class Distance(Layer):
    def call(self, x):
        return x

    def loss(self, y_true, y_pred):
        return K.mean(K.square(y_true - y_pred), -1)

    def largest(self, y_true, y_pred):
        return K.max(K.abs(y_true - y_pred))

inputs, layer = Input((2,)), Distance(name="last")
model = Model(inputs, layer(inputs))
for metrics in ([layer.largest], {"last": layer.largest}, {"last": ["mae", layer.largest]}):
    model.compile("sgd", layer.loss, metrics=metrics)
    values = model.evaluate(np.array([[1.0, 3.0]]), np.zeros((1, 2)), verbose=0)
    results = dict(zip(model.metrics_names, map(float, values)))
    assert results["loss"] == 5.0 and results["largest"] == 3.0, results
print(json.dumps(results))
"""


@pytest.mark.parametrize("mode", ["--graph", "--eager"])
def test_methods_of_layers_are_metrics(tmp_path, mode):
    results, _ = results_of(tmp_path, METHODS, options=(mode,))
    assert results["mae"] == 2.0


LAMBDA = """
import json
import numpy as np
from keras.layers import Input, Lambda
from keras.models import Model, model_from_json
inputs = Input((2,))
model = Model(inputs, Lambda(lambda x: 2 * x)(inputs))
copies = [model_from_json(model.to_json()), Model.from_config(model.get_config())]
print(json.dumps([float(each.predict(np.ones((1, 2))).sum()) for each in copies]))
"""


@pytest.mark.parametrize("mode", ["--graph", "--eager"])
def test_lambda_layers_of_a_program_are_its_own(tmp_path, mode):
    assert results_of(tmp_path, LAMBDA, options=(mode,))[0] == [4, 4]


FOLDER = """
import numpy as np
import tensorflow as tf
import keras_bert
sizes = {"head_num": 1, "transformer_num": 1, "embed_dim": 2, "seq_len": 4}
bert = keras_bert.get_model(10, training=False, **sizes)
model = tf.keras.Model(bert[0], bert[1])
model.save("folder")
objects = keras_bert.get_custom_objects()
loaded = tf.keras.models.load_model("folder", custom_objects=objects)
x = [np.ones((1, 4)), np.zeros((1, 4))]
np.testing.assert_allclose(loaded.predict(x), model.predict(x), atol=1e-6)
tf.keras.models.load_model("folder")
"""


def test_folders_are_loaded_with_custom_objects(tmp_path):
    code, _, messages = run_script(tmp_path, FOLDER)
    assert code == 1
    assert "load_model(folder, custom_objects=keras_bert.get_custom_objects())." in messages


def test_pickles_need_eager_execution(tmp_path):
    source = "import pickle\nfrom keras.models import Sequential\nfrom keras.layers import Dense\n"
    source += "pickle.loads(pickle.dumps(Sequential([Dense(1, input_dim=2)])))\n"
    code, _, messages = run_script(tmp_path, source)
    assert code == 1
    assert "`python -m keras_bert run --eager SCRIPT`" in messages
    code, _, messages = run_script(tmp_path, source, options=("--eager",))
    assert code == 0, messages


BATCH_DOT = """
from tensorflow.keras import backend as K
K.batch_dot(K.ones((1, 5, 8)), K.ones((1, 24, 8)), 2)
print(K.batch_dot(K.ones((1, 5, 24)), K.ones((1, 5, 24, 8)), [2, 2]).shape)
K.batch_dot(K.ones((1, 5, 5, 8)), K.ones((1, 5, 24, 8)), [2, 3])
"""


def test_products_that_keras_has_changed_say_so(tmp_path):
    code, output, messages = run_script(tmp_path, BATCH_DOT)
    assert (code, output) == (1, "(1, 5, 5, 8)\n")  # Keras 2.2.4 had (1, 5, 8)
    assert "tf.einsum('bij,bijk->bik', x, y)" in messages
    assert "K.batch_dot of more than 3 axes by the rule of Keras 2.3" in messages
