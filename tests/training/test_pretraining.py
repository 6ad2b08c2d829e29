"""Batches and loss of pretraining, against keras-bert 0.89's arrays and hand computations."""

from collections import Counter

import numpy as np
import pytest

from keras_bert.backend import TF_KERAS, keras
from keras_bert.bert import get_model
from keras_bert.layers import Masked
from keras_bert.optimizers import AdamWarmup
from keras_bert.optimizers.weight_names import weight_name
from keras_bert.training import compile_model, gen_batch_inputs, get_base_dict

WORDS = list("abcdefghij")
VOCABULARY = {**get_base_dict(), **{word: 5 + index for index, word in enumerate(WORDS)}}
TOKENS = list(VOCABULARY)
PAIRS = [[list("abc"), list("defg")], [list("hi"), list("j")], [[], list("b")]]
SPECIAL = ["", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def make_batch(pairs=PAIRS, vocabulary=VOCABULARY, tokens=TOKENS, seed=0, **arguments):
    np.random.seed(seed)
    return gen_batch_inputs(pairs, vocabulary, tokens, **{"seq_len": 10, **arguments})


def test_base_dict():
    assert get_base_dict() == {"": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}
    get_base_dict()["word"] = 5
    assert len(get_base_dict()) == 5


@pytest.mark.parametrize("number", [np.int32, np.float64, float])
def test_ids_of_any_type(number):
    vocabulary = {token: number(index) for token, index in VOCABULARY.items()}
    (got, *_), (want, *_) = make_batch(vocabulary=vocabulary)[0], make_batch()[0]
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("rate", [np.float16(0.5), np.array([[0.5]] * len(PAIRS))])
def test_a_mask_rate_of_any_type(rate):
    got, want = (make_batch(mask_rate=each, seq_len=300)[0] for each in (rate, 0.5))
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("rate", [np.int8(0), np.int8(1), True])
def test_a_mask_rate_of_none_or_all(rate):
    got, want = (make_batch(mask_rate=each)[0] for each in (rate, float(rate)))
    np.testing.assert_array_equal(got, want)


def test_rows_segments_and_padding():
    inputs, outputs = make_batch(mask_rate=0.0, swap_sentence_rate=0.0)
    assert isinstance(inputs, tuple)
    assert isinstance(outputs, tuple)
    tokens, segments, marks = inputs
    labels, swapped = outputs
    rows = [
        [2, 5, 6, 7, 3, 8, 9, 10, 11, 3],
        [2, 12, 13, 3, 14, 3, 0, 0, 0, 0],
        [2, 3, 6, 3, 0, 0, 0, 0, 0, 0],
    ]
    np.testing.assert_array_equal(tokens, rows)
    np.testing.assert_array_equal(labels, np.array(rows)[..., None])
    # As in 0.89, padding belongs to segment 1.
    np.testing.assert_array_equal(segments, [[0] * n + [1] * (10 - n) for n in (5, 4, 2)])
    # A row that has nothing to predict is forced to predict position 1, whatever stands there.
    np.testing.assert_array_equal(marks, [[0, 1] + [0] * 8] * 3)
    np.testing.assert_array_equal(swapped, [[0.0]] * 3)
    assert [each.dtype for each in (*inputs, *outputs)] == ["int64"] * 4 + ["float64"]


@pytest.mark.parametrize(
    ("first", "second", "row", "first_segment"),
    [
        ("abcde", "jihgf", [2, 5, 6, 7, 8, 9, 3, 14], 7),
        ("abcdef", "jihgf", [2, 5, 6, 7, 8, 9, 10, 3], 8),
        ("abcdefg", "jihgf", [2, 5, 6, 7, 8, 9, 10, 11], 8),
        ("abc", "jihgfedcba", [2, 5, 6, 7, 3, 14, 13, 12], 5),
    ],
)
def test_long_rows_are_cut_at_the_end(first, second, row, first_segment):
    # The old library's rows.
    (tokens, segments, _), _ = make_batch([(list(first), list(second))], seq_len=8, mask_rate=0.0)
    np.testing.assert_array_equal(tokens, [row])
    assert (segments == 0).sum() == first_segment


@pytest.mark.parametrize(
    ("seed", "second"),
    [
        (0, [5, 6, 7, 8, 9, 10, 11, 12, 13, 14]),
        (1, [7, 6, 13, 5, 9, 10, 8, 11, 12, 14]),
        (5, [9, 6, 7, 8, 14, 10, 11, 12, 13, 5]),
    ],
)
def test_same_swaps_as_the_old_library(seed, second):
    # Printed by keras-bert 0.89.0 after np.random.seed(seed).
    pairs = [[[word], [word]] for word in WORDS]
    (tokens, _, _), (_, swapped) = make_batch(pairs, seed=seed, mask_rate=0.0)
    np.testing.assert_array_equal(tokens[:, 3], second)
    np.testing.assert_array_equal(swapped[:, 0], tokens[:, 3] != tokens[:, 1])


def test_second_sentences_are_permuted_among_the_chosen_rows():
    pairs = [[[word], [word]] for word in "abc"]
    orders = Counter()
    for seed in range(600):
        (tokens, _, _), (_, swapped) = make_batch(
            pairs, seed=seed, mask_rate=0.0, swap_sentence_rate=1.0
        )
        orders[tuple(tokens[:, 3])] += 1
        np.testing.assert_array_equal(swapped[:, 0], tokens[:, 3] != tokens[:, 1])
    assert sorted(orders) == [
        (5, 6, 7),
        (5, 7, 6),
        (6, 5, 7),
        (6, 7, 5),
        (7, 5, 6),
        (7, 6, 5),
    ]
    assert min(orders.values()) > 60  # 100 expected, with a standard deviation of 9


def test_special_tokens_are_kept_and_unknown_ones_masked():
    sentence = [*SPECIAL, "a", "unknown"]
    arguments = {"seq_len": 20, "mask_rate": 1.0, "swap_sentence_rate": 0.0}
    (tokens, _, marks), (labels, _) = make_batch(
        [(sentence, sentence)], mask_mask_rate=1.0, **arguments
    )
    row = [2, 0, 1, 2, 3, 4, 5, 1, 3]
    np.testing.assert_array_equal(labels[0, :, 0], [*row, *row[1:], 0, 0, 0])
    # Only "a" and the unknown word, which the label [UNK] stands for.
    np.testing.assert_array_equal(np.flatnonzero(marks[0]), [6, 7, 14, 15])
    np.testing.assert_array_equal(tokens[marks == 1], 4)
    np.testing.assert_array_equal(tokens[marks == 0], labels[marks == 0][:, 0])


def test_rates_of_masking():
    pairs = [[WORDS * 5, WORDS * 5]] * 400
    arguments = {"seq_len": 103, "mask_rate": 0.3, "mask_mask_rate": 0.5, "mask_random_rate": 0.3}
    (tokens, _, marks), (labels, _) = make_batch(pairs, **arguments)
    tokens, labels = tokens[marks == 1], labels[marks == 1][:, 0]
    # Within four standard deviations of 40,000 and of 12,000 draws.
    assert len(tokens) / 40000 == pytest.approx(0.3, abs=0.01)
    assert np.mean(tokens == 4) == pytest.approx(0.5, abs=0.02)
    # A tenth of the random tokens is the right one.
    assert np.mean(tokens == labels) == pytest.approx(0.2 + 0.03, abs=0.016)


def test_marks_fall_evenly_on_rows_and_positions():
    pairs = [[WORDS * 5, WORDS * 5]] * 400
    (_, _, marks), _ = make_batch(pairs, seq_len=103, mask_rate=0.3)
    marks = np.delete(marks, [0, 51, 102], axis=1)  # a sentence each is left between
    for axis, count in ((0, 400), (1, 100)):
        sums = marks.sum(axis=axis)
        chi_square = ((sums - 0.3 * count) ** 2).sum() / (0.3 * 0.7 * count)
        # Its expectation is the number of sums, its variance twice that.
        assert chi_square == pytest.approx(len(sums), abs=4 * (2 * len(sums)) ** 0.5)


@pytest.mark.parametrize("rate", [1, 1.0])
def test_rates_of_one_leave_nothing_out(rate):
    (tokens, _, marks), _ = make_batch(seq_len=10, mask_rate=rate, mask_mask_rate=rate)
    np.testing.assert_array_equal(marks == 1, tokens == 4)
    assert marks.sum() == 7 + 3 + 1  # the words of `PAIRS`


@pytest.mark.parametrize("padding", ["", "[PAD]"])
def test_random_tokens_are_drawn_evenly_from_the_others(padding):
    vocabulary = {padding if token == "" else token: index for token, index in VOCABULARY.items()}
    arguments = {"seq_len": 103, "mask_rate": 1.0, "mask_mask_rate": 0.0, "mask_random_rate": 1.0}
    (tokens, _, marks), _ = make_batch(
        [[WORDS * 5, WORDS * 5]] * 100, vocabulary, list(vocabulary), **arguments
    )
    counts = np.bincount(tokens[marks == 1])
    np.testing.assert_array_equal(counts[:5], 0)
    np.testing.assert_allclose(counts[5:], 1000, atol=150)  # five standard deviations


def test_vocabularies_with_other_paddings():
    google = {"[PAD]" if token == "" else token: index for token, index in VOCABULARY.items()}
    for vocabulary in (google, {**google, "": 15}, {**VOCABULARY, "[PAD]": 15}):
        got = make_batch(vocabulary=vocabulary, tokens=list(vocabulary), mask_rate=0.0)
        for left, right in zip(got[0] + got[1], sum(make_batch(mask_rate=0.0), ()), strict=True):
            np.testing.assert_array_equal(left, right)


def test_rows_may_stay_without_a_mark():
    (_, _, marks), _ = make_batch(mask_rate=0.0, force_mask=False)
    assert not marks.any()


def test_one_seed_gives_one_batch():
    one, same, other = (make_batch(seed=seed, mask_rate=0.5) for seed in (3, 3, 4))
    for left, right in zip(one[0] + one[1], same[0] + same[1], strict=True):
        np.testing.assert_array_equal(left, right)
    assert (one[0][2] != other[0][2]).any()


def test_no_pairs_give_no_rows():
    inputs, outputs = make_batch([])
    assert [each.shape for each in inputs + outputs] == [(0, 10)] * 3 + [(0, 10, 1), (0, 1)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vocabulary": {"[UNK]": 0, "[CLS]": 1, "": 2}}, r"Missing: \['\[SEP\]', '\[MASK\]'\]"),
        ({"vocabulary": dict.fromkeys(SPECIAL[1:], 0)}, r"Missing: \['', '\[PAD\]'\]"),
        (
            {"vocabulary": dict.fromkeys(map(str.lower, SPECIAL), 0)},
            r"Missing: \['\[UNK\]', .*; it has \['\[unk\]', .*'\[mask\]'\] in their stead",
        ),
        (
            {"tokens": SPECIAL, "mask_rate": 1.0, "mask_mask_rate": 0.0, "mask_random_rate": 1.0},
            "not special",
        ),
        ({"pairs": [("ab", "cd")]}, "Received the string 'ab'"),
        ({"seq_len": 1}, "seq_len=1"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_batch(**arguments)


def pretraining_model(**arguments):
    model = get_model(
        token_num=len(VOCABULARY),
        pos_num=10,
        seq_len=10,
        embed_dim=12,
        transformer_num=1,
        head_num=2,
        feed_forward_dim=20,
        dropout_rate=0.0,
    )
    compile_model(
        model, **{"learning_rate": 0.01, "warmup_steps": 2, "decay_steps": 20, **arguments}
    )
    return model


def expected_losses(model, inputs, outputs):
    """Sum, MLM loss and NSP loss of the model's predictions, in float64."""
    mlm, nsp = (np.array(each, "float64") for each in model.predict(list(inputs), verbose=0))
    labels, swapped = outputs
    counts = (inputs[2] != 0) & (inputs[0] != 0)
    mlm = -np.log(np.take_along_axis(mlm, labels, axis=-1)[..., 0])[counts]
    mlm = mlm.mean() if counts.any() else 0.0
    nsp = -np.log(np.take_along_axis(nsp, swapped.astype("int64"), axis=-1)).mean()
    return [mlm + nsp, mlm, nsp]


def losses_of(model, method, inputs, outputs):
    """What `train_on_batch` or `test_on_batch` reports of this batch alone."""
    model.reset_metrics()  # before 3.15, Keras 3 reports the mean of all batches since this
    return getattr(model, method)(inputs, outputs)


def ragged_batch(seed=0, rows=6):
    """Rows with different numbers of marks, some of them, wrongly, on padding."""
    inputs, outputs = make_batch(PAIRS * (rows // 3), seed=seed, mask_rate=0.3)
    inputs[2][0, 1:6] = 1
    inputs[2][1, 4:] = 1
    return inputs, outputs


@pytest.mark.slow
def test_mlm_loss_is_the_mean_over_marked_positions():
    model, (inputs, outputs) = pretraining_model(), ragged_batch()
    want = expected_losses(model, inputs, outputs)
    for method in ("test_on_batch", "train_on_batch"):
        got = losses_of(model, method, inputs, outputs)
        np.testing.assert_allclose(got, want, rtol=1e-5)


@pytest.mark.slow
def test_fit_on_a_generator_reports_that_loss():
    model = pretraining_model(learning_rate=0.0)
    batches = [ragged_batch(seed) for seed in range(3)]
    want = np.mean([expected_losses(model, *batch) for batch in batches], axis=0)
    history = model.fit(
        (batches[step % 3] for step in range(6)),
        steps_per_epoch=3,
        epochs=1,
        validation_data=(batch for batch in batches),
        validation_steps=3,
        shuffle=False,
        verbose=0,
    ).history
    for prefix in ("", "val_"):
        got = [history[f"{prefix}{name}"][0] for name in ("loss", "MLM_loss", "NSP_loss")]
        np.testing.assert_allclose(got, want, rtol=1e-5)


@pytest.mark.slow
def test_a_batch_without_marks_trains_the_other_head_only():
    model, (inputs, outputs) = pretraining_model(weight_decay=0.0), ragged_batch()
    inputs = (*inputs[:2], np.zeros_like(inputs[2]))
    before = dict(zip(map(weight_name, model.weights), model.get_weights(), strict=True))
    want = expected_losses(model, inputs, outputs)
    got = losses_of(model, "train_on_batch", inputs, outputs)
    np.testing.assert_allclose(got, want, rtol=1e-5)
    assert got[1] == 0.0
    for weight, after in zip(model.weights, model.get_weights(), strict=True):
        name = weight_name(weight)
        assert np.isfinite(after).all(), name
        if name.startswith("MLM"):
            np.testing.assert_array_equal(after, before[name])
    assert (model.get_layer("NSP").get_weights()[0] != before["NSP/kernel:0"]).any()


@pytest.mark.slow
def test_training_lowers_the_loss():
    model, (inputs, outputs) = pretraining_model(learning_rate=0.02), ragged_batch()
    losses = [losses_of(model, "train_on_batch", inputs, outputs)[0] for _ in range(20)]
    assert losses[-1] < 0.7 * losses[0]  # by eight other draws of weights: 0.24 to 0.47


def test_embeddings_and_kernels_decay():
    model = pretraining_model(weight_decay=0.1, warmup_steps=0)
    # Biases start as zeros, which decay would not change.
    model.set_weights([np.ones_like(weight) for weight in model.get_weights()])
    zeros = [
        keras.backend.zeros(w.shape) if TF_KERAS else keras.ops.zeros(w.shape)
        for w in model.trainable_weights
    ]
    model.optimizer.apply_gradients(zip(zeros, model.trainable_weights, strict=True))
    for weight, after in zip(model.weights, model.get_weights(), strict=True):
        assert (after < 1).all() == (after.ndim == 2), weight_name(weight)


def small_pretraining_model():
    inputs = [keras.layers.Input(shape=(10,)) for _ in range(3)]
    tokens = keras.layers.Embedding(len(VOCABULARY), 4, mask_zero=True)(inputs[0])
    segments = keras.layers.Embedding(2, 4)(inputs[1])
    mlm = keras.layers.Dense(len(VOCABULARY), activation="softmax")(tokens)
    mlm = Masked(name="MLM")([mlm, inputs[2]])
    nsp = keras.layers.Flatten()(segments)
    nsp = keras.layers.Dense(2, activation="softmax", name="NSP")(nsp)
    model = keras.models.Model(inputs, [mlm, nsp])
    compile_model(model, learning_rate=0.01, warmup_steps=2, decay_steps=20)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_reloaded_model_has_the_same_loss(tmp_path, suffix):
    model, (inputs, outputs) = small_pretraining_model(), ragged_batch()
    model.train_on_batch(inputs, outputs)
    model.save(tmp_path / f"model{suffix}")
    loaded = keras.models.load_model(
        tmp_path / f"model{suffix}",
        custom_objects={"Masked": Masked, "AdamWarmup": AdamWarmup},
    )
    for marks in (inputs[2], np.zeros_like(inputs[2])):
        batch = (*inputs[:2], marks), outputs
        got, want = losses_of(loaded, "test_on_batch", *batch), expected_losses(model, *batch)
        np.testing.assert_allclose(got, want, rtol=1e-5)
    for _ in range(2):
        got, want = (losses_of(each, "train_on_batch", inputs, outputs) for each in (loaded, model))
        np.testing.assert_allclose(got, want, rtol=1e-6)
