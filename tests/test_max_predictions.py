"""Pretraining whose MLM head is computed at the marked positions only."""

import json

import numpy as np
import pytest
from model_folders import CONFIG, write_google_folder
from runtimes import KERAS_3, RUNTIME, dtype_name, dtype_policy

from keras_bert import (
    build_model_from_config,
    compile_model,
    gen_batch_inputs,
    get_base_dict,
    get_custom_objects,
    get_model,
    load_trained_model_from_checkpoint,
)
from keras_bert.backend import keras

WORDS = list("abcdefghijklmnopqrstuvwxy")
VOCABULARY = {**get_base_dict(), **{word: 5 + index for index, word in enumerate(WORDS)}}
SLOTS = 4
SIZES = {
    "token_num": len(VOCABULARY),
    "pos_num": 16,
    "embed_dim": 12,
    "transformer_num": 1,
    "head_num": 2,
    "feed_forward_dim": 20,
    "dropout_rate": 0.0,
}


def batches(rows=6, mask_rate=0.5, seed=0):
    """The same batch twice: with the labels of the slots and with those of all positions."""
    random = np.random.RandomState(seed)
    pairs = [[random.choice(WORDS, size=random.randint(1, 7)) for _ in "ab"] for _ in range(rows)]
    arguments = {"seq_len": 16, "mask_rate": mask_rate, "max_predictions": SLOTS}
    np.random.seed(seed)
    inputs, outputs = gen_batch_inputs(pairs, VOCABULARY, list(VOCABULARY), **arguments)
    # With as many slots as positions, the same draws leave the tokens of all positions known.
    labels = np.zeros_like(inputs[0])
    for row, positions in enumerate(inputs[2] != 0):
        labels[row, positions] = outputs[0][row, : positions.sum(), 0]
    return (inputs, outputs), (inputs, (labels[..., None], outputs[1]))


def pretraining_models(**arguments):
    """A model with slots and an ordinary one of the same weights, both compiled."""
    models = [get_model(max_predictions=K, **SIZES, **arguments) for K in (SLOTS, None)]
    random = np.random.RandomState(1)
    weights = [random.normal(scale=0.3, size=each.shape) for each in models[0].get_weights()]
    for model in models:
        model.set_weights(weights)  # the same shapes in the same order
        # Plain descent: weights change by the gradient itself.
        compile_model(model)
        model.compile(keras.optimizers.SGD(1.0), loss=model.loss)
    return models


def test_rows_have_at_most_so_many_marks_and_labels_in_their_order():
    random = np.random.RandomState(0)
    pairs = [[random.choice(WORDS, size=9) for _ in range(2)] for _ in range(300)]
    np.random.seed(0)
    arguments = {"seq_len": 24, "mask_rate": 0.3, "mask_mask_rate": 0.0, "mask_random_rate": 0.0}
    inputs, (labels, swapped) = gen_batch_inputs(
        pairs, VOCABULARY, list(VOCABULARY), **arguments, max_predictions=SLOTS
    )
    tokens, _, marks = inputs  # nothing is replaced, so that the tokens are the labels
    counts = marks.sum(axis=1)
    assert (counts == SLOTS).sum() > 150  # of 18 positions 5.4 are drawn
    assert counts.min() >= 1
    assert counts.max() == SLOTS
    assert labels.shape == (300, SLOTS, 1)
    assert [each.dtype for each in (*inputs, labels, swapped)] == ["int64"] * 4 + ["float64"]
    for row in range(300):
        want = tokens[row][marks[row] == 1]
        np.testing.assert_array_equal(labels[row, : len(want), 0], want)
        np.testing.assert_array_equal(labels[row, len(want) :], 0)
    # The choice among the drawn ones prefers no position: 18 positions share the marks evenly,
    # within four standard deviations.
    shares = marks.sum(axis=0)[[*range(1, 10), *range(11, 20)]] / marks.sum()
    np.testing.assert_allclose(shares, 1 / 18, atol=4 * (1 / 18 / marks.sum()) ** 0.5)


def test_limits_that_nothing_reaches_change_no_draw():
    pairs = [[list("abc"), list("de")]] * 5
    drawn = []
    for limit in (None, 8, 30):  # rows have 8 positions, and fewer words
        np.random.seed(3)
        inputs, _ = gen_batch_inputs(
            pairs, VOCABULARY, list(VOCABULARY), seq_len=8, mask_rate=0.6, max_predictions=limit
        )
        drawn.append(np.stack(inputs))
    np.testing.assert_array_equal(drawn[0], drawn[1])
    np.testing.assert_array_equal(drawn[0], drawn[2])


@pytest.mark.parametrize("limit", [0, -2])
def test_impossible_limits(limit):
    with pytest.raises(ValueError, match=f"Received: max_predictions={limit}"):
        gen_batch_inputs([[["a"], ["b"]]], VOCABULARY, WORDS, max_predictions=limit)
    with pytest.raises(ValueError, match=f"Received: max_predictions={limit}"):
        get_model(max_predictions=limit, **SIZES, seq_len=16)


def test_only_the_heads_have_slots():
    with pytest.raises(
        ValueError, match=r"`training=False` leaves out\. Received: max_predictions=4"
    ):
        get_model(max_predictions=4, training=False, **SIZES, seq_len=16)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("seq_len", [16, None])
