"""PyTorch's own operations against those of Keras and of `plain`."""

import numpy as np
import pytest
from devices import on_a_cpu
from runtimes import RUNTIME, dtype_name, dtype_policy, to_numpy

from keras_bert import activations, backend
from keras_bert.backend import layers, ops, plain
from keras_bert.layers import FeedForward, MultiHeadAttention

if RUNTIME == "torch":
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

pytestmark = pytest.mark.skipif(RUNTIME != "torch", reason="PyTorch's operations")


def draw(*shape, seed=0):
    return torch.tensor(np.random.RandomState(seed).normal(size=shape).astype("float32"))


# Parts of layers


def dense_layer(kind, activation):
    policy = kind if kind in ("bfloat16", "mixed_bfloat16") else "float32"
    dense = layers.Dense(40, activation, bias_initializer="normal", dtype=policy)
    dense.build((None, 24))
    if kind == "lora":
        dense.enable_lora(2)
        dense.lora_kernel_b.assign(np.ones((2, 40)))
    if kind == "int8":
        dense.quantize("int8")
    return dense


@pytest.mark.parametrize("activation", [None, "gelu"])
@pytest.mark.parametrize("kind", ["float32", "bfloat16", "mixed_bfloat16", "lora", "int8"])
def test_a_projection_is_what_the_dense_layer_computes(kind, activation):
    dense, rows = dense_layer(kind, activation), draw(50, 24)
    found, expected = backend.project(dense, rows), plain.project(dense, rows)
    assert found.dtype == expected.dtype
    # The bias is added before the product is rounded to 16 bits, whose unit is 2⁻⁶ below 4.
    rounding = 2 * 2**-6 if "bfloat16" in kind else 1e-5
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), rtol=0, atol=rounding)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["gelu_tanh", "gelu_erf"])
def test_gelu_in_the_memory_of_the_product(name, dtype):
    function = getattr(activations, name)
    dense, rows = dense_layer(dtype, function), draw(50, 24).to(getattr(torch, dtype))
    with torch.no_grad():
        found = backend.project(dense, rows)
        dense.activation = None
        product = backend.project(dense, rows)
    before = product.clone()
    assert torch.equal(found, function(product))
    assert torch.equal(product, before)  # only a layer's own product is overwritten
    dense.activation = function
    assert backend.project(dense, rows).requires_grad
    torch.testing.assert_close(found, backend.project(dense, rows).detach())


def test_gradients_of_a_projection():
    dense, rows = dense_layer("float32", "tanh"), draw(50, 24).requires_grad_()
    wanted = [rows, dense.kernel.value, dense.bias.value]
    found, expected = (
        torch.autograd.grad(function(dense, rows).square().sum(), wanted)
        for function in (backend.project, plain.project)
    )
    for gradient, other in zip(found, expected, strict=True):
        torch.testing.assert_close(gradient, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("shape", [(4, 30, 64), (5, 64)])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_normalization_is_that_of_keras(dtype, shape, offset):
    layer = layers.LayerNormalization(epsilon=1e-12, dtype=dtype)
    layer.build(shape)
    layer.set_weights([draw(64, seed=1), draw(64, seed=2)])
    features = (offset + draw(*shape)).to(getattr(torch, dtype))
    found = backend.normalize(features, layer.gamma, layer.beta, 1e-12, training=False)
    expected = layer(features)
    assert found.dtype == expected.dtype
    # Of numbers up to 9, whose unit in 16 bits is 2⁻⁴; Keras takes float64 as float32.
    rounding = 2**-4 if dtype == "bfloat16" else 1e-4
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), rtol=0, atol=rounding)
    if dtype == "float64":
        features = to_numpy(features)
        features = features - features.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((features**2).mean(axis=-1, keepdims=True) + 1e-12)
        gamma, beta = layer.get_weights()
        np.testing.assert_allclose(to_numpy(found), features / deviation * gamma + beta, atol=1e-10)


