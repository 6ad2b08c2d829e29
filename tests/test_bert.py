import inspect
import json
from pathlib import Path

import numpy as np
import pytest
from devices import rounding
from layer_checks import ReadMask
from numpy_bert import MASKED, SEGMENTS, TINY, TOKENS, NumpyBert, tiny_model
from runtimes import KERAS_3, ON_TENSORFLOW, RUNTIME, compiled, dtype_policy, to_numpy

from keras_bert import get_base_dict, get_custom_objects, get_model, get_token_embedding
from keras_bert.backend import keras, layers, models, ops
from keras_bert.layers import Extract, get_embedding, get_inputs

OLD = Path(__file__).parent / "data" / "old_files"

# Float32 against float64, or another order of summation, through two layers.
TOLERANCE = rounding(1e-5)
# A row of only padding adds -10000 to every score: float32 has steps of 0.001 there.
PADDING_TOLERANCE = rounding(2e-3)


def predict(model, *arrays):
    return model.predict(list(arrays), verbose=0)


def assert_as_expected(output, expected):
    """Equal for rows with tokens; close for the last, which has none."""
    assert np.isfinite(output).all()
    np.testing.assert_allclose(output[:-1], expected[:-1], atol=TOLERANCE)
    np.testing.assert_allclose(output[-1], expected[-1], atol=PADDING_TOLERANCE)


# Names, arguments, weights


def test_arguments_and_defaults():
    parameters = inspect.signature(get_model).parameters.values()
    old = [(p.name, p.default) for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert old == [
        ("token_num", inspect.Parameter.empty),
        ("pos_num", 512),
        ("seq_len", 512),
        ("embed_dim", 768),
        ("transformer_num", 12),
        ("head_num", 12),
        ("feed_forward_dim", 3072),
        ("dropout_rate", 0.1),
        ("attention_activation", None),
        ("feed_forward_activation", "gelu"),
        ("training", True),
        ("trainable", None),
        ("output_layer_num", 1),
        ("use_task_embed", False),
        ("task_num", 10),
    ]
    assert {p.kind for p in parameters} == {
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.KEYWORD_ONLY,
    }


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("case", "options"),
    [
        ("training_false", {"training": False}),
        ("training_true", {"training": True}),
        ("training_false_task", {"training": False, "use_task_embed": True}),
        ("training_true_task", {"training": True, "use_task_embed": True}),
        ("training_false_no_dropout", {"training": False, "dropout_rate": 0.0}),
        ("training_true_no_dropout", {"training": True, "dropout_rate": 0.0}),
        ("training_false_four_outputs", {"training": False, "output_layer_num": 4}),
        ("training_false_first_and_last", {"training": False, "output_layer_num": [0, -1]}),
        ("training_false_any_length", {"training": False, "seq_len": None}),
    ],
)
def test_layers_of_a_base_model_stand_in_the_old_order(case, options):
    expected = json.loads((OLD / "layer_names.json").read_text())[case]
    model = get_model(**{**TINY, "transformer_num": 12, **options})
    if not options["training"]:
        assert isinstance(model, tuple)
        inputs, output = model
        assert isinstance(inputs, list)
        model = models.Model(inputs, output)
    assert [layer.name for layer in model.layers] == expected
    if case == "training_false":
        assert len(expected) == 104
        assert expected[7] == "Embedding-Norm"
        assert all(expected[7 + 8 * i] == f"Encoder-{i}-FeedForward-Norm" for i in range(1, 13))
    if case == "training_true":
        assert len(expected) == 112


