"""Dropout by 16 random bits: which share is dropped, and how what is kept is scaled."""

import numpy as np
import pytest
from runtimes import RUNTIME

if RUNTIME == "torch":
    import torch

    from keras_bert.backend.torch.dropout import drop

pytestmark = pytest.mark.skipif(RUNTIME != "torch", reason="PyTorch's generator")


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("rate", [0.1, 0.25, 0.9, 0.001])
def test_rate_and_scale(rate, dtype):
    torch.manual_seed(0)
    features = torch.full((1000, 1000), 3.0, dtype=getattr(torch, dtype))
    output = drop(features, rate)
    assert (output.dtype, output.shape) == (features.dtype, features.shape)
    gone = (output == 0).double().mean().item()
    # Five standard deviations, and the step of 2⁻¹⁶ to which the rate is met.
    assert abs(gone - rate) < 5 * (rate * (1 - rate) / 1e6) ** 0.5 + 2**-17
    (kept,) = output[output != 0].unique().tolist()
    # The mean stays what it was with the rate that is met.
    met = round(rate * 2**16) / 2**16
    assert kept == pytest.approx(3 / (1 - met), rel=2**-8 if dtype == "bfloat16" else 1e-6)


def test_as_many_as_pytorchs_own():
    """In mean and variance of the sums over 1,000 features, of which there are 2,000."""
    torch.manual_seed(0)
    ones = torch.ones(2000, 1000)
    for function in (lambda: drop(ones, 0.3), lambda: torch.nn.functional.dropout(ones, 0.3)):
        sums = function().sum(dim=1)
        # The sums have a variance of 1000·0.3/0.7.
        assert sums.mean().item() == pytest.approx(1000, abs=5 * (429 / 2000) ** 0.5)
        assert sums.var().item() == pytest.approx(429, rel=5 * (2 / 2000) ** 0.5)


def test_seeds_repeat_it_and_gradients_are_those_of_what_was_kept():
    features = torch.rand(7, 5, requires_grad=True)
    torch.manual_seed(3)
    first = drop(features, 0.5)
    torch.manual_seed(3)
    np.testing.assert_array_equal(drop(features, 0.5).detach(), first.detach())
    assert not torch.equal(drop(features, 0.5), first)
    (gradient,) = torch.autograd.grad(first.sum(), features)
    torch.testing.assert_close(gradient, (first != 0) * 2.0)


@pytest.mark.parametrize("rate", [0.0, 2**-18, 1 - 2**-18, 1.0])
def test_rates_that_16_bits_do_not_tell_from_none_or_all(rate):
    assert drop(torch.ones(3), rate) is None


def test_not_where_pytorch_makes_something_of_functions():
    assert drop(torch.ones(3, device="meta"), 0.5) is None
    seen = []
    torch.func.vmap(lambda each: seen.append(drop(each, 0.5)) or each)(torch.ones(2, 3))
    assert seen == [None]


@pytest.mark.parametrize("shape", [(), (1,), (0, 4), (3, 5, 7)])
def test_any_shape(shape):
    assert drop(torch.ones(shape), 0.5).shape == shape


def test_features_that_do_not_lie_in_a_row():
    features = torch.arange(1.0, 13).reshape(3, 4).T
    output = drop(features, 0.5)
    kept = output != 0
    torch.testing.assert_close(output[kept], 2 * features[kept])
