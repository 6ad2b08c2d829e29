import numpy as np
import pytest
from layer_checks import check_layer, old_case, old_cases
from runtimes import KERAS_3, dtype_name, to_numpy

from keras_bert.backend import ops
from keras_bert.layers import MaskedGlobalMaxPool1D


@old_cases("pool_max")
def test_as_the_old_layer(case, tmp_path):
    check_layer(**old_case(case), tmp_path=tmp_path)


def test_masked_positions_never_win():
    features = np.array([[[-5.0, 1.0], [-7.0, 2.0], [9.0, 9.0]]], "float32")
    mask = ops.convert_to_tensor(np.array([[True, True, False]]))
    output = MaskedGlobalMaxPool1D()(ops.convert_to_tensor(features), mask=mask)
    np.testing.assert_array_equal(to_numpy(output), [[-5.0, 2.0]])


@pytest.mark.skipif(not KERAS_3, reason="16-bit policies are for Keras 3")
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_only_padding_is_finite_in_16_bits(policy):
    mask = ops.convert_to_tensor(np.zeros((1, 3), bool))
    features = ops.convert_to_tensor(np.full((1, 3, 2), 100.0, "float32"))
    output = MaskedGlobalMaxPool1D(dtype=policy)(features, mask=mask)
    assert dtype_name(output) == policy.removeprefix("mixed_")
    assert np.isfinite(to_numpy(output)).all()
