"""Reading models that another Keras, or another version of this package, has saved.

Keras asks the custom objects before its own classes when it reads an `.h5` file, so that an entry
"Functional" among them sees a model's whole configuration before any layer exists. Here it brings
the configuration into a form that the running Keras reads as it was meant, or says why none can.

Kinds of configurations and how to tell them apart: those of `.h5` files have no key "module" in
their layers, those of `.keras` files and JSON do; Keras 2 lists the calls of a layer as lists,
Keras 3 as dicts.
"""

from __future__ import annotations

import copy
import functools
from typing import Any

from ..activations import gelu_erf, gelu_tanh, hard_sigmoid_keras_2
from ..backend import check_written_by, keras, metrics, models
from ..layers import MultiHeadAttention
from ..layers.keras_2_merging import MERGING
from ..layers.keras_2_slice import Keras2Slice

_OURS = {each.__name__: each for each in (gelu_tanh, gelu_erf, hard_sigmoid_keras_2)}


class FunctionalReader:
    """What custom objects name "Functional" and "Model": not a model, but a way to read one."""

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> models.Model:
        """Build the functional model of a configuration, which is left as it is.

        Raises:
            ValueError: If this Keras cannot read such a configuration.
        """
        config, custom_objects = copy.deepcopy(config), dict(custom_objects or {})
        written_by_keras_3 = _written_by_keras_3(config)
        for_h5 = not any("module" in layer for layer in config["layers"])
        needs_changes = check_written_by(config.get("name"), written_by_keras_3, for_h5)
        _resolve_activations(config, custom_objects, written_by_keras_3)
        if for_h5:
            _drop_default_score(config)
        if for_h5 and written_by_keras_3:
            _name_operations(config, custom_objects)
        elif needs_changes:
            _keep_hard_sigmoid(config)
            _merge_as_keras_2(config, custom_objects)
            _replace_slices(config, custom_objects)
            _refuse_operations(config, custom_objects)
            _drop_old_arguments(config, custom_objects)
            _recount_calls(config)
        return models.Model.from_config(config, custom_objects=custom_objects)


def _written_by_keras_3(config) -> bool:
    return any(
        "batch_shape" in layer["config"]
        or any(isinstance(call, dict) and "args" in call for call in layer["inbound_nodes"])
        for layer in config["layers"]
    )


def _objects(config):
    """Every (class name, configuration) inside a configuration, at any depth."""
    if isinstance(config, dict):
        if isinstance(config.get("class_name"), str) and isinstance(config.get("config"), dict):
            yield config["class_name"], config["config"]
        config = config.values()
    elif not isinstance(config, (list, tuple)):
        return
    for value in config:
        yield from _objects(value)


def _own_function(value):
    """The function of this package that a serialized activation names, or None."""
    if isinstance(value, dict) and value.get("class_name") == "function":
        value = str(value.get("config")).removeprefix("keras_bert>")
    return _OURS.get(value) if isinstance(value, str) else None


def _is_marked(layer_config) -> bool:
    """Whether a layer's configuration is of this package, with "gelu" for the tanh form."""
    initializer = layer_config.get("kernel_initializer")
    return isinstance(initializer, dict) and "written_by" in initializer


def _resolve_activations(config, custom_objects, written_by_keras_3):
    """Put functions where the configuration names one of the two forms of GELU.

    Left to itself, Keras takes the string "gelu" for its own erf form or for the custom object
    "gelu", depending on where it stands. keras-bert 0.8x wrote it for the custom object. Later
    versions write it so in layers that say `written_by`, and other names elsewhere, so that beside
    them it is Keras' own.
    """
    of_0_8x = not written_by_keras_3 and not any(
        _is_marked(each) or any(map(_own_function, each.values())) for _, each in _objects(config)
    )
    for _, each in _objects(config):
        gelu = gelu_tanh if _is_marked(each) else keras.activations.gelu
        if of_0_8x:
            gelu = custom_objects.get("gelu", gelu_tanh)
        for key, value in each.items():
            function = _own_function(value)
            if key.endswith("activation") and value == "gelu":
                each[key] = gelu
            elif function is not None:  # Keras 2 writes them to .h5 files and cannot read them
                each[key] = function


