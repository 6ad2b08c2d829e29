"""The update of all variables at once against `update_step`, one variable after the other."""

import numpy as np
import pytest
from runtimes import RUNTIME, to_numpy

from keras_bert.backend import keras, ops, optimizers
from keras_bert.optimizers import AdamWarmup

pytestmark = pytest.mark.skipif(RUNTIME != "torch", reason="PyTorch's kernel")

SHAPES = [(5, 7), (7,), (3, 2, 4), ()]
NAMES = ["kernel", "bias", "kernel", "gain"]


class OneByOne(AdamWarmup):
    """The optimizer with Keras' own way of updating, which calls `update_step`."""

    def _backend_update_step(self, *args):
        return optimizers.Optimizer._backend_update_step(self, *args)


def variables(dtypes):
    random = np.random.RandomState(0)
    return [
        keras.Variable(random.normal(size=shape), dtype=dtype, name=name)
        for shape, name, dtype in zip(SHAPES, NAMES, dtypes, strict=True)
    ]


def gradients(step, dtypes):
    """Of very different sizes; that of the first variable lies in memory column by column."""
    random = np.random.RandomState(step)
    drawn = [random.normal(size=shape) * 10.0 ** random.uniform(-4, 1) for shape in SHAPES]
    first, *others = map(ops.convert_to_tensor, drawn)
    first = ops.convert_to_tensor(drawn[0].T.copy()).T
    return [ops.cast(each, dtype) for each, dtype in zip([first, *others], dtypes, strict=True)]


def run(optimizer, dtypes, steps=12):
    """Variables, moments and whatever else there is after some steps."""
    trained = variables(dtypes)
    for step in range(steps):
        optimizer.apply(gradients(step, dtypes), trained)
    return [to_numpy(each.value) for each in [*trained, *optimizer.variables]]


OPTIONS = {
    "plain": {},
    "weight decay": {"weight_decay": 0.1},
    "decay of some": {"weight_decay": 0.1, "weight_decay_pattern": ["kernel"]},
    "amsgrad": {"amsgrad": True, "weight_decay": 0.1},
    "factors": {"learning_rate_factors": {"kernel": 0.5, "gain": 0.0}},
    "clipping": {"global_clipnorm": 0.5},
    "other numbers": {"beta_1": 0.7, "beta_2": 0.99, "epsilon": 1e-3, "weight_decay": 0.3},
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", OPTIONS)
def test_all_at_once_is_one_after_the_other(options, dtype):
    found, expected = (
        run(kind(8, 3, 1e-4, 0.05, **OPTIONS[options]), [dtype] * 4)
        for kind in (AdamWarmup, OneByOne)
    )
    # Twelve steps, each rounded, of weights up to 3. Keras' maximum of float64, which amsgrad takes
    # one by one, is float32 on PyTorch.
    digits = "float32" if options == "amsgrad" else dtype
    rounding = {"float32": 2e-6, "float64": 1e-12}[digits]
    for array, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, wanted, rtol=rounding, atol=rounding)


def test_variables_of_several_types():
    """The kernel takes those of one type together; 16 bits are rounded as often as elsewhere."""
    dtypes = ["float32", "bfloat16", "float64", "float32"]
    found, expected = (
        run(kind(8, 3, 1e-4, 0.05, weight_decay=0.1), dtypes, steps=3)
        for kind in (AdamWarmup, OneByOne)
    )
    for array, wanted, dtype in zip(found, expected, dtypes, strict=False):
        rounding = {"float32": 2e-6, "bfloat16": 2**-7, "float64": 1e-12}[dtype]
        np.testing.assert_allclose(array, wanted, rtol=rounding, atol=rounding)


def test_one_kernel_for_variables_that_are_treated_alike(monkeypatch):
    """And Keras' way for gradients whose elements lie in another order."""
    calls, steps = [], []
    original = AdamWarmup.update_step
    monkeypatch.setattr(
        "keras_bert.backend.torch.update.adamw",
        lambda weights, *args, **kwargs: calls.append(len(weights)),
    )
    monkeypatch.setattr(
        AdamWarmup,
        "update_step",
        lambda self, gradient, variable, rate: (
            steps.append(variable.name) or original(self, gradient, variable, rate)
        ),
    )
    optimizer = AdamWarmup(8, 3, weight_decay=0.1, weight_decay_pattern=["kernel"])
    run(optimizer, ["float32"] * 4, steps=1)
    assert steps == ["kernel"]  # the first, transposed one
    assert sorted(calls) == [1, 2]  # the other kernel; bias and gain
