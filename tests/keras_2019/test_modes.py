"""When TensorFlow is in graph mode, and when Keras 2 can no longer be chosen."""

import pytest
from command_line import start
from old_scripts import on_keras_2, results_of, run_script

pytestmark = on_keras_2

END = "\nimport json, tensorflow as tf\nprint(json.dumps(not tf.executing_eagerly()))\n"


@pytest.mark.parametrize(
    ("source", "options", "graph"),
    [
        ("from keras.layers import Dense", (), True),
        ("from tensorflow.keras.layers import Dense", (), False),
        ("import tensorflow as tf\ntf.Session", (), True),
        ("import keras", ("--eager",), False),
        ("from tensorflow.keras.layers import Dense", ("--graph",), True),
        ('from tensorflow.keras.layers import Dense\nDense(1)\n"tf.Session"', (), False),
        ("import tensorflow as tf\ntf.keras.layers.Dense(1)\ntf.Session", (), True),
    ],
)
def test_the_mode_is_that_which_the_program_was_written_for(tmp_path, source, options, graph):
    found, line = results_of(tmp_path, source + END, options=options)
    assert found is graph
    assert ("in graph mode" in line) is graph


def test_a_program_of_ones_own(tmp_path):
    """With `install` instead of the command."""
    source = "from keras_bert import keras_2019\nkeras_2019.install()\nimport keras\n"
    source += "import os\nassert os.environ['TF_KERAS'] == '1'\n"
    source += "import keras_bert.backend as b\nassert b.keras is keras\n"
    found, line = results_of(tmp_path, source + END, prefix=())
    assert found is True
    assert line.endswith("put in place for it: keras.")


SWITCH = """
import json
import numpy as np
import tensorflow as tf
from keras_bert import keras_2019
keras_2019.install()
model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_dim=2, name="named")], name="model")
tf.keras.backend.clear_session()
graph = tf.get_default_graph()
results = {"eager": tf.executing_eagerly()}
try:
    with graph.as_default():
        model.predict(np.ones((1, 2)))
except ValueError as error:
    results["error"] = str(error)
print(json.dumps(results))
"""


def test_the_mode_stays_when_a_layer_was_built(tmp_path):
    results, _ = results_of(tmp_path, SWITCH, prefix=())
    assert results["eager"]
    assert "with --graph" in results["error"]


def test_a_program_of_ones_own_is_in_graph_mode_from_the_first_name_on(tmp_path):
    source = "from keras_bert import keras_2019\nkeras_2019.install()\nimport tensorflow as tf\n"
    source += "import keras_bert\nkeras_bert.AdamWarmup\ntf.keras.backend.get_session()\n"
    assert results_of(tmp_path, source + END, prefix=())[0] is True


QUIET = """
import os
os.environ.pop("TF_CPP_MIN_LOG_LEVEL")
import numpy as np
from keras_bert import keras_2019
keras_2019.install()
from keras.layers import Dense, Input
from keras.models import Model
inputs = Input((2,))
model = Model(inputs, Dense(1)(inputs))
model.save_weights("kept.weights")
model.load_weights("kept.weights")
Model(inputs, Dense(1)(inputs)).predict(np.ones((1, 2)))
"""


def test_a_program_of_ones_own_is_not_told_what_always_happens(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, messages = run_script(tmp_path, QUIET, prefix=())
    assert code == 0
    assert "DATA_LOSS" not in messages
    assert "was changed by setting attribute" not in messages


def test_it_is_too_late_when_keras_3_is_in_use():
    source = "import keras_bert\nkeras_bert.get_model\n"
    source += "from keras_bert import keras_2019\nkeras_2019.install()"
    process = start("-c", source, prefix=(), environment={"TF_KERAS": ""})
    _, messages = process.communicate(timeout=600)
    assert process.returncode == 1
    assert "ImportError: Keras 2 cannot be chosen: keras_bert runs on Keras 3" in messages