@pytest.mark.parametrize("masked", [False, True])
def test_gradients_of_attention(masked):
    heads = [draw(3, 11, 2, 8, seed=seed).requires_grad_() for seed in range(3)]
    padding = torch.arange(11) >= torch.tensor([[11], [4], [1]])
    bias = -10000.0 * padding[:, None, None] if masked else None
    found, expected = (
        torch.autograd.grad(attend(*heads, bias).square().sum(), heads)
        for attend in (backend.attend, plain.attend)
    )
    for gradient, other in zip(found, expected, strict=True):
        torch.testing.assert_close(gradient, other, atol=1e-5, rtol=1e-4)


def test_integers_are_normalized_by_keras():
    features = torch.arange(8).reshape(2, 4)
    assert backend.normalize(features, torch.ones(4), torch.zeros(4), 1e-12, False) is None


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_weights_are_used_in_the_type_of_features(policy):
    with dtype_policy(policy):
        layer = layers.LayerNormalization()
    layer.build((None, 4))
    for dtype in (torch.float32, torch.bfloat16):
        features = draw(3, 4).to(dtype)
        normalized = backend.normalize(features, layer.gamma, layer.beta, 1e-6, training=True)
        assert normalized.dtype == dtype


def test_a_reshaped_tensor_shares_its_memory():
    features = draw(2, 3, 4)
    assert backend.reshape(features, (-1, 4)).data_ptr() == features.data_ptr()
    torch.testing.assert_close(
        backend.reshape(features.transpose(0, 1), (6, 4)),
        ops.reshape(features.transpose(0, 1), (6, 4)),
    )


# Gradients of a lookup


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradient_of_the_gradient(dtype):
    """As a penalty on the size of a table's gradient needs it."""
    table = torch.randn(5, 3, dtype=getattr(torch, dtype), requires_grad=True)
    ids = torch.tensor([[1, 1, 4]], dtype=torch.int32)
    cubes = (backend.lookup(table, ids) ** 3).sum()
    (gradient,) = torch.autograd.grad(cubes, table, create_graph=True)
    assert gradient.dtype == table.dtype
    (gradient**2).sum().backward()
    counts = torch.tensor([0.0, 2, 0, 0, 1])[:, None]
    # Of (3·n·w²)².
    torch.testing.assert_close(table.grad, (36 * counts**2 * table**3).to(table.dtype).detach())


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # inside
def test_derivatives_under_transforms():
    """Several at once, a text's own and in a direction, each by hand."""
    from torch.autograd import forward_ad

    lookup = backend.lookup
    table = torch.randn(5, 3, requires_grad=True)
    ids = torch.tensor([[1, 1, 4], [0, 4, 4]], dtype=torch.int32)
    counts = torch.tensor([[0.0, 2, 0, 0, 1], [1, 0, 0, 0, 2]])[:, :, None]
    squares = (lookup(table, ids) ** 2).sum(dim=(1, 2))
    (found,) = torch.autograd.grad(squares, table, torch.eye(2), is_grads_batched=True)
    torch.testing.assert_close(found, 2 * counts * table.detach())

    def square(table, ids):
        return (lookup(table, ids) ** 2).sum()

    found = torch.func.vmap(torch.func.grad(square), (None, 0))(table, ids)
    torch.testing.assert_close(found, 2 * counts * table)
    direction = torch.randn(5, 3)
    with forward_ad.dual_level():
        output = square(forward_ad.make_dual(table, direction), ids)
        change = forward_ad.unpack_dual(output).tangent
    torch.testing.assert_close(change, (2 * counts.sum(dim=0) * table * direction).sum())


# Dropout by 16 random bits: which share is dropped, and how what is kept is scaled