@pytest.mark.parametrize(
    ("case", "options"),
    [
        ("mlm_nsp", {}),
        ("mlm_nsp_task", {"use_task_embed": True, "task_num": 4}),
        ("encoder_two_outputs", {"training": False, "transformer_num": 2, "output_layer_num": 2}),
    ],
)
def test_classes_and_weights_stand_in_the_old_order(case, options):
    facts = json.loads((OLD / "facts.json").read_text())[case]
    sizes = {"token_num": 40, "pos_num": 10, "seq_len": 10, "embed_dim": 12, "head_num": 2}
    built = get_model(**{**sizes, "transformer_num": 1, "feed_forward_dim": 20, **options})
    model = built if options.get("training", True) else models.Model(*built)
    classes = [[layer.name, type(layer).__name__] for layer in model.layers]
    assert classes == facts["layers"]
    shapes = [shape for _, shape in facts["weights"]]
    assert [list(weight.shape) for weight in model.get_weights()] == shapes


def test_training_model_has_named_inputs_and_shapes():
    model = get_model(**TINY, use_task_embed=True)
    names = [tensor.name.split(":")[0] for tensor in model.inputs]
    assert names == ["Input-Token", "Input-Segment", "Input-Task", "Input-Masked"]
    assert [tuple(tensor.shape) for tensor in model.inputs] == [
        (None, 9), (None, 9), (None, 1), (None, 9),
    ]  # fmt: skip
    assert [tuple(tensor.shape) for tensor in model.outputs] == [(None, 9, 40), (None, 2)]


# output_layer_num


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("output_layer_num", "layer_numbers"),
    [
        (1, [3]),
        (2, [2, 3]),
        (3, [1, 2, 3]),
        (99, [1, 2, 3]),
        ([0], [1]),
        ([-1], [3]),
        ([0, -1], [3, 1]),
        ([-1, 0], [1, 3]),
        ((-3, 1, 2), [3, 2, 1]),
        ([1, 1], [2, 2]),
    ],
)
def test_output_layers(output_layer_num, layer_numbers):
    options = {"transformer_num": 3, "training": False, "output_layer_num": output_layer_num}
    model = tiny_model(**options)
    assert tuple(model.output.shape) == (None, 9, 8 * len(layer_numbers))
    names = [layer.name for layer in model.layers]
    assert ("Encoder-Output" in names) == (len(layer_numbers) > 1)
    reference = NumpyBert(model)  # of the layers up to the highest in use
    reference.encode(TOKENS, SEGMENTS)
    assert len(reference.hidden) == max(layer_numbers)
    expected = np.concatenate([reference.hidden[n - 1] for n in layer_numbers], axis=-1)
    assert_as_expected(predict(model, TOKENS, SEGMENTS), expected)


@pytest.mark.parametrize("output_layer_num", [0, -1, [], [2], [-3], [0, 2]])
def test_output_layers_that_do_not_exist(output_layer_num):
    with pytest.raises(ValueError, match="`output_layer_num` must") as error:
        get_model(**TINY, training=False, output_layer_num=output_layer_num)
    assert f"Received: output_layer_num={output_layer_num}" in str(error.value)


# Errors


@pytest.mark.parametrize("head_num", [3, 0])
def test_wrong_head_num(head_num):
    with pytest.raises(ValueError, match=rf"`head_num`.*head_num={head_num}, feature size=8"):
        get_model(**{**TINY, "head_num": head_num})


def test_seq_len_above_pos_num():
    with pytest.raises(ValueError, match="seq_len=13, pos_num=12"):
        get_model(**{**TINY, "seq_len": 13})
    assert get_model(**{**TINY, "seq_len": 12}).inputs[0].shape[1] == 12


def test_no_encoder_layers():
    with pytest.raises(ValueError, match="transformer_num=0"):
        get_model(**{**TINY, "transformer_num": 0})


def test_sequence_above_pos_num():
    model = tiny_model(training=False, seq_len=None)
    long = np.ones((2, 13), "int32")
    with pytest.raises(ValueError, match=r"'Embedding-Position' holds 12 positions.*length 13"):
        predict(model, long, long * 0)


