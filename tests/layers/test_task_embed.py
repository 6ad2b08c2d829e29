import numpy as np
import pytest
from layer_checks import check_layer, old_case, old_cases
from runtimes import RUNTIME, to_numpy

from keras_bert.backend import ops
from keras_bert.layers import TaskEmbedding


@old_cases("task")
def test_as_the_old_layer(case, tmp_path):
    check_layer(**old_case(case), tmp_path=tmp_path)


def test_task_ids_of_the_wrong_rank():
    features = ops.convert_to_tensor(np.zeros((2, 2, 4), "float32"))
    with pytest.raises(ValueError, match=r"'task'.*\(batch, 1\).*\(2,\)"):
        TaskEmbedding(3, 4, name="task")([features, ops.convert_to_tensor([0, 1])])


@pytest.mark.parametrize("task", [-1, 3])
def test_unknown_task(task):
    features = ops.convert_to_tensor(np.zeros((1, 2, 4), "float32"))
    with pytest.raises(ValueError, match=rf"'task' has 3 rows.*from {task} to {task}"):
        TaskEmbedding(3, 4, name="task")([features, ops.convert_to_tensor([[task]])])


@pytest.mark.skipif(RUNTIME == "tf_keras", reason="16-bit policies are for Keras 3")
def test_float_task_ids_are_not_rounded_to_16_bits():
    table = np.arange(300, dtype="float32")[:, None]
    layer = TaskEmbedding(300, 1, dtype="mixed_bfloat16")
    features = ops.convert_to_tensor(np.zeros((1, 1, 1), "float32"))
    layer([features, ops.convert_to_tensor([[0.0]])])
    layer.set_weights([(table == 257).astype("float32")])
    output = layer([features, ops.convert_to_tensor(np.array([[257.0]], "float32"))])
    assert to_numpy(output).item() == 1.0


@pytest.mark.parametrize(("task", "error"), [(-1, ValueError), (3, ValueError), (0.5, TypeError)])
def test_a_fixed_task_that_is_none_of_the_tasks(task, error):
    with pytest.raises(error, match="`fixed_task` must be"):
        TaskEmbedding(3, 4, fixed_task=task)
