"""Old import path of the tanh form, which keras-bert 0.6x to 0.80 used without TensorFlow."""

from . import gelu_tanh as gelu

__all__ = ["gelu"]
