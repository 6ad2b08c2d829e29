import numpy as np
import pytest
from layer_checks import GiveMask, check_layer
from runtimes import ON_TENSORFLOW, RUNTIME, dtype_name, dtype_policy, gradients, to_numpy
from tag_sequences import all_masks, best_sequence, log_probability

from keras_bert import get_custom_objects
from keras_bert.backend import constraints, keras, layers, models, ops, regularizers
from keras_bert.layers import CRF

on_tensorflow = pytest.mark.skipif(not ON_TENSORFLOW, reason="XLA as an option is TensorFlow's")
UNITS, SIZE = 3, 4
RANDOM = np.random.RandomState(7)
SHAPES = [(SIZE, UNITS), (UNITS, UNITS), (UNITS,), (UNITS,), (UNITS,)]
WEIGHTS = [RANDOM.normal(size=shape).astype("float32") for shape in SHAPES]
MASKS = all_masks(5)
FEATURES = RANDOM.normal(size=(*MASKS.shape, SIZE)).astype("float32")
TAGS = RANDOM.randint(0, UNITS, size=MASKS.shape)


def sequence_of(row, weights):
    """Scores and transitions of an example's unmasked positions: energies are to be low."""
    kernel, chain_kernel, bias, left_boundary, right_boundary = weights
    energies = FEATURES[row][MASKS[row]] @ kernel + bias
    energies[:1] += left_boundary
    energies[-1:] += right_boundary
    return -energies, -chain_kernel


def expected_losses(weights=WEIGHTS):
    """The mean over the positions, as keras_contrib has it; 0 where there are none."""
    return np.array(
        [
            -log_probability(*sequence_of(row, weights), TAGS[row][mask]) / max(1, mask.sum())
            for row, mask in enumerate(MASKS)
        ]
    )


def tagger(**options):
    """A model of features and mask ids, and its CRF layer."""
    features = layers.Input((None, SIZE))
    mask_ids = layers.Input((None,), dtype="int32")
    crf = CRF(UNITS, **options)
    model = models.Model([features, mask_ids], crf(GiveMask()([features, mask_ids])))
    return model, crf


INPUTS = [FEATURES, MASKS.astype("int32")]


def evaluated(model, labels, **options):
    return model.evaluate(INPUTS, labels, batch_size=32, verbose=0, return_dict=True, **options)


@pytest.fixture(scope="module")
def known():
    """A model with the weights above, its layer and its output."""
    model, crf = tagger()
    crf.set_weights(WEIGHTS)
    return model, crf, model.predict(INPUTS, batch_size=32, verbose=0)


@pytest.mark.slow
def test_as_every_layer(tmp_path):
    check_layer(
        CRF,
        {"units": UNITS},
        FEATURES[-8:],
        [MASKS[-8:]],
        weights=WEIGHTS,
        output_dtypes=["variable"],
        unreached_weights=["chain_kernel"],  # which the loss reads itself
        tmp_path=tmp_path,
    )


@pytest.mark.slow
def test_without_bias_boundaries_and_mask(tmp_path):
    check_layer(
        CRF,
        {"units": UNITS, "use_bias": False, "use_boundary": False, "activation": "tanh"},
        FEATURES[:8],
        weights=WEIGHTS[:2],
        output_dtypes=["variable"],
        unreached_weights=["chain_kernel"],
        tmp_path=tmp_path,
    )


def test_the_output_names_the_best_of_all_sequences(known):
    _, _, output = known
    for row, mask in enumerate(MASKS):
        best = best_sequence(*sequence_of(row, WEIGHTS))
        assert output[row][mask].argmax(-1).tolist() == best
        assert not output[row][~mask].any()


def test_the_output_holds_the_scores(known):
    _, _, output = known
    assert ((output > 0).sum(axis=-1) == MASKS).all()
    held = np.where(output > 0, 1 - output, output)
    for row, mask in enumerate(MASKS):
        scores, _ = sequence_of(row, WEIGHTS)
        lowered = scores - scores.max(axis=-1, keepdims=True)
        np.testing.assert_allclose(held[row][mask], lowered, atol=1e-5)


def test_the_loss_is_that_of_all_sequences(known):
    _, crf, output = known
    for labels in (TAGS, TAGS[..., None], np.eye(UNITS, dtype="float32")[TAGS]):
        found = to_numpy(crf.loss(labels, ops.convert_to_tensor(output)))
        np.testing.assert_allclose(found, expected_losses(), atol=1e-5)


