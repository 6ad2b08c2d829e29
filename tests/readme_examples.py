"""The examples of the README, for tests to run as they stand there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def example(mark):
    """The one Python example that holds a mark."""
    blocks = BLOCK.findall((ROOT / "README.md").read_text("utf-8"))
    (code,) = [code for language, code in blocks if language == "python" and mark in code]
    return code


def run(code, names):
    """Run an example with some names at hand; they are joined by those that it makes."""
    # A name of no file: Grain looks up the source of functions.
    exec(compile(code, "<README.md>", "exec"), names)
