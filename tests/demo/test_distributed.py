"""demo/distributed/: the guide's commands give the same losses on any number of devices."""

import re
from pathlib import Path

import pytest
from command_line import free_port, start
from runtimes import RUNTIME

DEMO = Path(__file__).resolve().parents[2] / "demo/distributed"

pytestmark = [pytest.mark.slow, pytest.mark.every_runtime]


def commands():
    """For this runtime, what each program is started with: alone, on virtual devices, and so on."""
    first, second = free_port(), free_port()
    if RUNTIME == "torch":
        alone, both = (["-m", "torch.distributed.run", "--nproc-per-node", n] for n in "12")
        both += ["--rdzv-backend", "c10d", "--rdzv-endpoint", f"127.0.0.1:{first}"]
        return [[*words, str(DEMO / "train_torch.py")] for words in (alone, both)]
    if RUNTIME == "jax":
        both = ["--coordinator", f"127.0.0.1:{first}", "--processes", "2", "--process"]
        options = [[], ["--virtual", "4", "--model-devices", "2"], [*both, "0"], [*both, "1"]]
        return [[str(DEMO / "train_jax.py"), "--steps", "2", *each] for each in options]
    options = [[], ["--virtual", "2"]]
    if RUNTIME == "tensorflow":
        both = ["--workers", f"127.0.0.1:{first},127.0.0.1:{second}", "--worker"]
        options += [[*both, "0"], [*both, "1"]]
    return [[str(DEMO / "train_tensorflow.py"), "--steps", "2", *each] for each in options]


def test_losses_do_not_depend_on_the_number_of_devices():
    # The programs of a folder import each other.
    environment = {"PYTHONSAFEPATH": ""}
    processes = [start(*words, prefix=(), environment=environment) for words in commands()]
    losses = []
    for process in processes:
        output, messages = process.communicate(timeout=300)
        assert process.returncode == 0, messages[-3000:]
        found = re.findall(r"loss ([0-9.]+), mean of \d+ steps ([0-9.]+)", output)
        assert found, output
        losses += [[float(each) for each in numbers] for numbers in found]
    assert len(losses) > 1
    for each in losses[1:]:
        assert each == pytest.approx(losses[0], abs=1e-4)