@pytest.mark.parametrize("token", [-1, 40])
def test_ids_outside_the_vocabulary(token):
    model = tiny_model(training=False)
    tokens = TOKENS.copy()
    tokens[1, 2] = token
    with pytest.raises(ValueError, match=r"'Embedding-Token' has 40 rows.*Received ids from"):
        model([ops.convert_to_tensor(tokens), ops.convert_to_tensor(SEGMENTS)])
    with pytest.raises(ValueError, match=r"'Embedding-Segment' has 2 rows.*Received ids from"):
        model([ops.convert_to_tensor(TOKENS), ops.convert_to_tensor(SEGMENTS + 2)])


# trainable


def frozen_names(model):
    return {layer.name for layer in model.layers if layer.weights and not layer.trainable}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("trainable", [None, False, True])
def test_trainable_flag(training, trainable):
    model = tiny_model(training=training, trainable=trainable)
    expected = training if trainable is None else trainable
    assert len(model.trainable_weights) == (len(model.weights) if expected else 0)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("collection", [list, tuple, set])
def test_trainable_prefixes(collection):
    model = tiny_model(transformer_num=11, trainable=collection(["Encoder-1", "NSP"]))
    trainable = {layer.name for layer in model.layers if layer.weights and layer.trainable}
    assert all(name.startswith(("Encoder-1", "NSP")) for name in trainable)
    for number in (1, 10, 11):  # prefixes, not layer numbers
        assert f"Encoder-{number}-FeedForward" in trainable
    assert {"NSP-Dense", "NSP", "Encoder-1-FeedForward-Norm"} <= trainable
    assert len(model.trainable_weights) == 3 * 16 + 4


def test_unmatched_prefixes_warn():
    with pytest.warns(UserWarning, match=r"\['Decoder', 'encoder'\]"):
        model = tiny_model(training=False, trainable=["Encoder-2", "encoder", "Decoder"])
    assert len(model.trainable_weights) == 16


def test_no_prefix_freezes_everything():
    assert not tiny_model(trainable=[]).trainable_weights


@pytest.mark.slow
def test_trainable_can_be_set_later():
    model = tiny_model(training=False)
    assert not model.trainable_weights
    model.get_layer("Encoder-2-FeedForward").trainable = True
    assert len(model.trainable_weights) == 4
    for layer in model.layers:
        layer.trainable = True
    assert len(model.trainable_weights) == len(model.weights)
    outputs = layers.Dense(1, name="Label")(layers.GlobalAveragePooling1D()(model.output))
    classifier = models.Model(model.inputs, outputs)
    classifier.compile("sgd", "mse")
    before = model.get_weights()
    classifier.train_on_batch([TOKENS[:2], SEGMENTS[:2]], np.array([[1.0], [3.0]], "float32"))
    moved = [(old != new).any() for old, new in zip(before, model.get_weights(), strict=True)]
    # A key bias adds the same to all scores of a query, which softmax does not see.
    assert moved.count(False) <= 2


# output_len


@pytest.mark.slow
@pytest.mark.parametrize("output_layer_num", [1, 2, [0, -1], [0]])
@pytest.mark.parametrize("seq_len", [9, None])
def test_first_tokens_as_in_the_whole_output(seq_len, output_layer_num, tmp_path):
    options = {"training": False, "seq_len": seq_len, "output_layer_num": output_layer_num}
    whole = tiny_model(**options)
    expected = predict(whole, TOKENS, SEGMENTS)
    for count in (1, 4):
        inputs, output = get_model(**{**TINY, **options}, output_len=count)
        model = models.Model(inputs, [output, ReadMask()(output)])
        model.set_weights(whole.get_weights())  # the same weights in the same order
        features, mask = predict(model, TOKENS, SEGMENTS)
        assert_as_expected(features, expected[:, :count])
        np.testing.assert_array_equal(mask, TOKENS[:, :count] != 0)
    model = models.Model(inputs, output)
    model.save(tmp_path / "model.h5")
    again = models.load_model(tmp_path / "model.h5", custom_objects=get_custom_objects())
    assert_as_expected(predict(again, TOKENS, SEGMENTS), expected[:, :count])


