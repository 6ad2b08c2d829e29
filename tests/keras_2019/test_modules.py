"""Imports of 2018–2021."""

import pytest
from old_scripts import on_keras_2, results_of

pytestmark = on_keras_2

IMPORTS = [
    "import keras",
    "import keras.backend.tensorflow_backend as KTF",
    "from keras import backend as K, layers, regularizers, initializers, constraints",
    "from keras.activations import softmax",
    "from keras.applications.vgg16 import VGG16",
    "from keras.backend.tensorflow_backend import set_session, get_session",
    "from keras.callbacks import Callback, EarlyStopping, ModelCheckpoint, TensorBoard",
    "from keras.callbacks.callbacks import ReduceLROnPlateau",
    "from keras.datasets import imdb",
    "from keras.engine import Layer, InputSpec, Input, Model",
    "from keras.engine.base_layer import Layer, InputSpec",
    "from keras.engine.input_layer import Input",
    "from keras.engine.network import Network",
    "from keras.engine.topology import Layer, InputSpec, Input, get_source_inputs",
    "from keras.engine.training import Model",
    "from keras.legacy.interfaces import legacy_get_updates_support",
    "from keras.legacy import interfaces",
    "from keras.layers import CuDNNGRU, CuDNNLSTM",
    "from keras.layers.advanced_activations import LeakyReLU, PReLU",
    "from keras.layers.convolutional import Conv1D, MaxPooling1D",
    "from keras.layers.core import Activation, Dense, Dropout, Lambda",
    "from keras.layers.embeddings import Embedding",
    "from keras.layers.merge import Concatenate, add, concatenate",
    "from keras.layers.noise import GaussianNoise",
    "from keras.layers.normalization import BatchNormalization",
    "from keras.layers.pooling import GlobalMaxPooling1D",
    "from keras.layers.recurrent import GRU, LSTM",
    "from keras.layers.wrappers import Bidirectional, TimeDistributed",
    "from keras.losses import categorical_crossentropy",
    "from keras.models import Input, Model, Sequential, load_model, model_from_json",
    "from keras.objectives import sparse_categorical_crossentropy",
    "from keras.optimizers import SGD, Adadelta, Adam, Nadam, Optimizer",
    "from keras.preprocessing.sequence import pad_sequences",
    "from keras.preprocessing.text import Tokenizer",
    "from keras.utils import Sequence, multi_gpu_model, plot_model, to_categorical",
    "from keras.utils.data_utils import GeneratorEnqueuer, Sequence, get_file",
    "from keras.utils.generic_utils import CustomObjectScope, Progbar, get_custom_objects",
    "from keras.utils.layer_utils import print_summary",
    "from keras.utils.multi_gpu_utils import multi_gpu_model",
    "from keras.utils.np_utils import to_categorical",
    "from keras.utils.training_utils import multi_gpu_model",
    "from keras.utils.vis_utils import plot_model",
    "from keras.utils import print_summary",
    "from keras.metrics import cosine, cosine_proximity",
    "from keras.backend.tensorflow_backend import _get_available_gpus",
    "from keras_preprocessing.image import ImageDataGenerator",
    "from keras_preprocessing.sequence import pad_sequences",
    "from keras_preprocessing import sequence, text",
    "import keras_preprocessing.text as text",
    "from tensorflow.compat.v1.keras import backend as K",
    "from tensorflow.compat.v1.keras.backend import get_session, set_session",
    "import tensorflow.compat.v1.keras.backend as K",
    "from tensorflow.contrib.keras import layers",
    "from tensorflow.python.framework.graph_util import convert_variables_to_constants",
    "from tensorflow.keras.layers.core import Dense",
    "from tensorflow.keras.utils import multi_gpu_model",
    "from tensorflow.python import keras",
    "from tensorflow.python.keras import backend as K",
    "from tensorflow.python.keras.engine.base_layer import Layer",
    "from tensorflow.python.keras.engine.network import Network",
    "from tensorflow.python.keras.layers.recurrent import LSTM",
    "from tensorflow.python.keras.preprocessing import text",
    "from tensorflow.python.keras.preprocessing.sequence import pad_sequences",
    "from tensorflow.python.keras.utils import get_file, to_categorical",
    "from tensorflow.python.keras.utils.generic_utils import CustomObjectScope",
    "from tensorflow.python.keras.utils.np_utils import to_categorical",
]
GONE = {
    "from keras.wrappers.scikit_learn import KerasClassifier": "scikeras",
    "from keras.legacy import layers": "keras.layers",
    "from keras.legacy.interfaces import no_such_name": "no decorator",
    "from keras.backend.theano_backend import int_shape": "keras.backend",
    "from keras_contrib.layers.normalization import InstanceNormalization": "a copy of its code",
    "from keras_contrib.optimizers import Padam": "a copy of its code",
    "from keras_contrib.utils.save_load_utils import save_all_weights": "a copy of its code",
    "from tensorflow.contrib.tpu.python.tpu import keras_support": "tf.distribute.TPUStrategy",
    "from keras.engine.topology import no_such_name": "keras.engine.topology.no_such_name",
}
UNKNOWN = "import tensorflow.python.keras.no_such_module"

