"""Small models to save and load, and a script that saves them under another runtime.

    KERAS_BACKEND=torch python saved_models.py FOLDER

writes every model in every format of the runtime that the environment chooses, and what the models
predict there in `predictions.npz` and, for one in the middle of its training, in `trained.npz`.
Weights are random, but the same in every run.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from runtimes import RUNTIME, as_list, to_numpy

import keras_bert
from keras_bert import AdamWarmup, get_custom_objects, get_model
from keras_bert.activations import gelu_erf, gelu_tanh
from keras_bert.backend import TF_KERAS, layers, models, ops
from keras_bert.layers import Extract

SIZES = {
    "token_num": 40,
    "pos_num": 10,
    "embed_dim": 12,
    "transformer_num": 1,
    "head_num": 2,
    "feed_forward_dim": 20,
    "dropout_rate": 0.0,
}


def batch():
    """Token ids, segment ids and marks of rows of every length; the third has padding inside."""
    random = np.random.RandomState(3)
    tokens = random.randint(1, SIZES["token_num"], size=(4, 10))
    segments = (np.arange(10) > 3) * np.ones_like(tokens)
    for row, length in enumerate((10, 6, 8, 1)):
        tokens[row, length:] = segments[row, length:] = 0
    tokens[2, 3] = 0
    return tokens, segments, (np.arange(10) % 2) * np.ones_like(tokens)


def encoder():
    return models.Model(*get_model(training=False, trainable=True, seq_len=10, **SIZES))


def mlm_nsp():
    return get_model(seq_len=10, use_task_embed=False, **SIZES)


def mlm_nsp_exact():
    return get_model(seq_len=10, feed_forward_activation="gelu_erf", **SIZES)


def classifier():
    """With a head of the user's own, where the string "gelu" means Keras' erf form."""
    bert = encoder()
    features = Extract(index=0)(bert.output)
    features = layers.Dense(8, activation="gelu", name="Head")(features)
    return models.Model(bert.inputs, layers.Dense(2, activation="softmax")(features))


def compile_classifier(model, optimizer=None):
    if optimizer is None:
        optimizer = AdamWarmup(
            decay_steps=20, warmup_steps=2, learning_rate=2e-3, weight_decay=0.01
        )
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])


def tagger():
    """With Keras' own layers that read the mask, of two encoder layers side by side."""
    sizes = {**SIZES, "transformer_num": 2}
    inputs, features = get_model(training=False, seq_len=10, output_layer_num=2, **sizes)
    wrapped = layers.TimeDistributed(layers.Dense(6, activation="gelu"))(features)
    features = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(wrapped)
    return models.Model(inputs, layers.Dense(3, activation="softmax")(features))


def nested():
    """The encoder as a layer that is called twice, and a head that is a model as well."""
    bert = models.Model(*get_model(training=False, seq_len=None, **SIZES), name="bert")
    inputs = [layers.Input(shape=(None,), dtype="int32") for _ in range(4)]
    head = models.Sequential(
        [layers.Input(shape=(12,)), layers.Dense(4, activation="gelu"), layers.Dense(2)]
    )
    first, second = bert(inputs[:2]), bert(inputs[2:])
    pooled = layers.GlobalAveragePooling1D()(first)
    outputs = [head(pooled), head(Extract(index=0)(second)), second]
    return models.Model(inputs, outputs)


BUILDERS = {
    each.__name__: each for each in (encoder, mlm_nsp, mlm_nsp_exact, classifier, tagger, nested)
}
LABELS = np.array([0, 1, 1, 0])


def build(name):
    model = BUILDERS[name]()
    random = np.random.RandomState(len(name))
    model.set_weights([random.normal(scale=0.3, size=each.shape) for each in model.get_weights()])
    return model


def inputs_of(name):
    tokens, segments, marks = batch()
    if name == "nested":
        return [tokens, segments, tokens[::-1], segments[::-1]]
    return [tokens, segments, marks] if name.startswith("mlm") else [tokens, segments]


def predict(model, name):
    inputs = inputs_of(name)
    # JAX compiles one function faster than every operation; elsewhere it is the other way round.
    outputs = model.predict(inputs, verbose=0) if RUNTIME == "jax" else model(inputs)
    return [to_numpy(output) for output in as_list(outputs)]


