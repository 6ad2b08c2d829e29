"""Replicas and threads of TensorFlow."""

import subprocess
import sys

import pytest
from runtimes import ON_TENSORFLOW, RUNTIME

if ON_TENSORFLOW:
    import tensorflow as tf

    from keras_bert.backend import has_replicas, limit_threads, replica_mean

pytestmark = pytest.mark.skipif(not ON_TENSORFLOW, reason="TensorFlow's devices")


def test_one_replica_has_no_others():
    assert not has_replicas()
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    assert not strategy.run(has_replicas)
    with strategy.scope():
        assert not has_replicas()


TWO = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from keras_bert.backend import has_replicas, on_accelerator, replica_mean
assert not on_accelerator()
strategy = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])

@tf.function
def run():
    number = tf.distribute.get_replica_context().replica_id_in_sync_group
    assert has_replicas()
    return replica_mean(2.0 + 4.0 * tf.cast(number, "float32"))

print(*(float(each) for each in strategy.experimental_local_results(strategy.run(run))))
assert not has_replicas()
"""


@pytest.mark.slow
@pytest.mark.every_runtime
@pytest.mark.skipif(RUNTIME != "tensorflow", reason="the same under Keras 2")
def test_two_replicas_have_one_mean():
    done = subprocess.run([sys.executable, "-c", TWO], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["4.0", "4.0"]


def test_the_mean_of_one_replica_is_its_own():
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    assert float(strategy.run(lambda: replica_mean(tf.constant(3.0)))) == 3.0


def test_threads_are_limited_before_anything_is_computed():
    """Later it is an error, which says so."""
    tf.constant(1) + 1
    with pytest.raises(RuntimeError, match="after initialization"):
        limit_threads(tf.config.threading.get_intra_op_parallelism_threads() + 1)
