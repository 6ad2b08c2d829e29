"""Contestants of a benchmark: processes that wait for their turns.

Each runs a file of contestants/, which imports and builds what it needs and then waits, so that in
one run all of them meet the same load on the machine, round after round. On a busy machine PyTorch,
whose threads wait for each other, loses most: only the figures of an idle one compare the
libraries. keras_bert is what the interpreter has installed. A turn can be tried by hand:

    echo 8 128 | python benchmarks/contestants/forward_transformers.py float32 3 gelu_erf
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# Environment variables that choose what keras_bert and KerasHub run on.
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
PROGRAMS = Path(__file__).resolve().parent / "contestants"
# JAX would otherwise take most of a GPU's memory for itself.
_ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


class Contestant:
    """A process that takes its turn when it is told to.

    Args:
        program: Name of a file in contestants/, which ends in `serve(act)`.
        arguments: Its command line.
        settings: Environment variables to set.
        python: Another interpreter, of an environment with keras-bert 0.89.

    Attributes:
        memory: The largest resident memory in KiB, libraries included, up to the last turn.
        numbers: What `act` returned in the last turn.
    """

    def __init__(
        self,
        program: str,
        arguments: Iterable = (),
        settings: dict[str, str] | None = None,
        python: str | None = None,
    ):
        self._program = program
        self.memory = 0
        self.numbers: list[float] = []
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (as long as the process)
        # Another interpreter is not to find this checkout's keras_bert by PYTHONPATH (-E), nor
        # what the user has installed for all (-s).
        command = [python, "-E", "-s"] if python else [sys.executable]
        self._process = subprocess.Popen(
            [*command, PROGRAMS / program, *map(str, arguments)],
            env={**os.environ, **_ENVIRONMENT, **(settings or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def turn(self, *words) -> float:
        """Have it call `act(*words)`; returns the seconds that took."""
        with contextlib.suppress(BrokenPipeError):  # it has ended; below it is said why
            self._process.stdin.write(" ".join(map(str, words)) + "\n")
            self._process.stdin.flush()
        for line in self._process.stdout:  # Keras may print progress bars between
            if line.startswith("turn "):
                seconds, self.memory, *self.numbers = map(float, line.split()[1:])
                return seconds
        self._errors.seek(0)
        sys.exit(f"{self._program} ended early:\n{self._errors.read()[-3000:]}")

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


def take_turns(contestants: dict[str, Contestant], rounds: int, *words) -> dict[str, list[float]]:
    """Seconds of every contestant: of a first turn, in which it compiles, and of the rounds."""
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


def run_on(runtime: str, script: str, *words) -> Any:
    """What a benchmark, run once more on a runtime, prints in its last line, in JSON."""
    finished = subprocess.run(
        [sys.executable, script, *map(str, words)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **RUNTIMES[runtime]},
        capture_output=True,
        text=True,
    )
    if finished.returncode:
        sys.exit(f"{runtime} failed:\n{finished.stderr[-3000:]}")
    return json.loads(finished.stdout.splitlines()[-1])


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
