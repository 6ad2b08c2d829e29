"""Models with a head for a task: classifiers of texts and of tokens, and readers."""

from __future__ import annotations

import os
import warnings
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

from .. import activations
from ..arguments import as_size, shorten
from ..backend import check_values_stay, keras, models
from ..checkpoints import CheckpointError, open_checkpoint
from ..checkpoints.listing import summary
from ..checkpoints.paths import get_checkpoint_paths
from ..datasets.folders import model_folder
from ..families import Family, family_of
from ..families.configuration import read_config
from ..families.family import ConfigError, TaskHead
from ..families.tasks import (
    CLASSES,
    FoundTask,
    OtherTask,
    ProblemType,
    Task,
    architectures,
    check_labels,
    check_problem_type,
    check_task,
    find_rows,
    find_task,
)
from ..layers import Dropout, Extract
from ..tokenizer import load_tokenizer
from .pretrained import fill, load_trained_model_from_checkpoint
from .text_settings import TextSettings, remember


class TaskSettings(NamedTuple):
    """What a folder says of a task model beside its layers and labels."""

    family: Family
    problem_type: ProblemType | None


_settings: weakref.WeakKeyDictionary[Any, TaskSettings] = weakref.WeakKeyDictionary()


def task_settings_of(model: Any) -> TaskSettings | None:
    """What was noted of a model; None for one that was built otherwise."""
    return _settings.get(model)


def load_task_model(
    folder: str | os.PathLike[str],
    seq_len: int | None = None,
    *,
    task: Task | None = None,
    labels: Sequence[str] | None = None,
    problem_type: ProblemType | None = None,
    trainable: bool | Sequence[str] = True,
    dropout_rate: float = 0.1,
) -> tuple[models.Model, list[str] | None]:
    """Load a model with the head of its task, or put a new head on an encoder.

    The tasks are those of transformers' classes: "sequence" classifies texts and pairs
    (`…ForSequenceClassification`), "tokens" each token (`…ForTokenClassification`), "answers" finds
    where the answer to a question begins and ends in a text (`…ForQuestionAnswering`). Which it is,
    the folder's configuration says by `architectures`, or else the names of the weights do.

    Args:
        folder: Path of a model folder, or what else `get_pretrained` takes.
        seq_len: Length of the sequences, cut to the model's positions; None for a model of any
            length up to them.
        task: The task: needed where the folder leaves it open, and for a new head. Without
            `labels`, another task than the folder's is an error.
        labels: With `task`, the labels (a list, tuple or array of str) of a new, untrained head,
            which is put on the folder's encoder (and pooler, if it has one). This is how
            fine-tuning begins. A trained head of that task in the folder is kept where it has the
            same labels in the same order, and replaced, with a warning, where it has others.
            `["start", "end"]` for the task "answers".
        problem_type: With `labels` and the task "sequence", what `save_task_model` is to note:
            "single_label_classification", "multi_label_classification" or "regression".
        trainable: Which layers of the encoder can be trained, as in `get_model`. Those of the head
            can.
        dropout_rate: Dropout rate in training, of the encoder and before the last layer.

    Returns:
        The model, from token and segment ids (B, T) to logits: (B, labels) for "sequence",
        (B, T, labels) for "tokens", and for "answers" two outputs (B, T), of a start and an end at
        each token (padding has logits, too). And the labels in the order of the outputs; None for
        "answers".

    Raises:
        CheckpointError: If the folder has no head for a task, or one for another than `task`, or it
            does not tell for which, or the weights are damaged or do not fit the configuration (a
            ValueError).
        ConfigError: If the configuration is damaged, or `id2label` in it has not as many labels as
            the head (a ValueError).
        VocabularyError: If the vocabulary or the tokenizer's settings are damaged (a ValueError).
        ImportError: If the vocabulary is SentencePiece's and the package sentencepiece is missing.
        TypeError: If an argument has the wrong type.
        ValueError: If an argument is out of range or contradicts another.
        OSError: If a file cannot be read.

    Example:
        >>> from keras_bert import load_task_model
        >>> model, labels = load_task_model("tiny", task="sequence", labels=["no", "yes"])
        >>> model.output_shape, labels
        ((None, 2), ['no', 'yes'])

    Reference:
        Hugging Face transformers, `models/bert/modeling_bert.py` and those of BERT's relatives
    """
    check_values_stay()
    seq_len = None if seq_len is None else as_size("seq_len", seq_len)
    labels = _checked_labels(task, labels, problem_type)
    paths = get_checkpoint_paths(model_folder(folder))
    with open_checkpoint(paths.checkpoint) as checkpoint:
        config = read_config(paths.config, checkpoint)
        family = family_of(config, checkpoint)
        if labels is None:
            told = find_task(family, config, checkpoint, task)
            if told is None:
                raise CheckpointError(_no_head(checkpoint, config, family, task))
        else:
            told = _head_to_keep(family, config, checkpoint, task, labels, folder)
        if told is not None:
            problem_type = problem_type or told.problem_type
            task, head, found, labels, _ = told
        else:
            _check_number(labels, problem_type)
            head = family.task_heads[task]
            # Of a head that classifies texts, the pooler is the encoder's.
            pooler = tuple(row for row in head.hidden if row in family.head_rows())
            found = find_rows(family, config, checkpoint, pooler)
        encoder = load_trained_model_from_checkpoint(
            paths.config,
            paths.checkpoint,
            trainable=trainable,
            seq_len=seq_len,
            dropout_rate=dropout_rate,
            output_len=1 if head.hidden else None,
        )
        model = with_task_head(encoder, head, len(labels), dropout_rate)
        fill(model, config, checkpoint, found)
    _settings[model] = TaskSettings(family, problem_type)
    if os.path.exists(paths.vocab):
        remember(model, TextSettings(load_tokenizer(paths.vocab, official=True)))
    return model, None if task == "answers" else list(labels)


