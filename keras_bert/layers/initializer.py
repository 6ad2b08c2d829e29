"""The initializer of the encoder's kernels."""

from __future__ import annotations

from ..backend import TF_KERAS, initializers

if TF_KERAS:

    class GlorotNormal(initializers.GlorotNormal):
        """Keras' GlorotNormal that draws anew at every call.

        The small packages give one initializer object to several kernels, and Keras 2 then fills
        them all with the same values (and warns): query, key and value would start out equal.
        """

        def __call__(self, shape, dtype=None, **kwargs):
            return initializers.GlorotNormal()(shape, dtype, **kwargs)
else:
    GlorotNormal = initializers.GlorotNormal

__all__ = ["GlorotNormal"]
