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


def test_one_feature_of_every_position(tmp_path):
    features = np.arange(24, dtype="float32").reshape(2, 3, 4)
    arguments, outputs = {"index": 1, "axis": 2}, [features[:, :, 1]]
    check_layer(Extract, arguments, features, outputs=outputs, tmp_path=tmp_path)
    with pytest.raises(ValueError, match=r"`axis` must be 1 or 2. Received: axis=0"):
        Extract(0, axis=0)


def test_files_of_the_usual_axis_do_not_name_it():
    assert "axis" not in Extract(0).get_config()  # which 0.89's layer would refuse
