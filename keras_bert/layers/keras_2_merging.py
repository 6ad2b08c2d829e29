"""Layers that merge tensors as Keras 2 does, for its files; masks count in another way on Keras 3.

There, values at masked positions are replaced in products and extremes, the mask of a
concatenation is true where any part is, and one input without a mask ends all masks elsewhere.
"""

from functools import reduce

from ..backend import layers, ops, serializable


def merged_mask(masks):
    """The mask of Keras 2: false where any input masks; inputs without a mask have no say."""
    masks = [each for each in masks or [] if each is not None]
    if not masks:
        return None
    merged = masks[0]
    for each in masks[1:]:
        if each is not merged:
            merged = ops.logical_and(merged, each)
    return merged


class _Merging:
    """Mixin for layers of several tensors of one shape."""

    def compute_mask(self, inputs, mask=None):
        return merged_mask(mask)


@serializable
class Keras2Subtract(_Merging, layers.Subtract):
    """The first tensor minus the second."""


@serializable
class Keras2Average(_Merging, layers.Average):
    """The mean of the tensors."""


@serializable
class Keras2Multiply(_Merging, layers.Multiply):
    """The product of the tensors, at masked positions as well."""

    def _merge_function(self, inputs):
        return reduce(ops.multiply, inputs)


@serializable
class Keras2Maximum(_Merging, layers.Maximum):
    """The greatest of the tensors' elements, at masked positions as well."""

    def _merge_function(self, inputs):
        return reduce(ops.maximum, inputs)


@serializable
class Keras2Minimum(_Merging, layers.Minimum):
    """The least of the tensors' elements, at masked positions as well."""

    def _merge_function(self, inputs):
        return reduce(ops.minimum, inputs)


@serializable
class Keras2Concatenate(layers.Concatenate):
    """The tensors side by side along an axis."""

    def compute_mask(self, inputs, mask=None):
        rank = len(inputs[0].shape)
        axis = self.axis % rank
        if axis == rank - 1:
            return merged_mask(mask)
        given = next((each for each in mask or [] if each is not None), None)
        if given is None:
            return None
        masks = [
            ops.repeat(ops.ones_like(given[:, :1]), each.shape[1], axis=1) if own is None else own
            for each, own in zip(inputs, mask, strict=True)
        ]
        # Not `concatenate`, whose operation would have the name that the layer may have.
        return reduce(lambda before, each: ops.append(before, each, axis=axis), masks)


MERGING = {
    each.__name__.removeprefix("Keras2"): each
    for each in (
        *(Keras2Subtract, Keras2Average, Keras2Multiply, Keras2Maximum, Keras2Minimum),
        Keras2Concatenate,
    )
}
