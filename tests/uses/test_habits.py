"""What people do with BERT in Keras, done as they do it, on every runtime."""

import numpy as np
import pytest
from model_folders import CONFIG, write_google_folder
from runtimes import KERAS_3, ON_TENSORFLOW, RUNTIME, as_list, dtype_policy, gradients, to_numpy

from keras_bert import AdamWarmup, get_custom_objects, get_model, load_trained_model_from_checkpoint
from keras_bert.backend import callbacks, keras, layers, models, ops, optimizers
from keras_bert.layers import Extract

# Keras 3 says so of every Lambda; the first token's features need no mask.
pytestmark = pytest.mark.filterwarnings("ignore:Layer 'lambda.* passed an input with a mask")

RANDOM = np.random.RandomState(0)
TOKENS = RANDOM.randint(1, 30, size=(4, 6)).astype("int32")
TOKENS[1, 4:] = TOKENS[3, 2:] = 0
SEGMENTS = np.zeros_like(TOKENS)
LABELS = np.array([0, 1, 2, 1], "int32")
TAGS = RANDOM.randint(0, 3, size=(4, 6)).astype("int32")

keras_3 = pytest.mark.skipif(not KERAS_3, reason="Keras 2 has nothing of the kind")


def encoder(**options):
    sizes = {"token_num": 30, "pos_num": 6, "seq_len": 6, "embed_dim": 8, "transformer_num": 1}
    sizes |= {"head_num": 2, "feed_forward_dim": 12, "dropout_rate": 0.0}
    return models.Model(*get_model(**{**sizes, "training": False, "trainable": True, **options}))


def classifier(bert=None, model_class=models.Model):
    bert = bert or encoder()
    first = layers.Lambda(lambda features: features[:, 0])(bert.output)
    return model_class(bert.inputs, layers.Dense(3, activation="softmax", name="Label")(first))


def warm_up(**options):
    return AdamWarmup(20, 2, lr=0.01, **options)


def cross_entropy(probabilities, labels):
    return -np.log(np.take_along_axis(probabilities, labels[..., None], axis=-1)[..., 0])


def predict(model, *arrays):
    arrays = list(arrays or (TOKENS, SEGMENTS))
    # JAX compiles one function faster than every operation; elsewhere it is the other way round.
    outputs = model.predict(arrays, verbose=0) if RUNTIME == "jax" else model(arrays)
    outputs = [to_numpy(each) for each in as_list(outputs)]
    return outputs if len(outputs) > 1 else outputs[0]


# XLA takes seconds for every model on TensorFlow.
QUICK = {"jit_compile": False} if ON_TENSORFLOW else {}


# Losses and heads


class LossLayer(layers.Layer):
    """Hands its first input on and adds the cross-entropy with the second to the model's losses."""

    def call(self, inputs):
        probabilities, labels = inputs
        losses = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
        self.add_loss(keras.ops.mean(losses) if KERAS_3 else keras.backend.mean(losses))
        return probabilities


@pytest.mark.slow
def test_a_layer_adds_the_loss():
    """The labels are an input; `compile` gets no loss and `fit` no labels."""
    model = classifier()
    labels = layers.Input(shape=(), dtype="int32", name="Labels")
    model = models.Model([*model.inputs, labels], LossLayer()([model.output, labels]))
    arrays = [TOKENS, SEGMENTS, LABELS]
    want = cross_entropy(predict(model, *arrays), LABELS).mean()
    model.compile(warm_up(), **QUICK)
    history = model.fit(arrays, batch_size=4, epochs=3, verbose=0).history["loss"]
    assert history[0] == pytest.approx(want, rel=1e-4)
    assert history[-1] < history[0]


@pytest.mark.slow
def test_several_outputs_with_weighted_losses():
    """A sentence's label and its tokens' tags, the latter by TimeDistributed."""
    bert = encoder()
    label = layers.Dense(3, activation="softmax", name="Label")(Extract(0)(bert.output))
    tag = layers.Dense(3, activation="softmax")
    tags = layers.TimeDistributed(tag, name="Tags")(bert.output)
    model = models.Model(bert.inputs, [label, tags])
    model.compile(
        warm_up(),
        loss={
            "Label": "sparse_categorical_crossentropy",
            "Tags": "sparse_categorical_crossentropy",
        },
        loss_weights={"Label": 1.0, "Tags": 0.5},
        **QUICK,
    )
    targets = {"Label": LABELS, "Tags": TAGS}
    labels, tags = predict(model)
    mask = TOKENS != 0
    by_hand = {
        "Label_loss": cross_entropy(labels, LABELS).mean(),
        "Tags_loss": cross_entropy(tags, TAGS)[mask].mean(),  # the mask reaches the loss
    }
    got = model.evaluate([TOKENS, SEGMENTS], targets, verbose=0, return_dict=True)
    for name, loss in by_hand.items():
        assert got[name] == pytest.approx(loss, rel=1e-4), name
    assert got["loss"] == pytest.approx(
        by_hand["Label_loss"] + 0.5 * by_hand["Tags_loss"], rel=1e-4
    )
    history = model.fit([TOKENS, SEGMENTS], targets, epochs=3, verbose=0).history
    assert history["Tags_loss"][-1] < history["Tags_loss"][0]


