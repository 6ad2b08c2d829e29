"""What every run does: it says which package it tests, and leaves some cases to slow runs."""

import gc
import importlib.util
import os
from collections import defaultdict

import pytest


def pytest_report_header():
    spec = importlib.util.find_spec("keras_bert")  # found, not imported
    origin = spec.origin if spec else "not installed"
    runtime = "TF_KERAS" if os.environ.get("TF_KERAS") else "KERAS_BACKEND"
    return f"keras_bert: {origin}, {runtime}={os.environ.get(runtime, 'unset')}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of a test marked `sampled(count)`, so many cases, spread evenly, are not slow."""
    cases = defaultdict(list)
    for item in items:
        for mark in item.iter_markers("sampled"):
            cases[item.path, item.originalname, mark.args[0]].append(item)
    for (_, _, count), tests in cases.items():
        last, gaps = len(tests) - 1, max(1, count - 1)
        kept = {round(number * last / gaps) for number in range(count)}
        for index, test in enumerate(tests):
            if index not in kept:
                test.add_marker("slow")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """A test marked `once` is skipped on all runtimes but TensorFlow."""
    if item.get_closest_marker("once"):
        from runtimes import RUNTIME

        if RUNTIME != "tensorflow":
            pytest.skip("the same on every runtime; run once")


def pytest_collection_finish():
    """Spare the garbage collector what imports have made, which lasts: a fifth of PyTorch's run."""
    gc.collect()
    gc.freeze()