@pytest.mark.slow
def test_first_tokens_learn_as_in_the_whole_output():
    weights = []
    for output_len in (None, 1):
        encoder = tiny_model(
            training=False, trainable=True, dropout_rate=0.0, output_len=output_len
        )
        output = layers.Dense(1, kernel_initializer="ones")(Extract(0)(encoder.output))
        model = models.Model(encoder.inputs, output)
        model.compile(keras.optimizers.SGD(0.1), "mse")
        model.train_on_batch([TOKENS[:2], SEGMENTS[:2]], np.array([[1.0], [3.0]], "float32"))
        weights.append(model.get_weights())
    for want, got in zip(*weights, strict=True):
        assert_as_expected(got, want)


@pytest.mark.parametrize(
    "arguments", [{"output_len": 1, "training": True}, {"output_len": 10}, {"output_len": 0}]
)
def test_impossible_output_len(arguments):
    message = f"`output_len`.*Received: output_len={arguments['output_len']}"
    with pytest.raises(ValueError, match=message):
        get_model(**{**TINY, "training": False, **arguments})


# Numbers


@pytest.mark.sampled(1)
@pytest.mark.parametrize("seq_len", [9, None])
def test_encoder_as_written_in_numpy(seq_len):
    model = tiny_model(training=False, seq_len=seq_len)
    expected = NumpyBert(model).encode(TOKENS, SEGMENTS)
    assert_as_expected(predict(model, TOKENS, SEGMENTS), expected)


def test_heads_as_written_in_numpy():
    model = tiny_model()
    reference = NumpyBert(model)
    hidden = reference.encode(TOKENS, SEGMENTS)
    mlm, nsp = predict(model, TOKENS, SEGMENTS, MASKED)
    assert_as_expected(mlm, reference.mlm(hidden))
    assert_as_expected(nsp, reference.nsp(hidden))
    np.testing.assert_allclose(mlm.sum(axis=-1), 1.0, atol=1e-5)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("training", [False, True])
def test_task_embedding_as_written_in_numpy(training):
    model = tiny_model(use_task_embed=True, task_num=4, training=training)
    tasks = np.array([[0], [1], [2], [3], [1]], "int32")
    reference = NumpyBert(model)
    hidden = reference.encode(TOKENS, SEGMENTS, tasks)
    if training:
        mlm, _ = predict(model, TOKENS, SEGMENTS, tasks, MASKED)
        assert_as_expected(mlm, reference.mlm(hidden))
    else:
        assert_as_expected(predict(model, TOKENS, SEGMENTS, tasks), hidden)


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("name", "function"), [("relu", lambda x: np.maximum(x, 0)), ("tanh", np.tanh)]
)
def test_other_activations(name, function):
    model = tiny_model(training=False, feed_forward_activation=name)
    expected = NumpyBert(model, activation=function).encode(TOKENS, SEGMENTS)
    assert_as_expected(predict(model, TOKENS, SEGMENTS), expected)


def test_attention_activation_applies_to_all_four_projections():
    class Activated(NumpyBert):
        def attend(self, x, tokens, name):
            wq, bq, wk, bk, wv, bv, wo, bo = self.weights[name]
            batch, length, units = x.shape
            query, key, value = (
                np.tanh(x @ kernel + bias).reshape(batch, length, self.head_num, -1)
                for kernel, bias in ((wq, bq), (wk, bk), (wv, bv))
            )
            scores = np.einsum("bthd,bshd->bhts", query, key) / np.sqrt(units / self.head_num)
            shares = np.exp(scores) * (tokens != 0)[:, None, None, :]
            shares /= shares.sum(axis=-1, keepdims=True)
            attended = np.einsum("bhts,bshd->bthd", shares, value).reshape(x.shape)
            return np.tanh(attended @ wo + bo)

    model = tiny_model(training=False, attention_activation="tanh")
    expected = Activated(model).encode(TOKENS[:4], SEGMENTS[:4])
    output = predict(model, TOKENS[:4], SEGMENTS[:4])
    np.testing.assert_allclose(output, expected, atol=TOLERANCE)