@pytest.mark.slow
def test_one_encoder_for_two_texts_and_numbers_beside_them():
    bert = encoder(seq_len=None)
    inputs = [layers.Input(shape=(None,), dtype="int32") for _ in range(4)]
    numbers = layers.Input(shape=(2,))
    first, second = (
        layers.GlobalAveragePooling1D()(bert(each)) for each in (inputs[:2], inputs[2:])
    )
    product = layers.Multiply()([first, second])
    joined = layers.Concatenate()([first, second, product, numbers])
    model = models.Model([*inputs, numbers], layers.Dense(1, activation="sigmoid")(joined))
    model.compile(warm_up(), loss="binary_crossentropy", **QUICK)
    arrays = [TOKENS, SEGMENTS, TOKENS[:, :4], SEGMENTS[:, :4], np.eye(4, 2, dtype="float32")]

    features = [predict(bert, tokens, tokens * 0) for tokens in (TOKENS, TOKENS[:, :4])]
    means = [
        (each * mask).sum(axis=1) / mask.sum(axis=1)
        for each, mask in zip(
            features, ((tokens != 0)[..., None] for tokens in (TOKENS, TOKENS[:, :4])), strict=True
        )
    ]
    kernel, bias = model.layers[-1].get_weights()
    logits = np.concatenate([*means, means[0] * means[1], arrays[-1]], axis=-1) @ kernel + bias
    np.testing.assert_allclose(predict(model, *arrays), 1 / (1 + np.exp(-logits)), atol=1e-5)
    labels = np.array([[0], [1], [1], [0]], "float32")
    history = model.fit(arrays, labels, epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]


# Adversarial training (Miyato et al., https://arxiv.org/abs/1605.07725): the step is taken with the
# gradient at a token table that is moved, for the moment, in the direction of its gradient.

EPSILON = 0.5


class Adversarial(models.Model):
    @property
    def table(self):
        return self.get_layer("Embedding-Token").embeddings

    if ON_TENSORFLOW:

        def train_step(self, data):
            import tensorflow as tf

            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            gradient = tape.gradient(loss, self.table.value if KERAS_3 else self.table)
            change = EPSILON * gradient / tf.norm(gradient)
            self.table.assign_add(change)
            logs = super().train_step(data)
            self.table.assign_sub(change)
            return logs

    elif RUNTIME == "torch":

        def train_step(self, data):
            import torch

            x, y = data
            table = self.table.value
            self.zero_grad()
            self.compute_loss(x, y, self(x, training=True)).backward()
            with torch.no_grad():
                change = EPSILON * table.grad / table.grad.norm()
                table.add_(change)
            logs = super().train_step(data)
            with torch.no_grad():
                table.sub_(change)
            return logs

    else:

        def train_step(self, state, data):
            import jax

            weights, others, optimizer, metrics = state
            index = [each is self.table for each in self.trainable_variables].index(True)

            def moved(change):
                return [
                    each + change if place == index else each for place, each in enumerate(weights)
                ]

            def loss(change):
                return self.compute_loss_and_updates(
                    moved(change),
                    others,
                    metrics,
                    *data,
                    None,
                    training=True,
                    optimizer_variables=optimizer,
                )[0]

            gradient = jax.grad(loss)(jax.numpy.zeros_like(weights[index]))
            change = EPSILON * gradient / jax.numpy.linalg.norm(gradient)
            logs, state = super().train_step((moved(change), others, optimizer, metrics), data)
            weights, *state = state
            return logs, (moved(-change), *state)


