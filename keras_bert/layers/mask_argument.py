"""Keeping masks out of a model's graph."""

from __future__ import annotations

import inspect

from ..backend import TF_KERAS
from .direct_call import DirectCall


class MaskArgument(DirectCall):
    """Mixin for layers whose `call` takes a `mask`.

    Keras finds the mask on the input at every call. Where `mask` is not passed, Keras 3 also writes
    the mask it found into the functional graph, as an operation such as `NotEqual`, which `.h5`
    files cannot hold. An explicit `mask=None` prevents that and changes nothing else. (To Keras 2
    it would mean that there is no mask; its graphs hold none anyway.)
    """

    if not TF_KERAS:

        def __init_subclass__(cls, **kwargs):
            super().__init_subclass__(**kwargs)
            cls._takes_mask = "mask" in inspect.signature(cls.call).parameters

        def __call__(self, inputs, mask=None, **kwargs):
            if mask is not None or self._takes_mask:
                kwargs["mask"] = mask
            return super().__call__(inputs, **kwargs)