def test_layer_norm_epsilon():
    model = tiny_model(training=False, layer_norm_epsilon=0.5)
    expected = NumpyBert(model, epsilon=0.5).encode(TOKENS, SEGMENTS)
    assert_as_expected(predict(model, TOKENS, SEGMENTS), expected)
    other = NumpyBert(model).encode(TOKENS, SEGMENTS)
    assert np.abs(other - expected).max() > 0.01


def test_more_segments():
    model = tiny_model(training=False, segment_num=3)
    segments = np.arange(9, dtype="int32")[None] % 3 + np.zeros_like(SEGMENTS)
    expected = NumpyBert(model).encode(TOKENS, segments)
    assert_as_expected(predict(model, TOKENS, segments), expected)


def test_a_padded_text_gets_the_numbers_it_gets_alone():
    model = tiny_model(training=False, seq_len=None)
    batch = predict(model, TOKENS, SEGMENTS)
    for row, length in enumerate([9, 5, 1]):
        alone = predict(model, TOKENS[row : row + 1, :length], SEGMENTS[row : row + 1, :length])
        np.testing.assert_allclose(batch[row, :length], alone[0], atol=TOLERANCE)
    # Padded positions are computed, and differ by position.
    assert np.abs(batch[1, 5] - batch[1, 6]).max() > 0.01


def test_dropout_acts_in_training_only():
    model = tiny_model(training=False, dropout_rate=0.5)
    arrays = [ops.convert_to_tensor(TOKENS), ops.convert_to_tensor(SEGMENTS)]
    plain = to_numpy(model(arrays))
    assert_as_expected(plain, NumpyBert(model).encode(TOKENS, SEGMENTS))
    assert np.abs(to_numpy(model(arrays, training=True)) - plain).max() > 0.1


# Masks


@pytest.mark.parametrize("output_layer_num", [1, 2])
def test_the_output_carries_the_token_mask(output_layer_num):
    inputs, output = get_model(**TINY, training=False, output_layer_num=output_layer_num)
    model = models.Model(inputs, ReadMask()(output))
    np.testing.assert_array_equal(predict(model, TOKENS, SEGMENTS), TOKENS != 0)


def test_a_nested_model_hands_its_mask_on():
    encoder = tiny_model(training=False, output_layer_num=2)
    inputs = [layers.Input(shape=(9,), dtype="int32") for _ in range(2)]
    model = models.Model(inputs, ReadMask()(encoder(inputs)))
    np.testing.assert_array_equal(predict(model, TOKENS, SEGMENTS), TOKENS != 0)


def test_masks_of_the_heads():
    model = tiny_model()
    mlm, nsp = model.outputs
    model = models.Model(model.inputs, [ReadMask()(mlm), ReadMask()(nsp)])
    mlm_mask, nsp_mask = predict(model, TOKENS, SEGMENTS, MASKED)
    np.testing.assert_array_equal(mlm_mask, (MASKED != 0) & (TOKENS != 0))
    assert (nsp_mask == -1).all()  # none


@pytest.mark.sampled(1)
@pytest.mark.parametrize("nested", [False, True])
def test_an_average_after_the_encoder_leaves_padding_out(nested):
    encoder = tiny_model(training=False)
    inputs, output = encoder.inputs, encoder.output
    if nested:
        inputs = [layers.Input(shape=(9,), dtype="int32") for _ in range(2)]
        output = encoder(inputs)
    model = models.Model(inputs, layers.GlobalAveragePooling1D()(output))
    hidden = NumpyBert(encoder).encode(TOKENS[:4], SEGMENTS[:4])
    tokens = (TOKENS[:4] != 0)[..., None]
    expected = (hidden * tokens).sum(axis=1) / tokens.sum(axis=1)
    output = predict(model, TOKENS[:4], SEGMENTS[:4])
    np.testing.assert_allclose(output, expected, atol=TOLERANCE)


