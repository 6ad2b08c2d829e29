"""Which task a model folder is for, by its configuration and the names of its tensors.

Source: Hugging Face transformers, `configuration_utils.py` and the classes `…For…` of its models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple, get_args

from ..checkpoints import Checkpoint, CheckpointError
from ..checkpoints.listing import listed, summary
from .family import ConfigError, Family, Rows, TaskHead
from .weights import FoundWeight, find_weights

Task = Literal["sequence", "tokens", "answers"]
ProblemType = Literal["single_label_classification", "multi_label_classification", "regression"]

TASKS: tuple[Task, ...] = get_args(Task)
PROBLEM_TYPES: tuple[ProblemType, ...] = get_args(ProblemType)
ANSWER_LABELS = ("start", "end")

# How the names of transformers' classes end.
CLASSES: dict[Task, str] = {
    "sequence": "ForSequenceClassification",
    "tokens": "ForTokenClassification",
    "answers": "ForQuestionAnswering",
}
_OTHER_CLASS = "ForMultipleChoice"  # whose weights are called as those of "sequence"


class UnclearTask(CheckpointError):
    """A checkpoint whose head may be for several tasks."""


class OtherTask(CheckpointError):
    """A checkpoint with a head for another task than the one asked for."""


class FoundTask(NamedTuple):
    """A task head that a checkpoint has.

    Attributes:
        task: The task.
        head: The head.
        found: Its weights.
        labels: What the outputs mean, in their order.
        problem_type: What transformers' configuration calls the kind of a classifier of texts.
    """

    task: Task
    head: TaskHead
    found: list[FoundWeight]
    labels: list[str]
    problem_type: ProblemType | None


def find_task(
    family: Family, config: dict[str, Any], checkpoint: Checkpoint, task: Task | None = None
) -> FoundTask | None:
    """Find the task head of a checkpoint.

    Args:
        family: The model's family.
        config: Its configuration.
        checkpoint: The checkpoint.
        task: The task, where the files leave it open.

    Returns:
        The head; None if there is none.

    Raises:
        UnclearTask: If the files leave open which it is (a CheckpointError).
        OtherTask: If the files say another task (a CheckpointError).
        CheckpointError: If weights of it are missing or have shapes that no head has.
        ConfigError: If the configuration says something else than the weights.
    """
    asked = task
    task = task or _told_task(family, config, checkpoint)
    if task is None:
        return None
    head = family.task_heads.get(task, TaskHead(()))
    found = find_rows(family, config, checkpoint, head.weights)
    present = {weight.row for weight in found}
    if present.isdisjoint(head.last):
        return None
    if asked is not None:
        _check_asked_task(asked, family, config, checkpoint)
    naming = "google" if any(each.name == each.row.google for each in found) else "huggingface"
    if missing := [row.in_files(naming)[0] for row in head.weights if row not in present]:
        raise CheckpointError(
            f"{checkpoint.path} lacks {listed(missing, ', ')} of its head, that of "
            f"{family.name}{CLASSES[task]}. It holds {summary(list(checkpoint))}."
        )
    kernel = next(weight for weight in found if weight.row == head.last[0])
    shape = kernel.shape(checkpoint)
    if len(shape) != 2 or 0 in shape or (task == "answers" and shape[1] != 2):
        outputs = "2 outputs, start and end" if task == "answers" else "an output for each label"
        raise CheckpointError(
            f"{checkpoint.path}: '{kernel.name}' must be a matrix with {outputs}. Received: "
            f"{checkpoint.shape(kernel.name)}."
        )
    labels = list(ANSWER_LABELS) if task == "answers" else _labels(config, shape[1])
    problem_type = _problem_type(config) if task == "sequence" else None
    return FoundTask(task, head, found, labels, problem_type)


def find_rows(
    family: Family, config: dict[str, Any], checkpoint: Checkpoint, rows: Rows
) -> list[FoundWeight]:
    """Find those of some weights of a head that are there."""
    found = find_weights(replace(family, heads={"": rows}), config, checkpoint, "any")
    return [weight for weight in found if weight.row in rows]


def _told_task(family: Family, config: dict[str, Any], checkpoint: Checkpoint) -> Task | None:
    return _task_of_class(config) or _task_of_names(family, config, checkpoint)


def _check_asked_task(
    asked: Task, family: Family, config: dict[str, Any], checkpoint: Checkpoint
) -> None:
    """Refuse a task that the files contradict: classifiers of texts and of tokens look alike."""
    try:
        told = _told_task(family, config, checkpoint)
    except UnclearTask:
        return
    if told not in (None, asked):
        reason = "by its configuration" if _task_of_class(config) else "by the names of its weights"
        raise OtherTask(
            f"{checkpoint.path} has a head for the task {told!r}, {reason}. Received: the task "
            f"{asked!r}. Leave the task out; for a new head, load_task_model takes `labels` as "
            "well."
        )


def _task_of_class(config: dict[str, Any]) -> Task | None:
    for name in architectures(config):
        for task, ending in CLASSES.items():
            if name.endswith(ending):
                return task
    return None


def architectures(config: dict[str, Any]) -> list[str]:
    """The names of transformers' classes in a configuration; none where it has no list of them."""
    named = config.get("architectures")
    return [name for name in named if isinstance(name, str)] if isinstance(named, list) else []


