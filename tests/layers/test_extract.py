import numpy as np
import pytest
from layer_checks import check_layer, old_case, old_cases
from runtimes import to_numpy

from keras_bert.backend import ops
from keras_bert.layers import Extract


@old_cases("extract")
def test_as_the_old_layer(case, tmp_path):
    check_layer(**old_case(case), tmp_path=tmp_path)


@pytest.mark.parametrize("index", [3, -4])
def test_no_such_place(index):
    features = ops.convert_to_tensor(np.zeros((2, 3, 4), "float32"))
    with pytest.raises(ValueError, match=rf"'first'.*{index}.*\(2, 3, 4\)"):
        Extract(index, name="first")(features)


def test_first_and_last_positions():
    features = np.arange(24, dtype="float32").reshape(2, 3, 4)
    for index in (-3, 2):
        output = Extract(index)(ops.convert_to_tensor(features))
        np.testing.assert_array_equal(to_numpy(output), features[:, index])