SCRIPT = """
import json
import keras
results = {}
for line in LINES:
    names = {}
    try:
        exec(line, names)
        results[line] = sorted(name for name in names if name != "__builtins__")
    except ImportError as error:
        results[line] = f"{type(error).__name__}: {error}"

from keras.engine.topology import Layer
from keras.layers.core import *
import tensorflow as tf
import tensorflow.keras.layers
import tensorflow.python.keras.layers as of_python
layers = [
    keras.layers.Dense, tf.keras.layers.Dense, tensorflow.keras.layers.Dense, Dense,
    of_python.Dense, keras.layers.core.Dense
]
results["one Dense"] = len(set(layers)) == 1 and issubclass(Dense, Layer)
from keras_bert.layers import Extract
results["versions"] = [keras.__version__, tf.keras.__version__]
from keras_preprocessing.sequence import pad_sequences
results["padded"] = pad_sequences([[1, 2, 3], [4]], maxlen=2).tolist()
results["ours is one of theirs"] = issubclass(Extract, keras.layers.Layer)
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    lines = f"LINES = {[*IMPORTS, *GONE, UNKNOWN]!r}\n"
    found, _ = results_of(tmp_path_factory.mktemp("imports"), lines + SCRIPT)
    return found


@pytest.mark.parametrize("line", IMPORTS)
def test_old_imports_work(results, line):
    assert isinstance(results[line], list), results[line]
    assert results[line]


@pytest.mark.parametrize("line", GONE)
def test_what_cannot_be_had_says_what_stands_in_its_stead(results, line):
    assert results[line].startswith("ImportError: Keras 2 and TensorFlow 2 have no ")
    assert GONE[line] in results[line]


def test_a_module_that_never_was_is_not_found(results):
    assert results[UNKNOWN].startswith("ModuleNotFoundError: No module named")


def test_programs_can_ask_for_the_version(results):
    """They compare it as text, by which "2.21" comes before "2.3"."""
    assert results["versions"] == ["2.6.0"] * 2


def test_keras_preprocessing(results):
    assert results["padded"] == [[2, 3], [0, 4]]


def test_all_ways_lead_to_the_same_classes(results):
    assert results["one Dense"]
    assert results["ours is one of theirs"]


def test_the_line_at_the_end_names_the_modules(tmp_path):
    script = "from keras.engine.topology import Layer\nimport json\nprint(json.dumps(0))\n"
    _, line = results_of(tmp_path, script)
    assert line.startswith("keras-bert: this program ran on Keras 2 (tf_keras ")
    assert line.endswith("put in place for it: keras, keras.engine.topology.")