@on_a_cpu
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("rate", [0.1, 0.25, 0.9, 0.001])
def test_rate_and_scale(rate, dtype):
    torch.manual_seed(0)
    features = torch.full((1000, 1000), 3.0, dtype=getattr(torch, dtype))
    output = backend.drop(features, rate)
    assert (output.dtype, output.shape) == (features.dtype, features.shape)
    gone = (output == 0).double().mean().item()
    # Five standard deviations, and the step of 2⁻¹⁶ to which the rate is met.
    assert abs(gone - rate) < 5 * (rate * (1 - rate) / 1e6) ** 0.5 + 2**-17
    (kept,) = output[output != 0].unique().tolist()
    # The mean stays what it was with the rate that is met.
    met = round(rate * 2**16) / 2**16
    assert kept == pytest.approx(3 / (1 - met), rel=2**-8 if dtype == "bfloat16" else 1e-6)


@on_a_cpu
def test_as_many_as_pytorchs_own():
    """In mean and variance of the sums over 1,000 features, of which there are 2,000."""
    torch.manual_seed(0)
    ones = torch.ones(2000, 1000)
    for function in (
        lambda: backend.drop(ones, 0.3),
        lambda: torch.nn.functional.dropout(ones, 0.3),
    ):
        sums = function().sum(dim=1)
        # The sums have a variance of 1000·0.3/0.7.
        assert sums.mean().item() == pytest.approx(1000, abs=5 * (429 / 2000) ** 0.5)
        assert sums.var().item() == pytest.approx(429, rel=5 * (2 / 2000) ** 0.5)


@on_a_cpu
def test_seeds_repeat_it_and_gradients_are_those_of_what_was_kept():
    features = torch.rand(7, 5, requires_grad=True)
    torch.manual_seed(3)
    first = backend.drop(features, 0.5)
    torch.manual_seed(3)
    np.testing.assert_array_equal(backend.drop(features, 0.5).detach(), first.detach())
    assert not torch.equal(backend.drop(features, 0.5), first)
    (gradient,) = torch.autograd.grad(first.sum(), features)
    torch.testing.assert_close(gradient, (first != 0) * 2.0)


@pytest.mark.parametrize("rate", [0.0, 2**-18, 1 - 2**-18, 1.0])
def test_rates_that_16_bits_do_not_tell_from_none_or_all(rate):
    assert backend.drop(torch.ones(3), rate) is None


def test_not_where_pytorch_makes_something_of_functions():
    assert backend.drop(torch.ones(3, device="meta"), 0.5) is None
    seen = []
    torch.func.vmap(lambda each: seen.append(backend.drop(each, 0.5)) or each)(torch.ones(2, 3))
    assert seen == [None]


@on_a_cpu
@pytest.mark.parametrize("shape", [(), (1,), (0, 4), (3, 5, 7)])
def test_any_shape(shape):
    assert backend.drop(torch.ones(shape), 0.5).shape == shape


@on_a_cpu
def test_features_that_do_not_lie_in_a_row():
    features = torch.arange(1.0, 13).reshape(3, 4).T
    output = backend.drop(features, 0.5)
    kept = output != 0
    torch.testing.assert_close(output[kept], 2 * features[kept])


# Which positions are computed, and that what is picked out comes back to where it was

# Padding behind, none, in front, and nothing else.
ROWS = [[1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]]


def features(batch=4, length=4, units=3):
    return torch.arange(float(batch * length * units)).reshape(batch, length, units)


@on_a_cpu
@pytest.mark.parametrize("dtype", ["bool", "int32", "float32"])
@pytest.mark.parametrize(
    ("needed_len", "expected"),
    [
        # Of all rows the unmasked positions and the first ones; of the last row all.
        (0, [0, 1, 4, 5, 6, 7, 11, 12, 13, 14, 15]),
        (1, [0, 1, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15]),
        (2, [0, 1, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15]),
    ],
)
def test_needed_positions(dtype, needed_len, expected):
    mask = torch.tensor(ROWS).to(getattr(torch, dtype))
    assert backend.needed_positions(features(), mask, needed_len).tolist() == expected


