"""Writes `.h5` files with keras-bert 0.80.0 and 0.84.0 on the stand-alone Keras 2.3.1.

Their configs differ from 0.89's (class `Model`, no masks or dtypes where Keras 2.4 has them, an
optimizer with `learning_rate` and a pattern), and 0.80 to 0.82 wrote "gelu" for the erf form, 0.83
and later for the tanh form. Keras 2.3.1 wants TensorFlow 1 or 2.1; the lines at the top let it run
on TensorFlow 2.15.1 in graph mode and touch nothing that it computes or writes. Two folders of
packages, installed with Python 3.11.7 into an environment that has tensorflow-cpu 2.15.1:

    pip install --no-deps --target keras23 keras==2.3.1 keras-applications==1.0.8 \
        keras-preprocessing==1.1.2 keras-pos-embd==0.11.0 keras-layer-normalization==0.14.0 \
        keras-embed-sim==0.7.0 tf_keras==2.15.1 pyyaml==6.0.4 six==1.17.0 scipy==1.13.1
    pip install --no-deps --target bert080 keras-bert==0.80.0 keras-transformer==0.32.0 \
        keras-multi-head==0.22.0 keras-self-attention==0.41.0 \
        keras-position-wise-feed-forward==0.5.0
    pip install --no-deps --target bert084 keras-bert==0.84.0 keras-transformer==0.37.0 \
        keras-multi-head==0.27.0 keras-self-attention==0.46.0 \
        keras-position-wise-feed-forward==0.6.0
    TF_USE_LEGACY_KERAS=1 PYTHONPATH=bert080:keras23 python make_keras_2_3_files.py
    TF_USE_LEGACY_KERAS=1 PYTHONPATH=bert084:keras23 python make_keras_2_3_files.py

Inputs are those of `expected.npz`; the numbers go to `expected_0_80.npz` and `expected_0_84.npz`.
"""

# ruff: noqa: E402, I001  (the patches come before the imports they serve)

import collections
import collections.abc
import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.keras import backend as graph

for name in ("Callable", "Iterable", "Mapping", "Sequence"):
    setattr(collections, name, getattr(collections.abc, name))
ops._TensorLike = type("NoTensor", (), {})
ops.is_dense_tensor_like = lambda x: isinstance(x, (tf.Tensor, tf.Variable))
tf.compat.v1.disable_v2_behavior()

import keras
import keras_bert
from keras_bert import AdamWarmup, compile_model, get_model

keras.backend.get_value = lambda variable: variable.eval(session=graph.get_session())

FOLDER = Path(__file__).resolve().parent
VERSION = keras_bert.__version__.rsplit(".", 1)[0].replace(".", "_")
TINY = {
    "token_num": 40,
    "pos_num": 10,
    "seq_len": 10,
    "embed_dim": 12,
    "transformer_num": 1,
    "head_num": 2,
    "feed_forward_dim": 20,
}
INPUTS = np.load(FOLDER / "expected.npz")
EXPECTED = {}


def start(seed):
    keras.backend.clear_session()
    np.random.seed(seed)
    tf.compat.v1.set_random_seed(seed)


def inputs_of(*names):
    return [INPUTS[f"inputs/{name}"] for name in names]


def randomise(model, seed):
    random = np.random.RandomState(seed)
    values = []
    for variable, value in zip(model.weights, model.get_weights(), strict=True):
        drawn = random.normal(scale=0.4, size=value.shape)
        values.append(drawn + 1.0 if "gamma" in variable.name else drawn)
    model.set_weights(values)
    return model


def save(name, model, inputs):
    model.save(str(FOLDER / f"old_{VERSION}_{name}.h5"))
    outputs = model.predict(inputs)
    for index, output in enumerate(outputs if isinstance(outputs, list) else [outputs]):
        EXPECTED[f"{name}/output_{index}"] = output


def encoder(seed):
    start(seed)
    inputs, output = get_model(training=False, **TINY)
    return randomise(keras.models.Model(inputs, output), seed)


def pretraining():
    start(42)
    model = randomise(get_model(**TINY), 42)
    compile_model(model, decay_steps=50, warmup_steps=4, learning_rate=2e-3)
    inputs = inputs_of("tokens", "segments", "masked")
    targets = [INPUTS["inputs/tokens"][..., None], INPUTS["inputs/labels"][:, None]]
    for _ in range(2):
        model.train_on_batch(inputs, targets)
    save("mlm_nsp", model, inputs)


def classifier():
    bert = encoder(43)  # frozen, as training=False leaves it
    features = keras.layers.GlobalAveragePooling1D()(bert.output)
    output = keras.layers.Dense(2, activation="softmax", name="Label")(features)
    model = randomise(keras.models.Model(bert.inputs, output), 43)
    model.compile(
        AdamWarmup(decay_steps=20, warmup_steps=2, lr=2e-3, min_lr=1e-5, weight_decay=0.01),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    inputs = inputs_of("tokens", "segments")
    rows = [0, 1, 2, 3, 5]  # the average of row 4, padding alone, is 0 / 0
    for _ in range(2):
        model.train_on_batch([x[rows] for x in inputs], INPUTS["inputs/labels"][rows])
    assert all(np.isfinite(value).all() for value in model.get_weights())
    save("classifier", model, inputs)


def main():
    assert keras.__version__ == "2.3.1"
    if VERSION == "0_80":
        save("encoder", encoder(41), inputs_of("tokens", "segments"))
    else:
        pretraining()
        classifier()
    np.savez_compressed(FOLDER / f"expected_{VERSION}.npz", **EXPECTED)


if __name__ == "__main__":
    main()
