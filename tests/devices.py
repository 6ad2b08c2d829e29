"""What the tests need to say differently where an accelerator computes.

Importing this sets the devices up, too early for processes that are to compute together. They
import `runtimes`, which therefore must not import it.
"""

import pytest

from keras_bert.backend import on_accelerator

on_a_cpu = pytest.mark.skipif(on_accelerator(), reason="a CPU's way")


def rounding(on_a_cpu):
    """A tolerance of float32 results; accelerators may multiply with fewer bits (TF32 has 10)."""
    return max(2e-3, on_a_cpu) if on_accelerator() else on_a_cpu