def test_labels_of_masked_positions_may_be_anything(known):
    _, crf, output = known
    labels = np.where(MASKS, TAGS, -100)
    found = to_numpy(crf.loss(labels, ops.convert_to_tensor(output)))
    np.testing.assert_allclose(found, expected_losses(), atol=1e-5)


class LossOf(layers.Layer):
    """A loss as a layer, so that gradients are taken through a model."""

    def __init__(self, loss):
        super().__init__()
        self.of = loss

    def call(self, inputs):
        return self.of(inputs[1], inputs[0])

    def compute_output_shape(self, input_shape):
        return input_shape[0][:1]


def test_gradients_are_those_of_all_sequences():
    model, crf = tagger()
    labels = layers.Input((None,), dtype="int32")
    model = models.Model([*model.inputs, labels], LossOf(crf.loss)([model.output, labels]))
    crf.set_weights(WEIGHTS)
    arrays = [ops.convert_to_tensor(each) for each in (*INPUTS, TAGS.astype("int32"))]
    found = gradients(model, arrays, [np.ones(len(MASKS), "float32")])
    step = 1e-5
    for place, gradient in enumerate(found):
        expected = np.zeros(gradient.shape)
        for index in np.ndindex(gradient.shape):
            sums = []
            for change in (step, -step):
                weights = [each.astype("float64") for each in WEIGHTS]
                weights[place][index] += change
                sums.append(expected_losses(weights).sum())
            expected[index] = (sums[0] - sums[1]) / (2 * step)
        np.testing.assert_allclose(gradient, expected, atol=1e-4, err_msg=SHAPES[place])


@pytest.mark.sampled(1)
@pytest.mark.parametrize("labels", [TAGS, TAGS[..., None], np.eye(UNITS)[TAGS]])
def test_evaluate_tells_the_mean_loss_and_the_share_of_right_tags(known, labels):
    model, crf, output = known
    model.compile("sgd", loss=crf.loss, metrics=[crf.accuracy])
    found = evaluated(model, labels)
    assert found["loss"] == pytest.approx(expected_losses().mean(), abs=1e-5)
    share = (output.argmax(-1) == TAGS)[MASKS].mean()
    assert found["crf_viterbi_accuracy"] == pytest.approx(share, abs=1e-6)


def test_examples_have_weights(known):
    model, crf, _ = known
    model.compile("sgd", loss=crf.loss)
    weights = np.arange(32.0)
    found = evaluated(model, TAGS, sample_weight=weights)["loss"]
    assert found == pytest.approx((weights * expected_losses()).mean(), rel=1e-5)


@pytest.mark.slow
@pytest.mark.every_runtime
@pytest.mark.skipif(RUNTIME == "tensorflow", reason="there Keras 3 itself has to know the rank")
def test_labels_of_all_shapes_one_after_the_other(known):
    """After which Keras 2 traces the loss for labels of any rank."""
    model, crf, _ = known
    model.compile("sgd", loss=crf.loss)
    for labels in (TAGS, TAGS[..., None], np.eye(UNITS)[TAGS]):
        found = evaluated(model, labels)["loss"]
        assert found == pytest.approx(expected_losses().mean(), abs=1e-5)


@pytest.mark.slow
@pytest.mark.every_runtime
@pytest.mark.parametrize("one_hot", [False, True])
def test_labels_from_a_sequence_of_batches_of_several_lengths(known, one_hot):
    """Whose sizes Keras on TensorFlow does not know when it traces the loss."""

    class Batches(keras.utils.Sequence):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            rows, length = slice(8 * index, 8 * index + 8), 5 - index % 2
            labels = np.eye(UNITS)[TAGS] if one_hot else TAGS[..., None]
            return tuple(each[rows, :length] for each in INPUTS), labels[rows, :length]

    model, crf, _ = known
    model.compile("sgd", loss=crf.loss, metrics=[crf.accuracy])
    batches = Batches()
    found = model.evaluate(batches, verbose=0, return_dict=True)["loss"]
    losses = []
    for index in range(4):
        inputs, labels = batches[index]
        losses.append(to_numpy(crf.loss(labels, model.predict_on_batch(list(inputs)))))
    assert found == pytest.approx(np.mean(losses), abs=1e-5)


