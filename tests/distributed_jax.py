"""Training on JAX's virtual devices, in one process or as one of two; started by tests."""

import re
import sys

import jax
import numpy as np
from distributed_training import ROWS, SIZES, SLOTS, batches, new_model, save, train
from readme_examples import example, run

from keras_bert.backend import keras

distribution = keras.distribution


def in_one_process():
    inputs, outputs = batches()
    results = {"one device": train(new_model(), inputs, outputs)}
    distribution.set_distribution(distribution.DataParallel())
    results["data parallel"] = train(new_model(), inputs, outputs)
    code = example("layout_map")
    for name, size in SIZES.items():
        code = re.sub(rf"{name}=\d+", f"{name}={size}", code)
    run(code, {})
    model = new_model(SLOTS)
    results["model parallel"] = train(model, inputs, batches(SLOTS)[1])
    results["parts"] = {
        variable.path: variable.value.sharding.shard_shape(variable.value.shape)
        for variable in [*model.weights, *model.optimizer.variables]
    }
    return results


def in_two_processes(process, port):
    # What the processes talk by on CPUs, which older JAX has to be told.
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    addresses = f"127.0.0.1:{port},127.0.0.1:{port}"
    distribution.initialize(addresses, num_processes=2, process_id=process)
    distribution.set_distribution(distribution.DataParallel(auto_shard_dataset=False))
    # Each process gives its device the rows that are its own of every batch.
    mine = [
        [each[np.arange(len(each)) % ROWS // (ROWS // 2) == process] for each in arrays]
        for arrays in batches()
    ]
    return {f"process {process}": train(new_model(), *mine, rows=ROWS // 2)}


if __name__ == "__main__":
    path, *arguments = sys.argv[1:]
    save(path, in_two_processes(*map(int, arguments)) if arguments else in_one_process())
