import numpy as np
import pytest
from layer_checks import check_layer, old_case, old_cases
from runtimes import to_numpy

from keras_bert.backend import ops
from keras_bert.layers import MaskedConv1D


def expected_mask(mask, length, kernel_size, padding, strides=1, dilation_rate=1):
    """The last position a "valid" window covers, or that of a "same" or "causal" one."""
    reach = dilation_rate * (kernel_size - 1) if padding == "valid" else 0
    return np.stack([mask[:, position * strides + reach] for position in range(length)], axis=1)


def convolve(features, kernel, bias, padding, strides=1, dilation_rate=1):
    """Convolution by its definition, in float64."""
    size = kernel.shape[0]
    reach = dilation_rate * (size - 1)
    before = {"valid": 0, "causal": reach, "same": reach // 2}[padding]
    after = {"valid": 0, "causal": 0, "same": reach - reach // 2}[padding]
    padded = np.pad(features.astype("float64"), ((0, 0), (before, after), (0, 0)))
    windows = [
        sum(
            padded[:, start + step * dilation_rate] @ kernel[step].astype("float64")
            for step in range(size)
        )
        for start in range(0, padded.shape[1] - reach, strides)
    ]
    return np.stack(windows, axis=1) + bias


@pytest.mark.sampled(4)
@old_cases("conv")
def test_as_the_old_layer(case, tmp_path):
    known = old_case(case)
    arguments = {k: v for k, v in known["arguments"].items() if k not in ("filters", "activation")}
    if known["masks"][0] is not None:
        # Where the old layer's mask has the output's length, it must be the same one.
        mask = expected_mask(known["masks"][0], known["outputs"][0].shape[1], **arguments)
        assert known["output_masks"][0] is None or (known["output_masks"][0] == mask).all()
        known["output_masks"] = [mask]
    check_layer(**known, tmp_path=tmp_path)


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4])
@pytest.mark.parametrize(("strides", "dilation_rate"), [(1, 1), (1, 3), (2, 1), (3, 1)])
def test_mask_and_numbers_for_every_geometry(padding, kernel_size, strides, dilation_rate):
    geometry = {"padding": padding, "strides": strides, "dilation_rate": dilation_rate}
    random = np.random.RandomState(1)
    features = random.normal(size=(3, 14, 2)).astype("float32")
    mask = np.arange(14) < np.array([[14], [8], [0]])
    layer = MaskedConv1D(4, kernel_size, bias_initializer="ones", **geometry)
    tensor_mask = ops.convert_to_tensor(mask)
    output = to_numpy(layer(ops.convert_to_tensor(features), mask=tensor_mask))
    found = to_numpy(layer.compute_mask(ops.convert_to_tensor(features), tensor_mask))
    length = output.shape[1]
    assert layer.compute_output_shape(features.shape)[1] == length
    if padding != "valid":
        assert length == -(-14 // strides)
    np.testing.assert_array_equal(
        found, expected_mask(mask, length, kernel_size, **geometry)[:, :length]
    )
    if padding == "same" and strides > 1:
        return  # frameworks place these windows differently; the recorded numbers cover one
    expected = convolve(features * mask[..., None], *layer.get_weights(), **geometry)
    np.testing.assert_allclose(output, expected, atol=1e-5)


def test_nothing_of_a_masked_place_leaks():
    features = np.ones((1, 6, 2), "float32")
    features[:, 3:] = np.nan
    mask = ops.convert_to_tensor(np.arange(6)[None] < 3)
    layer = MaskedConv1D(2, 3, padding="same")
    output = to_numpy(layer(ops.convert_to_tensor(features), mask=mask))
    zeroed = np.nan_to_num(features)
    expected = convolve(zeroed, *layer.get_weights(), padding="same")
    np.testing.assert_allclose(output, expected, atol=1e-6)
