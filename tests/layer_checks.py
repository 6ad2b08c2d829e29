"""One check for every layer, and the numbers of the old packages' layers to check against.

`check_layer` puts a layer into a functional model whose inputs carry masks, and looks at all that
a user of the layer relies on: what comes out, in which shape and dtype, under which mask, whether
its weights learn, and whether all that survives compilation, other dtype policies and a file.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from devices import rounding
from runtimes import (
    KERAS_3,
    ON_TENSORFLOW,
    RUNTIME,
    as_list,
    compiled,
    dtype_name,
    dtype_policy,
    gradients,
    to_numpy,
)

from keras_bert import gelu, get_custom_objects
from keras_bert.backend import keras, layers, models, ops, utils

OLD_NUMBERS = Path(__file__).parent / "data" / "old_files" / "layers.npz"

# Float32 results of two implementations differ by the order of summation.
TOLERANCE = rounding(2e-5)
# Allowed share of the largest value: a few units in the last place of the 16-bit format (2⁻⁸ for
# bfloat16, 2⁻¹¹ for float16), as values pass through several roundings. (JAX 0.4 sums up
# convolutions in float16, too.)
POLICIES = {"mixed_bfloat16": 0.03, "mixed_float16": 0.006, "float64": 1e-5}


class GiveMask(layers.Layer):
    """Passes features on under the mask "mask ids are not 0", as an Embedding would."""

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.supports_masking = True

    def call(self, inputs):
        return inputs[0] + ops.cast(0, inputs[0].dtype)

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs[1], 0)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs[0].shape, dtype=inputs[0].dtype)


class ReadMask(layers.Layer):
    """Returns the mask it is given as integers; -1 everywhere where there is none."""

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.supports_masking = True

    if KERAS_3:

        def __call__(self, inputs, mask=None, **kwargs):
            return super().__call__(inputs, mask=mask, **kwargs)  # keeps the mask out of the graph

    def call(self, inputs, mask=None):
        if mask is None:
            return ops.cast(ops.not_equal(inputs, inputs), "int32") - 1
        return ops.cast(mask, "int32")


MASK_LAYERS = {"GiveMask": GiveMask, "ReadMask": ReadMask}


def check_layer(
    layer_class,
    arguments,
    inputs,
    masks=None,
    *,
    weights=None,
    outputs=None,
    output_masks=None,
    fixed_inputs=(),
    output_dtypes=None,
    unused_outputs=(),
    unreached_weights=(),
    any_length=True,
    policies=tuple(POLICIES),
    tmp_path,
):
    """Check a layer in everything that does not depend on what it computes, and its numbers.

    Args:
        layer_class: The class.
        arguments: Its constructor arguments.
        inputs: An array (B, T, …), or a list of arrays for a layer that takes a list.
        masks: Boolean array (B, T) or None for every input.
        weights: Arrays for `set_weights`; by default what the layer starts with.
        outputs: Expected arrays, one for every output.
        output_masks: Expected mask or None for every output.
        fixed_inputs: Places of inputs that have neither a batch nor a time axis.
        output_dtypes: For every output which dtype it has: "compute", "variable" (both of the
            policy), "input" (the features', float32) or a dtype of its own.
        unused_outputs: Places of outputs that gradients need not be taken from.
        unreached_weights: Names of weights that gradients of the outputs do not reach.
        any_length: Whether the layer takes sequences of other lengths.
        policies: Dtype policies to try.
        tmp_path: A folder for files.
    """
    arrays = as_list(inputs)
    masks = masks or [None] * len(arrays)
    # Attention to nothing but padding adds -10000 to every score, pooling over nothing subtracts
    # 10⁶: the digits this costs depend on the dtype.
    compared_rows = np.all([each.any(axis=1) for each in masks if each is not None], axis=0)
    layer = layer_class(**arguments)
    model = _model(layer, arrays, masks, isinstance(inputs, list), fixed_inputs)
    if weights is not None:
        assert [each.shape for each in layer.get_weights()] == [each.shape for each in weights]
        layer.set_weights(weights)
    fed = _fed(arrays, masks)
    run = _runner(model)
    results, result_masks = run(fed)

    _check_config(layer)
    _check_symbolic(model, results)
    _check_numbers(results, outputs)
    _check_masks(result_masks, output_masks or [None] * len(results))
    _check_gradients(model, fed, results, unused_outputs, unreached_weights)
    _check_other_sizes(layer, run, results, arrays, masks, fixed_inputs, any_length)
    if (
        ON_TENSORFLOW
    ):  # JAX runs compiled in all these checks, and Keras compiles nothing on PyTorch
        again, again_masks = _runner(model, compiled(model))(fed)
        _check_numbers(again, results)
        _check_masks(again_masks, result_masks)
    _check_file(model, fed, results, result_masks, tmp_path / "layer.keras")
    if KERAS_3:
        for policy in policies:
            if policy == "float64" and _lacks_float64(arguments):
                continue
            with dtype_policy(policy):
                other = layer_class(**arguments)
                other_model = _model(other, arrays, masks, isinstance(inputs, list), fixed_inputs)
            other.set_weights(layer.get_weights())
            _check_policy(other_model, fed, results, policy, output_dtypes, compared_rows)


def _lacks_float64(arguments):
    """JAX has float64 on request only; Keras' matmul of float64 is float32 on PyTorch."""
    return RUNTIME == "jax" or (RUNTIME == "torch" and arguments.get("use_bias") is False)


def _model(layer, arrays, masks, as_a_list, fixed_inputs):
    """Inputs and mask ids -> the layer's outputs and, as further outputs, their masks."""
    inputs, mask_inputs, tensors = [], [], []
    for place, (array, mask) in enumerate(zip(arrays, masks, strict=True)):
        options = {"dtype": array.dtype.name}
        if place in fixed_inputs:
            options.update(shape=array.shape[1:], batch_size=array.shape[0])
        else:
            length = 1 if array.ndim == 2 and array.shape[1] == 1 else None
            options.update(shape=(length, *array.shape[2:]))
        inputs.append(layers.Input(**options))
        tensors.append(inputs[-1])
        if mask is not None:
            mask_inputs.append(layers.Input(shape=(None,), dtype="int32"))
            tensors[-1] = GiveMask()([inputs[-1], mask_inputs[-1]])
    outputs = as_list(layer(tensors if as_a_list else tensors[0]))
    return models.Model(inputs + mask_inputs, outputs + [ReadMask()(each) for each in outputs])


def _fed(arrays, masks):
    fed = arrays + [mask.astype("int32") for mask in masks if mask is not None]
    return [ops.convert_to_tensor(array) for array in fed]


def _runner(model, call=None):
    """A function from what is fed to the outputs and their masks.

    On JAX it is compiled: one compilation is much faster than one for every operation and shape.
    """
    call = call or (compiled(model) if RUNTIME == "jax" else model)

    def run(fed):
        everything = [to_numpy(each) for each in call(fed)]
        half = len(everything) // 2
        return everything[:half], [_as_mask(each) for each in everything[half:]]

    return run


def _as_mask(array):
    return None if (array == -1).all() else array.astype(bool)


def _check_config(layer):
    config = layer.get_config()
    assert json.loads(json.dumps(config))["name"] == layer.name
    with utils.custom_object_scope({} if KERAS_3 else get_custom_objects()):
        twin = type(layer).from_config(json.loads(json.dumps(config)))
    assert twin.get_config() == config
    if KERAS_3:
        stored = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        twin = keras.saving.deserialize_keras_object(stored)
        assert type(twin) is type(layer)
        assert twin.get_config() == config


def _check_symbolic(model, results):
    for symbolic, result in zip(model.outputs[: len(results)], results, strict=True):
        assert len(symbolic.shape) == result.ndim
        for expected, size in zip(symbolic.shape, result.shape, strict=True):
            assert expected in (None, size), (symbolic.shape, result.shape)


def _check_numbers(results, expected):
    for result, array in zip(results, results if expected is None else expected, strict=True):
        assert result.shape == array.shape
        assert np.isfinite(result).all()
        # -10⁶ plus a small number, as pooling over nothing gives, has float32 steps of 0.06.
        np.testing.assert_allclose(result, array, atol=TOLERANCE, rtol=TOLERANCE)


def _check_masks(masks, expected):
    for mask, array in zip(masks, expected, strict=True):
        assert (mask is None) == (array is None), f"mask {mask}, expected {array}"
        if array is not None:
            np.testing.assert_array_equal(mask, array)


def _check_gradients(model, fed, results, unused_outputs, unreached_weights):
    if not model.trainable_weights:
        return
    random = np.random.RandomState(5)
    factors = [
        None if place in unused_outputs else random.normal(size=result.shape).astype("float32")
        for place, result in enumerate(results)
    ]
    found = gradients(model, fed, factors + [None] * len(results))
    for weight, gradient in zip(model.trainable_weights, found, strict=True):
        if weight.name.partition(":")[0].rpartition("/")[2] in unreached_weights:
            assert gradient is None or not gradient.any()
            continue
        assert gradient is not None, f"no gradient reaches {weight.name}"
        assert gradient.shape == tuple(weight.shape)
        assert np.isfinite(gradient).all()
        assert np.abs(gradient).max() > 0, f"only zeros reach {weight.name}"


def _check_other_sizes(layer, run, full, arrays, masks, fixed_inputs, any_length):
    """One row alone, and a shorter piece, through the model and through the layer itself."""
    whole = range(len(arrays))
    row = [array if i in fixed_inputs else array[:1] for i, array in enumerate(arrays)]
    row_masks = [None if mask is None else mask[:1] for mask in masks]
    results, _ = run(_fed(row, row_masks))
    for place, (result, array) in enumerate(zip(results, full, strict=True)):
        of_every_row = result.shape[0] == 1
        assert of_every_row or place > 0  # a table is returned whole
        np.testing.assert_allclose(
            result, array[:1] if of_every_row else array, atol=TOLERANCE, rtol=TOLERANCE
        )
    if not any_length:
        return
    cut = [
        arrays[i] if i in fixed_inputs or arrays[i].shape[1] == 1 else arrays[i][:, :-2]
        for i in whole
    ]
    cut_masks = [None if mask is None else mask[:, :-2] for mask in masks]
    results, _ = run(_fed(cut, cut_masks))
    shapes = [array.shape for array in cut]
    shapes = as_list(layer.compute_output_shape(shapes if len(shapes) > 1 else shapes[0]))
    if not isinstance(shapes[0], (list, tuple)) and not hasattr(shapes[0], "as_list"):
        shapes = [tuple(shapes)]
    assert [result.shape for result in results] == [tuple(shape) for shape in shapes]


def _check_file(model, fed, results, result_masks, path):
    model.save(path)
    custom_objects = MASK_LAYERS if KERAS_3 else {**get_custom_objects(), **MASK_LAYERS}
    model = models.load_model(path, custom_objects=custom_objects)
    again, again_masks = _runner(model)(fed)
    for result, array in zip(again, results, strict=True):
        np.testing.assert_array_equal(result, array)
    _check_masks(again_masks, result_masks)


def _check_policy(model, fed, expected, policy, output_dtypes, compared_rows):
    compute_dtype = policy.removeprefix("mixed_")
    call = compiled(model) if RUNTIME == "jax" else model
    outputs = call(fed)[: len(expected)]
    dtypes = output_dtypes or ["compute"] * len(expected)
    for place, (output, array, dtype) in enumerate(zip(outputs, expected, dtypes, strict=True)):
        wanted = {"compute": compute_dtype, "input": "float32"}.get(dtype, dtype)
        if dtype == "variable":
            wanted = "float64" if policy == "float64" else "float32"
        assert dtype_name(output) == wanted, f"output {place} under {policy}"
        assert model.outputs[place].dtype == wanted, f"symbolic output {place} under {policy}"
        result, array = to_numpy(output), np.asarray(array)
        if compared_rows.ndim and place == 0:
            result, array = result[compared_rows], array[compared_rows]
        difference = np.abs(result - array).max() / np.abs(array).max()
        assert difference <= POLICIES[policy], (policy, difference)


def old_cases(*prefixes):
    """Cases of `layers.npz` whose names start so, as pytest parameters."""
    with np.load(OLD_NUMBERS) as archive:
        names = json.loads(str(archive["cases"]))
    chosen = [name for name in names if name.startswith(prefixes)]
    assert chosen
    return pytest.mark.parametrize("case", chosen)


def old_case(case):
    """A case of `layers.npz`.

    Returns:
        A dict of `layer_class`, `arguments`, `inputs`, `masks`, `weights`, `outputs` and
        `output_masks`, arguments of `check_layer`.
    """
    with np.load(OLD_NUMBERS) as archive:
        fact = json.loads(str(archive["cases"]))[case]

        def arrays(kind, count=None):
            found = {}
            for key in archive.files:
                if key.startswith(f"{case}/{kind}_"):
                    found[int(key.rsplit("_", 1)[1])] = archive[key]
            count = count if count is not None else len(found)
            return [found.get(place) for place in range(count)]

        inputs, outputs = arrays("inputs"), arrays("outputs")
        return {
            "layer_class": get_custom_objects()[fact["class"]],
            # `gelu` was the tanh form; under Keras 2 the small packages take "gelu" for the other.
            "arguments": {k: gelu if v == "gelu" else v for k, v in fact["config"].items()},
            "inputs": inputs if len(inputs) > 1 else inputs[0],
            "masks": arrays("mask", len(inputs)),
            "weights": arrays("weights"),
            "outputs": outputs,
            "output_masks": arrays("output_mask", len(outputs)),
        }