@pytest.mark.slow
@pytest.mark.every_runtime
@pytest.mark.parametrize("run", ["plain", pytest.param("XLA", marks=on_tensorflow)])
def test_what_only_transitions_tell_is_learnt(run):
    """Tags alternate, and only the first position shows where they begin."""
    tags = (np.arange(6) + np.arange(8)[:, None]) % 2
    features = np.zeros((8, 6, 2), "float32")
    features[range(8), 0, tags[:, 0]] = 1.0
    scores = {}
    for name in ("crf", "softmax"):
        inputs = layers.Input((None, 2))
        crf = CRF(2)
        head = crf if name == "crf" else layers.Dense(2, "softmax")
        model = models.Model(inputs, head(inputs))
        model.compile(
            keras.optimizers.Adam(0.1),
            loss=crf.loss if name == "crf" else "sparse_categorical_crossentropy",
            **(
                {"jit_compile": True} if "XLA" in run and keras.backend.backend() != "torch" else {}
            ),
        )
        losses = model.fit(features, tags, epochs=60, verbose=0).history["loss"]
        assert losses[-1] < losses[0]
        scores[name] = (model.predict(features, verbose=0).argmax(-1) == tags).mean()
    assert scores["crf"] == 1.0
    assert scores["softmax"] < 0.7  # the first position, and half of the others


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_compiled_models_are_saved(known, tmp_path, suffix):
    model, crf, output = known
    model.compile("sgd", loss=crf.loss, metrics=[crf.accuracy])
    evaluated(model, TAGS)
    path = tmp_path / f"model{suffix}"
    model.save(path)
    objects = {**get_custom_objects(), "GiveMask": GiveMask}
    for compiled in (False, True):
        again = models.load_model(path, custom_objects=objects, compile=compiled)
        np.testing.assert_array_equal(again.predict(INPUTS, batch_size=32, verbose=0), output)
    with pytest.raises(Exception, match=r"Compile the loaded model again: crf = model\.get_layer"):
        again.evaluate(INPUTS, TAGS, verbose=0)
    crf = again.layers[-1]
    again.compile("sgd", loss=crf.loss, metrics=[crf.accuracy])
    found = again.evaluate(INPUTS, TAGS, batch_size=32, verbose=0)[0]
    assert found == pytest.approx(expected_losses().mean(), abs=1e-5)


def test_options_reach_their_weights_and_the_configuration():
    factors = {"kernel": 0.1, "chain": 0.2, "bias": 0.3, "boundary": 0.4}
    norms = {kind: constraints.MaxNorm(10 * factor) for kind, factor in factors.items()}
    crf = CRF(
        UNITS,
        **{f"{kind}_regularizer": regularizers.L2(factor) for kind, factor in factors.items()},
        **{f"{kind}_constraint": norm for kind, norm in norms.items()},
    )
    for layer in (crf, CRF.from_config(crf.get_config())):
        layer.build((None, None, SIZE))
        kinds = ["kernel", "chain", "bias", "boundary", "boundary"]
        assert len(layer.weights) == len(kinds)
        for weight, kind in zip(layer.weights, kinds, strict=True):
            assert weight.constraint.max_value == 10 * factors[kind]
        layer.set_weights([np.ones_like(each) for each in layer.get_weights()])
        sizes = {"kernel": SIZE * UNITS, "chain": UNITS**2, "bias": UNITS, "boundary": UNITS}
        penalties = [factors[kind] * sizes[kind] for kind in kinds]
        found = sorted(float(to_numpy(each)) for each in layer.losses)
        assert found == pytest.approx(sorted(penalties), rel=1e-6)


def test_files_need_no_custom_objects_and_leave_the_name_to_others(known, tmp_path):
    """Programs add our custom objects to theirs, and many have a CRF of their own."""
    inputs = layers.Input((None, SIZE))
    model = models.Model(inputs, CRF(UNITS)(inputs))
    model.save(tmp_path / "model.h5")
    again = models.load_model(tmp_path / "model.h5")
    np.testing.assert_array_equal(
        again.predict(FEATURES, verbose=0), model.predict(FEATURES, verbose=0)
    )
    assert "CRF" not in get_custom_objects()


