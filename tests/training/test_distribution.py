"""Training on several devices and in several processes gives the numbers of one device."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import free_port
from runtimes import KERAS_3, RUNTIME

from keras_bert import layout_map
from keras_bert.backend import keras

TESTS = Path(__file__).resolve().parents[1]
SIZES = {"token_num": 40, "head_num": 4, "feed_forward_dim": 32}
# XLA's optimizations take longer than the trainings.
QUICK = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


def devices(count):
    return {"XLA_FLAGS": f"--xla_force_host_platform_device_count={count} {QUICK}"}


def starts():
    """A script, and for each of its processes, which run at once, its arguments and environment."""
    one, two = free_port(), free_port()
    if RUNTIME == "jax":
        processes = [([process, one], devices(1)) for process in (0, 1)]
        return "distributed_jax.py", [([], devices(8)), *processes]
    single = {"OMP_NUM_THREADS": "1"}
    if RUNTIME == "torch":
        return "distributed_torch.py", [([process, one], single) for process in (0, 1)]
    # TensorFlow builds a graph for every replica: two take a quarter of the time of eight.
    processes = [([process, one, two], {}) for process in (0, 1)]
    return "distributed_tensorflow.py", [([2], {}), *processes]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Losses and weights by the names of the trainings, read from what the processes wrote."""
    script, runs = starts()
    folder = tmp_path_factory.mktemp("distributed")
    # The script's own folder must be importable, which CI's PYTHONSAFEPATH prevents, and the demos.
    paths = [
        str(TESTS),
        str(TESTS.parent / "demo/distributed"),
        *filter(None, [os.environ.get("PYTHONPATH")]),
    ]
    processes = [
        subprocess.Popen(
            [sys.executable, TESTS / script, folder / f"{index}.npz", *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for index, (arguments, environment) in enumerate(runs)
    ]
    try:
        for process in processes:
            out, _ = process.communicate(timeout=500)
            assert process.returncode == 0, out
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    found = {}
    for path in folder.iterdir():
        for name, value in np.load(path).items():
            training, _, key = name.partition(": ")
            found.setdefault(training, {})[key] = value
    return found


IN_ONE_PROCESS = {"jax": ["data parallel", "model parallel"], "torch": []}.get(
    RUNTIME, ["mirrored"]
)


@pytest.mark.slow
@pytest.mark.every_runtime
@pytest.mark.parametrize("training", [*IN_ONE_PROCESS, "process 0", "process 1"])
@pytest.mark.parametrize("steps", ["1", "all"])
def test_losses_and_weights_are_those_of_one_device(results, training, steps):
    """To 1e-5 after one step and after twenty, which change every weight a hundred times as much.

    The rows of a batch have different numbers of positions to predict.
    """
    want, got = results["one device"], results[training]
    names = [name for name in want if name.endswith(f" {steps}")]
    assert len(names) > 20
    for name in names:
        np.testing.assert_allclose(got[name], want[name], rtol=0, atol=1e-5, err_msg=name)
    if steps == "all":
        # A key's bias adds the same to all scores of a query, so that its gradient is none.
        effective = [name for name in names if "/key/bias" not in name and "_bk" not in name]
        moved = [abs(want[name] - want[f"{name[:-4]} 1"]).max() for name in effective]
        assert min(moved) > 1e-3


@pytest.mark.skipif(RUNTIME != "jax", reason="Keras splits weights on JAX")
def test_heads_hidden_features_and_vocabulary_are_split(results):
    """Among four devices; the optimizer's moments like the weights."""
    parts = {name: tuple(shape) for name, shape in results["parts"].items()}
    split = {
        "Embedding-Token/embeddings": (10, 16),  # of (40, 16)
        "MLM-Sim/bias": (10,),
        "Encoder-1-FeedForward/hidden/kernel": (16, 8),  # of (16, 32)
        "Encoder-1-FeedForward/hidden/bias": (8,),
        "Encoder-1-FeedForward/output/kernel": (8, 16),
        "Encoder-1-MultiHeadSelfAttention/output/kernel": (4, 16),  # of (16, 16)
    }
    for name in ("query", "key", "value"):
        split[f"Encoder-1-MultiHeadSelfAttention/{name}/kernel"] = (16, 4)
        split[f"Encoder-1-MultiHeadSelfAttention/{name}/bias"] = (4,)
    for name in [
        key.removesuffix(" 1") for key in results["one device"] if key.endswith("/kernel 1")
    ]:
        whole = results["one device"][f"{name} 1"].shape
        assert parts[name] == split.get(name, whole)
    for name, shape in split.items():
        assert parts[name] == shape
        for moment in ("momentum", "velocity"):
            assert parts[f"AdamWarmup/{name.replace('/', '_')}_{moment}"] == shape


def mesh(*shape):
    names = [f"cpu:{index}" for index in range(np.prod(shape))]
    return keras.distribution.DeviceMesh(shape, ["batch", "model"], names)


keras_3 = pytest.mark.skipif(not KERAS_3, reason="Keras 2 has no keras.distribution")


@keras_3
def test_a_vocabulary_that_the_devices_do_not_divide_is_split_by_columns():
    layouts = layout_map(mesh(2, 4), **{**SIZES, "token_num": 30522})
    assert layouts["Embedding-Token/embeddings"].axes == (None, "model")
    assert layouts["MLM-Sim/bias"] is None
    layouts = layout_map(mesh(2, 4), **{**SIZES, "token_num": 21128})
    assert layouts["bert/Embedding-Token/embeddings"].axes == ("model", None)
    assert layouts["MLM-Sim/bias"].axes == ("model",)


@keras_3
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"head_num": 6}, r"divide `head_num`. Received: head_num=6, 4 devices"),
        ({"feed_forward_dim": 30}, r"divide `feed_forward_dim`. Received: feed_forward_dim=30, 4"),
        ({"token_num": 0}, r"`token_num` must be at least 1"),
        ({"axis": "heads"}, r"`axis` must name an axis .* axis='heads', axes=\['batch', 'model'\]"),
    ],
)
def test_what_cannot_be_split_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        layout_map(mesh(2, 4), **{**SIZES, **options})


@pytest.mark.skipif(KERAS_3, reason="Keras 3 has keras.distribution")
def test_keras_2_has_no_layouts():
    with pytest.raises(NotImplementedError, match="Unset TF_KERAS"):
        layout_map(None, **SIZES)
