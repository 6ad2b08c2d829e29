"""Names of functions and classes that Keras has dropped."""

import pytest
from old_scripts import on_keras_2, results_of

pytestmark = on_keras_2

SCRIPT = """
import json
import numpy as np
from keras import backend as K, constraints, initializers, losses, optimizers
from keras.layers import Dense
from keras.models import Sequential

x = K.constant([[1.0, 2.0, 3.0]])
results = {
    "logsumexp": K.eval(K.logsumexp(x, axis=1)).tolist(),
    "slice": K.eval(K.slice(x, [0, 1], [-1, 2])).tolist(),
    "size": int(K.eval(K.size(x))),
    "identity": K.eval(K.identity(x)).tolist(),
    "tensor": [K.is_tensor(x), K.is_variable(x), K.is_variable(K.variable(1.0))],
    "constraint": type(constraints.maxnorm(2)).__name__,
    "initializer": type(initializers.uniform()).__name__,
}
model = Sequential([Dense(2, input_dim=3, kernel_initializer="ones", use_bias=False)])
model.compile(optimizers.adam(lr=0.5), loss="cosine_proximity")
results["lr"] = float(K.get_value(model.optimizer.lr))
results["loss"] = float(model.evaluate(np.ones((1, 3)), np.ones((1, 2)), verbose=0))
model.compile(optimizers.sgd(lr=0.5), loss=losses.cosine)
results["same"] = float(model.evaluate(np.ones((1, 3)), np.ones((1, 2)), verbose=0))
print(json.dumps(results))
"""


def test_they_do_what_they_did(tmp_path):
    results, _ = results_of(tmp_path, SCRIPT)
    assert results["logsumexp"] == pytest.approx([3.4076059])
    assert results["slice"] == [[2.0, 3.0]]
    assert results["size"] == 3
    assert results["identity"] == [[1.0, 2.0, 3.0]]
    assert results["tensor"] == [True, False, True]
    assert results["constraint"] == "MaxNorm"
    assert results["initializer"] == "RandomUniform"
    assert results["lr"] == 0.5
    assert results["loss"] == pytest.approx(-1.0)
    assert results["same"] == results["loss"]
