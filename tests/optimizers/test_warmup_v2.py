"""AdamWarmup against its formulas in float64 numpy and against what keras-bert 0.89 computed."""

import json
from pathlib import Path

import numpy as np
import pytest
from runtimes import RUNTIME, dtype_policy

from keras_bert.backend import TF_KERAS, keras
from keras_bert.bert import get_model
from keras_bert.optimizers import AdamWarmup
from keras_bert.optimizers.weight_names import weight_name

OLD_FILES = Path(__file__).resolve().parents[1] / "data" / "old_files"
# Exact in float32, so that float64 runs can be compared to all digits.
PEAK, MIN_LR = 2.0**-6, 2.0**-12


def rates(count, decay_steps, warmup_steps, min_lr=MIN_LR, learning_rate=PEAK):
    """The learning rate of steps 1 … count."""
    steps = np.arange(1, count + 1, dtype="float64")
    rising = learning_rate * steps / max(warmup_steps, 1)
    falling = min_lr + (learning_rate - min_lr) * (1 - np.minimum(steps, decay_steps) / decay_steps)
    return np.where(steps <= warmup_steps, rising, falling)


def expected(start, gradients, rates, weight_decay=0.0, amsgrad=False):
    """The weight after every step."""
    weight, first, second, largest = np.array(start, "float64"), 0.0, 0.0, 0.0
    weights = []
    for step, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), 1):
        gradient = np.array(gradient, "float64")
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        largest = np.maximum(largest, second)
        root = np.sqrt(largest if amsgrad else second)
        size = rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        weight = weight - size * (first / (root + 1e-7) + weight_decay * weight)
        weights.append(weight)
    return np.array(weights)


def variable(value, dtype="float32", name="kernel"):
    if TF_KERAS:
        import tensorflow as tf

        return tf.Variable(value, dtype=dtype, name=name)
    return keras.Variable(value, dtype=dtype, name=name)


def tensor(value, dtype="float32"):
    if TF_KERAS:
        import tensorflow as tf

        return tf.constant(value, dtype)
    return keras.ops.convert_to_tensor(value, dtype)


def array(value):
    return np.array(value.numpy() if TF_KERAS else keras.ops.convert_to_numpy(value))


def run(optimizer, start, gradients, dtype="float32"):
    """The weight after every step of the optimizer."""
    weight = variable(start, dtype)
    weights = []
    for gradient in gradients:
        optimizer.apply_gradients([(tensor(gradient, dtype), weight)])
        weights.append(array(weight))
    return np.array(weights)


