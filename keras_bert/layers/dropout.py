"""Dropout: Keras' layer, but for the random numbers on PyTorch's CPU."""

from __future__ import annotations

from ..backend import ENGINE, TF_KERAS, layers, serializable, traced
from .direct_call import DirectCall

if TF_KERAS:
    Dropout = layers.Dropout
else:

    @serializable
    class Dropout(DirectCall, layers.Dropout):
        """Keras' Dropout, a quarter of the time on a CPU with PyTorch.

        PyTorch draws a number of 32 bits for every feature and rounds it to 0 or 1 by itself. Here
        16 bits decide, as the global generator gives them, so that `keras.utils.set_random_seed`
        and `torch.manual_seed` fix them. The rate is met to 1 in 65,536, and what is kept is scaled
        by the rate met. With `seed` or `noise_shape`, where PyTorch compiles or transforms
        functions, and on other runtimes, it is Keras' layer throughout.

        Args:
            rate: Share of the features to drop in training, in [0, 1].
            **kwargs: Further arguments of `keras.layers.Dropout`.

        Call args:
            inputs: Tensor of any shape.
            training: Whether to drop anything.

        Returns:
            Tensor of the same shape.
        """

        if ENGINE == "torch":

            def call(self, inputs, training=False):
                dropped = round(float(self.rate) * _NUMBERS)
                if (
                    not training
                    or not 0 < dropped < _NUMBERS
                    or self.seed is not None
                    or self.noise_shape is not None
                    or inputs.device.type != "cpu"
                    or traced(inputs)
                ):
                    return super().call(inputs, training=training)
                return inputs * _kept(inputs, dropped)


_NUMBERS = 2**16


def _kept(features, dropped):
    """0 where to drop, elsewhere what to multiply by, in the shape and type of `features`."""
    import torch

    count = features.numel()
    drawn = features.new_empty((count + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    numbers = drawn.view(torch.int16)[:count].view(features.shape)
    kept = features.new_empty(features.shape)
    torch.ge(numbers, dropped - _NUMBERS // 2, out=kept)
    return kept.mul_(_NUMBERS / (_NUMBERS - dropped))
