"""Which positions are computed, and that what is picked out comes back to where it was."""

import pytest
from runtimes import RUNTIME

from keras_bert.layers import FeedForward, MultiHeadAttention

if RUNTIME == "torch":
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    from keras_bert.backend.torch.positions import needed_positions, pick_rows, spread_rows

pytestmark = pytest.mark.skipif(RUNTIME != "torch", reason="elsewhere all are computed")

# Padding behind, none, in front, and nothing else.
ROWS = [[1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]]


def features(batch=4, length=4, units=3):
    return torch.arange(float(batch * length * units)).reshape(batch, length, units)


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
    assert needed_positions(features(), mask, needed_len).tolist() == expected


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
    assert needed_positions(torch.ones(shape), mask, needed_len) is None


def test_rows_come_back_to_their_positions():
    rows = features().reshape(16, 3)
    positions = needed_positions(features(), torch.tensor(ROWS, dtype=torch.bool), 1)
    picked = pick_rows(rows, positions)
    torch.testing.assert_close(picked, rows[positions])
    others = [position for position in range(16) if position not in positions.tolist()]
    # Computed to another size, as a product with a kernel is.
    spread = spread_rows(picked[:, :2], positions, features())
    torch.testing.assert_close(spread[positions], rows[positions, :2])
    assert others
    assert not spread[others].any()
    assert pick_rows(rows, None) is rows
    assert spread_rows(rows, None, features()) is rows


def test_gradients_go_where_the_rows_came_from():
    rows = features().reshape(16, 3).requires_grad_()
    positions = torch.tensor([0, 5, 15])
    output = spread_rows(pick_rows(rows, positions), positions, features())
    (gradient,) = torch.autograd.grad((output * output).sum(), rows)
    expected = torch.zeros(16, 3)
    expected[positions] = 2 * rows.detach()[positions]
    torch.testing.assert_close(gradient, expected)


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