@pytest.mark.slow
@pytest.mark.every_runtime
def test_adversarial_training():
    model = classifier(model_class=Adversarial)
    model.compile(optimizers.SGD(0.1), loss="sparse_categorical_crossentropy")
    weights = model.get_weights()
    assert weights[0].shape == (30, 8)

    def gradients_here():
        probabilities = predict(model)
        slopes = -np.eye(3)[LABELS] / probabilities / len(LABELS)
        arrays = [ops.convert_to_tensor(each) for each in (TOKENS, SEGMENTS)]
        return gradients(model, arrays, [slopes.astype("float32")])

    gradient = gradients_here()[0]
    change = EPSILON * gradient / np.linalg.norm(gradient)
    model.set_weights([weights[0] + change, *weights[1:]])
    want = [old - 0.1 * each for old, each in zip(weights, gradients_here(), strict=True)]
    model.set_weights(weights)
    model.fit([TOKENS, SEGMENTS], LABELS, batch_size=4, verbose=0)
    for got, expected in zip(model.get_weights(), want, strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-5)


# Callbacks and files


@pytest.mark.slow
def test_callbacks(tmp_path):
    """The best epoch's model is kept, the learning rate lowered, and training ends early."""
    model = classifier()
    model.compile(warm_up(), loss="sparse_categorical_crossentropy", metrics=["accuracy"])

    class Spoil(callbacks.Callback):
        """Makes every epoch after the second worse than it."""

        def on_epoch_end(self, epoch, logs=None):
            logs["val_loss"] = [3.0, 1.0, 2.0, 2.0, 2.0, 2.0][epoch]
            if epoch == 1:
                self.best = self.model.get_weights()

    spoil = Spoil()
    weights_path = str(tmp_path / "best.weights.h5")
    history = model.fit(
        [TOKENS, SEGMENTS],
        LABELS,
        epochs=6,
        verbose=0,
        validation_data=([TOKENS, SEGMENTS], LABELS),
        callbacks=[
            spoil,
            callbacks.ModelCheckpoint(str(tmp_path / "best.keras"), save_best_only=True),
            callbacks.ModelCheckpoint(weights_path, save_best_only=True, save_weights_only=True),
            callbacks.ReduceLROnPlateau(factor=0.5, patience=1),
            callbacks.EarlyStopping(patience=3, restore_best_weights=True),
        ],
    ).history
    assert len(history["loss"]) == 5
    rates = history.get("learning_rate", history.get("lr"))
    np.testing.assert_allclose(rates, [0.01, 0.01, 0.01, 0.005, 0.0025])
    fresh = classifier()
    fresh.load_weights(weights_path)
    options = {"safe_mode": False, "custom_objects": get_custom_objects()}  # for the Lambda
    loaded = models.load_model(tmp_path / "best.keras", **options)
    for each in (model, fresh, loaded):
        for got, want in zip(each.get_weights(), spoil.best, strict=True):
            np.testing.assert_array_equal(got, want)
    assert int(loaded.optimizer.iterations) == 2


@pytest.mark.parametrize(
    "name", ["w.weights.h5"] + ([] if KERAS_3 else ["w.h5", "w", "model.ckpt-{epoch}"])
)
def test_weights_are_saved_and_loaded(tmp_path, name):
    model, fresh = classifier(), classifier()
    model.save_weights(str(tmp_path / name))
    status = fresh.load_weights(str(tmp_path / name))
    if status is not None:  # TensorFlow's format
        status.assert_existing_objects_matched()
    np.testing.assert_array_equal(predict(fresh), predict(model))


@keras_3
@pytest.mark.parametrize("name", ["w.h5", "w"])
def test_suffixes_that_keras_3_refuses(tmp_path, name):
    with pytest.raises(ValueError, match=r"must end in `\.weights\.h5`"):
        classifier().save_weights(str(tmp_path / name))


# Ways of fine-tuning that the guide shows


@pytest.fixture(autouse=RUNTIME == "jax")
def compile_quickly():
    """Many small models, each run a few times only."""
    import jax

    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("model")
    write_google_folder(path, {**CONFIG, "num_hidden_layers": 1})
    return path


def load(folder, **options):
    return load_trained_model_from_checkpoint(
        folder / "bert_config.json",
        folder / "bert_model.ckpt",
        seq_len=6,
        dropout_rate=0.0,
        **options,
    )


def moved_layers(model, optimizer, steps=1):
    """Names of the layers whose weights a step of training changes."""
    before = {layer.name: layer.get_weights() for layer in model.layers}
    model.compile(optimizer, loss="sparse_categorical_crossentropy", **QUICK)
    for _ in range(steps):
        loss = model.train_on_batch([TOKENS, SEGMENTS], LABELS)
    assert np.isfinite(as_list(loss)).all()
    return {
        layer.name
        for layer in model.layers
        if any((a != b).any() for a, b in zip(before[layer.name], layer.get_weights(), strict=True))
    }


