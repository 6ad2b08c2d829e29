"""Files that keras-bert 0.8x wrote (tests/data/old_files) predict what they predicted there."""

import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import saved_models
from runtimes import KERAS_3, as_list

import keras_bert
from keras_bert import get_custom_objects
from keras_bert.backend import layers, models

OLD_FILES = Path(__file__).parents[1] / "data" / "old_files"

# What the contract promises; measured are 4e-6. In a row of padding alone all scores are lowered by
# 10000, where float32 goes in steps of 0.001.
TOLERANCE, PADDING_TOLERANCE = 1e-5, 1e-3
PADDING_ROW = 4


def old_batch(name):
    with np.load(OLD_FILES / "expected.npz") as numbers:
        names = ["tokens", "segments"] + ["tasks"] * ("task" in name) + ["masked"] * ("nsp" in name)
        inputs = [numbers[f"inputs/{each}"] for each in names]
    return inputs + [each[::-1] for each in inputs] if name == "classifier_twice" else inputs


def old_numbers(name):
    release, key = re.fullmatch(r"(?:old_(0_80|0_84|albert)_)?(.+)", name).groups()
    path = OLD_FILES / (f"expected_{release}.npz" if release else "expected.npz")
    with np.load(path) as numbers:
        return {
            each.removeprefix(f"{key}/"): numbers[each]
            for each in numbers.files
            if each.startswith(f"{key}/")
        }


def check_old(model, name, rows=None, short=False):
    inputs = [each[:, :6] if short and each.shape[1] > 6 else each for each in old_batch(name)]
    expected, part = old_numbers(name), "short_" if short else ""
    outputs = as_list(model.predict(inputs, verbose=0))
    assert f"{part}output_{len(outputs) - 1}" in expected
    for index, output in enumerate(outputs):
        wanted = expected[f"{part}output_{index}"]
        for row in range(len(output)) if rows is None else rows:
            tolerance = PADDING_TOLERANCE if row == PADDING_ROW else TOLERANCE
            np.testing.assert_allclose(output[row], wanted[row], atol=tolerance, equal_nan=True)


def load_old(name, **options):
    with warnings.catch_warnings():
        if name.startswith("old_"):
            # Keras 2.3 wrote GlorotNormal as VarianceScaling, of which tf_keras complains where the
            # small packages use one initializer several times; the values are read from the file.
            warnings.filterwarnings("ignore", "The initializer VarianceScaling is unseeded")
        return models.load_model(
            OLD_FILES / f"{name}.h5", custom_objects=get_custom_objects(), **options
        )


OLD_NAMES = sorted(
    {path.stem for path in OLD_FILES.glob("*.h5")}
    - {"encoder_weights", "classifier_lambda", "old_0_80_encoder"}
    - {"old_albert_encoder", "old_albert_mlm_sop"}
)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", OLD_NAMES)
def test_old_file(name):
    check_old(load_old(name), name)


@pytest.mark.parametrize("name", ["encoder_any_length", "classifier_nested"])
def test_old_file_on_shorter_texts(name):
    check_old(load_old(name), name, short=True)


def test_old_weights():
    model = load_old("encoder_two_outputs", compile=False)
    encoder = models.Model(model.inputs, model.get_layer("Encoder-2-FeedForward-Norm").output)
    encoder.load_weights(OLD_FILES / "encoder_weights.h5")
    check_old(encoder, "encoder")


def test_old_weights_in_a_new_model():
    sizes = {**saved_models.SIZES, "transformer_num": 2, "dropout_rate": 0.1}
    model = models.Model(*keras_bert.get_model(training=False, seq_len=10, **sizes))
    model.load_weights(OLD_FILES / "encoder_weights.h5")
    check_old(model, "encoder")


# 0.80's attention multiplied by the mask after subtracting the largest score of all, masked ones
# too, and added 1e-7 to the sum: a row of padding alone got zeros, and one of a single token lost
# 7e-4.
ROWS_OF_0_80 = [0, 1, 2, 5]


