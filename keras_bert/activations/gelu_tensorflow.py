"""Old import path of the exact form, which keras-bert 0.6x to 0.80 used on TensorFlow."""

from . import gelu_erf as gelu

__all__ = ["gelu"]