@pytest.mark.slow
def test_an_lstm_after_the_encoder_stops_at_the_padding():
    encoder = tiny_model(training=False, seq_len=None)
    model = models.Model(encoder.inputs, layers.LSTM(3)(encoder.output))
    padded = predict(model, TOKENS[1:2], SEGMENTS[1:2])
    alone = predict(model, TOKENS[1:2, :5], SEGMENTS[1:2, :5])
    np.testing.assert_allclose(padded, alone, atol=TOLERANCE)


# Ways of calling


@pytest.mark.slow
def test_float_ids():
    model = tiny_model(training=False)
    expected = predict(model, TOKENS, SEGMENTS)
    output = predict(model, TOKENS.astype("float32"), SEGMENTS.astype("float64"))
    np.testing.assert_array_equal(output, expected)


@pytest.mark.slow
def test_inputs_without_dtype_or_length():
    encoder = tiny_model(training=False, seq_len=None)
    inputs = [layers.Input(shape=(None,)) for _ in range(2)]
    model = models.Model(inputs, encoder(inputs))
    expected = NumpyBert(encoder).encode(TOKENS, SEGMENTS)
    assert_as_expected(predict(model, TOKENS, SEGMENTS), expected)
    output = predict(model, TOKENS[1:2, :5], SEGMENTS[1:2, :5])
    np.testing.assert_allclose(output, expected[1:2, :5], atol=TOLERANCE)


@pytest.mark.slow
def test_one_encoder_called_three_times():
    encoder = tiny_model(training=False, seq_len=None)
    inputs = [layers.Input(shape=(None,)) for _ in range(4)]
    first, second, swapped = (
        encoder(pair) for pair in (inputs[:2], inputs[2:], [inputs[2], inputs[1]])
    )
    model = models.Model(inputs, [first, second, swapped, ReadMask()(second)])
    reversed_tokens = TOKENS[::-1].copy()
    results = predict(model, TOKENS, SEGMENTS, reversed_tokens, SEGMENTS)
    reference = NumpyBert(encoder)
    assert_as_expected(results[0], reference.encode(TOKENS, SEGMENTS))
    expected = reference.encode(reversed_tokens, SEGMENTS)
    for output in results[1:3]:
        np.testing.assert_allclose(output[1:], expected[1:], atol=TOLERANCE)
    np.testing.assert_array_equal(results[3], reversed_tokens != 0)
    assert len(model.weights) == len(encoder.weights)


@pytest.mark.slow
@pytest.mark.skipif(not KERAS_3, reason="policies are for Keras 3")
@pytest.mark.parametrize("dtype", ["int32", None])
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_ids_are_not_rounded_to_16_bits(policy, dtype):
    """257 is not 256, 4097 is not 4096."""
    with dtype_policy(policy):
        encoder = tiny_model(training=False, token_num=4200)
        inputs = [layers.Input(shape=(9,), dtype=dtype) for _ in range(2)]
        model = models.Model(inputs, encoder(inputs))
    for token in (257, 4097):
        tokens = np.full((1, 9), token, "int32")
        expected = NumpyBert(encoder).encode(tokens, tokens * 0)
        for ids in (tokens, tokens.astype("float32")):
            output = predict(model, ids, ids * 0)
            assert np.abs(output.astype("float32") - expected).max() < 0.15
        neighbour = NumpyBert(encoder).encode(tokens - 1, tokens * 0)
        assert np.abs(neighbour - expected).max() > 0.4


@pytest.mark.sampled(1)
@pytest.mark.skipif(not KERAS_3, reason="policies are for Keras 3")
@pytest.mark.parametrize(
    ("policy", "tolerance"), [("mixed_bfloat16", 0.05), ("mixed_float16", 0.01), ("float64", 1e-5)]
)
def test_dtype_policies(policy, tolerance):
    if RUNTIME == "jax" and policy == "float64":
        pytest.skip("JAX has float64 on request only")
    with dtype_policy(policy):
        model = tiny_model()
    mlm, _ = predict(model, TOKENS, SEGMENTS, MASKED)
    assert np.isfinite(mlm.astype("float32")).all()
    assert mlm.dtype == ("float64" if policy == "float64" else "float32")
    reference = NumpyBert(model)
    expected = reference.mlm(reference.encode(TOKENS[:4], SEGMENTS[:4]))
    assert np.abs(mlm[:4] - expected).max() < tolerance


