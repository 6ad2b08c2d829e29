"""Which scripts were written for graph mode, by their source."""

import warnings

import pytest

from keras_bert.keras_2019.graph_names import graph_name

FOR_GRAPHS = [
    "import numpy\nimport tensorflow as tf\ntf.Session().run(numpy.zeros(2))",
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
    "import tensorflow as tf\ntf.compat.v1.enable_eager_execution()\ntf.get_variable('x', ())",
    "import tensorflow as tf\nif old: tf.Session()\nfor x in dataset: x[0].numpy()",
    "import tensorflow.compat.v2 as tf2\nimport tensorflow as tf\ntf2.GradientTape, tf.Session",
    "from . import tensorflow\nprint 'Python 2'",
    "\0",
]


@pytest.mark.parametrize("source", FOR_GRAPHS)
def test_names_that_only_graphs_have(source):
    assert graph_name(source.encode()).startswith("tensorflow.")


@pytest.mark.parametrize("source", OTHERS)
def test_other_scripts(source):
    assert graph_name(source.encode()) is None


def test_it_is_the_whole_path():
    assert graph_name(b"import tensorflow as tf\ntf.Session().run(x)") == "tensorflow.Session"


def test_old_escapes_bring_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert graph_name(b"import tensorflow as tf\ntf.Session, '\\d'") == "tensorflow.Session"