def test_configurations_of_keras_contrib_are_read(known):
    """As version 2.0.8 wrote it to .h5 files with Keras 2.2, except for the name."""
    uniform = {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None}
    kinds = ("kernel", "chain", "boundary", "bias")
    config = {
        **{"name": "old", "trainable": True, "units": UNITS, "learn_mode": "join"},
        **{"test_mode": "viterbi", "use_boundary": True, "use_bias": True, "sparse_target": True},
        "kernel_initializer": {"class_name": "VarianceScaling", "config": uniform},
        "chain_initializer": {"class_name": "Orthogonal", "config": {"gain": 1.0, "seed": None}},
        "boundary_initializer": {"class_name": "Zeros", "config": {}},
        "bias_initializer": {"class_name": "Zeros", "config": {}},
        "activation": "linear",
        **{f"{kind}_regularizer": None for kind in kinds},
        **{f"{kind}_constraint": None for kind in kinds},
        **{"input_dim": SIZE, "unroll": False},
    }
    crf = CRF.from_config(config)
    assert crf.get_config().items() >= {k: v for k, v in config.items() if "init" not in k}.items()
    crf.build((None, None, SIZE))
    crf.set_weights(WEIGHTS)
    output = to_numpy(crf(ops.convert_to_tensor(FEATURES), mask=ops.convert_to_tensor(MASKS)))
    np.testing.assert_allclose(output, known[2], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_leaves_its_numbers_alone(known, policy):
    with dtype_policy(policy):
        model, crf = tagger()
        crf.set_weights(WEIGHTS)
        model.compile("sgd", loss=crf.loss)
        output = model(INPUTS)
        assert dtype_name(output) == "float32"
        np.testing.assert_allclose(to_numpy(output), known[2], atol=1e-5)
        found = evaluated(model, TAGS)["loss"]
        assert found == pytest.approx(expected_losses().mean(), abs=1e-5)
        model.train_on_batch(INPUTS, TAGS)


def test_features_that_are_no_numbers_are_not_taken_for_padding(known):
    model, crf, _ = known
    features = np.where(MASKS[..., None], np.float32(np.nan), FEATURES)
    output = model.predict([features, INPUTS[1]], verbose=0)
    losses = to_numpy(crf.loss(TAGS, ops.convert_to_tensor(output)))
    assert (np.isnan(losses) == MASKS.any(axis=1)).all()


@pytest.mark.parametrize("tag", [-1, UNITS])
def test_labels_that_are_no_tags(known, tag):
    model, crf, output = known
    wrong = TAGS.copy()
    wrong[-1, 2] = tag
    with pytest.raises(ValueError, match=rf"ids in \[0, 2\] or one-hot rows\. Received: \[{tag}\]"):
        crf.loss(wrong, ops.convert_to_tensor(output))
    model.compile("sgd", loss=crf.loss)
    if RUNTIME == "torch":  # where Keras compiles nothing
        with pytest.raises(ValueError, match="or one-hot rows"):
            evaluated(model, wrong)
    else:
        assert np.isnan(evaluated(model, wrong)["loss"])


@pytest.mark.parametrize("shape", [(32,), (32, 4), (32, 5, 2), (32, 5, 1, 1), (31, 5)])
def test_labels_of_a_wrong_shape(known, shape):
    _, crf, output = known
    with pytest.raises(ValueError, match=r"Labels must have the shape \(B, T\) or \(B, T, 1\), or"):
        crf.loss(np.zeros(shape, "int32"), ops.convert_to_tensor(output))


def test_sparse_targets_are_no_one_hot_rows(known):
    crf = CRF(UNITS, sparse_target=True)
    crf.build((None, None, SIZE))
    with pytest.raises(ValueError, match="`sparse_target` forbids one-hot rows"):
        crf.loss(np.eye(UNITS)[TAGS], ops.convert_to_tensor(known[2]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 1}, "`units` must be at least 2, one a tag. Received: units=1"),
        (
            {"units": 2, "learn_mode": "marginal"},
            "Dense.* instead. Received: learn_mode='marginal'",
        ),
        ({"units": 2, "test_mode": "marginal"}, "Dense.* instead.*test_mode='marginal'"),
    ],
)
def test_arguments_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        CRF(**arguments)


def test_inputs_that_cannot_be():
    with pytest.raises(ValueError, match="ndim=3, found ndim=2"):
        CRF(2)(layers.Input((4,)))
    with pytest.raises(ValueError, match=r"axis -1.* to have value 5.*\(None, None, 4\)"):
        CRF(2, input_dim=5)(layers.Input((None, 4)))
    features = ops.convert_to_tensor(FEATURES)
    with pytest.raises(
        ValueError, match=r"`mask` must have the shape \(B, T\). Received: \(32, 5, "
    ):
        CRF(2)(features, mask=ops.convert_to_tensor(MASKS[..., None]))
