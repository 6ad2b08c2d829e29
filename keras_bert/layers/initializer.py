"""The initializer of the encoder's kernels."""

from __future__ import annotations

import contextlib
import contextvars

from ..backend import initializers, ops

_OVERWRITTEN = contextvars.ContextVar("overwritten", default=False)


class GlorotNormal(initializers.GlorotNormal):
    """Keras' GlorotNormal that draws anew at every call, or not at all (see `overwritten`).

    One initializer object serves several kernels of a layer. Keras 2 would fill them all with the
    same values (and warn): query, key and value would start out equal.
    """

    def __call__(self, shape, dtype=None, **kwargs):
        if _OVERWRITTEN.get():
            return ops.zeros(shape, dtype)
        return initializers.GlorotNormal()(shape, dtype, **kwargs)


@contextlib.contextmanager
def overwritten():
    """While it lasts kernels are made as zeros, because a checkpoint is about to overwrite them."""
    token = _OVERWRITTEN.set(True)
    try:
        yield
    finally:
        _OVERWRITTEN.reset(token)