def with_task_head(
    encoder: models.Model, head: TaskHead, count: int, dropout_rate: float
) -> models.Model:
    """Put a head with random weights on an encoder.

    Args:
        encoder: A model with features (B, T, D).
        head: Which head, of the encoder's family.
        count: The number of labels.
        dropout_rate: Rate of the dropout before the last layer, 0 for none.
    """
    features = encoder.output
    if head.hidden:
        features = Extract(0, name="Extract")(features)
        features = keras.layers.Dense(
            features.shape[-1],
            activation=activations.get(head.activation),
            name=head.hidden[0].layer,
        )(features)
    if dropout_rate > 0.0:
        features = Dropout(dropout_rate, name="Classifier-Dropout")(features)
    outputs = keras.layers.Dense(count, name=head.last[0].layer)(features)
    if head.last[0].layer == "Answers":
        outputs = [
            Extract(0, axis=2, name="Answers-Start")(outputs),
            Extract(1, axis=2, name="Answers-End")(outputs),
        ]
    return models.Model(encoder.inputs, outputs)


def _head_to_keep(family, config, checkpoint, task, labels, folder) -> FoundTask | None:
    """The folder's head, if it is one for the task and the labels; warn of one that is not kept."""
    try:
        told = find_task(family, config, checkpoint, task)
    except OtherTask:
        return None
    except (CheckpointError, ConfigError) as error:
        warnings.warn(
            f"The head of {os.fspath(folder)} is replaced by a new one, as it is damaged: {error}",
            stacklevel=3,
        )
        return None
    if told is None or told.labels == labels:
        return told
    warnings.warn(
        f"The trained head of {os.fspath(folder)} for the labels {shorten(told.labels)} is "
        f"replaced by a new one for {shorten(labels)}. To keep it, leave `labels` out.",
        stacklevel=3,  # the caller of load_task_model
    )
    return None


def _checked_labels(task, labels, problem_type) -> list[str] | None:
    """The labels of a new head as a list; refuse arguments that contradict each other."""
    if task is not None:
        check_task(task)
    if labels is None:
        if problem_type is not None:
            raise ValueError(
                "`problem_type` is for a new head, with `task` and `labels`. Received: "
                f"problem_type={problem_type!r} without labels."
            )
        return None
    if task is None:
        raise ValueError(
            "`labels` are those of a new head, whose `task` must be given as well. Received: "
            f"labels={labels!r} without task."
        )
    names = check_labels(labels, task)
    if len(set(names)) < len(names):
        raise ValueError(f"`labels` must differ from each other. Received: {names!r}.")
    check_problem_type(problem_type)
    if problem_type is not None and task != "sequence":
        raise ValueError(
            f"`problem_type` is for the task 'sequence'. Received: {problem_type!r} for {task!r}."
        )
    return names


def _check_number(labels: list[str], problem_type: ProblemType | None) -> None:
    """Refuse a single label among which to choose: its probability would always be 1."""
    if len(labels) < 2 and problem_type in (None, "single_label_classification"):
        raise ValueError(
            "`labels` must be at least two, among which the classifier chooses. With the task "
            "'sequence', a single one takes problem_type='multi_label_classification' (yes or no) "
            f"or 'regression' (a score). Received: {labels!r}."
        )


def _no_head(checkpoint, config, family, task) -> str:
    wanted = f"the task {task!r}" if task else "a task"
    named = ", ".join(architectures(config)) or "no architecture"
    classes = ", ".join(CLASSES.values())
    return (
        f"{checkpoint.path} has no head for {wanted}, as {family.name}'s classes {classes} have "
        f"one; its configuration names {named}. It holds {summary(list(checkpoint))}. To train a "
        "new head on its encoder, pass `task` and `labels`."
    )
