"""Models with a head for a task, as folders that transformers loads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from .. import activations
from ..arguments import describe
from ..backend import keras, models, static_shape
from ..families import FAMILIES
from ..families.family import TaskHead
from ..families.tasks import (
    ANSWER_LABELS,
    CLASSES,
    ProblemType,
    Task,
    check_labels,
    check_problem_type,
)
from ..families.weights import stored_form
from ..layers import Dropout
from ..loader.task_models import task_settings_of
from ..loader.text_settings import settings_of
from ..tokenizer import Tokenizer
from .conversion import ConvertibleModel, write_hugging_face_files
from .model_files import check_model, convertible_with_tokenizer, dense_weights
from .new_files import new_folder

_HEAD_LAYERS = {
    row.layer for family in FAMILIES for head in family.task_heads.values() for row in head.weights
}
_PROBABILITIES = ("linear", "softmax", "sigmoid")


def save_task_model(
    model: models.Model,
    labels: Sequence[str] | None,
    folder: str | os.PathLike[str],
    *,
    tokenizer: Tokenizer | None = None,
    problem_type: ProblemType | None = None,
) -> None:
    """Write a model of `load_task_model` as a folder that Hugging Face transformers loads.

    The folder holds `config.json`, with the labels, `model.safetensors` and the vocabulary. Weights
    stay bit by bit. A last layer with the activation softmax or sigmoid is taken as well; its
    weights are those of the logits, which transformers and `load_task_model` then give.

    Args:
        model: The model: an encoder with the layers that `load_task_model` puts on it, by their
            names.
        labels: The labels in the order of the outputs; None for the task "answers".
        folder: Path of the folder, which is made; an empty one may be there.
        tokenizer: The tokenizer, whose vocabulary is written. By default the one of the folder from
            which the model was loaded.
        problem_type: For a classifier of texts "single_label_classification",
            "multi_label_classification" or "regression". By default what the folder said from which
            the model was loaded; None leaves it out.

    Raises:
        FileExistsError: If the folder holds something.
        TypeError: If `model` is not a model or `tokenizer` not a Tokenizer.
        ValueError: If the model has other layers, such as a CRF, or an argument does not fit it.

    Example:
        >>> import tempfile
        >>> from keras_bert import PretrainedList, load_task_model, save_task_model
        >>> model, labels = load_task_model(
        ...     PretrainedList.tiny, task="sequence", labels=["no", "yes"]
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_task_model(model, labels, f"{folder}/tuned")
        ...     load_task_model(f"{folder}/tuned")[1]
        ['no', 'yes']
    """
    check_model(model)
    task = _task_of(model)
    noted = task_settings_of(model)
    tokenizer = _tokenizer(model, tokenizer)
    files = convertible_with_tokenizer(model, tokenizer, _HEAD_LAYERS, noted and noted.family)
    head = files.family.task_heads[task]
    _check_layers(model, files, head)
    arrays = {layer: dense_weights(model.get_layer(layer)) for layer in _layers_of(head)}
    count = arrays[head.last[0].layer][0].shape[1]
    if problem_type is None and noted is not None:
        problem_type = noted.problem_type
    further = _task_keys(task, labels, count, problem_type)
    further["architectures"] = [_class_of(files, task)]
    tensors = dict(
        stored_form(row, "huggingface", arrays[row.layer][row.index]) for row in head.weights
    )
    with new_folder(folder) as unfinished:
        write_hugging_face_files(unfinished, files, tensors, further)


def _task_of(model: models.Model) -> Task:
    """The task of a model by the names of its head's layers."""
    layers = {layer.name: layer for layer in model.layers}
    if "Answers" in layers:
        return "answers"
    if "Classifier" in layers:
        rank = len(static_shape(layers["Classifier"].output))
        return "tokens" if rank == 3 else "sequence"
    raise ValueError(
        "`model` must be one of load_task_model, whose last layer with weights is 'Classifier' or "
        f"'Answers'. Received: a model with the layers {_listed_head(model)} on its encoder."
    )


def _check_layers(model: models.Model, files: ConvertibleModel, head: TaskHead) -> None:
    """Refuse a head that computes something else than the family's."""
    expected = {*_layers_of(head)}
    if head.hidden:
        expected.add("Extract")
    if head.last[0].layer == "Answers":
        expected |= {"Answers-Start", "Answers-End"}
    found = {layer.name: layer for layer in _above_encoder(model)}
    others = [name for name, layer in found.items() if not isinstance(layer, Dropout)]
    if set(others) != expected:
        raise ValueError(
            f"`model` must have the layers {', '.join(sorted(expected))} on its encoder, as "
            f"{files.family.name} has them for this task in transformers; other layers are for "
            f"Keras' save alone. Received: {_listed_head(model)}."
        )
    positions = {"Extract": 0, "Answers-Start": 0, "Answers-End": 1}
    moved = [name for name in {*positions} & expected if found[name].index != positions[name]]
    is_in_order = len(model.outputs) == 1 or list(model.output_names) == [*positions][1:]
    if moved or not is_in_order:
        raise ValueError(
            "`model` must read the first token's features, or give starts, then ends. Received: "
            f"{', '.join(moved) or 'outputs in another order'}."
        )
    for layer in _layers_of(head):
        if not found[layer].use_bias:
            raise ValueError(f"The layer {layer} of `model` must have a bias, as in transformers.")
        allowed = _PROBABILITIES if layer == head.last[0].layer else (head.activation,)
        activation = activations.get(found[layer].activation)
        if activation not in map(activations.get, allowed):
            raise ValueError(
                f"The layer {layer} of `model` must have the activation {' or '.join(allowed)}. "
                f"Received: {activation.__name__}."
            )


def _layers_of(head: TaskHead) -> list[str]:
    return list(dict.fromkeys(row.layer for row in head.weights))


def _above_encoder(model: models.Model) -> list[Any]:
    return [
        layer
        for layer in model.layers
        if not layer.name.startswith(("Embedding-", "Encoder-"))
        and not isinstance(layer, keras.layers.InputLayer)
    ]


def _listed_head(model: models.Model) -> str:
    return ", ".join(layer.name for layer in _above_encoder(model)) or "none"


def _tokenizer(model: models.Model, tokenizer: Tokenizer | None) -> Tokenizer:
    """The tokenizer that is given, or else that of the folder from which the model was loaded."""
    if tokenizer is None:
        settings = settings_of(model)
        if settings is None:
            raise ValueError(
                "`tokenizer` must be given for a model that load_task_model has not loaded from a "
                "folder with a vocabulary. Received: None."
            )
        tokenizer = settings.tokenizer
    if not isinstance(tokenizer, Tokenizer):
        raise TypeError(f"`tokenizer` must be a Tokenizer. Received: {describe(tokenizer)}.")
    return tokenizer


def _task_keys(
    task: Task, labels: Sequence[str] | None, count: int, problem_type: ProblemType | None
) -> dict[str, Any]:
    """What the configuration says of labels."""
    check_problem_type(problem_type)
    if problem_type is not None and task != "sequence":
        raise ValueError(
            "`problem_type` is for classifiers of texts, with one output a label. Received: "
            f"{problem_type!r} for the task {task!r}."
        )
    if task == "answers":
        check_labels(ANSWER_LABELS if labels is None else labels, task)
        return {}
    names = check_labels(labels, task)
    if len(names) != count:
        raise ValueError(
            f"`labels` must name the {count} outputs of the model. Received: {len(names)} labels."
        )
    keys: dict[str, Any] = {
        "id2label": {str(index): name for index, name in enumerate(names)},
        "label2id": {name: index for index, name in enumerate(names)},
        "num_labels": count,
    }
    return keys if problem_type is None else {**keys, "problem_type": problem_type}


def _class_of(files: ConvertibleModel, task: Task) -> str:
    return files.family.architecture(()).removesuffix("Model") + CLASSES[task]
