"""Rules of the switch between Keras 3 and Keras 2, each in a process of its own.

Most do not depend on the runtime under test and run under TensorFlow only, to save time.
"""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from runtimes import RUNTIME, once

import keras_bert

PACKAGE = Path(keras_bert.__file__).parent

SWITCHES = ("TF_KERAS", "TF_USE_LEGACY_KERAS", "KERAS_BACKEND")


def run(code, **environment):
    """Run code in a new interpreter that finds the package tested here; returns the process."""
    kept = {name: value for name, value in os.environ.items() if name not in SWITCHES}
    kept["PYTHONPATH"] = os.pathsep.join([str(PACKAGE.parent), kept.get("PYTHONPATH", "")])
    kept["TF_CPP_MIN_LOG_LEVEL"] = "3"
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def succeeds(code, **environment):
    done = run(code, **environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def fails(code, *parts, **environment):
    done = run(code, **environment)
    assert done.returncode != 0
    message = done.stderr.strip().splitlines()[-1]
    assert message.startswith("ImportError"), done.stderr[-3000:]
    for part in parts:
        assert part in message


@once
@pytest.mark.parametrize("name", ["jxa", "numpy", "openvino"])
def test_an_engine_that_there_is_not(name):
    parts = ("tensorflow, jax and torch", "set KERAS_BACKEND", repr(name))
    fails("import keras_bert; keras_bert.get_model", *parts, KERAS_BACKEND=name)


@once
def test_an_engine_that_another_has_imported():
    if not (find_spec("jax") and find_spec("scipy")):
        pytest.skip("Keras' numpy engine needs both")
    code = "import keras; import keras_bert; keras_bert.get_model"
    fails(code, "tensorflow, jax and torch", "'numpy'", KERAS_BACKEND="numpy")


IS_KERAS_2 = """
import tensorflow, tf_keras, keras_multi_head
assert keras_bert.backend.TF_KERAS
assert issubclass(keras_bert.layers.TokenEmbedding, tf_keras.layers.Layer)
assert issubclass(keras_bert.layers.MultiHeadAttention, keras_multi_head.MultiHeadAttention)
assert issubclass(keras_multi_head.MultiHeadAttention, tf_keras.layers.Layer)
assert tensorflow.keras.layers.Layer is tf_keras.layers.Layer
"""


@pytest.mark.slow
@once
@pytest.mark.parametrize(
    ("before", "value"),
    [("import os", "yes"), ("import tensorflow, keras", "TRUE")],
    ids=["first", "after tensorflow and keras"],
)
def test_keras_2_is_chosen(before, value):
    succeeds(f"{before}\nimport keras_bert\n{IS_KERAS_2}", TF_KERAS=value)


@pytest.mark.slow
@once
def test_keras_2_is_chosen_too_late():
    code = "import tensorflow\ntensorflow.keras.layers.Dense\nimport keras_bert"
    fails(code, "already resolved to Keras 3", "TF_USE_LEGACY_KERAS=1", TF_KERAS="1")


@pytest.mark.slow
@once
@pytest.mark.parametrize("first", ["tensorflow.keras.layers.Dense", "import tensorflow.keras"])
def test_too_late_leaves_no_traces(first):
    code = f"""
import os, tensorflow
{first}
before = list(tensorflow.__path__), tensorflow.keras.layers.Layer, dict(os.environ)
try:
    import keras_bert
except ImportError as error:
    assert "already resolved to Keras 3" in str(error)
else:
    raise AssertionError
assert (list(tensorflow.__path__), tensorflow.keras.layers.Layer, dict(os.environ)) == before
import tensorflow.keras, keras
assert tensorflow.keras.layers.Layer is keras.layers.Layer
"""
    succeeds(code, TF_KERAS="1")


BOTH = """
import warnings
warnings.simplefilter("error")
{before}
import keras_bert
try:
    keras_bert.get_model(9, embed_dim=4, transformer_num=1, head_num=1, feed_forward_dim=4)
except UserWarning as warning:
    print(warning)
"""


@once
@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "names"),
    [
        ("import keras", "keras"),
        ("from keras.layers import Dense, Input", "Dense, Input"),
        ("from keras.layers import Add, Dense, Dot, GRU, Input", "Add, Dense, Dot, GRU, Input"),
        ("from keras.layers import *", r"\w+, \w+, \w+, \w+, \w+ and \d\d+ more"),
        ("from keras.utils import to_categorical", None),
        ("import tensorflow, tf_keras, tf_keras as keras; from tf_keras.layers import Dense", None),
    ],
)
def test_a_program_with_both_keras_is_warned(before, names):
    """TensorFlow imports Keras 3 as well, of which nobody need hear."""
    printed = succeeds(BOTH.format(before=before), TF_KERAS="1").stdout
    if names is None:
        assert not printed
    else:
        assert re.search(f"imported from Keras 3: {names}. Layers", printed)
        assert len(printed) < 600
        assert printed.startswith("Take `from keras_bert.backend import keras`")
        assert "python -m keras_bert run SCRIPT" in printed


