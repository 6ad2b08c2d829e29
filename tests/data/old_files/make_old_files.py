"""Writes the `.h5` files and numbers in this folder with keras-bert 0.89.0, the old library.

They are what this project is compared with: files that users have on their disks and the numbers
the old library computed. Run from this folder, in an environment of its own (Python 3.11.7):

    pip install "keras-bert==0.89.0" "tensorflow-cpu==2.15.1"
    python make_old_files.py

which brought keras 2.15.0, keras-transformer 0.40.0, keras-multi-head 0.29.0,
keras-pos-embd 0.13.0, keras-layer-normalization 0.16.0, keras-position-wise-feed-forward 0.8.0,
keras-embed-sim 0.10.0, keras-self-attention 0.51.0, h5py 3.16.0 and numpy 1.26.4. Everything is
seeded; a second run on the same machine writes the same bytes.

Every weight is drawn anew (gamma, beta and biases too), so that no weight is trivial. The models
are tiny; README.md in this folder lists the files and what `expected.npz` and `facts.json` hold.
"""

# ruff: noqa: E402  (the patch and the environment come before the imports they serve)

import json
import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import h5py
import numpy as np
import tensorflow as tf
import tensorflow.keras.optimizers

# 0.89's AdamWarmup is written for the optimizer base class that TensorFlow 2.11 renamed.
tf.keras.optimizers.Optimizer = tf.keras.optimizers.legacy.Optimizer

from tensorflow import keras

import keras_bert
from keras_bert import AdamWarmup, compile_model, get_custom_objects, get_model
from keras_bert.layers import Extract, MaskedConv1D, MaskedGlobalMaxPool1D

FOLDER = Path(__file__).resolve().parent
TOKEN_NUM, LENGTH, TASK_NUM = 40, 10, 4
TINY = {
    "token_num": TOKEN_NUM,
    "pos_num": LENGTH,
    "seq_len": LENGTH,
    "embed_dim": 12,
    "head_num": 2,
    "feed_forward_dim": 20,
    "dropout_rate": 0.1,
}
EXPECTED = {}
FACTS = {}


