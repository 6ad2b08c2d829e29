"""The targets of `fuzz.py` do not rot: each reads its seeds, and what is left of cut ones."""

import pytest
from fuzz.targets import TARGETS, ignore_checksums
from runtimes import once

pytestmark = once


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_read(name):
    target = TARGETS[name]
    for content in target.seeds():
        assert 0 < len(content) < 10_000
        assert target.run(content)


@pytest.mark.parametrize("name", TARGETS)
def test_halves_give_no_error_that_is_not_documented(name, monkeypatch):
    ignore_checksums(monkeypatch.setattr)
    target = TARGETS[name]
    for content in target.seeds():
        target.run(content[: len(content) // 2])
        target.run(content[: len(content) // 4] + content[len(content) // 3 :])