@pytest.mark.slow
@once
def test_the_environment_chooses_keras_3():
    fails("import keras_bert", "TF_USE_LEGACY_KERAS='0'", TF_KERAS="1", TF_USE_LEGACY_KERAS="0")


@pytest.mark.slow
@once
def test_tf_keras_is_missing():
    code = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "tf_keras":
            raise ModuleNotFoundError(f"No module named {name!r}")

sys.meta_path.insert(0, Blocker())
import keras_bert
"""
    fails(code, "pip install tf_keras", "unset TF_KERAS", TF_KERAS="1")


@pytest.mark.slow
@once
@pytest.mark.parametrize("value", ["0", ""])
def test_other_values_mean_keras_3(value):
    code = "import keras, keras_bert\nassert keras_bert.backend.keras is keras"
    succeeds(code, TF_KERAS=value)


@once
@pytest.mark.parametrize("version", ["2.15.0", "1.0.8"])
def test_an_older_keras_is_refused(version):
    code = f"""
import sys, types
keras = types.ModuleType("keras")
keras.__version__ = {version!r}
sys.modules["keras"] = keras
from keras_bert import get_model
"""
    fails(code, f"Received: keras {version}", "pip install 'keras>=3'")


@once
def test_an_engine_that_is_not_installed():
    code = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name == "jax":
            raise ModuleNotFoundError("No module named 'jax'", name="jax")

sys.meta_path.insert(0, Blocker())
from keras_bert import get_model
"""
    fails(code, "Keras is to run on jax", "pip install jax", KERAS_BACKEND="jax")


IMPORT = """
import os, sys
before = dict(os.environ)
{imports}
changed = {{name for name in os.environ if os.environ[name] != before.get(name)}}
removed = set(before) - set(os.environ)
import keras_bert
again = {{name for name in os.environ if os.environ[name] != before.get(name)}}
assert again - changed <= {allowed!r}, again - changed
assert set(before) - set(os.environ) == removed
"""


@pytest.mark.slow
@pytest.mark.every_runtime
def test_import_prints_nothing_and_sets_no_other_variable():
    """TensorFlow and Keras themselves are imported first: what they set is theirs."""
    if RUNTIME == "tf_keras":
        code = IMPORT.format(imports="import tensorflow", allowed={"TF_USE_LEGACY_KERAS"})
        done = succeeds(code, TF_KERAS="1")
    else:
        code = IMPORT.format(imports="import keras", allowed=set())
        done = succeeds(code, KERAS_BACKEND=RUNTIME)
    assert done.stdout == ""
    if RUNTIME in ("jax", "torch"):  # TensorFlow's own libraries write about processors
        assert done.stderr == ""


NAMES = """
import sys
sys.argv = {argv!r}
import keras_bert
from keras_bert.tokenizer import Tokenizer, load_vocabulary
loaded = {{name.partition(".")[0] for name in sys.modules}}
print(*sorted({{"keras", "tf_keras", "tensorflow", "jax", "torch"}} & loaded))
print(sorted(keras_bert.__all__), dir(keras_bert))
"""


@pytest.mark.slow
@once
def test_import_alone_imports_no_keras():
    """And the names do not depend on how the process was started."""
    started = ["script.py"], ["bin/keras-bert", "info"], ["-m", "keras_bert"], []
    outputs = {succeeds(NAMES.format(argv=argv)).stdout for argv in started}
    (output,) = outputs
    assert output.startswith("\n['AdamWarmup', ")


REGISTERED = """
import sys
{imports}
import keras
for name in ("TokenEmbedding", "AdamWarmup", "MaskedCrossentropy", "gelu_erf"):
    assert keras.saving.get_registered_object("keras_bert>" + name) is not None, name
"""


@once
@pytest.mark.slow
@pytest.mark.parametrize(
    "imports",
    [
        "import keras, keras_bert",
        "from keras_bert import Tokenizer",
        "from keras_bert import PretrainedList",
        "from keras_bert import *",
    ],
)
def test_what_saved_models_name_is_registered(imports):
    succeeds(REGISTERED.format(imports=imports))


@once
@pytest.mark.slow
def test_importing_a_module_of_the_backend_first_breaks_nothing():
    for module in ("keras_3", "private", "tensorflow", "plain"):
        succeeds(f"import keras_bert.backend.{module}\nfrom keras_bert import get_model")


@once
@pytest.mark.slow
def test_a_command_line_of_this_package_hides_no_name():
    code = "import sys; sys.argv = ['bin/keras-bert', 'info']\nfrom keras_bert import get_model"
    succeeds(code)