def _keep_hard_sigmoid(config):
    """Put Keras 2's function where its files name it, as in LSTM layers from before Keras 2.3."""
    for _, each in _objects(config):
        for key, value in each.items():
            if key.endswith("activation") and value == "hard_sigmoid":
                each[key] = hard_sigmoid_keras_2


def _merge_as_keras_2(config, custom_objects):
    """Put layers in place that merge tensors, and their masks, as Keras 2 does."""
    for layer in config["layers"]:
        if layer["class_name"] in MERGING.keys() - custom_objects:
            merging = MERGING[layer["class_name"]]
            layer["class_name"] = merging.__name__
            custom_objects[merging.__name__] = merging


def _replace_slices(config, custom_objects):
    """Put a layer in the place of each slice of a tensor, which Keras 2 wrote as a call of one."""
    for layer in config["layers"]:
        if layer["class_name"] != "SlicingOpLambda" or "SlicingOpLambda" in custom_objects:
            continue
        call = layer["inbound_nodes"][0]
        parts = call[3]["slice_spec"]
        parts = [parts] if isinstance(parts, dict) else parts
        if all(map(_is_readable, parts)):
            layer["class_name"] = Keras2Slice.__name__
            layer["config"] = {"name": layer["name"], "parts": parts}
            layer["inbound_nodes"] = [[[*call[:3], {}]]]
            custom_objects[Keras2Slice.__name__] = Keras2Slice


def _is_readable(part) -> bool:
    """Whether a part of a slice is made of numbers, and goes forward, as it has to on PyTorch."""
    is_range = isinstance(part, dict)
    if not all(type(each) in (int, type(None)) for each in (part.values() if is_range else [part])):
        return False
    return not is_range or part["step"] is None or part["step"] > 0


def _refuse_operations(config, custom_objects):
    """Say of calls of TensorFlow, and of Keras 2's own attention, that they cannot be read."""
    kinds = {"SlicingOpLambda", "TFOpLambda", "TensorFlowOpLayer"} - custom_objects.keys()
    attention = MultiHeadAttention.__name__
    if custom_objects.get(attention, MultiHeadAttention) is MultiHeadAttention:
        kinds.add(attention)
    found = [
        layer["name"]
        for layer in config["layers"]
        if layer["class_name"] in kinds
        and (layer["class_name"] != attention or "key_dim" in layer["config"])
    ]
    if found:
        raise ValueError(
            f"Model '{config.get('name')}' has parts that Keras 3 cannot read from a file of "
            f"Keras 2: {', '.join(found)}. Load it with TF_KERAS=1; or build the same model here "
            "by code, with layers in their place, and call `model.load_weights(path)`."
        )


# Arguments that layers of Keras 2 save and those of Keras 3 do not take.
_OLD_ARGUMENTS = {
    **{f"SpatialDropout{n}D": ("noise_shape", "trainable") for n in (1, 2, 3)},
    **dict.fromkeys(
        ("SeparableConv1D", "SeparableConv2D"),
        ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    ),
    **{f"Conv{n}DTranspose": ("groups",) for n in (1, 2, 3)},
}


def _drop_default_score(config):
    """Leave out Attention's default, for which Keras 3, reading .h5 files, takes its function."""
    for class_name, each in _objects(config):
        if class_name == "Attention" and each.get("score_mode") == "dot":
            del each["score_mode"]


def _drop_old_arguments(config, custom_objects):
    """Remove or rename the arguments of Keras 2 that Keras 3 has not, or warns of."""
    for class_name, each in _objects(config):
        if class_name not in custom_objects:  # not the user's own of that name
            for name in _OLD_ARGUMENTS.get(class_name, ()):
                each.pop(name, None)
        if class_name == "LeakyReLU" and "alpha" in each:
            each["negative_slope"] = each.pop("alpha")
        if class_name in ("Attention", "AdditiveAttention") and each.get("causal") is False:
            del each["causal"]
        if class_name != "InputLayer":
            each.pop("batch_input_shape", None)
        if class_name in ("LSTM", "GRU", "SimpleRNN", "RNN") and each.get("time_major") is False:
            del each["time_major"]
        if "embeddings_initializer" in each:
            each.pop("input_length", None)


