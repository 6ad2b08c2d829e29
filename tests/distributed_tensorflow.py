"""Training under TensorFlow's strategies, in one process or as one of two; started by tests."""

import functools
import json
import os
import sys

import numpy as np
import tensorflow as tf
from distributed_training import ROWS, SLOTS, STEPS, batches, new_model, save, train, weights_of
from runtimes import KERAS_3
from tensorflow.python.eager import context


def in_one_process(devices):
    cpu = tf.config.list_physical_devices("CPU")[0]
    parts = [tf.config.LogicalDeviceConfiguration()] * devices
    tf.config.set_logical_device_configuration(cpu, parts)
    inputs, outputs = batches()
    results = {"one device": train(new_model(), inputs, outputs)}
    with tf.distribute.MirroredStrategy([f"CPU:{index}" for index in range(devices)]).scope():
        model = new_model(SLOTS)
    results["mirrored"] = train(model, inputs, batches(SLOTS)[1])
    return results


def in_two_processes(process, ports):
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    task = {"type": "worker", "index": process}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})
    # On a busy machine a process may be silent for longer than the 10 seconds allowed.
    service = context.context()
    service.configure_coordination_service = functools.partial(
        service.configure_coordination_service, heartbeat_timeout_in_ms=300_000
    )
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    with strategy.scope():
        model = new_model()
    result = step_by_step(strategy, model) if KERAS_3 else train(model, *batches())
    return {f"process {process}": result}


def step_by_step(strategy, model):
    """What `train` does, for Keras 3, whose `fit` cannot work under this strategy."""
    with strategy.scope():
        model.optimizer.build(model.trainable_variables)

    @tf.function
    def step(batch):
        logs = strategy.run(model.train_step, args=(batch,))
        return strategy.reduce("MEAN", logs["loss"], axis=None)

    inputs, outputs = batches()
    dataset = tf.data.Dataset.from_tensor_slices((tuple(inputs), tuple(outputs))).batch(ROWS)
    result, losses = {}, []
    for batch in strategy.experimental_distribute_dataset(dataset):
        losses.append(step(batch))
        model.reset_metrics()
        if len(losses) == 1:
            result |= {"loss 1": losses[0], **weights_of(model, "1")}
    assert len(losses) == STEPS
    return {**result, "loss all": np.mean(losses[1:]), **weights_of(model, "all")}


if __name__ == "__main__":
    path, first, *ports = sys.argv[1:]
    save(path, in_two_processes(int(first), ports) if ports else in_one_process(int(first)))
