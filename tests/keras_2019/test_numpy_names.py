"""Aliases that NumPy has removed."""

from old_scripts import on_keras_2, results_of

pytestmark = on_keras_2

SCRIPT = """
import json
import numpy as np
from numpy import float_
results = {
    "int": np.array([1.5]).astype(np.int).tolist(),
    "dtypes": [str(np.dtype(each)) for each in (np.bool, np.float, np.object, float_, np.complex_)],
    "infinite": [np.Inf == np.inf, np.NINF == -np.inf, np.NaN != np.NaN],
    "functions": [
        int(np.product([2, 3])), np.asscalar(np.array([4])), np.in1d([1, 2], [2]).tolist(),
        float(np.trapz([1, 3])), np.alltrue([1, 0]).item(), np.row_stack([[1], [2]]).shape,
        np.asfarray([1]).dtype.name, np.asfarray([1], "float32").dtype.name,
        np.asfarray([1], np.uint8).dtype.name,
        (np.mat([[1, 2]]) * np.mat([[3], [4]])).tolist(), np.cfloat(1).dtype.name,
    ],
}
try:
    np.no_such_name
except AttributeError as error:
    results["error"] = str(error)
print(json.dumps(results))
"""


def test_they_mean_what_they_meant(tmp_path):
    results, line = results_of(tmp_path, SCRIPT)
    assert results["int"] == [1]
    assert results["dtypes"] == ["bool", "float64", "object", "float64", "complex128"]
    assert results["infinite"] == [True, True, True]
    rest = ["float64", "float32", "float64", [[11]], "complex128"]
    assert results["functions"] == [6, 4, [False, True], 2.0, False, [2, 1], *rest]
    assert "no_such_name" in results["error"]
    assert "np.Inf" in line
    assert "np.float_" in line
    assert "no_such_name" not in line
