"""Training with Keras on JAX: on all devices of a machine, or of several.

    python demo/distributed/train_jax.py
    python demo/distributed/train_jax.py --virtual 8
    python demo/distributed/train_jax.py --virtual 8 --model-devices 2

The first command uses all cores of one TPU host, or all GPUs. --virtual N divides the CPU into N
devices to try it out. With --model-devices N, the devices form groups of N; the weights are split
within each group, and each batch among the groups. On several machines, or to try out several
processes, start each process with the address of the first one and its own number:

    python demo/distributed/train_jax.py --coordinator 127.0.0.1:1234 --processes 2 --process 0
    python demo/distributed/train_jax.py --coordinator 127.0.0.1:1234 --processes 2 --process 1

On the hosts of a TPU pod, use --pod instead of these three options.
"""

import argparse
import json
import os


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--virtual", type=int, help="number of devices to divide the CPU into")
    parser.add_argument("--model-devices", type=int, default=1)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--coordinator", help="HOST:PORT of process 0")
    parser.add_argument("--processes", type=int)
    parser.add_argument("--process", type=int)
    parser.add_argument("--pod", action="store_true", help="on every host of a TPU pod")
    return parser.parse_args()


def distribute(model_devices):
    """Make Keras distribute everything built from now on over all devices of all processes."""
    import common
    import jax
    import keras

    from keras_bert import layout_map

    devices = keras.distribution.list_devices()
    if len(devices) % (model_devices * jax.process_count()):
        raise SystemExit(
            f"--model-devices must divide the number of a process's devices, which is "
            f"{len(devices) // jax.process_count()}. Received: {model_devices}."
        )
    with open(common.PATHS.config, encoding="utf-8") as file:
        config = json.load(file)
    mesh = keras.distribution.DeviceMesh(
        (len(devices) // model_devices, model_devices), ["batch", "model"], devices
    )
    layouts = layout_map(
        mesh,
        token_num=config["vocab_size"],
        head_num=config["num_attention_heads"],
        feed_forward_dim=config["intermediate_size"],
    )
    keras.distribution.set_distribution(
        keras.distribution.ModelParallel(
            layout_map=layouts,
            batch_dim_name="batch",
            auto_shard_dataset=False,  # each process passes only its own rows
        )
    )
    return len(devices)


def main():
    arguments = parse()
    os.environ["KERAS_BACKEND"] = "jax"
    if arguments.virtual:  # before JAX is imported
        flag = f"--xla_force_host_platform_device_count={arguments.virtual}"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}"
        os.environ["JAX_PLATFORMS"] = "cpu"

    import jax
    import keras

    if arguments.pod or arguments.coordinator:
        # How processes on CPUs communicate; older versions of JAX have no default for it.
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        keras.distribution.initialize(arguments.coordinator, arguments.processes, arguments.process)
    import common

    devices = distribute(arguments.model_devices)
    model = common.new_model()
    parts = [
        common.own_rows(each, jax.process_index(), jax.process_count())
        for each in common.batches(arguments.steps)
    ]
    report = common.Report(f"{devices} devices, process {jax.process_index()}")
    model.fit(
        *parts,
        batch_size=common.ROWS // jax.process_count(),
        shuffle=False,
        verbose=0,
        callbacks=[
            keras.callbacks.LambdaCallback(
                on_train_batch_end=lambda batch, logs: report.add(logs["loss"])
            )
        ],
    )
    report.show()


if __name__ == "__main__":
    main()
