"""AdamWarmup's update by TensorFlow's fused kernel, which walks through weight and moments once."""

import tensorflow as tf

from .. import plain


class FusedUpdate(plain.FusedUpdate):
    """Mixin for AdamWarmup."""

    def _dense_gradient(self, gradient):
        # This adds up the entries of repeated rows.
        if isinstance(gradient, tf.IndexedSlices):
            return tf.convert_to_tensor(gradient)
        return gradient

    def _is_fused(self, dtype: str) -> bool:
        # The kernel knows no amsgrad and rounds in 16 bits.
        return not self.amsgrad and dtype in ("float32", "float64")

    def _fused_update(self, variable, gradient, index, step_size) -> None:
        first, second = map(_as_resource, (self._momentums[index], self._velocities[index]))
        if decay := self._decay(index):
            variable.assign(variable * (1 - step_size * decay))
        betas = tf.constant([self.beta_1, self.beta_2], variable.dtype)
        # Powers of 0 turn off the kernel's correction of the moments' bias: the step size has it.
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
            epsilon=tf.constant(self.epsilon, variable.dtype),
            grad=gradient,
        )

    def _outside_graphs(self):
        return tf.init_scope()


def _as_resource(variable):
    """TensorFlow's own variable, which Keras 3 wraps."""
    return variable if isinstance(variable, tf.Variable) else variable.value