@pytest.mark.slow
@once
def test_import_of_keras_2_comes_first():
    """Before anybody uses `tensorflow.keras`."""
    output = succeeds(NAMES.format(argv=["script.py"]), TF_KERAS="1").stdout
    assert {"tf_keras", "tensorflow"} <= set(output.splitlines()[0].split())


@pytest.mark.slow
@pytest.mark.every_runtime
@pytest.mark.skipif(RUNTIME not in ("jax", "torch"), reason="JAX and PyTorch do without TensorFlow")
def test_tensorflow_is_never_imported(tmp_path):
    from model_folders import write_google_folder

    write_google_folder(tmp_path / "model")
    code = f"""
import sys
import numpy as np
import keras_bert
from keras_bert.layers.stack import TrigPosEmbedding, embed_sim
model = keras_bert.load_trained_model_from_checkpoint(
    {str(tmp_path / "model" / "bert_config.json")!r},
    {str(tmp_path / "model" / "bert_model.ckpt")!r},
    training=True,
)
tokens = np.array([[2, 7, 8, 3] + [0] * 12])
model.predict([tokens, tokens * 0, tokens * 0], verbose=0)
keras_bert.get_attention_maps(model, [tokens, tokens * 0, tokens * 0])
keras_bert.extract_embeddings({str(tmp_path / "model")!r}, ["a b", "c"])
keras_bert.compile_model(model)
loaded = [name for name in sys.modules if name.partition(".")[0] in ("tensorflow", "tf_keras")]
assert not loaded, loaded
"""
    succeeds(code, KERAS_BACKEND=RUNTIME)


def test_only_the_backend_reads_the_switch():
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text("utf-8")
        reads = re.search(r"(environ|getenv).*\bTF_KERAS\b", text)
        assert bool(reads) == (path == PACKAGE / "backend" / "switch.py"), path
        assert ("TF_USE_LEGACY" in text) == (path == PACKAGE / "backend" / "switch.py"), path


DEEP_NAMES = {
    "keras_bert": "TOKEN_PAD TOKEN_UNK TOKEN_CLS TOKEN_SEP TOKEN_MASK gelu get_model compile_model "
    "get_base_dict gen_batch_inputs get_token_embedding get_custom_objects build_model_from_config "
    "load_model_weights_from_checkpoint load_trained_model_from_checkpoint load_vocabulary "
    "Tokenizer AdamWarmup calc_train_steps POOL_NSP POOL_MAX POOL_AVE get_checkpoint_paths "
    "extract_embeddings extract_embeddings_generator PretrainedInfo PretrainedList get_pretrained "
    "get_attention_maps __version__",
    "keras_bert.bert": "get_model compile_model get_base_dict gen_batch_inputs get_custom_objects "
    "get_token_embedding gelu TOKEN_PAD TOKEN_UNK TOKEN_CLS TOKEN_SEP TOKEN_MASK",
    "keras_bert.loader": "build_model_from_config load_model_weights_from_checkpoint "
    "load_trained_model_from_checkpoint load_vocabulary checkpoint_loader",
    "keras_bert.tokenizer": "Tokenizer",
    "keras_bert.util": "extract_embeddings extract_embeddings_generator get_checkpoint_paths "
    "POOL_NSP POOL_MAX POOL_AVE",
    "keras_bert.layers": "get_inputs get_embedding TokenEmbedding EmbeddingSimilarity Masked "
    "Extract MaskedGlobalMaxPool1D MaskedConv1D TaskEmbedding",
    "keras_bert.layers.embedding": "get_embedding TokenEmbedding EmbeddingSimilarity",
    "keras_bert.layers.extract": "Extract",
    "keras_bert.layers.masked": "Masked",
    "keras_bert.layers.pooling": "MaskedGlobalMaxPool1D",
    "keras_bert.layers.conv": "MaskedConv1D",
    "keras_bert.layers.inputs": "get_inputs",
    "keras_bert.layers.task_embed": "TaskEmbedding",
    "keras_bert.optimizers": "AdamWarmup",
    "keras_bert.optimizers.warmup_v2": "AdamWarmup",
    "keras_bert.datasets": "PretrainedInfo PretrainedList get_pretrained",
    "keras_bert.datasets.pretrained": "PretrainedInfo PretrainedList get_pretrained",
}


@pytest.mark.parametrize("module", DEEP_NAMES)
def test_deep_imports(module):
    for name in DEEP_NAMES[module].split():
        exec(f"from {module} import {name}")


def test_star_import():
    names = {}
    exec("from keras_bert.bert import *", names)
    assert set(DEEP_NAMES["keras_bert.bert"].split()) <= set(names)
    assert not {"layers", "models", "np", "keras"} & set(names)