@pytest.mark.slow
@pytest.mark.every_runtime
@pytest.mark.skipif(RUNTIME == "torch", reason="Keras compiles nothing there")
def test_compiled_by_xla():
    model = tiny_model()
    fed = [ops.convert_to_tensor(array) for array in (TOKENS, SEGMENTS, MASKED)]
    mlm, nsp = (to_numpy(output) for output in compiled(model)(fed))
    reference = NumpyBert(model)
    hidden = reference.encode(TOKENS, SEGMENTS)
    assert_as_expected(mlm, reference.mlm(hidden))
    assert_as_expected(nsp, reference.nsp(hidden))


@pytest.mark.slow
@pytest.mark.every_runtime
@pytest.mark.skipif(not ON_TENSORFLOW, reason="Keras' switch for XLA on TensorFlow")
def test_training_compiled_by_xla():
    model = tiny_model(dropout_rate=0.1)
    model.compile("sgd", "sparse_categorical_crossentropy", jit_compile=True)
    before = model.get_layer("Embedding-Token").get_weights()[0]
    targets = [TOKENS[:2], np.array([[0], [1]])]
    model.train_on_batch([TOKENS[:2], SEGMENTS[:2], MASKED[:2]], targets)
    after = model.get_layer("Embedding-Token").get_weights()[0]
    assert np.isfinite(after).all()
    assert (after != before).any()


@pytest.mark.slow
@pytest.mark.skipif(not KERAS_3, reason="Keras 3 has int8")
@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method implemented")
@pytest.mark.filterwarnings("ignore:Layer 'Embedding-Token' keeps its table in float")
def test_int8_models_and_their_files(tmp_path):
    model = tiny_model(embed_dim=32, transformer_num=1)
    before, _ = predict(model, TOKENS[:4], SEGMENTS[:4], MASKED[:4])
    model.quantize("int8")
    kernels = [w for w in model.weights if w.dtype == "int8"]
    # Of the encoder layer's attention and feed-forward, MLM-Dense, NSP-Dense and NSP.
    assert len(kernels) == 4 + 2 + 3
    expected, _ = predict(model, TOKENS[:4], SEGMENTS[:4], MASKED[:4])
    assert 0 < np.abs(expected - before).max() < 0.1
    for step in range(2):  # a model from a file can be saved again
        model.save(tmp_path / f"{step}.keras")
        model = models.load_model(tmp_path / f"{step}.keras")
        output, _ = predict(model, TOKENS[:4], SEGMENTS[:4], MASKED[:4])
        np.testing.assert_array_equal(output, expected)


# The smaller functions


def test_token_embedding_of_a_model():
    encoder = tiny_model(training=False)
    inputs = [layers.Input(shape=(9,), dtype="int32") for _ in range(2)]
    encoder(inputs)  # a nested call must not hide the model's own output
    table = get_token_embedding(encoder)
    assert tuple(table.shape) == (40, 8)
    output = predict_whole(models.Model(encoder.inputs, table), TOKENS, SEGMENTS)
    np.testing.assert_array_equal(output, encoder.get_layer("Embedding-Token").get_weights()[0])


def predict_whole(model, *arrays):
    return to_numpy(model([ops.convert_to_tensor(array) for array in arrays]))


def test_inputs():
    token, segment, masked = get_inputs(7)
    assert [tensor.name.split(":")[0] for tensor in (token, segment, masked)] == [
        "Input-Token", "Input-Segment", "Input-Masked",
    ]  # fmt: skip
    assert {tuple(tensor.shape) for tensor in (token, segment, masked)} == {(None, 7)}
    assert tuple(get_inputs(None)[0].shape) == (None, None)