def _recount_calls(config):
    """Count the calls of models inside this one as Keras 3 does.

    Keras 2 counts them from 1, as the call that made the inner model is number 0. Keras 3 makes up
    for that where a call's result is an output of the whole model, but not between layers.
    """
    inner = {
        layer["name"]: layer["class_name"]
        for layer in config["layers"]
        if layer["class_name"] in ("Functional", "Model", "Sequential")
    }
    between = _leaves([layer["inbound_nodes"] for layer in config["layers"]])
    outputs = _leaves(config["output_layers"])
    for name, class_name in inner.items():
        calls = [tensor for tensor in between + outputs if tensor[0] == name]
        if min((tensor[1] for tensor in calls), default=0) == 0:
            continue
        if class_name != "Sequential":  # Keras recounts the outputs
            recounted = _keras_recounts_between_layers()
            calls = [] if recounted else [tensor for tensor in between if tensor[0] == name]
        for tensor in calls:
            tensor[1] -= 1


def _leaves(tensors):
    """The references [layer name, call, output, ...] in a structure of them."""
    if isinstance(tensors, dict):
        tensors = list(tensors.values())
    elif tensors and isinstance(tensors[0], str):
        return [tensors]
    return [leaf for each in tensors for leaf in _leaves(each)]


@functools.cache
def _keras_recounts_between_layers() -> bool:
    """Whether Keras reads the calls of an inner model between layers as Keras 2 wrote them.

    Keras 3.15 does not. It is tried on a model that calls another on one input after the other and
    goes on from "call 1": for Keras 2 that is the first call, which needs the first input only.
    (A call that does not exist would be no test: Keras 3.14 looks for it forever.)
    """

    def layer(class_name, name, calls, **config):
        config = {"name": name, **config}
        calls = [[[called, number, 0, {}]] for called, number in calls]
        return {"class_name": class_name, "name": name, "config": config, "inbound_nodes": calls}

    def model(name, layers):
        first, last = layers[0]["name"], layers[-1]["name"]
        ends = {"input_layers": [[first, 0, 0]], "output_layers": [[last, 0, 0]]}
        return {"name": name, "layers": layers, **ends}

    first, second = (
        layer("InputLayer", name, [], batch_shape=[None, 1]) for name in ("first", "second")
    )
    inner = model("inner", [first, layer("Flatten", "inside", [("first", 0)])])
    inner = layer("Functional", calls=[("first", 0), ("second", 0)], **inner)
    outer = model("outer", [first, second, inner, layer("Flatten", "end", [("inner", 1)])])
    try:
        models.Model.from_config(outer)
    except ValueError:
        return False
    return True


def _name_operations(config, custom_objects):
    """Make operations known that Keras 3 writes to `.h5` files and does not find when it reads.

    They are nodes such as NotEqual, from masks that a layer of Keras' own takes as an argument.
    """
    known = _operations()
    for layer in config["layers"]:
        if "trainable" in layer["config"] or layer["class_name"] == "InputLayer":
            continue
        class_name = layer["class_name"]
        if class_name in known:  # under another name, as there is a layer Concatenate, too
            layer["class_name"] = f"operation {class_name}"
            custom_objects[layer["class_name"]] = known[class_name]


def _operations():
    """Keras' operations that are not layers, name to class."""
    found, waiting = {}, [keras.Operation]
    while waiting:
        for operation in waiting.pop().__subclasses__():
            if not issubclass(operation, keras.layers.Layer):
                waiting.append(operation)
                if operation.__module__.partition(".")[0] == "keras":
                    found.setdefault(operation.__name__, operation)
    return found


class MeanMetricWrapper(metrics.MeanMetricWrapper):
    """The wrapper that Keras 2 wrote for `metrics=["accuracy"]` and the like."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> metrics.MeanMetricWrapper:
        """Build Keras' own metric; "fn" may name a function, which Keras 3 would not look up."""
        function = config.get("fn")
        if isinstance(function, str):
            return metrics.MeanMetricWrapper(**{**config, "fn": metrics.get(function)})
        return metrics.MeanMetricWrapper.from_config(config)
