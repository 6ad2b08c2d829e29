"""Which task a folder is for, without Keras."""

import pytest
from runtimes import once
from task_folders import TASKS, TASKS_TF, changed_folder

from keras_bert.checkpoints import CheckpointError, open_checkpoint
from keras_bert.checkpoints.paths import get_checkpoint_paths
from keras_bert.families import family_of
from keras_bert.families.configuration import read_config
from keras_bert.families.tasks import UnclearTask, check_labels, find_task

pytestmark = once


def found_in(folder, task=None):
    paths = get_checkpoint_paths(folder)
    with open_checkpoint(paths.checkpoint) as checkpoint:
        config = read_config(paths.config, checkpoint)
        return find_task(family_of(config, checkpoint), config, checkpoint, task)


@pytest.mark.parametrize(
    "folder",
    [path.parent for where in (TASKS, TASKS_TF) for path in sorted(where.glob("*/config.json"))],
    ids=lambda path: f"{path.parent.name}-{path.name}",
)
def test_the_class_of_transformers_tells(folder):
    assert found_in(folder).task == folder.name.rpartition("-")[2]


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("bert-tokens", "tokens"),  # of classifiers of tokens, transformers writes no pooler
        ("bert-answers", "answers"),
        ("electra-sequence", "sequence"),
        ("electra-wide-tokens", "tokens"),
        ("distilbert-sequence", "sequence"),
        ("bert-sequence", UnclearTask),
        ("albert-sequence", UnclearTask),
    ],
)
def test_names_of_tensors_tell(tmp_path, name, task):
    folder = changed_folder(tmp_path / "new", name, architectures=None)
    if task is UnclearTask:
        with pytest.raises(UnclearTask):
            found_in(folder)
        assert found_in(folder, "sequence").task == "sequence"
    else:
        assert found_in(folder).task == task


@pytest.mark.parametrize("damaged", [5, {"a": 1}, [5], "BertForTokenClassification"])
def test_names_of_tensors_tell_where_architectures_are_damaged(tmp_path, damaged):
    folder = changed_folder(tmp_path / "new", "bert-answers", architectures=damaged)
    assert found_in(folder).task == "answers"


def test_heads_of_pretraining_are_none_for_a_task():
    assert found_in(TASKS.parent / "relatives" / "electra") is None
    assert found_in(TASKS.parent / "transformers") is None
    assert found_in(TASKS / "bert-answers", "tokens") is None


@pytest.mark.parametrize(
    ("name", "changes", "asked", "told"),
    [
        ("bert-sequence", {}, "tokens", "'sequence', by its configuration"),
        ("bert-tokens", {}, "sequence", "'tokens', by its configuration"),
        ("distilbert-sequence", {"architectures": None}, "tokens", "by the names of its weights"),
    ],
)
def test_another_task_than_the_folders_is_refused(tmp_path, name, changes, asked, told):
    folder = changed_folder(tmp_path / "new", name, **changes)
    with pytest.raises(CheckpointError, match=f"{told}.*Received: the task {asked!r}. Leave"):
        found_in(folder, asked)


def test_labels_are_in_the_order_of_the_outputs():
    assert found_in(TASKS / "bert-sequence").labels == ["bad", "so-so", "good"]
    assert found_in(TASKS / "bert-answers").labels == ["start", "end"]
    assert found_in(TASKS / "electra-sequence").problem_type == "multi_label_classification"


def test_labels_of_a_new_head():
    assert check_labels(("a", "b"), "tokens") == ["a", "b"]
    assert check_labels(["start", "end"], "answers") == ["start", "end"]