def test_embedding():
    names = list(inspect.signature(get_embedding).parameters)
    assert names[:6] == [
        "inputs", "token_num", "pos_num", "embed_dim", "dropout_rate", "trainable",
    ]  # fmt: skip
    inputs = get_inputs(9)
    embedded, table = get_embedding(inputs, 40, 12, 8, 0.1, False)
    model = models.Model(inputs[:2], [embedded, table])
    assert not model.trainable_weights
    tokens, segments, positions = model.get_weights()
    output, _ = model([ops.convert_to_tensor(array) for array in (TOKENS, SEGMENTS)])
    expected = tokens[TOKENS] + segments[SEGMENTS] + positions[:9]
    np.testing.assert_allclose(to_numpy(output), expected, atol=1e-6)


def test_base_dict():
    base = {"": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}
    assert get_base_dict() == base
    get_base_dict()["word"] = 5
    assert get_base_dict() == base


def test_custom_objects_name_all_that_0_89_named():
    names = {
        "AdamWarmup", "EmbeddingRet", "EmbeddingSim", "EmbeddingSimilarity", "Extract",
        "FeedForward", "LayerNormalization", "Masked", "MultiHeadAttention", "PositionEmbedding",
        "TaskEmbedding", "TokenEmbedding", "TrigPosEmbedding", "gelu",
    }  # fmt: skip
    assert len(names) == 14
    objects = get_custom_objects()
    assert names | {"MaskedConv1D", "MaskedGlobalMaxPool1D"} <= set(objects)
    objects.clear()
    assert get_custom_objects()  # a new dict every time


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"trainable": "Encoder"}, ValueError, "`trainable`.*'Encoder'"),
        ({"dropout_rate": -1}, ValueError, "`dropout_rate`.*-1"),
        ({"dropout_rate": None}, ValueError, "`dropout_rate`.*None"),
        ({"transformer_num": 0}, ValueError, "`transformer_num`.*0"),
        ({"seq_len": 0}, ValueError, "`seq_len`.*0"),
        *(
            ({name: 2.0}, TypeError, f"`{name}` must be an integer. Received: 2.0")
            for name in (
                *("token_num", "pos_num", "seq_len", "embed_dim", "transformer_num", "head_num"),
                *("feed_forward_dim", "task_num", "segment_num"),
            )
        ),
        ({"output_layer_num": 1.5}, TypeError, "`output_layer_num`.*1.5"),
        *(
            ({name: value}, error, f"`{name}` must be .*{value}")
            for name in ("embedding_size", "group_num", "inner_group_num")
            for value, error in ((0, ValueError), (-1, ValueError), (1.0, TypeError))
        ),
        ({"group_num": 2}, ValueError, "`group_num`.*group_num=2, transformer_num=1"),
        ({"fixed_task": 0}, ValueError, "`fixed_task`.*use_task_embed=False"),
        ({"use_task_embed": True, "fixed_task": 10}, ValueError, "fixed_task=10, task_num=10"),
        ({"use_task_embed": True, "fixed_task": -1}, ValueError, "fixed_task=-1, task_num=10"),
        ({"use_task_embed": True, "fixed_task": 0.5}, TypeError, "`fixed_task` must be .*0.5"),
        *(
            ({"training": True, "heads": heads}, ValueError, "`heads` must be")
            for heads in ("MLM", None, (), ("NSP", "MLM"), ("MLM", "RTD"), ("mlm",))
        ),
        ({"training": True, "heads": ("NSP",), "max_predictions": 2}, ValueError, "the MLM head"),
    ],
)
def test_arguments_that_would_be_taken_for_something_else(arguments, error, message):
    sizes = {
        "token_num": 9,
        "pos_num": 4,
        "seq_len": 4,
        "embed_dim": 4,
        "head_num": 2,
        "feed_forward_dim": 4,
    }
    with pytest.raises(error, match=message):
        get_model(**{**sizes, "transformer_num": 1, "training": False, **arguments})
