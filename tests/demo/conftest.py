"""Scripts of demo/ import each other by names such as `common` and `options`."""

import sys
from pathlib import Path

import pytest

SCRIPTS = {path.stem for path in (Path(__file__).resolve().parents[2] / "demo").rglob("*.py")}


@pytest.fixture(autouse=True, scope="module")
def forget_scripts():
    """After a file of tests, Python knows neither the scripts nor the folders that it added."""
    path, before = sys.path.copy(), set(sys.modules)
    yield
    sys.path[:] = path
    for name in SCRIPTS - before:
        sys.modules.pop(name, None)