def test_a_file_of_0_80():
    """keras-bert up to 0.82 meant the erf form by "gelu", which the file does not tell."""
    rows = ROWS_OF_0_80
    objects = {**get_custom_objects(), "gelu": keras_bert.activations.gelu_erf}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The initializer VarianceScaling is unseeded")
        path = OLD_FILES / "old_0_80_encoder.h5"
        exact = models.load_model(path, custom_objects=objects)
    check_old(exact, "old_0_80_encoder", rows)
    difference = exact.predict(old_batch("encoder"), verbose=0) - load_old(
        "old_0_80_encoder"
    ).predict(old_batch("encoder"), verbose=0)
    assert 1e-4 < np.abs(difference[rows]).max() < 1e-2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["old_albert_encoder", "old_albert_mlm_sop"])
def test_a_file_of_keras_albert_model(name, tmp_path):
    """With its AdaptiveEmbedding and AdaptiveSoftmax; read, trained by one step, saved and read."""
    model, inputs = load_old(name), old_batch(name)
    check_old(model, name, ROWS_OF_0_80)
    targets = [each[ROWS_OF_0_80] * 0 for each in as_list(model.predict(inputs, verbose=0))]
    inputs = [each[ROWS_OF_0_80] for each in inputs]
    for layer in model.layers:  # which `training=False` froze
        layer.trainable = True
    model.compile("sgd", "mse")
    own = [each for each in model.layers if each.name in ("Embed-Token", "MLM-Sim")]
    before = [each.copy() for layer in own for each in layer.get_weights()]
    model.fit(inputs, targets, epochs=1, verbose=0)
    after = [each for layer in own for each in layer.get_weights()]
    assert all((old != new).any() for old, new in zip(before, after, strict=True))
    outputs = as_list(model.predict(inputs, verbose=0))
    for suffix in (".keras", ".h5"):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "You are saving your model as an HDF5 file")
            warnings.filterwarnings("ignore", "The initializer VarianceScaling is unseeded")
            model.save(tmp_path / f"model{suffix}")
            again = models.load_model(
                tmp_path / f"model{suffix}", get_custom_objects(), compile=False
            )
        for old, new in zip(outputs, as_list(again.predict(inputs, verbose=0)), strict=True):
            np.testing.assert_allclose(new, old, atol=1e-6)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the file holds byte code of 3.11")
@pytest.mark.filterwarnings("ignore:Layer 'First' .* does not support masking:UserWarning")
def test_an_old_file_with_a_lambda():
    if KERAS_3:
        with pytest.raises(ValueError, match="safe_mode=False"):
            load_old("classifier_lambda")
    check_old(
        load_old("classifier_lambda", **{"safe_mode": False} if KERAS_3 else {}),
        "classifier_lambda",
    )


def test_an_old_file_with_a_lambda_replaced():
    """The way round where the byte code cannot be run: a layer in its place."""

    class First(layers.Layer):
        def __init__(self, name, **kwargs):
            super().__init__(name=name)

        def call(self, inputs):
            return inputs[:, 0]

        def compute_mask(self, inputs, mask=None):
            return None

    objects = {**get_custom_objects(), "Lambda": First}
    model = models.load_model(OLD_FILES / "classifier_lambda.h5", custom_objects=objects)
    check_old(model, "classifier_lambda")


@pytest.mark.slow
def test_an_old_file_trains_on():
    model, inputs = load_old("classifier_extract"), old_batch("classifier_extract")
    expected = old_numbers("classifier_extract")
    with np.load(OLD_FILES / "expected.npz") as numbers:
        labels = numbers["inputs/labels"]
    losses = []
    for _ in range(3):
        model.reset_metrics()
        losses.append(model.train_on_batch(inputs, labels)[0])
    # Adam's steps depend on the signs of gradients near zero, so that rounding shows.
    np.testing.assert_allclose(losses, expected["later_losses"], atol=3e-4)
    outputs = model.predict(inputs, verbose=0)
    np.testing.assert_allclose(outputs, expected["later_output_0"], atol=1e-4)


def test_an_old_file_evaluates():
    model, inputs = load_old("mlm_nsp_compiled"), old_batch("mlm_nsp_compiled")
    with np.load(OLD_FILES / "expected.npz") as numbers:
        targets = [inputs[0][..., None], numbers["inputs/labels"][:, None]]
    losses = model.evaluate(inputs, targets, batch_size=len(inputs[0]), verbose=0)
    np.testing.assert_allclose(losses[:3], old_numbers("mlm_nsp_compiled")["loss"], rtol=1e-5)