@pytest.mark.parametrize(
    ("shape", "mask", "needed_len"),
    [
        ((4, 4, 3), ROWS, None),
        ((4, 4, 3), None, 1),
        ((4, 4, 3), ROWS, 4),
        ((4, 4, 3), [[1, 1, 1, 1]] * 3 + [[1, 1, 1, 0]], 1),  # more than nine tenths
        ((4, 4, 2, 3), ROWS, 1),
        ((4, 3), ROWS, 1),
    ],
    ids=["all needed", "no mask", "as many as there are", "nearly all", "rank 4", "rank 2"],
)
def test_all_positions(shape, mask, needed_len):
    mask = None if mask is None else torch.tensor(mask, dtype=torch.bool)
    assert backend.needed_positions(torch.ones(shape), mask, needed_len) is None


@on_a_cpu
def test_rows_come_back_to_their_positions():
    rows = features().reshape(16, 3)
    positions = backend.needed_positions(features(), torch.tensor(ROWS, dtype=torch.bool), 1)
    picked = backend.pick_rows(rows, positions)
    torch.testing.assert_close(picked, rows[positions])
    others = [position for position in range(16) if position not in positions.tolist()]
    # Computed to another size, as a product with a kernel is.
    spread = backend.spread_rows(picked[:, :2], positions, features())
    torch.testing.assert_close(spread[positions], rows[positions, :2])
    assert others
    assert not spread[others].any()
    assert backend.pick_rows(rows, None) is rows
    assert backend.spread_rows(rows, None, features()) is rows


def test_gradients_go_where_the_rows_came_from():
    rows = features().reshape(16, 3).requires_grad_()
    positions = torch.tensor([0, 5, 15])
    output = backend.spread_rows(backend.pick_rows(rows, positions), positions, features())
    (gradient,) = torch.autograd.grad((output * output).sum(), rows)
    expected = torch.zeros(16, 3)
    expected[positions] = 2 * rows.detach()[positions]
    torch.testing.assert_close(gradient, expected)


@on_a_cpu
@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")
@pytest.mark.parametrize(
    "layer",
    [lambda: MultiHeadAttention(2, None), lambda: FeedForward(10, "gelu")],
    ids=["attention", "feed-forward"],
)
def test_all_positions_where_values_are_unknown(layer):
    """One text at a time by `vmap`, and shapes alone."""
    layer, mask = layer(), torch.tensor(ROWS, dtype=torch.bool)
    inputs = torch.rand(4, 4, 6)
    expected = layer(inputs, mask=mask)
    layer.needed_len = 1
    assert not layer(inputs, mask=mask)[0, 3].any()
    each = torch.func.vmap(lambda inputs, mask: layer(inputs[None], mask=mask[None])[0])
    torch.testing.assert_close(each(inputs, mask), expected, atol=1e-5, rtol=0)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        output = layer(mode.from_tensor(inputs), mask=mode.from_tensor(mask))
    assert output.shape == inputs.shape


# Devices and replicas


def test_threads_are_limited_at_any_time():
    before = torch.get_num_threads()
    try:
        backend.limit_threads(1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_replicas_are_processes_that_train(monkeypatch):
    assert not backend.has_replicas()
    distributed = torch.distributed
    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed, "get_world_size", lambda: 3)
    assert backend.has_replicas()
    with torch.no_grad():
        assert not backend.has_replicas()  # each process evaluates on its own
    # Two others have 4 and 9: of these the sum is to be a third each.
    monkeypatch.setattr(distributed, "all_reduce", lambda share: share.add_((4 + 9) / 3))
    assert backend.replica_mean(torch.tensor(5.0)).item() == pytest.approx(6)


def test_the_dtype_of_zeros():
    assert dtype_name(backend.initial_zeros((2,), "float16")) == "float16"
