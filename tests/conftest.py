"""Says on top of every run which package is tested, and on what."""

import importlib.util
import os


def pytest_report_header():
    spec = importlib.util.find_spec("keras_bert")  # found, not imported
    origin = spec.origin if spec else "not installed"
    runtime = "TF_KERAS" if os.environ.get("TF_KERAS") else "KERAS_BACKEND"
    return f"keras_bert: {origin}, {runtime}={os.environ.get(runtime, 'unset')}"