def make_batch():
    """Rows of every length, one of padding alone, one with a padding id between two tokens."""
    random = np.random.RandomState(7)
    lengths = [10, 7, 4, 1, 0, 6]
    tokens = random.randint(5, TOKEN_NUM, size=(len(lengths), LENGTH))
    segments = np.zeros_like(tokens)
    for row, length in enumerate(lengths):
        tokens[row, length:] = 0
        segments[row, (length + 1) // 2 : length] = 1
    tokens[5, 2] = 0
    masked = (random.rand(*tokens.shape) < 0.4).astype("int64")
    masked[:, 0] = 1
    return {
        "tokens": tokens,
        "segments": segments,
        "tasks": np.array([[0], [1], [2], [3], [1], [2]]),
        "masked": masked,
    }


BATCH = make_batch()
LABELS = np.array([0, 1, 1, 0, 1, 0])


def start(seed):
    """A fresh session, so that no file depends on those written before it."""
    keras.backend.clear_session()
    tf.get_logger().setLevel("ERROR")
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def randomise(model, seed):
    """Draws all weights of `model`; norms stay near one so that no signal dies out."""
    random = np.random.RandomState(seed)
    values = []
    for variable, value in zip(model.weights, model.get_weights(), strict=True):
        drawn = random.normal(scale=0.4, size=value.shape)
        values.append(drawn + 1.0 if "gamma" in variable.name else drawn)
    model.set_weights(values)
    return model


def inputs_of(*names):
    return [BATCH[name] for name in names]


def as_list(outputs):
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def record(name, model, inputs, part=""):
    """Stores the predictions of `model` and the masks that its outputs carry."""
    for index, output in enumerate(as_list(model.predict(inputs, verbose=0))):
        EXPECTED[f"{name}/{part}output_{index}"] = output
    called = model([tf.constant(x, "float32") for x in inputs])
    for index, output in enumerate(as_list(called)):
        mask = getattr(output, "_keras_mask", None)
        if mask is not None:
            EXPECTED[f"{name}/{part}mask_{index}"] = mask.numpy()


def describe(name, model, compiled):
    FACTS[name] = {
        "layers": [[layer.name, type(layer).__name__] for layer in model.layers],
        "weights": [[w.name, list(w.shape)] for w in model.weights],
    }
    if compiled:
        optimizer = model.optimizer
        config = optimizer.get_config()
        FACTS[name]["optimizer"] = {
            "config": {
                k: v if isinstance(v, (str, bool)) or v is None else float(v)
                for k, v in config.items()
            },
            "iterations": int(optimizer.iterations.numpy()),
            "weights": [[w.name, list(w.shape)] for w in optimizer.weights],
        }


def save(name, model, inputs, compiled=False):
    """Writes the model, with its optimizer where that is asked for (the file triples)."""
    model.save(FOLDER / f"{name}.h5", save_format="h5", include_optimizer=compiled)
    record(name, model, inputs)
    describe(name, model, compiled)


def encoder(seed, layers=1, **options):
    start(seed)
    inputs, output = get_model(transformer_num=layers, training=False, **{**TINY, **options})
    return randomise(keras.models.Model(inputs, output), seed)


def classifier(bert, features, inputs=None, seed=0, units=2):
    """A softmax head with drawn weights, compiled as users do: AdamWarmup, few steps of fit."""
    output = keras.layers.Dense(units, activation="softmax", name="Label")(features)
    model = keras.models.Model(bert.inputs if inputs is None else inputs, output)
    bert.trainable = True
    head = model.get_layer("Label")
    random = np.random.RandomState(seed)
    head.set_weights([random.normal(scale=0.5, size=w.shape) for w in head.get_weights()])
    model.compile(
        AdamWarmup(
            decay_steps=20, warmup_steps=2, learning_rate=2e-3, min_lr=1e-5, weight_decay=0.01
        ),
        loss="sparse_categorical_crossentropy",
        metrics=["sparse_categorical_accuracy"],
    )
    return model


def fit(model, inputs, labels=LABELS):
    """Three steps; not on the row of padding alone, whose average (0 / 0) would make all NaN."""
    rows = [0, 1, 2, 3, 5, 0]
    inputs = [x[rows] for x in inputs]
    model.fit(inputs, labels[rows], batch_size=2, epochs=1, shuffle=False, verbose=0)
    assert all(np.isfinite(value).all() for value in model.get_weights())
    return model


def write_encoders():
    two = inputs_of("tokens", "segments")
    model = encoder(1, layers=2)
    save("encoder", model, two)
    model.save_weights(FOLDER / "encoder_weights.h5", save_format="h5")
    save("encoder_two_outputs", encoder(2, layers=2, output_layer_num=2), two)
    model = encoder(3, seq_len=None)
    save("encoder_any_length", model, two)
    record("encoder_any_length", model, [x[:, :6] for x in two], part="short_")
    save(
        "encoder_task",
        encoder(4, use_task_embed=True, task_num=TASK_NUM),
        inputs_of("tokens", "segments", "tasks"),
    )


def write_pretraining():
    names = ("tokens", "segments", "masked")
    start(5)
    model = randomise(get_model(transformer_num=1, **TINY), 5)
    save("mlm_nsp", model, inputs_of(*names))

    start(6)
    model = get_model(transformer_num=1, use_task_embed=True, task_num=TASK_NUM, **TINY)
    save("mlm_nsp_task", randomise(model, 6), inputs_of("tokens", "segments", "tasks", "masked"))

    start(7)
    model = randomise(get_model(transformer_num=1, **TINY), 7)
    compile_model(model, decay_steps=50, warmup_steps=4, learning_rate=2e-3)
    targets = [BATCH["tokens"][..., None], LABELS[:, None]]
    for _ in range(3):
        model.train_on_batch(inputs_of(*names), targets)
    save("mlm_nsp_compiled", model, inputs_of(*names), compiled=True)
    # Total, MLM and NSP loss, without dropout.
    EXPECTED["mlm_nsp_compiled/loss"] = np.array(
        model.evaluate(inputs_of(*names), targets, batch_size=len(LABELS), verbose=0)
    )


def write_classifiers():
    two = inputs_of("tokens", "segments")
    layers = keras.layers

    # Without dropout, so that what three more steps make of the file can be compared.
    bert = encoder(11, dropout_rate=0.0)
    head = Extract(index=0, name="Extract")(bert.output)
    model = fit(classifier(bert, head), two)
    save("classifier_extract", model, two, compiled=True)
    EXPECTED["classifier_extract/later_losses"] = np.array(
        [model.train_on_batch(two, LABELS)[0] for _ in range(3)]
    )
    record("classifier_extract", model, two, part="later_")

    # The file holds the lambda's byte code (Python 3.11) and the name of the file it came from.
    first = eval(compile("lambda x: x[:, 0]", "classifier.py", "eval"))
    bert = encoder(12)
    head = layers.Lambda(first, name="First")(bert.output)
    save("classifier_lambda", fit(classifier(bert, head), two), two)

    bert = encoder(13)
    head = MaskedConv1D(filters=6, kernel_size=3, padding="same", activation="relu")(bert.output)
    head = MaskedGlobalMaxPool1D()(head)
    save("classifier_conv", fit(classifier(bert, head), two), two)

    bert = encoder(14)
    head = layers.Dropout(0.2)(layers.GlobalAveragePooling1D()(bert.output))
    save("classifier_average", fit(classifier(bert, head), two), two)

    bert = encoder(15)
    head = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(bert.output)
    model = classifier(bert, head, units=3)
    save("tagger_lstm", fit(model, two, BATCH["tokens"] % 3), two)


def write_nested():
    """The encoder as one layer of a bigger model, called once and twice."""
    layers = keras.layers
    two = inputs_of("tokens", "segments")
    bert = encoder(21, seq_len=None)
    inputs = [layers.Input(shape=(None,)), layers.Input(shape=(None,))]
    head = layers.GlobalAveragePooling1D()(bert(inputs))
    model = fit(classifier(bert, head, inputs), two)
    save("classifier_nested", model, two)
    record("classifier_nested", model, [x[:, :6] for x in two], part="short_")

    bert = encoder(22, seq_len=None)
    inputs = [
        layers.Input(shape=(None,), name=f"{part}-{side}")
        for side in ("Left", "Right")
        for part in ("Token", "Segment")
    ]
    first = Extract(index=0)
    head = layers.Concatenate()([first(bert(inputs[:2])), first(bert(inputs[2:]))])
    four = two + [x[::-1] for x in two]
    save("classifier_twice", fit(classifier(bert, head, inputs), four), four)


def write_hard_sigmoid():
    """A tagger with the recurrent activation that LSTM and GRU had by default before Keras 2.3."""
    layers = keras.layers
    two = inputs_of("tokens", "segments")
    bert = encoder(23)
    old = {"recurrent_activation": "hard_sigmoid", "return_sequences": True}
    head = layers.Bidirectional(layers.LSTM(4, **old))(bert.output)
    head = layers.Activation("hard_sigmoid")(layers.GRU(5, **old)(head))
    model = classifier(bert, head, units=3)
    save("tagger_hard_sigmoid", fit(model, two, BATCH["tokens"] % 3), two)


def write_edited():
    """`classifier_extract` with the configuration keys that releases before 0.8x wrote.

    Embeddings with an `input_length`, feed-forward layers from before `dropout_rate`, an optimizer
    with `lr` and `decay`, no dtype in the configs, and the class name that Keras had before 2.4;
    the state of the optimizer is left out.
    """
    source, target = FOLDER / "classifier_extract.h5", FOLDER / "classifier_edited.h5"
    with h5py.File(source) as old, h5py.File(target, "w") as file:
        file.attrs.update(old.attrs)
        old.copy("model_weights", file)
        model = json.loads(file.attrs["model_config"])
        model["class_name"] = "Model"
        for layer in model["config"]["layers"]:
            if layer["class_name"] == "FeedForward":
                del layer["config"]["dropout_rate"]
            if layer["class_name"] in ("TokenEmbedding", "Embedding"):
                layer["config"].update(input_length=LENGTH, batch_input_shape=[None, LENGTH])
            if layer["class_name"] != "InputLayer":
                layer["config"].pop("dtype", None)
        training = json.loads(file.attrs["training_config"])
        config = training["optimizer_config"]["config"]
        config.pop("name")
        config["lr"] = config.pop("learning_rate")
        config["decay"] = 0.0
        file.attrs["model_config"] = json.dumps(model)
        file.attrs["training_config"] = json.dumps(training)
        file.attrs["keras_version"] = "2.2.4"
    EXPECTED["classifier_edited/output_0"] = EXPECTED["classifier_extract/output_0"]


def read_back():
    """The old library must read its own files and predict the same."""
    classes = {
        **get_custom_objects(),
        "MaskedConv1D": MaskedConv1D,
        "MaskedGlobalMaxPool1D": MaskedGlobalMaxPool1D,
    }
    for name in FACTS:
        inputs = inputs_of("tokens", "segments")
        if "task" in name:
            inputs.append(BATCH["tasks"])
        if name.startswith("mlm"):
            inputs.append(BATCH["masked"])
        if name == "classifier_twice":
            inputs += [x[::-1] for x in inputs]
        model = keras.models.load_model(FOLDER / f"{name}.h5", classes, compile=False)
        for index, output in enumerate(as_list(model.predict(inputs, verbose=0))):
            np.testing.assert_allclose(output, EXPECTED[f"{name}/output_{index}"], atol=1e-6)


def layer_names():
    """`model.layers` in order, for models of base depth and tiny width."""
    cases = {
        "training_false": {"training": False},
        "training_true": {"training": True},
        "training_false_task": {"training": False, "use_task_embed": True},
        "training_true_task": {"training": True, "use_task_embed": True},
        "training_false_no_dropout": {"training": False, "dropout_rate": 0.0},
        "training_true_no_dropout": {"training": True, "dropout_rate": 0.0},
        "training_false_four_outputs": {"training": False, "output_layer_num": 4},
        "training_false_first_and_last": {"training": False, "output_layer_num": [0, -1]},
        "training_false_any_length": {"training": False, "seq_len": None},
    }
    names = {}
    for case, options in cases.items():
        start(0)
        model = get_model(transformer_num=12, **{**TINY, **options})
        if not options["training"]:
            model = keras.models.Model(*model)
        names[case] = [layer.name for layer in model.layers]
    return names


def write_json(name, facts):
    """One line per entry: readable, and a change shows in a diff."""
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in facts.items()]
    (FOLDER / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main():
    assert keras_bert.__version__ == "0.89.0"
    assert tf.__version__ == "2.15.1"
    for name, value in BATCH.items():
        EXPECTED[f"inputs/{name}"] = value.astype("int32")
    EXPECTED["inputs/labels"] = LABELS.astype("int32")
    write_encoders()
    write_pretraining()
    write_classifiers()
    write_nested()
    write_hard_sigmoid()
    write_edited()
    read_back()
    np.savez_compressed(FOLDER / "expected.npz", **EXPECTED)
    write_json("facts", FACTS)
    write_json("layer_names", layer_names())


if __name__ == "__main__":
    main()
