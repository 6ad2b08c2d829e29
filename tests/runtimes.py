"""What the tests need to say differently on every runtime: arrays, gradients, compilation."""

import contextlib

import numpy as np
import pytest

from keras_bert.backend import TF_KERAS, backend, keras, ops

RUNTIME = "tf_keras" if TF_KERAS else backend.backend()
KERAS_3 = not TF_KERAS
ON_TENSORFLOW = RUNTIME in ("tensorflow", "tf_keras")

once = pytest.mark.once


def as_list(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


@contextlib.contextmanager
def dtype_policy(policy):
    """The policy as Keras' global one, which is how users choose it."""
    if KERAS_3:
        current, choose = keras.config.dtype_policy, keras.config.set_dtype_policy
    else:
        current = keras.mixed_precision.global_policy
        choose = keras.mixed_precision.set_global_policy
    before = current()
    choose(policy)
    try:
        yield
    finally:
        choose(before)


def to_numpy(tensor):
    """A NumPy array of a tensor; 16-bit floats become float32, which NumPy can compare."""
    if RUNTIME == "torch" and hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu()
        if str(tensor.dtype) == "torch.bfloat16":
            tensor = tensor.float()
        return tensor.numpy()
    array = np.asarray(tensor)
    return array.astype("float32") if array.dtype.itemsize == 2 else array


def dtype_name(tensor):
    """Name such as "float32" of a tensor's dtype."""
    dtype = getattr(tensor.dtype, "name", None) or str(tensor.dtype)
    return dtype.removeprefix("torch.")


def compiled(model):
    """The model's call as one XLA-compiled function of a list of arrays."""
    if ON_TENSORFLOW:
        import tensorflow as tf

        return tf.function(lambda arrays: model(arrays), jit_compile=True)
    assert RUNTIME == "jax"
    import jax

    trainable = [each.value for each in model.trainable_variables]
    others = [each.value for each in model.non_trainable_variables]
    return jax.jit(lambda arrays: model.stateless_call(trainable, others, arrays)[0])


def gradients(model, arrays, factors):
    """Gradients of `sum(output * factor)` over the model's outputs, by trainable weight.

    Args:
        model: A built model or layer.
        arrays: Its argument.
        factors: An array for every output, or None for one that does not count.

    Returns:
        Dense NumPy arrays, None where a weight has no gradient.
    """
    counted = [index for index, factor in enumerate(factors) if factor is not None]
    if ON_TENSORFLOW:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            outputs = as_list(model(arrays))
            loss = tf.add_n([tf.reduce_sum(outputs[i] * factors[i]) for i in counted])
        weights = model.trainable_variables
        if KERAS_3:
            weights = [each.value for each in weights]
        found = tape.gradient(loss, weights)
        return [None if each is None else np.asarray(tf.convert_to_tensor(each)) for each in found]
    if RUNTIME == "jax":
        import jax

        others = [each.value for each in model.non_trainable_variables]

        def loss_of(weights):
            outputs = as_list(model.stateless_call(weights, others, arrays)[0])
            return sum((outputs[i] * factors[i]).sum() for i in counted)

        found = jax.jit(jax.grad(loss_of))([each.value for each in model.trainable_variables])
        return [np.asarray(each) for each in found]
    import torch

    weights = [each.value for each in model.trainable_variables]
    outputs = as_list(model(arrays))
    loss = sum((outputs[i] * ops.convert_to_tensor(factors[i])).sum() for i in counted)
    found = torch.autograd.grad(loss, weights, allow_unused=True)
    return [None if each is None else to_numpy(each) for each in found]