def _task_of_names(family: Family, config: dict[str, Any], checkpoint: Checkpoint) -> Task | None:
    """The task to which the names of a checkpoint's tensors belong."""
    if any(name.endswith(_OTHER_CLASS) for name in architectures(config)):
        return None
    present = {
        task: {each.row for each in find_rows(family, config, checkpoint, head.weights)}
        for task, head in family.task_heads.items()
    }
    tasks = [
        task
        for task, head in family.task_heads.items()
        if not present[task].isdisjoint(head.last)
        and (not head.hidden or not present[task].isdisjoint(head.hidden))
    ]
    of_texts = family.task_heads.get("sequence")
    if tasks[:2] == ["sequence", "tokens"] and not set(of_texts.hidden) <= {*family.head_rows()}:
        tasks.remove("tokens")  # only a classifier of texts has that layer, which is no pooler
    if len(tasks) > 1:
        raise UnclearTask(
            f"{checkpoint.path} may be for each of the tasks {', '.join(map(repr, tasks))}, and "
            "its configuration does not say by `architectures` which: pass `task`. It holds "
            f"{summary(list(checkpoint))}."
        )
    return tasks[0] if tasks else None


def _labels(config: dict[str, Any], count: int) -> list[str]:
    """The labels of a classifier's outputs; files leave out those that transformers makes up."""
    given = config.get("id2label")
    if given is None:
        return [f"LABEL_{index}" for index in range(count)]
    try:
        labels = {int(index): str(label) for index, label in given.items()}
    except (AttributeError, ValueError):
        labels = {}
    if sorted(labels) != list(range(count)):
        raise ConfigError(
            "`id2label` in the configuration must give each of the classifier's outputs, 0 to "
            f"{count - 1}, its label. Received: {_shown(given)}."
        )
    return [labels[index] for index in range(count)]


def _shown(given: Any) -> str:
    return listed(list(map(str, given)), ", ") if isinstance(given, dict) else repr(given)[:80]


def _problem_type(config: dict[str, Any]) -> ProblemType | None:
    given = config.get("problem_type")
    check_problem_type(given, ConfigError)
    return given


def check_problem_type(given: Any, error: type[ValueError] = ValueError) -> None:
    """Raise unless it is one that transformers knows, or None."""
    if given is not None and given not in PROBLEM_TYPES:
        raise error(
            f"`problem_type` must be one of {', '.join(map(repr, PROBLEM_TYPES))}. "
            f"Received: {given!r}."
        )


def check_task(task: Any) -> None:
    """Raise unless it is a task."""
    if task not in TASKS:
        raise ValueError(
            f"`task` must be one of {', '.join(map(repr, TASKS))}. Received: {task!r}."
        )


def check_labels(labels: Any, task: Task) -> list[str]:
    """Return the labels of a new or of a model's head as a list; refuse what cannot be labels."""
    names = labels.tolist() if hasattr(labels, "tolist") else labels  # an array, a pandas Series
    is_list = isinstance(names, Sequence) and not isinstance(names, str) and len(names) > 0
    if not is_list or not all(isinstance(name, str) for name in names):
        raise ValueError(
            "`labels` must be a list of words, one for each output of the classifier. Received: "
            f"{labels!r}."
        )
    if task == "answers" and tuple(names) != ANSWER_LABELS:
        raise ValueError(
            f"`labels` must be {list(ANSWER_LABELS)} for the task 'answers'. Received: {labels!r}."
        )
    return [str(name) for name in names]
