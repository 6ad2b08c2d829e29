import numpy as np
import pytest
from layer_checks import check_layer, old_case, old_cases
from runtimes import KERAS_3, RUNTIME, compiled, dtype_policy, to_numpy

from keras_bert.activations import gelu_erf, gelu_tanh
from keras_bert.backend import keras, layers, models, ops
from keras_bert.layers import MultiHeadAttention

# The small package says so whenever a kernel_initializer is shared, as its default is.
pytestmark = pytest.mark.filterwarnings("ignore:The initializer GlorotNormal is unseeded")
keras_3 = pytest.mark.skipif(not KERAS_3, reason="the layer of Keras 3")


def features(*shape, seed=0):
    return np.random.RandomState(seed).normal(size=shape).astype("float32")


@pytest.mark.sampled(4)
@old_cases("attention")
def test_as_the_old_layer(case, tmp_path):
    known = old_case(case)
    if known["arguments"].get("activation"):  # the policies cost time, and these differ in little
        known["policies"] = ["mixed_bfloat16"]
    check_layer(**known, tmp_path=tmp_path)


@keras_3
@pytest.mark.parametrize("history_only", [False, True])
def test_attention_map_explains_the_output(history_only):
    layer = MultiHeadAttention(2, None, history_only=history_only)
    x = features(3, 5, 8)
    mask = np.arange(5) < np.array([[5], [3], [1]])
    arguments = ops.convert_to_tensor(x), ops.convert_to_tensor(mask)
    output = to_numpy(layer(arguments[0], mask=arguments[1]))
    shares = to_numpy(layer.attention_map(*arguments))
    assert shares.shape == (3, 2, 5, 5)
    np.testing.assert_allclose(shares.sum(axis=-1), 1.0, atol=1e-6)
    allowed = mask[:, None, None, :] & (np.tri(5, dtype=bool) if history_only else True)
    np.testing.assert_array_equal(shares > 1e-6, np.broadcast_to(allowed, shares.shape))
    *_, value_kernel, value_bias, kernel, bias = layer.get_weights()
    values = (x @ value_kernel + value_bias).reshape(3, 5, 2, 4)
    attended = np.einsum("bhts,bshd->bthd", shares, values).reshape(3, 5, 8)
    np.testing.assert_allclose(output, attended @ kernel + bias, atol=1e-5)


def test_a_padded_row_is_as_if_alone():
    layer = MultiHeadAttention(2, None)
    inputs = layers.Input(shape=(None, 8))
    masked = layers.Masking()(inputs)
    model = models.Model(inputs, layer(masked))
    alone = features(1, 3, 8)
    padded = np.concatenate([alone, np.zeros((1, 4, 8), "float32")], axis=1)
    expected = to_numpy(model(ops.convert_to_tensor(alone)))
    output = to_numpy(model(ops.convert_to_tensor(padded)))
    np.testing.assert_allclose(output[:, :3], expected, atol=1e-6)


@keras_3
@pytest.mark.parametrize("head_num", [3, 0, -2])
def test_wrong_head_num(head_num):
    with pytest.raises(ValueError, match=rf"'many'.*head_num={head_num}, feature size=8"):
        MultiHeadAttention(head_num, name="many")(ops.convert_to_tensor(features(1, 2, 8)))


@keras_3
def test_wrong_mask_rank():
    with pytest.raises(ValueError, match=r"'many' takes a mask of rank 2.*\(1, 2, 2\)"):
        MultiHeadAttention(2, name="many")(
            ops.convert_to_tensor(features(1, 2, 8)),
            mask=ops.convert_to_tensor(np.ones((1, 2, 2), bool)),
        )


@pytest.mark.slow
@keras_3
def test_lora_and_int8_reach_the_kernels():
    def dense_of(layer):
        return [each for each in layer._flatten_layers() if isinstance(each, keras.layers.Dense)]

    layer = MultiHeadAttention(2, None)
    layer.build((None, None, 8))
    assert len(dense_of(layer)) == 4
    layer.enable_lora(2)
    assert len(layer.trainable_weights) == 4 + 8  # biases, LoRA factors
    layer = MultiHeadAttention(2, None)
    x = ops.convert_to_tensor(features(2, 5, 32))
    before = to_numpy(layer(x))
    for each in dense_of(layer):
        each.quantize("int8")
    assert 0 < np.abs(to_numpy(layer(x)) - before).max() < 0.05 * np.abs(before).max()


@keras_3
def test_kernels_start_out_different():
    layer = MultiHeadAttention(2, None)
    layer.build((None, None, 8))
    kernels = layer.get_weights()[::2]
    for index, kernel in enumerate(kernels):
        assert all((kernel != other).any() for other in kernels[:index])


@keras_3
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_only_padding_is_finite_in_16_bits(policy):
    with dtype_policy(policy):
        inputs = layers.Input(shape=(None, 8))
        model = models.Model(inputs, MultiHeadAttention(2, None)(layers.Masking()(inputs)))
    run = model if RUNTIME == "torch" else compiled(model)
    assert np.isfinite(to_numpy(run(ops.convert_to_tensor(np.zeros((2, 4, 8), "float32"))))).all()


def test_gelu_is_the_tanh_form_by_name():
    """Keras' own function of that name is the other one, and stays it."""
    for activation, form in (("gelu", gelu_tanh), (keras.activations.gelu, gelu_erf)):
        layer = MultiHeadAttention(2, activation)
        assert layer.activation is form
        assert type(layer).from_config(layer.get_config()).activation is form