@pytest.mark.slow
def test_first_the_head_then_all(folder):
    bert = load(folder, trainable=False)
    model = classifier(bert)
    assert moved_layers(model, optimizers.Adam(0.01)) == {"Label"}
    for layer in bert.layers:
        layer.trainable = not layer.name.startswith("Embedding")
    moved = moved_layers(model, warm_up())
    assert {"Label", "Encoder-1-FeedForward", "Encoder-1-MultiHeadSelfAttention"} <= moved
    assert not any(name.startswith("Embedding") for name in moved)


@pytest.mark.slow
def test_a_list_of_layers(folder):
    model = classifier(load(folder, trainable=["Encoder-1-FeedForward"]))
    moved = moved_layers(model, warm_up())
    assert moved == {"Encoder-1-FeedForward", "Encoder-1-FeedForward-Norm", "Label"}


@pytest.mark.slow
def test_lower_layers_learn_more_slowly(folder):
    model = classifier(load(folder, trainable=True))
    factors = {"Embedding": 0.01, "Encoder-1-": 0.1}
    start = {layer.name: layer.get_weights() for layer in model.layers}
    moved_layers(model, AdamWarmup(20, 0, lr=0.01, min_lr=0.01, learning_rate_factors=factors))
    for name, factor in {
        "Embedding-Token": 0.01,
        "Embedding-Segment": 0.01,
        "Encoder-1-FeedForward": 0.1,
        "Label": 1.0,
    }.items():
        changes = np.abs(model.get_layer(name).get_weights()[0] - start[name][0])
        # Adam's first step is as long as the learning rate wherever there is a gradient.
        assert changes.max() == pytest.approx(0.01 * factor, rel=0.01), name


@pytest.mark.slow
@keras_3
def test_gradients_of_several_batches_make_a_step(folder):
    """Two halves of a batch, accumulated, move the weights as the whole batch does."""
    whole = classifier(load(folder, trainable=True))
    halves = classifier(load(folder, trainable=True))
    halves.set_weights(whole.get_weights())
    for model, options in ((whole, {}), (halves, {"gradient_accumulation_steps": 2})):
        # With so large an epsilon, steps are as long as gradients, not as rounding errors.
        optimizer = AdamWarmup(20, 0, lr=1.0, epsilon=1.0, **options)
        model.compile(optimizer, loss="sparse_categorical_crossentropy", **QUICK)
    arrays, before = ([TOKENS, SEGMENTS], LABELS), whole.get_weights()
    whole.fit(*arrays, batch_size=4, shuffle=False, verbose=0)
    halves.fit(*arrays, batch_size=2, shuffle=False, verbose=0)
    for got, want in zip(halves.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(got, want, atol=1e-5)
    assert np.abs(before[-1] - want).max() > 1e-3
    assert int(halves.optimizer.iterations) == int(whole.optimizer.iterations) == 1


@pytest.mark.slow
def test_mixed_bfloat16(folder):
    with dtype_policy("mixed_bfloat16"):
        model = classifier(load(folder, trainable=True))
    dtypes = {getattr(weight.dtype, "name", weight.dtype) for weight in model.weights}
    assert dtypes == {"float32"}
    assert "bfloat16" in str(model.get_layer("Encoder-1-FeedForward").output.dtype)
    single = classifier(load(folder))
    single.set_weights(model.get_weights())
    np.testing.assert_allclose(predict(model), predict(single), atol=0.05)
    assert {"Embedding-Token", "Encoder-1-FeedForward", "Label"} <= moved_layers(model, warm_up())


@pytest.mark.slow
@keras_3
def test_low_rank_adapters(folder):
    bert = load(folder, trainable=False)
    for layer in bert.layers:
        if layer.name.endswith(("MultiHeadSelfAttention", "FeedForward")):
            layer.trainable = True
            layer.enable_lora(rank=2)
    model = classifier(bert)
    single = classifier(load(folder))
    single.get_layer("Label").set_weights(model.get_layer("Label").get_weights())
    np.testing.assert_allclose(predict(model), predict(single), atol=1e-6)
    weights = model.trainable_weights
    assert len(weights) == 6 * 3 + 2  # of every kernel two factors and the bias; the head
    assert moved_layers(model, warm_up(), steps=2) == {"Label"} | {
        "Encoder-1-MultiHeadSelfAttention",
        "Encoder-1-FeedForward",
    }
