import gc
import weakref

import numpy as np
import pytest
from devices import rounding
from numpy_bert import MASKED, SEGMENTS, TOKENS, NumpyBert, tiny_model
from runtimes import KERAS_3, RUNTIME, dtype_policy

from keras_bert import get_attention_maps
from keras_bert.backend import layers, models
from keras_bert.extraction import attention_maps

TOLERANCE = rounding(1e-5)


def check(maps, model, tokens=TOKENS, segments=SEGMENTS, tasks=None, atol=TOLERANCE):
    reference = NumpyBert(model)
    reference.encode(tokens, segments, tasks)
    assert len(maps) == len(reference.maps)
    for found, expected in zip(maps, reference.maps, strict=True):
        assert found.dtype == "float32"
        assert found.shape == expected.shape == (len(tokens), 2, *(2 * [tokens.shape[1]]))
        padding = ~(tokens != 0).any(axis=1)
        np.testing.assert_allclose(found[~padding], expected[~padding], atol=atol)
        # Float32 has steps of 0.001 at -10000.
        np.testing.assert_allclose(found[padding], expected[padding], atol=1e-3 + atol)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("batch_size", [32, 2])
def test_encoder(batch_size):
    model = tiny_model(training=False)
    check(get_attention_maps(model, [TOKENS, SEGMENTS], batch_size=batch_size), model)


def test_any_length():
    model = tiny_model(training=False, seq_len=None)
    tokens, segments = TOKENS[:2, :4], SEGMENTS[:2, :4]
    check(get_attention_maps(model, [tokens, segments]), model, tokens, segments)


def test_pretraining_model_with_tasks():
    model = tiny_model(use_task_embed=True, task_num=4)
    tasks = np.array([[0], [1], [2], [3], [1]], "int32")
    check(get_attention_maps(model, [TOKENS, SEGMENTS, tasks, MASKED]), model, tasks=tasks)


def test_dict_of_inputs_and_float_ids():
    model = tiny_model(training=False)
    inputs = {"Input-Token": TOKENS.astype("float32"), "Input-Segment": SEGMENTS}
    check(get_attention_maps(model, inputs), model)


def test_classifier_on_the_same_graph():
    encoder = tiny_model(training=False)
    output = layers.Dense(2)(layers.GlobalAveragePooling1D()(encoder.output))
    model = models.Model(encoder.inputs, output)
    check(get_attention_maps(model, [TOKENS, SEGMENTS]), encoder)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("batch_size", [32, 2])
@pytest.mark.parametrize("count", [1, 3])
def test_output_len(count, batch_size):
    """The last layer attends from the first tokens; padding need not have been computed."""
    model = tiny_model(training=False, output_len=count)
    maps = get_attention_maps(model, [TOKENS, SEGMENTS], batch_size=batch_size)
    reference = NumpyBert(model)
    reference.encode(TOKENS, SEGMENTS)
    needed = TOKENS != 0
    needed[:, :count] = True
    last = len(maps) - 1
    for index, (found, expected) in enumerate(zip(maps, reference.maps, strict=True)):
        positions = count if index == last else TOKENS.shape[1]
        assert found.shape == (*expected.shape[:2], positions, TOKENS.shape[1])
        for row, kept in enumerate(needed[:, :positions]):
            atol = 1e-5 if TOKENS[row].any() else 1e-3
            np.testing.assert_allclose(
                found[row][:, kept], expected[row, :, :positions][:, kept], atol=atol
            )


def test_what_computes_them_is_made_once(monkeypatch):
    """And follows the weights, and goes with the model."""
    made = []

    def counted(model, make=attention_maps._make_map_model):
        made.append(make(model))
        return made[-1]

    monkeypatch.setattr(attention_maps, "_make_map_model", counted)
    model = tiny_model(training=False)
    for _ in range(2):
        check(get_attention_maps(model, [TOKENS, SEGMENTS]), model)
        model.set_weights([each * 0.5 for each in model.get_weights()])
    assert len(made) == 1
    gone = weakref.ref(model)
    del model, made[:]
    gc.collect()
    assert gone() is None


@pytest.mark.slow
def test_nested_model():
    encoder = tiny_model(training=False)
    inputs = [layers.Input(shape=(9,), dtype="int32") for _ in range(2)]
    outer = models.Model(inputs, encoder(inputs))
    with pytest.raises(ValueError, match=r"get_attention_maps\(model.get_layer\(name\), inputs\)"):
        get_attention_maps(outer, [TOKENS, SEGMENTS])
    check(get_attention_maps(encoder, [TOKENS, SEGMENTS]), encoder)


@pytest.mark.sampled(1)
@pytest.mark.skipif(not KERAS_3, reason="policies are for Keras 3")
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
def test_policies(policy):
    if RUNTIME == "jax" and policy == "float64":
        pytest.skip("JAX has float64 on request only")
    with dtype_policy(policy):
        model = tiny_model(training=False)
    maps = get_attention_maps(model, [TOKENS[:4], SEGMENTS[:4]])
    atol = 0.1 if policy == "mixed_bfloat16" else 1e-5
    check(maps, model, TOKENS[:4], SEGMENTS[:4], atol=atol)
