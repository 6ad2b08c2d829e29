"""Training with a distribution strategy of TensorFlow: on all GPUs of one or several machines.

    python demo/distributed/train_tensorflow.py
    python demo/distributed/train_tensorflow.py --virtual 2
    TF_KERAS=1 python demo/distributed/train_tensorflow.py --virtual 2

--virtual N divides the CPU into N devices to try it out. On several machines, or to try out several
processes, list the addresses of all processes and start each with its own number; on Keras 3, use
one process per GPU:

    python demo/distributed/train_tensorflow.py --workers 127.0.0.1:1234,127.0.0.1:1235 --worker 0
    python demo/distributed/train_tensorflow.py --workers 127.0.0.1:1234,127.0.0.1:1235 --worker 1
"""

import argparse
import json
import os


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--virtual", type=int, help="number of devices to divide the CPU into")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--workers", help="HOST:PORT of each process, separated by commas")
    parser.add_argument("--worker", type=int, help="index of this process")
    return parser.parse_args()


def new_strategy(arguments):
    import tensorflow as tf

    if arguments.workers:
        cluster = {"worker": arguments.workers.split(",")}
        task = {"type": "worker", "index": arguments.worker}
        os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})
        return tf.distribute.MultiWorkerMirroredStrategy()
    if arguments.virtual:
        cpu = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * arguments.virtual
        tf.config.set_logical_device_configuration(cpu, parts)
        return tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(arguments.virtual)])
    return tf.distribute.MirroredStrategy()


def train_step_by_step(strategy, model, dataset, report):
    """Do what `fit` does, since `fit` of Keras 3 does not support several workers."""
    import tensorflow as tf

    @tf.function
    def step(batch):
        logs = strategy.run(model.train_step, args=(batch,))
        return strategy.reduce("MEAN", logs["loss"], axis=None)

    for batch in strategy.experimental_distribute_dataset(dataset):
        report.add(step(batch))


def main():
    arguments = parse()
    os.environ["KERAS_BACKEND"] = "tensorflow"

    import common
    import tensorflow as tf

    from keras_bert.backend import TF_KERAS, keras

    strategy = new_strategy(arguments)
    with strategy.scope():
        model = common.new_model()
        model.optimizer.build(model.trainable_variables)
    dataset = tf.data.Dataset.from_tensor_slices(common.batches(arguments.steps))
    dataset = dataset.batch(common.ROWS)
    report = common.Report(f"{strategy.num_replicas_in_sync} devices")
    if arguments.workers and not TF_KERAS:
        train_step_by_step(strategy, model, dataset, report)
    else:
        # The loss in the logs is not used, since Keras 2 sums it over the workers.
        reporting = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: report.add(model.get_metrics_result()["loss"])
        )
        model.fit(dataset, verbose=0, callbacks=[reporting])
    report.show()


if __name__ == "__main__":
    main()
