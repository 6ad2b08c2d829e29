"""First values of weights, and how to go without where a checkpoint is about to overwrite them."""

import contextlib
import contextvars

from ..backend import initial_zeros, initializers, naming_weights, ops

_OVERWRITTEN = contextvars.ContextVar("overwritten", default=False)


class GlorotNormal(initializers.GlorotNormal):
    """Keras' GlorotNormal that draws anew at every call, or not at all (see `overwritten`).

    One initializer object serves several kernels of a layer. Keras 2 would fill them all with the
    same values (and warn): query, key and value would start out equal.
    """

    def __call__(self, shape, dtype=None, **kwargs):
        if _OVERWRITTEN.get():
            return _zeros(shape, dtype)
        return initializers.GlorotNormal()(shape, dtype, **kwargs)


def keras_own(initializer):
    """What a file is to say of an initializer: Keras' own, in place of this module's."""
    is_ours = isinstance(initializer, GlorotNormal)
    return initializers.GlorotNormal() if is_ours else initializer


@contextlib.contextmanager
def overwritten():
    """While it lasts weights are made as zeros, because a checkpoint is about to overwrite them."""
    token = _OVERWRITTEN.set(True)
    try:
        yield
    finally:
        _OVERWRITTEN.reset(token)


def build_embedding(layer, input_shape, initializer=None) -> None:
    """Build an embedding with first values that its configuration does not tell.

    An initializer, of shape and dtype, gives them. Without one they are zeros where they are to be
    overwritten; elsewhere the layer is left to build itself.
    """
    if initializer is None and not _OVERWRITTEN.get():
        return
    saved = layer.embeddings_initializer
    layer.embeddings_initializer = _zeros if initializer is None else _with_type(initializer)
    try:
        with naming_weights(layer):
            layer.build(input_shape)
    finally:
        layer.embeddings_initializer = saved


def _with_type(initializer):
    """An initializer whose values have the type that is asked for, which JAX takes as it comes."""
    return lambda shape, dtype=None: ops.convert_to_tensor(initializer(shape, dtype), dtype)


def _zeros(shape, dtype=None, **kwargs):
    return initial_zeros(shape, dtype)
