"""Attributes of layers and nodes."""

import pytest
from old_scripts import on_keras_2, results_of, run_script

pytestmark = on_keras_2

# As attention layers of 2018 and copies of keras_contrib's CRF did.
SCRIPT = """
import json
import os
import tempfile
import numpy as np
from keras import backend as K, initializers
from keras.engine import Layer
from keras.layers import Concatenate, Dense, Input, Masking
from keras.models import Model, load_model

class Scale(Layer):
    def __init__(self, offset=0.0, **kwargs):
        self.offset = offset
        super(Scale, self).__init__(**kwargs)

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(input_shape[-1],), initializer="ones")
        self.other = self.add_weight(name="other", shape=(1,), initializer="ones")
        self.first = self.add_weight((1,), initializer="ones", name="first")
        self.named = self.add_weight((2, 3), "named", initializer="zeros", trainable=False)
        self.of_keras_1 = self.add_weight((4,), "ones", name="of_keras_1")
        self.trainable_weights = [self.scale]
        super(Scale, self).build(input_shape)

    def call(self, x, mask=None):
        return x * self.scale * self.other

class Old(Layer):
    def build(self, input_shape):
        self.add_weight((2,), "ones", "place")
        self.add_weight((2,), initializers.Constant(3), "object", False)
        self.add_weight((2,), initializers.Constant(3), name="object_and_name")
        self.add_weight((2,), "float64", initializer="ones", name="typed")

def loss_of_the_input(y_true, y_pred):
    layer, index = y_pred._keras_history[:2]
    node = layer._inbound_nodes[index]
    x, mask = node.input_tensors[0], node.input_masks[0]
    return K.sum(K.sum(K.square(x * layer.scale - y_true), -1) * K.cast(mask, "float32"), -1)

inputs = Input(shape=(3, 2))
layer = Scale()
model = Model(inputs, layer(Masking()(inputs)))
model.compile("sgd", loss=loss_of_the_input)
x = np.array([[[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]]])
y = np.array([[[1.0, 1.0], [3.0, 3.0], [9.0, 9.0]]])
results = {"loss": float(model.train_on_batch(x, y))}
results["trained"] = [len(w) for w in (layer.trainable_weights, model.trainable_weights)]
results["other"] = K.get_value(layer.other).tolist()
first = {weight.name.split("/")[-1]: list(weight.shape) for weight in (layer.first, layer.named)}
results["first"] = first
results["of_keras_1"] = K.get_value(layer.of_keras_1).tolist()
old = Old()
old.build((None, 2))
results["old"] = [
    [each.name.split("/")[-1], K.get_value(each).tolist(), each.dtype.name] for each in old.weights
]
results["not trained"] = [each.name.split("/")[-1] for each in old.non_trainable_weights]
both = Concatenate()([inputs, Dense(1)(inputs)])
results["inputs"] = len(both._keras_history[0]._inbound_nodes[0].input_tensors)
results["shape"] = list(layer.input_shape)
path = os.path.join(tempfile.mkdtemp(), "model.h5")
model.save(path)
loaded = load_model(path, {"Scale": Scale, "loss_of_the_input": loss_of_the_input})
results["reloaded"] = float(np.abs(loaded.predict(x) - model.predict(x)).max())
print(json.dumps(results))
"""


def test_layers_set_weights_and_losses_find_inputs_and_masks(tmp_path):
    results, line = results_of(tmp_path, SCRIPT)
    assert results["loss"] == 2.0  # (2 - 1)² + (4 - 3)², without the masked position
    assert results["trained"] == [1, 1]
    assert results["other"] == [1.0]
    assert results["first"] == {"first:0": [1], "named:0": [2, 3]}
    assert results["of_keras_1"] == [1.0] * 4
    assert sorted(results["old"]) == [
        ["object:0", [3.0, 3.0], "float32"],
        ["object_and_name:0", [3.0, 3.0], "float32"],
        ["place:0", [1.0, 1.0], "float32"],
        ["typed:0", [1.0, 1.0], "float64"],
    ]
    assert results["not trained"] == ["object:0"]
    assert results["inputs"] == 2
    assert results["shape"] == [None, 3, 2]
    assert results["reloaded"] == 0.0
    assert "add_weight with the shape first" in line
    assert "files of layers without get_config" in line
    assert "input_masks of nodes" in line
    assert "trainable_weights set by layers" in line


# 苏剑林's `SetLearningRate`, which scales the gradients of a layer.
SCALED = """
import json
import numpy as np
from keras import backend as K
from keras.layers import Dense, Input
from keras.models import Model
from keras_bert import get_checkpoint_paths, load_trained_model_from_checkpoint

inputs = Input((4,))
layer, fixed, other = Dense(1, use_bias=False), Dense(1, use_bias=False), Dense(1, use_bias=False)
for each in (layer, fixed, other):
    each.build((None, 4))
variable = K.variable(np.full((4, 1), 2.0), name="variable")
other.kernel = variable
results = {"variable": [weight is variable for weight in other.trainable_weights]}
fixed.trainable = False
kernel = layer.kernel
layer.kernel = kernel * 10.0
fixed.kernel = fixed.kernel * 10.0
results["kept"] = len(layer.trainable_weights) == 1 and layer.trainable_weights[0] is kernel
results["fixed"] = [len(fixed.trainable_weights), len(fixed.weights)]
layer.set_weights([np.ones((4, 1))])
model = Model(inputs, layer(inputs))
x = np.ones((1, 4))
results["predicted"] = float(model.predict(x)[0, 0])
model.compile("sgd", lambda y_true, y_pred: y_true - y_pred)
model.train_on_batch(x, np.zeros((1, 1)))
results["trained"] = layer.get_weights()[0].ravel().tolist()
paths = get_checkpoint_paths("tiny")
bert = load_trained_model_from_checkpoint(paths.config, paths.checkpoint, trainable=True)
count = len(bert.trainable_weights)
bert.get_layer("Embedding-Token").embeddings *= 1.0
results["of bert"] = len(bert.trainable_weights) == count
print(json.dumps(results))
"""


def test_a_weight_of_which_a_tensor_takes_the_place_is_trained(tmp_path):
    results, line = results_of(tmp_path, SCALED)
    assert results["kept"]
    assert results["fixed"] == [0, 1]
    assert results["variable"] == [True]
    assert results["predicted"] == 40.0
    assert results["trained"] == [pytest.approx(1.1)] * 4  # by 0.01 times the gradient 10
    assert results["of bert"]
    assert "weights replaced by tensors" in line


def test_there_is_no_such_tensor_without_a_graph(tmp_path):
    code, _, messages = run_script(tmp_path, SCALED, options=("--eager",))
    assert code == 1
    assert "TypeError: kernel of the layer dense_1 would be a constant" in messages
    assert "`python -m keras_bert run --graph SCRIPT`" in messages


# As in copies of MAML.
STEPS = """
import json
import tensorflow as tf
from tensorflow.keras.layers import Dense

layer = Dense(1, use_bias=False, kernel_initializer="ones")
layer.build((None, 4))
kernel = layer.kernel
with tf.GradientTape() as tape:
    layer.kernel = kernel * 3.0
    loss = tf.reduce_sum(layer(tf.ones((1, 4))))
print(json.dumps(tape.gradient(loss, kernel).numpy().ravel().tolist()))
"""


def test_gradients_on_a_tape_go_through_the_tensor(tmp_path):
    assert results_of(tmp_path, STEPS)[0] == [3.0] * 4