def train(model, steps):
    """Losses of some more steps on the whole batch."""
    # (Keras 3 averages over the steps since metrics were last reset.)
    losses = []
    for _ in range(steps):
        model.reset_metrics()
        losses.append(float(model.train_on_batch(inputs_of("classifier"), LABELS)[0]))
    return losses


def check_predictions(model, name, folder):
    """Compare with what the model's writer predicted: sums in another order differ by 1e-6."""
    file = "trained.npz" if name == "trained" else "predictions.npz"
    with np.load(folder / file) as numbers:
        for index, output in enumerate(predict(model, name)):
            assert np.abs(output).max() > 0.01
            np.testing.assert_allclose(output, numbers[f"{name}/{index}"], atol=1e-5)


def load_model(path, **options):
    return models.load_model(path, custom_objects=get_custom_objects(), **options)


def load_json(path):
    text = path.read_text("utf-8")
    return models.model_from_json(text, custom_objects=get_custom_objects())


def load(folder, name, form):
    """Read a model in one of the ways there are."""
    if form == "json":
        model = load_json(folder / f"{name}.json")
        model.load_weights(folder / f"{name}.weights.h5")
        return model
    if form in (".keras", ".h5"):
        return load_model(folder / f"{name}{form}")
    model = BUILDERS[name]()
    model.load_weights(folder / f"{name}{form.removeprefix('weights of ')}")
    return model


def is_exact(activation):
    """Whether a function is the erf form; it must be one of the two."""
    x = ops.convert_to_tensor(np.linspace(-4, 4, 17, dtype="float32"))
    got = to_numpy(activation(x))
    distances = [np.abs(got - to_numpy(form(x))).max() for form in (gelu_tanh, gelu_erf)]
    assert min(distances) < 1e-6 < 3e-4 < max(distances)
    return bool(distances[1] < distances[0])


def check_gelu(folder, form):
    """Both forms of GELU are what they were: in this library's layers and in Keras' own."""
    for name, exact in (("mlm_nsp", False), ("mlm_nsp_exact", True)):
        model = load(folder, name, form)
        for layer in ("MLM-Dense", "Encoder-1-FeedForward"):
            assert is_exact(model.get_layer(layer).activation) is exact
    assert is_exact(load(folder, "classifier", form).get_layer("Head").activation)
    tagger = load(folder, "tagger", form)
    assert is_exact(tagger.get_layer("time_distributed").layer.activation)
    assert not is_exact(tagger.get_layer("Encoder-2-FeedForward").activation)


def write(folder):
    """Save every model in every format that this runtime has."""
    folder = Path(folder)
    numbers = {}
    for name in BUILDERS:
        model = build(name)
        for index, output in enumerate(predict(model, name)):
            numbers[f"{name}/{index}"] = output
        model.save(folder / f"{name}.keras")
        model.save(folder / f"{name}.h5")
        model.save_weights(folder / f"{name}.weights.h5")
        (folder / f"{name}.json").write_text(model.to_json(), "utf-8")
        if TF_KERAS:
            model.save_weights(folder / f"{name}_weights.h5")
    np.savez(folder / "predictions.npz", **numbers)


def write_elsewhere(script, folder, **environment):
    """Start a module like this one, a script that writes models into a folder, elsewhere."""
    folder.mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("TF_KERAS", "TF_USE_LEGACY_KERAS", "KERAS_BACKEND")
    }
    # Named, because PYTHONSAFEPATH keeps a script's own folder out of the search.
    paths = [Path(keras_bert.__file__).parent.parent, Path(__file__).parent]
    kept["PYTHONPATH"] = os.pathsep.join([*map(str, paths), kept.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, script.__file__, str(folder)],
        env={**kept, **environment, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def write_trained(folder):
    """Save a compiled model in the middle of its training."""
    folder = Path(folder)
    model = build("classifier")
    compile_classifier(model)
    train(model, 3)
    model.save(folder / "trained.keras")
    model.save(folder / "trained.h5")
    numbers = {"trained/0": predict(model, "trained")[0], "later_losses": np.array(train(model, 3))}
    np.savez(folder / "trained.npz", **numbers)


if __name__ == "__main__":
    write(sys.argv[1])
    write_trained(sys.argv[1])
