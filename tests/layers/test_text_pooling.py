"""One vector per text, over the ids that are not 0."""

import numpy as np
import pytest
from layer_checks import MASK_LAYERS, check_layer
from runtimes import RUNTIME, to_numpy
from sentence_folders import pooled

from keras_bert.backend import ops, utils
from keras_bert.layers import TextPooling
from keras_bert.layers.text_pooling import POOLINGS

FEATURES = np.random.RandomState(0).normal(size=(4, 6, 3)).astype("float32")
# Full, padded, with the id 0 in front and in between, one token.
IDS = np.array(
    [[2, 5, 6, 7, 8, 3], [2, 5, 3, 0, 0, 0], [0, 5, 0, 6, 3, 0], [7, 0, 0, 0, 0, 0]], "int32"
)


def by_hand(poolings):
    vectors = []
    for features, ids in zip(FEATURES, IDS, strict=True):
        first = pooled(features, ["cls"])  # whatever its id is
        kept = features[ids != 0]
        vectors.append([first if name == "cls" else pooled(kept, [name]) for name in poolings])
    return np.concatenate(np.swapaxes(vectors, 0, 1), axis=-1)


@pytest.mark.parametrize(
    "poolings", [*[[name] for name in POOLINGS], ["mean", "cls", "max", "mean"]]
)
def test_vectors(poolings, tmp_path):
    with utils.custom_object_scope({"TextPooling": TextPooling, **MASK_LAYERS}):
        check_layer(
            TextPooling,
            {"poolings": poolings},
            [FEATURES, IDS],
            masks=[IDS != 0, None],
            outputs=[by_hand(poolings)],
            output_masks=[None],
            any_length=False,  # the shape of a shorter text's vector is the same
            tmp_path=tmp_path,
        )


def test_ids_are_not_rounded():
    """As they would be if they were cast to 16 bits, in which 2⁻³⁰ and more vanish."""
    layer = TextPooling(["mean"], dtype="float32")
    features = ops.convert_to_tensor(np.ones((1, 2, 3), "float32"))
    assert to_numpy(layer([features, ops.convert_to_tensor([[1, 30521]])])).tolist() == [[1.0] * 3]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_long_texts_in_16_bits(dtype):
    """Which count to 256 or, for Σ i, to 65504 only."""
    features = np.random.RandomState(1).normal(size=(2, 450, 3)).astype("float32")
    ids = np.ones((2, 450), "int32")
    ids[1, 400:] = 0
    rounded = ops.cast(ops.convert_to_tensor(features), dtype)
    layer = TextPooling(list(POOLINGS), dtype=dtype)
    found = to_numpy(ops.cast(layer([rounded, ops.convert_to_tensor(ids)]), "float32"))
    exact = to_numpy(ops.cast(rounded, "float32"))
    kept = [exact[0], exact[1, :400]]
    want = np.array([np.concatenate([pooled(x, [each]) for each in POOLINGS]) for x in kept])
    np.testing.assert_allclose(found, want, rtol=2**-7, atol=1e-5)


@pytest.mark.skipif(RUNTIME == "jax", reason="JAX has float64 on request only")
def test_float64():
    features = np.random.RandomState(1).normal(size=(1, 1500, 3))
    layer = TextPooling(list(POOLINGS), dtype="float64")
    ids = ops.convert_to_tensor(np.ones((1, 1500), "int32"))
    found = to_numpy(layer([ops.convert_to_tensor(features, dtype="float64"), ids]))
    want = np.concatenate([pooled(features[0], [each]) for each in POOLINGS])
    np.testing.assert_allclose(found[0], want, rtol=1e-10, atol=1e-14)


def test_a_row_of_padding_is_no_division_by_zero():
    layer = TextPooling(["mean", "mean_sqrt_len", "weightedmean", "lasttoken"])
    found = to_numpy(
        layer(
            [ops.convert_to_tensor(np.ones((1, 2, 3), "float32")), ops.convert_to_tensor([[0, 0]])]
        )
    )
    assert found.tolist() == [[0.0] * 12]


@pytest.mark.parametrize("poolings", ["sum", [], ["mean", "POOL_AVE"]])
def test_unknown_poolings(poolings):
    with pytest.raises(ValueError, match="must be one of cls, max, mean, mean_sqrt_len"):
        TextPooling(poolings)
