"""Private names of Keras: one file has them, and where one has gone, Keras' own way is taken."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from runtimes import KERAS_3, RUNTIME

import keras_bert
from keras_bert.backend import keras, layers, models

if KERAS_3:
    from keras_bert.backend import private

PACKAGE = Path(keras_bert.__file__).parent
SOURCE = PACKAGE / "backend" / "private.py"
FOUND = re.findall(r"\.(_[a-z]\w+)|\"(_[a-z]\w+)\"|import (get_\w+)", SOURCE.read_text("utf-8"))
NAMES = sorted({name for found in FOUND for name in found if name} | {"inject_argument_info_in"})
EVERYWHERE = ("_keras_mask", "_get_variable_index")  # the others are for PyTorch

CORE = """
import sys
import numpy as np
from keras_bert import AdamWarmup, compile_model, extract_embeddings, get_base_dict, get_model
from keras_bert.backend import keras, layers, models, private

assert private.__file__ == sys.argv[1]

# The mask of padding reaches a layer behind the encoder, and features are those of the text alone.
inputs, output = get_model(
    20, pos_num=8, seq_len=None, embed_dim=12, transformer_num=2, head_num=3, feed_forward_dim=7,
    training=False,
)
model = models.Model(inputs, [output, layers.GlobalAveragePooling1D()(output)])
tokens = np.array([[3, 4, 5, 0, 0], [6, 7, 8, 9, 1]])
features, means = model([tokens, tokens * 0])
features, means = keras.ops.convert_to_numpy(features), keras.ops.convert_to_numpy(means)
np.testing.assert_allclose(means[0], features[0, :3].mean(axis=0), atol=1e-5)
encoder = models.Model(inputs, output)
vocabulary = get_base_dict() | {letter: 5 + index for index, letter in enumerate("abcdefgh")}
short, _ = extract_embeddings(encoder, ["a b", "c d e f"], vocabs=vocabulary)
(alone,) = extract_embeddings(encoder, ["a b"], vocabs=vocabulary)
np.testing.assert_allclose(short, alone, atol=1e-5)

# Weights decay once: with a gradient of 0 nothing else moves them.
dense = models.Sequential([layers.Input((3,)), layers.Dense(2)])
optimizer = AdamWarmup(10, 0, lr=0.1, min_lr=0.1, weight_decay=0.5)
before = dense.get_weights()
variables = dense.trainable_variables
optimizer.apply([keras.ops.zeros(each.shape) for each in variables], variables)
rate = 0.1 * (1 - 0.999) ** 0.5 / (1 - 0.9)
for now, then in zip(dense.get_weights(), before, strict=True):
    np.testing.assert_allclose(now, then * (1 - 0.5 * rate), rtol=1e-5)

# Pretraining counts masked positions only.
pretraining = get_model(
    20, pos_num=5, seq_len=5, embed_dim=12, transformer_num=1, head_num=3, feed_forward_dim=7,
    dropout_rate=0.0,
)
compile_model(pretraining)
marks = np.array([[0, 1, 0, 0, 0], [0, 0, 0, 1, 0]])
labels = [tokens[..., None], np.zeros((2, 1))]
probabilities, _ = pretraining.predict_on_batch([tokens, tokens * 0, marks])
loss = -np.log([np.asarray(probabilities)[0, 1, 4], np.asarray(probabilities)[1, 3, 9]]).mean()
results = pretraining.test_on_batch([tokens, tokens * 0, marks], labels, return_dict=True)
np.testing.assert_allclose(results["MLM_loss"], loss, rtol=1e-4)
pretraining.fit([tokens, tokens * 0, marks], labels, verbose=0)
"""


# Scripts run scripts, each in a process of its own and in its folder, and print whose succeeded. On
# PyTorch, which can be forked, its import, which takes longest, is shared.
IN_TURNS = """
import os, pathlib, subprocess, sys

for script in map(pathlib.Path, sys.argv[1:]):
    settings = {**os.environ, "PYTHONPATH": str(script.parent)}
    subprocess.run([sys.executable, script], env=settings, check=True)
    print(script.parent.name, flush=True)
"""
IN_FORKS = """
import os, pathlib, runpy, sys, traceback
import keras, torch

for script in map(pathlib.Path, sys.argv[1:]):
    if not os.fork():
        try:
            sys.path.insert(0, str(script.parent))
            runpy.run_path(str(script))
            print(script.parent.name, flush=True)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.wait()
