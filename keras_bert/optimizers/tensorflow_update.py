"""AdamWarmup's update by TensorFlow's fused kernel, which walks through weight and moments once."""

from __future__ import annotations

import tensorflow as tf

from ..backend import TF_KERAS


def update(optimizer, variable, gradient, first, second, step_size, decay: float) -> None:
    """Update a variable and its moments.

    Args:
        optimizer: An AdamWarmup without amsgrad.
        variable: A variable of TensorFlow's.
        gradient: Its gradient, a tensor of its type.
        first: Its momentum, a variable of Keras.
        second: Its velocity, likewise.
        step_size: The learning rate with the correction of the moments' bias, a tensor.
        decay: What part of the weight belongs to the change.
    """
    if not TF_KERAS:
        first, second = first.value, second.value
    if decay:
        variable.assign(variable * (1 - step_size * decay))
    betas = tf.constant([optimizer.beta_1, optimizer.beta_2], variable.dtype)
    # The kernel's own correction, which the step size holds, is 1 after infinitely many steps.
    powers = tf.zeros(2, variable.dtype)
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=first.handle,
        v=second.handle,
        beta1_power=powers[0],
        beta2_power=powers[1],
        lr=step_size,
        beta1=betas[0],
        beta2=betas[1],
        epsilon=tf.constant(optimizer.epsilon, variable.dtype),
        grad=gradient,
    )