def test_logits_are_those_of_the_ordinary_model(seq_len):
    with_slots, ordinary = pretraining_models(seq_len=seq_len)
    (inputs, _), _ = batches()
    logits, nsp = with_slots.predict(list(inputs), verbose=0)
    probabilities, ordinary_nsp = ordinary.predict(list(inputs), verbose=0)
    assert logits.shape == (6, SLOTS, len(VOCABULARY))
    assert with_slots.output_shape[0] == (None, SLOTS, len(VOCABULARY))
    np.testing.assert_allclose(nsp, ordinary_nsp, atol=1e-6)
    assert (logits < 0).any()
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    for row, positions in enumerate(inputs[2] != 0):
        want = probabilities[row, positions]
        np.testing.assert_allclose(shares[row, : len(want)], want, atol=1e-6)


@pytest.mark.slow
def test_loss_and_gradients_are_those_of_the_ordinary_model():
    models = pretraining_models(seq_len=16)
    before = models[0].get_weights()
    for mask_rate in (0.0, 0.5):  # first one mark in each row
        losses = []
        for model, batch in zip(models, batches(mask_rate=mask_rate), strict=True):
            model.reset_metrics()
            losses.append(model.train_on_batch(*batch))
        np.testing.assert_allclose(losses[0], losses[1], atol=1e-6, rtol=1e-6)
        changed, weights = 0, [model.get_weights() for model in models]
        for old, one, other in zip(before, *weights, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)
            changed += np.abs(one - old).max() > 1e-3
        assert changed > 20
        before = weights[0]


def test_layers_and_their_weights_keep_names_and_order(tmp_path):
    with_slots, ordinary = pretraining_models(seq_len=16)
    names = [[layer.name for layer in model.layers] for model in (with_slots, ordinary)]
    assert sorted(names[0]) == sorted([*names[1], "MLM-Extract"])
    weighted = [
        [each.name for each in model.layers if each.weights] for model in (with_slots, ordinary)
    ]
    assert weighted[0] == weighted[1]
    changed = [weight + 1 for weight in ordinary.get_weights()]
    for source, target in ((with_slots, ordinary), (ordinary, with_slots)):
        source.set_weights(changed)
        source.save_weights(tmp_path / "model.weights.h5")
        target.load_weights(tmp_path / "model.weights.h5")
        for got, want in zip(target.get_weights(), changed, strict=True):
            np.testing.assert_array_equal(got, want.astype("float32"))
        changed = [weight + 1 for weight in changed]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_reloaded_model_has_the_same_loss(tmp_path, suffix):
    model, _ = pretraining_models(seq_len=16)
    (inputs, outputs), _ = batches()
    loss = model.test_on_batch(inputs, outputs)
    model.save(tmp_path / f"model{suffix}")
    loaded = keras.models.load_model(
        tmp_path / f"model{suffix}", custom_objects=get_custom_objects()
    )
    np.testing.assert_allclose(loaded.test_on_batch(inputs, outputs), loss, rtol=1e-6)


def test_checkpoints_fill_it(tmp_path):
    write_google_folder(tmp_path / "google")
    paths = [str(tmp_path / "google" / name) for name in ("bert_config.json", "bert_model.ckpt")]
    with_slots, ordinary = (
        load_trained_model_from_checkpoint(*paths, training=True, max_predictions=K)
        for K in (SLOTS, None)
    )
    for one, other in zip(with_slots.get_weights(), ordinary.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert with_slots.output_shape[0] == (None, SLOTS, CONFIG["vocab_size"])
    built, _ = build_model_from_config(paths[0], training=True, max_predictions=2)
    assert built.output_shape[0] == (None, 2, CONFIG["vocab_size"])
    assert json.loads((tmp_path / "google" / "bert_config.json").read_text()) == CONFIG


def test_labels_of_all_positions_are_refused():
    with_slots, _ = pretraining_models(seq_len=16)
    _, (inputs, outputs) = batches()
    with pytest.raises(ValueError, match="labels for 16 positions of a row and predictions for 4"):
        with_slots.train_on_batch(inputs, outputs)


@pytest.mark.skipif(not KERAS_3, reason="16-bit policies are for Keras 3")
def test_logits_are_float32_under_a_16_bit_policy():
    with dtype_policy("mixed_bfloat16"):
        model = get_model(max_predictions=SLOTS, seq_len=16, **SIZES)
    (inputs, outputs), _ = batches()
    assert model.outputs[0].dtype == "float32"
    logits = model.predict_on_batch(list(inputs))[0]
    assert dtype_name(logits) == "float32"
    compile_model(model)
    assert np.isfinite(model.test_on_batch(inputs, outputs)).all()


@pytest.mark.slow
@pytest.mark.every_runtime
def test_a_row_with_more_marks_than_slots_is_no_silent_loss():
    with_slots, _ = pretraining_models(seq_len=16)
    (inputs, outputs), _ = batches()
    inputs[2][0, : SLOTS + 1] = 1
    with pytest.raises(ValueError, match=f"'MLM-Extract' has {SLOTS} slots for predictions"):
        with_slots(list(inputs))
    if RUNTIME == "torch":  # where Keras compiles nothing
        with pytest.raises(ValueError, match="`max_predictions`"):
            with_slots.train_on_batch(inputs, outputs)
    else:
        assert np.isnan(with_slots.train_on_batch(inputs, outputs)[0])
