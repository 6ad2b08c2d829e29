"""keras-adaptive-softmax's layers, against products by hand, and what they refuse."""

import numpy as np
import pytest
from layer_checks import check_layer
from numpy_functions import softmax
from runtimes import as_list, to_numpy

from keras_bert.backend import ops
from keras_bert.layers.adaptive import AdaptiveEmbedding, AdaptiveSoftmax

V, E, D = 9, 3, 4
RANDOM = np.random.RandomState(6)
TABLE, WIDE_TABLE, PROJECTION, SQUARE, FEATURES = (
    RANDOM.normal(size=shape).astype("float32")
    for shape in [(V, E), (V, D), (E, D), (D, D), (2, 5, D)]
)
BIAS = np.arange(V, dtype="float32") / 10
IDS = np.array([[1, 8, 0, 3, 3], [2, 0, 0, 0, 0]], "int32")


@pytest.mark.parametrize(
    ("options", "weights", "outputs"),
    [
        ({"embed_dim": E}, [TABLE, PROJECTION], [TABLE[IDS] @ PROJECTION]),
        ({}, [WIDE_TABLE], [WIDE_TABLE[IDS]]),
        ({"force_projection": True}, [WIDE_TABLE, SQUARE], [WIDE_TABLE[IDS] @ SQUARE]),
        (
            {"embed_dim": E, "return_embeddings": True, "return_projections": True},
            [TABLE, PROJECTION],
            [TABLE[IDS] @ PROJECTION, TABLE, PROJECTION],
        ),
        (
            {"return_embeddings": True, "return_projections": True},
            [WIDE_TABLE],
            [WIDE_TABLE[IDS], WIDE_TABLE],
        ),
    ],
    ids=["projected", "one size", "forced", "both factors", "no projection"],
)
def test_embedding(options, weights, outputs):
    layer = AdaptiveEmbedding(V, D, mask_zero=True, **options)
    ids = ops.convert_to_tensor(IDS)
    layer(ids)
    layer.set_weights(weights)
    for found, wanted in zip(as_list(layer(ids)), outputs, strict=True):
        np.testing.assert_allclose(to_numpy(found), wanted, atol=1e-6)
    mask, *others = as_list(layer.compute_mask(ids))
    np.testing.assert_array_equal(to_numpy(mask), IDS != 0)
    assert others == [None] * (len(outputs) - 1)


@pytest.mark.parametrize(
    ("options", "shared", "weights", "logits"),
    [
        (
            {"embed_dim": E, "bind_embeddings": [True], "bind_projections": [True]},
            [TABLE, PROJECTION],
            [BIAS],
            FEATURES @ PROJECTION.T @ TABLE.T + BIAS,
        ),
        (
            {"embed_dim": E, "bind_embeddings": True, "use_bias": False},
            [TABLE],
            [PROJECTION],
            FEATURES @ PROJECTION.T @ TABLE.T,
        ),
        ({}, [], [WIDE_TABLE, BIAS], FEATURES @ WIDE_TABLE.T + BIAS),
        (
            {"force_projection": True},
            [],
            [WIDE_TABLE, SQUARE, BIAS],
            FEATURES @ SQUARE.T @ WIDE_TABLE.T + BIAS,
        ),
    ],
    ids=["both bound", "table bound", "own, one size", "own, forced"],
)
def test_softmax(options, shared, weights, logits):
    layer = AdaptiveSoftmax(D, V, **options)
    inputs = [ops.convert_to_tensor(each) for each in [FEATURES, *shared]]
    layer(inputs)
    layer.set_weights(weights)
    np.testing.assert_allclose(to_numpy(layer(inputs)), softmax(logits), atol=1e-6)


def test_embedding_in_models_and_files(tmp_path):
    arguments = {"input_dim": V, "output_dim": D, "embed_dim": E, "mask_zero": True}
    factors = {"return_embeddings": True, "return_projections": True}
    check_layer(
        AdaptiveEmbedding,
        {**arguments, **factors},
        IDS,
        weights=[TABLE, PROJECTION],
        outputs=[TABLE[IDS] @ PROJECTION, TABLE, PROJECTION],
        output_masks=[IDS != 0, None, None],
        output_dtypes=["compute"] * 3,
        tmp_path=tmp_path,
    )


def test_softmax_in_models_and_files(tmp_path):
    check_layer(
        AdaptiveSoftmax,
        {"input_dim": D, "output_dim": V, "embed_dim": E, "bind_embeddings": True},
        [FEATURES, TABLE],
        [IDS != 0, None],
        weights=[PROJECTION, BIAS],
        outputs=[softmax(FEATURES @ PROJECTION.T @ TABLE.T + BIAS)],
        output_masks=[IDS != 0],
        fixed_inputs=[1],
        output_dtypes=["variable"],
        tmp_path=tmp_path,
    )


@pytest.mark.parametrize("layer_class", [AdaptiveEmbedding, AdaptiveSoftmax])
@pytest.mark.parametrize("options", [{"cutoffs": [2, 5]}, {"div_val": 2}])
def test_a_divided_vocabulary_is_refused(layer_class, options):
    with pytest.raises(ValueError, match=r"`cutoffs` must be None and `div_val` 1.*Received"):
        layer_class(V, V, **options)


def test_ids_outside_the_table_are_refused():
    layer = AdaptiveEmbedding(V, D, name="tokens")
    with pytest.raises(ValueError, match=r"'tokens' has 9 rows.*Received ids from 0 to 9"):
        layer(ops.convert_to_tensor(np.array([[0, V]], "int32")))


@pytest.mark.parametrize("given", [[FEATURES, TABLE], [FEATURES], FEATURES])
def test_shared_factors_that_are_missing_are_refused(given):
    layer = AdaptiveSoftmax(D, V, E, bind_embeddings=True, bind_projections=True, name="sim")
    given = [ops.convert_to_tensor(each) for each in given] if isinstance(given, list) else given
    with pytest.raises(ValueError, match=r"'sim' takes a list .* first 3. Received"):
        layer(given)