"""


def test_only_this_file_has_private_names_of_keras():
    private = re.compile(
        r"(?<!tf_)keras\.src|torch\._C|_call_signature|_open_name_scope|_set_mask_metadata"
        r"|_remat_mode|_call_context_args|current_call_ctx|_nodes_by_depth|_get_variable_index|_called\b"
        r"|_use_weight_decay|_apply_weight_decay|_backend_update_step|\b_iterations\b"
        r"|_flatten_layers|_forward_hooks|_compiled_call_impl"
    )
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if private.search(path.read_text("utf-8"))
    }
    assert found == {"backend/private.py"}


keras_3 = pytest.mark.skipif(not KERAS_3, reason="private names of Keras 3")


@keras_3
def test_the_versions_under_test_have_all_names():
    """So that these tests try the faster ways."""
    assert private.masks_are_found()
    assert private.calls_can_be_direct()
    inputs = layers.Input(shape=(3,))
    dense = [layers.Dense(2, name=name) for name in "ab"]
    model = models.Model(inputs, layers.Add()([dense[1](dense[0](inputs)), dense[0](inputs)]))
    assert [node.operation.name for node in private.nodes(model)].count("a") == 2
    assert private.nodes(model)[-1].operation is model.layers[-1]


@pytest.mark.slow
@keras_3
def test_what_is_tried_leaves_the_type_of_models_open():
    """`set_floatx` counts as long as no layer has been made."""
    script = """
from keras_bert.backend import keras, private
private.masks_are_found(), private.calls_can_be_direct()
keras.config.set_floatx("float64")
assert keras.layers.Dense(1).dtype == "float64"
"""
    subprocess.run([sys.executable, "-c", script], check=True)


@keras_3
def test_masks_and_positions_of_variables():
    ids = layers.Input(shape=(None,), dtype="int32")
    assert private.mask_of(ids) is None
    features = layers.Embedding(3, 2, mask_zero=True)(ids)
    mask = models.Model(ids, private.mask_of(features)).predict(np.array([[1, 0]]), verbose=0)
    assert mask.tolist() == [[True, False]]
    variables = [keras.Variable([0.0]), keras.Variable([1.0])]
    optimizer = keras.optimizers.SGD()
    optimizer.build(variables)
    assert [private.variable_index(optimizer, each) for each in variables] == [0, 1]


@pytest.mark.skipif(RUNTIME != "torch", reason="PyTorch's hooks")
@pytest.mark.parametrize(
    "register",
    ["register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook"],
)
def test_hooks_of_a_layer_are_seen(register):
    layer = layers.Dense(2)
    assert not private.is_hooked(layer)
    hook = getattr(layer, register)(lambda *_: None)
    assert private.is_hooked(layer)
    hook.remove()
    assert not private.is_hooked(layer)


@pytest.mark.skipif(RUNTIME != "torch", reason="PyTorch's hooks")
def test_hooks_of_all_layers_and_compiled_ones_are_seen():
    from torch.nn.modules import module

    layer = layers.Dense(2)
    hook = module.register_module_forward_hook(lambda *_: None)
    assert private.is_hooked(layer)
    hook.remove()
    assert not private.is_hooked(layer)
    layer.compile(backend="eager")
    assert private.is_hooked(layer)


@pytest.mark.slow
@pytest.mark.every_runtime
@keras_3
def test_a_name_that_has_gone_changes_no_number(tmp_path):
    """Keras renames what the file looks for: copies of the package look for what has gone."""
    scripts = []
    for name in NAMES if RUNTIME == "torch" else EVERYWHERE:
        package = shutil.copytree(PACKAGE, tmp_path / name / PACKAGE.name)
        copy = package / SOURCE.relative_to(PACKAGE)
        copy.write_text(copy.read_text("utf-8").replace(name, name + "_of_before"), "utf-8")
        scripts.append(tmp_path / name / "core.py")
        scripts[-1].write_text(CORE.replace("sys.argv[1]", repr(str(copy))), "utf-8")
    command = [sys.executable, "-c", IN_FORKS if RUNTIME == "torch" else IN_TURNS]
    done = subprocess.run(
        [*command, *map(str, scripts)], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert done.stdout.split() == [script.parent.name for script in scripts]