def draw(count, shape=(3, 4), seed=0):
    """Gradients of very different sizes, most of them small towards the end."""
    random = np.random.RandomState(seed)
    sizes = 10.0 ** random.uniform(-3, 1, size=(count, *shape))
    sizes[count // 2 :] *= 0.01
    gradients = random.normal(size=(count, *shape)) * sizes
    return random.normal(size=shape).astype("float32"), gradients.astype("float32")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize(("decay_steps", "warmup_steps"), [(30, 7), (30, 0), (5, 20)])
@pytest.mark.filterwarnings("ignore:AdamWarmup.decay_steps, warmup_steps")
def test_every_step_of_warm_up_and_decay(decay_steps, warmup_steps, amsgrad):
    start, gradients = draw(40)
    optimizer = AdamWarmup(
        decay_steps, warmup_steps, MIN_LR, PEAK, weight_decay=0.25, amsgrad=amsgrad
    )
    want = expected(start, gradients, rates(40, decay_steps, warmup_steps), 0.25, amsgrad)
    # Forty steps, each rounded to float32.
    np.testing.assert_allclose(run(optimizer, start, gradients), want, rtol=0, atol=2e-6)


@pytest.mark.slow
def test_amsgrad_keeps_the_largest_velocity():
    # After one huge gradient, plain Adam forgets it slowly and takes ever larger steps.
    gradients = np.array([[1000.0]] + [[1.0]] * 300)
    plain, kept = (
        run(AdamWarmup(10**6, 0, PEAK, PEAK, beta_2=0.9, amsgrad=amsgrad), [0.0], gradients)
        for amsgrad in (False, True)
    )
    assert abs(plain[-1] - plain[-2]) > 100 * abs(kept[-1] - kept[-2])


def test_elements_of_a_gradient_may_lie_in_any_order():
    start, gradients = draw(5, shape=(4, 4))
    weight = variable(start)
    optimizer = AdamWarmup(30, 7, MIN_LR, PEAK, weight_decay=0.25)
    for gradient in gradients:
        transposed = tensor(gradient.T)  # of PyTorch a view, which its fused kernel misreads
        transposed = transposed.t() if hasattr(transposed, "t") else tensor(gradient)
        optimizer.apply_gradients([(transposed, weight)])
    want = expected(start, gradients, rates(5, 30, 7), 0.25)[-1]
    np.testing.assert_allclose(array(weight), want, rtol=0, atol=2e-6)


@pytest.mark.skipif(RUNTIME == "jax", reason="float64 needs another setting of JAX")
def test_float64_is_computed_in_float64():
    start, gradients = draw(40)
    optimizer = AdamWarmup(30, 7, MIN_LR, PEAK, weight_decay=0.25)
    got = run(optimizer, start, gradients, "float64")
    np.testing.assert_allclose(got, expected(start, gradients, rates(40, 30, 7), 0.25), rtol=1e-12)


def test_bfloat16_variables_take_full_steps():
    # In bfloat16, 0.999 is 1: computed there, the correction of the bias is 0 and nothing moves.
    moved = run(AdamWarmup(100, 0, PEAK, PEAK), [0.0], [[1.0]] * 3, "bfloat16").astype("float32")
    np.testing.assert_allclose(moved[:, 0], [-PEAK, -2 * PEAK, -3 * PEAK], rtol=0.02)


@pytest.mark.parametrize("case", range(4))
@pytest.mark.filterwarnings("ignore:AdamWarmup.decay_steps, warmup_steps")
def test_same_steps_as_the_old_library(case):
    """Through warm-up and decay, by tests/data/make_optimizer_oracle.py."""
    oracle = json.loads((OLD_FILES.parent / "optimizer_oracle.json").read_text())[case]
    steps = np.arange(1, 41, dtype="float32")
    gradients = np.stack([np.sin(steps), np.cos(2 * steps), 0.1 * steps], axis=1)
    got = run(AdamWarmup(**oracle["arguments"]), [1.0, -2.0, 0.5], gradients)
    # 0.89 takes 1 − 0.999ᵗ in float32, which leaves five digits in the first steps.
    np.testing.assert_allclose(got, oracle["weights"], atol=1e-5)


def test_learning_rate_at_any_step():
    optimizer = AdamWarmup(320, 32, lr=1e-3, min_lr=1e-5)
    got = [optimizer.learning_rate_at(step) for step in (1, 16, 32, 33, 160, 320, 1000)]
    middle = [1e-5 + 0.00099 * (1 - step / 320) for step in (33, 160)]
    np.testing.assert_allclose(got, [1e-3 / 32, 5e-4, 1e-3, *middle, 1e-5, 1e-5], rtol=1e-6)


def test_a_learning_rate_given_twice():
    assert float(array(AdamWarmup(10, 1, learning_rate=0.5, lr=0.5).lr)) == 0.5
    with pytest.raises(ValueError, match=r"Received: lr=0\.5, learning_rate=0\.25\."):
        AdamWarmup(10, 1, learning_rate=0.25, lr=0.5)


def test_more_warm_up_than_steps():
    with pytest.warns(UserWarning, match="Received: decay_steps=32, warmup_steps=320"):
        AdamWarmup(32, 320)


def test_learning_rate_is_read_and_set_in_the_middle():
    start, gradients = draw(10)
    optimizer = AdamWarmup(8, 2, 0.0, PEAK)
    weight = variable(start)
    for step, gradient in enumerate(gradients):
        if step == 5:
            assert float(array(optimizer.learning_rate)) == PEAK
            optimizer.learning_rate = PEAK / 4
            assert float(array(optimizer.lr)) == PEAK / 4
        optimizer.apply_gradients([(tensor(gradient), weight)])
    changed = rates(10, 8, 2, 0.0)
    changed[5:] /= 4
    np.testing.assert_allclose(array(weight), expected(start, gradients, changed)[-1], atol=1e-6)


def test_callbacks_set_the_learning_rate():
    model = small_model(AdamWarmup(100, 2, lr=0.5))
    x, y = np.ones((4, 3)), np.array([0, 1, 1, 0])
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    model.fit(x, y, epochs=2, verbose=0, callbacks=[halve])
    assert float(array(model.optimizer.learning_rate)) == 0.125
    # An improvement of 1000 is not to be had.
    plateau = keras.callbacks.ReduceLROnPlateau(
        monitor="loss", factor=0.5, patience=1, min_delta=1000.0
    )
    model.fit(x, y, epochs=2, verbose=0, callbacks=[plateau])
    assert float(array(model.optimizer.learning_rate)) == 0.0625


def small_model(optimizer):
    inputs = keras.layers.Input(shape=(3,), dtype="int32")
    embedded = keras.layers.Embedding(7, 4, name="Table")(inputs)
    features = keras.layers.Flatten()(embedded)
    outputs = keras.layers.Dense(2, activation="softmax", name="Label")(features)
    model = keras.models.Model(inputs, outputs)
    random = np.random.RandomState(1)
    model.set_weights([random.normal(size=w.shape).astype("float32") for w in model.get_weights()])
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    return model


BATCH = np.array([[1, 1, 1], [1, 2, 6], [0, 6, 3], [5, 4, 1]]), np.array([0, 1, 1, 0])


def test_repeated_rows_of_an_embedding_take_one_step():
    model = small_model(AdamWarmup(10, 0, PEAK, PEAK))
    before = model.get_layer("Table").get_weights()[0]
    model.fit(*BATCH, batch_size=4, epochs=1, verbose=0)
    moved = model.get_layer("Table").get_weights()[0] - before
    # Adam's first step has the size of the learning rate wherever there is a gradient.
    np.testing.assert_allclose(np.abs(moved), PEAK, rtol=1e-3)


def test_base_class_clips():
    start, gradients = draw(6)
    norms = np.linalg.norm(gradients.reshape(6, -1), axis=1)[:, None, None]
    by_norm = gradients * np.minimum(1, 0.5 / norms)
    cases = {
        "clipnorm": by_norm,
        "global_clipnorm": by_norm,
        "clipvalue": gradients.clip(-0.5, 0.5),
    }
    for name, clipped in cases.items():
        got = run(AdamWarmup(8, 2, 0.0, PEAK, **{name: 0.5}), start, gradients)
        want = expected(start, clipped, rates(6, 8, 2, 0.0))
        np.testing.assert_allclose(got, want, atol=1e-6, err_msg=name)


def test_base_class_averages_weights():
    start, gradients = draw(6)
    weight = variable(start)
    optimizer = AdamWarmup(8, 2, 0.0, PEAK, use_ema=True, ema_momentum=0.5)
    for gradient in gradients:
        optimizer.apply_gradients([(tensor(gradient), weight)])
    optimizer.finalize_variable_values([weight])
    weights = expected(start, gradients, rates(6, 8, 2, 0.0))
    # Keras 2 begins with the weight before the first step, Keras 3 with that after it.
    average = start if TF_KERAS else weights[0]
    for after in weights if TF_KERAS else weights[1:]:
        average = 0.5 * average + 0.5 * after
    np.testing.assert_allclose(array(weight), average, atol=1e-6)


@pytest.mark.skipif(TF_KERAS, reason="Keras 2 has no such arguments")
def test_base_class_accumulates_and_scales():
    start, gradients = draw(12)
    means = gradients.astype("float64").reshape(4, 3, 3, 4).mean(axis=1)
    want = expected(start, means, rates(4, 6, 2, 0.0), 0.25)
    optimizer = AdamWarmup(
        6, 2, 0.0, PEAK, weight_decay=0.25, gradient_accumulation_steps=3, loss_scale_factor=8.0
    )
    got = run(optimizer, start, 8 * gradients)
    np.testing.assert_allclose(got[2::3], want, atol=1e-6)
    np.testing.assert_array_equal(got[3:5], [got[2], got[2]])


def test_with_a_constant_learning_rate_it_is_keras_adam():
    inputs = keras.layers.Input(shape=(3,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    start = model.get_weights()
    arrays = np.eye(12, 3, dtype="float32"), np.eye(12, 2, dtype="float32")
    learnt = []
    for optimizer in (AdamWarmup(1, 0, lr=0.01, min_lr=0.01), keras.optimizers.Adam(0.01)):
        model.set_weights(start)
        model.compile(optimizer, loss="mse")
        model.fit(*arrays, batch_size=4, epochs=5, shuffle=False, verbose=0)
        learnt.append(model.get_weights())
    for one, other, old in zip(*learnt, start, strict=True):
        assert np.abs(one - old).max() > 0.01
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
@pytest.mark.parametrize("scaled", [False, True])
def test_a_model_with_nothing_to_learn_may_be_fitted_and_learns_when_there_is(scaled):
    """Keras' own Adam moves nothing there, either."""
    if scaled and TF_KERAS:
        pytest.skip("Keras 2 scales losses in another class")
    inputs = keras.layers.Input(shape=(3,))
    dense = keras.layers.Dense(2)
    model = keras.Model(inputs, dense(inputs))
    dense.trainable = False
    optimizer = AdamWarmup(10**6, 0, lr=0.1)
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(optimizer, loss="mse")
    before, arrays = model.get_weights(), (np.ones((4, 3), "float32"), np.ones((4, 2), "float32"))
    history = model.fit(*arrays, epochs=2, verbose=0).history["loss"]
    assert history == pytest.approx([model.evaluate(*arrays, verbose=0)] * 2, rel=1e-5)  # float32
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    if scaled:
        return  # Keras builds that one once and for all
    dense.trainable = True
    model.compile(optimizer, loss="mse")
    model.fit(*arrays, verbose=0)
    step = np.sign(before[0].sum(axis=0) - 1) * 0.1  # Adam's first step, for every row
    np.testing.assert_allclose(model.get_weights()[0], before[0] - step, atol=1e-4)


@pytest.mark.slow
@pytest.mark.every_runtime
def test_mixed_precision_follows_single_precision():
    wrap = (keras.mixed_precision if TF_KERAS else keras.optimizers).LossScaleOptimizer

    def train(optimizer):
        model = small_model(optimizer)
        model.fit(*BATCH, batch_size=4, epochs=4, verbose=0)
        return model.get_weights()

    single = train(AdamWarmup(10, 2, lr=PEAK, weight_decay=0.1))
    with dtype_policy("mixed_float16"):
        mixed = train(wrap(AdamWarmup(10, 2, lr=PEAK, weight_decay=0.1), initial_scale=64.0))
    for got, want in zip(mixed, single, strict=True):
        # Gradients have three digits, and steps of Adam hardly depend on their size.
        np.testing.assert_allclose(got, want, atol=0.02 * PEAK)


def pretraining_model():
    return get_model(
        token_num=40,
        pos_num=10,
        seq_len=10,
        embed_dim=12,
        transformer_num=1,
        head_num=2,
        feed_forward_dim=20,
        use_task_embed=True,
        task_num=4,
    )


def decayed(pattern, **arguments):
    """Names of the weights that change without any gradient."""
    model = pretraining_model()
    model.set_weights([np.ones_like(weight) for weight in model.get_weights()])
    optimizer = AdamWarmup(10, 0, lr=0.1, weight_decay=0.5, weight_decay_pattern=pattern)
    for method, argument in arguments.items():
        getattr(optimizer, method)(**argument)
    weights = model.trainable_weights
    optimizer.apply_gradients([(tensor(np.zeros(w.shape)), w) for w in weights])
    changed = {}
    for weight in weights:
        change = 1 - array(weight)
        assert np.ptp(change) == 0
        changed[weight_name(weight)] = float(change.flat[0])
    # sqrt(1 − 0.999) / (1 − 0.9) = 0.316…, times 0.9 of the peak and the weight decay
    size = 0.09 * np.sqrt(0.001) / 0.1 * 0.5
    np.testing.assert_allclose([c for c in changed.values() if c], size, rtol=1e-5)
    return [name.split("/")[-1].split("_")[-1][:-2] for name, change in changed.items() if change]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("pattern", "want"),
    [
        (["Wq"], ["Wq"]),
        (["W1", "bo"], ["bo", "W1"]),
        ("gamma", ["gamma"] * 4),
        (["kernel"], ["kernel"] * 3),
        (["embeddings"], ["embeddings"] * 4),
        (["FeedForward_"], ["W1", "b1", "W2", "b2"]),
        ([], []),
    ],
)
def test_only_weights_of_the_pattern_decay(pattern, want):
    assert decayed(pattern) == want


def test_without_a_pattern_all_weights_decay():
    assert len(decayed(None)) == len(pretraining_model().weights)


def test_weights_excluded_by_the_base_class_do_not_decay():
    exclude = {"var_names": ["bias"]}
    names = decayed(["kernel", "bias"], exclude_from_weight_decay=exclude)
    assert names == ["kernel"] * 3


def test_variables_excluded_by_the_base_class_do_not_decay():
    model = pretraining_model()
    optimizer = AdamWarmup(10, 0, lr=0.1, weight_decay=0.5)
    weights = model.trainable_weights
    optimizer.exclude_from_weight_decay(var_list=weights[2:])
    before = [array(weight) for weight in weights]
    optimizer.apply_gradients([(tensor(np.zeros(w.shape)), w) for w in weights])
    changed = [
        bool((array(weight) != old).any()) for weight, old in zip(weights, before, strict=True)
    ]
    assert changed == [True, True] + [False] * (len(weights) - 2)


@pytest.mark.parametrize("first", [None, 0.0, 0.5])
@pytest.mark.parametrize("then", [None, 0.0, 0.25])
def test_the_factor_of_the_decay_may_change(first, then):
    optimizer = AdamWarmup(10, 0, lr=0.1, weight_decay=first)
    start, gradients = draw(2)
    weight = variable(start)
    optimizer.apply_gradients([(tensor(gradients[0]), weight)])
    before = array(weight)
    optimizer.weight_decay = then
    optimizer.apply_gradients([(tensor(gradients[1]), weight)])
    without = expected(start, gradients, rates(2, 10, 0, 0.0, 0.1))
    size = 0.1 * 0.8 * np.sqrt(1 - 0.999**2) / (1 - 0.9**2)
    change = without[1] - without[0] - size * (then or 0) * before
    np.testing.assert_allclose(array(weight), before + change, atol=1e-6)
    assert optimizer.get_config()["weight_decay"] == then


def test_layer_wise_learning_rates():
    """Steps of Adam are as long as the learning rate; the longest beginning counts."""
    factors = {"Embedding": 0.5, "Encoder-1-": 0.25, "Encoder-1-FeedForward-Norm": 0, "MLM": 2}
    model = pretraining_model()
    optimizer = AdamWarmup(
        10, 0, lr=PEAK, min_lr=PEAK, learning_rate_factors=factors, weight_decay=0.25
    )
    before = model.get_weights()
    weights = model.trainable_weights
    optimizer.apply_gradients([(tensor(np.ones(w.shape)), w) for w in weights])
    for weight, old in zip(weights, before, strict=True):
        layer = weight_name(weight).split("/")[0]
        factor = (
            0.0
            if layer == "Encoder-1-FeedForward-Norm"
            else {"Emb": 0.5, "Enc": 0.25, "MLM": 2.0, "NSP": 1.0}[layer[:3]]
        )
        # sqrt(1 − 0.999) / (1 − 0.9) = 0.316…
        moved = PEAK * factor * (1 + 0.25 * old * np.sqrt(0.001) / 0.1)
        np.testing.assert_allclose(old - array(weight), moved, rtol=2e-4, atol=1e-7)


def test_factors_of_layers_that_do_not_exist_warn():
    optimizer = AdamWarmup(10, 0, learning_rate_factors={"encoder": 0.5})
    with pytest.warns(UserWarning, match=r"no trainable weight by \['encoder'\]"):
        optimizer.build(pretraining_model().trainable_weights)


def test_configuration_survives_json():
    optimizer = AdamWarmup(
        20,
        3,
        1e-5,
        2e-3,
        0.8,
        0.99,
        1e-6,
        0.01,
        ["Wq", "kernel"],
        True,
        "Warm",
        clipnorm=1.5,
        learning_rate_factors={"Embedding": 0.5},
    )
    saved = keras.optimizers.serialize(optimizer)
    loaded = keras.optimizers.deserialize(
        json.loads(json.dumps(saved)), custom_objects={"AdamWarmup": AdamWarmup}
    )
    assert loaded.get_config() == optimizer.get_config()
    config = loaded.get_config()
    assert config["weight_decay_pattern"] == ["Wq", "kernel"]
    assert config["learning_rate"] == pytest.approx(2e-3)
    assert (config["amsgrad"], config["clipnorm"], config["decay_steps"]) == (True, 1.5, 20)


def test_configurations_of_other_versions_load():
    old = json.loads((OLD_FILES / "facts.json").read_text())["mlm_nsp_compiled"]["optimizer"]
    optimizer = AdamWarmup.from_config(old["config"])  # 0.89 on TensorFlow 2.15
    assert optimizer.learning_rate_at(4) == pytest.approx(2e-3)
    # 0.8x on Keras 2.2
    optimizer = AdamWarmup.from_config(
        {"decay_steps": 50, "warmup_steps": 4, "lr": 0.5, "beta_1": 0.9, "decay": 0.0}
    )
    assert optimizer.learning_rate_at(4) == 0.5
    # this version on the other Keras
    other = {"jit_compile": True, "is_legacy_optimizer": False}
    if TF_KERAS:
        other = {"loss_scale_factor": None, "gradient_accumulation_steps": None}
    AdamWarmup.from_config({"decay_steps": 50, "warmup_steps": 4, **other})


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_training_goes_on_after_a_reload(tmp_path, suffix, amsgrad):
    def train(model):
        model.fit(*BATCH, batch_size=2, epochs=2, shuffle=False, verbose=0)

    model = small_model(AdamWarmup(10, 2, lr=PEAK, weight_decay=0.1, amsgrad=amsgrad))
    train(model)
    model.optimizer.learning_rate = PEAK / 2
    model.save(tmp_path / f"model{suffix}")
    train(model)
    loaded = keras.models.load_model(
        tmp_path / f"model{suffix}", custom_objects={"AdamWarmup": AdamWarmup}
    )
    assert int(array(loaded.optimizer.iterations)) == 4
    train(loaded)
    for got, want in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.slow
@pytest.mark.skipif(TF_KERAS, reason="Keras 2 does not accumulate gradients")
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_training_goes_on_between_two_batches_of_a_step(tmp_path, suffix):
    def train(model):
        model.fit(BATCH[0][:3], BATCH[1][:3], batch_size=1, epochs=1, shuffle=False, verbose=0)

    model = small_model(AdamWarmup(10, 2, lr=PEAK, gradient_accumulation_steps=2))
    train(model)
    model.save(tmp_path / f"model{suffix}")
    train(model)
    loaded = keras.models.load_model(
        tmp_path / f"model{suffix}", custom_objects={"AdamWarmup": AdamWarmup}
    )
    assert int(array(loaded.optimizer.iterations)) == 1
    train(loaded)
    assert int(array(loaded.optimizer.iterations)) == 3
    for got, want in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)


def test_weights_of_another_optimizer_are_refused():
    weights = [np.array(7), np.zeros((2, 2))]
    optimizer = AdamWarmup(10, 2)
    optimizer.set_weights(weights)  # which variables there are is not known yet
    assert int(array(optimizer.iterations)) == 7
    with pytest.warns(UserWarning, match="starts anew"):
        optimizer.build([variable([1.0])])
    assert int(array(optimizer.iterations)) == 0
    with pytest.raises(ValueError, match="not the weights of this optimizer"):
        optimizer.set_weights(weights)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"decay_steps": 0, "warmup_steps": 1}, "decay_steps=0"),
        ({"decay_steps": 1, "warmup_steps": -1}, "warmup_steps=-1"),
        (
            {"decay_steps": 1, "warmup_steps": 1, "learning_rate_factors": {"Embedding": -1}},
            "learning_rate_factors={'Embedding': -1}",
        ),
        ({"decay_steps": 1, "warmup_steps": 1, "learning_rate_factors": ["MLM"]}, r"\['MLM'\]"),
        ({"decay_steps": 1, "warmup_steps": 1, "decay": 0.1}, "decay=0.1"),
        ({"decay_steps": 1, "warmup_steps": 1, "learning_rate": lambda: 1.0}, "must be a number"),
        ({"decay_steps": 1, "warmup_steps": 1, "lr": "1e-3"}, "must be a number.*'1e-3'"),
        ({"decay_steps": 1, "warmup_steps": 1, "lr": -1}, "`learning_rate` must not be negative"),
        ({"decay_steps": 1, "warmup_steps": 1, "min_lr": -1e-9}, "`min_lr` must not be negative"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        AdamWarmup(**arguments)


@pytest.mark.parametrize("name", ["decay_steps", "warmup_steps", "min_lr"])
def test_digits_are_no_number(name):
    with pytest.raises(TypeError, match=rf"`{name}` must be a number\. Received: '10' \(str\)"):
        AdamWarmup(**{"decay_steps": 10, "warmup_steps": 2, name: "10"})
