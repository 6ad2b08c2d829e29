"""The API reference leaves out nothing; CI builds it with warnings as errors."""

import re
from pathlib import Path

import pytest

import keras_bert
import keras_bert.layers

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
# Plain strings, explained where they are used.
CONSTANTS = re.compile(r"TOKEN_|POOL_|__version__")


@pytest.mark.parametrize("module", [keras_bert, keras_bert.layers], ids=lambda each: each.__name__)
def test_every_public_name_has_its_entry(module):
    entries = []
    for page in REFERENCE.glob("*.rst"):
        text = page.read_text("utf-8")
        if f"currentmodule:: {module.__name__}\n" in text:
            entries += re.findall(r"^\.\. auto\w+:: (\w+)$", text, re.MULTILINE)
    names = [name for name in module.__all__ if not CONSTANTS.match(name)]
    assert sorted(entries) == sorted(names)


def test_every_page_is_in_the_table_of_contents():
    index = (REFERENCE.parent / "index.md").read_text("utf-8")
    pages = re.findall(r"^reference/(\w+)$", index, re.MULTILINE)
    assert sorted(pages) == sorted(page.stem for page in REFERENCE.glob("*.rst"))
