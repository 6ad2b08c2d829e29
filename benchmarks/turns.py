"""Contestants of a benchmark: processes that wait for their turns.

Each is a process of its own, which imports, builds and then waits, so that in one run all of them
meet the same load on the machine, round after round. On a busy machine PyTorch, whose threads wait
for each other, loses most: only the figures of an idle one compare the libraries.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable

# What runs ours, and KerasHub: environment variables that choose a runtime.
RUNTIMES = {
    "Keras 3, TensorFlow": {"KERAS_BACKEND": "tensorflow"},
    "Keras 3, JAX": {"KERAS_BACKEND": "jax"},
    "Keras 3, PyTorch": {"KERAS_BACKEND": "torch"},
    "tf_keras": {"TF_KERAS": "1"},
}
KERAS_HUB = {
    "KerasHub, TensorFlow": {"KERAS_BACKEND": "tensorflow"},
    "KerasHub, JAX": {"KERAS_BACKEND": "jax"},
    "KerasHub, PyTorch": {"KERAS_BACKEND": "torch"},
}
# Put before a program that has TensorFlow 2.15's keras-bert 0.89, whose optimizer fails at import.
OLD = """
import tensorflow
tensorflow.keras.optimizers.Optimizer = tensorflow.keras.optimizers.legacy.Optimizer
"""
# Sets `policy` for keras_bert, before a model is built.
SET_POLICY = """
from keras_bert.backend import TF_KERAS, keras
if TF_KERAS:
    keras.mixed_precision.set_global_policy(policy)
else:
    keras.config.set_dtype_policy(policy)
"""
# A contestant's program ends in a call of `serve(act)`: `act(*words)` for every line it is sent.
_SERVE = """
def serve(act):
    import resource, sys, time
    for line in sys.stdin:
        start = time.perf_counter()
        act(*line.split())
        seconds = time.perf_counter() - start
        print("turn", seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
"""

# JAX would otherwise take most of a GPU's memory for itself.
_ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


class Contestant:
    """A process that does its turn when it is told to.

    Args:
        program: Its source, which ends in `serve(act)`.
        arguments: Its command line.
        settings: Environment variables to set.
        python: Another interpreter, which does not see this checkout.
    """

    def __init__(
        self,
        program: str,
        arguments: Iterable = (),
        settings: dict[str, str] | None = None,
        python: str | None = None,
    ):
        self.memory = 0  # the largest resident memory in KiB, libraries included
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (as long as the process)
        # -I keeps this checkout out of the way of what another interpreter has installed.
        command = [python, "-I"] if python else [sys.executable]
        self._process = subprocess.Popen(
            [*command, "-c", _SERVE + program, *map(str, arguments)],
            env={**os.environ, **_ENVIRONMENT, **(settings or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def turn(self, *words) -> float:
        """Let it act on some words; returns the seconds it took."""
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:  # Keras may print progress bars between
            if line.startswith("turn "):
                self.memory = int(line.split()[2])
                return float(line.split()[1])
        self._errors.seek(0)
        sys.exit(f"A process ended early:\n{self._errors.read()[-3000:]}")

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


def take_turns(contestants: dict[str, Contestant], rounds: int, *words) -> dict[str, list[float]]:
    """Seconds of every contestant in an untimed first turn, which compiles, and in the rounds."""
    seconds = {name: [] for name in contestants}
    for number in range(1 + rounds):
        for name, contestant in contestants.items():
            seconds[name].append(contestant.turn(*words))
        print(f"{' '.join(map(str, words))} round {number} of {rounds}", file=sys.stderr)
    return seconds


def typical(seconds: list[float]) -> float:
    """The median without the first turn."""
    return statistics.median(seconds[1:])


def print_table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table in Markdown."""
    titles = list(titles)
    print("|", " | ".join(titles), "|")
    print("|---" * len(titles) + "|")
    for row in rows:
        print("|", " | ".join(row), "|")


def print_machine(*packages: str) -> None:
    """Print the machine and the versions of the packages that are installed."""
    found = []
    for package in packages:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    print(f"{os.cpu_count()} CPUs ({_processor()}), Python {platform.python_version()}{_gpu()}")
    print(", ".join(found), end="\n\n")


def _gpu() -> str:
    """The GPU that PyTorch sees, if any."""
    if importlib.util.find_spec("torch") is None:
        return ""
    import torch

    return f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""


def _processor() -> str:
    """The architecture and, where Linux tells them, the widest instructions for products."""
    try:
        with open("/proc/cpuinfo", encoding="ascii") as file:
            flags = next(line for line in file if line.startswith("flags")).split()
    except (OSError, StopIteration):
        return platform.machine()
    known = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    return ", ".join([platform.machine(), *known[-3:]])
