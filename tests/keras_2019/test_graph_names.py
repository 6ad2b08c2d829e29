"""Which scripts were written for graph mode, by their source."""

import pytest

from keras_bert.keras_2019.graph_names import is_for_graphs

FOR_GRAPHS = [
    "import tensorflow as tf\nwith tf.Session() as session: pass",
    "import tensorflow\nx = tensorflow.placeholder(tensorflow.float32)",
    "from tensorflow import Session, keras",
    "from tensorflow.keras import backend as K\ndef f():\n    return K.get_session()",
    "from tensorflow.python.keras.backend import get_session",
    "import tensorflow as tf\ntf.keras.backend.get_session()",
    "import tensorflow as tf\ntf.saved_model.simple_save(None, 'folder', {}, {})",
    "import tensorflow as tf\ntf.saved_model.builder.SavedModelBuilder('folder')",
    "from tensorflow.keras.layers import *\nf = K.function([], K.gradients(x, y))",
]
OTHERS = [
    "from tensorflow.keras.layers import Dense",
    "import tensorflow as tf\nfor x in model.trainable_variables: pass  # tf.Session",
    "import requests\nsession = requests.Session()",
    "import tensorflow as tf\ntf.compat.v1.keras.backend.set_session(tf.compat.v1.Session())",
    "import tensorflow as tf\nif old: tf.Session()\nelse: tf.config.list_physical_devices()",
    "import tensorflow as tf\ngradients = tf.GradientTape()\ntf.Session",
    "from tensorflow.distribute import MirroredStrategy\nimport tensorflow as tf\ntf.Session",
    "from . import tensorflow\nprint 'Python 2'",
    "\0",
]


@pytest.mark.parametrize("source", FOR_GRAPHS)
def test_names_that_only_graphs_have(source):
    assert is_for_graphs(source.encode())


@pytest.mark.parametrize("source", OTHERS)
def test_other_scripts(source):
    assert not is_for_graphs(source.encode())
